//! From a line to what may stand at its cursor. clap's engine knows the commands and options; what an argument names
//! is looked up by its [`Kind`].

use std::{
    ffi::{OsStr, OsString},
    path::Path,
    sync::{Arc, OnceLock},
};

use clap::{Arg, ArgAction, Command, ValueHint};
use clap_complete::engine::{self, ArgValueCompleter, CompletionCandidate};

use super::{
    line::Line,
    project::{Candidate, LineProject},
};
use crate::{commands::arguments::Kind, text};

/// The longest text beside a candidate, in characters: it has to fit a line with it.
const LONGEST_ABOUT: usize = 80;

/// What may stand at the cursor, a line for each: the word, and after a tab what is known of it, if anything is. A last
/// line `:files` or `:folders` says that paths may stand there, which the shell knows best.
///
/// `words` are those behind the program's name, the last one up to the cursor.
pub fn complete(program: &Command, words: &[OsString], here: &Path) -> String {
    let mut words = words.to_vec();
    let Some(current) = words.pop() else {
        return String::new();
    };
    let mut built = program.clone();
    built.build();
    let line = Line::read(&built, &mut words);
    let paths = Arc::new(OnceLock::new());
    let attach = Attach {
        project: Arc::new(LineProject::of(line, here)),
        paths: Arc::clone(&paths),
    };
    let mut program = attach.to(program.clone());
    let cursor = words.len() + 1;
    let all = [vec!["shipit".into()], words, vec![current.clone()]].concat();
    let found = engine::complete(&mut program, all, cursor, None).unwrap_or_default();
    let mut found: Vec<_> = found.iter().filter_map(shown).collect();
    let is_option = |it: &Candidate| it.value.starts_with('-');
    let has_others = paths.get().is_some() || found.iter().any(|it| !is_option(it));
    if current.is_empty() && has_others {
        // Whoever wants an option types its dash.
        found.retain(|it| !is_option(it));
    }
    let lines = found
        .iter()
        .map(|Candidate { value, about }| match &**about {
            "" => format!("{value}\n"),
            about => format!("{value}\t{about}\n"),
        });
    let paths = paths.get().map(|paths| format!("{paths}\n"));
    lines.chain(paths).collect()
}

/// What is one word to every shell as it stands.
fn is_plain(character: char) -> bool {
    character.is_ascii_alphanumeric() || "-_.,:=/@+%".contains(character)
}

/// A candidate as a line of text can have it. What would act on a terminal or on a shell is none: it may come from a
/// file that nobody has checked.
fn shown(candidate: &CompletionCandidate) -> Option<Candidate> {
    let value = candidate.get_value().to_str()?;
    if value.is_empty() || !value.chars().all(is_plain) {
        return None;
    }
    let about = candidate.get_help().map(ToString::to_string);
    let about = about.unwrap_or_default();
    let about = text::visible(about.lines().next().unwrap_or_default()).replace('\t', " ");
    let about = match about.char_indices().nth(LONGEST_ABOUT) {
        Some((end, _)) => format!("{}…", about[..end].trim_end()),
        None => about,
    };
    let value = value.to_owned();
    Some(Candidate { value, about })
}

/// Gives arguments their completions.
struct Attach {
    project: Arc<LineProject>,
    /// The last line that says that paths may stand at the cursor.
    paths: Arc<OnceLock<&'static str>>,
}

impl Attach {
    fn to(&self, command: Command) -> Command {
        let kinds = command.get_positionals().filter_map(|it| it.get().copied());
        let behind: Option<Kind> = kinds.skip_while(|it| *it != Kind::Environment).nth(1);
        command
            .mut_args(|argument| self.to_argument(argument, behind))
            .mut_subcommands(|command| self.to(command))
    }

    /// `behind` is what comes behind the command's environment, and may stand in its place: `shipit deploy web`.
    fn to_argument(&self, argument: Arg, behind: Option<Kind>) -> Arg {
        if let Some(kind) = argument.get::<Kind>().copied() {
            let first = kind == Kind::Environment;
            let behind = behind.filter(|_| first && !argument.is_required_set());
            let kinds: Vec<_> = [Some(kind), behind].into_iter().flatten().collect();
            // A single one may stand in the environment's place, and then none follows.
            let is_single = argument.is_positional()
                && !first
                && !matches!(argument.get_action(), ArgAction::Append);
            let project = Arc::clone(&self.project);
            return argument.add(ArgValueCompleter::new(move |current: &OsStr| {
                if is_single && project.words() > 0 && !project.names_environment() {
                    return Vec::new();
                }
                let all = kinds.iter().flat_map(|kind| project.candidates(*kind));
                matching(all, current)
            }));
        }
        let paths = match argument.get_value_hint() {
            ValueHint::FilePath | ValueHint::AnyPath => ":files",
            ValueHint::DirPath => ":folders",
            _ => return argument,
        };
        let asked = Arc::clone(&self.paths);
        argument.add(ArgValueCompleter::new(move |_: &OsStr| {
            let _ = asked.set(paths);
            Vec::new()
        }))
    }
}

/// The candidates that begin with what stands at the cursor.
fn matching(
    candidates: impl Iterator<Item = Candidate>,
    current: &OsStr,
) -> Vec<CompletionCandidate> {
    let current = current.to_string_lossy();
    candidates
        .filter(|candidate| candidate.value.starts_with(&*current))
        .enumerate()
        .map(|(index, Candidate { value, about })| {
            CompletionCandidate::new(value)
                .help((!about.is_empty()).then(|| about.into()))
                .display_order(Some(index))
        })
        .collect()
}
