//! The lab's hosts from outside: through the Docker of this machine, in which each of them is a container. So
//! they can be looked at and touched while nobody can log in to them.

use std::process::Command;

use crate::lab::{self, HOSTS, Host};

/// The longest that a host may take to answer; one that is paused or hangs never does.
const LIMIT: &str = "20";

/// The container that a host is.
fn container(host: Host) -> String {
    let network = lab::here("192.168.50.");
    let network = network.trim_end_matches('.');
    if network == lab::FIRST {
        format!("shipit-lab-{}", host.name)
    } else {
        format!("shipit-lab-{network}-{}", host.name)
    }
}

fn docker(arguments: &[&str]) -> Result<String, String> {
    let output = Command::new("timeout")
        .args(["-s", "KILL", LIMIT, "docker"])
        .args(arguments)
        .output()
        .map_err(|error| format!("docker cannot be run: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("{}: {}", output.status, said.trim()))
}

/// Runs a script on a host as root; its output, or why there is none.
pub fn run(host: Host, script: &str) -> Result<String, String> {
    docker(&["exec", &container(host), "sh", "-c", script])
}

/// Does to a host itself what `docker WORD` does to a container.
pub fn to(host: Host, words: &[&str]) {
    let name = container(host);
    let words: Vec<_> = words.iter().copied().chain([&*name]).collect();
    if let Err(problem) = docker(&words) {
        eprintln!("docker {}: {problem}", words.join(" "));
    }
}

/// Runs a script on a host as root; what it cannot do is told, and seen by whoever looks next.
pub fn on(host: Host, script: &str) {
    if let Err(problem) = run(host, script) {
        eprintln!("`{script}` on {}: {problem}", host.name);
    }
}

/// Starts a program on a host and leaves it running there.
pub fn leave_running(host: Host, script: &str) {
    let name = container(host);
    if let Err(problem) = docker(&["exec", "--detach", &name, "sh", "-c", script]) {
        eprintln!("`{script}` on {}: {problem}", host.name);
    }
}

/// Has a host live on without its dockerd or its sshd. The host's first process ends when one of them does, which
/// a machine would not; so it is stopped, from here, as it cannot be from within.
pub fn outlives_its_services(host: Host) {
    to(host, &["kill", "--signal", "STOP"]);
}

/// Waits until every host lets a deployer in and its docker answers.
pub fn wait_until_all_answer() {
    for host in HOSTS {
        lab::eventually(
            &format!("{} answers", host.name),
            std::time::Duration::from_secs(60),
            || host.try_run("docker version >/dev/null").map(drop),
        );
    }
}
