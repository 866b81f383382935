//! A host that cannot be deployed to stops a deploy before anything is changed anywhere.

use std::{fs, net::TcpListener, process::Command};

use crate::{
    lab,
    project::{Project, Run},
    stage::Stage,
};

/// Deploys a new version, which must be refused with nothing changed on any host.
#[track_caller]
fn refused(project: &Project) -> Run {
    let before = lab::everything();
    let run = project.shipit("deploy staging --set version=v3");
    run.exits(3);
    assert_eq!(lab::everything(), before, "nothing was changed");
    run
}

/// Makes a key pair of the project's own, `other-key`; its public half.
pub fn key_pair(project: &Project) -> String {
    let path = project.path("other-key");
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-f"])
        .arg(&path)
        .status();
    assert!(made.expect("ssh-keygen").success());
    fs::read_to_string(path.with_extension("pub")).expect("the public key")
}

pub fn no_docker(stage: &Stage) {
    stage.now();
    let project = stage.copy("no-docker");
    project.edit(
        "inventory/staging.toml",
        "192.168.50.102\"",
        "192.168.50.102\", user = \"nodocker\"",
    );
    refused(&project)
        .says("host-2")
        .says("permission denied")
        .says("sudo usermod -aG docker nodocker");
}

pub fn unreachable(stage: &Stage) {
    stage.now();
    let project = stage.copy("unreachable");
    // A port of this machine that was free a moment ago.
    let port = TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("a port")
        .port();
    let closed = format!("\"127.0.0.1\", port = {port}");
    project.edit("inventory/staging.toml", "\"192.168.50.102\"", &closed);
    refused(&project).says("host-2").says("onnection refused");
}

pub fn wrong_key(stage: &Stage) {
    stage.now();
    let project = stage.copy("wrong-key");
    key_pair(&project);
    project.edit(
        "inventory/staging.toml",
        "~/.vagrant.d/insecure_private_key",
        "other-key",
    );
    refused(&project)
        .says("host-1")
        .says("vagrant")
        .says("other-key");
}

pub fn changed_host_key(stage: &Stage) {
    stage.now();
    let project = stage.copy("changed-host-key");
    let other = key_pair(&project);
    project.write("lab/.state/known_hosts", &format!("192.168.50.101 {other}"));
    refused(&project)
        .says("host-1")
        .says("ssh-keygen")
        .says("known_hosts");
    let kept = fs::read_to_string(project.path("lab/.state/known_hosts")).expect("the file");
    assert!(kept.contains(other.trim()), "the old key stays: {kept}");
}
