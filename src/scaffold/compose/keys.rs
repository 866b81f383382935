//! Keys of a service that are an option of docker's, and those that have no counterpart for a reason.

use crate::scaffold::{
    convert::{CONTAINER, Writer, bytes, duration, logging},
    yaml::{Map, Node, Value},
};

/// How a value becomes that of an option.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// As it is; of a list each item.
    Each,
    /// A size.
    Bytes,
    /// A flag, where it is true.
    Flag,
    /// Names with values, as `NAME=VALUE` or, of hosts, `NAME:ADDRESS`.
    Pairs(char),
}

/// The keys, each with docker's option.
const OPTIONS: [(&str, &str, Form); 43] = [
    ("cap_add", "--cap-add", Form::Each),
    ("cap_drop", "--cap-drop", Form::Each),
    ("cgroup", "--cgroupns", Form::Each),
    ("cgroup_parent", "--cgroup-parent", Form::Each),
    ("cpu_count", "--cpu-count", Form::Each),
    ("cpu_percent", "--cpu-percent", Form::Each),
    ("cpu_period", "--cpu-period", Form::Each),
    ("cpu_quota", "--cpu-quota", Form::Each),
    ("cpu_shares", "--cpu-shares", Form::Each),
    ("cpus", "--cpus", Form::Each),
    ("cpuset", "--cpuset-cpus", Form::Each),
    ("device_cgroup_rules", "--device-cgroup-rule", Form::Each),
    ("devices", "--device", Form::Each),
    ("dns", "--dns", Form::Each),
    ("dns_opt", "--dns-option", Form::Each),
    ("dns_search", "--dns-search", Form::Each),
    ("domainname", "--domainname", Form::Each),
    ("expose", "--expose", Form::Each),
    ("extra_hosts", "--add-host", Form::Pairs(':')),
    ("group_add", "--group-add", Form::Each),
    ("init", "--init", Form::Flag),
    ("ipc", "--ipc", Form::Each),
    ("mem_limit", "--memory", Form::Bytes),
    ("mem_reservation", "--memory-reservation", Form::Bytes),
    ("mem_swappiness", "--memory-swappiness", Form::Each),
    ("memswap_limit", "--memory-swap", Form::Bytes),
    ("oom_kill_disable", "--oom-kill-disable", Form::Flag),
    ("oom_score_adj", "--oom-score-adj", Form::Each),
    ("pid", "--pid", Form::Each),
    ("pids_limit", "--pids-limit", Form::Each),
    ("privileged", "--privileged", Form::Flag),
    ("read_only", "--read-only", Form::Flag),
    ("runtime", "--runtime", Form::Each),
    ("security_opt", "--security-opt", Form::Each),
    ("shm_size", "--shm-size", Form::Bytes),
    ("stdin_open", "--interactive", Form::Flag),
    ("stop_signal", "--stop-signal", Form::Each),
    ("sysctls", "--sysctl", Form::Pairs('=')),
    ("tmpfs", "--tmpfs", Form::Each),
    ("tty", "--tty", Form::Flag),
    ("userns_mode", "--userns", Form::Each),
    ("uts", "--uts", Form::Each),
    ("mac_address", "--mac-address", Form::Each),
];

/// Why a key has no counterpart.
const REASONS: [(&str, &str); 8] = [
    (
        "container_name",
        "containers are named by recipe and release",
    ),
    ("profiles", "an inventory names the recipes that run"),
    (
        "links",
        "in the network that they share, services reach each other by name",
    ),
    (
        "secrets",
        "`[container.secrets]` gives a value as a variable, `upload` of `[[before]]` places a file",
    ),
    ("configs", "`upload` of `[[before]]` places a file"),
    ("develop", "it is about the machine of a developer"),
    (
        "pull_policy",
        "a deploy pins the image to what its tag names then",
    ),
    (
        "extends",
        "what it extends is in another file; convert that one, too",
    ),
];

/// The keys that are options, and then all that is left.
pub fn keys(mut service: Map, writer: &mut Writer) {
    for (key, option, form) in &OPTIONS {
        if let Some(node) = service.take(key)
            && !written(option, *form, &node, writer)
        {
            writer.left_out(CONTAINER, key, &node, "");
        }
    }
    ulimits(&mut service, writer);
    let node = service.take("logging");
    logging(node.as_ref(), writer);
    for (key, node) in service.0 {
        let reason = REASONS.iter().find(|(known, _)| *known == key.name);
        writer.left_out(
            CONTAINER,
            &key.name,
            &node,
            reason.map_or("", |(_, why)| why),
        );
    }
}

/// Writes an option. `false` where the value is none for it.
fn written(option: &str, form: Form, node: &Node, writer: &mut Writer) -> bool {
    match form {
        Form::Flag => {
            if node.is_true() {
                writer.option(option, None);
            }
            node.is_true() || node.is_false()
        }
        Form::Each | Form::Bytes => {
            let Some(texts) = node.texts() else {
                return false;
            };
            for text in texts {
                let value = if form == Form::Bytes {
                    bytes(&text)
                } else {
                    text
                };
                writer.option(option, Some(&value));
            }
            true
        }
        Form::Pairs(between) => {
            let Some(pairs) = node.pairs() else {
                return false;
            };
            for (name, value) in pairs {
                let pair = match value {
                    Some(value) => format!("{name}{between}{value}"),
                    None => name,
                };
                writer.option(option, Some(&pair));
            }
            true
        }
    }
}

/// `nofile: 1024`, or with `soft` and `hard`.
fn ulimits(service: &mut Map, writer: &mut Writer) {
    let Some(node) = service.take("ulimits") else {
        return;
    };
    let Value::Map(limits) = &node.value else {
        writer.left_out(CONTAINER, "ulimits", &node, "");
        return;
    };
    for (key, limit) in &limits.0 {
        let of = |name: &str| limit.map()?.get(name)?.text();
        let value = match (limit.text(), of("soft"), of("hard")) {
            (Some(both), ..) => both.to_owned(),
            (None, Some(soft), Some(hard)) => format!("{soft}:{hard}"),
            _ => {
                writer.left_out(CONTAINER, &format!("ulimits.{}", key.name), limit, "");
                continue;
            }
        };
        writer.option("--ulimit", Some(&format!("{}={value}", key.name)));
    }
}

/// A key that is a time.
pub fn time(service: &mut Map, from: &str, section: &str, to: &str, writer: &mut Writer) {
    let Some(node) = service.take(from) else {
        return;
    };
    match node.text().and_then(duration) {
        Some(time) => writer.set(section, to, time),
        None => writer.left_out(section, from, &node, "it is no time"),
    }
}
