//! Hosts and clusters that are not what they were: made anew, without a leader, full.

use std::time::Duration;

use serde_json::Value;

use crate::{
    lab::{self, APPS, HOST_1, HOST_2, HOST_3, HOSTS, Host},
    project::{Project, Running},
    stage::{Stage, both_answer, deployed, other},
};

/// Waits until Consul has a leader and three servers that are alive, seen from every host.
#[track_caller]
pub fn consul_is_whole() {
    lab::eventually("Consul is whole", Duration::from_secs(60), || {
        for host in HOSTS {
            let base = format!("http://{}:8500/v1", host.address());
            let leader = lab::get(&format!("{base}/status/leader"))?;
            let members = lab::get(&format!("{base}/agent/members"))?;
            let alive = members.matches("\"Status\":1").count();
            if !leader.contains(":8300") || alive != HOSTS.len() {
                return Err(format!("{}: leader {leader}, {alive} alive", host.name));
            }
        }
        Ok(())
    });
}

pub fn reinstalled_host(stage: &Stage) {
    let new = other(stage.now());
    let project = stage.project();
    // What is rolled back to came from an image that this machine no longer has by then: host-1 has it.
    lab::build("once");
    project.ok("deploy staging --set version=once");
    project.ok(&format!("deploy staging --set version={new}"));
    lab::forget("once");
    let serving = HOST_1.app();
    // As a host comes from its installer: Docker, and nothing that was there before.
    HOST_2.clear();
    lab::eventually(
        "Consul drops the app",
        Duration::from_secs(30),
        || match lab::try_passing("flask-nanoservice")? {
            passing if passing.len() == 1 => Ok(()),
            passing => Err(format!("{passing:?}")),
        },
    );
    stage.loses_nothing("rollback after a host was reinstalled", |_| {
        let (back, events) = deployed(project, "rollback staging");
        let came = "reached `host-2` from `host-1`, because this machine's Docker did not have it";
        let notes = events.iter().filter_map(|event| event["message"].as_str());
        assert_eq!(
            notes.filter(|note| note.contains(came)).count(),
            1,
            "{events:?}"
        );
        vec![back]
    });
    both_answer("once");
    assert_ne!(HOST_1.app(), serving);
    assert_eq!(HOST_2.containers("--filter name=^consul$"), ["consul"]);
    assert_eq!(
        HOST_2.containers("--filter name=registrator"),
        ["registrator"]
    );
    consul_is_whole();
    project.ok("check staging");
    // Its copies of the records came back from the other hosts, so it can go forth again.
    stage.loses_nothing("and forth again", |_| {
        vec![deployed(project, "rollback staging").0]
    });
    both_answer(new);
}

pub fn consul_without_a_leader(stage: &Stage) {
    let new = other(stage.now());
    let project = stage.project();
    let before = APPS.map(Host::app);
    stage.loses_nothing("Consul has no leader for a while", |_| {
        for host in [HOST_1, HOST_2] {
            host.run("docker stop --time 2 consul");
        }
        // The agent on the balancer's host has noticed, and so has DR-CoN.
        lab::eventually("no leader", Duration::from_secs(30), || {
            let leader = lab::get(&lab::here("http://192.168.50.103:8500/v1/status/leader"))?;
            if leader.trim() == "\"\"" {
                Ok(())
            } else {
                Err(leader)
            }
        });
        // The app alone cannot be deployed so; the whole of it brings Consul back first.
        let app_alone = project.shipit(&format!(
            "deploy staging flask-nanoservice --set version={new}"
        ));
        app_alone
            .exits(3)
            .says(
                "`consul` does not run on `host-1` and `host-2`, and `flask-nanoservice` needs it",
            )
            .says("hint: shipit deploy staging");
        assert_eq!(APPS.map(Host::app), before, "nothing was changed");
        let (whole, _) = deployed(project, &format!("deploy staging --set version={new}"));
        vec![whole]
    });
    both_answer(new);
    consul_is_whole();
}

/// Cuts every SSH connection to a host but its own.
fn cut_connections(host: Host) {
    host.run(
        // OpenSSH 9.8 gave sessions a program of their own.
        "pids=$(pgrep -f '^sshd(-session)?: vagrant@notty') || exit
        for pid in $pids; do [ $pid = $PPID ] || kill $pid; done",
    );
}

pub fn lost_connections(stage: &Stage) {
    let new = other(stage.now());
    let project = stage.project();
    stage.loses_nothing("connections are cut during a deploy", |_| {
        let mut run = project.start(&format!("deploy staging --set version={new} -v"));
        // The first host's connection is the lock, and that one is not opened again.
        run.wait_for("to be ready");
        cut_connections(HOST_3);
        run.wait_for("to stop routing to");
        cut_connections(HOST_2);
        cut_connections(HOST_3);
        run.wait_for("to stop routing to");
        cut_connections(HOST_2);
        let run = run.finish();
        run.exits(0);
        crate::stage::failed(&run)
    });
    both_answer(new);
    project.ok("check staging");
}

/// Waits until so much of an image was sent.
#[track_caller]
fn sent(run: &mut Running, bytes: u64) {
    let seen = run.wait_until(|line| {
        let event = serde_json::from_str::<Value>(line).unwrap_or_default();
        event["event"] == "transfer" && event["bytes"].as_u64().is_some_and(|sent| sent > bytes)
    });
    assert!(seen, "it ended before {bytes} bytes were sent");
}

pub fn cut_transfer(stage: &Stage) {
    const IMAGE: &str = "shipit-lab/large:cut";
    stage.now();
    // What is left of any transfer is looked for at the end.
    HOST_2.run("rm -rf ~/.cache/shipit");
    // What does not compress, so that it takes a while, and what no host has from an earlier run.
    let run = std::process::id();
    lab::build_from(
        IMAGE,
        &format!(
            "FROM shipit-lab/registrator\nENTRYPOINT [\"sleep\", \"600\"]\n\
            RUN head -c 200000000 /dev/urandom >/large && echo {run}\n"
        ),
    );
    let project = stage.copy("cut-transfer");
    project.write(
        "inventory/large.toml",
        "extends = \"staging\"\nrecipes = [\"large\"]\n",
    );
    project.write(
        "recipes/large.toml",
        &format!(
            "hosts = \"host-2\"\n\n[container]\nimage = \"{IMAGE}\"\nstop_timeout = \"1s\"\n\n\
            [rollout]\nmin_healthy_time = \"0s\"\n"
        ),
    );
    let mut doomed = project.start("deploy large --output json");
    sent(&mut doomed, 80_000_000);
    doomed.signal("KILL");
    doomed.finish();

    let mut cut = project.start("deploy large --output json");
    sent(&mut cut, 140_000_000);
    // The lock's connection is that of the first host.
    cut_connections(HOST_2);
    cut.finish()
        .exits(0)
        .says("an earlier transfer of `shipit-lab/large:cut` to `host-2` was cut off: going on after")
        .says("the connection to `host-2` was lost while `shipit-lab/large:cut` was sent: going on after");

    project.ok("down large --yes");
    HOST_2.run(
        "docker images -q shipit-lab/large | sort -u | xargs -r docker rmi --force >/dev/null
        [ -z \"$(ls ~/.cache/shipit)\" ]",
    );
    lab::forget_image(IMAGE);
}

pub fn taken_port(stage: &Stage) {
    let version = stage.now();
    let project = stage.copy("taken-port");
    project.edit("recipes/dr-con.toml", "80:80", "81:80");
    project.edit("recipes/dr-con.toml", "tcp = 80", "tcp = 80    # inside");
    let before = HOST_3.containers("");
    HOST_3.run(
        "docker run --detach --name squatter --publish 81:80 --entrypoint sleep $(docker inspect --format '{{.Config.Image}}' dr-con) 300",
    );
    project
        .shipit(&format!("deploy staging --set version={version}"))
        .exits(3)
        .says("`dr-con` publishes 81:80, and the container `squatter` has port 81/tcp")
        .says("docker stop squatter");
    HOST_3.run("docker rm --force squatter");
    assert_eq!(HOST_3.containers(""), before, "nothing was changed");
}

/// A folder of host-2 that is full, for as long as this value lives.
struct Full(&'static str);

impl Full {
    fn under(folder: &'static str, size: &str) -> Self {
        HOST_2.run(&format!(
            "sudo mount -t tmpfs -o size={size} shipit-e2e-full {folder}"
        ));
        Self(folder)
    }
}

impl Drop for Full {
    fn drop(&mut self) {
        // Reported by whatever comes next: a panic in here would end all scenarios.
        let _ = HOST_2.try_run(&format!("sudo umount {}", self.0));
    }
}

pub fn full_disk(stage: &Stage) {
    stage.now();
    let before = lab::everything();
    let project = stage.project();
    let full = Full::under("/var/lib/docker", "64m");
    project
        .shipit("deploy staging --set version=v3")
        .exits(3)
        .says("error: `host-2` is not ready; nothing was changed on any host")
        .says("only 64 MiB are free under /var/lib/docker")
        .says("hint: free space on `host-2`: `docker system df`, `docker image prune --all`");
    drop(full);
    assert_eq!(lab::everything(), before);

    // containerd renames what has arrived into its store, which no other file system can be part of.
    if HOST_2
        .run("docker info --format '{{.DriverStatus}}'")
        .contains("containerd")
    {
        stage.tell(
            "a disk that is full while an image arrives: not tried on containerd's image store"
                .to_owned(),
        );
        return;
    }

    // Room enough at first, and none any more while an image arrives.
    let project = with_a_registry(stage);
    let full = Full::under("/var/lib/docker/tmp", "2m");
    project
        .shipit("deploy registry")
        .exits(3)
        .says("the images did not reach `host-2`; nothing was changed on any host")
        .says("no space left on device")
        .says("hint: free space on `host-2`: `docker system df`, `docker image prune --all`");
    drop(full);
    assert_eq!(lab::everything(), before);
}

/// An environment with an image whose layers no app host has yet.
fn with_a_registry(stage: &Stage) -> Project {
    let project = stage.copy("full-disk");
    project.write(
        "inventory/registry.toml",
        "extends = \"staging\"\nrecipes = [\"registry\"]\n",
    );
    project.write(
        "recipes/registry.toml",
        "hosts = \"host-2\"\n\n[container]\nimage = \"shipit-lab/registry\"\npublish_all = true\n",
    );
    let images = HOST_2.run("docker images --no-trunc shipit-lab/registry");
    assert_eq!(images.lines().count(), 1, "{images}");
    project
}
