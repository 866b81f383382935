//! Who would be left without what they share: previews need their base.

use jiff::Timestamp;

use crate::{
    commands::inspect::previews::read::read,
    event::Outcome,
    hosts::{Fleet, Run, Stop},
    release::Terms,
    run::Context,
    text,
};

/// Refuses to remove an environment that has previews.
pub async fn refuse_while_there_are_previews(context: &Context<'_>, fleet: &Fleet) -> Run<()> {
    let environment = context.environment;
    if environment.previews.is_none() || environment.preview.is_some() {
        return Ok(());
    }
    let (found, failures) = read(fleet, context, Terms::default(), Timestamp::now()).await;
    if !failures.is_empty() {
        let names = text::list(failures.iter().map(|(host, _)| host));
        let message = format!("cannot read the previews on {names}; nothing was removed");
        return Err(Stop::on_hosts(Outcome::NotReady, message, &failures));
    }
    if found.is_empty() {
        return Ok(());
    }
    let names = text::list(found.iter().map(|it| &it.row.preview));
    let message = format!(
        "`{}` is needed by its previews {names}; nothing was removed",
        environment.name
    );
    let lines = found
        .iter()
        .map(|it| format!("shipit down {}", it.environment.name));
    Err(Stop::not_ready(message).hint(lines.collect::<Vec<_>>().join("\n")))
}
