//! The key of `[state]`, with which release records are signed.

use crate::{
    event::{EventKind, Outcome},
    hosts::{Run, Stop},
    model::Environment,
    release::RecordKey,
    run::Context,
    secrets::Secrets,
};

/// Reads the key of an environment; `None` where its files name none.
pub async fn read_key(environment: &Environment, secrets: &Secrets<'_>) -> Run<Option<RecordKey>> {
    let Some(source) = &environment.state_key else {
        return Ok(None);
    };
    let value = secrets.value("state.key", source).await?;
    let key = RecordKey::new(value).map_err(|why| {
        Stop::new(Outcome::Usage, "the key of `[state]` is not used")
            .cause(why)
            .hint("`shipit state key` makes one")
    })?;
    Ok(Some(key))
}

/// The key of a run that needs no other secret.
pub async fn key_of(context: &Context<'_>) -> Run<Option<RecordKey>> {
    let secrets = Secrets::new(context.root, context.mask, Some(context.connector));
    read_key(context.environment, &secrets).await
}

/// The key for those who only look. Where it cannot be read, they see the records all the same, and are told that
/// nobody has checked them.
pub async fn key_to_look(context: &Context<'_>) -> Option<RecordKey> {
    match key_of(context).await {
        Ok(key) => key,
        Err(stop) => {
            let why = stop.report.chain();
            context.events.send(EventKind::Warning {
                host: None,
                message: format!("the signatures of records are not checked: {why}"),
                hint: stop.report.hint,
            });
            None
        }
    }
}
