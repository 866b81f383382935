//! What a key of the files means, found by its name.

use super::tables;
use crate::config::{
    key::{Key, Shape, Table},
    suggest::nearest,
};

/// Stands in a path where the user's own name stands in a file.
const ANY: [&str; 2] = ["NAME", "SERVER"];

/// Where the tables stand, by their header: the keys above them.
const PLACES: &[(&str, &[&str])] = &[
    ("inventory", &[""]),
    ("host", &["hosts.NAME"]),
    ("[groups.NAME]", &["groups.NAME"]),
    ("[ssh]", &["ssh"]),
    ("[consul]", &["consul"]),
    ("[ports]", &["ports"]),
    ("[images]", &["images"]),
    ("[releases]", &["releases"]),
    ("[state]", &["state"]),
    ("[[hooks]]", &["hooks"]),
    ("[previews]", &["previews"]),
    ("[registries.\"SERVER\"]", &["registries.SERVER"]),
    ("recipe", &[""]),
    ("[container]", &["container"]),
    ("[[commands]]", &["commands", "before", "after"]),
    (
        "upload",
        &["commands.upload", "before.upload", "after.upload"],
    ),
    ("[ready]", &["ready"]),
    ("http", &["ready.http"]),
    ("[rollout]", &["rollout"]),
    ("[register]", &["register"]),
    ("[register.consul]", &["register.consul"]),
    ("[drain]", &["drain"]),
    ("[balancer]", &["balancer"]),
    ("[balancer.backends]", &["balancer.backends"]),
    ("[probe]", &["probe"]),
];

/// What a key means.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// The key with the tables above it: `rollout.canary`.
    pub path: String,
    /// The file that it stands in.
    pub file: &'static str,
    /// What it means. Markdown.
    pub meaning: String,
    /// What it takes. Markdown; `None` for a table.
    pub value: Option<String>,
    /// What is meant when it is not written. Markdown.
    pub default: Option<String>,
    /// That it must be written, in words.
    pub needed: Option<&'static str>,
    /// Whether a change of it replaces the container.
    pub replaces: bool,
    /// The keys of a table: the path of each, and what it means.
    pub keys: Vec<(String, String)>,
}

/// What is known under a name: a key, a table, or several of that name. `Err` has the nearest one, if there is one.
///
/// # Errors
///
/// When nothing has this name.
pub fn explain(word: &str) -> Result<Vec<Explanation>, Option<String>> {
    let all = everything();
    let wanted = segments(word);
    let is_whole = |it: &&Explanation| {
        let path = segments(&it.path);
        path.len() == wanted.len() && ends_with(&path, &wanted)
    };
    let found: Vec<_> = all.iter().filter(is_whole).cloned().collect();
    if !found.is_empty() {
        return Ok(merged(found));
    }
    let has_end = |it: &&Explanation| {
        let path = segments(&it.path);
        let is_own_name = path.last().is_some_and(|last| ANY.contains(&&**last));
        !is_own_name && ends_with(&path, &wanted)
    };
    let found: Vec<_> = all.iter().filter(has_end).cloned().collect();
    if found.is_empty() {
        Err(near(&wanted.join("."), &all))
    } else {
        Ok(merged(found))
    }
}

/// Every table and every key, each once.
pub fn all() -> Vec<Explanation> {
    merged(everything())
}

/// Every table, with its keys.
pub fn all_tables() -> Vec<Explanation> {
    let all = everything().into_iter();
    merged(all.filter(|it| !it.keys.is_empty()).collect())
}

/// The words of a name, however it is written: `rollout.canary`, `[rollout] canary`, `registries."a.example:5000"`.
fn segments(word: &str) -> Vec<String> {
    let mut segments = vec![String::new()];
    let mut quoted = false;
    for character in word.chars() {
        match character {
            '"' => quoted = !quoted,
            '.' | ' ' | '[' | ']' if !quoted => segments.push(String::new()),
            _ => segments
                .last_mut()
                .into_iter()
                .for_each(|it| it.push(character)),
        }
    }
    segments.retain(|segment| !segment.is_empty());
    segments
}

/// Whether a path ends with these words; the user's own names may be any.
fn ends_with(path: &[String], words: &[String]) -> bool {
    let Some(start) = path
        .len()
        .checked_sub(words.len())
        .filter(|_| !words.is_empty())
    else {
        return false;
    };
    let mut pairs = path[start..].iter().zip(words);
    pairs.all(|(segment, word)| segment == word || ANY.contains(&&**segment))
}

/// The nearest path: by the whole of it, or by the key alone.
fn near(word: &str, all: &[Explanation]) -> Option<String> {
    if let Some(near) = nearest(word, all.iter().map(|it| &*it.path)) {
        return Some(near.to_owned());
    }
    let key_of = |path: &str| segments(path).pop().unwrap_or_default();
    let keys: Vec<_> = all.iter().map(|it| key_of(&it.path)).collect();
    let key = key_of(word);
    let near = nearest(&key, keys.iter().map(String::as_str))?;
    let at = keys.iter().position(|it| it == near)?;
    Some(all[at].path.clone())
}

/// All tables and keys, in the order of the docs.
fn everything() -> Vec<Explanation> {
    let mut all = Vec::new();
    let mut file = "inventory/NAME.toml";
    for (header, table) in tables() {
        if header == "recipe" {
            file = "recipes/NAME.toml";
        }
        let places = PLACES.iter().find(|(known, _)| *known == header);
        for place in places.map_or(&[][..], |(_, places)| places) {
            all.extend(of_table(place, file, &table));
        }
    }
    all
}

fn of_table(place: &str, file: &'static str, table: &Table) -> Vec<Explanation> {
    let path = |key: &Key| match place {
        "" => key.name.to_owned(),
        place => format!("{place}.{}", key.name),
    };
    let keys = table.keys.iter();
    let own = Explanation {
        path: place.to_owned(),
        file,
        meaning: table.about.clone(),
        value: None,
        default: None,
        needed: None,
        replaces: false,
        keys: keys.map(|key| (path(key), key.meaning.clone())).collect(),
    };
    let keys = table.keys.iter().map(|key| Explanation {
        path: path(key),
        file,
        meaning: key.meaning.clone(),
        value: (key.shape == Shape::Value).then(|| key.value_in_words()),
        default: key.default_shown(),
        needed: key.needed,
        replaces: key.in_spec_hash,
        keys: Vec::new(),
    });
    // What the file as a whole is about has no name.
    let own = Some(own).filter(|_| !place.is_empty());
    own.into_iter().chain(keys).collect()
}

/// The same with one explanation for a table that is declared twice: as a key of the table above it, and by its keys.
fn merged(found: Vec<Explanation>) -> Vec<Explanation> {
    let mut merged = Vec::<Explanation>::new();
    for one in found {
        let known = merged
            .iter_mut()
            .find(|it| it.path == one.path && it.file == one.file);
        match known {
            Some(known) => known.keys.extend(one.keys),
            None => merged.push(one),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(word: &str) -> Vec<String> {
        let found = explain(word).unwrap_or_else(|near| panic!("{word}: {near:?}"));
        found.into_iter().map(|it| it.path).collect()
    }

    #[test]
    fn every_table_has_a_place_and_is_found_there() {
        for (header, table) in tables() {
            let places = PLACES.iter().find(|(known, _)| *known == header);
            let (_, places) = places.unwrap_or_else(|| panic!("{header} has no place"));
            for place in *places {
                for key in &table.keys {
                    let path = [place, key.name].join(".");
                    let found = explain(&path).unwrap_or_else(|_| panic!("{path}"));
                    assert!(found.iter().any(|it| it.meaning == key.meaning), "{path}");
                }
            }
        }
        // Each stands below a key of the table above it, unless the user names it.
        for place in PLACES.iter().flat_map(|(_, places)| *places) {
            let last = segments(place).pop();
            let is_own_name = last.as_deref().is_none_or(|last| ANY.contains(&last));
            let known = everything().into_iter().filter(|it| it.path == **place);
            assert!(is_own_name || known.count() == 2, "{place}");
        }
    }

    #[test]
    fn a_key_is_found_by_its_path_or_by_its_end() {
        assert_eq!(paths("rollout.canary"), ["rollout.canary"]);
        assert_eq!(paths("[rollout] canary"), ["rollout.canary"]);
        assert_eq!(paths("canary"), ["rollout.canary"]);
        assert_eq!(paths("hosts.web-1.address"), ["hosts.NAME.address"]);
        assert_eq!(paths("hosts"), ["hosts", "hosts"]);
        assert_eq!(
            paths("registries.\"registry.example:5000\".username"),
            ["registries.SERVER.username"]
        );
        assert_eq!(
            paths("timeout"),
            [
                "hooks.timeout",
                "commands.timeout",
                "before.timeout",
                "after.timeout",
                "drain.timeout",
                "probe.timeout"
            ]
        );
    }

    #[test]
    fn a_table_lists_its_keys() {
        let found = explain("ready.http").expect("a table");
        assert_eq!(found.len(), 1);
        let keys: Vec<_> = found[0].keys.iter().map(|(path, _)| &**path).collect();
        assert_eq!(
            keys,
            [
                "ready.http.path",
                "ready.http.port",
                "ready.http.scheme",
                "ready.http.host",
                "ready.http.status",
                "ready.http.headers",
                "ready.http.method",
                "ready.http.body",
                "ready.http.ca_file",
                "ready.http.server_name",
                "ready.http.insecure",
            ]
        );
    }

    #[test]
    fn what_is_mistyped_gets_the_nearest() {
        let near = |word| explain(word).expect_err(word);
        assert_eq!(near("rollout.cannary").as_deref(), Some("rollout.canary"));
        assert_eq!(near("cannary").as_deref(), Some("rollout.canary"));
        assert_eq!(near("container.canary").as_deref(), Some("rollout.canary"));
        assert_eq!(near("nonsense"), None);
        assert_eq!(near(""), None);
    }
}
