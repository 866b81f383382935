//! The host that keeps the lock is lost in the middle of a deploy.

use std::sync::Arc;

use tokio::sync::Notify;

use crate::{
    deploy::{DeployRequest, Goal, Trust, deploy},
    event::{EventKind, Outcome, Receiver},
    hosts::{
        Stop,
        testing::{Act, Behaviour, TestFleet, behaviour, out, prints},
    },
    plan::Scope,
    rollout::driver::Promotion,
    run::{Context, Interrupts},
};

const FIRST: &str = "hosts = [\"host-2\"]\ncommands = [{ run = \"first\" }]\n";
const SECOND: &str = "hosts = [\"host-2\"]\ncommands = [{ run = \"second\" }]\n";

/// A host where docker answers and has nothing yet; `script` says what else commands come to.
pub(super) fn host(script: impl Fn(&str) -> Option<Vec<Act>> + Send + Sync + 'static) -> Behaviour {
    behaviour().script(move |command| {
        script(command).unwrap_or_else(|| match command {
            _ if command.starts_with("printf ") => vec![Act::Shell],
            _ if command.starts_with("docker info ") => prints(r#"{"ServerVersion": "28"}"#),
            _ if command.contains("inspect") => prints("[]"),
            _ if command.contains("flock") => vec![out("held private\n"), Act::Stall],
            "cat" => vec![Act::Stall],
            _ => prints(""),
        })
    })
}

/// Says `seen` once the run has noticed that its lock is lost.
async fn watch(mut told: Receiver, seen: Arc<Notify>) {
    while let Some(unshown) = told.next().await {
        if let EventKind::Warning { message, .. } = unshown.event.kind
            && message.contains("finishing the hosts in progress")
        {
            seen.notify_one();
        }
    }
}

/// Deploys to host-2, whose first recipe's command runs while the connection to host-1 is lost, which keeps the
/// lock. `interrupt` is what the user does meanwhile. The commands of the recipes that ran, and how it ended.
async fn deploy_without_lock_host(
    interrupt: impl Fn(&Interrupts) + Send + Sync + 'static,
) -> (Vec<String>, Box<Stop>) {
    let (lose, noticed) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let interrupts = Interrupts::listen().expect("signals can be listened to");
    let lock_host = {
        let lose = lose.clone();
        host(move |command| {
            let acts = vec![
                out("held private\n"),
                Act::Until(lose.clone()),
                Act::Disconnect(""),
            ];
            command.contains("flock").then_some(acts)
        })
    };
    let app_host = {
        let (noticed, interrupts) = (noticed.clone(), interrupts.clone());
        host(move |command| {
            (command == "sh -c first").then(|| {
                interrupt(&interrupts);
                lose.notify_one();
                vec![Act::Until(noticed.clone()), Act::Status(0)]
            })
        })
    };
    let recipes = [("first", FIRST), ("second", SECOND)];
    let lab = TestFleet::new(&recipes, vec![lock_host, app_host]).await;
    let TestFleet {
        environment,
        connector,
        servers,
        events,
        told,
        project,
        ..
    } = lab;
    tokio::spawn(watch(told, noticed));
    let context = Context::of_alice(
        &environment,
        project.path(),
        &connector,
        &events,
        &interrupts,
    );
    let request = DeployRequest {
        scope: Scope::default(),
        goal: Goal::Files { forced: false },
        dry_run: false,
        promotion: Promotion::Nobody,
        trust: Trust::Nobody,
    };
    let stop = Box::pin(deploy(&context, request)).await;
    let stop = stop.expect_err("it has lost its lock");
    let ran = servers[1].seen.commands.lock().expect("not poisoned");
    let ran = ran
        .iter()
        .filter_map(|command| command.strip_prefix("sh -c "));
    let ran = ran.filter(|script| ["first", "second"].contains(script));
    (ran.map(str::to_owned).collect(), stop)
}

#[tokio::test]
async fn the_lost_connection_is_the_cause_and_it_is_no_interrupt() {
    let (ran, stop) = deploy_without_lock_host(|_| {}).await;
    assert_eq!(
        ran,
        ["first"],
        "what ran is finished, and no other is begun"
    );
    assert_eq!(stop.outcome, Outcome::Failed);
    assert_eq!(
        stop.report.message,
        "r1 stopped: the lock was lost; no further host was started"
    );
    let cause = &stop.report.causes[0];
    assert!(
        cause.starts_with("the process that holds the lock is gone: the connection was lost"),
        "{cause}"
    );
}

#[tokio::test]
async fn what_the_user_interrupted_before_stays_interrupted() {
    let (ran, stop) = deploy_without_lock_host(Interrupts::raise).await;
    assert_eq!(ran, ["first"]);
    assert_eq!(stop.outcome, Outcome::Interrupted);
    assert_eq!(
        stop.report.message,
        "r1 was interrupted; no further host was started"
    );
}
