//! Consul's token, for commands that ask its agents.

use crate::{consul::Access, hosts::Run, run::Context, secrets};

/// How the agents are asked by a command that depends on their answers.
pub async fn access(context: &Context<'_>) -> Run<Access> {
    secrets::consul::access(&context.environment.consul, &secrets(context)).await
}

/// How they are asked by a command that only looks.
pub async fn access_to_look(context: &Context<'_>) -> Access {
    secrets::consul::access_to_look(&context.environment.consul, &secrets(context)).await
}

fn secrets<'a>(context: &'a Context<'_>) -> secrets::Secrets<'a> {
    secrets::Secrets::new(context.root, context.mask, Some(context.connector))
}
