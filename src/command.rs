//! A command for a remote POSIX shell: words, and what goes to its standard input.
//!
//! Words are quoted once, here, when the command goes on the wire. Nothing else in the crate builds
//! shell text, except [`RemoteCommand::shell`], which hands a user's own script to `sh -c` as one word.
//! A secret can only travel by standard input, so it can be in no process list and in no log.

use std::fmt::{self, Write as _};

use secrecy::{ExposeSecret, SecretString};

/// A command to run on a host, with its standard input.
#[derive(Debug, Clone)]
pub struct RemoteCommand {
    words: Vec<String>,
    stdin: Option<SecretString>,
}

impl RemoteCommand {
    /// A command whose first word is `program`.
    pub fn new(program: impl Into<String>) -> Self {
        Self {
            words: vec![program.into()],
            stdin: None,
        }
    }

    /// A user's own shell script: `sh -c SCRIPT`, the script being one literal word.
    pub fn shell(script: impl Into<String>) -> Self {
        Self::new("sh").arg("-c").arg(script)
    }

    /// A fixed script of ours with arguments that arrive in it as `$1`, `$2`, …, never as shell text.
    pub fn script(
        script: &'static str,
        arguments: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        Self::shell(script).arg("shipit").args(arguments)
    }

    /// Adds one word, taken literally.
    #[must_use]
    pub fn arg(mut self, word: impl Into<String>) -> Self {
        self.words.push(word.into());
        self
    }

    /// Adds words, each taken literally.
    #[must_use]
    pub fn args(mut self, words: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.words.extend(words.into_iter().map(Into::into));
        self
    }

    /// Sends `text` to the command's standard input and closes it.
    #[must_use]
    pub fn with_stdin(mut self, text: impl Into<SecretString>) -> Self {
        self.stdin = Some(text.into());
        self
    }

    /// Sets environment variables of the command without showing their values to anyone: they arrive by
    /// standard input as quoted assignments, so that any value goes, newlines too. The command itself
    /// then finds its standard input at its end.
    ///
    /// A name goes inside the quotes as well: one that the model should not have let through makes the
    /// shell stop, and is never read as shell text.
    #[must_use]
    pub fn with_secret_env<'a>(
        self,
        variables: impl IntoIterator<Item = (&'a str, &'a SecretString)>,
    ) -> Self {
        let mut exports = String::new();
        for (name, value) in variables {
            let assignment = format!("{name}={}", value.expose_secret());
            let _ = writeln!(exports, "export {}", quote(&assignment));
        }
        let script = r#"eval "$(cat)"; exec "$@""#;
        Self {
            stdin: Some(exports.into()),
            ..Self::script(script, self.words)
        }
    }

    /// The same command as root, through a sudo that never asks for a password (`sudo -n --`).
    #[must_use]
    pub fn with_sudo(mut self) -> Self {
        self.words
            .splice(0..0, ["sudo", "-n", "--"].map(String::from));
        self
    }

    /// The words, unquoted.
    pub fn words(&self) -> &[String] {
        &self.words
    }

    /// What goes to standard input, to be exposed only where it is written to the channel.
    pub fn stdin(&self) -> Option<&SecretString> {
        self.stdin.as_ref()
    }

    /// The line for the remote shell, every word quoted where it needs it.
    pub fn to_wire(&self) -> String {
        let quoted: Vec<_> = self.words.iter().map(|word| quote(word)).collect();
        quoted.join(" ")
    }
}

/// The line as it goes on the wire; standard input is never shown.
impl fmt::Display for RemoteCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_wire())
    }
}

/// Two commands are equal when a host could not tell them apart.
impl PartialEq for RemoteCommand {
    fn eq(&self, other: &Self) -> bool {
        let exposed = |command: &Self| {
            command
                .stdin
                .as_ref()
                .map(|text| text.expose_secret().to_owned())
        };
        self.words == other.words && exposed(self) == exposed(other)
    }
}

/// Quotes one word for a POSIX shell. Words of safe characters stay bare, for readable logs.
///
/// Inside single quotes a POSIX shell takes every byte literally but the single quote itself
/// (POSIX.1-2017, Shell Command Language, 2.2.2), so that one leaves the quotes and comes back.
/// A NUL byte cannot be in an argument at all; the model refuses it before it comes here.
pub fn quote(word: &str) -> String {
    let safe = |c: char| c.is_ascii_alphanumeric() || "_@%+:,./-".contains(c);
    if !word.is_empty() && word.chars().all(safe) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// A command for a person to type, as hints show it: `words` as they are, then each of `values` as one word for a shell.
/// Where a value would be taken for an option, `--` goes before them.
pub fn typed<T: AsRef<str>>(words: &str, values: impl IntoIterator<Item = T>) -> String {
    let values: Vec<_> = values.into_iter().collect();
    let like_an_option = values.iter().any(|value| value.as_ref().starts_with('-'));
    let before = like_an_option.then_some("--".to_owned());
    let quoted = values.iter().map(|value| quote(value.as_ref()));
    let words = std::iter::once(words.to_owned())
        .chain(before)
        .chain(quoted);
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use std::{
        io::Write as _,
        process::{Command, Output, Stdio},
    };

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_are_quoted_only_where_they_need_it() {
        let command =
            RemoteCommand::new("docker").args(["run", "--name", "it's", "", "a b", "-e=x"]);
        assert_eq!(
            command.to_wire(),
            r"docker run --name 'it'\''s' '' 'a b' '-e=x'"
        );
    }

    #[test]
    fn two_commands_are_equal_when_a_host_could_not_tell_them_apart() {
        let login = || RemoteCommand::new("docker").arg("login").with_stdin("x");
        assert_eq!(login().words(), ["docker", "login"]);
        assert_eq!(login().to_string(), "docker login");
        assert!(login() == login());
        assert!(login() != RemoteCommand::new("docker").arg("login"));
        assert!(login() != login().with_stdin("y"));
        assert!(login() != login().arg("y"));
    }

    #[test]
    fn sudo_comes_first_and_never_asks() {
        assert_eq!(
            RemoteCommand::new("docker").arg("ps").with_sudo().to_wire(),
            "sudo -n -- docker ps"
        );
    }

    #[test]
    fn standard_input_is_never_shown() {
        let command = RemoteCommand::new("docker")
            .arg("login")
            .with_stdin("hunter2".to_owned());
        assert!(!format!("{command} {command:?}").contains("hunter2"));
    }

    #[test]
    fn secret_variables_reach_the_command_whole_and_are_in_no_word() {
        let value = SecretString::from("it's \"two\"\n$(lines) `of` \\ \n=end".to_owned());
        let command = RemoteCommand::new("printenv")
            .arg("KEY")
            .with_secret_env([("KEY", &value)]);
        assert!(!command.to_wire().contains("lines"));
        let output = run(&command);
        assert_eq!(
            String::from_utf8_lossy(&output.stdout),
            format!("{}\n", value.expose_secret())
        );
    }

    #[test]
    fn a_name_that_is_no_name_is_not_read_as_shell_text() {
        let value = SecretString::from("x".to_owned());
        let command = RemoteCommand::new("echo")
            .arg("started")
            .with_secret_env([("A;echo read;B", &value)]);
        let output = run(&command);
        assert!(!output.status.success());
        assert_eq!(String::from_utf8_lossy(&output.stdout), "");
    }

    /// What a shell on this machine makes of a command.
    fn run(command: &RemoteCommand) -> Output {
        let mut child = Command::new("sh")
            .args(["-c", &command.to_wire()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("sh runs");
        let stdin = command.stdin().expect("the exports").expose_secret();
        child
            .stdin
            .take()
            .expect("piped")
            .write_all(stdin.as_bytes())
            .expect("sh reads");
        child.wait_with_output().expect("sh ends")
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn a_real_shell_reads_every_word_back_as_it_was(words in prop::collection::vec("[^\0]{0,20}", 1..6)) {
            let command = RemoteCommand::script(r#"printf '%s\0' "$@""#, words.clone());
            let output = Command::new("sh").arg("-c").arg(command.to_wire()).output().expect("sh runs");
            let expected: Vec<u8> = words.iter().flat_map(|word| word.bytes().chain([0])).collect();
            prop_assert_eq!(output.stdout, expected);
        }
    }

    #[test]
    fn what_is_shown_to_be_typed_names_the_value_and_runs_nothing_else() {
        for (value, shown) in [
            ("web-r1", "docker rm --force web-r1"),
            ("my image", "docker rm --force 'my image'"),
            ("$(reboot)", "docker rm --force '$(reboot)'"),
            ("it's", r"docker rm --force 'it'\''s'"),
            ("--all", "docker rm --force -- --all"),
            ("", "docker rm --force ''"),
        ] {
            assert_eq!(typed("docker rm --force", [value]), shown);
        }
        assert_eq!(
            typed("docker volume rm", ["a", "b c"]),
            "docker volume rm a 'b c'"
        );
    }
}
