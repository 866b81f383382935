//! Mistakes in inventories, and what ranges, vars and settings become.

use std::time::Duration;

use insta::assert_snapshot;
use shipit::model::{HostKeyPolicy, SecretSource};

use super::project::{TestProject, shown};

#[test]
fn hosts_are_checked_against_each_other() {
    let shown = TestProject::of_inventory(
        r#"
recipes = ["web", "web", "no/name", "gone"]

[hosts]
a = { address = "192.0.2.1", groups = ["web"] }
b = { address = "192.0.2.1" }
c = { address = "192.0.2.1", port = 2222 }
d = { address = "10.0.0.5", proxy_jump = "jump-1" }
e = { address = "10.0.0.5", proxy_jump = "jump-2" }
f = { address = "root@192.0.2.6", port = 0 }
g = { groups = ["wèb", "all"] }
web = { address = "192.0.2.7" }
"h-[1:3]" = { address = "192.0.3.[1:4]" }
"i-[1:3]" = { address = "192.0.3.1" }
j = { address = "192.0.3.[5:9]" }
"k-[1:2]" = { address = "192.0.4.[1:2]" }
k-2 = { address = "192.0.4.9" }
"l-[3:1]" = { address = "192.0.5.[3:1]" }
"m\nn" = { address = "192.0.6.1" }

[groups.wbe.vars]
x = 1
"#,
    )
    .shown();
    assert_snapshot!(shown);
}

#[test]
fn a_name_out_of_a_range_is_not_a_groups_either() {
    let shown = TestProject::of_inventory(
        "recipes = [\"web\"]\n[hosts]\n\"web-[1:2]\" = { address = \"192.0.2.[1:2]\", groups = [\"web-2\"] }\n",
    )
    .shown();
    assert!(shown.contains("`web-2` is a host and a group"), "{shown}");
}

#[test]
fn a_time_is_no_longer_than_a_year() {
    let inventory = |timeout: &str| {
        TestProject::of_inventory(&format!(
            "recipes = [\"web\"]\n[hosts]\na = {{ address = \"192.0.2.1\" }}\n[ssh]\nconnect_timeout = \"{timeout}\"\n",
        ))
        .shown()
    };
    assert_eq!(inventory("8760h"), "no mistakes\n");
    let shown = inventory("9000000000000000000s");
    for text in ["is longer than a year", "the longest is `8760h`"] {
        assert!(shown.contains(text), "{shown}");
    }
}

#[test]
fn an_inventory_needs_hosts() {
    assert_snapshot!("empty_inventory", TestProject::of_inventory("").shown());
    assert_snapshot!(
        "no_hosts",
        TestProject::of_inventory("recipes = [\"web\"]\n[hosts]\n").shown()
    );
}

#[test]
fn vars_are_plain_and_agree() {
    let shown = TestProject::of_inventory(
        r#"
recipes = ["web"]

[hosts]
a = { address = "192.0.2.1", groups = ["red", "blue"] }
b = { address = "192.0.2.2", groups = ["red", "blue"], vars = { colour = "both" } }

[groups.red.vars]
colour = "red"
same = 1

[groups.blue.vars]
colour = "blue"
same = 1

[vars]
nested = { a = 1 }
template = "{{version}}"
host = "x"
count = 3
"two words" = 1
"#,
    )
    .shown();
    assert_snapshot!(shown);
}

#[test]
fn settings_are_checked() {
    let shown = TestProject::of_inventory(
        r#"
recipes = ["web"]

[hosts]
a = { address = "192.0.2.1" }

[consul]
address = "127.0.0.1"

[releases]
keep = 0

[ssh]
connect_timeout = "0s"
proxy_jump = ""

[registries."https://registry.example"]
username = "deploy"

[registries."registry.example:5000"]
password = { env = "A", file = "b" }
"#,
    )
    .shown();
    assert_snapshot!(shown);
}

#[test]
fn settings_reach_every_host_unless_it_says_otherwise() {
    let loaded = TestProject::of_inventory(
        r#"
recipes = ["web"]

[hosts]
"web-[08:10]" = { address = "10.0.0.[8:10]" }
other = { address = "fd00::1", user = "root", port = 2222, become = false, identity_file = ["/keys/a", "b"] }

[ssh]
user = "deploy"
become = true
identity_file = "keys/c"
host_keys = "accept-new"
known_hosts_file = "known_hosts"
connect_timeout = "1m30s"

[registries."registry.example:5000"]
username = "deploy"
password = { command = "pass registry" }
"#,
    )
    .load("test")
    .unwrap_or_else(|problems| panic!("{problems}"));
    let environment = loaded.environment;
    let hosts: Vec<_> = environment
        .hosts
        .iter()
        .map(|host| (&*host.name, &*host.address))
        .collect();
    assert_eq!(
        hosts,
        [
            ("web-08", "10.0.0.8"),
            ("web-09", "10.0.0.9"),
            ("web-10", "10.0.0.10"),
            ("other", "fd00::1")
        ]
    );
    let (first, other) = (&environment.hosts[0].ssh, &environment.hosts[3].ssh);
    assert_eq!(
        (first.user.as_deref(), first.port, first.r#become),
        (Some("deploy"), None, true)
    );
    assert_eq!(
        (other.user.as_deref(), other.port, other.r#become),
        (Some("root"), Some(2222), false)
    );
    assert!(first.identity_files[0].ends_with("keys/c") && first.identity_files[0].is_absolute());
    assert_eq!(other.identity_files[0].to_str(), Some("/keys/a"));
    assert_eq!(first.host_keys, Some(HostKeyPolicy::AcceptNew));
    assert_eq!(first.connect_timeout, Some(Duration::from_secs(90)));
    let login = &environment.registries[0];
    assert_eq!(
        login.password,
        SecretSource::Command("pass registry".to_owned())
    );
    assert_eq!(
        (environment.keep_releases, environment.consul.address.port),
        (10, 8500)
    );
}

#[test]
fn a_set_var_that_nothing_uses_is_refused() {
    let project = TestProject::new(&[
        (
            "inventory/test.toml",
            "recipes = [\"web\"]\n[hosts]\na = { address = \"192.0.2.1\" }\n[vars]\nversion = \"1\"\n",
        ),
        (
            "recipes/web.toml",
            "hosts = \"all\"\ncontainer.image = \"web:{{version}}\"\n",
        ),
    ]);
    assert_snapshot!("set_unknown", shown(project.load_with(&[("versoin", "2")])));
    assert_snapshot!(
        "set_reserved",
        shown(project.load_with(&[("host", "x"), ("a b", "x")]))
    );
    let loaded = project.load_with(&[("version", "2")]).expect("no mistakes");
    let web = loaded.environment.recipe("web").expect("web is there");
    assert_eq!(
        web.by_host["a"].container.as_ref().map(|spec| &*spec.image),
        Some("web:2")
    );
}

#[test]
fn a_set_var_may_be_one_that_only_a_template_names() {
    let project = TestProject::new(&[
        (
            "inventory/test.toml",
            "recipes = [\"web\"]\n[hosts]\na = { address = \"192.0.2.1\", vars = { zone = \"a\" } }\n",
        ),
        (
            "recipes/web.toml",
            r#"
hosts = "all"
description = "the word version is here, and ver"
[container]
image = "web:{{version}}"
env = { ALL = "{{#each hosts}}{{../mode}}{{/each}}", ONE = '{{lookup host.vars "size"}}' }
[[before]]
upload = { from = "files/a", to = "/a", template = true }
"#,
        ),
        ("files/a", "{{#if debug}}{{level}}{{/if}}"),
    ]);
    let all = ["version", "mode", "size", "debug", "level"].map(|name| (name, "1"));
    let with = |more: (&'static str, &'static str)| {
        let set: Vec<_> = all.into_iter().chain([more]).collect();
        shown(project.load_with(&set))
    };
    assert_eq!(with(("zone", "b")), "no mistakes\n");
    assert_snapshot!("set_slips", with(("verison", "3")) + &with(("word", "3")));
    // The word is there, but in no template; `ver` is a part of one.
    assert!(with(("ver", "3")).contains("nothing uses `ver`"));
}

/// What is shown of hosts with these addresses, whose recipe has `policy`.
fn shown_for(addresses: [&str; 2], policy: &str) -> String {
    let [first, second] = addresses;
    let project = TestProject::new(&[(
        "inventory/test.toml",
        &format!(
            "recipes = [\"web\"]\n[hosts]\na = {{ address = \"{first}\" }}\n\"b-[1:2]\" = {{ address = \"{second}\" }}\n[consul]\naddress = \"127.0.0.1:8500\"\n"
        ),
    )]);
    project.write(
        "recipes/web.toml",
        &format!(
            "hosts = \"all\"\n[container]\nimage = \"w\"\npublish_all = true\nenv.SERVICE_CHECK_TCP = true\n{policy}"
        ),
    );
    project.shown()
}

#[test]
fn a_name_is_no_address_for_consul_and_balancers() {
    let names = ["web.example", "b-[1:2].example"];
    let ips = ["fd00::1", "10.0.0.[1:2]"];
    let consul = "[ready]\nconsul = \"web\"\n";
    let drain = "[drain]\nwait = \"2s\"\n";
    assert_snapshot!("names_for_consul", shown_for(names, consul));
    let shown = shown_for(names, drain);
    assert!(
        shown.contains("the balancers' routes are matched against this address"),
        "{shown}"
    );
    for (addresses, policy) in [(names, ""), (ips, consul), (ips, drain)] {
        assert_eq!(shown_for(addresses, policy), "no mistakes\n");
    }
    let leader = shown_for(names, "[ready]\nconsul = \"leader\"\n");
    assert_eq!(leader, "no mistakes\n");
}

#[test]
fn what_is_no_address_and_no_jump_host_is_refused() {
    let shown = |host: &str| {
        TestProject::of_inventory(&format!("recipes = [\"web\"]\n[hosts]\n{host}\n")).shown()
    };
    for address in [
        "10.0.0.7",
        "web",
        "web_1.example.com",
        "fd00::1",
        "[fd00::1]",
        "fe80::1%eth0",
        "bücher.example",
    ] {
        let shown = shown(&format!("a = {{ address = \"{address}\" }}"));
        assert_eq!(shown, "no mistakes\n", "{address}");
    }
    for address in [
        "10.0.0.300",
        "010.0.0.1",
        "-oProxyCommand=x",
        "*.x",
        "%h",
        "{{x}}",
        "a..b",
        "a,b",
        "h[a:c]",
        "h[1]",
        "te\\u202Est",
    ] {
        let shown = shown(&format!("a = {{ address = \"{address}\" }}"));
        assert!(shown.contains("error: "), "{address}: {shown}");
    }
    let too_far = shown("\"w[1:3]\" = { address = \"10.0.0.[254:256]\" }");
    assert!(too_far.contains("is not an address"), "{too_far}");
    for name in ["\"w[a:c]\"", "\"w[1:]\"", "\"a,b\""] {
        let shown = shown(&format!("{name} = {{ address = \"10.0.0.1\" }}"));
        assert!(shown.contains("error: "), "{name}: {shown}");
    }
    let twice = shown("a = { address = \"fd00::1\" }\nb = { address = \"fd00:0::1\" }");
    assert!(twice.contains("have the same address"), "{twice}");
    for jumps in ["a", "me@a:2222,b", "none", "ssh://me@a:22/"] {
        let shown = shown(&format!(
            "a = {{ address = \"10.0.0.1\", proxy_jump = \"{jumps}\" }}"
        ));
        assert_eq!(shown, "no mistakes\n", "{jumps}");
    }
    for jumps in [
        "", "a:0", "a:99999", ",", "a,,b", "@h", "u@", "-oX", "[::1", "a b", "a/b", "[a]22",
    ] {
        let shown = shown(&format!(
            "a = {{ address = \"10.0.0.1\", proxy_jump = \"{jumps}\" }}"
        ));
        assert!(
            shown.contains("jump host") || shown.contains("no valid port"),
            "{jumps}: {shown}"
        );
    }
}

#[test]
fn a_port_in_an_address_is_told_where_it_belongs() {
    let shown = |name: &str, address: &str| {
        TestProject::of_inventory(&format!(
            "recipes = [\"web\"]\n[hosts]\n\"{name}\" = {{ address = \"{address}\" }}\n"
        ))
        .shown()
    };
    for (name, address, hint) in [
        ("a", "10.0.0.1:22", r#"`address = "10.0.0.1", port = 22`"#),
        (
            "a",
            "web.example:2222",
            r#"`address = "web.example", port = 2222`"#,
        ),
        ("a", "[fd00::1]:22", r#"`address = "fd00::1", port = 22`"#),
        (
            "a-[1:2]",
            "10.0.0.[1:2]:22",
            r#"`address = "10.0.0.[1:2]", port = 22`"#,
        ),
        (
            "a",
            "root@10.0.0.1:22",
            r#"`address = "10.0.0.1", user = "root", port = 22`"#,
        ),
        (
            "a",
            "root@fd00::1",
            r#"`address = "fd00::1", user = "root"`"#,
        ),
        (
            "a",
            "ssh://vagrant@10.88.1.103",
            r#"`address = "10.88.1.103", user = "vagrant"`"#,
        ),
        (
            "a",
            "ssh://root@[fd00::1]:2222/",
            r#"`address = "fd00::1", user = "root", port = 2222`"#,
        ),
        ("a", "ssh://web.example", r#"`address = "web.example"`"#),
        (
            "a",
            "root@[fd00::1]",
            r#"`address = "fd00::1", user = "root"`"#,
        ),
    ] {
        let shown = shown(name, address);
        assert!(shown.contains("is not an address"), "{shown}");
        assert!(shown.contains(&format!("hint: write {hint}")), "{shown}");
    }
    for (name, address) in [
        ("a", "fd00::1"),
        ("a", "::1"),
        ("a", "fe80::1%eth0"),
        ("a", "[fd00::1]"),
        ("a", "[fe80::1%eth0]"),
        ("a-[1:2]", "10.0.0.[1:2]"),
        ("a-[1:2]", "fd00::[1:2]"),
    ] {
        assert_eq!(shown(name, address), "no mistakes\n", "{address}");
    }
}

#[test]
fn the_brackets_of_an_ipv6_address_are_no_part_of_it() {
    let project = TestProject::of_inventory(
        "recipes = [\"web\"]\n[hosts]\na = { address = \"[fd00::1]\" }\nb = { address = \"fd00::2\" }\n",
    );
    let loaded = project.load("test").expect("no mistakes");
    let environment = loaded.environment;
    let addresses: Vec<_> = environment
        .hosts
        .iter()
        .map(|host| &*host.address)
        .collect();
    assert_eq!(addresses, ["fd00::1", "fd00::2"]);
}

#[test]
fn consul_has_a_token_and_tls() {
    let of = |consul: &str| {
        let project = TestProject::of_inventory(&format!(
            "recipes = [\"web\"]\n[hosts]\na = {{ address = \"192.0.2.1\" }}\n[consul]\n{consul}"
        ));
        project.write("files/ca.pem", "");
        project
    };
    let keys = "address = \"127.0.0.1:8501\"\nscheme = \"https\"\nca_file = \"files/ca.pem\"\n\
        server_name = \"server.dc1.consul\"\ntoken = { env = \"CONSUL_HTTP_TOKEN\" }\nnamespace = \"shop\"\n";
    let project = of(keys);
    assert_eq!(project.shown(), "no mistakes\n");
    let loaded = project.load("test").unwrap_or_else(|it| panic!("{it}"));
    let consul = loaded.environment.consul;
    assert_eq!(
        consul.token,
        Some(SecretSource::Env("CONSUL_HTTP_TOKEN".into()))
    );
    let file = consul.ca_file.expect("a file");
    assert!(file.is_absolute() && file.ends_with("files/ca.pem"));
    assert_eq!(consul.namespace.as_deref(), Some("shop"));
    assert_eq!(consul.partition, None);

    for (keys, told) in [
        ("ca_file = \"files/ca.pem\"\n", "`ca_file` without TLS"),
        ("server_name = \"consul\"\n", "add `scheme = \"https\"`"),
        (
            "scheme = \"https\"\nca_file = \"files/none.pem\"\n",
            "no file `files/none.pem`",
        ),
        ("token = \"6e8b4a5c\"\n", "say where it comes from"),
        (
            "token = { env = \"A\", file = \"b\" }\n",
            "a secret has exactly one source",
        ),
        ("namespace = \"\"\n", "not a name"),
        ("scheme = \"tls\"\n", "`tls` is not one of"),
    ] {
        let shown = of(keys).shown();
        assert!(shown.contains(told), "{keys}: {shown}");
    }
}
