//! An independent observer: what is on the hosts, in Consul and in the balancer, held against what a deploy said
//! of them. It uses none of shipit's code, and goes to the hosts by another way.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::outside;
use crate::lab::{APPS, HOST_3, HOSTS};

/// The app, the one recipe that Consul and the balancer know.
pub const APP: &str = "flask-nanoservice";

/// A container of shipit's.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Container {
    id: String,
    name: String,
    recipe: String,
    release: String,
    /// The version of the app that its image is.
    version: String,
    runs: bool,
    ports: Vec<String>,
}

/// What there is.
#[derive(Debug)]
pub struct Seen {
    /// The containers of an environment on each host, or why docker there does not say.
    hosts: BTreeMap<&'static str, Result<Vec<Container>, String>>,
    /// Whether a deployer can log in and have docker answer.
    open: BTreeMap<&'static str, bool>,
    /// The addresses of the app that pass in Consul; `None` when no agent says.
    passing: Option<BTreeSet<String>>,
    /// The addresses that the balancer routes to; `None` when it does not say.
    upstreams: Option<BTreeSet<String>>,
}

/// What a deploy said at its end.
#[derive(Debug)]
pub struct Said {
    /// The rows of its last table.
    pub rows: Vec<Value>,
    /// Its exit code; `None` when a signal ended it.
    pub code: Option<i32>,
}

/// What was to come of a deploy, and whether it was sent a signal.
#[derive(Debug)]
pub struct Asked<'a> {
    pub recipe: &'a str,
    pub hosts: &'a [&'static str],
    /// The version that is to serve.
    pub version: &'a str,
    pub signal: bool,
}

/// The hosts of the app.
pub fn app_hosts() -> [&'static str; 2] {
    APPS.map(|host| host.name)
}

/// Looks everywhere.
pub fn look(environment: &str) -> Seen {
    let mut seen = Seen {
        hosts: BTreeMap::new(),
        open: BTreeMap::new(),
        passing: None,
        upstreams: None,
    };
    std::thread::scope(|scope| {
        let looks = HOSTS.map(|host| {
            scope.spawn(move || {
                let open = host.try_run("timeout 10 docker ps >/dev/null").is_ok();
                (host.name, containers(host, environment), open)
            })
        });
        for look in looks {
            let (name, found, open) = look.join().expect("a look");
            seen.hosts.insert(name, found);
            seen.open.insert(name, open);
        }
    });
    let agents = HOSTS.iter().rev();
    seen.passing = agents.copied().find_map(passing);
    seen.upstreams = upstreams();
    seen
}

fn containers(host: crate::lab::Host, environment: &str) -> Result<Vec<Container>, String> {
    let script = format!(
        "timeout 10 docker ps --all --quiet --filter label=shipit.environment={environment} |
        timeout 10 xargs -r docker inspect"
    );
    let text = outside::run(
        host,
        &format!("{script}; timeout 5 docker version >/dev/null"),
    )?;
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    let all: Vec<Value> = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut found: Vec<_> = all
        .iter()
        .map(|one| {
            let labels = &one["Config"]["Labels"];
            let published = one["NetworkSettings"]["Ports"].as_object();
            let ports = published.into_iter().flatten().flat_map(|(_, hosts)| {
                let hosts = hosts.as_array().cloned().unwrap_or_default();
                hosts
                    .into_iter()
                    .map(|host| host["HostPort"].as_str().unwrap_or_default().to_owned())
            });
            Container {
                id: word(&one["Id"]),
                name: word(&one["Name"]).trim_start_matches('/').to_owned(),
                recipe: word(&labels["shipit.recipe"]),
                release: format!("r{}", word(&labels["shipit.release"])),
                version: variable(&one["Config"]["Env"], "VERSION"),
                runs: one["State"]["Status"] == "running",
                ports: ports
                    .map(|port| format!("{}:{port}", host.address()))
                    .collect(),
            }
        })
        .collect();
    found.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(found)
}

fn variable(variables: &Value, name: &str) -> String {
    let all = variables.as_array().into_iter().flatten();
    all.filter_map(|one| one.as_str()?.strip_prefix(name)?.strip_prefix('='))
        .next_back()
        .unwrap_or_default()
        .to_owned()
}

fn passing(host: crate::lab::Host) -> Option<BTreeSet<String>> {
    let url = format!("http://127.0.0.1:8500/v1/health/service/{APP}?passing");
    let text = outside::run(host, &format!("curl -fsS --max-time 5 '{url}'")).ok()?;
    let all: Vec<Value> = serde_json::from_str(&text).ok()?;
    let address = |one: &Value| {
        let service = &one["Service"];
        let address = service["Address"].as_str().unwrap_or_default();
        format!("{address}:{}", service["Port"])
    };
    Some(all.iter().map(address).collect())
}

fn upstreams() -> Option<BTreeSet<String>> {
    let script = "timeout 10 docker exec dr-con nginx -T 2>/dev/null";
    let text = outside::run(HOST_3, script).ok()?;
    let servers = text.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        (words.next()? == "server").then(|| words.next().map(str::to_owned))?
    });
    Some(servers.filter(|server| server.contains(':')).collect())
}

/// Which container is to serve.
#[derive(Debug, Clone, Copy)]
enum Wanted<'a> {
    /// One that a release has made.
    Release(&'a str),
    /// One of a version.
    Version(&'a str),
}

impl Seen {
    /// The running containers of a recipe on a host; `None` when it could not be looked at.
    fn running(&self, host: &str, recipe: &str) -> Option<Vec<&Container>> {
        let all = self.hosts.get(host)?.as_ref().ok()?;
        let of_recipe = |container: &&Container| container.runs && container.recipe == recipe;
        Some(all.iter().filter(of_recipe).collect())
    }

    /// What is wrong with the claim that a container serves on a host.
    fn serves(&self, host: &str, recipe: &str, wanted: Wanted) -> Option<String> {
        let Some(running) = self.running(host, recipe) else {
            return Some("nobody can look at it".to_owned());
        };
        let [one] = &running[..] else {
            return Some(format!("there run {}", names(&running)));
        };
        let (is, wanted) = match wanted {
            Wanted::Release(release) => (&one.release, release),
            Wanted::Version(version) => (&one.version, version),
        };
        if is != wanted {
            return Some(format!("there runs {} of {is}", one.name));
        }
        if recipe != APP {
            return None;
        }
        for (what, addresses) in [
            ("Consul has as passing", &self.passing),
            ("the balancer routes to", &self.upstreams),
        ] {
            let Some(addresses) = addresses else { continue };
            let host = HOSTS.iter().find(|other| other.name == host)?;
            let prefix = format!("{}:", host.address());
            let here: Vec<_> = addresses
                .iter()
                .filter(|address| address.starts_with(&prefix))
                .collect();
            if !here.iter().copied().eq(one.ports.iter()) {
                return Some(format!(
                    "{what} {here:?}, and {} has {:?}",
                    one.name, one.ports
                ));
            }
        }
        None
    }

    /// What differs from what ran there before.
    fn differs(&self, before: &Self, host: &str, recipe: &str) -> Option<String> {
        let (now, then) = (self.running(host, recipe)?, before.running(host, recipe)?);
        let ids = |all: &[&Container]| all.iter().map(|one| one.id.clone()).collect::<Vec<_>>();
        (ids(&now) != ids(&then))
            .then(|| format!("there run {}, before {}", names(&now), names(&then)))
    }
}

fn names(containers: &[&Container]) -> String {
    if containers.is_empty() {
        return "none".to_owned();
    }
    let all: Vec<_> = containers.iter().map(|one| &*one.name).collect();
    all.join(" and ")
}

/// Everything that was said and is not so.
pub fn mismatches(said: &Said, asked: &Asked, seen: &Seen, before: &Seen) -> Vec<String> {
    let mut all = Vec::new();
    for row in &said.rows {
        all.extend(row_is_wrong(row, seen, before).map(|is| {
            format!(
                "said: {} {} {} {}; is: {is}",
                text(&row["host"]),
                text(&row["recipe"]),
                text(&row["release"]),
                text(&row["state"]),
            )
        }));
    }
    let on_hosts = |wrong: &dyn Fn(&str) -> Option<String>| {
        let each = asked.hosts.iter();
        each.filter_map(|host| wrong(host).map(|is| format!("{host}: {is}")))
            .collect::<Vec<_>>()
    };
    let is = match said.code {
        Some(0) => {
            let wanted = Wanted::Version(asked.version);
            on_hosts(&|host| seen.serves(host, asked.recipe, wanted))
        }
        Some(2..=5) => on_hosts(&|host| seen.differs(before, host, asked.recipe)),
        Some(130) | None if !asked.signal => vec!["no signal was sent".to_owned()],
        _ => Vec::new(),
    };
    let code = said
        .code
        .map_or_else(|| "a signal".to_owned(), |code| format!("exit code {code}"));
    all.extend(is.into_iter().map(|is| format!("said: {code}; is: {is}")));
    all
}

fn row_is_wrong(row: &Value, seen: &Seen, before: &Seen) -> Option<String> {
    let (host, state) = (text(&row["host"]), text(&row["state"]));
    let (recipe, release) = (text(&row["recipe"]), text(&row["release"]));
    match state {
        "serving" | "serving (reverted)" => seen.serves(host, recipe, Wanted::Release(release)),
        "untouched" | "not started" | "reverted; it did not serve before" => {
            seen.differs(before, host, recipe)
        }
        "removed" | "stopped (reverted)" => {
            let running = seen.running(host, recipe)?;
            (!running.is_empty()).then(|| format!("there run {}", names(&running)))
        }
        "unreachable" | "cannot connect" => {
            let open = seen.open.get(host).copied().unwrap_or_default();
            open.then(|| "it lets a deployer in, and its docker answers".to_owned())
        }
        "reachable" => {
            let open = seen.open.get(host).copied().unwrap_or_default();
            (!open).then(|| "it lets no deployer in, or its docker does not answer".to_owned())
        }
        // Says that nobody knows, which claims nothing of the host.
        "needs a hand" | "unknown" => None,
        other => Some(format!("a state that the observer does not know: {other}")),
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
