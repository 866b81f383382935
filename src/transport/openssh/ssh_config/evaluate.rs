//! The files, read for one host.

use std::{
    io,
    net::IpAddr,
    path::{Path, PathBuf},
};

use glob::{MatchOptions, glob_with};

use super::{
    condition::{Conditions, Lookup, Reading, State, both},
    criteria::Criterion,
    keyword::Keyword,
    line::{split_keyword, split_words},
    values::{ConfigProblem, HostConfig, Value},
};
use crate::{files, transport::openssh::paths::Paths};

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
        reading: Reading::First,
        wants_final_reading: false,
        config: HostConfig::default(),
    };
    evaluation.files(files)?;
    let host = evaluation.config.host_name(lookup.host)?;
    if is_canonicalized(&evaluation.config, &host)? || evaluation.wants_final_reading {
        evaluation.config.fix_host_name(host.clone());
        evaluation.reading = Reading::Final { host };
        evaluation.files(files)?;
    }
    Ok(evaluation.config)
}

/// Whether the host's name would be made canonical. Addresses are already; a name might become another one,
/// and with it the host key that must be known.
fn is_canonicalized(config: &HostConfig, host: &str) -> Result<bool, ConfigProblem> {
    let Some(value) = config.get(Keyword::CanonicalizeHostname)? else {
        return Ok(false);
    };
    if ["no", "false", "none"].contains(&&*value.first().to_ascii_lowercase()) {
        return Ok(false);
    }
    match host.parse::<IpAddr>() {
        Ok(_) => Ok(true),
        Err(_) => Err(value.problem("`CanonicalizeHostname` is not supported; `HostName` is")),
    }
}

struct Evaluation<'a> {
    lookup: Lookup<'a>,
    paths: &'a Paths,
    reading: Reading,
    wants_final_reading: bool,
    config: HostConfig,
}

/// One line with a keyword that has a meaning here.
struct Line<'a> {
    file: &'a ConfigFile,
    number: usize,
    /// The keyword in lowercase.
    name: String,
    words: Vec<String>,
    text: &'a str,
}

impl Line<'_> {
    fn problem(&self, reason: impl Into<String>) -> ConfigProblem {
        ConfigProblem {
            file: self.file.path.clone(),
            line: self.number,
            reason: reason.into(),
        }
    }
}

impl Evaluation<'_> {
    fn files(&mut self, files: &[ConfigFile]) -> Result<(), ConfigProblem> {
        files
            .iter()
            .try_for_each(|file| self.file(file, &State::Applies, 0))
    }

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
            return Err(problem(0, "files include each other in a cycle".to_owned()));
        }
        let text = read(file).map_err(|error| problem(0, error.to_string()))?;
        if text.starts_with('\u{feff}') {
            let reason = "the file begins with a byte order mark, which OpenSSH does not read";
            return Err(problem(1, reason.to_owned()));
        }
        let mut state = around.clone();
        for (index, text) in text.lines().enumerate() {
            let Some(line) = relevant(file, index + 1, text)? else {
                continue;
            };
            match line.name.as_str() {
                "host" => state = both(around, self.conditions().host_line(&line.words)),
                "match" => state = both(around, self.match_line(&line)?),
                "include" => self.include(&line, &state, depth)?,
                _ => self.setting(line, &state)?,
            }
        }
        Ok(())
    }

    fn match_line(&mut self, line: &Line<'_>) -> Result<State, ConfigProblem> {
        let criteria = Criterion::parse(&line.words).map_err(|reason| line.problem(reason))?;
        // Whether or not the line applies.
        self.wants_final_reading |= criteria.iter().any(Criterion::wants_final_reading);
        let words = line.words.join(" ");
        Ok(self.conditions().match_line(&criteria, &words))
    }

    fn include(
        &mut self,
        line: &Line<'_>,
        state: &State,
        depth: usize,
    ) -> Result<(), ConfigProblem> {
        for pattern in &line.words {
            // What OpenSSH makes of these depends on its version, and a file left out is not missed.
            if *state != State::DoesNot && (pattern.contains('%') || pattern.contains("${")) {
                let reason = "tokens and variables in `Include` are not supported";
                return Err(line.problem(reason));
            }
            for path in self.included(pattern, line.file) {
                let included = ConfigFile {
                    path,
                    folder: line.file.folder.clone(),
                    required: false,
                };
                self.file(&included, state, depth + 1)?;
            }
        }
        Ok(())
    }

    fn setting(&mut self, line: Line<'_>, state: &State) -> Result<(), ConfigProblem> {
        let Some(keyword) = Keyword::from_name(&line.name) else {
            return Ok(());
        };
        if keyword.takes_one_word() && line.words.len() > 1 {
            return Err(line.problem(format!("`{}` takes one value", line.name)));
        }
        let condition = match state {
            State::DoesNot => return Ok(()),
            State::Applies => None,
            State::Perhaps(condition) => Some(condition.clone()),
        };
        let value = Value {
            keyword: line.name,
            words: line.words,
            text: line.text.to_owned(),
            file: line.file.path.clone(),
            line: line.number,
            condition,
        };
        self.config.add(keyword, value);
        Ok(())
    }

    fn conditions(&self) -> Conditions<'_> {
        Conditions {
            lookup: self.lookup,
            reading: &self.reading,
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

/// A line with a keyword that has a meaning here; what stands in others cannot be in our way.
fn relevant<'a>(
    file: &'a ConfigFile,
    number: usize,
    text: &'a str,
) -> Result<Option<Line<'a>>, ConfigProblem> {
    let Some((name, text)) = split_keyword(text) else {
        return Ok(None);
    };
    let name = name.to_ascii_lowercase();
    if Keyword::from_name(&name).is_none() && !["host", "match", "include"].contains(&&*name) {
        return Ok(None);
    }
    let mut line = Line {
        file,
        number,
        name,
        words: Vec::new(),
        text,
    };
    if text.contains(char::REPLACEMENT_CHARACTER) {
        return Err(line.problem(format!("the value of `{}` is not UTF-8", line.name)));
    }
    line.words = split_words(text).ok_or_else(|| line.problem("unbalanced quotes"))?;
    let may_be_empty = line.name == "match";
    if line.words.is_empty() || (line.words.iter().any(String::is_empty) && !may_be_empty) {
        return Err(line.problem(format!("`{}` has no value", line.name)));
    }
    Ok(Some(line))
}

/// The text of a file. One that need not be there is empty when it is not; OpenSSH reads a folder as an
/// empty file, too.
fn read(file: &ConfigFile) -> io::Result<String> {
    match files::read_or_null(&file.path) {
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
