//! The first deploy of a preview that is refused, or interrupted, before anything is made.

use crate::{
    deploy::{DeployRequest, Goal, Trust, deploy, tests::lost_lock::host},
    hosts::testing::{Act, TestFleet, prints},
    plan::Scope,
    rollout::driver::Promotion,
    run::{Context, Interrupts},
};

const WEB: &str = "hosts = \"all\"\ncontainer.image = \"web:1\"\n";

/// What removes the files of a lock, and nothing else does.
const FORGETS: &str = "rm -f -- \"$file\"";

/// How often the lock's files were removed after a deploy whose image nobody has.
async fn forgotten(is_preview: bool, dry_run: bool) -> usize {
    forgotten_after(is_preview, dry_run, None).await
}

/// The same after an interrupt at a command with this in it.
async fn forgotten_after(
    is_preview: bool,
    dry_run: bool,
    interrupted_at: Option<&'static str>,
) -> usize {
    let interrupts = Interrupts::listen().expect("signals can be listened to");
    let behaviour = {
        let interrupts = interrupts.clone();
        host(move |command| {
            if interrupted_at.is_some_and(|part| command.contains(part)) {
                interrupts.raise();
                return Some(vec![Act::Stall]);
            }
            command.contains(FORGETS).then(|| prints(""))
        })
    };
    let lab = TestFleet::new(&[("web", WEB)], vec![behaviour]).await;
    let environment = if is_preview {
        let name = "pr-42".parse().expect("a name");
        let recipes = lab.environment.recipes.clone();
        let preview = lab.environment.preview_to_remove(&name);
        crate::model::Environment { recipes, ..preview }
    } else {
        lab.environment.clone()
    };
    let context = Context::of_alice(
        &environment,
        lab.project.path(),
        &lab.connector,
        &lab.events,
        &interrupts,
    );
    let request = DeployRequest {
        scope: Scope::default(),
        goal: Goal::Files { forced: false },
        dry_run,
        promotion: Promotion::Nobody,
        trust: Trust::Nobody,
    };
    match Box::pin(deploy(&context, request)).await {
        // The image is looked for when it is needed.
        Ok(_) => assert!(dry_run),
        Err(stop) => assert!(
            stop.report.message.contains("web:1") != interrupted_at.is_some(),
            "{}",
            stop.report.message
        ),
    }
    let ran = lab.servers[0].seen.commands.lock().expect("not poisoned");
    assert!(ran.iter().any(|it| it.contains("docker")), "{ran:?}");
    ran.iter().filter(|it| it.contains(FORGETS)).count()
}

#[tokio::test]
async fn it_leaves_no_file_of_its_lock() {
    assert_eq!(forgotten(true, false).await, 1);
}

#[tokio::test]
async fn what_took_no_lock_or_is_no_preview_removes_none() {
    assert_eq!(forgotten(true, true).await, 0);
    assert_eq!(forgotten(false, false).await, 0);
}

#[tokio::test]
async fn neither_does_an_interrupt() {
    // While it looks for the first time at what is on the hosts, and when it is known to be the first deploy.
    for part in ["docker ps", "docker image inspect"] {
        let interrupted = async |is_preview| forgotten_after(is_preview, false, Some(part)).await;
        assert_eq!(interrupted(true).await, 1, "{part}");
        assert_eq!(interrupted(false).await, 0, "{part}");
    }
}
