//! Looks at every host, and says what is to be done there.

use jiff::Timestamp;

use super::{
    clock,
    found::Found,
    plan::HostPlan,
    steps::{Obstacle, steps},
};
use crate::{
    command::RemoteCommand,
    event::{Outcome, Severity},
    hosts::{Fleet, HostError, QUICK, Reached, Run, Stop, failed, row, short},
    text,
};

/// What went wrong with a look.
enum Failure {
    Host(HostError),
    Obstacle(Obstacle),
}

/// Looks at every host. The error names all that cannot be made ready; nothing was changed then.
pub async fn look(fleet: &Fleet) -> Run<Vec<HostPlan>> {
    let (mut plans, mut failures, mut hints) = (Vec::new(), Vec::new(), Vec::new());
    let mut rows = Vec::new();
    for (reached, result) in fleet.each(look_at).await {
        let host = reached.name().clone();
        let (error, hint) = match result {
            Ok(plan) => {
                plans.push(plan);
                continue;
            }
            Err(Failure::Host(error)) => {
                let hint = error.hint().unwrap_or_else(|| format!("ssh {host}"));
                (error, hint)
            }
            Err(Failure::Obstacle(Obstacle { fact, hint })) => (HostError::Fact(fact), hint),
        };
        rows.push(row(&host, "cannot be set up", Severity::Bad));
        failures.push((host, error));
        if !hints.contains(&hint) {
            hints.push(hint);
        }
    }
    if failures.is_empty() {
        return Ok(plans);
    }
    let names = text::list(failures.iter().map(|(host, _)| host));
    let mut stop = Stop::on_hosts(
        Outcome::NotReady,
        format!("{names} cannot be set up; nothing was changed on any host"),
        &failures,
    );
    stop.rows = rows;
    Err(stop.hint(hints.join("\n")))
}

async fn look_at(reached: &Reached) -> Result<HostPlan, Failure> {
    let through_sudo = reached.host.ssh.r#become;
    let how = if through_sudo { "sudo" } else { "" };
    // As the login account: it is what the account may do that is asked.
    let command = RemoteCommand::script(include_str!("look.sh"), [how]);
    let asked = Timestamp::now();
    let answer = reached.session.run(&command, QUICK).await;
    let answered = Timestamp::now();
    let output = answer.map_err(|source| {
        Failure::Host(HostError::Session {
            command: "look at the host".to_owned(),
            source,
        })
    })?;
    if output.status != 0 {
        return Err(Failure::Host(failed(short(&command), &output)));
    }
    let found = Found::parse(&output.stdout);
    let steps = steps(&found, through_sudo).map_err(Failure::Obstacle)?;
    Ok(HostPlan {
        host: reached.name().clone(),
        skew: clock::skew(&found, asked, answered),
        found,
        steps,
    })
}
