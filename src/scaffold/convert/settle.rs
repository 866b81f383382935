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
    let mut before = Problems::new();
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
            return Err(cause(problems, &before));
        }
        before = problems;
    }
    check(draft, beside)
}

/// What cannot be mended may only be missed because the line with it was refused: then that is what is wrong.
fn cause(problems: Problems, before: &Problems) -> Problems {
    let file = |problem: &Problem| problem.place().map(|place| place.file.name().to_owned());
    let files: Vec<_> = problems.iter().filter_map(file).collect();
    let mut causes = Problems::new();
    for problem in before.iter().filter(|problem| problem.is_error()) {
        if file(problem).is_some_and(|file| files.contains(&file)) {
            causes.push(problem.clone());
        }
    }
    if causes.is_empty() { problems } else { causes }
}

/// What is wrong with files that are not written, told about `read`, which they were made from. Whoever looks for them
/// finds none.
pub fn unwritten(problems: &Problems, draft: &Draft, read: &str) -> Problems {
    let files = draft.files();
    let mut told = Problems::new();
    for problem in problems {
        let place = problem.place();
        let place = place.filter(|place| files.iter().any(|it| it.path == place.file.name()));
        told.push(match place {
            None => problem.clone(),
            Some(place) => {
                let line = place.file.text().lines().nth(line(place));
                // A header says nothing of what was read.
                let line = line.filter(|line| line.contains(" = "));
                let at = line.map_or("in".to_owned(), |line| format!("at `{}` of", line.trim()));
                let (file, fact) = (place.file.name(), problem.message());
                let fact = format!(
                    "{read} cannot become a project: {fact}, {at} `{file}`, which is not written"
                );
                Problem::error(fact).maybe_hint(problem.advice().map(str::to_owned))
            }
        });
    }
    told
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
