//! Phase: read what the deployer's machine knows and nobody else may.

use super::request::{DeployRequest, Goal};
use crate::{desired, hosts::Run, images::Logins, run::Context, secrets::Secrets};

/// The secrets of containers and the logins of registries.
pub struct Credentials<'a> {
    /// The values of secrets.
    pub secrets: Secrets<'a>,
    /// The logins of registries.
    pub logins: Logins<'a>,
}

/// Reads what the files need, so that a missing value ends the run before any host is contacted.
///
/// A rollback learns from its records what it needs, so it reads that later.
pub async fn read<'a>(context: &'a Context<'_>, request: &DeployRequest) -> Run<Credentials<'a>> {
    let environment = context.environment;
    let secrets = Secrets::new(context.root, context.mask, Some(context.connector));
    let secrets = secrets.warning(context.events);
    let logins = Logins::new(&environment.registries, secrets.clone());
    if request.goal == Goal::Files {
        desired::read_secrets(environment, &request.scope, &secrets).await?;
        let images = desired::wanted_images(environment, &request.scope);
        logins.read_for(images.keys()).await?;
    }
    Ok(Credentials { secrets, logins })
}
