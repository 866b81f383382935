//! What can go wrong on a host, and how a failed command is shown.

use crate::{
    command::RemoteCommand,
    consul::ConsulError,
    model::HostName,
    text,
    transport::{Output, SessionError},
};

/// Why something did not work on a host.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The session failed.
    #[error("cannot run `{command}`")]
    Session {
        /// What was to run, or a word for what was to be done.
        command: String,
        /// Why not.
        source: SessionError,
    },
    /// The command ran and failed.
    #[error("`{command}` failed with status {status}: {message}")]
    Status {
        /// What ran.
        command: String,
        /// Its exit status.
        status: u32,
        /// The line in which it says why.
        message: String,
        /// The end of what it printed.
        output: Vec<String>,
    },
    /// The command printed something else than it should.
    #[error("cannot read what `{command}` printed")]
    Output {
        /// What ran.
        command: String,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// Consul's agent failed.
    #[error(transparent)]
    Consul(#[from] ConsulError),
    /// Something else, as a whole sentence.
    #[error("{0}")]
    Fact(String),
}

/// A host that did not do what it was asked, and why.
pub type HostFailure = (HostName, HostError);

impl HostError {
    /// Whether the host itself is unreachable, so that nothing more can be done on it.
    pub fn is_unreachable(&self) -> bool {
        match self {
            Self::Session { source, .. } => source.is_unreachable(),
            Self::Consul(error) => error.is_host_unreachable(),
            Self::Status { .. } | Self::Output { .. } | Self::Fact(_) => false,
        }
    }

    /// What to type, where the connection or the account is at fault.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Session { source, .. } => source.hint(),
            Self::Consul(error) => error.hint(),
            Self::Status { message, .. } => {
                let message = message.to_lowercase();
                let may_not_use_docker =
                    message.contains("permission denied") && message.contains("docker");
                may_not_use_docker.then(|| {
                    "on that host, as the account that shipit logs in as: `sudo usermod -aG docker $USER`, or set `become = true` under [ssh]"
                        .to_owned()
                })
            }
            Self::Output { .. } | Self::Fact(_) => None,
        }
    }

    /// What the failing command printed, if that is what failed.
    pub fn output(&self) -> &[String] {
        match self {
            Self::Status { output, .. } => output,
            _ => &[],
        }
    }
}

/// How many bytes of a failed command's standard output its error has.
const SHOWN: usize = 64 * 1024;

/// The error of a command that ran and failed.
pub fn failed(command: String, output: &Output) -> HostError {
    let stdout = text::cut_front(&output.stdout, SHOWN);
    let lines = output.stderr.lines().chain(stdout.lines());
    let lines: Vec<String> = lines.map(str::to_owned).collect();
    let message = text::complaint(&output.stderr)
        .or_else(|| text::complaint(&stdout))
        .unwrap_or_else(|| "no output".into());
    HostError::Status {
        command,
        status: output.status,
        message,
        output: lines,
    }
}

/// A command as an error names it: one short line.
pub fn short(command: &RemoteCommand) -> String {
    const MOST: usize = 100;
    // Of our own scripts the interesting part is what docker is asked, not the shell around it.
    let words = command.words();
    let line = match words {
        [sh, c, script, rest @ ..]
            if sh == "sh" && c == "-c" && rest.first().is_some_and(|word| word == "shipit") =>
        {
            match rest.get(1).map(String::as_str) {
                Some("docker") => rest[1..].join(" "),
                _ => script.split_whitespace().collect::<Vec<_>>().join(" "),
            }
        }
        _ => words.join(" "),
    };
    let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
    text::cut(&line, MOST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docker;

    #[test]
    fn a_command_is_shown_in_one_short_line() {
        let shown =
            |words: &[&str]| short(&RemoteCommand::new(words[0]).args(words[1..].iter().copied()));
        assert_eq!(shown(&["docker", "ps", "--all"]), "docker ps --all");
        assert_eq!(shown(&["sh", "-c", "a\n   b"]), "sh -c a b");
        let long = shown(&["echo", &"ü".repeat(200)]);
        assert_eq!((long.chars().count(), long.ends_with('…')), (101, true));
        let listed = short(&docker::list_containers("staging"));
        assert!(
            !listed.contains('\n') && listed.contains("docker ps"),
            "{listed}"
        );
    }
}
