//! Records without the right signature: nothing is rolled back beside them.

use crate::{
    event::Outcome,
    hosts::{Run, Stop},
    model::{Environment, HostName},
    plan::Scope,
    release::History,
    text,
};

/// Ends a rollback where a host of its scope has records without the right signature: they may say what nobody of
/// the team wrote, and which release is the previous one is not known without them.
pub fn refuse_unsigned(environment: &Environment, scope: &Scope, history: &History) -> Run<()> {
    let unsigned = history.unsigned().iter();
    let unsigned: Vec<_> = unsigned.filter(|it| scope.has_host(&it.on)).collect();
    if unsigned.is_empty() {
        return Ok(());
    }
    let mut hosts: Vec<&HostName> = unsigned.iter().map(|it| &it.on).collect();
    hosts.dedup();
    let message = format!(
        "release records on {} have not the right signature; nothing was changed",
        text::list(hosts)
    );
    let mut stop = Stop::new(Outcome::NotReady, message).hint(format!(
        "if your team wrote them: shipit state sign {}; else look at who did, and remove the volumes",
        environment.name
    ));
    let causes = unsigned
        .iter()
        .map(|it| format!("`{}`: volume `{}`: {}", it.on, it.volume, it.why));
    stop.report.causes = causes.collect();
    Err(stop)
}
