//! The first deploy of a preview that is refused before anything is made.

use crate::{
    deploy::{DeployRequest, Goal, Trust, deploy, tests::lost_lock::host},
    hosts::testing::{TestFleet, prints},
    plan::Scope,
    rollout::driver::Promotion,
    run::{Context, Interrupts},
};

const WEB: &str = "hosts = \"all\"\ncontainer.image = \"web:1\"\n";

/// What removes the files of a lock, and nothing else does.
const FORGETS: &str = "rm -f -- \"$file\"";

/// How often the lock's files were removed after a deploy whose image nobody has.
async fn forgotten(is_preview: bool, dry_run: bool) -> usize {
    let behaviour = host(|command| command.contains(FORGETS).then(|| prints("")));
    let lab = TestFleet::new(&[("web", WEB)], vec![behaviour]).await;
    let environment = if is_preview {
        let name = "pr-42".parse().expect("a name");
        let recipes = lab.environment.recipes.clone();
        let preview = lab.environment.preview_to_remove(&name);
        crate::model::Environment { recipes, ..preview }
    } else {
        lab.environment.clone()
    };
    let interrupts = Interrupts::listen().expect("signals can be listened to");
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
            stop.report.message.contains("web:1"),
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
