//! The key tables of the docs, made from what is known of the keys.

pub mod explain;

use std::fmt::Write as _;

use super::{
    from_toml::Section,
    inventory::{
        ConsulSection, GroupSection, HookSection, HostSection, ImagesSection, Inventory,
        PortsSection, PreviewsSection, RegistrySection, ReleasesSection, SshSection, StateSection,
    },
    key::{Key, Shape, Table},
    recipe::{
        BackendsSection, BalancerSection, ConsulServiceSection, ContainerSection, DrainSection,
        HttpSection, ProbeSection, ReadySection, Recipe, RegisterSection, RolloutSection,
        TaskSection, UploadSection,
    },
};

/// Every table of the files, by the header that stands above its keys.
pub fn tables() -> Vec<(&'static str, Table)> {
    vec![
        ("inventory", Inventory::table()),
        ("host", HostSection::table()),
        ("[groups.NAME]", GroupSection::table()),
        ("[ssh]", SshSection::table()),
        ("[consul]", ConsulSection::table()),
        ("[ports]", PortsSection::table()),
        ("[images]", ImagesSection::table()),
        ("[releases]", ReleasesSection::table()),
        ("[state]", StateSection::table()),
        ("[[hooks]]", HookSection::table()),
        ("[previews]", PreviewsSection::table()),
        ("[registries.\"SERVER\"]", RegistrySection::table()),
        ("recipe", Recipe::table()),
        ("[container]", ContainerSection::table()),
        ("[[commands]]", TaskSection::table()),
        ("upload", UploadSection::table()),
        ("[ready]", ReadySection::table()),
        ("http", HttpSection::table()),
        ("[rollout]", RolloutSection::table()),
        ("[register]", RegisterSection::table()),
        ("[register.consul]", ConsulServiceSection::table()),
        ("[drain]", DrainSection::table()),
        ("[balancer]", BalancerSection::table()),
        ("[balancer.backends]", BackendsSection::table()),
        ("[probe]", ProbeSection::table()),
    ]
}

/// Markdown of the keys below these headers. With several, each key has its header before it.
pub fn key_table(headers: &[&str]) -> String {
    let tables: Vec<_> = tables()
        .into_iter()
        .filter(|(header, _)| headers.contains(header))
        .collect();
    let mut text = "| key | value | default | meaning |\n| --- | --- | --- | --- |\n".to_owned();
    for (header, table) in &tables {
        let is_file = matches!(*header, "inventory" | "recipe");
        for key in &table.keys {
            let mut name = format!("`{}`", key.name);
            if is_file {
                name = as_header(key);
            } else if tables.len() > 1 {
                name = format!("`{header}` {name}");
            }
            let needed = key.needed.map(str::to_owned);
            let default = needed.or_else(|| key.default_shown());
            let default = default.unwrap_or_else(|| "–".to_owned());
            let value = key.value_in_words();
            let _ = writeln!(
                text,
                "| {name} | {value} | {default} | {} |",
                key.meaning.replace('|', "\\|")
            );
        }
    }
    let keys: Vec<_> = tables.iter().flat_map(|(_, table)| &table.keys).collect();
    text + &replacing(&keys)
}

/// A key of the file itself, as it is written there.
fn as_header(key: &Key) -> String {
    match key.shape {
        Shape::Value => format!("`{}`", key.name),
        Shape::Table => format!("`[{}]`", key.name),
        Shape::Tables => format!("`[[{}]]`", key.name),
    }
}

/// Which of the keys replace a container when they change.
fn replacing(keys: &[&Key]) -> String {
    let (counting, others): (Vec<&Key>, Vec<&Key>) = keys.iter().partition(|key| key.in_spec_hash);
    if counting.is_empty() {
        return String::new();
    }
    let but = if others.is_empty() {
        String::new()
    } else {
        format!(
            " but {}",
            crate::text::list(others.iter().map(|key| key.name))
        )
    };
    format!("\nA change of any of these{but} replaces the container.\n")
}
