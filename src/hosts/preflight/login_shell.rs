//! The login shell passes words on as they are, and prints nothing of its own.
//!
//! sshd hands every command to the account's login shell as one line. It is quoted for a POSIX shell; others (fish,
//! csh) read quotes and backslashes in their own way, and some say nothing when they cannot read a line at all.

use std::time::Duration;

use super::unfit::Unfit;
use crate::{
    command::{RemoteCommand, typed},
    hosts::{HostError, Reached},
    text,
    transport::Output,
};

/// What begins the answer, so that it is found behind what start-up files print.
const MARK: &str = "shipit:";

/// Every character that a shell may take for its own, and some that are no ASCII.
fn special() -> String {
    let ascii = (1_u8..=127).map(char::from);
    ascii.chain("ä€😀 \\\\ '\"' \\n".chars()).collect()
}

/// Sends every special character through the login shell and compares what comes back.
pub async fn passes_words_on(reached: &Reached, deadline: Duration) -> Result<(), Unfit> {
    let word = special();
    let command = RemoteCommand::new("printf").args(["shipit:%s\\n", &word]);
    // Not through sudo: what its configuration says is no fault of the shell's.
    let answer = reached.session.run(&command, deadline).await;
    let output = answer.map_err(|source| {
        let error = HostError::Session {
            command: "printf".to_owned(),
            source,
        };
        let hint = error
            .hint()
            .unwrap_or_else(|| typed("ssh", [&**reached.name()]));
        Unfit { error, hint }
    })?;
    let expected = format!("{MARK}{word}\n");
    let Some(fault) = fault(&output, &expected) else {
        return Ok(());
    };
    let shell = shell_of(reached, deadline).await;
    let (user, host) = (reached.session.user(), reached.name());
    Err(fault.unfit(shell.as_deref(), &user, host))
}

/// What is wrong with a login shell.
#[derive(Debug, PartialEq, Eq)]
enum Fault {
    /// Its start-up files print this to standard output.
    Prints(String),
    /// Words arrive otherwise than they were sent.
    ChangesWords,
    /// It runs no commands; what it said.
    RunsNothing(String),
}

/// What an answer tells of the shell; `None` where it is as it should be.
fn fault(output: &Output, expected: &str) -> Option<Fault> {
    if output.stdout == expected && output.status == 0 {
        return None;
    }
    if let Some((before, after)) = output.stdout.split_once(expected) {
        let printed = [before, after].concat();
        return Some(match printed.lines().next() {
            Some(line) => Fault::Prints(line.to_owned()),
            None => Fault::RunsNothing(format!("it ended with status {}", output.status)),
        });
    }
    if output.stdout.contains(MARK) {
        return Some(Fault::ChangesWords);
    }
    let said = text::complaint(&output.stderr);
    let said = said.or_else(|| output.stdout.lines().next().map(str::to_owned));
    Some(match (said, output.status) {
        (Some(said), _) => Fault::RunsNothing(said),
        (None, 0) => Fault::ChangesWords,
        (None, status) => Fault::RunsNothing(format!("it ended with status {status} and no word")),
    })
}

impl Fault {
    fn unfit(self, shell: Option<&str>, user: &str, host: &str) -> Unfit {
        let shell = shell.map_or_else(String::new, |shell| format!(" `{shell}`"));
        let other = format!(
            "on `{host}`: `{}`, or use an account with another shell",
            typed("sudo usermod --shell /bin/sh", [user])
        );
        let (fact, hint) = match self {
            Self::Prints(line) => (
                format!(
                    "the start-up files of the login shell{shell} of `{user}` print to standard output: {line}"
                ),
                format!(
                    "on `{host}`: let ~{user}'s start-up files print only on a terminal (`[ -t 1 ]`)"
                ),
            ),
            Self::ChangesWords => (
                format!(
                    "the login shell{shell} of `{user}` does not pass words on as they are written; shipit needs a POSIX shell"
                ),
                other,
            ),
            Self::RunsNothing(said) => (
                format!("the login shell{shell} of `{user}` does not run our commands: {said}"),
                other,
            ),
        };
        Unfit {
            error: HostError::Fact(fact),
            hint,
        }
    }
}

/// The login shell by its path, where it can still say so.
async fn shell_of(reached: &Reached, deadline: Duration) -> Option<String> {
    let command = RemoteCommand::new("printenv").arg("SHELL");
    let output = reached.session.run(&command, deadline).await.ok()?;
    let mut lines = output.stdout.lines();
    lines.find(|line| line.starts_with('/')).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hosts::{
        QUICK,
        testing::{Act, TestFleet, out, prints},
    };

    fn answer(status: u32, stdout: &str, stderr: &str) -> Option<Fault> {
        let output = Output {
            status,
            stdout: stdout.into(),
            stderr: stderr.into(),
        };
        fault(&output, "shipit:a\\b\n")
    }

    #[test]
    fn what_comes_back_tells_what_is_wrong() {
        assert_eq!(answer(0, "shipit:a\\b\n", ""), None);
        assert_eq!(answer(0, "shipit:a\\b\n", "Welcome!\n"), None);
        let prints = |line: &str| Some(Fault::Prints(line.to_owned()));
        assert_eq!(answer(0, "Welcome!\nshipit:a\\b\n", ""), prints("Welcome!"));
        assert_eq!(answer(0, "shipit:a\\b\nBye\n", ""), prints("Bye"));
        assert_eq!(answer(0, "shipit:ab\n", ""), Some(Fault::ChangesWords));
        // fish says nothing to standard output when it cannot read a line, and ends well.
        assert_eq!(answer(0, "", ""), Some(Fault::ChangesWords));
        let nothing = |said: &str| Some(Fault::RunsNothing(said.to_owned()));
        assert_eq!(
            answer(1, "This account is currently not available.\n", ""),
            nothing("This account is currently not available.")
        );
        assert_eq!(answer(0, "", "Unmatched '''.\n"), nothing("Unmatched '''."));
        assert_eq!(
            answer(7, "", ""),
            nothing("it ended with status 7 and no word")
        );
    }

    async fn unfit(script: fn(&str) -> Vec<Act>) -> Option<(String, String)> {
        let lab = TestFleet::of_one(script).await;
        let unfit = passes_words_on(&lab.fleet.hosts()[0], QUICK).await.err()?;
        Some((unfit.error.to_string(), unfit.hint))
    }

    #[tokio::test]
    async fn every_special_character_goes_through_a_posix_shell() {
        assert_eq!(unfit(|_| vec![Act::Shell]).await, None);
    }

    #[tokio::test]
    async fn a_shell_that_is_none_of_ours_is_named() {
        let seen = unfit(|command| match command {
            "printenv SHELL" => prints("/usr/bin/fish\n"),
            _ => prints("shipit:something else\n"),
        });
        let (error, hint) = seen.await.expect("it is no POSIX shell");
        assert!(
            error.starts_with("the login shell `/usr/bin/fish` of `deployer` does not"),
            "{error}"
        );
        assert!(hint.contains("usermod --shell /bin/sh deployer`"), "{hint}");
    }

    #[tokio::test]
    async fn an_account_without_a_shell_is_not_blamed_on_docker() {
        let seen = unfit(|_| {
            vec![
                out("This account is currently not available.\n"),
                Act::Status(1),
            ]
        });
        let (error, hint) = seen.await.expect("it runs nothing");
        assert!(
            error.ends_with("This account is currently not available."),
            "{error}"
        );
        assert!(!hint.contains("docker"), "{hint}");
    }
}
