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

#[test]
fn each_keyword_is_read_by_its_name_and_takes_one_word_or_several() {
    // Whether several words are a mistake; `ssh -G` takes them for the others.
    let keywords = [
        ("CanonicalizeHostname", Keyword::CanonicalizeHostname, true),
        ("CertificateFile", Keyword::CertificateFile, true),
        ("ConnectTimeout", Keyword::ConnectTimeout, true),
        ("GlobalKnownHostsFile", Keyword::GlobalKnownHostsFile, false),
        ("HostKeyAlias", Keyword::HostKeyAlias, true),
        ("HostName", Keyword::HostName, true),
        ("IdentitiesOnly", Keyword::IdentitiesOnly, true),
        ("IdentityAgent", Keyword::IdentityAgent, true),
        ("IdentityFile", Keyword::IdentityFile, true),
        ("KnownHostsCommand", Keyword::KnownHostsCommand, false),
        ("Port", Keyword::Port, true),
        ("ProxyCommand", Keyword::ProxyCommand, false),
        ("ProxyJump", Keyword::ProxyJump, false),
        ("RevokedHostKeys", Keyword::RevokedHostKeys, false),
        (
            "StrictHostKeyChecking",
            Keyword::StrictHostKeyChecking,
            true,
        ),
        ("Tag", Keyword::Tag, true),
        ("User", Keyword::User, true),
        ("UserKnownHostsFile", Keyword::UserKnownHostsFile, false),
    ];
    for (name, keyword, takes_one) in keywords {
        let found = value(&format!("{name} no\n"), "host", keyword);
        assert_eq!(found.as_deref(), Some("no"), "{name}");
        let several = look_up(&format!("{name} no no\n"), "host");
        let reason = several.err().map(|problem| problem.reason);
        let expected = format!("`{}` takes one value", name.to_ascii_lowercase());
        assert_eq!(reason, takes_one.then_some(expected), "{name}");
    }
}

#[test]
fn of_a_jump_and_a_command_the_first_counts_and_none_is_no_timeout() {
    let text = "ProxyJump a\nProxyCommand nc\n";
    assert_eq!(value(text, "host", Keyword::ProxyCommand), None);
    let text = "ProxyCommand nc\nProxyJump a\n";
    assert_eq!(value(text, "host", Keyword::ProxyJump), None);
    let text = "ConnectTimeout none\nConnectTimeout 5\n";
    let timeout = value(text, "host", Keyword::ConnectTimeout);
    assert_eq!(timeout.as_deref(), Some("5"));
    let named = look_up("ProxyJump NONE\n", "host").expect("well-formed");
    let jump = named.get(Keyword::ProxyJump).expect("decided");
    assert!(jump.is_some_and(Value::is_none));
    let named = look_up("ProxyJump none,a\n", "host").expect("well-formed");
    let jump = named.get(Keyword::ProxyJump).expect("decided");
    assert!(jump.is_some_and(|value| !value.is_none()));
}

#[test]
fn a_value_of_both_readings_is_there_once_and_a_name_is_fixed_by_the_first() {
    let text = "Match final\n User final\nMatch all\n IdentityFile a\n IdentityFile b\n";
    let config = look_up(text, "host").expect("well-formed");
    let files = config.all(Keyword::IdentityFile).expect("decided");
    let files: Vec<_> = files.iter().map(Value::first).collect();
    assert_eq!(files, ["a", "b"]);
    let text = "Match final\n HostName other\n";
    let config = look_up(text, "host").expect("well-formed");
    assert_eq!(config.host_name("host").expect("decided"), "host");
}

#[test]
fn names_are_not_made_canonical_and_addresses_are_already() {
    for (value, host, is_fine) in [
        ("no", "web", true),
        ("FALSE", "web", true),
        ("none", "web", true),
        ("yes", "10.0.0.1", true),
        ("always", "fd88::1", true),
        ("yes", "web", false),
    ] {
        let text = format!("CanonicalizeHostname {value}\nMatch final\n User final\n");
        let found = look_up(&text, host);
        assert_eq!(found.is_ok(), is_fine, "{value} for {host}");
    }
    // What would be canonical is read twice.
    let text = "CanonicalizeHostname yes\nMatch canonical\n User canonical\n";
    let user = value(text, "10.0.0.1", Keyword::User);
    assert_eq!(user.as_deref(), Some("canonical"));
    let text = "Match sessiontype exec\n User x\n";
    assert_eq!(value(text, "host", Keyword::User).as_deref(), Some("x"));
}

#[test]
fn match_all_stands_alone_or_after_one_other() {
    for (criteria, is_fine) in [
        ("all", true),
        ("final all", true),
        ("host a all", true),
        ("host a final all", false),
        ("all host a", false),
        ("all all", false),
    ] {
        let found = look_up(&format!("Match {criteria}\n User x\n"), "host");
        assert_eq!(found.is_ok(), is_fine, "{criteria}");
    }
}

#[test]
fn a_file_that_must_be_there_is_missed_and_others_are_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = folder.path();
    fs::create_dir(home.join("folder")).expect("made");
    fs::write(home.join("closed"), "User x\n").expect("written");
    let evaluated = |name: &str, required: bool| {
        let file = ConfigFile {
            path: home.join(name),
            folder: home.to_owned(),
            required,
        };
        let lookup = Lookup {
            host: "host",
            user: None,
        };
        evaluate(&[file], lookup, &paths(home)).is_ok()
    };
    let of = |name: &str| [evaluated(name, false), evaluated(name, true)];
    assert_eq!(of("absent"), [true, false]);
    assert_eq!(of("folder"), [true, false]);
    assert_eq!(of("closed"), [true, true]);
    // What is there and cannot be read is an error in any case: below a file there is nothing.
    assert_eq!(of("closed/x"), [false, false]);
}

#[test]
fn includes_may_be_sixteen_deep() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = folder.path();
    for number in 0..18 {
        let text = match number {
            17 => "User deep\n".to_owned(),
            _ => format!("Include {}\n", number + 1),
        };
        fs::write(home.join(number.to_string()), text).expect("written");
    }
    let user = |first: usize| {
        let file = ConfigFile {
            path: home.join(first.to_string()),
            folder: home.to_owned(),
            required: true,
        };
        let lookup = Lookup {
            host: "host",
            user: None,
        };
        let config = evaluate(&[file], lookup, &paths(home));
        let config = config.map_err(|problem| problem.reason)?;
        let user = config.get(Keyword::User).expect("decided");
        Ok(user.map(|value| value.first().to_owned()))
    };
    assert_eq!(user(1), Ok(Some("deep".to_owned())));
    let cycle = "files include each other in a cycle".to_owned();
    assert_eq!(user(0), Err(cycle));
}

#[test]
fn a_token_in_an_include_is_an_error_where_the_section_may_apply() {
    for (text, is_fine) in [
        ("Include %h\n", false),
        ("Include ${HOME}/x\n", false),
        ("Host other\n Include %h\n", true),
        ("Host other\n Include ${HOME}/x\n", true),
    ] {
        assert_eq!(look_up(text, "host").is_ok(), is_fine, "{text}");
    }
}

#[test]
fn comments_and_blanks_are_no_lines_and_backslashes_escape_what_is_special() {
    for (line, words) in [
        ("   ", None),
        ("# UserKnownHostsFile a", None),
        ("UserKnownHostsFile a\\ b", Some("a b")),
        ("UserKnownHostsFile \"a\\ b\"", Some("a\\ b")),
        ("UserKnownHostsFile a\\\"b", Some("a\"b")),
        ("UserKnownHostsFile a\\nb", Some("a\\nb")),
        ("\"UserKnownHostsFile\" a", Some("a")),
        ("UserKnownHostsFile=a", Some("a")),
        ("UserKnownHostsFile\"a\"", Some("a")),
    ] {
        let found = value(line, "host", Keyword::UserKnownHostsFile);
        assert_eq!(found.as_deref(), words, "{line}");
    }
}

#[test]
fn a_pipe_or_a_device_is_never_waited_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let pipe = folder.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.expect("mkfifo").success());
    let including = folder.path().join("including");
    fs::write(&including, "Include pipe\n").expect("written");
    for (path, reason) in [
        (&*pipe, Some("it is no regular file")),
        (&including, Some("it is no regular file")),
        (Path::new("/dev/zero"), Some("it is no regular file")),
        // People name it to have no configuration.
        (Path::new("/dev/null"), None),
    ] {
        let file = ConfigFile {
            path: path.to_owned(),
            folder: folder.path().to_owned(),
            required: true,
        };
        let lookup = Lookup {
            host: "web",
            user: None,
        };
        let problem = evaluate(&[file], lookup, &paths(folder.path())).err();
        let found = problem.map(|problem| problem.reason);
        assert_eq!(found.as_deref(), reason, "{}", path.display());
    }
}
