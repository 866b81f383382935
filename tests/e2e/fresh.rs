//! Hosts with nothing of Docker on them: `shipit setup` makes them ready, and a newcomer gets to a first deploy with
//! what the README says.

use std::{
    fmt::Write as _,
    fs,
    process::Command,
    time::{Duration, Instant},
};

use crate::{lab, pages, project::Project, stage::Stage, terminal::Terminal};

/// What the hosts are made from: `lab/images/build` makes it.
const IMAGE: &str = "shipit-lab/host:bookworm-fresh";

/// The last parts of their addresses; the lab's own end before.
const FIRST: usize = 111;

/// Three of them, beside the lab's own. They go when this is dropped.
pub struct Hosts {
    names: Vec<String>,
    /// Their addresses.
    pub addresses: Vec<String>,
}

impl Hosts {
    #[track_caller]
    pub fn start() -> Self {
        let network = lab::network();
        let docker_network = match network {
            lab::FIRST => format!("vagrant_network_{network}.0/24"),
            _ => format!("shipit-lab-{network}"),
        };
        let mut hosts = Self {
            names: Vec::new(),
            addresses: Vec::new(),
        };
        Self::forget(network);
        for number in FIRST..FIRST + 3 {
            let (name, address) = (
                format!("shipit-lab-{network}-fresh-{number}"),
                format!("{network}.{number}"),
            );
            // The arguments are quoted as a shell reads them.
            let script = "eval \"set -- $(tr '\\n' ' ' <lab/host/run-arguments) \\\"\\$@\\\"\"; exec docker run --detach \"$@\"";
            let output = Command::new("bash")
                .args(["-c", script, "bash", "--name", &name, "--ip", &address])
                .args([
                    "--network",
                    &docker_network,
                    "--hostname",
                    &format!("fresh-{number}"),
                ])
                .args(["--label", &format!("shipit-lab-fresh={network}"), IMAGE])
                .current_dir(pages::root())
                .output()
                .expect("bash");
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(
                output.status.success(),
                "{name}: {said}\nhint: lab/up makes {IMAGE}"
            );
            hosts.names.push(name);
            hosts.addresses.push(address);
        }
        for address in &hosts.addresses {
            lab::eventually("sshd answers", Duration::from_secs(30), || {
                lab::ssh(address, "true").map(drop)
            });
        }
        hosts
    }

    /// What an earlier run may have left.
    fn forget(network: &str) {
        let script = format!(
            "docker ps --all --quiet --filter label=shipit-lab-fresh={network} | xargs -r docker rm --force --volumes >/dev/null"
        );
        let status = Command::new("sh").args(["-c", &script]).status();
        assert!(status.expect("sh").success(), "{script}");
    }

    /// What ssh would ask a newcomer to confirm, who logs in once to each host.
    #[track_caller]
    fn known(&self) -> String {
        let mut known = String::new();
        for (name, address) in self.names.iter().zip(&self.addresses) {
            let output = Command::new("docker")
                .args(["exec", name, "sh", "-c", "cat /etc/ssh/ssh_host_*_key.pub"])
                .output()
                .expect("docker");
            for key in String::from_utf8_lossy(&output.stdout).lines() {
                let _ = writeln!(known, "{address} {key}");
            }
        }
        known
    }

    /// Adds to an inventory what a newcomer has in `~/.ssh`, and that images come from this machine.
    fn adapt(&self, project: &Project, inventory: &str) {
        project.write("known_hosts", &self.known());
        let path = project.path(inventory);
        let text = fs::read_to_string(&path).expect("the inventory");
        let with = "[ssh]\nidentity_file = \"~/.vagrant.d/insecure_private_key\"\nknown_hosts_file = \"known_hosts\"\n";
        let text = text.replace("[ssh]\n", with) + "\n[images]\nsource = \"local\"\n";
        fs::write(path, text).expect("the inventory");
    }
}

impl Drop for Hosts {
    fn drop(&mut self) {
        let mut remove = Command::new("docker");
        remove
            .args(["rm", "--force", "--volumes"])
            .args(&self.names);
        let _ = remove.output();
    }
}

/// Types what the README's first block says, on these hosts: in each line its address and its image.
#[track_caller]
fn types_the_readme(hosts: &Hosts, lines: &[String]) {
    let project = Project::empty("newcomer");
    let began = Instant::now();
    for line in lines {
        let mut line = line.strip_prefix("shipit ").expect("shipit").to_owned();
        for (shown, here) in ["10.0.0.11", "10.0.0.12", "10.0.0.13"]
            .iter()
            .zip(&hosts.addresses)
        {
            line = line.replace(shown, here);
        }
        let line = line
            .replace("--user deploy", "--user vagrant")
            .replace("nginx:1.27", "shipit-lab/flask-nanoservice:v1")
            .replace("8080:80", "8080:5000");
        let mut terminal = Terminal::open(&project, &line);
        if line.starts_with("setup") {
            terminal.wait_for("[y/N] ");
            terminal.types("y");
        }
        terminal.finish().exits(0);
        if line.starts_with("init") {
            hosts.adapt(&project, "inventory/staging.toml");
        }
    }
    for address in &hosts.addresses {
        let answer = lab::get(&format!("http://{address}:8080/"));
        assert!(
            answer.as_ref().is_ok_and(|body| body.contains("(v1)")),
            "{address}: {answer:?}"
        );
    }
    let took = began.elapsed();
    assert!(took < Duration::from_secs(300), "it took {took:?}");
    project.ok("deploy").says("nothing to do");
}

/// The lines of the README's first block.
pub fn typed_by_the_newcomer() -> Vec<String> {
    let pages = pages::pages();
    let readme = pages.iter().find(|page| page.name == "README.md");
    let blocks = pages::blocks(readme.expect("the README"));
    let first = blocks.iter().find(|block| block.kind == "sh");
    crate::readme::typed(first.expect("a block"))
}

pub fn newcomer(stage: &Stage) {
    let lines = typed_by_the_newcomer();
    let began = Instant::now();
    types_the_readme(&Hosts::start(), &lines);
    stage.tell(format!(
        "three fresh hosts to a first deploy took {:.0} s",
        began.elapsed().as_secs_f64()
    ));
}

pub fn setup(stage: &Stage) {
    let hosts = Hosts::start();
    let project = Project::empty("fresh");
    let [first, second, third] = hosts.addresses.as_slice() else {
        panic!("three hosts");
    };
    project.ok(&format!(
        "init --host web-1={first} --host web-2={second} --host web-3={third} --user vagrant \
         --recipe web=shipit-lab/flask-nanoservice:v1 --publish web=8080:5000"
    ));
    hosts.adapt(&project, "inventory/staging.toml");

    // Docker is missing, and what mends that is named.
    project
        .shipit("deploy staging")
        .exits(3)
        .says("nothing was changed on any host")
        .says("`shipit setup staging` installs docker");
    // Nobody can be asked.
    project.shipit("setup staging").exits(2).says("--yes");
    let dry = project.ok("setup staging --dry-run");
    for line in [
        "web-1 (Debian GNU/Linux 12 (bookworm))",
        "  install docker.io with apt-get",
        "  put `vagrant` into the group `docker`",
        "  start docker, now and at boot, with service",
    ] {
        dry.says(line);
    }
    for address in &hosts.addresses {
        lab::ssh(address, "command -v docker").expect_err("nothing was installed");
    }

    // One host alone, then the others; what is ready is left alone.
    project
        .ok("setup staging --limit web-1 --yes")
        .says("set up 1 host of staging");
    lab::ssh(first, "docker version").expect("docker answers the account");
    lab::ssh(second, "command -v docker").expect_err("it was not named");
    project
        .ok("setup staging --yes")
        .says("web-1 (Debian GNU/Linux 12 (bookworm)): nothing to do")
        .says("set up 3 hosts of staging");
    let again = project.ok("setup staging --yes");
    again.says("nothing to do in staging");
    for address in &hosts.addresses {
        lab::ssh(address, "docker version").expect("docker answers the account");
    }

    // A daemon that was stopped, and an account that was put out of the group.
    lab::ssh(
        second,
        "sudo service docker stop && sudo gpasswd -d vagrant docker",
    )
    .expect("done");
    project
        .ok("setup staging --yes")
        .says("  put `vagrant` into the group `docker`")
        .says("  start docker, now and at boot, with service");

    // An account that may not become root.
    let inventory = fs::read_to_string(project.path("inventory/staging.toml")).expect("it");
    let as_nobody = inventory.replace("user = \"vagrant\"", "user = \"nodocker\"");
    project.write("inventory/staging.toml", &as_nobody);
    project
        .shipit("setup staging --yes")
        .exits(3)
        .says("`nodocker` may not use sudo without a password")
        .says("nothing was changed on any host");
    // Through sudo, nobody needs the group.
    let through_sudo = inventory.replace("user = \"vagrant\"", "user = \"sudoer\"\nbecome = true");
    project.write("inventory/staging.toml", &through_sudo);
    project
        .ok("setup staging --yes")
        .says("nothing to do in staging");

    project.write("inventory/staging.toml", &inventory);
    project.ok("deploy staging").says("deployed r1 to staging");
    for address in &hosts.addresses {
        let answer = lab::get(&format!("http://{address}:8080/"));
        assert!(
            answer.as_ref().is_ok_and(|body| body.contains("(v1)")),
            "{address}: {answer:?}"
        );
    }
    stage.tell("three fresh hosts were set up and deployed to".to_owned());
}
