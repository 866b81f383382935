//! A key that is narrowed as `docs/security.md` says: it deploys, and opens nothing else.

use std::process::Command;

use crate::{
    bad_hosts::key_pair,
    lab::{self, APPS, HOST_1, HOST_2, HOST_3, Host, of_recipe},
    pages::{blocks, pages},
    project::Project,
    stage::Stage,
};

/// The account of the bastion, which may do nothing on it.
const BASTION: &str = "nodocker";

/// How its lines are told from the others.
const MARK: &str = "e2e-narrow";

/// The two lines of the page: for each host, and for the bastion.
fn lines_of_the_page() -> [String; 2] {
    let pages = pages();
    let page = pages.iter().find(|page| page.name == "docs/security.md");
    let blocks = blocks(page.expect("the page"));
    let lines = blocks.iter().flat_map(|block| &block.lines);
    let lines: Vec<_> = lines.filter(|line| line.contains("restrict,")).collect();
    let [host, bastion] = lines[..] else {
        panic!("two lines of authorized_keys: {lines:?}")
    };
    // What the page leaves to its reader: the addresses and the key.
    let here = |line: &str| {
        line.replace("10.0.0.5\"", &format!("{}\"", HOST_3.address()))
            .replace("10.0.0.11:", &format!("{}:", HOST_1.address()))
            .replace("10.0.0.12:", &format!("{}:", HOST_2.address()))
    };
    [here(host), here(bastion)]
}

/// Lets a key in by a line, which takes the place of an earlier one.
#[track_caller]
fn let_in(host: Host, account: &str, line: &str) {
    forget(host, account);
    host.run(&format!(
        "echo '{line} {MARK}' | sudo tee -a /home/{account}/.ssh/authorized_keys >/dev/null"
    ));
}

#[track_caller]
fn forget(host: Host, account: &str) {
    host.run(&format!(
        "sudo sed -i '/ {MARK}$/d' /home/{account}/.ssh/authorized_keys"
    ));
}

/// Whether `ssh` with the key comes to an end as wanted, and all that it said.
fn ssh(project: &Project, words: &[&str]) -> (bool, String) {
    let options = "-i KEY -F none -o IdentitiesOnly=yes -o BatchMode=yes -o ConnectTimeout=5 \
        -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null";
    let options = options.replace("KEY", &project.path("other-key").display().to_string());
    let jump = format!(
        "ProxyCommand=ssh {options} -W %h:%p {BASTION}@{}",
        HOST_3.address()
    );
    let mut command = Command::new("timeout");
    command.args(["30", "ssh"]).args(options.split_whitespace());
    for word in words {
        match *word {
            "JUMP" => command.args(["-o", &jump]),
            word => command.arg(word),
        };
    }
    let output = command.output().expect("ssh");
    let said = [output.stdout, output.stderr].concat();
    (
        output.status.success(),
        String::from_utf8_lossy(&said).into_owned(),
    )
}

/// An app on both hosts that are behind the bastion.
const APP: &str = r#"
hosts = "all"

[container]
image = "shipit-lab/flask-nanoservice:{{version}}"
publish_all = true
env = { SERVICE_NAME = "narrow" }    # in Consul, where the balancer is not to take it for staging's

[ready]
http = "/health"

[rollout]
min_healthy_time = "1s"
"#;

/// A project whose hosts are reached through the bastion with the key; its public half.
fn behind_the_bastion(stage: &Stage) -> (Project, String) {
    let project = stage.copy("narrow-key");
    let public = key_pair(&project);
    project.write(
        "inventory/narrow.toml",
        &format!(
            "recipes = [\"narrow\"]\n[hosts]\nhost-1 = {{ address = \"192.168.50.101\" }}\n\
             host-2 = {{ address = \"192.168.50.102\" }}\n\
             [ssh]\nuser = \"vagrant\"\nidentity_file = \"other-key\"\nproxy_jump = \"{BASTION}@192.168.50.103\"\n\
             host_keys = \"accept-new\"\nknown_hosts_file = \"lab/.state/known_hosts\"\n\
             [images]\nsource = \"local\"\n[vars]\nversion = \"v1\"\n"
        ),
    );
    project.write("recipes/narrow.toml", APP);
    (project, public.trim().to_owned())
}

/// Takes away what a run that was broken off has left.
fn afresh() {
    for app in APPS {
        let left = of_recipe("narrow", "narrow");
        app.run(&format!(
            "docker ps -aq {left} | xargs -r docker rm --force >/dev/null
            docker volume ls -q --filter label=shipit.environment=narrow | xargs -r docker volume rm >/dev/null"
        ));
    }
}

pub fn deploys(stage: &Stage) {
    afresh();
    stage.now();
    let (project, public) = behind_the_bastion(stage);
    let key = public
        .split_whitespace()
        .take(2)
        .collect::<Vec<_>>()
        .join(" ");
    let [host, bastion] = lines_of_the_page().map(|line| line.replace("ssh-ed25519 AAAA…", &key));
    for app in APPS {
        let_in(app, "vagrant", &host);
    }
    let_in(HOST_3, BASTION, &bastion);

    let jump_key = format!(
        "Host 192.168.50.103\n  IdentityFile {}\n",
        project.path("other-key").display()
    );
    project.write("ssh_config", &jump_key);
    project.edit(
        "inventory/narrow.toml",
        "host_keys",
        "config_file = \"ssh_config\"\nhost_keys",
    );
    project.ok("deploy narrow --set version=v1");
    project.ok("deploy narrow --set version=v2");
    project.ok("rollback narrow");
    project.ok("status narrow").says("running");
    project.ok("exec narrow -- id -un").says("vagrant");
    for app in APPS {
        assert_eq!(app.containers(&of_recipe("narrow", "narrow")).len(), 1);
    }

    let on_host_1 = format!("vagrant@{}", HOST_1.address());
    let (entered, said) = ssh(&project, &["JUMP", &on_host_1, "id -un"]);
    assert!(entered && said.contains("vagrant"), "{said}");
    let on_bastion = format!("{BASTION}@{}", HOST_3.address());
    let (other_host, itself) = (
        format!("{}:22", HOST_2.address()),
        format!("{}:22", HOST_3.address()),
    );
    for (what, words, refusal) in [
        (
            "in past the bastion",
            &[&*on_host_1, "id"][..],
            "Permission denied",
        ),
        (
            "a terminal",
            &["JUMP", "-tt", &on_host_1, "exit 1"],
            "PTY allocation request failed",
        ),
        (
            "on to another host",
            &["JUMP", "-W", &other_host, &on_host_1],
            "administratively prohibited",
        ),
        (
            "elsewhere from the bastion",
            &["-W", &itself, &on_bastion],
            "administratively prohibited",
        ),
    ] {
        let (done, said) = ssh(&project, words);
        assert!(!done && said.contains(refusal), "{what}: {said}");
    }
    let (done, said) = ssh(&project, &[&on_bastion, "id"]);
    assert!(
        !done && !said.contains("uid="),
        "the bastion runs it: {said}"
    );

    project.ok("down narrow --yes");
    for app in APPS {
        forget(app, "vagrant");
    }
    forget(HOST_3, BASTION);
    assert!(lab::answers(1).len() == 1, "staging serves all the while");
}
