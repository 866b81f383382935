//! A container as a record on a host has it: it passes the checks that one of the files passes.

use super::{
    is_restart_policy, run_options, secret_name_fault,
    volumes::{self, target_of},
};
use crate::{
    diagnostic::{Problems, SourceFile},
    model::{ConsulService, ContainerSpec, LONGEST_STOP_TIMEOUT, Reference},
};

use super::super::super::secret::is_env_name;

/// What is wrong with a container that was not read from the files.
pub fn container_faults(spec: &ContainerSpec) -> Vec<String> {
    let ContainerSpec {
        image,
        source: _,
        platform,
        command,
        entrypoint,
        env,
        secrets,
        publish: _, // cannot be wrong
        publish_all: _,
        volumes,
        network,
        restart,
        user,
        hostname,
        workdir,
        labels,
        options,
        setup,
        stop_timeout,
    } = spec;
    let mut faults = Vec::new();
    if let Err(why) = Reference::checked(image) {
        faults.push(format!("{image:?} is not an image: {why}"));
    }
    let lines = [
        platform, entrypoint, network, user, hostname, workdir, setup,
    ];
    for line in lines.into_iter().flatten().chain(volumes) {
        if line.is_empty() || line.contains(char::is_control) {
            faults.push(format!("{line:?} is no line of text"));
        }
    }
    let texts = command.iter().chain(options).chain(env.values());
    if texts.chain(labels.values()).any(|text| text.contains('\0')) {
        faults.push("a NUL byte".to_owned());
    }
    for name in env.keys() {
        if !is_env_name(name) || secrets.contains(name) {
            faults.push(format!("{name:?} cannot be a variable here"));
        }
    }
    for name in secrets.iter() {
        faults.extend(secret_name_fault(name).map(|(fault, _)| fault));
    }
    faults.extend(volume_faults(spec));
    if let Some(policy) = restart.as_deref().filter(|it| !is_restart_policy(it)) {
        faults.push(format!("{policy:?} is not a restart policy"));
    }
    if workdir.as_deref().is_some_and(|it| !it.starts_with('/')) {
        faults.push("its `workdir` is not an absolute path".to_owned());
    }
    for name in labels.keys() {
        let is_own = name.starts_with("shipit.") && name != ConsulService::LABEL;
        if name.is_empty() || is_own || name.contains(['=', '\n']) {
            faults.push(format!("{name:?} cannot be a label here"));
        }
    }
    if *stop_timeout > LONGEST_STOP_TIMEOUT {
        faults.push("its `stop_timeout` is too long".to_owned());
    }
    faults.extend(option_faults(options));
    faults
}

fn volume_faults(spec: &ContainerSpec) -> Vec<String> {
    let has_driver = volumes::has_driver(spec);
    let mut targets = Vec::new();
    let mut faults = Vec::new();
    for volume in &spec.volumes {
        match target_of(volume, has_driver) {
            Ok(target) if targets.contains(&target) => {
                faults.push(format!("two volumes at {target:?}"));
            }
            Ok(target) => targets.push(target),
            Err((why, _)) => faults.push(format!("{volume:?} is not a volume: {why}")),
        }
    }
    faults
}

fn option_faults(options: &[String]) -> Vec<String> {
    // The checks of the files say where; here there is but one place.
    let place = SourceFile::new("a record", String::new()).place(0..0);
    let mut problems = Problems::new();
    let words = options.iter().map(|word| (&place, Some(word.as_str())));
    run_options::check_words(words, &mut problems);
    let errors = problems.iter().filter(|problem| problem.is_error());
    errors.map(|problem| problem.message().to_owned()).collect()
}
