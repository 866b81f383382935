//! Consul as many run it: with ACLs that deny by default, and its API by TLS.

use std::{collections::BTreeMap, fs, time::Duration};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

use crate::{
    lab::{self, HOST_1, HOSTS},
    pages::{blocks, pages},
    project::Project,
    stage::{Stage, deployed},
};

/// The token that makes the others.
const MANAGEMENT: &str = "6e8b4a5c-0000-4000-8000-000000000001";
/// Each agent's own: it has it without the cluster, which is not there before they have joined.
const AGENT: &str = "6e8b4a5c-0000-4000-8000-000000000006";
/// What shipit needs, as docs/consul.md says.
const SHIPIT: &str = "6e8b4a5c-0000-4000-8000-000000000002";
/// Registrator's and the balancer's.
const STACK: &str = "6e8b4a5c-0000-4000-8000-000000000003";
/// Reads everything.
const READER: &str = "6e8b4a5c-0000-4000-8000-000000000004";
/// Nobody's.
const UNKNOWN: &str = "6e8b4a5c-0000-4000-8000-000000000005";

const INVENTORY: &str = "inventory/staging.toml";
const CONSUL: &str = "recipes/consul.toml";

/// Takes the containers and Consul's data from all hosts. The images stay: they take long to send.
fn take_everything_away() {
    for host in HOSTS {
        host.run(
            "docker ps -aq | xargs -r docker rm --force --volumes >/dev/null
            sudo sh -c 'rm -rf /mnt/* /tmp/shipit-*'",
        );
    }
}

/// A certificate for the agents by an authority of its own, both in the project's `tls`.
fn certificates(project: &Project) {
    let authority = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::new(Vec::new()).expect("no name");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let certificate = params.self_signed(&authority).expect("a certificate");
    project.write("tls/ca.pem", &certificate.pem());
    let issuer = Issuer::new(params, authority);

    let key = KeyPair::generate().expect("a key");
    let names = vec!["server.dc1.consul".to_owned()];
    let params = CertificateParams::new(names).expect("a name");
    let certificate = params.signed_by(&key, &issuer).expect("a certificate");
    project.write("tls/agent.pem", &certificate.pem());
    project.write("tls/agent.key", &key.serialize_pem());
}

/// The files: Consul denies what no token allows, and answers by TLS at port 8501; shipit asks it there. Registrator and
/// the balancer ask it as before, each with a token.
fn files(project: &Project) {
    certificates(project);
    let acls = format!(
        "acl {{ enabled = true default_policy = \\\"deny\\\" \
            tokens {{ master = \\\"{MANAGEMENT}\\\" agent = \\\"{MANAGEMENT}\\\" agent_master = \\\"{AGENT}\\\" }} }}"
    );
    let tls = "ports { https = 8501 } ca_file = \\\"/tls/ca.pem\\\" cert_file = \\\"/tls/agent.pem\\\" \
        key_file = \\\"/tls/agent.key\\\"";
    project.edit(
        CONSUL,
        "\"-ui\",",
        &format!("\"-ui\",\n    \"-hcl={acls}\",\n    \"-hcl={tls}\","),
    );
    project.edit(
        CONSUL,
        "[\"/mnt:/consul/data\"]",
        "[\"/mnt/data:/consul/data\", \"/mnt/tls:/tls:ro\"]",
    );
    // A join takes a token as well.
    project.edit(
        CONSUL,
        "docker exec {{container}} consul join",
        &format!("docker exec -e CONSUL_HTTP_TOKEN={AGENT} {{{{container}}}} consul join"),
    );
    let upload = |file: &str| {
        format!(
            "[[before]]\nname = \"{file}\"\nupload = {{ from = \"tls/{file}\", to = \"/mnt/tls/{file}\" }}\n\n"
        )
    };
    let uploads: String = ["ca.pem", "agent.pem", "agent.key"].map(upload).concat();
    project.edit(
        CONSUL,
        "[[after]]",
        &format!("[[before]]\nname = \"folder\"\nrun = \"sudo install -d -o $USER /mnt/tls\"\n\n{uploads}[[after]]"),
    );
    for recipe in ["recipes/registrator.toml", "recipes/dr-con.toml"] {
        project.edit(
            recipe,
            "[container]\n",
            &format!("[container]\nsecrets.CONSUL_HTTP_TOKEN = {{ command = \"echo {STACK}\" }}\n"),
        );
    }
    project.edit(
        INVENTORY,
        "[images]",
        "[consul]\naddress = \"127.0.0.1:8501\"\nscheme = \"https\"\nca_file = \"tls/ca.pem\"\n\
            server_name = \"server.dc1.consul\"\ntoken = { file = \"token\" }\n\n[images]",
    );
}

/// Makes the tokens. shipit's policy is the one of docs/consul.md.
fn tokens() {
    let page = pages()
        .into_iter()
        .find(|page| page.name == "docs/consul.md");
    let rules = blocks(&page.expect("the page"))
        .into_iter()
        .find(|block| block.kind == "hcl")
        .expect("the policy")
        .lines
        .join("\n");
    let reads = "node_prefix \"\" { policy = \"read\" } service_prefix \"\" { policy = \"read\" }";
    // `consul watch` first asks who the agent is.
    let registers = "agent_prefix \"\" { policy = \"read\" } node_prefix \"\" { policy = \"read\" } \
        service_prefix \"\" { policy = \"write\" }";
    let policies = BTreeMap::from([
        ("shipit", (SHIPIT, &*rules)),
        ("stack", (STACK, registers)),
        ("reader", (READER, reads)),
    ]);
    let acl = format!("docker exec -e CONSUL_HTTP_TOKEN={MANAGEMENT} consul consul acl");
    // A new cluster takes a moment until its ACLs can be changed.
    let limit = Duration::from_secs(30);
    lab::eventually("ACLs can be changed", limit, || {
        HOST_1
            .try_run(&format!("{acl} policy create -name first"))
            .map(|_| ())
    });
    for (name, (token, rules)) in policies {
        HOST_1.run(&format!(
            "{acl} policy create -name {name} -rules '{rules}' && \
            {acl} token create -policy-name {name} -secret {token}"
        ));
    }
}

/// That both app hosts answer through the balancer with this version, and no one else does. (Consul tells no stranger what
/// it has.)
#[track_caller]
fn both_answer(version: &str) {
    let answers = lab::who_answers(2);
    let version = format!("({version})");
    let is_new = |answer: &String| answer.ends_with(&version);
    assert!(
        answers.len() == 2 && answers.iter().all(is_new),
        "{answers:?}"
    );
}

/// No file that shipit has written on this machine has a token in it.
fn no_log_has_a_token(project: &Project) {
    let folder = project.path(".shipit/log/staging");
    let mut logs = 0;
    for entry in fs::read_dir(folder).expect("the logs") {
        let text = fs::read_to_string(entry.expect("an entry").path()).expect("a log");
        for token in [MANAGEMENT, SHIPIT, STACK, READER, UNKNOWN] {
            let is_token = |line: &&str| line.contains(token) && !line.contains("-hcl=");
            assert_eq!(text.lines().find(is_token), None);
        }
        logs += 1;
    }
    assert!(logs > 3, "{logs} logs");
}

pub fn acls_and_tls(stage: &Stage) {
    let project = stage.copy("consul-acls");
    take_everything_away();
    files(&project);
    let token = |token: &str| project.write("token", token);

    token(MANAGEMENT);
    project.ok("deploy staging consul");
    tokens();
    let url = format!("http://{}:8500/v1/catalog/services", HOST_1.address());
    assert_eq!(
        lab::get(&url).as_deref().map(str::trim),
        Ok("{}"),
        "ACLs are on"
    );
    token(SHIPIT);
    project.ok("deploy staging --set version=v1");
    both_answer("v1");
    project.ok("check staging");
    project
        .ok("status staging")
        .says("passing")
        .says("leader   ");

    let what = "Consul with ACLs and TLS: a deploy, two refused tokens, a rollback";
    stage.loses_nothing(what, |_| {
        let deploy = deployed(&project, "deploy staging --set version=v2").0;
        both_answer("v2");
        let before = lab::everything();
        let refused = |value: &str| {
            token(value);
            let run = project.shipit("deploy staging --set version=v1");
            run.exits(3)
                .says("Consul is not ready on `host-1`; nothing was changed on any host");
            run
        };
        refused(UNKNOWN)
            .says("refused GET /v1/agent/services: 403 ACL not found")
            .says("`consul acl token list`");
        refused(READER)
            .says("refused PUT /v1/agent/service/maintenance/host-1%3Aflask-nanoservice-r")
            .says("%3A5000: 403 Permission denied")
            .says("needs the rule `service \"flask-nanoservice\" { policy = \"write\" }`")
            .says("consul acl policy create -name shipit -rules");
        assert_eq!(lab::everything(), before);
        token(SHIPIT);
        let back = deployed(&project, "rollback staging").0;
        vec![deploy, back]
    });
    both_answer("v1");

    // An agent that cannot prove who it is gets no token.
    let before = lab::everything();
    let name = "server_name = \"server.dc1.consul\"\n";
    project.edit(INVENTORY, name, "");
    project
        .shipit("deploy staging --set version=v2")
        .exits(3)
        .says("its certificate is for `server.dc1.consul`, not for `127.0.0.1`");
    project.edit(INVENTORY, "ca_file =", &format!("{name}ca_file ="));
    assert_eq!(lab::everything(), before);

    // A plan runs no command for a token.
    project.edit(
        INVENTORY,
        "{ file = \"token\" }",
        "{ command = \"cat token\" }",
    );
    token(SHIPIT);
    project
        .ok("plan staging --set version=v2")
        .says("this plan did not ask Consul: its token comes from a command, which a dry run does not run");
    no_log_has_a_token(&project);
    project.ok("down staging --yes");
    take_everything_away();
}
