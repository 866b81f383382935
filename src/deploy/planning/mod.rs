//! Phase: compare what is wanted with what is there.

mod diff;
mod show;
mod trust;

use jiff::Timestamp;

pub use trust::trust;

use super::wanted::Wanted;
use crate::{
    docker::HIGHEST_RELEASE,
    event::{EventKind, Phase},
    hosts::{Fleet, Run, Stop},
    observe::{Observed, done_tasks},
    plan::{self, Plan, Remark},
    release::{Action, Number},
    run::Context,
    text,
};

/// Makes the plan and shows it. An obstacle in it ends the run.
pub async fn plan(
    context: &Context<'_>,
    fleet: &Fleet,
    observed: &Observed,
    wanted: &Wanted,
) -> Run<Plan> {
    let environment = context.environment;
    context.events.send(EventKind::Phase { phase: Phase::Plan });
    let done = done_tasks(fleet, environment, &wanted.scope).await?;
    let release = observed.history.next_number();
    if release.0 > HIGHEST_RELEASE {
        return Err(Stop::not_ready(format!(
            "`{}` has no number left for a release after r{HIGHEST_RELEASE}",
            environment.name
        ))
        .hint(format!(
            "`shipit history {}` shows who made the newest; where no deploy did, remove its volumes and containers",
            environment.name
        )));
    }
    let is_rollback = matches!(wanted.action, Action::RollbackTo(_));
    let plan = plan::build(&plan::Input {
        environment,
        facts: &observed.facts,
        history: &observed.history,
        desired: &wanted.desired,
        scope: &wanted.scope,
        named: &wanted.named,
        release,
        prefer_kept: is_rollback,
        forced: wanted.forced,
        done_tasks: &done,
        new_key: &format!("{release}-{}", Timestamp::now().as_nanosecond()),
    });
    if !plan.is_empty() {
        context.events.send(EventKind::Release {
            release: release.to_string(),
            description: description(wanted, release),
        });
    }
    show::plan(&plan, environment, is_rollback, context.events);
    match plan.obstacles.first() {
        None => Ok(plan),
        Some(first) => Err(stopped_by(&plan.obstacles, first)),
    }
}

fn description(wanted: &Wanted, release: Number) -> String {
    match wanted.action {
        Action::Deploy => String::new(),
        Action::RollbackTo(target) => format!("{release} = {target} again"),
        Action::Restart | Action::Stop | Action::Start => {
            let recipes = text::list(&wanted.scope.recipes);
            format!("{} of {recipes}", wanted.action.verb())
        }
    }
}

#[expect(
    clippy::unnecessary_box_returns,
    reason = "it becomes the error of a `Run`"
)]
fn stopped_by(obstacles: &[Remark], first: &Remark) -> Box<Stop> {
    let mut stop = Stop::not_ready("this cannot be deployed; nothing was changed on any host");
    let cause = |obstacle: &Remark| match &obstacle.host {
        Some(host) => format!("`{host}`: {}", obstacle.message),
        None => obstacle.message.clone(),
    };
    stop.report.causes = obstacles.iter().map(cause).collect();
    stop.report.hint.clone_from(&first.hint);
    stop
}
