//! The words of `[container] options`.

use std::sync::LazyLock;

use super::super::super::scope::is_unresolved;
use crate::{
    config::{Section, recipe::ContainerSection, suggest::nearest},
    diagnostic::{Place, Problem, Problems},
    model::ContainerSpec,
};

/// docker's options that a key stands for, each with how to write it. An option would go past what shipit
/// makes of the key: gates by published ports, the order by fixed ones, a plan field by field.
static KEYS_OF_OPTIONS: LazyLock<Vec<(String, &[&str])>> = LazyLock::new(|| {
    let keys = ContainerSection::table().keys.into_iter();
    let of_docker = keys.filter_map(|key| {
        let docker = key.docker?;
        Some((format!("{} = {}", key.name, docker.example), docker.names))
    });
    of_docker.collect()
});

/// docker's options that take no value.
const FLAGS: [&str; 20] = [
    "--detach",
    "-d",
    "--disable-content-trust",
    "--help",
    "--init",
    "--interactive",
    "-i",
    "--no-healthcheck",
    "--oom-kill-disable",
    "--privileged",
    "--publish-all",
    "-P",
    "--quiet",
    "-q",
    "--read-only",
    "--rm",
    "--sig-proxy",
    "--tty",
    "-t",
    "--use-api-socket",
];

/// How a flag's value is written (Go's `strconv.ParseBool`).
const BOOLEANS: [&str; 12] = [
    "1", "t", "T", "TRUE", "true", "True", "0", "f", "F", "FALSE", "false", "False",
];

/// Those that do, but for the ones that a key stands for.
const VALUED: [&str; 76] = [
    "--add-host",
    "--annotation",
    "--attach",
    "-a",
    "--blkio-weight",
    "--blkio-weight-device",
    "--cap-add",
    "--cap-drop",
    "--cgroup-parent",
    "--cgroupns",
    "--cidfile",
    "--cpu-count",
    "--cpu-percent",
    "--cpu-period",
    "--cpu-quota",
    "--cpu-rt-period",
    "--cpu-rt-runtime",
    "--cpu-shares",
    "-c",
    "--cpus",
    "--cpuset-cpus",
    "--cpuset-mems",
    "--detach-keys",
    "--device",
    "--device-cgroup-rule",
    "--device-read-bps",
    "--device-read-iops",
    "--device-write-bps",
    "--device-write-iops",
    "--dns",
    "--dns-opt",
    "--dns-option",
    "--dns-search",
    "--domainname",
    "--expose",
    "--gpus",
    "--group-add",
    "--health-cmd",
    "--health-interval",
    "--health-retries",
    "--health-start-interval",
    "--health-start-period",
    "--health-timeout",
    "--ip",
    "--ip6",
    "--ipc",
    "--isolation",
    "--kernel-memory",
    "--label-file",
    "--link",
    "--link-local-ip",
    "--log-driver",
    "--log-opt",
    "--mac-address",
    "--memory",
    "-m",
    "--memory-reservation",
    "--memory-swap",
    "--memory-swappiness",
    "--mount",
    "--network-alias",
    "--oom-score-adj",
    "--pid",
    "--pids-limit",
    "--pull",
    "--runtime",
    "--security-opt",
    "--shm-size",
    "--stop-signal",
    "--storage-opt",
    "--sysctl",
    "--tmpfs",
    "--ulimit",
    "--userns",
    "--uts",
    "--volumes-from",
];

/// An option whose value is the next word.
struct Waiting<'a> {
    name: String,
    place: &'a Place,
    /// Whether docker certainly wants a value.
    is_known: bool,
}

/// Checks the words as docker takes them: options, each with its value, and none that docker would take for
/// the image.
pub(super) fn check(section: &ContainerSection, spec: &ContainerSpec, problems: &mut Problems) {
    let written = section.options.iter().flat_map(|options| &options.value);
    let words = written.zip(&spec.options).map(|(written, word)| {
        let is_unresolved = is_unresolved(&written.value.0, word);
        (&written.place, (!is_unresolved).then_some(word.as_str()))
    });
    check_words(words, problems);
}

/// Checks words, each with its place; `None` is one that is not known.
pub(super) fn check_words<'a>(
    words: impl Iterator<Item = (&'a Place, Option<&'a str>)>,
    problems: &mut Problems,
) {
    let mut waiting: Option<Waiting<'_>> = None;
    for (place, word) in words {
        let Some(word) = word else {
            waiting = None;
            continue;
        };
        if let Some(option) = waiting.take() {
            if !word.starts_with('-') || (option.is_known && !word.starts_with("--")) {
                continue;
            }
            refuse_without_value(&option, problems);
        }
        if !word.starts_with('-') || matches!(word, "-" | "--") {
            problems.push(
                Problem::error(format!(
                    "{word:?} is no option: docker would take it for the image"
                ))
                .at(place, "not after an option that takes a value")
                .hint("the container's own words go into `command`"),
            );
        } else if let Some(problem) = wrong_option(word) {
            problems.push(problem.at(place, "not here"));
            // What follows is most likely its value, and no mistake of its own.
            waiting = waits(word, place).map(|option| Waiting {
                is_known: false,
                ..option
            });
        } else {
            warn_unknown(word, place, problems);
            waiting = waits(word, place);
        }
    }
    if let Some(option) = waiting {
        refuse_without_value(&option, problems);
    }
}

fn refuse_without_value(option: &Waiting<'_>, problems: &mut Problems) {
    if option.is_known {
        problems.push(
            Problem::error(format!("`{}` has no value", option.name))
                .at(option.place, "wants another word after it"),
        );
    }
}

/// docker gets new options, so one that is not known may be one.
fn warn_unknown(word: &str, place: &Place, problems: &mut Problems) {
    let name = word.split_once('=').map_or(word, |(name, _)| name);
    let known = || FLAGS.into_iter().chain(VALUED);
    if name.starts_with("--")
        && !known().any(|known| known == name)
        && let Some(near) = nearest(name, known())
    {
        problems.push(
            Problem::warning(format!(
                "`{name}` is not an option of docker that is known here"
            ))
            .at(place, "passed on as it is")
            .hint(format!("did you mean `{near}`?")),
        );
    }
}

/// The option of a word that has not its value in it.
fn waits<'a>(word: &str, place: &'a Place) -> Option<Waiting<'a>> {
    let name = if word.starts_with("--") {
        (!word.contains('=')).then(|| word.to_owned())?
    } else {
        let last = names_of(word).pop()?;
        word.ends_with(&last[1..]).then_some(last)?
    };
    let is_flag = FLAGS.contains(&name.as_str());
    (!is_flag).then(|| Waiting {
        is_known: VALUED.contains(&name.as_str()),
        name,
        place,
    })
}

/// Why a word cannot stand in `options`.
fn wrong_option(option: &str) -> Option<Problem> {
    let name = option.split_once('=').map_or(option, |(name, _)| name);
    if name.starts_with('-')
        && name.contains(' ')
        && let Some((first, rest)) = option.split_once(' ')
    {
        return Some(
            Problem::error(format!("`{option}` is one word for docker"))
                .hint(format!("split it: `{first:?}, {:?}`", rest.trim_start())),
        );
    }
    if name.trim_start_matches('-').is_empty() || name.starts_with("---") {
        return Some(Problem::error(format!("`{option}` is no option of docker")));
    }
    if let Some((name, value)) = option.split_once('=')
        && FLAGS.contains(&name)
        && !BOOLEANS.contains(&value)
    {
        return Some(
            Problem::error(format!(
                "`{name}` is a flag, and `{value}` is not true or false"
            ))
            .hint(format!("write `{name}` alone")),
        );
    }
    let cannot =
        |name: &str, why: &str| Problem::error(format!("`{name}` cannot be an option: {why}"));
    for name in names_of(name) {
        let why = match &*name {
            "--name" => "containers are named by recipe and release",
            "--rm" => "a stopped container is kept for a rollback",
            "-d" | "--detach" => "every container runs in the background",
            "-a" | "--attach" => "every container runs in the background, with nobody attached",
            "--help" => "docker would print its help and start nothing",
            _ => "",
        };
        if !why.is_empty() {
            return Some(cannot(&name, why));
        }
        let key = KEYS_OF_OPTIONS
            .iter()
            .find(|(_, names)| names.contains(&&*name));
        if let Some((key, _)) = key {
            return Some(cannot(&name, "it has a key of its own").hint(format!("write `{key}`")));
        }
    }
    None
}

/// The options that a word names: several when it is of short ones, `-itd`. The first that takes a value
/// has the rest of the word, `-p80:80`.
fn names_of(word: &str) -> Vec<String> {
    let Some(letters) = word.strip_prefix('-').filter(|rest| !rest.starts_with('-')) else {
        return vec![word.to_owned()];
    };
    let takes_none = |letter: &char| "itqdP".contains(*letter);
    let flags = letters.chars().take_while(takes_none);
    let valued = letters.chars().find(|letter| !takes_none(letter));
    flags
        .chain(valued)
        .map(|letter| format!("-{letter}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_waits_for_its_value_unless_it_has_it_or_takes_none() {
        let place = crate::diagnostic::SourceFile::new("x", String::new()).place(0..0);
        let name = |word| waits(word, &place).map(|option| (option.name, option.is_known));
        for (word, expected) in [
            ("--memory", Some(("--memory", true))),
            ("--memory=1g", None),
            ("-m", Some(("-m", true))),
            ("-m1g", None),
            ("-itm", Some(("-m", true))),
            ("-it", None),
            ("--init", None),
            ("--unheard-of", Some(("--unheard-of", false))),
        ] {
            let expected = expected.map(|(name, is_known)| (name.to_owned(), is_known));
            assert_eq!(name(word), expected, "{word}");
        }
    }
}
