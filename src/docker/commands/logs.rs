//! `docker logs`.

use crate::command::RemoteCommand;

/// Which part of a container's log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogRange {
    /// The last lines only; all where there is no number.
    pub tail: Option<u64>,
    /// From this time on: RFC 3339, or so long ago (`600s`).
    pub since: Option<String>,
    /// Up to this time.
    pub until: Option<String>,
    /// Each line begins with docker's time of it.
    pub timestamps: bool,
    /// It goes on until the channel is closed or the container ends.
    pub follow: bool,
}

/// `docker logs` of both streams, in the order in which docker kept them.
pub fn container_logs(name: &str, range: &LogRange) -> RemoteCommand {
    let LogRange {
        tail,
        since,
        until,
        timestamps,
        follow,
    } = range;
    let mut words = Vec::new();
    if *follow {
        words.push("--follow".to_owned());
    }
    if *timestamps {
        words.push("--timestamps".to_owned());
    }
    let tail = tail.as_ref().map(ToString::to_string);
    for (option, value) in [
        ("--tail", tail.as_ref()),
        ("--since", since.as_ref()),
        ("--until", until.as_ref()),
    ] {
        if let Some(value) = value {
            words.extend([option.to_owned(), value.clone()]);
        }
    }
    words.push(name.to_owned());
    RemoteCommand::script(r#"exec docker logs "$@" 2>&1"#, words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_range_is_dockers_options() {
        let wire = |range: &LogRange| {
            let words = container_logs("web-r2", range).words().to_vec();
            words[words.len().saturating_sub(9)..].join(" ")
        };
        let all = wire(&LogRange::default());
        assert!(all.ends_with("web-r2") && !all.contains("--"), "{all}");
        let range = LogRange {
            tail: Some(5),
            since: Some("600s".into()),
            until: Some("2026-01-01T00:00:00Z".into()),
            timestamps: true,
            follow: true,
        };
        assert_eq!(
            wire(&range),
            "--follow --timestamps --tail 5 --since 600s --until 2026-01-01T00:00:00Z web-r2"
        );
    }
}
