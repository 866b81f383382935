//! The words of `[container] options`.

use std::sync::LazyLock;

use crate::{
    config::{Section, recipe::ContainerSection},
    diagnostic::Problem,
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

/// Why a word cannot stand in `options`.
pub(super) fn wrong_option(option: &str) -> Option<Problem> {
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
    let cannot =
        |name: &str, why: &str| Problem::error(format!("`{name}` cannot be an option: {why}"));
    for name in names_of(name) {
        let why = match &*name {
            "--name" => "containers are named by recipe and release",
            "--rm" => "a stopped container is kept for a rollback",
            "-d" | "--detach" => "every container runs in the background",
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
