//! `[container]` for one host: what the kinds of values mean that only it has.

mod recorded;
mod run_options;
mod volumes;

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    time::Duration,
};

use super::super::{
    scope::{Resolve, Resolver, is_unresolved, meaning, resolved},
    secret::{self, is_env_name, is_shell_name, wrong_env_name},
};
use crate::{
    config::{
        inventory::SecretSection,
        recipe::{ContainerSection, container_keys},
        values::{
            Entries, EnvironmentVariables, Image, Labels, PublishedPorts, RestartPolicy, RunOption,
            Scalar,
        },
    },
    diagnostic::{Located, Place, Problem},
    model::{ContainerSpec, ImageSource, Publish, Reference, SecretNames, SecretSource},
};

pub use recorded::container_faults;
pub(in super::super) use volumes::has_driver as has_volume_driver;

container_keys!(resolved ContainerSection as ContainerSpec);

/// Everything that `docker run` is told on one host.
pub(super) fn resolve(
    section: &Located<ContainerSection>,
    resolver: &mut Resolver<'_>,
) -> ContainerSpec {
    if section.image.is_none() {
        resolver.problems.push(
            Problem::error("`[container]` has no image")
                .at(&section.place, "`image` is missing")
                .hint("add `image = \"NAME:TAG\"`"),
        );
    }
    refuse_twofold_names(section, resolver);
    let mut spec: ContainerSpec = meaning(section, resolver);
    if section.source.is_none() {
        spec.source = resolver.default_source();
    }
    run_options::check(section, &spec, resolver.problems);
    volumes::check(section, &spec, resolver.problems);
    check_workdir(section, &spec, resolver);
    spec
}

fn check_workdir(section: &ContainerSection, spec: &ContainerSpec, resolver: &mut Resolver<'_>) {
    if let (Some(written), Some(workdir)) = (&section.workdir, &spec.workdir)
        && !workdir.starts_with('/')
        && !is_unresolved(&written.value.0, workdir)
    {
        resolver.problems.push(
            Problem::error(format!("`{workdir}` is not an absolute path"))
                .at(&written.place, "expected `/…`"),
        );
    }
}

/// A variable has one value: a plain or a secret one.
fn refuse_twofold_names(section: &ContainerSection, resolver: &mut Resolver<'_>) {
    let (Some(secrets), Some(env)) = (&section.secrets, &section.env) else {
        return;
    };
    for (name, _) in &secrets.0 {
        let entries = &env.value.0.0;
        if let Some((plain, _)) = entries.iter().find(|(plain, _)| plain.value == name.value) {
            resolver.problems.push(
                Problem::error(format!("`{}` is in `env` and in `secrets`", name.value))
                    .at(&name.place, "the secret")
                    .at(&plain.place, "the plain value"),
            );
        }
    }
}

impl Resolve<String> for Image {
    fn resolve(&self, place: &Place, resolver: &mut Resolver<'_>) -> String {
        let image = resolver.line(&self.0, place);
        let is_told = image.is_empty() || image.contains(char::is_control);
        if !is_told
            && !is_unresolved(&self.0, &image)
            && let Err(why) = Reference::checked(&image)
        {
            resolver.problems.push(
                Problem::error(format!("`{image}` is not an image: {why}"))
                    .at(place, "expected `[REGISTRY/]NAME[:TAG]`"),
            );
        }
        image
    }
}

impl Resolve<String> for Scalar {
    fn resolve(&self, place: &Place, resolver: &mut Resolver<'_>) -> String {
        if self.is_string {
            resolver.text(&self.text, place)
        } else {
            self.text.clone()
        }
    }
}

impl Resolve<BTreeMap<String, String>> for EnvironmentVariables {
    fn resolve(&self, _: &Place, resolver: &mut Resolver<'_>) -> BTreeMap<String, String> {
        let mut env = BTreeMap::new();
        for (name, value) in &self.0.0 {
            if !is_env_name(name) {
                let problem = wrong_env_name(name).at(&name.place, "not a name");
                resolver.problems.push(problem);
            }
            env.insert(name.value.clone(), meaning(value, resolver));
        }
        env
    }
}

/// Whether a variable of this name would change what runs on the host: the shell, sudo, or the docker client. Those
/// that make programs load or run other code are what glibc takes from set-user-ID programs (`unsecvars.h`) and what
/// sudo takes from everyone (`initial_badenv_table` in its `env.c`), as far as one of those three reads them.
fn is_of_the_host(name: &str) -> bool {
    const NAMES: [&str; 19] = [
        "PATH",
        "HOME",
        "BASH_ENV",
        "ENV",
        "IFS",
        "CDPATH",
        "PS4",
        "SHELLOPTS",
        "BASHOPTS",
        "GLOBIGNORE",
        "FPATH",
        "GLIBC_TUNABLES",
        "GCONV_PATH",
        "LOCPATH",
        "NLSPATH",
        "HOSTALIASES",
        "LOCALDOMAIN",
        "RES_OPTIONS",
        "GODEBUG",
    ];
    const BEGINNINGS: [&str; 5] = ["DOCKER_", "LD_", "DYLD_", "SUDO_", "BASH_FUNC_"];
    NAMES.contains(&name) || BEGINNINGS.iter().any(|it| name.starts_with(it))
}

/// A secret's name becomes a variable of the shell that starts docker, and so of the docker client too;
/// a plain variable's never does, and may be looser.
fn check_secret_name(name: &Located<String>, resolver: &mut Resolver<'_>) {
    if let Some((fault, (label, hint))) = secret_name_fault(name) {
        let problem = Problem::error(fault).at(&name.place, label).hint(hint);
        resolver.problems.push(problem);
    }
}

/// What is wrong with a secret's name; then a label and a hint.
fn secret_name_fault(name: &str) -> Option<(String, (&'static str, &'static str))> {
    if !is_shell_name(name) {
        return Some((
            format!("{name:?} cannot be the name of a secret"),
            (
                "not a name",
                "a letter or `_` first, then letters, digits or `_`",
            ),
        ));
    }
    is_of_the_host(name).then(|| {
        (
            format!("a secret cannot be called `{name}`: the host itself would use it"),
            (
                "changes what starts the container",
                "take another name, or set it in `env` if it is no secret",
            ),
        )
    })
}

impl Resolve<SecretNames> for Entries<SecretSection> {
    fn resolve(&self, _: &Place, resolver: &mut Resolver<'_>) -> SecretNames {
        let names = self.0.iter().map(|(name, _)| {
            check_secret_name(name, resolver);
            name.value.clone()
        });
        names.collect()
    }
}

/// Where the values of the secrets come from on one host.
pub(super) fn secret_sources(
    section: &ContainerSection,
    resolver: &mut Resolver<'_>,
) -> BTreeMap<String, SecretSource> {
    let mut sources = BTreeMap::new();
    let secrets = section.secrets.iter().flat_map(|secrets| &secrets.value.0);
    for (name, section) in secrets {
        let (scope, host, project) = (resolver.scope, resolver.host, resolver.project());
        let source = secret::source(
            section,
            &section.place,
            project,
            resolver.problems,
            |text, problems| {
                let mut resolver = Resolver {
                    scope,
                    host,
                    problems,
                };
                resolver.text(&text.0, &text.place)
            },
        );
        sources.insert(name.value.clone(), source);
    }
    sources
}

impl Resolve<Vec<Publish>> for PublishedPorts {
    fn resolve(&self, _: &Place, resolver: &mut Resolver<'_>) -> Vec<Publish> {
        let mut ports = Vec::new();
        let mut known = HashSet::new();
        let mut on_the_host = HashMap::<_, Vec<Publish>>::new();
        for value in &self.0 {
            let text: String = meaning(value, resolver);
            if is_unresolved(&value.text, &text) {
                continue;
            }
            match Publish::each(&text) {
                Ok(each) => {
                    for port in each {
                        let shown = port.to_string();
                        let key = (port.host_port, port.protocol.clone());
                        let others = on_the_host.entry(key).or_default();
                        if !known.insert(shown.clone()) {
                            resolver.problems.push(
                                Problem::error(format!("port `{shown}` is published twice"))
                                    .at(&value.place, "again"),
                            );
                        } else if let Some(other) = others.iter().find(|it| it.excludes(&port)) {
                            resolver.problems.push(
                                Problem::error(format!(
                                    "`{shown}` and `{other}` want the same port of the host"
                                ))
                                .at(&value.place, "only one can have it"),
                            );
                        } else {
                            others.push(port.clone());
                            ports.push(port);
                        }
                    }
                }
                Err(why) => resolver.problems.push(
                    Problem::error(format!("`{text}` is not a published port: {}", why.fact))
                        .at(&value.place, "not a port")
                        .hint(why.hint.unwrap_or_else(|| {
                            "docker's form is `[IP:][HOST_PORT:]CONTAINER_PORT[/PROTOCOL]`"
                                .to_owned()
                        })),
                ),
            }
        }
        ports
    }
}

fn is_restart_policy(policy: &str) -> bool {
    ["no", "always", "unless-stopped", "on-failure"].contains(&policy)
        || policy
            .strip_prefix("on-failure:")
            .is_some_and(|times| times.parse::<u32>().is_ok())
}

impl Resolve<String> for RestartPolicy {
    fn resolve(&self, place: &Place, resolver: &mut Resolver<'_>) -> String {
        let policy = resolver.line(&self.0, place);
        if !is_restart_policy(&policy) {
            resolver.problems.push(
                Problem::error(format!("`{policy}` is not a restart policy"))
                    .at(place, "unknown word")
                    .hint("docker knows `no`, `always`, `unless-stopped`, `on-failure` and `on-failure:N`"),
            );
        }
        policy
    }
}

impl Resolve<BTreeMap<String, String>> for Labels {
    fn resolve(&self, _: &Place, resolver: &mut Resolver<'_>) -> BTreeMap<String, String> {
        let mut labels = BTreeMap::new();
        for (name, value) in &self.0.0 {
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
            labels.insert(name.value.clone(), meaning(value, resolver));
        }
        labels
    }
}

impl Resolve<String> for RunOption {
    fn resolve(&self, place: &Place, resolver: &mut Resolver<'_>) -> String {
        resolver.text(&self.0, place)
    }
}
