//! Phase: say what is wanted on every host, with exact images and the values of secrets.

use super::{
    credentials::Credentials,
    request::{DeployRequest, Goal},
};
use crate::{
    desired::{self, Again},
    hosts::{Fleet, Run},
    images::{self, Lookup},
    model::Name,
    observe::Observed,
    plan::{DesiredState, Scope},
    release::Action,
    run::Context,
};

/// What a release is to bring.
pub struct Wanted {
    /// What is wanted on every host of the scope.
    pub desired: DesiredState,
    /// The hosts and recipes that the release covers. A rollback may cover less than was asked for.
    pub scope: Scope,
    /// The recipes that the user has named.
    pub named: Vec<Name>,
    /// What the release is.
    pub action: Action,
    /// Whether containers are replaced that run as wanted, too.
    pub forced: bool,
}

/// Finds out what is wanted: from the files, or from the records of an earlier release.
pub async fn wanted(
    context: &Context<'_>,
    request: &DeployRequest,
    fleet: &Fleet,
    Observed { facts, history }: &Observed,
    credentials: &Credentials<'_>,
) -> Run<Wanted> {
    let (environment, scope) = (context.environment, &request.scope);
    let Credentials {
        secrets, logins, ..
    } = credentials;
    let again = async |action: Action| -> Run<Wanted> {
        desired::refuse_unsigned(environment, scope, history)?;
        let secrets = (!request.dry_run).then_some(secrets);
        let again = Again {
            environment,
            scope,
            facts,
            history,
            action,
            by: &context.by,
            secrets,
        };
        Ok(Wanted {
            desired: again.desired(context.events).await?,
            scope: scope.clone(),
            named: scope.recipes.clone(),
            action,
            forced: action == Action::Restart,
        })
    };
    let named = scope.recipes.clone();
    match request.goal {
        Goal::Files { forced } => {
            let lookup = if request.dry_run {
                Lookup::Ask
            } else {
                Lookup::Pull
            };
            let users = desired::wanted_images(environment, scope);
            let pins = images::resolve(fleet, &users, lookup, logins, context.events).await?;
            let mut desired = desired::from_files(environment, scope, &pins, secrets).await?;
            images::recall_ids(&mut desired, history);
            Ok(Wanted {
                desired,
                scope: scope.clone(),
                named,
                action: Action::Deploy,
                forced,
            })
        }
        Goal::Release(to) => {
            desired::refuse_unsigned(environment, scope, history)?;
            let target = desired::rollback_target(environment, history, to)?;
            // Whoever only looks at what a rollback would do runs no command for it, and unlocks no vault.
            let secrets = (!request.dry_run).then_some(secrets);
            let (desired, scope) =
                desired::from_records(environment, context.events, scope, history, target, secrets)
                    .await?;
            Ok(Wanted {
                desired,
                scope,
                named,
                action: Action::RollbackTo(target),
                forced: false,
            })
        }
        Goal::Restart => again(Action::Restart).await,
        Goal::Stop => again(Action::Stop).await,
        Goal::Start => again(Action::Start).await,
    }
}
