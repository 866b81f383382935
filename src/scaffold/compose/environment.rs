//! `environment`, `env_file` and `labels`.

use crate::scaffold::{
    convert::{Writer, labels},
    yaml::Map,
};

/// The section of the variables, where what is said of them stands.
const ENV: &str = "[container.env]";

/// The variables and the labels.
pub fn environment(service: &mut Map, writer: &mut Writer) {
    if let Some(node) = service.take("env_file") {
        let why =
            "write plain values into `[container.env]`, secret ones into `[container.secrets]`";
        writer.left_out(ENV, "env_file", &node, why);
    }
    if let Some(node) = service.take("environment") {
        match node.pairs() {
            Some(pairs) => {
                for (name, value) in pairs {
                    writer.env(&name, value.as_deref());
                }
            }
            None => writer.left_out(ENV, "environment", &node, ""),
        }
    }
    labels(service.take("labels"), writer);
}
