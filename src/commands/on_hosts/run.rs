//! Runs a command that contacts hosts: files, reporters, the command's body, the end.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::task::JoinHandle;

use super::{
    environment::environment_of, invocation::Invocation, log_file::LogFile,
    standard_output::StandardOutput,
};
use crate::{
    commands::{command::HostCommand, global::Global},
    consul::Access,
    diagnostic::{Problem, Problems},
    event::{EventKind, Events, Outcome},
    hosts::{Run, Stop},
    model::{self, Environment, Name, PreviewName, Project},
    report::{self, Choice, Masks},
    run::{Context, Interrupts},
    secrets,
    terminal::{self, Terminal},
    transport::Connector,
};

/// What events and the log call a run that changes nothing.
const DRY_RUN: &str = "plan";

/// Runs a command on the hosts of its environment. An error is one of the files or of this machine; what
/// goes wrong on hosts is shown by the reporters and is in the outcome.
pub fn run<C: HostCommand>(
    global: &Global,
    mut command: C,
    preview: Option<&PreviewName>,
) -> Result<Outcome, Problems> {
    let project = global.project()?;
    let name = environment_of(&project, &mut command, preview)?;
    let loaded = model::load(&project, &name, &command.overrides())?;
    global.show_problems(&loaded.warnings);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Problem::error(format!("cannot start: {error}")))?;
    let outcome = runtime.block_on(report_run(global, command, &project, &loaded.environment))?;
    // A question that nobody answers any more must not keep the process.
    runtime.shutdown_background();
    Ok(outcome)
}

/// Runs the command and shows everything that happens.
async fn report_run<C: HostCommand>(
    global: &Global,
    command: C,
    project: &Project,
    environment: &Environment,
) -> Result<Outcome, Problems> {
    let word = if command.is_dry_run() {
        DRY_RUN
    } else {
        C::NAME
    };
    let (events, receiver) = Events::channel();
    let masks = Masks::default();
    let interrupts = Interrupts::listen()
        .map_err(|error| Problem::error(format!("cannot listen to signals: {error}")))?;
    let output = StandardOutput::new(command.ends_with_reader());
    let on_error = {
        let (output, interrupts) = (output.clone(), interrupts.clone());
        move |error| output.fail(error, &interrupts)
    };
    let log = command
        .keeps_log()
        .then(|| open_log(&events, &project.root, &environment.name, word));
    let log = log.flatten();
    let choice = if command.redraws() {
        global.choice().without_progress()
    } else {
        global.choice()
    };
    let choice = Choice {
        spares_stdout: command.hands_output_over(),
        ..choice
    };
    let reporter = report::for_terminal(choice, on_error);
    let log_reporter = log.clone().map(report::log_file);
    let showing = tokio::spawn(report::drive(
        receiver,
        reporter,
        log_reporter,
        masks.clone(),
    ));

    let began = Instant::now();
    let terminal = Terminal::new(events.clone(), global.can_ask());
    let connector = Connector::new(Arc::new(terminal.clone()));
    let context = Context {
        environment,
        root: &project.root,
        connector: &connector,
        consul: Access::without_token(&environment.consul),
        events: &events,
        interrupts: &interrupts,
        mask: &|secret| masks.add(secret),
        masked: &|text| masks.mask(text).into_owned(),
        log: &|release| {
            if let Some(log) = &log {
                log.name_after(release);
            }
        },
        lock_wait: command.lock_wait(),
        by: terminal::who(),
        message: command.message().map(str::to_owned),
        revision: terminal::git_revision(&project.root),
    };
    let invocation = Invocation { context, terminal };
    secrets::mask_at_hand(
        environment,
        &project.root,
        invocation.context.mask,
        &connector,
    )
    .await;
    let result = Box::pin(perform(command, &invocation, word)).await;
    let outcome = finish(&events, result, &output, began.elapsed());
    Ok(show_rest(global, showing, &output, &interrupts, outcome).await)
}

/// Waits until everything was shown, however long the reader takes; only the user may break that off. Returns how
/// the run ended.
async fn show_rest(
    global: &Global,
    showing: JoinHandle<()>,
    output: &StandardOutput,
    interrupts: &Interrupts,
    outcome: Outcome,
) -> Outcome {
    let is_known = output.report().is_some();
    output.end_run();
    let mut interrupts = interrupts.from_now();
    tokio::select! {
        _ = showing => {}
        _ = interrupts.next() => return output.broken_off(outcome),
    }
    if let Some(error) = output.report().filter(|_| !is_known) {
        global.show_problems(&Problem::error(error.message).into());
    }
    output.outcome(outcome)
}

/// The file that this run is logged in. A run that cannot be logged goes on, with a warning.
fn open_log(events: &Events, root: &Path, environment: &Name, word: &str) -> Option<LogFile> {
    match LogFile::create(root, environment, word) {
        Ok(log) => Some(log),
        Err(error) => {
            events.send(EventKind::Warning {
                host: None,
                message: format!("this run keeps no log: {error}"),
                hint: None,
            });
            None
        }
    }
}

/// The command itself, from its first event on.
async fn perform<C: HostCommand>(
    command: C,
    invocation: &Invocation<'_>,
    word: &str,
) -> Run<Outcome> {
    let scope = command.scope(invocation)?;
    let Context {
        environment,
        events,
        ..
    } = invocation.context;
    let hosts = environment.hosts.iter().map(|host| &host.name);
    events.send(EventKind::Started {
        command: word.to_owned(),
        environment: environment.name.to_string(),
        hosts: hosts
            .filter(|host| scope.has_host(host))
            .map(ToString::to_string)
            .collect(),
    });
    command.run(invocation, scope).await
}

/// Sends how it ended.
fn finish(
    events: &Events,
    result: Run<Outcome>,
    output: &StandardOutput,
    took: Duration,
) -> Outcome {
    let (outcome, error) = match result {
        _ if output.ended_run() => (output.outcome(Outcome::Interrupted), output.report()),
        Ok(outcome) => (outcome, None),
        Err(stop) => {
            let Stop {
                outcome,
                report,
                rows,
            } = *stop;
            for row in rows {
                events.send(EventKind::HostState { row });
            }
            (outcome, Some(report))
        }
    };
    events.send(EventKind::Finished {
        outcome,
        took,
        error,
    });
    outcome
}
