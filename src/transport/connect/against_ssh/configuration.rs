//! Configurations by chance: each line is likely enough to matter that a difference shows.

use std::path::Path;

use proptest::{collection::vec, option, prelude::*, sample::select, strategy::Union};

/// The main file and those it may include.
#[derive(Debug, Clone)]
pub(super) struct Files {
    texts: Vec<String>,
    /// Whether some condition can only be told by running it.
    pub(super) has_exec: bool,
}

const NAMES: [&str; 4] = ["config", "included-1", "included-2", "included-3"];

impl Files {
    /// Their names and texts. An `Include` names a folder that is known only now.
    pub(super) fn texts(&self, folder: &Path) -> impl Iterator<Item = (&'static str, String)> {
        let folder = folder.display().to_string();
        let texts = self.texts.iter();
        let texts = texts.map(move |text| text.replace("FOLDER", &folder));
        NAMES.into_iter().zip(texts)
    }
}

/// What `ssh` is asked about.
#[derive(Debug, Clone)]
pub(super) struct Question {
    pub(super) host: String,
    pub(super) user: Option<String>,
    pub(super) port: Option<u16>,
}

impl Question {
    pub(super) fn about(host: &str) -> Self {
        Self {
            host: host.to_owned(),
            user: None,
            port: None,
        }
    }
}

pub(super) fn any_question() -> impl Strategy<Value = Question> {
    let host = select(vec![
        "web",
        "WEB",
        "db",
        "web.example.com",
        "10.0.0.1",
        "fe80::1",
    ]);
    let user = option::weighted(0.3, Just("deployer".to_owned()));
    let port = option::weighted(0.2, Just(2222));
    (host, user, port).prop_map(|(host, user, port)| Question {
        user,
        port,
        ..Question::about(host)
    })
}

pub(super) fn any_files(version: (u32, u32), local_user: String) -> impl Strategy<Value = Files> {
    let line = move |depth: usize| any_line(version, local_user.clone(), depth);
    let texts = (
        vec(line(0), 0..16),
        vec(line(1), 0..6),
        vec(line(2), 0..6),
        vec(line(3), 0..6),
        any_end(),
    );
    texts.prop_map(|(config, first, second, third, end)| {
        let texts: Vec<_> = [config, first, second, third]
            .iter()
            .map(|lines| lines.join(end))
            .collect();
        Files {
            has_exec: texts.iter().any(|text| text.contains("exec ")),
            texts,
        }
    })
}

fn any_end() -> impl Strategy<Value = &'static str> {
    prop_oneof![9 => Just("\n"), 1 => Just("\r\n")]
}

fn any_line(
    version: (u32, u32),
    local_user: String,
    depth: usize,
) -> impl Strategy<Value = String> {
    let kind = prop_oneof![
        4 => any_host_line().boxed(),
        5 => any_match_line(version, local_user).boxed(),
        14 => any_setting(version).boxed(),
        2 => any_include(depth).boxed(),
        2 => any_noise().boxed(),
    ];
    let indent = select(vec!["", "", " ", "\t", "  \t"]);
    let tail = prop_oneof![8 => Just(""), 1 => Just("  "), 1 => Just("\t"), 1 => Just("\x0c")];
    (indent, kind, tail).prop_map(|(indent, line, tail)| {
        // A form feed alone would be a keyword.
        let tail = if line.is_empty() { "" } else { tail };
        format!("{indent}{line}{tail}")
    })
}

/// A keyword and what stands between it and its value.
fn spelled(keyword: &'static str) -> impl Strategy<Value = String> {
    let keyword = prop_oneof![
        6 => Just(keyword.to_owned()),
        1 => Just(keyword.to_ascii_lowercase()),
        1 => Just(keyword.to_ascii_uppercase()),
    ];
    let between = prop_oneof![8 => Just(" "), 1 => Just("="), 1 => Just(" = "), 1 => Just("\t \t")];
    (keyword, between).prop_map(|(keyword, between)| format!("{keyword}{between}"))
}

fn any_host_line() -> impl Strategy<Value = String> {
    let pattern = select(vec![
        "web",
        "web*",
        "w?b",
        "*",
        "*",
        "!web",
        "!db",
        "!*.example.com",
        "*.example.com",
        "WEB",
        "\"web\"",
        "'db'",
        "\"!web\"",
        "10.0.0.*",
        "fe80::*",
        "web.example.com",
        "w\\eb",
        "db,web",
        "**",
        "?*",
        "w*b*",
        "'we\\'b'",
    ]);
    let comment = prop_oneof![8 => Just(""), 1 => Just(" # web"), 1 => Just(" #")];
    (spelled("Host"), vec(pattern, 1..4), comment).prop_map(|(keyword, patterns, comment)| {
        format!("{keyword}{}{comment}", patterns.join(" "))
    })
}

fn any_match_line(version: (u32, u32), local_user: String) -> impl Strategy<Value = String> {
    let mut criteria = vec![
        "host web",
        "host WEB,10.*",
        "host *.example.com",
        "!host db",
        "host \"web,db\"",
        "originalhost web",
        "originalhost=w*",
        "!originalhost WEB",
        "originalhost *,!db",
        "user deployer",
        "user root",
        "!user deployer",
        "user=*",
        "User d?ployer,first",
        "localuser nobody",
        "localuser LOCAL",
        "!localuser LOCAL",
        "localuser *,!LOCAL",
        "final",
        "final",
        "canonical",
        "!canonical",
        "FINAL",
        "exec true",
        "exec false",
        "!exec true",
        "host \"web\"",
        "host !web",
        "host !web,*",
        "originalhost \"*\"",
    ];
    // It first appeared in 9.4, and 9.9 began to compare empty arguments.
    if version >= (9, 9) {
        criteria.extend(["tagged \"\"", "!tagged \"\""]);
    }
    if version >= (9, 4) {
        criteria.extend([
            "tagged lab",
            "tagged l*,!live",
            "!tagged live",
            "tagged=lab",
            "tagged *",
        ]);
    }
    if version >= (10, 1) {
        criteria.extend(["!final"]);
    }
    let several = vec(select(criteria), 1..4).prop_map(|criteria| criteria.join(" "));
    let alone = select(vec![
        "all",
        "!all",
        "final all",
        "canonical all",
        "!canonical all",
        "all # web",
        "ALL",
    ]);
    let wrong = select(vec!["host", "all host web", "host web final all", "", "#"]);
    let criteria = prop_oneof![
        12 => several.boxed(),
        3 => alone.prop_map(str::to_owned).boxed(),
        1 => wrong.prop_map(str::to_owned).boxed(),
    ];
    (spelled("Match"), criteria)
        .prop_map(move |(keyword, criteria)| keyword + &criteria.replace("LOCAL", &local_user))
}

type Table = &'static [(&'static str, &'static [&'static str])];

const SETTINGS: Table = &[
    (
        "HostName",
        &[
            "10.0.0.1",
            "%h.example.com",
            "web",
            "Web.Example.com",
            "%h",
            "%%h",
            "fe80::1",
            "db",
        ],
    ),
    (
        "User",
        &[
            "deployer",
            "root",
            "first",
            "\"the user\"",
            "'d'eploy\"er\"",
            "a\\ b",
            "a#b",
            "a\\\\b",
            "\\\"",
            "\"a\\ b\"",
        ],
    ),
    ("Port", &["22", "2222", "022", "\"80\""]),
    (
        "IdentityFile",
        &[
            "~/.ssh/a",
            "~/.ssh/b",
            "\"~/my key\"",
            "%d/%u-%h",
            "none",
            "/a",
            "/a",
            "a\\tb",
            "${HOME}/k",
        ],
    ),
    (
        "CertificateFile",
        &["~/.ssh/a-cert.pub", "/b", "/b", "'c d'"],
    ),
    ("IdentitiesOnly", &["yes", "no", "YES", "true", "False"]),
    (
        "IdentityAgent",
        &["none", "SSH_AUTH_SOCK", "$HOME", "~/sock", "\"/a b\""],
    ),
    ("HostKeyAlias", &["Prod", "web", "%n"]),
    (
        "ProxyJump",
        &[
            "none",
            "NONE",
            "bastion",
            "me@bastion:2222",
            "a,b",
            "ssh://me@a:1,b",
            "[fe80::9]:23",
            "10.9.9.9",
            "j-%h",
            "bastion # b",
        ],
    ),
    (
        "ProxyCommand",
        &["none", "ssh -W %h:%p bastion", "ssh bastion -qW '[%h]:%p'"],
    ),
    ("ConnectTimeout", &["5", "1m", "1h30m", "none", "0", "1M1s"]),
    (
        "UserKnownHostsFile",
        &[
            "~/known",
            "/a /b",
            "\"/a b\" '/c'",
            "none",
            "/k/%h-%n-%p-%r-%u-%%-%k-%d",
            "/dev/null",
        ],
    ),
    (
        "GlobalKnownHostsFile",
        &["/etc/known", "~/known /etc/%h", "none"],
    ),
    (
        "StrictHostKeyChecking",
        &["yes", "no", "ask", "accept-new", "off", "Accept-New"],
    ),
];

/// Those that are wrong, in one way or the other. They end the comparison, so they are rare.
const MISTAKES: Table = &[
    (
        "User",
        &["two words", "\"open", "'open", "\"\"", "#none", "", "it's"],
    ),
    ("UserKnownHostsFile", &["/a \"\"", "/a \"/b", "\"/a' /b"]),
];

const TAGS: Table = &[("Tag", &["lab", "live", "\"lab\"", "Lab", "lab"])];

const EXPANDED_USERS: Table = &[("User", &["%h-admin", "%u", "${HOME}"])];

fn any_setting(version: (u32, u32)) -> impl Strategy<Value = String> {
    let mut settings = SETTINGS.to_vec();
    if version >= (9, 4) {
        settings.extend([TAGS, TAGS].concat());
    }
    if version >= (10, 0) {
        settings.extend(EXPANDED_USERS);
    }
    // Later versions let a `ProxyCommand` count below `ProxyJump none`, against their manual.
    let is_left_out = move |keyword: &str, value: &str| {
        version >= (10, 0) && keyword == "ProxyJump" && value.eq_ignore_ascii_case("none")
    };
    let one_of = move |(keyword, values): (&'static str, &[&'static str])| {
        let values = values.iter().copied();
        let values: Vec<_> = values
            .filter(|value| !is_left_out(keyword, value))
            .collect();
        let setting = (spelled(keyword), select(values));
        setting.prop_map(|(keyword, value)| keyword + value).boxed()
    };
    let settings = Union::new(settings.into_iter().map(one_of));
    let mistakes = Union::new(MISTAKES.iter().copied().map(one_of));
    let setting = prop_oneof![240 => settings, 1 => mistakes];
    let comment = prop_oneof![12 => Just(""), 1 => Just(" # a comment")];
    (setting, comment).prop_map(|(setting, comment)| {
        // A command goes on to the end of its line.
        if setting.to_ascii_lowercase().starts_with("proxy") {
            setting
        } else {
            setting + comment
        }
    })
}

fn any_include(depth: usize) -> impl Strategy<Value = String> {
    let names = match depth {
        0 => vec![
            "FOLDER/included-1",
            "FOLDER/included-[12]",
            "FOLDER/included-*",
            "FOLDER/included-3 FOLDER/included-2",
            "\"FOLDER/included-1\"",
            "FOLDER/missing",
        ],
        1 => vec!["FOLDER/included-2", "FOLDER/included-[23]"],
        2 => vec!["FOLDER/included-3", "FOLDER/*-3"],
        _ => vec!["FOLDER/missing-*"],
    };
    (spelled("Include"), select(names)).prop_map(|(keyword, name)| keyword + name)
}

/// What means nothing to a deployer.
fn any_noise() -> impl Strategy<Value = String> {
    select(vec![
        "",
        "# Host web",
        "#",
        "ServerAliveInterval 15",
        "ForwardAgent yes",
        "SendEnv LANG LC_*",
        "Compression=yes",
        "LogLevel ERROR",
        "ControlPath none",
        "RequestTTY no",
        "AddKeysToAgent confirm",
        "HashKnownHosts yes",
        "CanonicalizeHostname no",
    ])
    .prop_map(str::to_owned)
}
