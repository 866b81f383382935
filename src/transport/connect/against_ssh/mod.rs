//! The evaluation of OpenSSH's configuration against `ssh -G`, with configurations that chance writes.

mod configuration;

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        LazyLock,
        atomic::{AtomicU32, Ordering},
    },
};

use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};

use self::configuration::{Files, Question, any_files, any_question};
use super::*;
use crate::transport::openssh::ssh_config::Value;

/// What is known of a host, in a form that both sides have.
type Settings = BTreeMap<&'static str, String>;

/// The keywords that are compared.
const COMPARED: [&str; 15] = [
    "certificatefile",
    "connecttimeout",
    "globalknownhostsfile",
    "hostkeyalias",
    "hostname",
    "identitiesonly",
    "identityagent",
    "identityfile",
    "port",
    "proxycommand",
    "proxyjump",
    "stricthostkeychecking",
    "tag",
    "user",
    "userknownhostsfile",
];

const UNDECIDED: &str = "(undecided)";

/// The `ssh` that is compared with.
struct Ssh {
    program: String,
    version: (u32, u32),
    home: PathBuf,
    defaults: Settings,
}

static SSH: LazyLock<Ssh> = LazyLock::new(|| {
    let program = env::var("SHIPIT_TEST_SSH").unwrap_or_else(|_| "ssh".to_owned());
    let output = Command::new(&program).arg("-V").output();
    let output = output.unwrap_or_else(|error| {
        panic!("`{program} -V`: {error}; this test needs OpenSSH: `apt install openssh-client`")
    });
    let shown = String::from_utf8_lossy(&output.stderr).into_owned();
    let version = shown
        .strip_prefix("OpenSSH_")
        .and_then(|rest| rest.split_once('.'))
        .and_then(|(major, rest)| {
            let minor = rest.split(|c: char| !c.is_ascii_digit()).next()?;
            Some((major.parse().ok()?, minor.parse().ok()?))
        });
    let mut ssh = Ssh {
        version: version.unwrap_or_else(|| panic!("`{program} -V` is not OpenSSH's: {shown}")),
        program,
        home: PathBuf::new(),
        defaults: Settings::new(),
    };
    let question = Question::about("host");
    let defaults = ssh
        .ask(Path::new("/dev/null"), &question)
        .expect("defaults");
    let first = defaults["userknownhostsfile"].split(' ').next();
    let home = first.and_then(|file| Path::new(file).parent()?.parent());
    ssh.home = home.expect("~/.ssh/known_hosts").to_owned();
    ssh.defaults = defaults;
    ssh
});

impl Ssh {
    /// What `ssh -G` says, or why it does not.
    fn ask(&self, file: &Path, question: &Question) -> Result<Settings, String> {
        let mut command = Command::new(&self.program);
        command.arg("-G").arg("-F").arg(file);
        if let Some(user) = &question.user {
            command.args(["-l", user]);
        }
        if let Some(port) = question.port {
            command.args(["-p", &port.to_string()]);
        }
        let output = command.args([&question.host, "true"]).output();
        let output = output.expect("ssh runs");
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        let mut settings = Settings::new();
        for line in String::from_utf8_lossy(&output.stdout).lines() {
            let (name, value) = line.split_once(' ').unwrap_or((line, ""));
            let Some(name) = COMPARED.iter().find(|known| **known == name) else {
                continue;
            };
            let text: &mut String = settings.entry(name).or_default();
            if !text.is_empty() {
                text.push('\n');
            }
            text.push_str(value);
        }
        Ok(settings)
    }
}

/// What shipit says, in the words of `ssh -G`.
fn shipit(file: &Path, question: &Question) -> Result<Settings, ConnectError> {
    let settings = SshSettings {
        config_file: Some(file.to_owned()),
        user: question.user.clone(),
        port: question.port,
        ..SshSettings::default()
    };
    let paths = Paths {
        home: SSH.home.clone(),
        ..Paths::of_this_account()
    };
    let destination = Destination::resolve(&question.host, &settings, &paths)?;
    let lookup = Lookup {
        host: &question.host,
        user: question.user.as_deref(),
    };
    let config =
        evaluate(&config_files(&settings, &paths), lookup, &paths).expect("as it was resolved");
    let raw = |keyword| {
        let values = config.all(keyword).expect("decided").iter();
        let words: Vec<_> = values.map(Value::first).collect();
        words.join("\n")
    };
    // It may be undecided, where nothing depends on it.
    let tag = config.get(Keyword::Tag).map_or_else(
        |_| UNDECIDED.to_owned(),
        |tag| tag.map_or("", Value::first).to_owned(),
    );
    let joined = |paths: &[PathBuf]| {
        let paths: Vec<_> = paths
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        paths.join(" ")
    };
    let own = if config
        .get(Keyword::UserKnownHostsFile)
        .expect("decided")
        .is_some()
    {
        destination.known_hosts.len() - system_files(&config, &paths)
    } else {
        2
    };
    let (user_files, system) = destination.known_hosts.split_at(own);
    let jump = config.get(Keyword::ProxyJump).expect("decided");
    let command = config.get(Keyword::ProxyCommand).expect("decided");
    Ok(Settings::from([
        ("certificatefile", raw(Keyword::CertificateFile)),
        ("connecttimeout", raw(Keyword::ConnectTimeout)),
        ("globalknownhostsfile", joined(system)),
        (
            "hostkeyalias",
            raw(Keyword::HostKeyAlias).to_ascii_lowercase(),
        ),
        ("hostname", destination.endpoint.address),
        ("identitiesonly", raw(Keyword::IdentitiesOnly)),
        ("identityagent", raw(Keyword::IdentityAgent)),
        ("identityfile", raw(Keyword::IdentityFile)),
        ("port", destination.endpoint.port.to_string()),
        (
            "proxycommand",
            command.map_or("", |value| &value.text).to_owned(),
        ),
        ("proxyjump", jump.map_or("", |value| &value.text).to_owned()),
        ("stricthostkeychecking", raw(Keyword::StrictHostKeyChecking)),
        ("tag", tag),
        ("user", destination.endpoint.user),
        ("userknownhostsfile", joined(user_files)),
    ]))
}

fn system_files(config: &HostConfig, paths: &Paths) -> usize {
    match config.get(Keyword::GlobalKnownHostsFile).expect("decided") {
        Some(value) if value.is_none() => 0,
        Some(value) => value.words.len(),
        None => paths.system_known_hosts.len(),
    }
}

/// The same for both sides: defaults and spellings.
fn normal(mut settings: Settings) -> Settings {
    for name in COMPARED {
        let value = settings.remove(name).unwrap_or_default();
        let value = match name {
            "connecttimeout" => seconds(&value)
                .map(|seconds| seconds.to_string())
                .unwrap_or_default(),
            "identitiesonly" | "stricthostkeychecking" => match &*value.to_ascii_lowercase() {
                "yes" | "true" => "true".to_owned(),
                "no" | "false" | "off" => "false".to_owned(),
                "" => SSH.defaults[name].replace("no", "false"),
                word => word.to_owned(),
            },
            "identityfile" if value.is_empty() => SSH.defaults[name].clone(),
            "proxyjump" => {
                let text = value.split('#').next().unwrap_or_default().trim_end();
                let hops = JumpHost::parse_list(text).expect("jump hosts");
                let hops: Vec<_> = hops.iter().map(ToString::to_string).collect();
                hops.join(",")
            }
            "proxycommand" | "userknownhostsfile" | "globalknownhostsfile"
                if value.eq_ignore_ascii_case("none") =>
            {
                String::new()
            }
            // One side shows them before they are expanded.
            "globalknownhostsfile" | "identityagent" => {
                value.replace("~/", &format!("{}/", SSH.home.display()))
            }
            _ => value,
        };
        settings.insert(name, value);
    }
    settings
}

fn write(files: &Files, folder: &Path) -> PathBuf {
    for (name, text) in files.texts(folder) {
        fs::write(folder.join(name), text).expect("written");
    }
    folder.join("config")
}

/// Enough for a look at every change; `SHIPIT_TEST_SSH_CASES=20000` for a long one.
fn cases() -> u32 {
    env::var("SHIPIT_TEST_SSH_CASES").map_or(2000, |text| text.parse().expect("a number"))
}

#[test]
fn shipit_reads_what_ssh_reads() {
    let config = Config {
        cases: cases(),
        failure_persistence: None,
        ..Config::default()
    };
    let strategy = (
        any_files(SSH.version, Paths::of_this_account().user),
        any_question(),
    );
    let compared = AtomicU32::new(0);
    let outcome = TestRunner::new(config).run(&strategy, |(files, question)| {
        let folder = tempfile::tempdir().expect("a folder");
        let file = write(&files, folder.path());
        match (SSH.ask(&file, &question), shipit(&file, &question)) {
            (Ok(mut theirs), Ok(ours)) => {
                if ours["tag"] == UNDECIDED {
                    theirs.insert("tag", UNDECIDED.to_owned());
                }
                compared.fetch_add(1, Ordering::Relaxed);
                prop_assert_eq!(normal(ours), normal(theirs));
            }
            (Err(_), Err(_)) => {}
            (Ok(_), Err(error)) => prop_assert!(
                files.has_exec
                    && error
                        .to_string()
                        .contains("does not evaluate that condition"),
                "shipit refuses what ssh reads: {}",
                error
            ),
            (Err(error), Ok(_)) => {
                prop_assert!(false, "shipit reads what ssh refuses: {}", error);
            }
        }
        Ok(())
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
    // What both refuse says little.
    let compared = compared.into_inner();
    assert!(compared > cases() / 2, "{compared} of {}", cases());
}
