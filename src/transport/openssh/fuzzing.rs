//! What is fuzzed of the readers of OpenSSH's files. `crate::fuzzing` has the list of all that is.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use russh::keys::PublicKey;
use tempfile::TempDir;

use super::{
    known_hosts::{KnownHosts, Names, Place, Verdict},
    paths::Paths,
    proxy_command::jumps_of_command,
    ssh_config::{ConfigFile, ConfigProblem, HostConfig, Keyword, Lookup, Value, evaluate},
    time,
    tokens::Tokens,
};
use crate::model::JumpHost;

/// Where the files are written; in memory where there is such a place.
fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() {
        tempfile::tempdir_in(memory)
    } else {
        tempfile::tempdir()
    };
    folder.expect("a folder")
}

const KEYWORDS: [Keyword; 18] = [
    Keyword::CanonicalizeHostname,
    Keyword::CertificateFile,
    Keyword::ConnectTimeout,
    Keyword::GlobalKnownHostsFile,
    Keyword::HostKeyAlias,
    Keyword::HostName,
    Keyword::IdentitiesOnly,
    Keyword::IdentityAgent,
    Keyword::IdentityFile,
    Keyword::KnownHostsCommand,
    Keyword::Port,
    Keyword::ProxyCommand,
    Keyword::ProxyJump,
    Keyword::RevokedHostKeys,
    Keyword::StrictHostKeyChecking,
    Keyword::Tag,
    Keyword::User,
    Keyword::UserKnownHostsFile,
];

/// What the files say, in an order of its own.
type Said = BTreeMap<String, Result<Vec<Value>, ConfigProblem>>;

/// A configuration, a file `other` beside it, and who is looked up. What is said has its place in one of them, and
/// no more words than they have; a second look finds the same.
pub(crate) fn ssh_config([text, other, who]: &[String; 3]) {
    // An `Include` may walk the whole of this machine's files.
    let lowercase = format!("{text}\n{other}").to_ascii_lowercase();
    if lowercase.contains("include") && lowercase.contains(['/', '~']) {
        return;
    }
    let folder = folder();
    let (path, beside) = (folder.path().join("config"), folder.path().join("other"));
    fs::write(&path, text).expect("written");
    fs::write(&beside, other).expect("written");
    let (host, user) = who.split_once(' ').unwrap_or((who, ""));
    let lookup = Lookup {
        host,
        user: Some(user).filter(|user| !user.is_empty()),
    };
    let file = ConfigFile {
        path: path.clone(),
        folder: folder.path().to_owned(),
        required: true,
    };
    let paths = Paths {
        home: folder.path().to_owned(),
        user: "me".to_owned(),
        agent: None,
        system_config: folder.path().join("system"),
        system_known_hosts: Vec::new(),
    };
    let look = || evaluate(std::slice::from_ref(&file), lookup, &paths);
    let config = match look() {
        Ok(config) => config,
        Err(problem) => {
            assert!(problem.file.starts_with(folder.path()), "{problem:?}");
            assert_eq!(look().err(), Some(problem), "another look");
            return;
        }
    };
    let found = said(&config);
    assert_eq!(said(&look().expect("as before")), found, "another look");
    for value in found.values().flatten().flatten() {
        assert!(!value.words.is_empty(), "{value:?}");
        let length: usize = value.words.iter().map(String::len).sum();
        assert!(length <= value.text.len(), "{value:?}");
        assert!(text.contains(&value.text) || other.contains(&value.text));
    }
    let name = config.host_name(host);
    follow(&found, &paths, name.as_deref().unwrap_or(host));
}

fn said(config: &HostConfig) -> Said {
    let all = |keyword: Keyword| config.all(keyword).map(<[Value]>::to_vec);
    let said = KEYWORDS.map(|keyword| (format!("{keyword:?}"), all(keyword)));
    said.into()
}

/// What a connection makes of the values.
fn follow(said: &Said, paths: &Paths, host: &str) {
    let tokens = Tokens {
        paths,
        original_host: "given".to_owned(),
        host: host.to_owned(),
        port: 22,
        user: "me".to_owned(),
        alias: None,
    };
    for (keyword, value) in said.iter().flat_map(|(keyword, values)| {
        let values = values.iter().flatten();
        values.map(move |value| (keyword.as_str(), value))
    }) {
        match keyword {
            "ConnectTimeout" => {
                let seconds = time::seconds(value.first());
                assert!(seconds.is_none_or(|seconds| (1..=i32::MAX as u64).contains(&seconds)));
            }
            "ProxyJump" => {
                let hops = JumpHost::parse_list(value.first()).unwrap_or_default();
                assert!(hops.iter().all(|hop| hop.port != Some(0)), "{hops:?}");
            }
            "ProxyCommand" => {
                let expand = |text: &str| tokens.percent(value, text);
                let _ = jumps_of_command(value, expand);
            }
            _ => {
                let _ = tokens.paths(value);
                let _ = tokens.text(value, value.first());
            }
        }
    }
}

/// The key that is looked up.
const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB9dG4kjRhQTtWTVzd2t27+t0DEHBPW7iOD23TUiYLio";

/// A `known_hosts` file, and who is looked up. A verdict names a line that there is, a revoked key is never good, and
/// comments change nothing but the numbers of lines.
pub(crate) fn known_hosts([text, who]: &[String; 2]) {
    let key = PublicKey::from_openssh(KEY).expect("a key");
    let (host, port) = who.trim().split_once(' ').unwrap_or((who, "22"));
    let names = Names::new(host, port.parse().unwrap_or(22), None);
    let folder = folder();
    let path = folder.path().join("known_hosts");
    let read = |text: String| {
        fs::write(&path, text).expect("written");
        KnownHosts::read(std::slice::from_ref(&path)).expect("it can be read")
    };
    let known = read(text.clone());
    let verdict = known.check(&names, &key);
    let revoked = known.revoked(&names, &key);
    match &verdict {
        Verdict::Revoked(place) => assert_eq!(revoked.as_ref(), Some(place)),
        Verdict::Known | Verdict::Unknown { .. } | Verdict::Changed(_) => {
            assert_eq!(revoked, None, "{verdict:?}");
        }
    }
    let lines = text.lines().count();
    if let Verdict::Revoked(place) | Verdict::Changed(place) = &verdict {
        assert!((1..=lines).contains(&place.line), "{place:?}");
    }
    let algorithms = known.algorithms(&names);
    let authorities = known.authorities(&names).len();
    assert!(algorithms.len() + authorities <= 2 * lines);

    let commented = read(format!("# a comment\n\n{text}"));
    let moved = |place: &Place| Place {
        file: PathBuf::from(&place.file),
        line: place.line + 2,
    };
    let expected = match &verdict {
        Verdict::Revoked(place) => Verdict::Revoked(moved(place)),
        Verdict::Changed(place) => Verdict::Changed(moved(place)),
        other => other.clone(),
    };
    assert_eq!(commented.check(&names, &key), expected);
    assert_eq!(commented.algorithms(&names), algorithms);
}
