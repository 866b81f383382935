//! Phase: somebody agrees to what records start beyond their containers.

use super::super::request::{DeployRequest, Trust};
use crate::{
    event::{EventKind, Events, Outcome},
    hosts::{Run, Stop},
    model::{Environment, HostName, Name},
    plan::{self, Change, Difference, Plan, RecipePlan},
    release::Action,
};

/// Compares what a rollback or a restart would start with today's files. A record says what ran, and anybody wrote it who may use
/// docker on the host: what reaches beyond the container is in the files, or somebody agrees to it. A signed record was
/// written by the team.
pub async fn trust(
    environment: &Environment,
    events: &Events,
    request: &DeployRequest,
    action: Action,
    plan: &Plan,
) -> Run<()> {
    let (whose, command) = match action {
        Action::Deploy => return Ok(()),
        Action::RollbackTo(target) => {
            let command = format!("rollback {} --to {target}", environment.name);
            (target.to_string(), command)
        }
        Action::Restart | Action::Stop | Action::Start => {
            let names = plan.recipes.iter().map(|it| it.recipe.to_string());
            let names = names.collect::<Vec<_>>().join(" ");
            let command = format!("{} {} {names}", action.verb(), environment.name);
            ("the last release".to_owned(), command)
        }
    };
    let found = beyond_the_files(environment, plan);
    if environment.state_key.is_some() || found.is_empty() {
        return Ok(());
    }
    let lines: Vec<_> = found.iter().map(describe).collect();
    for ((host, _, _), line) in found.iter().zip(&lines) {
        events.send(EventKind::Warning {
            host: Some(host.to_string()),
            message: format!("{whose} starts what today's files do not: {line}"),
            hint: None,
        });
    }
    if request.dry_run {
        return Ok(());
    }
    let message = match &request.trust {
        Trust::Granted => return Ok(()),
        Trust::Ask(ask) => {
            let (ask, question) = (
                ask.clone(),
                format!("Start it as the records of {whose} say?"),
            );
            let answer = tokio::task::spawn_blocking(move || ask(question));
            if answer.await.unwrap_or(false) {
                return Ok(());
            }
            "nobody trusts the records; nothing was changed".to_owned()
        }
        Trust::Nobody => format!(
            "{whose} starts what today's files do not, and there is nobody to ask; nothing was changed"
        ),
    };
    let mut stop = Stop::new(Outcome::NotReady, message).hint(format!(
        "`shipit {command} --trust-records` starts it; with a key (`shipit state key`) records are signed, and nobody \
         is asked"
    ));
    stop.report.causes = lines;
    Err(stop)
}

type Found = (HostName, Name, Difference);

/// Where the plan starts more than the files give, each field of a recipe on a host once.
fn beyond_the_files(environment: &Environment, plan: &Plan) -> Vec<Found> {
    let mut found = Vec::<Found>::new();
    for recipe in &plan.recipes {
        let starting = RecipePlan::changes(recipe).filter(|slot| slot.change != Change::Confirm);
        for slot in starting {
            let Some(incoming) = &slot.incoming else {
                continue;
            };
            let on = environment.recipe(&recipe.recipe);
            let on = on.and_then(|recipe| recipe.by_host.get(&slot.host));
            let today = on.and_then(|on| on.container.as_ref());
            for difference in plan::beyond(&incoming.desired.spec, today) {
                let one = (slot.host.clone(), recipe.recipe.clone(), difference);
                if !found.contains(&one) {
                    found.push(one);
                }
            }
        }
    }
    found
}

fn describe((host, recipe, difference): &Found) -> String {
    let Difference { field, old, new } = difference;
    let shown = |value: &Option<String>| match value {
        Some(value) => format!("`{value}`"),
        None => "nothing".to_owned(),
    };
    format!(
        "`{field}` of `{recipe}` on `{host}` is {}, in the files {}",
        shown(new),
        shown(old)
    )
}

#[cfg(test)]
mod tests {
    use std::{
        collections::{BTreeMap, BTreeSet},
        sync::Arc,
    };

    use super::*;
    use crate::{
        deploy::Goal,
        docker::{PinnedImage, SpecHash},
        model::{Order, SecretSource},
        plan::{ContainerName, Desired, Incoming, Scope, SlotPlan},
        release::{Number, tests::environment},
        rollout::driver::Promotion,
    };

    /// A plan that starts `web` on `host-1`, as a record has it.
    fn plan_of(spec: serde_json::Value) -> Plan {
        let desired = Desired {
            spec: serde_json::from_value(spec).expect("a spec"),
            image: PinnedImage {
                reference: "web:1".into(),
                digest: "sha256:aa".into(),
                id: None,
            },
            instances: 1,
            secrets: BTreeMap::new(),
            unread: None,
            stopped: None,
        };
        let name = ContainerName {
            active: "web-r2".into(),
            retired: "web-r2".into(),
        };
        let slot = SlotPlan {
            host: "host-1".into(),
            instance: 1,
            change: Change::Replace,
            incoming: Some(Incoming {
                name,
                exists: false,
                runs: false,
                made_by: Number(2),
                hash: SpecHash::from_labels("aa", None),
                desired,
            }),
            outgoing: Vec::new(),
            outgoing_restart: None,
            reason: String::new(),
            differences: Vec::new(),
        };
        Plan {
            release: Number(2),
            recipes: vec![RecipePlan {
                recipe: "web".parse().expect("a name"),
                order: Order::StartFirst,
                slots: vec![slot],
                tasks: Vec::new(),
                left_alone: BTreeSet::new(),
            }],
            lists: Vec::new(),
            active: Vec::new(),
            warnings: Vec::new(),
            obstacles: Vec::new(),
        }
    }

    /// How a rollback to r1 ends: the error, and how often somebody was told what differs.
    async fn ends(
        environment: &Environment,
        spec: serde_json::Value,
        trusted: Trust,
        dry_run: bool,
    ) -> (Run<()>, usize) {
        let request = DeployRequest {
            scope: Scope::default(),
            goal: Goal::Release(None),
            dry_run,
            promotion: Promotion::Granted,
            trust: trusted,
        };
        let (events, mut told) = Events::channel();
        let action = Action::RollbackTo(Number(1));
        let result = trust(environment, &events, &request, action, &plan_of(spec)).await;
        let mut warnings = 0;
        while told.try_next().is_some() {
            warnings += 1;
        }
        (result, warnings)
    }

    #[tokio::test]
    async fn what_reaches_beyond_a_container_is_in_the_files_or_somebody_agrees_to_it() {
        let mut environment = environment(1);
        let forged = || serde_json::json!({ "image": "web:1", "options": ["--privileged"], "volumes": ["/:/hostroot"] });
        let plain = serde_json::json!({ "image": "web:1", "command": ["serve"] });
        let answer = |yes: bool| Trust::Ask(Arc::new(move |_| yes));

        let (result, told) = ends(&environment, plain, Trust::Nobody, false).await;
        assert!(result.is_ok() && told == 0, "the container's own");
        let (result, told) = ends(&environment, forged(), Trust::Nobody, false).await;
        let stop = result.expect_err("nobody agrees");
        assert_eq!((stop.outcome, told), (Outcome::NotReady, 2));
        assert_eq!(
            stop.report.causes,
            [
                "`options` of `web` on `host-1` is `--privileged`, in the files nothing",
                "`volumes` of `web` on `host-1` is `/:/hostroot`, in the files nothing",
            ]
        );
        let hint = stop.report.hint.unwrap_or_default();
        assert!(
            hint.contains("shipit rollback staging --to r1 --trust-records"),
            "{hint}"
        );
        for (trusted, dry_run, ok) in [
            (answer(false), false, false),
            (answer(true), false, true),
            (Trust::Granted, false, true),
            (Trust::Nobody, true, true),
        ] {
            let (result, told) = ends(&environment, forged(), trusted, dry_run).await;
            assert_eq!((result.is_ok(), told), (ok, 2));
        }
        // What is signed was written by the team.
        environment.state_key = Some(SecretSource::Env("KEY".into()));
        let (result, told) = ends(&environment, forged(), Trust::Nobody, false).await;
        assert!(result.is_ok() && told == 0);
    }
}
