//! Release records and images as somebody could leave them who may use docker on one host.

use serde_json::{Value, json};

use crate::{
    lab::{self, APPS, HOST_1, HOST_2, HOST_3, Host, of_recipe},
    stage::{Stage, both_answer, deployed, other, release},
};

const APP: &str = "flask-nanoservice";

/// A record's volume on a host, for as long as a test has changed it: its name and its labels.
struct Kept {
    on: Host,
    volume: String,
    labels: Value,
}

impl Kept {
    /// The record of a release about a host, as that host or another keeps it.
    #[track_caller]
    fn find(on: Host, release: u64, about: Host) -> Self {
        let listed = on.run(&format!(
            "docker volume ls --quiet --filter label=shipit.record | grep -- '^shipit-staging-r{release}-succeeded-'"
        ));
        let mut found = listed.lines().map(|volume| {
            let format = "{{json .Labels}}";
            let labels = on.run(&format!(
                "docker volume inspect --format '{format}' {volume}"
            ));
            Self {
                on,
                volume: volume.to_owned(),
                labels: serde_json::from_str(&labels).expect("labels"),
            }
        });
        let found = found.find(|kept| kept.record()["host"] == about.name);
        found.unwrap_or_else(|| panic!("r{release} of {} on {}", about.name, on.name))
    }

    fn record(&self) -> Value {
        let text = self.labels["shipit.record"].as_str().expect("a record");
        serde_json::from_str(text).expect("a record")
    }

    /// The volume with another record in it, on any host.
    fn write(&self, on: Host, record: &Value) {
        let mut labels = self.labels.clone();
        labels["shipit.record"] = record.to_string().into();
        self.create(on, &labels);
    }

    /// As it was.
    fn restore(&self) {
        self.create(self.on, &self.labels);
    }

    fn create(&self, on: Host, labels: &Value) {
        let quoted = |text: String| format!("'{}'", text.replace('\'', "'\\''"));
        let labels = labels.as_object().expect("labels").iter();
        let words: Vec<_> = labels
            .map(|(name, value)| {
                let value = value.as_str().unwrap_or_default();
                format!("--label {}", quoted(format!("{name}={value}")))
            })
            .collect();
        on.run(&format!(
            "docker volume rm --force {0} >/dev/null && docker volume create {1} {0}",
            self.volume,
            words.join(" ")
        ));
    }
}

/// A release of the app before which there is one of another version; its number.
fn two_releases(stage: &Stage) -> u64 {
    let version = stage.now();
    let project = &stage.quick("two-releases");
    stage.serve(other(version));
    let (_, events) = deployed(
        project,
        &format!("deploy staging {APP} --set version={version}"),
    );
    release(&events)
}

pub fn forged_record(stage: &Stage) {
    let project = &stage.quick("forged-record");
    let target = two_releases(stage) - 1;
    let serving = APPS.map(Host::app);
    let kept = Kept::find(HOST_1, target, HOST_1);

    // It names a command, a file and a variable of the deployer's.
    let stolen = project.path("written-by-the-record");
    let mut forged = kept.record();
    let command = format!("id > {}; date", stolen.display());
    forged["recipes"][APP]["spec"]["secrets"] = json!({
        "TOK": { "command": command }, "STOLEN": { "file": "/etc/hostname" }, "STOLENENV": { "env": "HOME" },
    });
    kept.write(HOST_1, &forged);
    for line in [
        format!("rollback staging --to r{target} --dry-run"),
        format!("rollback staging --to r{target} --trust-records"),
    ] {
        project
            .shipit(&line)
            .exits(2)
            .says("the files have no secrets `STOLEN`, `STOLENENV` and `TOK` of `flask-nanoservice` for `host-1`");
        assert!(!stolen.exists(), "{line} ran what the record names");
    }

    // It gives the container the host.
    let mut forged = kept.record();
    let spec = &mut forged["recipes"][APP]["spec"];
    spec["options"] = json!(["--privileged"]);
    spec["volumes"] = json!(["/:/hostroot"]);
    kept.write(HOST_1, &forged);
    project
        .ok(&format!("rollback staging --to r{target} --dry-run"))
        .says(
            "`options` of `flask-nanoservice` on `host-1` is `--privileged`, in the files nothing",
        )
        .says("/:/hostroot");
    project
        .shipit(&format!("rollback staging --to r{target}"))
        .exits(3)
        .says("`volumes` of `flask-nanoservice` on `host-1` is `/:/hostroot`, in the files nothing")
        .says("--trust-records");
    assert_eq!(APPS.map(Host::app), serving, "nothing was changed");

    // It claims a number that no deploy has reached, and a row of its own in the history.
    let mut forged = kept.record();
    forged["by"] = "x\nr999     succeeded".into();
    kept.write(HOST_1, &forged);
    let history = project.ok("history staging -n 50");
    history.says_not("\nr999");
    forged["number"] = u64::MAX.into();
    kept.write(HOST_1, &forged);
    project
        .ok("history staging")
        .says("numbers go from r1 to r1000000000");
    kept.restore();
    project.ok("history staging").says_not("left out");
}

pub fn forged_copy(stage: &Stage) {
    let project = &stage.quick("forged-copy");
    let newest = two_releases(stage);
    let own = Kept::find(HOST_1, newest - 1, HOST_1);
    let copy = Kept::find(HOST_2, newest - 1, HOST_1);
    assert_eq!(own.record(), copy.record());
    let mut forged = own.record();
    forged["recipes"][APP]["spec"]["options"] = json!(["--privileged"]);
    // On the host that keeps the copies, and on one that has no business with them.
    copy.write(HOST_2, &forged);
    copy.write(HOST_3, &forged);
    let plan = project.ok(&format!("rollback staging --to r{} --dry-run", newest - 1));
    plan.says_not("--privileged")
        .says("it is about `host-1`, whose records lie there and on `host-2`");
    HOST_3.run(&format!("docker volume rm {}", copy.volume));
    copy.restore();
}

pub fn signed_records(stage: &Stage) {
    let newest = two_releases(stage);
    let project = stage.quick("signed-records");
    let printed = project.ok("state key");
    let lines = || printed.text.lines();
    let key = lines().find_map(|line| line.trim().strip_prefix("export SHIPIT_STATE_KEY="));
    project.write("state.key", key.expect("a key"));
    let inventory = std::fs::read_to_string(project.path("inventory/staging.toml"));
    let inventory =
        inventory.expect("the inventory") + "\n[state]\nkey = { file = \"state.key\" }\n";
    project.write("inventory/staging.toml", &inventory);

    project
        .shipit("rollback staging --dry-run")
        .exits(3)
        .says("have not the right signature")
        .says("shipit state sign staging");
    project.ok("history staging").says("records refused");
    project.shipit("state sign staging").exits(2).says("--yes");
    project.ok("state sign staging --yes").says("signed ");
    project
        .ok("state sign staging --yes")
        .says("all records of `staging` are signed");
    project.ok("history staging").says_not("records refused");
    project.ok("rollback staging --dry-run").says("to replace");
    // Somebody changes one.
    let kept = Kept::find(HOST_1, newest - 1, HOST_1);
    let mut forged = kept.record();
    forged["recipes"][APP]["spec"]["options"] = json!(["--privileged"]);
    kept.write(HOST_1, &forged);
    project
        .shipit("rollback staging --dry-run")
        .exits(3)
        .says("its signature is wrong");
    kept.restore();
    // Whoever has no key writes none that counts with it; back to how the other scenarios have it.
    project.ok("rollback staging");
}

pub fn moved_tag(stage: &Stage) {
    let new = other(stage.now());
    let project = &stage.quick("moved-tag");
    lab::build("once");
    project.ok("deploy staging --set version=once");
    let once = HOST_1.app();
    project.ok(&format!("deploy staging --set version={new}"));
    lab::forget("once");
    let serving = APPS.map(Host::app);
    // Neither host-2 nor this machine has the image any more; on host-1 its tag is on another one.
    let stopped = of_recipe("staging", APP) + " --filter status=exited";
    HOST_2.run(&format!(
        "docker ps -aq {stopped} | xargs -r docker rm --force --volumes"
    ));
    let format = "{{.Config.Image}}";
    let tag = HOST_1.run(&format!("docker inspect --format '{format}' {once}"));
    let tag = tag.trim();
    HOST_2.run(&format!("docker rmi --force {tag}"));
    let right = HOST_1.run(&format!(
        "docker image inspect --format '{{{{.Id}}}}' {tag}"
    ));
    let wrong = HOST_1.image(new).expect("what serves");
    HOST_1.run(&format!("docker tag {wrong} {tag}"));
    project
        .shipit("rollback staging")
        .exits(3)
        .says("the images did not reach `host-2`; nothing was changed on any host")
        .says("`host-1` has another image under that name: sha256:");
    assert_eq!(APPS.map(Host::app), serving, "nothing was changed");
    HOST_1.run(&format!("docker tag {} {tag}", right.trim()));
    project.ok("rollback staging");
    both_answer("once");
    project.ok("rollback staging");
    both_answer(new);
}
