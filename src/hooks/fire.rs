//! Which hooks run, and what comes of it.

use std::sync::OnceLock;

use jiff::Timestamp;

use super::{
    input::{HookInput, HookRecipe},
    process,
};
use crate::{
    config::key::Written as _,
    event::{EventKind, Outcome},
    hosts::{Run, Stop},
    model::{Hook, HookEvent},
    run::Context,
    text,
};

/// The hooks of one run, and what is known of its release.
pub struct Hooks<'a> {
    context: &'a Context<'a>,
    command: &'static str,
    /// Whether none runs: it is a dry run.
    silent: bool,
    started: Timestamp,
    release: OnceLock<(String, Vec<HookRecipe>)>,
}

impl<'a> Hooks<'a> {
    /// Those for a command that makes a release; a dry run has none.
    pub fn new(context: &'a Context<'a>, command: &'static str, is_dry_run: bool) -> Self {
        Self {
            context,
            command,
            silent: is_dry_run,
            started: Timestamp::now(),
            release: OnceLock::new(),
        }
    }

    /// Runs what is to run before a release begins.
    ///
    /// # Errors
    ///
    /// When one fails: then the release does not begin.
    pub async fn starting(&self, release: String, recipes: Vec<HookRecipe>) -> Run<()> {
        let _ = self.release.set((release, recipes));
        for hook in self.hooks(HookEvent::Started) {
            let input = self.input(HookEvent::Started, None);
            self.run(hook, HookEvent::Started, &input)
                .await
                .map_err(|why| {
                    let message = "a hook for `started` failed; nothing was changed";
                    let cause = format!("`{}` {why}", name(hook));
                    Stop::new(Outcome::Usage, message).cause(cause)
                })?;
        }
        Ok(())
    }

    /// Runs what is to run now that it has ended like this. One that fails is a warning.
    pub async fn ended(&self, result: &Run<Outcome>) {
        let Some(event) = event(result) else { return };
        for hook in self.hooks(event) {
            let input = self.input(event, Some(result));
            if let Err(why) = self.run(hook, event, &input).await {
                let on = word(event);
                self.context.events.send(EventKind::Warning {
                    host: None,
                    message: format!("a hook for `{on}`: `{}` {why}", name(hook)),
                    hint: None,
                });
            }
        }
    }

    fn hooks(&self, event: HookEvent) -> impl Iterator<Item = &Hook> {
        let hooks = self.context.environment.hooks.iter();
        hooks.filter(move |hook| !self.silent && hook.on.contains(&event))
    }

    async fn run(&self, hook: &Hook, event: HookEvent, input: &HookInput) -> Result<(), String> {
        let mut json = serde_json::to_vec(input).map_err(|error| error.to_string())?;
        json.push(b'\n');
        let events = self.context.events;
        let mut on_line = |line| {
            events.send(EventKind::HookOutput {
                on: word(event),
                line,
            });
        };
        // The interrupt that ended the release has been; another one is for the hook.
        let mut interrupts = self.context.interrupts.from_now();
        let root = self.context.root;
        tokio::select! {
            ended = process::run(&hook.run, root, &json, hook.timeout, &mut on_line) => ended,
            _ = interrupts.next() => Err("was interrupted".to_owned()),
        }
    }

    fn input(&self, on: HookEvent, ended: Option<&Run<Outcome>>) -> HookInput {
        let Context {
            environment,
            by,
            message,
            revision,
            masked,
            ..
        } = self.context;
        let (release, recipes) = self.release.get().cloned().unzip();
        let recipes = recipes.unwrap_or_default();
        let finished = ended.map(|_| Timestamp::now());
        let took = finished.map(|at| at.duration_since(self.started).as_millis());
        let report = ended.and_then(|ended| ended.as_ref().err());
        let report = report.map(|stop| &stop.report);
        let outcome = ended.map(|ended| match ended {
            Ok(outcome) => *outcome,
            Err(stop) => stop.outcome,
        });
        let input = HookInput {
            on,
            text: String::new(),
            environment: environment.name.to_string(),
            command: self.command.to_owned(),
            release,
            by: by.clone(),
            message: message.clone(),
            revision: revision.clone(),
            started: self.started,
            finished,
            took_ms: took.and_then(|took| u64::try_from(took).ok()),
            recipes,
            exit_code: outcome.map(Outcome::exit_code),
            error: report.map(|report| report.message.clone()),
            causes: report.map(|it| it.causes.clone()).unwrap_or_default(),
        };
        let text = in_words(&input);
        HookInput { text, ..input }.masked(masked)
    }
}

/// What a run that ended like this is to hooks.
fn event(result: &Run<Outcome>) -> Option<HookEvent> {
    let outcome = match result {
        Ok(outcome) => *outcome,
        Err(stop) => stop.outcome,
    };
    match outcome {
        Outcome::Done => Some(HookEvent::Succeeded),
        Outcome::Failed | Outcome::Usage | Outcome::NotReady => Some(HookEvent::Failed),
        Outcome::Reverted => Some(HookEvent::Reverted),
        Outcome::Interrupted => Some(HookEvent::Interrupted),
        Outcome::Locked => Some(HookEvent::Locked),
        Outcome::NothingToDo | Outcome::BrokenPipe | Outcome::Exited(_) => None,
    }
}

/// The word of the files.
fn word(event: HookEvent) -> String {
    let written = event.written();
    written.as_str().unwrap_or_default().to_owned()
}

/// A hook as messages name it: the first line of its script.
fn name(hook: &Hook) -> String {
    let line = hook.run.trim().lines().next().unwrap_or_default();
    text::cut(line, 80)
}

/// One line for people.
fn in_words(input: &HookInput) -> String {
    let HookInput {
        environment,
        command,
        by,
        ..
    } = input;
    let release = input
        .release
        .as_deref()
        .map_or_else(String::new, |it| format!(" {it}"));
    let what = format!("{command}{release} of {environment} by {by}");
    let changed = input.recipes.iter().map(|recipe| match &recipe.version {
        Some(version) => format!("{} {version}", recipe.name),
        None => recipe.name.clone(),
    });
    let changed = changed.collect::<Vec<_>>().join(", ");
    let took = input
        .took_ms
        .map(std::time::Duration::from_millis)
        .map(text::duration);
    let state = match input.on {
        HookEvent::Started => "begins".to_owned(),
        HookEvent::Succeeded => format!("succeeded after {}", took.unwrap_or_default()),
        HookEvent::Failed => "failed".to_owned(),
        HookEvent::Reverted => "failed and was reverted".to_owned(),
        HookEvent::Interrupted => "was interrupted".to_owned(),
        HookEvent::Locked => "did not begin".to_owned(),
    };
    let why = input.error.as_ref().map_or(changed, Clone::clone);
    if why.is_empty() {
        format!("{what} {state}")
    } else {
        format!("{what} {state}: {why}")
    }
}

#[cfg(test)]
mod tests;
