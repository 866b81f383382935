//! Which file performs which step, and what happens when the connection is lost meanwhile.

use std::sync::Arc;

use super::{
    outlast::outlast_a_stop,
    retire::retire,
    start::{resume, start_new, start_old},
    stop::stop,
    tasks,
    traffic::{deregister, put_in, switch, take_out},
};
use crate::{
    event::EventKind,
    hosts::HostError,
    rollout::{
        machine::{Side, Step},
        slot::Placement,
    },
    text,
};

/// Performs one step on the containers of one side of a slot. `all` are the slots of its rollout.
pub async fn perform(
    placement: &Placement,
    all: &[Arc<Placement>],
    side: Side,
    step: Step,
) -> Result<(), HostError> {
    match step {
        Step::StartHeld => placement.note_switch(side, true),
        Step::Start | Step::Resume => placement.note_switch(side, false),
        _ => {}
    }
    match (step, side) {
        (Step::Start | Step::StartHeld, Side::New) => {
            // The user's commands are no part of what may be done again: nobody can look whether they are done.
            tasks::before(placement).await?;
            once_more_if_lost(placement, || start_new(placement)).await?;
            tasks::after(placement).await
        }
        (Step::Start | Step::StartHeld, Side::Old) => {
            once_more_if_lost(placement, || start_old(placement)).await
        }
        (Step::OutlastStop, _) => {
            once_more_if_lost(placement, || outlast_a_stop(placement, side)).await
        }
        (Step::Resume, _) => once_more_if_lost(placement, || resume(placement, side)).await,
        (Step::Switch, _) => once_more_if_lost(placement, || switch(placement, all, side)).await,
        (Step::EnterRotation, _) => once_more_if_lost(placement, || put_in(placement, side)).await,
        (Step::EnterMaintenance, _) => {
            once_more_if_lost(placement, || take_out(placement, side)).await
        }
        (Step::Stop, _) => once_more_if_lost(placement, || stop(placement, side)).await,
        (Step::Deregister, _) => once_more_if_lost(placement, || deregister(placement, side)).await,
        (Step::Retire, _) => once_more_if_lost(placement, || retire(placement, side)).await,
    }
}

/// Does `work`, and does it again, once, when the connection to the host was lost in the middle. It is work that
/// looks first at what is there, so that what was done before the loss is found and not done twice; the session
/// connects again for that look.
async fn once_more_if_lost<F>(placement: &Placement, work: impl Fn() -> F) -> Result<(), HostError>
where
    F: Future<Output = Result<(), HostError>>,
{
    match work().await {
        Err(error) if placement.reached.has_lost(&error) => {
            placement.context.events.send(EventKind::Warning {
                host: Some(placement.reached.name().to_string()),
                message: format!(
                    "{}; connecting again and looking what was done",
                    text::chain(&error).join(": ")
                ),
                hint: None,
            });
            work().await
        }
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rollout::testing::{FakeHost, Lost, TestSlot};

    const TASKS: &str = "[[before]]\nname = \"migrate\"\nrun = \"migrate\"\n[[after]]\nname = \"warm\"\nrun = \"warm\"\n";

    async fn performed(host: &FakeHost, side: Side, step: Step) -> Vec<String> {
        let slot = TestSlot::new(TASKS, vec![host.behaviour()]).await;
        let result = perform(&slot.placement, &[], side, step).await;
        result.unwrap_or_else(|error| panic!("{}", text::chain(&error).join(": ")));
        slot.ran(1)
    }

    #[tokio::test]
    async fn a_container_that_was_made_before_the_connection_was_lost_is_not_made_again() {
        let host = FakeHost::default().loses("docker run", Lost::After);
        let ran = performed(&host, Side::New, Step::Start).await;
        let expected = [
            "sh -c migrate",
            "docker run",
            "docker update",
            "docker start web-r2",
            "sh -c warm",
        ];
        assert_eq!(ran, expected);
    }

    #[tokio::test]
    async fn a_container_that_was_not_made_yet_is_made_on_the_new_connection() {
        let host = FakeHost::default().loses("docker run", Lost::Before);
        let ran = performed(&host, Side::New, Step::Start).await;
        let expected = ["sh -c migrate", "docker run", "docker run", "sh -c warm"];
        assert_eq!(ran, expected);
    }

    #[tokio::test]
    async fn a_stop_is_looked_at_again_whenever_the_connection_is_lost() {
        for when in [Lost::Before, Lost::After] {
            let host = FakeHost::default()
                .has("web-r1", true)
                .loses("docker stop", when);
            let ran = performed(&host, Side::Old, Step::Stop).await;
            let one = ["docker update", "docker stop web-r1"];
            assert_eq!(ran, [one, one].concat(), "{when:?}");
            let containers = host.containers.lock().expect("not poisoned");
            assert!(!containers["web-r1"]);
        }
    }

    #[tokio::test]
    async fn a_container_that_ends_while_docker_is_asked_to_restart_it_no_more_is_stopped_all_the_same()
     {
        let host = FakeHost::default()
            .has("web-r1", true)
            .refuses("docker update");
        let ran = performed(&host, Side::Old, Step::Stop).await;
        assert_eq!(
            ran,
            ["docker update", "docker update", "docker stop web-r1"]
        );
    }

    #[tokio::test]
    async fn a_second_loss_in_one_step_is_a_failure() {
        let host = FakeHost::default()
            .has("web-r1", true)
            .loses("docker stop", Lost::Before)
            .loses("docker stop", Lost::Before);
        let slot = TestSlot::new(TASKS, vec![host.behaviour()]).await;
        let error = perform(&slot.placement, &[], Side::Old, Step::Stop).await;
        assert!(error.expect_err("it was lost twice").is_unreachable());
    }

    #[tokio::test]
    async fn a_command_of_which_nobody_knows_whether_it_ran_is_not_run_again() {
        let host = FakeHost::default().loses("migrate", Lost::After);
        let slot = TestSlot::new(TASKS, vec![host.behaviour()]).await;
        let error = perform(&slot.placement, &[], Side::New, Step::Start).await;
        let error = error.expect_err("nobody knows");
        assert!(!error.is_unreachable(), "the host is there");
        let told = text::chain(&error).join(": ");
        assert!(
            told.contains("whether it did its work is not known"),
            "{told}"
        );
        assert_eq!(slot.ran(1), ["sh -c migrate", "true"]);
    }

    #[tokio::test]
    async fn a_command_that_can_say_whether_it_is_done_is_asked() {
        let tasks =
            "[[before]]\nname = \"migrate\"\nrun = \"migrate\"\nunless = \"test -e migrated\"\n";
        let (asks, migrates) = ("sh -c 'test -e migrated'", "sh -c migrate");
        for (when, expected) in [
            (Lost::After, vec![asks, migrates, "true", asks]),
            (Lost::Before, vec![asks, migrates, "true", asks, migrates]),
        ] {
            let host = FakeHost::default().loses("sh -c migrate", when);
            let slot = TestSlot::new(tasks, vec![host.behaviour()]).await;
            let result = perform(&slot.placement, &[], Side::New, Step::Start).await;
            assert!(result.is_ok(), "{result:?}");
            assert_eq!(slot.ran(1), [expected, vec!["docker run"]].concat());
        }
    }
}
