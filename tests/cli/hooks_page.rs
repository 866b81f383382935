//! The hooks that `docs/hooks.md` shows, each run by releases to a host of this process, with an HTTP server of this
//! process at the addresses that their environment names.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    os::unix::fs::PermissionsExt,
    sync::{Arc, Mutex},
};

use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::{
    pages,
    server::{Act, Behaviour, Server, out},
    typed::{Answer, Shell},
};

const KEY: &str = include_str!("../transport/keys/rsa");

/// The days as `date +%u` counts them.
const THURSDAY: &str = "4";
const FRIDAY: &str = "5";

/// One request.
#[derive(Debug, Clone, PartialEq)]
struct Request {
    /// `POST /path`.
    line: String,
    authorization: Option<String>,
    body: Value,
}

/// What a chat, GitHub and Grafana would be asked.
struct Web {
    port: u16,
    seen: Arc<Mutex<Vec<Request>>>,
}

impl Web {
    /// Answers each request with this status.
    fn answering(status: &'static str) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let port = listener.local_addr().expect("its address").port();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&seen);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let request = answer(stream, status);
                kept.lock().expect("not poisoned").push(request);
            }
        });
        Self { port, seen }
    }

    /// The requests since this was last asked.
    fn told(&self) -> Vec<Request> {
        std::mem::take(&mut *self.seen.lock().expect("not poisoned"))
    }
}

fn answer(stream: TcpStream, status: &str) -> Request {
    let mut reader = BufReader::new(stream);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).expect("a line");
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let header = |name: &str| {
        let mut headers = lines.iter().filter_map(|line| line.split_once(": "));
        let header = headers.find(|(it, _)| it.eq_ignore_ascii_case(name));
        header.map(|(_, value)| value.to_owned())
    };
    assert_eq!(header("content-type").as_deref(), Some("application/json"));
    let length = header("content-length").expect("a length");
    let mut body = vec![0; length.parse().expect("a number")];
    reader.read_exact(&mut body).expect("the body");
    // Before the answer: whoever gets it looks at what was seen.
    let request = Request {
        line: lines[0].trim_end_matches(" HTTP/1.1").to_owned(),
        authorization: header("authorization"),
        body: serde_json::from_slice(&body).expect("JSON"),
    };
    let body = r#"{"id": 4711}"#;
    let length = body.len();
    let head =
        format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    let mut stream = reader.into_inner();
    stream
        .write_all((head + body).as_bytes())
        .expect("answered");
    request
}

/// What every hook of the page says, from the first `[[hooks]]` of a block to its end.
fn hooks() -> String {
    let pages = pages::pages();
    let page = pages.iter().find(|page| page.name == "docs/hooks.md");
    let blocks = pages::blocks(page.expect("the page"));
    let blocks = blocks.iter().filter(|block| block.kind == "toml");
    let of_block = |block: &pages::Block| {
        let lines = block.lines.iter();
        let lines = lines.skip_while(|line| *line != "[[hooks]]");
        let lines: Vec<_> = lines.map(String::as_str).collect();
        lines.join("\n") + "\n"
    };
    let hooks: String = blocks.map(of_block).collect();
    // Another one is to be tried here, too.
    assert_eq!(hooks.matches("[[hooks]]").count(), 4, "{hooks}");
    hooks
}

/// A project whose recipe does what `does` says, with the page's hooks.
struct Project {
    shell: Shell,
    _server: Server,
    _runtime: Runtime,
}

impl Project {
    fn new() -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let script = |command: &str| {
            let prints = |text: &str| vec![out(text), Act::Status(0)];
            match command {
                _ if command.starts_with("printf ") => vec![Act::Shell],
                _ if command.starts_with("docker info ") => prints(r#"{"ServerVersion": "28"}"#),
                _ if command.contains("inspect") => prints("[]"),
                _ if command.contains("flock") => vec![out("held private\n"), Act::Stall],
                "sh -c breaks" => vec![Act::Status(1)],
                _ => prints(""),
            }
        };
        let behaviour = Behaviour::new(&KEY.parse().expect("a key")).script(script);
        let server = runtime.block_on(behaviour.start());
        let (port, key) = (server.port, server.host_key.to_openssh().expect("a key"));
        let hooks = hooks();
        let shell = Shell::new(&[
            (
                "inventory/staging.toml",
                &format!(
                    "recipes = [\"web\"]\n[hosts]\nweb-1 = {{ address = \"127.0.0.1\", port = {port} }}\n{hooks}"
                ),
            ),
            (".ssh/known_hosts", &format!("[127.0.0.1]:{port} {key}\n")),
            (".ssh/id_rsa", KEY),
            (".ssh/config", "Host 127.0.0.1\n  User deploy\n"),
            (
                "bin/date",
                "#!/bin/sh\ntest \"$1\" = +%u && echo \"$DAY\"\n",
            ),
        ]);
        let executable = fs::Permissions::from_mode(0o755);
        fs::set_permissions(shell.path().join("bin/date"), executable).expect("set");
        Self {
            shell,
            _server: server,
            _runtime: runtime,
        }
    }

    /// Deploys a recipe that runs this on the host.
    fn deploy(&self, runs: &str, day: &str, web: &Web) -> Answer {
        self.shell.write(
            "recipes/web.toml",
            &format!("hosts = \"all\"\ncommands = [{{ run = \"{runs}\" }}]\n"),
        );
        let path = std::env::var("PATH").expect("it is set");
        let url = |path: &str| format!("http://127.0.0.1:{}{path}", web.port);
        let mut command = self.shell.command(&["deploy", "staging", "-m", "cart"]);
        command
            .env(
                "PATH",
                format!("{}/bin:{path}", self.shell.path().display()),
            )
            .env("DAY", day)
            .env("CHAT_WEBHOOK", url("/hooks/chat"))
            .env("GITHUB_API_URL", url("/github"))
            .env("GITHUB_REPOSITORY", "acme/shop")
            .env("GITHUB_SHA", "0a1b2c3d")
            .env("GITHUB_TOKEN", "of-github")
            .env("GRAFANA_URL", url("/grafana"))
            .env("GRAFANA_TOKEN", "of-grafana");
        self.shell.answer(&mut command)
    }

    /// Whether the deployment that GitHub was told of waits for its end.
    fn is_deployment_open(&self) -> bool {
        self.shell.path().join(".shipit/github-deployment").exists()
    }
}

/// The text of a release, without its time and its account.
#[track_caller]
fn text(request: &Request) -> String {
    let text = request.body["text"].as_str().expect("a text");
    let words: Vec<_> = text.split(' ').collect();
    let plain = words.iter().map(|word| match *word {
        word if word.starts_with("alice@") => "WHO",
        word if word.ends_with("s:")
            || word.ends_with('s') && word.starts_with(char::is_numeric) =>
        {
            "TIME"
        }
        word => word,
    });
    plain.collect::<Vec<_>>().join(" ")
}

fn lines(told: &[Request]) -> Vec<&str> {
    told.iter().map(|request| &*request.line).collect()
}

const CHAT: &str = "POST /hooks/chat";
const DEPLOYMENTS: &str = "POST /github/repos/acme/shop/deployments";
const STATUSES: &str = "POST /github/repos/acme/shop/deployments/4711/statuses";
const ANNOTATIONS: &str = "POST /grafana/api/annotations";

#[test]
fn a_release_that_succeeds_is_told_to_all() {
    let (project, web) = (Project::new(), Web::answering("201 Created"));
    let answer = project.deploy("true", THURSDAY, &web);
    assert_eq!(answer.code, Some(0), "{}", answer.shown());
    assert!(!answer.shown().contains("warning"), "{}", answer.shown());
    let told = web.told();
    let expected = [DEPLOYMENTS, STATUSES, CHAT, STATUSES, ANNOTATIONS];
    assert_eq!(lines(&told), expected, "{told:#?}");
    let [deployment, begins, chat, ends, annotation] = &told[..] else {
        panic!("{told:#?}");
    };

    assert_eq!(
        deployment.authorization.as_deref(),
        Some("Bearer of-github")
    );
    assert_eq!(deployment.body["ref"], "0a1b2c3d");
    assert_eq!(deployment.body["environment"], "staging");
    assert_eq!(deployment.body["auto_merge"], false);
    assert_eq!(deployment.body["required_contexts"], json!([]));
    let description = deployment.body["description"].as_str().expect("a text");
    assert!(
        description.starts_with("deploy r1 of staging by alice@"),
        "{description}"
    );
    assert_eq!(begins.body, json!({"state": "in_progress"}));
    assert_eq!(ends.body, json!({"state": "success"}));
    assert!(!project.is_deployment_open());

    assert_eq!(chat.authorization, None);
    assert_eq!(
        text(chat),
        "deploy r1 of staging by WHO succeeded after TIME web"
    );
    assert_eq!(
        annotation.authorization.as_deref(),
        Some("Bearer of-grafana")
    );
    assert_eq!(
        annotation.body["tags"],
        json!(["deploy", "staging", "succeeded"])
    );
    assert_eq!(text(annotation), text(chat));
}

#[test]
fn a_release_that_fails_is_a_deployment_that_failed() {
    let (project, web) = (Project::new(), Web::answering("201 Created"));
    let answer = project.deploy("breaks", THURSDAY, &web);
    assert_ne!(answer.code, Some(0), "{}", answer.shown());
    let told = web.told();
    let states: Vec<_> = told.iter().map(|request| &request.body["state"]).collect();
    assert!(states.contains(&&json!("in_progress")), "{told:#?}");
    assert!(states.contains(&&json!("failure")), "{told:#?}");
    assert!(lines(&told).contains(&CHAT), "{told:#?}");
    assert!(!project.is_deployment_open());
}

#[test]
fn on_fridays_nothing_is_changed_and_the_chat_hears_of_it() {
    let (project, web) = (Project::new(), Web::answering("201 Created"));
    let answer = project.deploy("true", FRIDAY, &web);
    assert_eq!(answer.code, Some(2), "{}", answer.shown());
    assert!(
        answer.stderr.contains("no deploys on Fridays"),
        "{}",
        answer.shown()
    );
    // The hook for GitHub comes after it, so no deployment was begun that would have to end.
    let told = web.told();
    assert_eq!(lines(&told), [CHAT], "{told:#?}");
    assert!(text(&told[0]).contains("failed"), "{told:#?}");
}

#[test]
fn a_service_that_fails_costs_no_release() {
    let (project, web) = (Project::new(), Web::answering("500 Internal Server Error"));
    let answer = project.deploy("true", THURSDAY, &web);
    assert_eq!(answer.code, Some(0), "{}", answer.shown());
    let warnings = answer.stderr.matches("warning: a hook for `succeeded`");
    assert_eq!(warnings.count(), 2, "{}", answer.shown());
    assert!(
        answer.stderr.contains("500"),
        "curl says why: {}",
        answer.shown()
    );
    // No deployment was made, so there is none whose end GitHub could be told.
    assert_eq!(lines(&web.told()), [DEPLOYMENTS, CHAT, ANNOTATIONS]);
}
