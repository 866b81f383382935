//! The files of the design, as it shows them.

use super::project::TestProject;

const FILES: [(&str, &str); 5] = [
    (
        "inventory/staging.toml",
        r#"# inventory/staging.toml
#:schema ../schema/inventory.json
recipes = ["consul", "registrator", "dr-con", "flask-nanoservice"]

[hosts]                    # order is kept; everything below [hosts] is one line a host
host-1 = { address = "192.168.50.101", groups = ["consul", "apps"] }
host-2 = { address = "192.168.50.102", groups = ["consul", "apps"] }
host-3 = { address = "192.168.50.103", groups = ["consul", "balancers"] }

[ssh]
user = "vagrant"
identity_file = "~/.vagrant.d/insecure_private_key"

[vars]
version = "latest"
"#,
    ),
    (
        "recipes/consul.toml",
        r#"# recipes/consul.toml
description = "A Consul server on each host, joined into one cluster"
hosts = "consul"

[container]
image = "{{consul_image}}"
network = "host"
restart = "always"
volumes = ["/mnt:/consul/data"]
command = ["agent", "-server", "-ui", "-client=0.0.0.0", "-data-dir=/consul/data",
           "-bind={{host.address}}", "-bootstrap-expect={{count groups.consul}}"]

[[after]]
name = "join the cluster"
run = "docker exec consul consul join {{addresses groups.consul}}"

[ready]
consul = "leader"

[rollout]
order = "stop-first"       # servers one at a time, never below quorum
"#,
    ),
    (
        "recipes/registrator.toml",
        r#"# recipes/registrator.toml
description = "Registers every published port in Consul"
hosts = "apps"
requires = ["consul"]

[container]
image = "{{registrator_image}}"
network = "host"
restart = "always"
volumes = ["/var/run/docker.sock:/tmp/docker.sock"]
command = ["-ip", "{{host.address}}", "-cleanup", "-resync", "60", "consul://{{host.address}}:8500"]
"#,
    ),
    (
        "recipes/dr-con.toml",
        r#"# recipes/dr-con.toml
description = "nginx, rewritten from Consul whenever an instance comes or goes"
hosts = "balancers"
requires = ["consul"]

[container]
image = "{{dr_con_image}}"
restart = "always"
publish = ["80:80"]
env = { CONSUL = "{{host.address}}:8500", SERVICE = "flask-nanoservice" }

[balancer]
upstreams = "docker exec dr-con nginx -T"   # prints what it routes to now
"#,
    ),
    (
        "recipes/flask-nanoservice.toml",
        r#"# recipes/flask-nanoservice.toml
description = "The app: one container per app host, on any free port"
hosts = "apps"
requires = ["registrator"]

[container]
image = "{{flask_image}}:{{version}}"
publish_all = true
env = { SERVICE_NAME = "flask-nanoservice", SERVICE_CHECK_HTTP = "/", SERVICE_CHECK_INTERVAL = "1s" }

[ready]
consul = "flask-nanoservice"    # Consul reports this very container passing

[rollout]
order = "start-first"
max_parallel = 1
canary = 1
auto_promote = true
min_healthy_time = "2s"
healthy_deadline = "60s"
auto_revert = true

[drain]
balancers = ["dr-con"]          # and wait until they no longer route to the old container
"#,
    ),
];

#[test]
fn the_designs_files_load_as_shown() {
    let project = TestProject::new(&FILES);
    let set = [
        ("consul_image", "consul:1.8.7"),
        ("registrator_image", "gliderlabs/registrator"),
        ("dr_con_image", "dr-con"),
        ("flask_image", "flask-nanoservice"),
    ];
    let set = set
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .to_vec();
    let loaded = shipit::model::load(
        &project.project(),
        "staging",
        &shipit::model::Overrides {
            set,
            for_several: false,
        },
    )
    .unwrap_or_else(|problems| panic!("{problems}"));
    assert!(loaded.warnings.is_empty(), "{}", loaded.warnings);
    assert_eq!(loaded.environment.recipes.len(), 4);
}
