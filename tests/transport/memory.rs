//! The memory of a run in which one host of ten says more than anybody can use. The hosts are in this process, the run
//! is one of its own.

use std::{
    fmt::Write as _,
    fs,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use crate::{
    home::Home,
    server::{Act, Behaviour, out},
};

/// The most that a run may take, whatever hosts send.
const MOST_MB: usize = 100;

const MB: usize = 1_000_000;

/// What the tenth host prints for a command with this word.
type Flood = (&'static str, Vec<Act>);

/// What a run with nine hosts and a tenth one that floods it came to.
struct Ran {
    code: Option<i32>,
    shown: String,
    peak_mb: usize,
}

/// Runs a line where the tenth host prints more than it should.
async fn run(line: &str, (word, flood): Flood) -> Ran {
    let home = Home::new();
    let mut hosts = String::new();
    let mut servers = Vec::new();
    for number in 1..=10 {
        let flood = (number == 10).then(|| flood.clone());
        let script = move |command: &str| match &flood {
            Some(flood) if command.contains(word) => flood.clone(),
            // The question whether the login shell passes words on.
            _ if command.starts_with("printf ") => vec![Act::Shell],
            // A host without anything: no names, no containers, no volumes.
            _ if command.contains("inspect") => vec![out("[]\n"), Act::Status(0)],
            _ => vec![Act::Status(0)],
        };
        let server = Behaviour::new(&home.key).script(script).start().await;
        home.know(&server);
        let port = server.port;
        let _ = writeln!(
            hosts,
            "host-{number} = {{ address = \"127.0.0.1\", port = {port} }}"
        );
        servers.push(server);
    }
    for folder in ["inventory", "recipes"] {
        fs::create_dir(home.path(folder)).unwrap();
    }
    let known = home.path(".ssh/known_hosts").display().to_string();
    let key = home.path(".ssh/id_ed25519").display().to_string();
    home.write(
        "inventory/staging.toml",
        &format!(
            "default = true\nrecipes = [\"web\"]\n[hosts]\n{hosts}[ssh]\nuser = \"deployer\"\n\
             identity_file = \"{key}\"\nknown_hosts_file = \"{known}\"\n"
        ),
    );
    home.write(
        "recipes/web.toml",
        "hosts = \"all\"\n[container]\nimage = \"web\"\n",
    );
    let shown = fs::File::create(home.path("shown")).unwrap();
    let child = Command::new(env!("CARGO_BIN_EXE_shipit"))
        .args(line.split(' '))
        .current_dir(home.path(""))
        .env("HOME", home.path(""))
        .env_remove("SSH_AUTH_SOCK")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(shown)
        .spawn()
        .unwrap();
    let (code, peak_mb) = tokio::task::spawn_blocking(|| follow(child)).await.unwrap();
    let shown = home.read("shown");
    println!("{line}: {peak_mb} MB, {code:?}");
    Ran {
        code,
        shown,
        peak_mb,
    }
}

/// Waits for a process; how it ended, and the most memory that it had. The kernel's own count only grows, so it
/// is enough to look now and then.
fn follow(mut child: Child) -> (Option<i32>, usize) {
    let peak = Arc::new(AtomicUsize::new(0));
    let status = format!("/proc/{}/status", child.id());
    loop {
        let status = fs::read_to_string(&status).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok());
        peak.fetch_max(kib.unwrap_or(0), Ordering::Relaxed);
        if let Some(ended) = child.try_wait().unwrap() {
            return (ended.code(), peak.load(Ordering::Relaxed) / 1000);
        }
        thread::sleep(Duration::from_millis(2));
    }
}

#[track_caller]
fn stays_small(ran: &Ran) {
    assert!(
        ran.peak_mb < MOST_MB,
        "{} MB: {}",
        ran.peak_mb,
        ran.shown.chars().take(2000).collect::<String>()
    );
}

/// Only the host that says too much is left out. (It says why, or that there was no answer in time: that depends on how
/// fast the machine is.)
#[track_caller]
fn others_are_shown(ran: &Ran) {
    assert_eq!(ran.code, Some(0), "{}", ran.shown);
    assert_eq!(
        ran.shown.matches(": left out: ").count(),
        1,
        "{}",
        ran.shown
    );
    assert!(ran.shown.contains("host-10: left out: "), "{}", ran.shown);
}

/// What has no end, one piece after the other.
fn flood(piece: &str, bytes: usize) -> Vec<Act> {
    let piece = piece.repeat(32_000 / piece.len());
    let times = bytes / piece.len();
    vec![Act::Flood(piece.into_bytes(), times), Act::Status(0)]
}

const LISTS_CONTAINERS: &str = "inspect --type container";

#[tokio::test(flavor = "multi_thread")]
async fn a_docker_that_says_too_much_fails_its_own_host_alone() {
    for piece in ["x", "a line\n", "\u{1b}[31m"] {
        let ran = run("status staging", (LISTS_CONTAINERS, flood(piece, 300 * MB))).await;
        stays_small(&ran);
        others_are_shown(&ran);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_just_short_enough_to_be_read_does_not_fill_the_memory() {
    let container = r#"{"Id":"c","Name":"/w","Image":"s","State":{"Status":"running","Running":true},"Config":{},"HostConfig":{}},"#;
    for piece in [container, "{},", "[],", "\n", "\"\",", "\u{e9}"] {
        let mut acts = flood(piece, 16 * MB);
        acts.insert(0, out("["));
        let ran = run("status staging", (LISTS_CONTAINERS, acts)).await;
        stays_small(&ran);
        others_are_shown(&ran);
    }
    // No text at all, in all that docker prints.
    let bytes = vec![
        Act::Flood(vec![0xff; 32_000], 16 * MB / 32_000),
        Act::Status(0),
    ];
    stays_small(&run("status staging", ("docker", bytes)).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_command_complains_of_is_kept_in_part() {
    for piece in [b"x", b"\n"] {
        let acts = vec![
            Act::FloodErr(piece.repeat(32_000), 40 * MB / 32_000),
            Act::Status(1),
        ];
        let ran = run("status staging", ("docker ps", acts)).await;
        stays_small(&ran);
        others_are_shown(&ran);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_users_command_prints_goes_through_without_being_kept() {
    for acts in [
        flood("x", 64 * MB),
        flood("a line of output, as programs print many\n", 6 * MB),
        vec![
            Act::FloodErr(vec![b'x'; 32_000], 64 * MB / 32_000),
            Act::Status(0),
        ],
    ] {
        let ran = run("exec staging -- many", ("many", acts)).await;
        stays_small(&ran);
        assert_eq!(ran.code, Some(0), "{}", ran.shown);
    }
}
