//! `healthcheck`: docker's options, and the gate that waits for what they say.

use crate::scaffold::{
    convert::{Writer, duration},
    yaml::{Map, Node, Value},
};

/// The section of the gates.
const READY: &str = "[ready]";

/// The times, with docker's options for them.
const TIMES: [(&str, &str); 4] = [
    ("interval", "--health-interval"),
    ("timeout", "--health-timeout"),
    ("start_period", "--health-start-period"),
    ("start_interval", "--health-start-interval"),
];

/// The check of a service.
pub fn healthcheck(service: &mut Map, writer: &mut Writer) {
    let Some(node) = service.take("healthcheck") else {
        return;
    };
    let Value::Map(mut check) = node.value.clone() else {
        writer.left_out(READY, "healthcheck", &node, "");
        return;
    };
    if check.get("disable").is_some_and(Node::is_true) {
        check.take("disable");
        writer.option("--no-healthcheck", None);
        writer.left_over(READY, "healthcheck", check);
        return;
    }
    if let Some(test) = check.take("test") {
        match command(&test) {
            Some(Check::Command(command)) => {
                writer.option("--health-cmd", Some(&command));
                writer.set(READY, "healthcheck", true);
            }
            Some(Check::Off) => writer.option("--no-healthcheck", None),
            None => writer.left_out(READY, "healthcheck.test", &test, ""),
        }
    }
    for (key, option) in TIMES {
        if let Some(node) = check.take(key) {
            match node.text().and_then(duration) {
                Some(time) => writer.option(option, Some(&time)),
                None => writer.left_out(READY, &format!("healthcheck.{key}"), &node, "no time"),
            }
        }
    }
    if let Some(node) = check.take("retries") {
        match node.text() {
            Some(number) => writer.option("--health-retries", Some(number)),
            None => writer.left_out(READY, "healthcheck.retries", &node, ""),
        }
    }
    if check.get("disable").is_some_and(Node::is_false) {
        check.take("disable");
    }
    writer.left_over(READY, "healthcheck", check);
}

/// What is asked.
enum Check {
    /// A command, as a shell takes it.
    Command(String),
    /// Nothing, also where the image says what.
    Off,
}

fn command(test: &Node) -> Option<Check> {
    if let Some(text) = test.text() {
        return Some(Check::Command(text.to_owned()));
    }
    let words = test.texts()?;
    let (first, rest) = words.split_first()?;
    let command = match first.as_str() {
        "NONE" => return Some(Check::Off),
        "CMD-SHELL" => rest.join(" "),
        "CMD" => shlex::try_join(rest.iter().map(String::as_str)).ok()?,
        _ => return None,
    };
    Some(Check::Command(command))
}
