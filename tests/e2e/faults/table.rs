//! The table of the faults.

use std::{fmt::Write as _, time::Duration};

use serde::{Deserialize, Serialize};

/// A row: one fault, laid once.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Row {
    pub fault: String,
    /// From the fault to the first word about it.
    pub noticed: Option<Duration>,
    pub requests: u64,
    pub lost: u64,
    /// Whether this fault may lose requests.
    pub may_lose: bool,
    /// `None` when a signal ended it.
    pub code: Option<i32>,
    /// How many rows the deploy said something with.
    pub said: usize,
    /// What was said and is not so.
    pub wrong: Vec<String>,
    /// How long the lock kept the next deploy out.
    pub locked: Option<Duration>,
    /// What is wrong with the next deploy.
    pub next: Vec<String>,
}

impl Row {
    /// As the table has it.
    pub fn line(&self) -> String {
        let noticed = self
            .noticed
            .map_or_else(|| "–".to_owned(), |at| format!("{:.1} s", at.as_secs_f64()));
        let lost = match (self.lost, self.may_lose) {
            (0, _) => "0".to_owned(),
            (lost, true) => format!("{lost} (allowed)"),
            (lost, false) => format!("{lost} (NOT allowed)"),
        };
        let code = self
            .code
            .map_or_else(|| "killed".to_owned(), |code| code.to_string());
        let so = match (self.wrong.len(), self.said) {
            (0, 0) => "no host row".to_owned(),
            (0, _) => "was so".to_owned(),
            (wrong, _) => format!("NOT so ({wrong})"),
        };
        let next = match (self.next.is_empty(), self.locked) {
            (false, _) => "FAILED".to_owned(),
            (true, None) => "converged".to_owned(),
            (true, Some(locked)) => format!("converged, locked for {} s", locked.as_secs()),
        };
        format!(
            "{:<58}{noticed:>13}{lost:>19}{code:>10}  {so:<17}{next}",
            self.fault
        )
    }

    /// What this row fails for.
    pub fn failures(&self) -> Vec<String> {
        let mut all = self.wrong.clone();
        all.extend(
            self.next
                .iter()
                .map(|wrong| format!("next deploy: {wrong}")),
        );
        if self.lost > 0 && !self.may_lose {
            all.push(format!("{} of {} requests lost", self.lost, self.requests));
        }
        all.iter()
            .map(|one| format!("{}: {one}", self.fault))
            .collect()
    }
}

/// The rows so far.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Faults {
    rows: Vec<Row>,
}

impl Faults {
    pub fn add(&mut self, row: Row) {
        self.rows.push(row);
    }

    pub fn extend(&mut self, other: Self) {
        self.rows.extend(other.rows);
    }

    /// The table; empty without rows.
    pub fn show(&self) -> String {
        let mut text = String::new();
        if self.rows.is_empty() {
            return text;
        }
        let _ = writeln!(
            text,
            "{:<58}{:>13}{:>19}{:>10}  {:<17}next deploy",
            "fault", "noticed after", "lost", "exit code", "what was said"
        );
        for row in &self.rows {
            let _ = writeln!(text, "{}", row.line());
            for failure in row.wrong.iter().chain(&row.next) {
                let _ = writeln!(text, "    {failure}");
            }
        }
        text
    }
}
