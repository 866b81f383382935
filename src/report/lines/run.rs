//! What is known of a run, and the sentences it ends with: the result, and what the probes saw.

use std::time::Duration;

use crate::{
    event::{HostRow, Outcome, ProbeSummary},
    report::text::{Paint, Painter, clean, count, counted, precise_seconds},
};

/// What is known of a run.
#[derive(Debug, Default)]
pub(crate) struct Run {
    /// `deploy`.
    pub(crate) command: String,
    /// `staging`.
    pub(crate) environment: String,
    /// `r42`.
    pub(crate) release: Option<String>,
    /// `r44 = r42 again`.
    pub(crate) description: String,
    /// How many hosts it may touch.
    pub(crate) hosts: usize,
    /// The rows of the table.
    pub(crate) rows: Vec<HostRow>,
    /// What each recipe's probe saw, in the order of the recipes.
    pub(crate) probes: Vec<(String, ProbeSummary)>,
}

impl Run {
    /// Keeps what a recipe's probe saw last.
    pub(crate) fn keep_probe(&mut self, recipe: &str, summary: &ProbeSummary) {
        match self.probes.iter_mut().find(|(of, _)| of == recipe) {
            Some((_, kept)) => *kept = summary.clone(),
            None => self.probes.push((recipe.to_owned(), summary.clone())),
        }
    }

    /// Whether the lines that user commands print are what was asked for.
    pub(crate) fn is_about_output(&self) -> bool {
        matches!(&*self.command, "exec" | "run" | "logs")
    }

    /// Whether the table of hosts is what was asked for.
    pub(crate) fn is_about_hosts(&self) -> bool {
        self.command == "status"
    }

    /// Whether the plan is what was asked for.
    pub(crate) fn is_about_plan(&self) -> bool {
        self.command == "plan"
    }

    /// `deployed r42 to staging in 12.3s`; nothing where the output itself is the result.
    pub(crate) fn result(&self, outcome: Outcome, took: Duration) -> Option<String> {
        let took = precise_seconds(took);
        let environment = clean(&self.environment);
        if matches!(outcome, Outcome::BrokenPipe | Outcome::Exited(_)) {
            return None;
        }
        if outcome == Outcome::NothingToDo {
            return Some(match &*self.command {
                // What was asked for has been shown, or a note says that there is none.
                "status" | "history" | "show" | "diff" | "logs" | "unlock" => return None,
                "check" => {
                    let hosts = counted(self.hosts, "host");
                    format!("{environment} is as it should be on {hosts} ({took})")
                }
                "deploy" | "plan" => format!("nothing to do: {environment} is up to date ({took})"),
                _ => format!("nothing to do in {environment} ({took})"),
            });
        }
        let release = self.release.as_deref().map(clean);
        Some(match (&*self.command, release) {
            ("deploy", Some(release)) => format!("deployed {release} to {environment} in {took}"),
            ("deploy", None) => format!("deployed to {environment} in {took}"),
            ("rollback", Some(release)) if self.description.is_empty() => {
                format!("rolled {environment} back as {release} in {took}")
            }
            ("rollback", Some(_)) => {
                let description = clean(&self.description);
                format!("rolled {environment} back in {took}: {description}")
            }
            ("rollback", None) => format!("rolled {environment} back in {took}"),
            ("prune", _) => format!("pruned {environment} in {took}"),
            ("restart" | "stop" | "start", Some(release)) => {
                let description = clean(&self.description);
                format!("{description} in {environment} took {took} ({release})")
            }
            ("down", _) => format!("took {environment} down in {took}"),
            ("setup", _) => {
                let hosts = counted(self.hosts, "host");
                format!("set up {hosts} of {environment} in {took}")
            }
            ("lock", _) => format!("locked {environment}"),
            ("unlock", _) => format!("unlocked {environment}"),
            ("exec" | "run", _) => {
                format!(
                    "ran on {} of {environment} in {took}",
                    counted(self.hosts, "host")
                )
            }
            ("check", _) => format!("checked {} in {took}", counted(self.hosts, "host")),
            _ => return None,
        })
    }

    /// One line a probe: `1,240 requests during the rollout, 0 failed, slowest 84 ms (p99 31 ms)`.
    pub(crate) fn probe_lines(&self, painter: Painter) -> Vec<String> {
        let several = self.probes.len() > 1;
        let line = |(recipe, summary): &(String, ProbeSummary)| {
            let ProbeSummary {
                requests,
                failed,
                slowest,
                p99,
                first_failure,
            } = summary;
            let paint = if *failed == 0 {
                Paint::Good
            } else {
                Paint::Bad
            };
            let failed = painter.paint(paint, format!("{} failed", count(*failed)));
            let recipe = if several {
                format!("{}: ", clean(recipe))
            } else {
                String::new()
            };
            let why = first_failure
                .as_deref()
                .map_or_else(String::new, |why| format!("; the first: {}", clean(why)));
            format!(
                "{recipe}{} {} during the rollout, {failed}, slowest {} ms (p99 {} ms){why}",
                count(*requests),
                if *requests == 1 {
                    "request"
                } else {
                    "requests"
                },
                count(milliseconds(*slowest)),
                count(milliseconds(*p99)),
            )
        };
        self.probes.iter().map(line).collect()
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
