//! What shipit would refuse of a converted project becomes a comment that says why.

use std::path::Path;

use crate::{
    diagnostic::{Place, Problem, Problems},
    scaffold::{check::check, project::Draft},
};

/// The most rounds: a mistake may hide others.
const ROUNDS: usize = 20;

/// Loads the project, and turns each line that is refused into a comment.
///
/// # Errors
///
/// What no comment mends.
pub fn settle(draft: &mut Draft, beside: &Path) -> Result<(), Problems> {
    for _ in 0..ROUNDS {
        let Err(problems) = check(draft, beside) else {
            return Ok(());
        };
        let mut found = Vec::new();
        for problem in problems.iter().filter(|problem| problem.is_error()) {
            if let Some(place) = problem.place() {
                found.push((line(place), place.file.name(), problem));
            }
        }
        // From the end of each file to its top: a comment may have more lines than what it stands for.
        found.sort_by_key(|(line, ..)| std::cmp::Reverse(*line));
        found.dedup_by_key(|(line, file, _)| (*line, *file));
        let mut refused = false;
        for (line, file, problem) in found {
            refused |= refuse(draft, file, line, problem);
        }
        if !refused {
            return Err(problems);
        }
    }
    check(draft, beside)
}

fn refuse(draft: &mut Draft, file: &str, line: usize, problem: &Problem) -> bool {
    let Some(document) = draft.document(file) else {
        return false;
    };
    let why = match problem.advice() {
        Some(hint) => format!("{}; {hint}", problem.message()),
        None => problem.message().to_owned(),
    };
    document.refuse(line, &why)
}

fn line(place: &Place) -> usize {
    let before = &place.file.text()[..place.span.start];
    before.matches('\n').count()
}
