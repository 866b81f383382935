//! `deploy`: how many, how much of the machine, and how it rolls out.

use super::keys;
use crate::scaffold::{
    convert::{CONTAINER, Writer, bytes},
    yaml::{Map, Value},
};

/// Where the rollout's part is said.
const ROLLOUT: &str = "[rollout]";

/// What the section says, and `scale`, which is older.
pub fn deploy(service: &mut Map, writer: &mut Writer) {
    let scale = service.take("scale");
    let mut key = "scale";
    let mut replicas = scale;
    if let Some(node) = service.take("deploy") {
        match node.value {
            Value::Map(mut deploy) => {
                if let Some(node) = deploy.take("replicas") {
                    (key, replicas) = ("deploy.replicas", Some(node));
                }
                restart_policy(&mut deploy, service, writer);
                resources(&mut deploy, writer);
                update(&mut deploy, writer);
                writer.left_over(CONTAINER, "deploy", deploy);
            }
            _ => writer.left_out(CONTAINER, "deploy", &node, ""),
        }
    }
    let Some(node) = replicas else {
        return;
    };
    match node.text().and_then(|text| text.parse::<i64>().ok()) {
        Some(number) if number > 0 => writer.set(CONTAINER, "instances", number),
        _ => writer.left_out(CONTAINER, key, &node, "`instances` is a number above 0"),
    }
}

fn restart_policy(deploy: &mut Map, service: &mut Map, writer: &mut Writer) {
    let Some(node) = deploy.take("restart_policy") else {
        return;
    };
    let Value::Map(mut policy) = node.value.clone() else {
        writer.left_out(CONTAINER, "deploy.restart_policy", &node, "");
        return;
    };
    // What the service itself says goes first.
    if service.get("restart").is_none() {
        let restart = match policy.take_text("condition").as_deref() {
            Some("none") => "no".to_owned(),
            Some("on-failure") => match policy.take_text("max_attempts") {
                Some(most) => format!("on-failure:{most}"),
                None => "on-failure".to_owned(),
            },
            _ => "always".to_owned(),
        };
        writer.set_text(CONTAINER, "restart", &restart, "");
    }
    writer.left_over(CONTAINER, "deploy.restart_policy", policy);
}

fn resources(deploy: &mut Map, writer: &mut Writer) {
    let Some(node) = deploy.take("resources") else {
        return;
    };
    let Value::Map(mut resources) = node.value.clone() else {
        writer.left_out(CONTAINER, "deploy.resources", &node, "");
        return;
    };
    for (part, options) in [
        (
            "limits",
            &[
                ("cpus", "--cpus"),
                ("memory", "--memory"),
                ("pids", "--pids-limit"),
            ][..],
        ),
        ("reservations", &[("memory", "--memory-reservation")][..]),
    ] {
        let Some(mut of) = resources.take_map(part) else {
            continue;
        };
        for (key, option) in options {
            let value = of.get(key).and_then(|node| Some(bytes(node.text()?)));
            if let Some(value) = value {
                of.take(key);
                writer.option(option, Some(&value));
            }
        }
        writer.left_over(CONTAINER, &format!("deploy.resources.{part}"), of);
    }
    writer.left_over(CONTAINER, "deploy.resources", resources);
}

fn update(deploy: &mut Map, writer: &mut Writer) {
    let Some(node) = deploy.take("update_config") else {
        return;
    };
    let Value::Map(mut update) = node.value.clone() else {
        writer.left_out(ROLLOUT, "deploy.update_config", &node, "");
        return;
    };
    let number = update
        .get("parallelism")
        .and_then(|node| node.text()?.parse::<i64>().ok());
    if let Some(number) = number.filter(|number| *number > 0) {
        update.take("parallelism");
        writer.set(ROLLOUT, "max_parallel", number);
    }
    let order = update
        .get("order")
        .and_then(|node| node.text())
        .map(str::to_owned);
    if let Some(order) = order {
        update.take("order");
        writer.set_text(ROLLOUT, "order", &order, "");
    }
    let action = update.get("failure_action").and_then(|node| node.text());
    let reverts = match action {
        Some("rollback") => Some(true),
        Some("pause" | "continue") => Some(false),
        _ => None,
    };
    if let Some(reverts) = reverts
        && let Some(node) = update.take("failure_action")
    {
        writer.set(ROLLOUT, "auto_revert", reverts);
        if !reverts {
            writer.left_out(
                ROLLOUT,
                "deploy.update_config.failure_action",
                &node,
                "a rollout stops, and reverts nothing",
            );
        }
    }
    keys::time(&mut update, "monitor", ROLLOUT, "min_healthy_time", writer);
    writer.left_over(ROLLOUT, "deploy.update_config", update);
}
