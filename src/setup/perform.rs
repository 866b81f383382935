//! Does what was planned, on all hosts at once.

use std::time::Duration;

use super::{found::Root, plan::HostPlan, steps::Step};
use crate::{
    command::RemoteCommand,
    event::{EventKind, Events, Outcome, Severity},
    hosts::{Fleet, HostError, QUICK, Reached, Run, Stop, failed, progress::step, row, short},
    text,
};

/// The longest that one step may take: packages come over the network.
const LONGEST: Duration = Duration::from_secs(15 * 60);

/// The longest that a daemon may take until it answers.
const UNTIL_IT_ANSWERS: Duration = Duration::from_secs(60);

/// The pause between two looks.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// Does the steps of every host, and sees that its daemon answers root. The error names the hosts where it does not.
pub async fn perform(fleet: &Fleet, plans: &[HostPlan], events: &Events) -> Run<()> {
    let working = fleet.each(|reached| {
        let plan = plans.iter().find(|plan| plan.host == *reached.name());
        async move {
            match plan {
                Some(plan) => set_up(reached, plan, events).await,
                None => Ok(()),
            }
        }
    });
    let mut failures = Vec::new();
    let mut rows = Vec::new();
    for (reached, result) in working.await {
        let (state, severity) = match result {
            Ok(()) => ("set up", Severity::Good),
            Err(error) => {
                failures.push((reached.name().clone(), error));
                ("not set up", Severity::Bad)
            }
        };
        rows.push(row(reached.name(), state, severity));
    }
    if failures.is_empty() {
        return Ok(());
    }
    let names = text::list(failures.iter().map(|(host, _)| host));
    let message = format!("{names} could not be set up");
    let mut stop = Stop::on_hosts(Outcome::Failed, message, &failures);
    stop.rows = rows;
    stop.report.hint.get_or_insert(
        "mend that there, and run it again: what is done is not done twice".to_owned(),
    );
    Err(stop)
}

async fn set_up(reached: &Reached, plan: &HostPlan, events: &Events) -> Result<(), HostError> {
    let host = reached.name();
    events.send(EventKind::HostSteps {
        host: host.to_string(),
        total: plan.steps.len() as u64,
        waiting: Duration::ZERO,
    });
    for one in &plan.steps {
        let work = as_root(reached, plan, one);
        step(events, host, None, &one.to_string(), work, |()| None).await?;
    }
    Ok(())
}

/// Does one step, and looks whether it is done.
async fn as_root(reached: &Reached, plan: &HostPlan, one: &Step) -> Result<(), HostError> {
    run(reached, plan, one.command(), LONGEST).await?;
    if matches!(one, Step::Start(_) | Step::Restart(_)) {
        daemon_answers(reached, plan).await?;
    }
    Ok(())
}

/// Waits until the daemon answers root.
async fn daemon_answers(reached: &Reached, plan: &HostPlan) -> Result<(), HostError> {
    let answers = async {
        loop {
            match run(reached, plan, docker_version(), QUICK).await {
                Ok(()) => return Ok(()),
                Err(error) if error.is_unreachable() => return Err(error),
                Err(_) => tokio::time::sleep(LOOK_AGAIN).await,
            }
        }
    };
    match tokio::time::timeout(UNTIL_IT_ANSWERS, answers).await {
        Ok(answered) => answered,
        // What it says now is why.
        Err(_) => run(reached, plan, docker_version(), QUICK).await,
    }
}

fn docker_version() -> RemoteCommand {
    RemoteCommand::new("docker").args(["version", "--format", "{{.Server.Version}}"])
}

async fn run(
    reached: &Reached,
    plan: &HostPlan,
    command: RemoteCommand,
    deadline: Duration,
) -> Result<(), HostError> {
    let shown = short(&command);
    let command = match plan.found.root {
        Some(Root::Sudo) => command.with_sudo(),
        _ => command,
    };
    let output = reached.session.run(&command, deadline).await;
    let output = output.map_err(|source| HostError::Session {
        command: shown.clone(),
        source,
    })?;
    if output.status == 0 {
        Ok(())
    } else {
        Err(failed(shown, &output))
    }
}
