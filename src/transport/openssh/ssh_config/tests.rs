use std::{fs, path::Path};

use super::*;
use crate::transport::openssh::paths::Paths;

fn paths(home: &Path) -> Paths {
    Paths {
        home: home.to_owned(),
        user: "me".to_owned(),
        agent: None,
        system_config: home.join("system"),
        system_known_hosts: Vec::new(),
    }
}

fn look_up(text: &str, host: &str) -> Result<HostConfig, ConfigProblem> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("config");
    fs::write(&path, text).expect("written");
    let file = ConfigFile {
        path,
        folder: folder.path().to_owned(),
        required: true,
    };
    evaluate(&[file], Lookup { host, user: None }, &paths(folder.path()))
}

fn value(text: &str, host: &str, keyword: Keyword) -> Option<String> {
    let config = look_up(text, host).expect("it is well-formed");
    let value = config.get(keyword).expect("it is decided");
    value.map(|value| value.words.join("|"))
}

#[test]
fn the_first_value_counts_within_a_section_and_across() {
    let text = "Host a*\n User first\n User second\nHost *\n User third\n Port 7\n";
    assert_eq!(value(text, "abc", Keyword::User).as_deref(), Some("first"));
    assert_eq!(value(text, "xyz", Keyword::User).as_deref(), Some("third"));
    assert_eq!(value(text, "abc", Keyword::Port).as_deref(), Some("7"));
}

#[test]
fn host_patterns_follow_openssh() {
    for (patterns, host, matches) in [
        ("web", "web", true),
        ("web", "web1", false),
        ("web?", "web1", true),
        ("web*", "web", true),
        ("*.example.com !db.example.com", "web.example.com", true),
        ("*.example.com !db.example.com", "db.example.com", false),
        ("!db *", "web", true),
        ("!db", "web", false),
        ("a b\tc", "c", true),
        ("\"a b\" c", "c", true),
        ("10.0.0.*", "10.0.0.7", true),
    ] {
        let text = format!("Host {patterns}\n User x\n");
        let found = value(&text, host, Keyword::User).is_some();
        assert_eq!(found, matches, "{patterns} for {host}");
    }
}

#[test]
fn lines_are_read_as_openssh_reads_them() {
    for line in [
        "UserKnownHostsFile a b",
        "userknownhostsfile  a\tb # comment",
        "USERKNOWNHOSTSFILE=a b",
        "UserKnownHostsFile = \"a\" 'b'",
        "\t UserKnownHostsFile \"a\" b\r",
    ] {
        let found = value(line, "host", Keyword::UserKnownHostsFile);
        assert_eq!(found.as_deref(), Some("a|b"), "{line}");
    }
    let quoted = value(
        "IdentityFile \"my \\\"key\\\"\"",
        "host",
        Keyword::IdentityFile,
    );
    assert_eq!(quoted.as_deref(), Some("my \"key\""));
}

#[test]
fn what_means_nothing_to_us_is_not_in_our_way() {
    let text = "AddKeysToAgent confirm\nForwardAgent $X\nServerAliveInterval 1m\nNonsense \"\n\
                UseKeychain yes\nCiphers ^aes\nLocalForward\nUser me\n";
    assert_eq!(value(text, "host", Keyword::User).as_deref(), Some("me"));
}

#[test]
fn identity_files_add_up() {
    let config = look_up(
        "IdentityFile a\nHost h\n IdentityFile b\nHost x\n IdentityFile c\nHost *\n IdentityFile d\n",
        "h",
    )
    .expect("well-formed");
    let files: Vec<_> = config
        .all(Keyword::IdentityFile)
        .expect("decided")
        .iter()
        .map(Value::first)
        .collect();
    assert_eq!(files, ["a", "b", "d"]);
}

#[test]
fn match_is_evaluated_where_it_can_be() {
    for (criteria, applies) in [
        ("all", true),
        ("final all", true),
        ("canonical all", false),
        ("host 10.0.0.1", true),
        ("host web", false),
        ("originalhost web,db", true),
        ("originalhost *,!web", false),
        ("!originalhost db", true),
        ("user deployer", true),
        ("user root", false),
        ("localuser me host 10.*", true),
        ("localuser=me", true),
        ("host other exec \"true\"", false),
        ("tagged lab", true),
        ("tagged \"l*,!other\"", true),
        ("tagged=x", false),
        ("tagged \"\"", false),
        ("!tagged lab", false),
        ("!final all", true),
        ("canonical final", true),
    ] {
        let text = format!(
            "Host *\n User deployer\n Tag lab\n HostName 10.0.0.1\nMatch {criteria}\n Port 7\nHost z\n Port 9\n"
        );
        let found = value(&text, "web", Keyword::Port).is_some();
        assert_eq!(found, applies, "{criteria}");
    }
}

#[test]
fn match_final_has_the_files_read_again_under_the_new_name() {
    let text = "Host web\n HostName %h.Example.com\n IdentityFile a\n\
                Host web.example.com\n User of-the-name\n Port 7\n\
                Match host *.example.com\n Port 8\n\
                Match canonical\n HostKeyAlias canonical\n";
    for (last, user, alias) in [
        (
            "Match final\n ConnectTimeout 5\n",
            Some("of-the-name"),
            Some("canonical"),
        ),
        ("Match !final\n ConnectTimeout 5\n", None, None),
        (
            "Match tagged x final\n ConnectTimeout 6\n",
            Some("of-the-name"),
            Some("canonical"),
        ),
    ] {
        let text = format!("{text}{last}");
        assert_eq!(
            value(&text, "web", Keyword::User).as_deref(),
            user,
            "{last}"
        );
        assert_eq!(
            value(&text, "web", Keyword::HostKeyAlias).as_deref(),
            alias,
            "{last}"
        );
        // What the first reading found stays.
        assert_eq!(
            value(&text, "web", Keyword::Port).as_deref(),
            Some("8"),
            "{last}"
        );
        let config = look_up(&text, "web").expect("well-formed");
        let files = config.all(Keyword::IdentityFile).expect("decided");
        assert_eq!(files.len(), 1, "{last}");
    }
    let without_tag = "Match tagged \"\"\n User none\nMatch tagged *\n User any\n";
    assert_eq!(
        value(without_tag, "web", Keyword::User).as_deref(),
        Some("none")
    );
}

#[test]
fn what_cannot_be_decided_is_an_error_only_when_it_decides() {
    let text = "Match exec \"on-vpn\"\n ProxyJump bastion\nMatch all\n Port 7\n";
    let config = look_up(text, "web").expect("well-formed");
    assert!(config.get(Keyword::Port).is_ok());
    let problem = config.get(Keyword::ProxyJump).expect_err("undecided");
    assert_eq!(problem.line, 2);
    assert_eq!(
        problem.reason,
        "`Match exec on-vpn` sets `proxyjump` here, and shipit does not evaluate that condition"
    );

    let before = format!("ProxyJump none\n{text}");
    assert_eq!(
        value(&before, "web", Keyword::ProxyJump).as_deref(),
        Some("none")
    );
}

#[test]
fn an_include_keeps_to_the_section_it_stands_in() {
    let folder = tempfile::tempdir().expect("a folder");
    let write =
        |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("written");
    write(
        "config",
        "Host a\n Include extra-*\n Port 1\nHost *\n User last\n",
    );
    write("extra-1", "User one\nHost b\n User never\n");
    write("extra-2", "Port 2\nInclude ~/extra-1\n");
    let file = ConfigFile {
        path: folder.path().join("config"),
        folder: folder.path().to_owned(),
        required: true,
    };
    for (host, user, port) in [("a", "one", Some("2")), ("b", "last", None)] {
        let lookup = Lookup { host, user: None };
        let config = evaluate(std::slice::from_ref(&file), lookup, &paths(folder.path()))
            .expect("well-formed");
        let first = |keyword| config.get(keyword).expect("decided").map(Value::first);
        assert_eq!(first(Keyword::User), Some(user));
        assert_eq!(first(Keyword::Port), port);
    }

    write("extra-1", "Include extra-1\n");
    let lookup = Lookup {
        host: "a",
        user: None,
    };
    let circle = evaluate(&[file], lookup, &paths(folder.path())).expect_err("a circle");
    assert_eq!(circle.reason, "files include each other in a cycle");
}

#[test]
fn an_include_finds_what_glob_3_finds() {
    let folder = tempfile::tempdir().expect("a folder");
    let write =
        |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("written");
    fs::create_dir_all(folder.path().join("conf/deeper")).expect("created");
    write("conf/.editor.swp", "User hidden\n");
    write("conf/deeper/file", "User deeper\n");
    write("conf/work", "User work\n");
    for pattern in ["conf/*", "conf/**", "con*/w?rk", "conf/deeper conf/*"] {
        write("config", &format!("Include {pattern}\n"));
        let file = ConfigFile {
            path: folder.path().join("config"),
            folder: folder.path().to_owned(),
            required: true,
        };
        let lookup = Lookup {
            host: "a",
            user: None,
        };
        let config = evaluate(&[file], lookup, &paths(folder.path())).expect("well-formed");
        let user = config.get(Keyword::User).expect("decided");
        assert_eq!(user.map(Value::first), Some("work"), "{pattern}");
    }
}

#[test]
fn mistakes_have_their_line() {
    for (text, line, reason) in [
        ("\n\nUser \"me\n", 3, "unbalanced quotes"),
        ("Host a\n Port\n", 2, "`port` has no value"),
    ] {
        let problem = look_up(text, "a").expect_err("a mistake");
        assert_eq!((problem.line, &problem.reason[..]), (line, reason));
    }
}
