//! The commands that contact hosts: files, reporters, execution, end.

use std::{sync::Arc, time::Instant};

use super::{
    Result, choice,
    cli::{Command, Global, OutputForm},
    environment_name,
    log_file::LogFile,
    look,
    operate::{self, Confirm, DownRequest, ExecRequest, LogsRequest},
    overrides, problem, project,
};
use crate::{
    deploy::{self, DeployRequest, Goal},
    event::{EventKind, Events, Outcome},
    hosts::{Run, Stop},
    model::{self, Environment, Name, Project},
    plan::Scope,
    release::Number,
    report::{self, Masks},
    rollout::driver::Promotion,
    run::{self, Context, Interrupts},
    terminal::{self, Terminal},
    transport::Connector,
};

/// Runs a command that contacts hosts.
pub fn run(global: &Global, command: Command) -> Result<Outcome> {
    let project = project(global)?;
    let named = environment_of(&command);
    let name = environment_name(&project, named)?;
    let loaded = model::load(&project, &name, &overrides(set_of(&command)))?;
    terminal::show_problems(&loaded.warnings, look(global));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| problem(format!("cannot start: {error}")))?;
    let outcome = runtime.block_on(report_run(global, command, &project, &loaded.environment))?;
    // A question that nobody answers any more must not keep the process.
    runtime.shutdown_background();
    Ok(outcome)
}

/// Runs the command and shows everything that happens.
async fn report_run(
    global: &Global,
    command: Command,
    project: &Project,
    environment: &Environment,
) -> Result<Outcome> {
    let (events, receiver) = Events::channel();
    let masks = Masks::default();
    let interrupts = Interrupts::listen()
        .map_err(|error| problem(format!("cannot listen to signals: {error}")))?;
    // A deploy goes on when nobody reads of it any more; what follows logs has no other purpose.
    let only_shows = matches!(&command, Command::Logs(logs) if logs.follow);
    let ended = interrupts.clone();
    let reader_gone = move || {
        if only_shows {
            ended.raise();
        }
    };
    let mut reporters = vec![report::for_terminal(choice(global), reader_gone)];
    let word = word_of(&command);
    let log = keeps_log(word).then(|| LogFile::create(&project.root, &environment.name, word));
    let log = match log.transpose() {
        Ok(log) => log,
        Err(error) => {
            let message = format!("this run keeps no log: {error}");
            events.send(EventKind::Warning {
                host: None,
                message,
                hint: None,
            });
            None
        }
    };
    reporters.extend(log.clone().map(report::log_file));
    let showing = tokio::spawn(report::drive(receiver, reporters, masks.clone()));

    let began = Instant::now();
    // With `--output json` a question would be an event among others, in a file that nobody looks at.
    let can_ask = global.output != OutputForm::Json && terminal::is_interactive();
    let person = Terminal::new(events.clone(), can_ask);
    let connector = Connector::new(Arc::new(person.clone()));
    let context = Context {
        environment,
        root: &project.root,
        connector: &connector,
        events: &events,
        interrupts: &interrupts,
        mask: &|secret| masks.add(secret),
        log: &|release| {
            if let Some(log) = &log {
                log.name_after(release);
            }
        },
        by: terminal::who(),
        revision: terminal::git_revision(&project.root),
    };
    let result = Box::pin(perform(&context, command, word, &person)).await;
    let (outcome, error) = match result {
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
        took: began.elapsed(),
        error,
    });
    drop(context);
    drop(connector);
    drop(person);
    drop(events);
    // Something that still holds a sender (a question on the terminal) must not keep the end from showing.
    let _ = tokio::time::timeout(std::time::Duration::from_secs(2), showing).await;
    Ok(outcome)
}

#[expect(clippy::too_many_lines, reason = "one arm a command")]
async fn perform(
    context: &Context<'_>,
    command: Command,
    word: &str,
    person: &Terminal,
) -> Run<Outcome> {
    let environment = context.environment;
    let scope = |recipes: &[Name], limit: &[String]| {
        let recipes: Vec<_> = recipes.iter().map(ToString::to_string).collect();
        Ok::<_, Box<Stop>>(Scope {
            recipes: run::recipes(environment, &recipes)?,
            hosts: run::limit(environment, limit)?,
        })
    };
    let start = |hosts: &[model::HostName]| {
        let all = environment.hosts.iter().map(|host| &host.name);
        context.events.send(EventKind::Started {
            command: word.to_owned(),
            environment: environment.name.to_string(),
            hosts: all
                .filter(|host| hosts.is_empty() || hosts.contains(host))
                .map(ToString::to_string)
                .collect(),
        });
    };
    match command {
        Command::Deploy(arguments) => {
            let scope = scope(&arguments.recipes, &arguments.selection.limit)?;
            start(&scope.hosts);
            let promotion = promotion(arguments.promote, person);
            let request = DeployRequest {
                scope,
                goal: Goal::Files,
                dry_run: arguments.dry_run,
                promotion,
            };
            deploy::deploy(context, request).await
        }
        Command::Plan(arguments) => {
            let scope = scope(&arguments.recipes, &arguments.selection.limit)?;
            start(&scope.hosts);
            let request = DeployRequest {
                scope,
                goal: Goal::Files,
                dry_run: true,
                promotion: Promotion::Nobody,
            };
            deploy::deploy(context, request).await
        }
        Command::Rollback(arguments) => {
            let scope = scope(&[], &arguments.limit)?;
            start(&scope.hosts);
            let goal = Goal::Release(arguments.to.map(Number));
            // What is rolled back to has been promoted before.
            let request = DeployRequest {
                scope,
                goal,
                dry_run: arguments.dry_run,
                promotion: Promotion::Granted,
            };
            deploy::deploy(context, request).await
        }
        Command::Run(arguments) => {
            let scope = scope(
                std::slice::from_ref(&arguments.recipe),
                &arguments.selection.limit,
            )?;
            start(&scope.hosts);
            operate::run_task(context, &arguments.recipe, scope.hosts).await
        }
        Command::Status(_) => {
            start(&[]);
            context
                .interruptible("nothing was changed", operate::status(context))
                .await
        }
        Command::History(arguments) => {
            start(&[]);
            context
                .interruptible(
                    "nothing was changed",
                    operate::history(context, arguments.number),
                )
                .await
        }
        Command::Logs(arguments) => {
            let limit: Vec<_> = arguments.host.into_iter().collect();
            let scope = scope(std::slice::from_ref(&arguments.recipe), &limit)?;
            start(&scope.hosts);
            let request = LogsRequest {
                recipe: arguments.recipe,
                release: arguments.release.map(Number),
                hosts: scope.hosts,
                lines: u32::try_from(arguments.lines).unwrap_or(u32::MAX),
                follow: arguments.follow,
            };
            operate::logs(context, request).await
        }
        Command::Exec(arguments) => {
            let scope = scope(&[], &arguments.hosts)?;
            start(&scope.hosts);
            let request = ExecRequest {
                hosts: scope.hosts,
                words: arguments.command,
                timeout: arguments.timeout,
            };
            operate::exec(context, request).await
        }
        Command::Lock(arguments) => {
            start(&[environment.lock_host().name.clone()]);
            context
                .interruptible(
                    "nothing was changed",
                    operate::lock(context, arguments.message),
                )
                .await
        }
        Command::Unlock(_) => {
            start(&[environment.lock_host().name.clone()]);
            context
                .interruptible("nothing was changed", operate::unlock(context))
                .await
        }
        Command::Down(arguments) => {
            if !arguments.yes && !person.can_ask() {
                let message = "nobody can be asked here whether everything may be removed";
                return Err(Stop::new(Outcome::Usage, message).hint("give `--yes` if it may"));
            }
            start(&[]);
            let request = DownRequest {
                confirm: confirmation(arguments.yes, person),
            };
            operate::down(context, request).await
        }
        Command::Check(arguments) => {
            start(&[]);
            context
                .interruptible(
                    "run it again to see what is left",
                    operate::check(context, arguments.fix),
                )
                .await
        }
        // They contact no host and were done before.
        Command::Validate(_) | Command::Schema(_) | Command::Completions(_) | Command::Man(_) => {
            Ok(Outcome::NothingToDo)
        }
    }
}

fn promotion(granted: bool, person: &Terminal) -> Promotion {
    if granted {
        return Promotion::Granted;
    }
    if !person.can_ask() {
        return Promotion::Nobody;
    }
    let person = person.clone();
    Promotion::Ask(Arc::new(move |question| person.confirm(&question)))
}

fn confirmation(yes: bool, person: &Terminal) -> Confirm {
    let person = person.clone();
    Box::new(move |question| Ok(yes || person.confirm(question)))
}

/// The command as typed, for events and logs.
fn word_of(command: &Command) -> &'static str {
    match command {
        Command::Deploy(arguments) if arguments.dry_run => "plan",
        Command::Rollback(arguments) if arguments.dry_run => "plan",
        Command::Deploy(_) => "deploy",
        Command::Plan(_) => "plan",
        Command::Rollback(_) => "rollback",
        Command::Run(_) => "run",
        Command::Status(_) => "status",
        Command::History(_) => "history",
        Command::Logs(_) => "logs",
        Command::Exec(_) => "exec",
        Command::Lock(_) => "lock",
        Command::Unlock(_) => "unlock",
        Command::Down(_) => "down",
        Command::Check(_) => "check",
        Command::Validate(_) => "validate",
        Command::Schema(_) => "schema",
        Command::Completions(_) => "completions",
        Command::Man(_) => "man",
    }
}

/// What changes hosts is logged.
fn keeps_log(word: &str) -> bool {
    matches!(word, "deploy" | "rollback" | "run" | "down")
}

fn environment_of(command: &Command) -> Option<Name> {
    match command {
        Command::Deploy(arguments) => arguments.environment.environment.clone(),
        Command::Plan(arguments) => arguments.environment.environment.clone(),
        Command::Rollback(arguments) => arguments.environment.environment.clone(),
        Command::Run(arguments) => arguments.environment.environment.clone(),
        Command::Status(arguments) => arguments.environment.environment.clone(),
        Command::History(arguments) => arguments.environment.environment.clone(),
        Command::Logs(arguments) => arguments.environment.environment.clone(),
        Command::Exec(arguments) => arguments.environment.environment.clone(),
        Command::Lock(arguments) => arguments.environment.environment.clone(),
        Command::Unlock(arguments) => arguments.environment.environment.clone(),
        Command::Down(arguments) => Some(arguments.environment.clone()),
        Command::Check(arguments) => arguments.environment.environment.clone(),
        Command::Validate(arguments) => arguments.environment.clone(),
        Command::Schema(_) | Command::Completions(_) | Command::Man(_) => None,
    }
}

fn set_of(command: &Command) -> &[(String, String)] {
    match command {
        Command::Deploy(arguments) => &arguments.selection.set,
        Command::Plan(arguments) => &arguments.selection.set,
        Command::Run(arguments) => &arguments.selection.set,
        _ => &[],
    }
}
