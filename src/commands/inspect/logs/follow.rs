//! Following logs: on when a container is replaced or its host was away.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use futures::{FutureExt, StreamExt, future::LocalBoxFuture, stream::FuturesUnordered};
use jiff::Timestamp;

use super::{
    line::{Logged, Shown},
    select::OnHost,
};
use crate::{
    docker::{self, LogRange},
    event::{EventKind, OutputStream},
    hosts::{HostError, Reached, each_line},
    model::Name,
    run::Context,
    text,
    transport::Deadline,
};

/// How often a host is asked whether other containers run.
const EVERY: Duration = Duration::from_secs(2);

/// Following has no end of its own; a day is more than anyone looks.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How many containers of a host are followed at once. A connection has room for a few commands only, and one of them
/// asks what runs.
const MOST: usize = 7;

/// What is followed on one host.
pub struct Following<'a> {
    pub context: &'a Context<'a>,
    pub reached: &'a Reached,
    /// The recipes; their newest containers are followed as they come.
    pub recipes: Vec<Name>,
    /// The containers to begin with.
    pub first: Vec<OnHost<'a>>,
    /// Where to begin in their logs.
    pub range: LogRange,
    pub shown: &'a Shown,
    /// Whether it ends with those containers.
    pub only_first: bool,
}

/// How far a container's log was shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Progress {
    /// The time of its last line.
    last: Option<Timestamp>,
    is_open: bool,
    /// Docker cannot show it.
    is_unreadable: bool,
}

type Stream<'f> = LocalBoxFuture<'f, (OnHost<'f>, Result<(u32, Vec<String>), HostError>)>;

impl<'a> Following<'a> {
    /// Shows new lines as they come, for as long as it is awaited; or until the containers have ended, if only those
    /// are wanted.
    pub async fn follow(&self) {
        let known = Mutex::new(BTreeMap::<String, Progress>::new());
        let mut open = FuturesUnordered::<Stream<'_>>::new();
        for container in &self.first {
            self.open(container.clone(), &self.range, &known, &mut open);
        }
        let mut is_away = false;
        loop {
            tokio::select! {
                ended = open.next(), if !open.is_empty() => {
                    if let Some((container, result)) = ended {
                        self.ended(&container, &result, &known);
                    }
                }
                () = tokio::time::sleep(EVERY) => {}
            }
            if self.only_first {
                if open.is_empty() {
                    return;
                }
                continue;
            }
            match self.running().await {
                Ok(running) => {
                    self.tell(&mut is_away, None);
                    for container in running {
                        if let Some(range) = self.to_open(&container, &known, open.len()) {
                            self.open(container, &range, &known, &mut open);
                        }
                    }
                }
                Err(error) => self.tell(&mut is_away, Some(&error)),
            }
        }
    }

    /// The containers of the recipes that run now.
    pub(super) async fn running(&self) -> Result<Vec<OnHost<'a>>, HostError> {
        let environment = &self.context.environment.name;
        let command = docker::list_containers(environment);
        let all = self.reached.read(command, docker::parse_containers).await?;
        let of_recipes = all.into_iter().filter(|container| {
            let identity = container.identity();
            let is_wanted = |recipe: &str| self.recipes.iter().any(|wanted| &**wanted == recipe);
            container.state.running && identity.is_some_and(|it| is_wanted(&it.recipe))
        });
        Ok(of_recipes
            .map(|container| OnHost {
                reached: self.reached,
                id: container.id,
                name: container.name,
            })
            .collect())
    }

    /// What is to be shown of a container that runs and is not followed. One that is new is shown from its beginning,
    /// one that came back from where it was left.
    fn to_open(
        &self,
        container: &OnHost<'_>,
        known: &Mutex<BTreeMap<String, Progress>>,
        open: usize,
    ) -> Option<LogRange> {
        let known = known.lock().unwrap_or_else(PoisonError::into_inner);
        let progress = known.get(&container.id).copied().unwrap_or_default();
        if progress.is_open || progress.is_unreadable || open >= MOST {
            return None;
        }
        let range = self.range.clone();
        Some(match progress.last {
            // It was followed, and had no line yet.
            None if known.contains_key(&container.id) => range,
            last => LogRange {
                tail: None,
                since: last.map(|last| last.to_string()),
                ..range
            },
        })
    }

    fn open<'f>(
        &'f self,
        container: OnHost<'f>,
        range: &LogRange,
        known: &'f Mutex<BTreeMap<String, Progress>>,
        open: &mut FuturesUnordered<Stream<'f>>,
    ) {
        if open.len() >= MOST {
            let message = format!(
                "`{}` is not followed: {MOST} containers of the host are followed already",
                container.name
            );
            self.warn(message);
            return;
        }
        let shown_before = {
            let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
            let progress = known.entry(container.id.clone()).or_default();
            progress.is_open = true;
            progress.last
        };
        let command = docker::container_logs(&container.name, range);
        let following = async move {
            // Docker shows the lines of the time that it is asked for once more; what it says itself has no time.
            let on_line = |stream: OutputStream, line: &str| {
                let at = Logged::parse(line).at;
                let is_new = at.is_none() || at > shown_before;
                keep_last(at, &container.id, known);
                let shown = is_new.then(|| self.shown.line(line)).flatten();
                let sent = shown.map(|line| {
                    let host = self.reached.name().to_string();
                    let name = Some(container.name.clone());
                    self.context.events.output_of(host, name, stream, line)
                });
                async move {
                    if let Some(sent) = sent {
                        sent.await;
                    }
                }
            };
            let result = each_line(self.reached, command, Deadline::Total(DAY), on_line).await;
            (container, result)
        };
        open.push(following.boxed_local());
    }

    /// Keeps that a container is no longer followed.
    fn ended(
        &self,
        container: &OnHost<'_>,
        result: &Result<(u32, Vec<String>), HostError>,
        known: &Mutex<BTreeMap<String, Progress>>,
    ) {
        let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
        let progress = known.entry(container.id.clone()).or_default();
        progress.is_open = false;
        match result {
            Ok((0, _)) => {}
            Ok((status, last)) => {
                progress.is_unreadable = true;
                let said = last
                    .last()
                    .map_or_else(String::new, |line| format!(": {line}"));
                let name = &container.name;
                self.warn(format!(
                    "cannot follow `{name}`: docker ended with {status}{said}"
                ));
            }
            Err(error) if self.only_first => {
                let why = text::chain(error).join(": ");
                self.warn(format!("lost the logs of `{}`: {why}", container.name));
            }
            // Whether the host is away is found out by the next question.
            Err(_) => {}
        }
    }

    /// Says once that the host is away, and once that it is back.
    fn tell(&self, is_away: &mut bool, error: Option<&HostError>) {
        let host = self.reached.name();
        match (*is_away, error) {
            (false, Some(error)) => {
                let why = text::chain(error).join(": ");
                self.warn(format!("its logs go on when it answers again: {why}"));
            }
            (true, None) => {
                let message = format!("{host} answers again");
                self.context.events.send(EventKind::Note { message });
            }
            _ => {}
        }
        *is_away = error.is_some();
    }

    fn warn(&self, message: String) {
        self.context.events.send(EventKind::Warning {
            host: Some(self.reached.name().to_string()),
            message,
            hint: None,
        });
    }
}

/// Keeps the time of the last line. Lines of the two streams may come a little out of order.
fn keep_last(at: Option<Timestamp>, id: &str, known: &Mutex<BTreeMap<String, Progress>>) {
    let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
    let progress = known.entry(id.to_owned()).or_default();
    progress.last = progress.last.max(at);
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::{
        event::Receiver,
        hosts::testing::{Act, TestFleet, out, prints},
        run::Interrupts,
    };

    /// A container of `web` that runs, as docker shows it.
    fn running(id: &str, name: &str) -> String {
        serde_json::json!([{
            "Id": id, "Name": name, "Image": "sha256:aa",
            "State": { "Status": "running", "Running": true },
            "Config": { "Labels": {
                "shipit.environment": "staging", "shipit.recipe": "web", "shipit.release": "1",
                "shipit.instance": "1", "shipit.spec": "ab",
            } },
            "HostConfig": {},
        }])
        .to_string()
    }

    /// The lines that come, until there are so many.
    async fn lines(told: &mut Receiver, most: usize) -> Vec<String> {
        let mut lines = Vec::new();
        while lines.len() < most {
            let event = told.next().await.expect("it goes on").event;
            if let EventKind::Output {
                container, line, ..
            } = event.kind
            {
                lines.push(format!("{} {line}", container.expect("a container")));
            }
        }
        lines
    }

    /// What is shown of containers that behave as `script` says, when `first` is followed.
    async fn followed(
        script: impl Fn(&str) -> Vec<Act> + Send + Sync + 'static,
        most: usize,
    ) -> Vec<String> {
        let lab = TestFleet::of_one(script).await;
        let TestFleet {
            environment,
            connector,
            fleet,
            events,
            mut told,
            project,
            ..
        } = lab;
        let interrupts = Interrupts::listen().expect("signals can be listened to");
        let context = Context::of_alice(
            &environment,
            project.path(),
            &connector,
            &events,
            &interrupts,
        );
        let reached = &fleet.hosts()[0];
        let following = Following {
            context: &context,
            reached,
            recipes: vec!["web".parse().expect("a name")],
            first: vec![OnHost {
                reached,
                id: "c1".into(),
                name: "web-r1".into(),
            }],
            range: LogRange {
                tail: Some(1),
                timestamps: true,
                follow: true,
                ..LogRange::default()
            },
            shown: &Shown::default(),
            only_first: false,
        };
        tokio::select! {
            () = following.follow() => panic!("it does not end"),
            lines = lines(&mut told, most) => lines,
        }
    }

    #[tokio::test]
    async fn the_container_that_takes_its_place_is_followed_from_its_beginning() {
        let script = |command: &str| match command {
            _ if command.contains("docker ps") => prints(&running("c2", "/web-r2")),
            _ if command.ends_with(" web-r1") => prints("2026-01-01T00:00:01Z the last word\n"),
            _ if command.ends_with(" web-r2") && !command.contains("--tail") => {
                vec![out("2026-01-01T00:00:02Z hello\n"), Act::Stall]
            }
            other => panic!("{other}"),
        };
        let lines = followed(script, 2).await;
        assert_eq!(lines, ["web-r1 the last word", "web-r2 hello"]);
    }

    #[tokio::test]
    async fn after_a_lost_connection_it_goes_on_where_it_broke_off() {
        let asked = AtomicUsize::new(0);
        let script = move |command: &str| match command {
            _ if command.contains("docker ps") => prints(&running("c1", "/web-r1")),
            _ if asked.fetch_add(1, Ordering::SeqCst) == 0 => vec![
                out("2026-01-01T00:00:01Z one\n2026-01-01T00:00:02Z two\n"),
                Act::Disconnect("cut"),
            ],
            _ => {
                assert!(
                    command.contains("--since 2026-01-01T00:00:02Z web-r1"),
                    "{command}"
                );
                let again = "2026-01-01T00:00:02Z two\n2026-01-01T00:00:03Z three\n";
                vec![out(again), Act::Stall]
            }
        };
        let lines = followed(script, 3).await;
        assert_eq!(lines, ["web-r1 one", "web-r1 two", "web-r1 three"]);
    }
}
