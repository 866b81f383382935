//! The end of a run: the table of hosts, what the probe saw, how it ended, and why it failed.

use std::time::Duration;

use crate::{
    event::{ErrorReport, Evidence, HostRow, Outcome, ProbeSummary, Severity},
    report::text::{Paint, Painter, clean, clean_lines, columns, count, counted, pad, took},
};

/// With more rows than this, the table has only those that are not good, and a number for the rest.
const ROWS_SHOWN: usize = 30;

/// What is known of a run at its end.
#[derive(Debug, Default)]
pub(in crate::report) struct Run {
    /// `deploy`.
    pub(in crate::report) command: String,
    /// `staging`.
    pub(in crate::report) environment: String,
    /// `r42`.
    pub(in crate::report) release: Option<String>,
    /// `r44 = r42 again`.
    pub(in crate::report) description: String,
    /// How many hosts it may touch.
    pub(in crate::report) hosts: usize,
    /// The rows of the table.
    pub(in crate::report) rows: Vec<HostRow>,
    /// What each recipe's probe saw, in the order of the recipes.
    pub(in crate::report) probes: Vec<(String, ProbeSummary)>,
}

impl Run {
    /// Keeps what a recipe's probe saw last.
    pub(in crate::report) fn keep_probe(&mut self, recipe: &str, summary: &ProbeSummary) {
        match self.probes.iter_mut().find(|(of, _)| of == recipe) {
            Some((_, kept)) => *kept = summary.clone(),
            None => self.probes.push((recipe.to_owned(), summary.clone())),
        }
    }

    /// Whether the lines that user commands print are what was asked for.
    pub(in crate::report) fn is_about_output(&self) -> bool {
        matches!(&*self.command, "exec" | "run" | "logs")
    }

    /// Whether the table of hosts is what was asked for.
    pub(in crate::report) fn is_about_hosts(&self) -> bool {
        self.command == "status"
    }

    /// Whether the plan is what was asked for.
    pub(in crate::report) fn is_about_plan(&self) -> bool {
        self.command == "plan"
    }

    /// `deployed r42 to staging in 12.3s`; nothing where the output itself is the result.
    pub(in crate::report) fn result(&self, outcome: Outcome, took: Duration) -> Option<String> {
        let took = crate::report::text::took(took);
        let environment = clean(&self.environment);
        if outcome == Outcome::NothingToDo {
            return Some(match &*self.command {
                // What was asked for has been shown, or a note says that there is none.
                "status" | "history" | "logs" | "unlock" => return None,
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
            ("down", _) => format!("took {environment} down in {took}"),
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
    pub(in crate::report) fn probe_lines(&self, painter: Painter) -> Vec<String> {
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

    /// The table of hosts, one line a row. `complete` shows all of a long one.
    pub(in crate::report) fn table(&self, painter: Painter, complete: bool) -> Vec<String> {
        let brief = !complete && self.rows.len() > ROWS_SHOWN;
        let shown = |row: &&HostRow| !brief || row.severity != Severity::Good;
        let rows: Vec<_> = self.rows.iter().filter(shown).collect();
        let cells: Vec<_> = rows.iter().map(|row| cells_of(row)).collect();
        let mut widths = [0; CELLS];
        for cells in &cells {
            for (width, cell) in widths.iter_mut().zip(cells) {
                *width = columns(cell).max(*width);
            }
        }
        let mut lines: Vec<_> = rows
            .iter()
            .zip(&cells)
            .map(|(row, cells)| row_line(row.severity, cells, widths, painter))
            .collect();
        let hidden = self.rows.len() - rows.len();
        if hidden > 0 {
            let line = match rows.len() {
                0 => format!("all {} are good", counted(hidden, "row")),
                _ => format!("{} are good", counted(hidden, "other row")),
            };
            lines.push(painter.paint(Paint::Faint, line));
        }
        lines
    }

    /// The error as a block: fact, causes, evidence, the table of hosts, a blank line, the hint.
    pub(in crate::report) fn error_lines(
        &self,
        error: &ErrorReport,
        painter: Painter,
        complete: bool,
    ) -> Vec<String> {
        let ErrorReport {
            message,
            causes,
            evidence,
            hint,
        } = error;
        let mut lines = Vec::new();
        push_titled(&mut lines, "", "error:", Paint::Bad, message, painter);
        for cause in causes {
            push_titled(&mut lines, "  ", "caused by:", Paint::Bad, cause, painter);
        }
        for Evidence {
            title,
            lines: shown,
        } in evidence
        {
            lines.push(String::new());
            lines.push(format!("  {}:", clean(title)));
            lines.extend(evidence_lines(shown, painter).map(|line| format!("    {line}")));
        }
        let table = self.table(painter, complete);
        if !table.is_empty() {
            lines.push(String::new());
            lines.extend(table.into_iter().map(|line| format!("  {line}")));
        }
        if let Some(hint) = hint {
            lines.push(String::new());
            push_titled(&mut lines, "", "hint:", Paint::Progress, hint, painter);
        }
        lines
    }
}

/// What is shown when a run did not end well and nothing says why.
pub(in crate::report) fn error_of(outcome: Outcome, after: Duration) -> Option<ErrorReport> {
    let what = match outcome {
        Outcome::Done | Outcome::NothingToDo => return None,
        Outcome::Failed => "failed",
        Outcome::Usage => "the command line or the files are wrong",
        Outcome::NotReady => "not every host is ready; nothing was changed",
        Outcome::Locked => "someone else holds the lock; nothing was changed",
        Outcome::Reverted => "failed, and every host was returned to what it had",
        Outcome::Interrupted => "interrupted",
    };
    Some(ErrorReport {
        message: format!("{what} (after {})", took(after)),
        ..ErrorReport::default()
    })
}

/// Lines of evidence, each behind a bar.
pub(in crate::report) fn evidence_lines(
    lines: &[String],
    painter: Painter,
) -> impl Iterator<Item = String> {
    let bar = painter.paint(Paint::Faint, "|");
    lines
        .iter()
        .flat_map(|line| clean_lines(line))
        .map(move |line| format!("{bar} {line}"))
}

/// A title and a text whose further lines stand below its first.
pub(in crate::report) fn push_titled(
    lines: &mut Vec<String>,
    indent: &str,
    title: &str,
    paint: Paint,
    text: &str,
    painter: Painter,
) {
    let below = " ".repeat(columns(title));
    let title = painter.paint(paint, title);
    let mut texts = clean_lines(text);
    let first = texts.next().unwrap_or_default();
    lines.push(format!("{indent}{title} {first}"));
    lines.extend(texts.map(|line| format!("{indent}{below} {line}")));
}

const CELLS: usize = 5;

fn cells_of(row: &HostRow) -> [String; CELLS] {
    let HostRow {
        host,
        recipe,
        release,
        state,
        detail,
        severity: _,
    } = row;
    let cell = |text: &Option<String>| text.as_deref().map(clean).unwrap_or_default();
    // A host without a release still has a place in its column.
    let release = release.as_deref().map_or_else(|| "–".to_owned(), clean);
    [
        clean(host),
        cell(recipe),
        release,
        clean(state),
        cell(detail),
    ]
}

fn row_line(
    severity: Severity,
    cells: &[String; CELLS],
    widths: [usize; CELLS],
    painter: Painter,
) -> String {
    let [_, _, _, state, detail] = cells;
    let mut line = String::new();
    for (cell, width) in cells.iter().zip(widths).take(3) {
        if width > 0 {
            line.push_str(&pad(cell, width));
            line.push_str("  ");
        }
    }
    let paint = match severity {
        Severity::Good => Paint::Good,
        Severity::Notable => Paint::Notable,
        Severity::Bad => Paint::Bad,
    };
    let padded = if detail.is_empty() {
        state.clone()
    } else {
        pad(state, widths[3]) + "  "
    };
    line + &painter.paint(paint, padded) + detail
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
