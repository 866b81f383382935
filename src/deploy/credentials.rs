//! Phase: read what the deployer's machine knows and nobody else may.

use super::request::{DeployRequest, Goal};
use crate::{
    desired, hosts::Run, images::Logins, release::RecordKey, run::Context, secrets::Secrets, state,
};

/// The secrets of containers, the logins of registries and the key of the records.
pub struct Credentials<'a> {
    /// The values of secrets.
    pub secrets: Secrets<'a>,
    /// The logins of registries.
    pub logins: Logins<'a>,
    /// The key that release records are signed with.
    pub key: Option<RecordKey>,
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
    if matches!(request.goal, Goal::Files { .. }) {
        desired::read_secrets(environment, &request.scope, &secrets).await?;
        let images = desired::wanted_images(environment, &request.scope);
        logins.read_for(images.keys()).await?;
    }
    Ok(Credentials {
        secrets,
        logins,
        key,
    })
}
