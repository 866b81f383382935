//! The hosts of the lab, looked at and touched without shipit: what a test says of them must not rest on
//! the program that it tests.

use std::{
    fmt::Write as _,
    process::Command,
    sync::LazyLock,
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

/// A host of the lab.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Host {
    pub name: &'static str,
    number: &'static str,
}

pub const HOST_1: Host = Host {
    name: "host-1",
    number: "101",
};
pub const HOST_2: Host = Host {
    name: "host-2",
    number: "102",
};
pub const HOST_3: Host = Host {
    name: "host-3",
    number: "103",
};
pub const HOSTS: [Host; 3] = [HOST_1, HOST_2, HOST_3];
/// Those that run the app.
pub const APPS: [Host; 2] = [HOST_1, HOST_2];

/// The network that the repository's files name: that of the first lab.
pub const FIRST: &str = "192.168.50";

/// What the hosts are unless something else is said: a kind of `lab/common`.
pub const USUAL: &str = "bookworm";

/// Names the network of this process's lab; the first one's when it is not set.
pub const VARIABLE: &str = "SHIPIT_LAB_NETWORK";

/// The network of this process's lab.
pub fn network() -> &'static str {
    static NETWORK: LazyLock<String> =
        LazyLock::new(|| std::env::var(VARIABLE).unwrap_or_else(|_| FIRST.to_owned()));
    &NETWORK
}

/// A text that names the first lab's addresses, with those of this process's lab in their place.
pub fn here(text: &str) -> String {
    text.replace(&format!("{FIRST}."), &format!("{}.", network()))
}

/// The same for several that live as long as the process.
pub fn all_here(texts: &[&str]) -> &'static [&'static str] {
    let texts: Vec<&'static str> = texts.iter().map(|text| &*here(text).leak()).collect();
    texts.leak()
}

/// The load balancer, as a client's browser has it.
pub fn url() -> String {
    format!("http://{}/", HOST_3.address())
}

/// The load balancer, as a socket has it.
pub fn balancer() -> &'static [&'static str] {
    static BALANCER: LazyLock<&[&str]> = LazyLock::new(|| all_here(&["192.168.50.103:80"]));
    &BALANCER
}

/// The longest that anything asked of a host may take.
const LIMIT: &str = "60";

impl Host {
    /// Its address in this process's lab.
    pub fn address(self) -> String {
        format!("{}.{}", network(), self.number)
    }

    /// Runs a script over SSH; its output, or what went wrong.
    pub fn try_run(self, script: &str) -> Result<String, String> {
        self.try_run_at(&self.address(), script)
    }

    fn try_run_at(self, address: &str, script: &str) -> Result<String, String> {
        ssh(address, script).map_err(|problem| format!("{}: {problem}", self.name))
    }

    /// Runs a script over SSH that must succeed; its output.
    #[track_caller]
    pub fn run(self, script: &str) -> String {
        self.try_run(script)
            .unwrap_or_else(|problem| panic!("{problem}"))
    }

    /// The containers that `docker ps` with these arguments lists, by name, sorted.
    #[track_caller]
    pub fn containers(self, arguments: &str) -> Vec<String> {
        let listed = self.run(&format!("docker ps --format '{{{{.Names}}}}' {arguments}"));
        let mut names: Vec<_> = listed.lines().map(str::to_owned).collect();
        names.sort();
        names
    }

    /// The one container of the app that runs here for an environment.
    #[track_caller]
    pub fn app(self) -> String {
        let apps = self.apps();
        assert_eq!(apps.len(), 1, "app containers on {}: {apps:?}", self.name);
        apps.into_iter().next().unwrap_or_default()
    }

    /// The containers of staging's app that run here.
    #[track_caller]
    pub fn apps(self) -> Vec<String> {
        self.containers(&of_recipe("staging", "flask-nanoservice"))
    }

    /// The image of a version of the app that this host has, under whatever name.
    #[track_caller]
    pub fn image(self, version: &str) -> Option<String> {
        let images = self.run(
            "docker images --quiet shipit-lab/flask-nanoservice |
            xargs -r docker image inspect --format '{{.Id}} {{.Config.Env}} '",
        );
        images.lines().find_map(|line| {
            let (id, variables) = line.split_once(' ')?;
            variables
                .contains(&format!("VERSION={version} "))
                .then(|| id.to_owned())
        })
    }

    /// Takes everything from this host: containers, volumes, images, what Consul kept.
    #[track_caller]
    pub fn clear(self) {
        self.clear_but_images();
        self.run("docker images -q | sort -u | xargs -r docker rmi --force >/dev/null");
    }

    /// Takes everything from this host but its images, which take most of the time to bring.
    #[track_caller]
    pub fn clear_but_images(self) {
        self.run(
            "docker ps -aq | xargs -r docker rm --force --volumes >/dev/null
            docker volume ls -q | xargs -r docker volume rm --force >/dev/null
            rm -rf ~/.docker ~/.cache/shipit
            sudo sh -c 'rm -rf /mnt/* /tmp/shipit-*'",
        );
    }

    /// What `docker ps --all` shows of every container: which, its image and whether it runs.
    #[track_caller]
    fn shown(self) -> String {
        self.run(
            "docker ps --all --no-trunc --format '{{.ID}} {{.Names}} {{.Image}} {{.State}}' | sort",
        )
    }
}

/// Runs a script over SSH on any host that knows the lab's key; its output, or what went wrong.
pub fn ssh(address: &str, script: &str) -> Result<String, String> {
    let home = std::env::var("HOME").unwrap_or_default();
    let output = Command::new("timeout")
        .args([LIMIT, "ssh", "-q", "-F", "none", "-i"])
        .arg(format!("{home}/.vagrant.d/insecure_private_key"))
        .args(["-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes"])
        .args(["-o", "ConnectTimeout=5", "-o", "StrictHostKeyChecking=no"])
        .args(["-o", "UserKnownHostsFile=/dev/null"])
        .arg(format!("vagrant@{address}"))
        .arg(script)
        .output()
        .map_err(|error| format!("ssh cannot be run: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("`{script}`: {}: {}", output.status, said.trim()))
}

/// Arguments of `docker ps` for the containers of one recipe of one environment.
pub fn of_recipe(environment: &str, recipe: &str) -> String {
    format!("--filter label=shipit.environment={environment} --filter label=shipit.recipe={recipe}")
}

/// Every container on every host, to compare before and after.
#[track_caller]
pub fn everything() -> String {
    let mut all = String::new();
    for host in HOSTS {
        let _ = write!(all, "{}:\n{}", host.name, host.shown());
    }
    all
}

/// Builds a version of the app on this machine.
#[track_caller]
pub fn build(version: &str) {
    docker(&[
        "build",
        "--quiet",
        "--build-arg",
        &format!("VERSION={version}"),
        "--tag",
        &format!("shipit-lab/flask-nanoservice:{version}"),
        concat!(env!("CARGO_MANIFEST_DIR"), "/lab/images/flask-nanoservice"),
    ]);
}

/// Builds an image on this machine from the text of a Dockerfile.
#[track_caller]
pub fn build_from(image: &str, dockerfile: &str) {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("e2e-image");
    std::fs::create_dir_all(&folder).expect("the image's folder");
    std::fs::write(folder.join("Dockerfile"), dockerfile).expect("the Dockerfile");
    let folder = folder.to_string_lossy();
    docker(&["build", "--quiet", "--tag", image, &folder]);
}

/// Removes a version of the app from this machine.
#[track_caller]
pub fn forget(version: &str) {
    forget_image(&format!("shipit-lab/flask-nanoservice:{version}"));
}

/// Removes an image from this machine.
#[track_caller]
pub fn forget_image(image: &str) {
    docker(&["rmi", image]);
}

#[track_caller]
fn docker(arguments: &[&str]) {
    let output = Command::new("docker")
        .args(arguments)
        .env("DOCKER_BUILDKIT", "0")
        .output()
        .expect("docker");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "docker {arguments:?}: {said}");
}

/// What the balancers logged since a time, but for requests that were answered well.
pub fn complaints_since(time: &str) -> String {
    let script = format!(
        "for name in $(docker ps --format '{{{{.Names}}}}' | grep '^dr-con'); do
            docker logs --timestamps --since {time} $name 2>&1 | grep -v '\" 200 ' | tail -n 80
        done"
    );
    let said = HOST_3.try_run(&script);
    format!(
        "the balancers on host-3:\n{}",
        said.unwrap_or_else(|problem| problem)
    )
}

/// Whether the lab of a network is there; what is wrong with it otherwise.
pub fn reachable(network: &str) -> Result<(), String> {
    for host in HOSTS {
        let address = format!("{network}.{}", host.number);
        host.try_run_at(&address, "docker version >/dev/null")?;
    }
    Ok(())
}

/// Takes everything from all hosts.
pub fn clear() {
    on_all(Host::clear);
}

/// Takes everything from all hosts but their images.
pub fn clear_but_images() {
    on_all(Host::clear_but_images);
}

fn on_all(work: fn(Host)) {
    thread::scope(|scope| {
        for host in HOSTS {
            scope.spawn(move || work(host));
        }
    });
}

/// A GET: its body, or why there is none.
pub fn get(url: &str) -> Result<String, String> {
    let output = Command::new("curl")
        .args(["-fsS", "--max-time", "10", url])
        .output()
        .map_err(|error| format!("curl cannot be run: {error}"))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
    }
}

/// What Consul's API has at `path`, asked on one host.
#[track_caller]
pub fn consul(host: Host, path: &str) -> Value {
    let url = format!("http://{}:8500/v1/{path}", host.address());
    let text = get(&url).unwrap_or_else(|problem| panic!("{url}: {problem}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{url}: {error}: {text}"))
}

/// `ADDRESS:PORT` of every instance of a service that Consul has as passing, sorted.
#[track_caller]
pub fn passing(service: &str) -> Vec<String> {
    try_passing(service).unwrap_or_else(|problem| panic!("{service}: {problem}"))
}

/// The same, or why Consul does not say.
pub fn try_passing(service: &str) -> Result<Vec<String>, String> {
    let path = format!("v1/health/service/{service}?passing");
    let text = get(&format!("http://{}:8500/{path}", HOST_3.address()))?;
    let found: Value = serde_json::from_str(&text).map_err(|error| format!("{error}: {text}"))?;
    let instances = found.as_array().cloned().unwrap_or_default();
    let mut endpoints: Vec<_> = instances
        .iter()
        .map(|instance| {
            let service = &instance["Service"];
            format!(
                "{}:{}",
                service["Address"].as_str().unwrap_or_default(),
                service["Port"]
            )
        })
        .collect();
    endpoints.sort();
    Ok(endpoints)
}

/// The different answers that a few requests through the balancer get, sorted.
#[track_caller]
pub fn answers(requests: usize) -> Vec<String> {
    let mut answers: Vec<_> = (0..requests)
        .map(|_| match get(&url()) {
            Ok(body) => body.trim().to_owned(),
            Err(problem) => panic!("{}: {problem}", url()),
        })
        .collect();
    answers.sort();
    answers.dedup();
    answers
}

/// The different answers through the balancer, sorted; asked until there are so many, as nginx sends where
/// the fewest connections are, which can be one and the same for a while.
#[track_caller]
pub fn who_answers(number: usize) -> Vec<String> {
    let began = Instant::now();
    let mut all = Vec::new();
    while all.len() < number && began.elapsed() < Duration::from_secs(10) {
        all.extend(answers(4));
        all.sort();
        all.dedup();
    }
    all
}

/// Waits until `holds` has nothing to say against it.
#[track_caller]
pub fn eventually(what: &str, limit: Duration, mut holds: impl FnMut() -> Result<(), String>) {
    let began = Instant::now();
    loop {
        match holds() {
            Ok(()) => return,
            Err(seen) if began.elapsed() > limit => panic!("{what}: not within {limit:?}: {seen}"),
            Err(_) => thread::sleep(Duration::from_millis(200)),
        }
    }
}
