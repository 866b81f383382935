//! The recipe's `before` and `after` commands, around the start of its containers.

use crate::{
    docker::OneOff,
    hosts::HostError,
    model::Task,
    rollout::{machine::Side, slot::Placement},
    tasks::{self, TaskContext},
};

/// What the recipe runs once before its rollout begins, such as a migration: before any slot is touched, so
/// that it costs no slot its deadline and no container its service.
pub async fn before_once(placement: &Placement) -> Result<(), HostError> {
    let before = placement.host_recipe.before.iter();
    run(placement, before.filter(|task| task.once)).await
}

/// What the recipe runs before each new container.
pub(super) async fn before(placement: &Placement) -> Result<(), HostError> {
    let before = placement.host_recipe.before.iter();
    run(placement, before.filter(|task| !task.once)).await
}

/// What the recipe runs after a new container has started.
pub(super) async fn after(placement: &Placement) -> Result<(), HostError> {
    let after = placement.host_recipe.after.iter();
    run(
        placement,
        after.filter(|task| !task.once || placement.is_first),
    )
    .await
}

async fn run(placement: &Placement, tasks: impl Iterator<Item = &Task>) -> Result<(), HostError> {
    if !placement.runs_tasks {
        return Ok(());
    }
    let context = &placement.context;
    let one_off = placement.plan.incoming.as_ref().map(|incoming| OneOff {
        environment: &context.environment,
        preview_of: context.preview_of.as_deref(),
        recipe: &context.recipe.name,
        release: context.release.0,
        spec: &incoming.desired.spec,
        image: &incoming.desired.image,
        secrets: &incoming.desired.secrets,
    });
    let context = TaskContext {
        recipe: &context.recipe.name,
        late: placement.late_values(Side::New),
        one_off,
        events: &context.events,
    };
    tasks::run_all(&placement.reached, tasks, &context).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        event::EventKind,
        hosts::testing::{Act, Behaviour, behaviour, fails, out, prints},
        rollout::testing::TestSlot,
        text,
    };

    const MIGRATE: &str = "[[before]]\nin = \"new\"\ncommand = [\"./manage\", \"migrate\", \"{{image}}\"]\nonce = true\n";

    /// A host on which the migration goes like this.
    fn host(migrates: Vec<Act>) -> Behaviour {
        behaviour().script(move |command| {
            if command.contains("docker run") {
                migrates.clone()
            } else {
                prints("")
            }
        })
    }

    async fn migrated(more: &str, acts: Vec<Act>) -> (TestSlot, Result<(), HostError>) {
        let slot = TestSlot::new(&format!("{MIGRATE}{more}"), vec![host(acts)]).await;
        let result = before_once(&slot.placement).await;
        (slot, result)
    }

    fn ran(slot: &TestSlot) -> Vec<String> {
        let commands = slot.lab.servers[0].seen.commands.lock();
        let commands = commands.expect("not poisoned").clone();
        // The name ends by chance.
        let plain = commands.into_iter().map(|command| {
            let name = command.split(' ').find(|it| it.starts_with("web-r2-run-"));
            let name = name.unwrap_or("web-r2-run-").to_owned();
            command.replace(&name, "NAME")
        });
        plain.collect()
    }

    #[tokio::test]
    async fn a_migration_runs_in_a_container_of_the_new_image() {
        let (mut slot, result) = migrated("", prints("3 migrations\n")).await;
        assert!(result.is_ok(), "{result:?}");
        assert_eq!(
            ran(&slot),
            [
                "docker run --rm --name NAME --entrypoint ./manage --stop-timeout 10 \
                --label 'SERVICE_IGNORE=true' --label 'shipit.environment=staging' \
                --label 'shipit.one-off=command' --label 'shipit.recipe=web' --label 'shipit.release=2' \
                web@sha256:aa migrate web@sha256:aa"
            ]
        );
        let mut lines = Vec::new();
        while let Some(event) = slot.lab.told.try_next() {
            if let EventKind::Output { line, .. } = event.kind {
                lines.push(line);
            }
        }
        assert_eq!(lines, ["3 migrations"]);
    }

    #[tokio::test]
    async fn what_a_failed_migration_printed_is_in_its_error() {
        let mut acts = fails(3, "no such table: users\n");
        acts.insert(0, out("migrating\n"));
        let (_, result) = migrated("", acts).await;
        let error = result.expect_err("it failed");
        assert_eq!(
            error.to_string(),
            "`./manage migrate web@sha256:aa` failed with status 3: no such table: users"
        );
        let mut printed = error.output().to_vec();
        printed.sort();
        assert_eq!(printed, ["migrating", "no such table: users"]);
    }

    #[tokio::test]
    async fn a_migration_that_takes_too_long_is_stopped() {
        let (slot, result) = migrated("timeout = \"1s\"\n", vec![Act::Stall]).await;
        let error = result.expect_err("it took too long");
        let told = text::chain(&error).join(": ");
        assert!(told.contains("timed out after 1"), "{told}");
        let ran = ran(&slot);
        assert_eq!(
            ran[1..],
            ["docker stop NAME", "docker rm --force --volumes NAME"]
        );
    }
}
