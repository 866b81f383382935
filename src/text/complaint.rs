//! The line in which a tool says why it failed.

use super::cut::cut;

/// Why a command failed, by what it printed, as part of a line: at most 200 characters.
pub fn reason(printed: &str) -> String {
    complaint(printed).map_or_else(|| "nothing".to_owned(), |line| first_line(&line))
}

/// What was answered, as part of a line: its first line that is not empty, at most 200 characters.
pub fn first_line(answer: &str) -> String {
    let mut lines = answer.lines().map(str::trim);
    let line = lines.find(|line| !line.is_empty()).unwrap_or("nothing");
    cut(line, 200)
}

/// The line in which a tool says why it failed, of what it printed to standard error: the last one that is neither
/// advice nor a mere echo of the line before. `None` when it printed nothing.
pub fn complaint(printed: &str) -> Option<String> {
    let lines: Vec<&str> = printed.lines().map(last_state).collect();
    let usage = lines.iter().position(|line| line.starts_with("Usage:"));
    let before_usage = &lines[..usage.unwrap_or(lines.len())];
    let telling = telling(before_usage).or_else(|| telling(&lines));
    let last = || lines.iter().rev().find(|line| !line.is_empty()).copied();
    telling.or_else(|| last().map(str::to_owned))
}

/// What a terminal would show of a line that a tool drew several times, such as a progress bar.
fn last_state(line: &str) -> &str {
    let states = line.rsplit('\r').map(str::trim_end);
    states.into_iter().find(|it| !it.is_empty()).unwrap_or("")
}

fn telling(lines: &[&str]) -> Option<String> {
    let mut end = lines.len();
    let mut has_advice = false;
    while let Some(line) = end.checked_sub(1).map(|last| lines[last]) {
        has_advice |= is_advice(line);
        let before = end.checked_sub(2).map(|before| lines[before]);
        if !line.is_empty() && !is_advice(line) && !is_noise(line) && !is_echo(line, before) {
            break;
        }
        end -= 1;
    }
    let last = *lines[..end].last()?;
    // `docker run` puts its own advice below a complaint of the daemon's, which may have several lines.
    let is_below = |line: &&str| line.starts_with("docker: ");
    let start = match lines[..end].iter().rposition(is_below) {
        Some(start) if has_advice => start,
        _ if is_item(last) => lines[..end].iter().rposition(|line| !is_item(line))?,
        _ => end - 1,
    };
    let parts = lines[start..end].iter().map(|line| line.trim());
    let parts: Vec<_> = parts.filter(|part| !part.is_empty()).collect();
    Some(parts.join(" "))
}

/// `See 'docker run --help'.`, `Run 'docker run --help' for more information`.
fn is_advice(line: &str) -> bool {
    let names_help = line.contains("--help");
    names_help
        && ["See '", "Run '", "Try '"]
            .iter()
            .any(|it| line.starts_with(it))
}

/// Whether a line is a warning in podman's log, which it writes to standard error.
pub fn is_logged_warning(line: &str) -> bool {
    line.starts_with("time=\"") && line.contains(" level=warning ")
}

/// What docker and podman say whether they fail or not.
fn is_noise(line: &str) -> bool {
    const NOISE: [&str; 6] = [
        "WARNING",
        "Configure a credential helper to remove this warning",
        "https://docs.docker.com/",
        "Unable to find image ",
        "Emulate Docker CLI using podman",
        "Trying to pull ",
    ];
    is_logged_warning(line) || NOISE.iter().any(|start| line.starts_with(start))
}

/// `Error: failed to start containers: web`, below the line that says why.
fn is_echo(line: &str, before: Option<&str>) -> bool {
    let is_why = |line: &str| line.starts_with("Error response from daemon:");
    let line = line.strip_prefix("Error: ").unwrap_or(line);
    line.starts_with("failed to ") && before.is_some_and(is_why)
}

/// A line of a list below the line that says what the list is of.
fn is_item(line: &str) -> bool {
    line.starts_with([' ', '\t', '*'])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What tools print; the lines that say why begin with `!`.
    fn assert_found(printed: &[&str]) {
        for marked in printed {
            let why = marked.lines().filter_map(|line| line.strip_prefix('!'));
            let why: Vec<_> = why.map(str::trim).collect();
            let plain = marked.replace("\n!", "\n");
            let plain = plain.strip_prefix('!').unwrap_or(&plain);
            assert_eq!(complaint(plain), Some(why.join(" ")), "{plain}");
        }
    }

    #[test]
    fn docker_says_why_above_its_advice() {
        // 20.10 and 26.
        assert_found(&[
            "!docker: Invalid ip address: localhost.
See 'docker run --help'.",
            "Unable to find image 'web:1' locally
!docker: Error response from daemon: pull access denied for web.
See 'docker run --help'.",
            "!unknown flag: --foo
See 'docker run --help'.",
            r#"!docker: Error response from daemon: create ./d: "./d" includes invalid characters for a local volume name.
See 'docker run --help'."#,
            r#"!docker: Error response from daemon: Conflict. The container name "/web" is already in use by container "ab".
See 'docker run --help'."#,
            "!docker: Error response from daemon: OCI runtime create failed: error running hook: stderr: mode 'legacy'
!nvidia-container-cli: initialization error: unknown.
See 'docker run --help'.",
            r#"!docker: Error response from daemon: unable to start container process: exec: "nope": not found in $PATH: unknown."#,
            r#"!"docker load" accepts no arguments.
See 'docker load --help'.

Usage:  docker load [OPTIONS]

Load an image from a tar archive or STDIN"#,
        ]);
        // 28.
        assert_found(&[
            "!docker: invalid IP address: localhost

Run 'docker run --help' for more information",
            "Unable to find image 'web:1' locally
!docker: Error response from daemon: no such host

Run 'docker run --help' for more information",
            "!unknown flag: --foo

Usage:  docker run [OPTIONS] IMAGE [COMMAND] [ARG...]

Run 'docker run --help' for more information",
            "!docker: 'docker load' accepts no arguments

Usage:  docker load [OPTIONS]

Run 'docker load --help' for more information",
            "!docker: Cannot connect to the Docker daemon at tcp://127.0.0.1:1. Is the docker daemon running?

Run 'docker run --help' for more information",
        ]);
    }

    #[test]
    fn docker_says_why_above_what_follows_from_it() {
        assert_found(&[
            "!Error response from daemon: driver failed: listen tcp4 0.0.0.0:22: bind: address already in use
Error: failed to start containers: web",
            "!Error response from daemon: Bind for 0.0.0.0:80 failed: port is already allocated
failed to start containers: web",
            "!Error response from daemon: No such container: a
Error: failed to rename container named a",
            "!Error processing tar file(exit status 1): unexpected EOF",
            "!Error: No such volume: data",
            "!Error response from daemon: get data: no such volume",
            "!Error: No such container:path: web:/x",
            "WARNING! Your password will be stored unencrypted in /dev/shm/x/config.json.
Configure a credential helper to remove this warning. See
https://docs.docker.com/engine/reference/commandline/login/#credentials-store

!Error response from daemon: manifest for web:1 not found",
        ]);
    }

    #[test]
    fn podman_shells_and_other_tools_say_why_too() {
        assert_found(&[
            "Emulate Docker CLI using podman. Create /etc/containers/nodocker to quiet msg.
!Error: statfs /nope: no such file or directory",
            r#"!Error: no such container web
time="2026-11-27T09:06:19Z" level=warning msg="Using cgroups-v1 which is deprecated""#,
            "Trying to pull docker.io/library/web:1...
!Error: initializing source docker://web:1: reading manifest 1: access denied",
            "!Error: payload does not match any of the supported image formats:
! * oci: no such file
! * docker-archive: unexpected EOF",
            "!sh: 1: docker: not found",
            "!bash: line 1: docker: command not found",
            "!sudo: a password is required",
            "!Error querying agent: dial tcp 127.0.0.1:8500: connect: connection refused",
            "!flag provided but not defined: -foo
Usage: consul members [options]

  Outputs the members.",
        ]);
    }

    #[test]
    fn a_script_of_the_users_failed_by_what_came_last() {
        assert_found(&[r#"Error response from daemon: No such container: old
Traceback (most recent call last):
  File "migrate.py", line 1
!KeyError: 'KEY'"#]);
        let redrawn = complaint("10%\r55%\r100%\rcannot write\r\n\n");
        assert_eq!(redrawn.as_deref(), Some("cannot write"));
    }

    #[test]
    fn what_has_nothing_else_is_better_than_nothing() {
        assert_eq!(complaint(" \n\n"), None);
        let advice = "See 'docker run --help'.";
        assert_eq!(complaint(advice).as_deref(), Some(advice));
        assert_eq!(complaint("Usage: tool\n").as_deref(), Some("Usage: tool"));
    }
}
