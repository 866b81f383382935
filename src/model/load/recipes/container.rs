//! `[container]` for one host.

use std::{collections::BTreeMap, time::Duration};

use super::{
    super::{
        scope::Resolver,
        secret::{self, is_env_name, is_shell_name, wrong_env_name},
        settings,
    },
    run_options::wrong_option,
};
use crate::{
    config::{
        recipe::{ContainerSection, Recipe as Raw},
        values::{Entries, Scalar},
    },
    diagnostic::{Located, Problem},
    model::{ContainerSpec, Publish, SecretSource},
};

/// How many containers run on each host.
pub(super) fn instances(raw: &Raw) -> u16 {
    let container = raw.container.as_ref();
    let instances = container.and_then(|container| container.instances.as_ref());
    instances.map_or(1, |instances| instances.value)
}

/// Everything that `docker run` is told on one host.
pub(super) fn resolve(
    section: &Located<ContainerSection>,
    resolver: &mut Resolver<'_>,
) -> ContainerSpec {
    let ContainerSection {
        image,
        source,
        command,
        entrypoint,
        env,
        secrets,
        publish,
        publish_all,
        volumes,
        network,
        restart,
        user,
        hostname,
        workdir,
        labels,
        options,
        stop_timeout,
        instances,
    } = &section.value;
    if image.is_none() {
        resolver.problems.push(
            Problem::error("`[container]` has no image")
                .at(&section.place, "`image` is missing")
                .hint("add `image = \"NAME:TAG\"`"),
        );
    }
    if let Some(instances) = instances.as_ref().filter(|instances| instances.value == 0) {
        resolver
            .problems
            .push(Problem::error("no instances").at(&instances.place, "at least 1"));
    }
    let spec = ContainerSpec {
        setup: None,
        image: image
            .as_ref()
            .map(|text| image_reference(text, resolver))
            .unwrap_or_default(),
        source: source.as_ref().map_or(resolver.default_source(), |source| {
            settings::image_source_of(source.value)
        }),
        command: words(command.as_ref(), resolver),
        entrypoint: line(entrypoint.as_ref(), resolver),
        env: environment(env.as_ref(), resolver),
        secrets: secret_sources(section, resolver),
        publish: published(publish.as_ref(), resolver),
        publish_all: publish_all.as_ref().is_some_and(|flag| flag.value),
        volumes: lines(volumes.as_ref(), resolver),
        network: line(network.as_ref(), resolver),
        restart: restart.as_ref().map(|text| restart_policy(text, resolver)),
        user: line(user.as_ref(), resolver),
        hostname: line(hostname.as_ref(), resolver),
        workdir: line(workdir.as_ref(), resolver),
        labels: label_values(labels.as_ref(), resolver),
        options: run_options(options.as_ref(), resolver),
        stop_timeout: stop_timeout
            .as_ref()
            .map_or(Duration::from_secs(30), |timeout| timeout.value.0),
    };
    if let (Some(secrets), Some(env)) = (secrets, env) {
        for (name, _) in &secrets.0 {
            if let Some((plain, _)) = env.0.iter().find(|(plain, _)| plain.value == name.value) {
                resolver.problems.push(
                    Problem::error(format!("`{}` is in `env` and in `secrets`", name.value))
                        .at(&name.place, "the secret")
                        .at(&plain.place, "the plain value"),
                );
            }
        }
    }
    spec
}

fn image_reference(text: &Located<String>, resolver: &mut Resolver<'_>) -> String {
    let image = resolver.line(text);
    // docker takes a leading dash for an option, and no reference has spaces.
    if image.starts_with('-') || image.contains(char::is_whitespace) {
        resolver.problems.push(
            Problem::error(format!("`{image}` is not an image"))
                .at(&text.place, "expected `[REGISTRY/]NAME[:TAG]`"),
        );
    }
    image
}

fn words(list: Option<&Located<Vec<Located<String>>>>, resolver: &mut Resolver<'_>) -> Vec<String> {
    let list = list.map(|list| list.as_slice()).unwrap_or_default();
    list.iter().map(|word| resolver.text(word)).collect()
}

fn lines(list: Option<&Located<Vec<Located<String>>>>, resolver: &mut Resolver<'_>) -> Vec<String> {
    let list = list.map(|list| list.as_slice()).unwrap_or_default();
    list.iter().map(|word| resolver.line(word)).collect()
}

fn line(text: Option<&Located<String>>, resolver: &mut Resolver<'_>) -> Option<String> {
    text.map(|text| resolver.line(text))
}

fn scalar(value: &Located<Scalar>, resolver: &mut Resolver<'_>) -> String {
    if value.is_string {
        resolver.text_at(&value.text, &value.place)
    } else {
        value.text.clone()
    }
}

fn environment(
    entries: Option<&Located<Entries<Scalar>>>,
    resolver: &mut Resolver<'_>,
) -> BTreeMap<String, String> {
    let mut env = BTreeMap::new();
    for (name, value) in entries.iter().flat_map(|entries| &entries.0) {
        check_env_name(name, resolver);
        env.insert(name.value.clone(), scalar(value, resolver));
    }
    env
}

fn check_env_name(name: &Located<String>, resolver: &mut Resolver<'_>) {
    if !is_env_name(name) {
        resolver
            .problems
            .push(wrong_env_name(name).at(&name.place, "not a name"));
    }
}

/// A secret's name becomes a variable of the shell that starts docker, and so of the docker client too;
/// a plain variable's never does, and may be looser.
fn check_secret_name(name: &Located<String>, resolver: &mut Resolver<'_>) {
    if !is_shell_name(name) {
        resolver.problems.push(
            Problem::error(format!("{:?} cannot be the name of a secret", name.value))
                .at(&name.place, "not a name")
                .hint("a letter or `_` first, then letters, digits or `_`"),
        );
    } else if ["PATH", "HOME"].contains(&name.as_str()) || name.starts_with("DOCKER_") {
        resolver.problems.push(
            Problem::error(format!(
                "a secret cannot be called `{}`: docker itself would heed it on the host",
                name.value
            ))
            .at(&name.place, "changes the docker client")
            .hint("take another name, or set it in `env` if it is no secret"),
        );
    }
}

fn secret_sources(
    section: &ContainerSection,
    resolver: &mut Resolver<'_>,
) -> BTreeMap<String, SecretSource> {
    let mut sources = BTreeMap::new();
    for (name, source) in section.secrets.iter().flat_map(|entries| &entries.0) {
        check_secret_name(name, resolver);
        let mut problems = std::mem::take(resolver.problems);
        let project = resolver.project().clone();
        let source = secret::source(
            source,
            &mut |text| resolver.text(text),
            &project,
            &mut problems,
        );
        problems.extend(std::mem::take(resolver.problems));
        *resolver.problems = problems;
        sources.insert(name.value.clone(), source);
    }
    sources
}

fn published(
    list: Option<&Located<Vec<Located<Scalar>>>>,
    resolver: &mut Resolver<'_>,
) -> Vec<Publish> {
    let mut ports: Vec<Publish> = Vec::new();
    for value in list.iter().flat_map(|list| &list.value) {
        match scalar(value, resolver).parse::<Publish>() {
            Ok(port) if ports.contains(&port) => resolver.problems.push(
                Problem::error(format!("port `{port}` is published twice"))
                    .at(&value.place, "again"),
            ),
            Ok(port) => ports.push(port),
            Err(why) => resolver
                .problems
                .push(Problem::error(why).at(&value.place, "not a port")),
        }
    }
    ports
}

fn restart_policy(text: &Located<String>, resolver: &mut Resolver<'_>) -> String {
    let policy = resolver.line(text);
    let is_known = ["no", "always", "unless-stopped", "on-failure"].contains(&policy.as_str())
        || policy
            .strip_prefix("on-failure:")
            .is_some_and(|times| times.parse::<u32>().is_ok());
    if !is_known {
        resolver.problems.push(
            Problem::error(format!("`{policy}` is not a restart policy"))
                .at(&text.place, "unknown word")
                .hint("docker knows `no`, `always`, `unless-stopped`, `on-failure` and `on-failure:N`"),
        );
    }
    policy
}

fn label_values(
    entries: Option<&Located<Entries<Scalar>>>,
    resolver: &mut Resolver<'_>,
) -> BTreeMap<String, String> {
    let mut labels = BTreeMap::new();
    for (name, value) in entries.iter().flat_map(|entries| &entries.0) {
        if name.starts_with("shipit.") {
            resolver.problems.push(
                Problem::error(format!("label `{}` is shipit's own", name.value))
                    .at(&name.place, "begins with `shipit.`"),
            );
        }
        if name.is_empty() || name.contains(['=', '\n']) {
            resolver
                .problems
                .push(Problem::error("not a label").at(&name.place, "empty, or with `=`"));
        }
        labels.insert(name.value.clone(), scalar(value, resolver));
    }
    labels
}

fn run_options(
    list: Option<&Located<Vec<Located<String>>>>,
    resolver: &mut Resolver<'_>,
) -> Vec<String> {
    let options = words(list, resolver);
    for (option, at) in options.iter().zip(list.iter().flat_map(|list| &list.value)) {
        let Some(problem) = wrong_option(option) else {
            continue;
        };
        resolver.problems.push(problem.at(&at.place, "not here"));
    }
    options
}
