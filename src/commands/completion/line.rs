//! The words before the cursor.

use std::{ffi::OsString, path::PathBuf};

use clap::{Arg, Command};

/// What the words before the cursor say, as far as completions need it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Line {
    /// The value of `-C`.
    pub directory: Option<PathBuf>,
    /// The words that are no commands, no options and no values of options.
    pub positionals: Vec<String>,
}

impl Line {
    /// Reads the words behind the program's name. `program` was built. Options are given the names that the help has.
    pub fn read(program: &Command, words: &mut [OsString]) -> Self {
        let mut line = Self::default();
        let mut command = program;
        // The option whose value is the next word.
        let mut open: Option<&Arg> = None;
        for word in words {
            let text = word.to_string_lossy().into_owned();
            if let Some(option) = open.take() {
                line.value(option, &text);
            } else if text == "--" {
                // What follows is a command for hosts.
                break;
            } else if let Some(long) = text.strip_prefix("--") {
                let (name, value) = match long.split_once('=') {
                    Some((name, value)) => (name, Some(value)),
                    None => (long, None),
                };
                let Some(option) = by_name(command, name) else {
                    continue;
                };
                let main = option.get_long().unwrap_or(name);
                let rest = &long[name.len()..];
                *word = format!("--{main}{rest}").into();
                match value {
                    Some(value) => line.value(option, value),
                    None => open = takes_value(option).then_some(option),
                }
            } else if let Some(shorts) = text.strip_prefix('-').filter(|it| !it.is_empty()) {
                open = line.shorts(command, shorts);
            } else if let Some(below) = command.find_subcommand(&text) {
                command = below;
            } else {
                line.positionals.push(text);
            }
        }
        line
    }

    /// Reads `-qC DIR` and `-CDIR`. Returns the option whose value is the next word.
    fn shorts<'a>(&mut self, command: &'a Command, shorts: &str) -> Option<&'a Arg> {
        for (at, short) in shorts.char_indices() {
            let mut options = command.get_arguments();
            let option = options.find(|it| it.get_short() == Some(short))?;
            if takes_value(option) {
                let value = &shorts[at + short.len_utf8()..];
                if value.is_empty() {
                    return Some(option);
                }
                self.value(option, value.strip_prefix('=').unwrap_or(value));
                return None;
            }
        }
        None
    }

    fn value(&mut self, option: &Arg, value: &str) {
        if option.get_long() == Some("directory") {
            // The shell has not expanded it, as it would for the command itself.
            let home = value.strip_prefix("~/").and_then(|below| {
                let home = std::env::home_dir()?;
                Some(home.join(below))
            });
            self.directory = Some(home.unwrap_or_else(|| value.into()));
        }
    }
}

fn by_name<'a>(command: &'a Command, name: &str) -> Option<&'a Arg> {
    command.get_arguments().find(|option| {
        let other_names = option.get_all_aliases().unwrap_or_default();
        option.get_long() == Some(name) || other_names.contains(&name)
    })
}

fn takes_value(option: &Arg) -> bool {
    option.get_action().takes_values()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::parser;

    fn read(words: &str) -> (Line, String) {
        let mut program = parser();
        program.build();
        let mut words: Vec<OsString> = words.split_whitespace().map(OsString::from).collect();
        let line = Line::read(&program, &mut words);
        let words: Vec<_> = words.iter().map(|word| word.to_string_lossy()).collect();
        (line, words.join(" "))
    }

    #[test]
    fn commands_options_and_their_values_are_told_from_the_words_that_are_left() {
        for (typed, positionals) in [
            ("deploy staging web", "staging web"),
            (
                "deploy --limit host-1 staging -m why --dry-run web",
                "staging web",
            ),
            ("deploy --set=version=2 staging --output json", "staging"),
            ("-v logs -n5 staging -fn 5 web", "staging web"),
            ("secret show key", "key"),
            ("exec staging -- docker ps", "staging"),
            ("deploy --unknown staging", "staging"),
        ] {
            let (line, _) = read(typed);
            assert_eq!(line.positionals.join(" "), positionals, "{typed}");
        }
    }

    #[test]
    fn the_folder_is_found_however_it_is_written() {
        for typed in [
            "-C there deploy",
            "deploy -Cthere",
            "deploy -qC there",
            "--directory there plan",
            "plan --directory=there staging",
        ] {
            let (line, _) = read(typed);
            assert_eq!(line.directory, Some("there".into()), "{typed}");
        }
    }

    #[test]
    fn another_name_of_an_option_becomes_the_one_of_the_help() {
        let (_, words) = read("exec staging --limit a,b --limit=c");
        assert_eq!(words, "exec staging --hosts a,b --hosts=c");
    }
}
