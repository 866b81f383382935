//! A console in a container of its own.

use super::{attach::attach, choose::Chosen, watch::Watch};
use crate::{
    commands::on_hosts::invocation::Invocation,
    docker::{self, OneOff, PinnedImage},
    event::{EventKind, Outcome},
    hosts::{HostError, QUICK, Run, Stop},
    secrets::Secrets,
    tasks, text,
};

/// Makes a container of the image that runs, with what today's files give it, and attaches to it. It is removed
/// afterwards.
pub async fn console(
    invocation: &Invocation<'_>,
    Chosen { reached, container }: &Chosen,
    words: &[String],
    has_terminal: bool,
) -> Run<Outcome> {
    let context = &invocation.context;
    let host = reached.name();
    let identity = container.identity();
    let on = identity.as_ref().and_then(|identity| {
        let recipe = context.environment.recipe(&identity.recipe)?;
        recipe.by_host.get(host)
    });
    let (Some(identity), Some(on)) = (&identity, on) else {
        return Err(Stop::not_ready("what runs is not in the files"));
    };
    let Some(spec) = &on.container else {
        return Err(Stop::not_ready("what runs is not in the files"));
    };
    let secrets = Secrets::new(context.root, context.mask, Some(context.connector));
    let secrets = secrets.warning(context.events).of(&on.secrets).await?;
    // By its id: that image is there, whatever became of its name.
    let image = PinnedImage {
        reference: container.image_id.clone(),
        digest: container.image_id.clone(),
        id: None,
    };
    let one_off = OneOff {
        environment: &identity.environment,
        preview_of: identity.preview_of.as_deref(),
        recipe: &identity.recipe,
        release: identity.release,
        spec,
        image: &image,
        secrets: &secrets,
    };
    let cannot = |error| {
        let message = format!("cannot make a container on `{host}`");
        Stop::on_host(Outcome::Failed, message, host, &error)
    };
    let suffix = tasks::random_suffix().map_err(HostError::Fact);
    let name = one_off.name(&suffix.map_err(cannot)?);
    // Before there is a container that could be left.
    let watch = Watch::begin(reached, &name).await.map_err(cannot)?;
    let create = one_off.create(&name, words, has_terminal);
    let may_be_left = |error: &HostError| {
        context.events.send(EventKind::Warning {
            host: Some(host.to_string()),
            message: format!("`{name}` may be left: {}", text::chain(error).join(": ")),
            hint: Some(crate::command::typed(
                "docker rm --force --volumes",
                [&name],
            )),
        });
    };
    if let Err(error) = reached.expect(create, QUICK).await {
        // Without an answer docker may make it yet, after everybody has looked for it.
        if !matches!(error, HostError::Status { .. }) {
            may_be_left(&error);
        }
        return Err(cannot(error));
    }
    let what = format!("`{name}` (new) on `{host}`");
    let command = Some(docker::attach(&name));
    let ended = attach(invocation, reached, &what, command, has_terminal).await;
    drop(watch);
    if let Err(error) = tasks::remove_now(reached, &name).await {
        may_be_left(&error);
    }
    ended
}
