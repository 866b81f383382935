//! The files, read for one host.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use glob::{MatchOptions, glob_with};

use super::{
    condition::{Conditions, Lookup, State, both},
    line::{split_keyword, split_words},
    values::{ConfigProblem, HostConfig, Keyword, Value},
};
use crate::transport::openssh::paths::Paths;

/// Includes within includes at most, as in OpenSSH.
const DEEPEST: usize = 16;

/// A configuration file to read.
#[derive(Debug, Clone)]
pub(in crate::transport) struct ConfigFile {
    pub(in crate::transport) path: PathBuf,
    /// Where its relative includes are.
    pub(in crate::transport) folder: PathBuf,
    /// Whether it is an error when it is not there.
    pub(in crate::transport) required: bool,
}

/// Evaluates the files, in order, for one host.
pub(in crate::transport) fn evaluate(
    files: &[ConfigFile],
    lookup: Lookup<'_>,
    paths: &Paths,
) -> Result<HostConfig, ConfigProblem> {
    let mut evaluation = Evaluation {
        lookup,
        paths,
        config: HostConfig::default(),
    };
    for file in files {
        evaluation.file(file, &State::Applies, 0)?;
    }
    Ok(evaluation.config)
}

struct Evaluation<'a> {
    lookup: Lookup<'a>,
    paths: &'a Paths,
    config: HostConfig,
}

impl Evaluation<'_> {
    fn file(
        &mut self,
        file: &ConfigFile,
        around: &State,
        depth: usize,
    ) -> Result<(), ConfigProblem> {
        let problem = |line, reason: String| ConfigProblem {
            file: file.path.clone(),
            line,
            reason,
        };
        if depth > DEEPEST {
            return Err(problem(
                0,
                "files include each other in a circle".to_owned(),
            ));
        }
        let text = read(file).map_err(|error| problem(0, error.to_string()))?;
        let mut state = around.clone();
        for (index, line) in text.lines().enumerate() {
            let line_number = index + 1;
            let Some((name, rest)) = split_keyword(line) else {
                continue;
            };
            let name = name.to_ascii_lowercase();
            let keyword = Keyword::from_name(&name);
            if keyword.is_none() && !["host", "match", "include"].contains(&name.as_str()) {
                continue;
            }
            let words = split_words(rest)
                .ok_or_else(|| problem(line_number, "unbalanced quotes".into()))?;
            if words.is_empty() {
                return Err(problem(line_number, format!("`{name}` has no value")));
            }
            match (name.as_str(), keyword) {
                ("host", _) => state = both(around, self.conditions().host_line(&words)),
                ("match", _) => state = both(around, self.conditions().match_line(&words)),
                ("include", _) => {
                    for pattern in &words {
                        for path in self.included(pattern, file) {
                            let included = ConfigFile {
                                path,
                                folder: file.folder.clone(),
                                required: false,
                            };
                            self.file(&included, &state, depth + 1)?;
                        }
                    }
                }
                (_, Some(keyword)) => {
                    let condition = match &state {
                        State::DoesNot => continue,
                        State::Applies => None,
                        State::Perhaps(condition) => Some(condition.clone()),
                    };
                    let value = Value {
                        keyword: name,
                        words,
                        file: file.path.clone(),
                        line: line_number,
                        condition,
                    };
                    self.config.add(keyword, value);
                }
                (_, None) => {}
            }
        }
        Ok(())
    }

    fn conditions(&self) -> Conditions<'_> {
        Conditions {
            lookup: self.lookup,
            local_user: &self.paths.user,
            config: &self.config,
        }
    }

    /// The files an `Include` names, in order, as glob(3) finds them; a pattern that matches none is no
    /// error.
    fn included(&self, pattern: &str, by: &ConfigFile) -> Vec<PathBuf> {
        let pattern = self.paths.expand(Path::new(pattern));
        let pattern = by.folder.join(pattern);
        let Some(pattern) = pattern.to_str() else {
            return Vec::new();
        };
        // To glob(3) `**` is no more than `*`.
        let mut pattern = pattern.to_owned();
        while pattern.contains("**") {
            pattern = pattern.replace("**", "*");
        }
        let options = MatchOptions {
            case_sensitive: true,
            require_literal_separator: true,
            require_literal_leading_dot: true,
        };
        glob_with(&pattern, options)
            .map(|found| found.filter_map(Result::ok).collect())
            .unwrap_or_default()
    }
}

/// The text of a file. One that need not be there is empty when it is not; OpenSSH reads a folder as an
/// empty file, too.
fn read(file: &ConfigFile) -> io::Result<String> {
    match fs::read(&file.path) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) if !file.required && (is_absent(&error) || is_folder(&error)) => {
            Ok(String::new())
        }
        Err(error) => Err(error),
    }
}

fn is_absent(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
}

fn is_folder(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::IsADirectory
}
