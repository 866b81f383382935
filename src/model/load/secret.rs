//! Where the value of a secret comes from.

use super::read::Project;
use crate::{
    config::{inventory::SecretSection, values::Text},
    diagnostic::{Located, Place, Problem, Problems},
    model::{InvalidName, SecretSource},
};

/// Where a secret comes from; exactly one key says so. `text` fills in what its strings name.
pub(super) fn source(
    section: &SecretSection,
    place: &Place,
    project: &Project,
    problems: &mut Problems,
    text: impl FnOnce(&Located<Text>, &mut Problems) -> String,
) -> SecretSource {
    let SecretSection {
        env,
        file,
        command,
        sealed,
    } = section;
    match (env, file, command, sealed) {
        (Some(env), None, None, None) => {
            let name = text(env, problems);
            if !is_env_name(&name) {
                problems.push(wrong_env_name(&name).at(&env.place, "not a name"));
            }
            SecretSource::Env(name)
        }
        (None, Some(file), None, None) => {
            let text = text(file, problems);
            project.path_at(&text, file, problems);
            SecretSource::File(text.into())
        }
        (None, None, Some(command), None) => SecretSource::Command(text(command, problems)),
        (None, None, None, Some(sealed)) => {
            let before = problems.iter().count();
            let name = text(sealed, problems).parse();
            name.map_or_else(
                |error: InvalidName| {
                    // A template that cannot be filled in is one mistake, not two.
                    if problems.iter().count() == before {
                        let problem = Problem::error(error.to_string());
                        problems.push(problem.at(&sealed.place, "the name of `secrets/NAME.age`"));
                    }
                    SecretSource::Env(String::new())
                },
                SecretSource::Sealed,
            )
        }
        _ => {
            problems.push(
                Problem::error("a secret has exactly one source")
                    .at(place, "one of `env`, `file`, `command` and `sealed`")
                    .hint("for instance `{ env = \"DATABASE_URL\" }`"),
            );
            SecretSource::Env(String::new())
        }
    }
}

/// Whether a word can name an environment variable: docker's `--env-file` takes `NAME=VALUE` lines, and
/// `#` begins a comment.
pub(super) fn is_env_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with('#')
        && name
            .chars()
            .all(|c| c != '=' && !c.is_whitespace() && !c.is_control())
}

/// Whether a shell takes a word for the name of a variable.
pub(super) fn is_shell_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

pub(super) fn wrong_env_name(name: &str) -> Problem {
    Problem::error(format!(
        "{name:?} cannot be the name of an environment variable"
    ))
    .hint("a name has no spaces, no `=`, and does not begin with `#`")
}
