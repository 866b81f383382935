//! The checks that every host must pass before any of them is touched; one file a check.

mod daemon;
mod disk;
mod forwarding;
mod login_shell;
mod sessions;
mod unfit;

pub use self::{disk::free_space, unfit::Unfit};
use super::{
    error::HostError,
    fleet::Fleet,
    reached::{QUICK, Reached, SOON},
    stop::{Run, Stop, row},
};
use crate::{
    event::{EventKind, Events, Outcome, Phase, Severity},
    model::{Environment, HostName},
    text,
};

/// Checks every host. The error names all that failed.
pub async fn check(fleet: &Fleet, environment: &Environment, events: &Events) -> Run<()> {
    fit(fleet, environment, |_| true, events).await.map(drop)
}

/// Checks every host, and returns the fleet without those that failed and are not `needed`.
pub async fn fit(
    fleet: &Fleet,
    environment: &Environment,
    needed: impl Fn(&HostName) -> bool,
    events: &Events,
) -> Run<Fleet> {
    events.send(EventKind::Phase {
        phase: Phase::Preflight,
    });
    let results = fleet.each(|reached| check_host(reached, environment)).await;
    without_unfit(fleet, results, needed, UNCHANGED)
}

/// Checks every host that was just set up, and warns where sshd does not forward although nothing needs that yet.
pub async fn check_after_setup(
    fleet: &Fleet,
    environment: &Environment,
    events: &Events,
) -> Run<()> {
    events.send(EventKind::Phase {
        phase: Phase::Preflight,
    });
    let results = fleet.each(|reached| check_host(reached, environment)).await;
    without_unfit(fleet, results, |_| true, "")?;
    let forwards = fleet.each(|reached| forwarding::is_open(reached, forwarding::QUICK));
    for (reached, result) in forwards.await {
        if let Err(unfit) = result {
            let why = text::chain(&unfit.error).join(": ");
            events.send(EventKind::Warning {
                host: Some(reached.name().to_string()),
                message: format!("`[ready]`, Consul and `[probe]` cannot be asked there: {why}"),
                hint: Some(unfit.hint),
            });
        }
    }
    Ok(())
}

/// Checks no more than that every host's login shell takes commands, for those who run some and need nothing
/// else. The error names all that failed.
pub async fn takes_commands(fleet: &Fleet) -> Run<()> {
    let shells = fleet.each(|reached| login_shell::passes_words_on(reached, QUICK));
    without_unfit(fleet, shells.await, |_| true, UNCHANGED).map(drop)
}

/// The hosts whose login shells take no commands, for those who only look: what such a host answers is not to be
/// trusted, and keeps nobody from seeing the others.
pub async fn cannot_be_asked(fleet: &Fleet) -> Vec<(HostName, Unfit)> {
    let shells = fleet.each(|reached| login_shell::passes_words_on(reached, SOON));
    let shells = shells.await.into_iter();
    let unfit = shells.filter_map(|(reached, shell)| Some((reached.name().clone(), shell.err()?)));
    unfit.collect()
}

/// What an error says of the hosts when the checks come before everything else.
const UNCHANGED: &str = "; nothing was changed on any host";

/// The fleet without the hosts that failed, or the error that names them where one is `needed`.
fn without_unfit(
    fleet: &Fleet,
    results: Vec<(&Reached, Result<(), Unfit>)>,
    needed: impl Fn(&HostName) -> bool,
    so_far: &str,
) -> Run<Fleet> {
    let mut failures = Vec::<(HostName, HostError)>::new();
    let mut hints = Vec::new();
    let mut rows = Vec::new();
    for (reached, result) in results {
        match result {
            Ok(()) => rows.push(row(reached.name(), "ready", Severity::Good)),
            Err(unfit) => {
                rows.push(row(reached.name(), "not ready", Severity::Bad));
                failures.push((reached.name().clone(), unfit.error));
                if !hints.contains(&unfit.hint) {
                    hints.push(unfit.hint);
                }
            }
        }
    }
    if !failures.iter().any(|(host, _)| needed(host)) {
        return Ok(fleet.without(|host| failures.iter().any(|(unfit, _)| unfit == host)));
    }
    let names = text::list(failures.iter().map(|(host, _)| host));
    let verb = if failures.len() == 1 { "is" } else { "are" };
    let mut stop = Stop::on_hosts(
        Outcome::NotReady,
        format!("{names} {verb} not ready{so_far}"),
        &failures,
    );
    stop.rows = rows;
    Err(stop.hint(hints.join("\n")))
}

/// Runs the checks on one host in this order, up to the first that fails.
async fn check_host(reached: &Reached, environment: &Environment) -> Result<(), Unfit> {
    login_shell::passes_words_on(reached, QUICK).await?;
    sessions::two_at_once(reached).await?;
    let info = daemon::info(reached, &environment.name).await?;
    disk::has_room(reached, &info).await?;
    forwarding::is_allowed(reached, environment, forwarding::QUICK).await
}
