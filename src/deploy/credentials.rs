//! Phase: read what the deployer's machine knows and nobody else may.

use super::request::{DeployRequest, Goal};
use crate::{
    consul::Access,
    desired,
    event::EventKind,
    hosts::Run,
    images::Logins,
    release::RecordKey,
    run::Context,
    secrets::{self, Secrets},
    state,
};

/// The secrets of containers, the logins of registries, the key of the records and the way to Consul.
pub struct Credentials<'a> {
    /// The values of secrets.
    pub secrets: Secrets<'a>,
    /// The logins of registries.
    pub logins: Logins<'a>,
    /// The key that release records are signed with.
    pub key: Option<RecordKey>,
    /// How Consul's agents are asked.
    pub consul: Access,
}

/// Reads what the files need, so that a missing value ends the run before any host is contacted.
///
/// A rollback learns from its records what it needs, so it reads that later.
pub async fn read<'a>(context: &'a Context<'_>, request: &DeployRequest) -> Run<Credentials<'a>> {
    let environment = context.environment;
    let secrets = Secrets::new(context.root, context.mask, Some(context.connector));
    let secrets = secrets.warning(context.events);
    let logins = Logins::new(&environment.registries, secrets.clone());
    let key = state::read_key(environment, &secrets).await?;
    let consul = consul(context, request, &secrets).await?;
    if matches!(request.goal, Goal::Files { .. }) {
        desired::read_secrets(environment, &request.scope, &secrets).await?;
        let images = desired::wanted_images(environment, &request.scope);
        logins.read_for(images.keys()).await?;
    }
    Ok(Credentials {
        secrets,
        logins,
        key,
        consul,
    })
}

/// The way to Consul. A dry run asks nobody for the token: a plan without Consul's answers says so.
async fn consul(
    context: &Context<'_>,
    request: &DeployRequest,
    secrets: &Secrets<'_>,
) -> Run<Access> {
    let settings = &context.environment.consul;
    if !request.dry_run {
        return secrets::consul::access(settings, secrets).await;
    }
    match secrets::consul::access_at_hand(settings, secrets).await {
        Ok(access) => Ok(access),
        Err(no_access) => {
            let mut recipes = context.environment.recipes.iter();
            if recipes
                .any(|recipe| request.scope.has_recipe(&recipe.name) && recipe.is_registered())
            {
                let why = &no_access.why;
                context.events.send(EventKind::Note {
                    message: format!(
                        "this plan did not ask Consul: {why}; a container that an earlier deploy left in maintenance mode is not seen"
                    ),
                });
            }
            Ok(Access::none(settings, no_access))
        }
    }
}
