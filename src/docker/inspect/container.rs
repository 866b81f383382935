//! Containers as `docker inspect` shows them.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Deserializer};

use super::{
    image::full_id,
    null::null_is_default,
    ports::{PortBinding, PublishedPorts},
};
use crate::{
    docker::Identity,
    model::{LONGEST_STOP_TIMEOUT, Name},
    text::{nearest_number, number_or_zero, one_line, parse_json, whole_number},
};

/// Docker's default for a container that sets none.
const DEFAULT_STOP_TIMEOUT: Duration = Duration::from_secs(10);

/// How many characters of a name that is not believed are shown.
const LONGEST_SHOWN: usize = 60;

/// A container as `docker inspect` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Container {
    /// The full id.
    pub id: String,
    /// The name, without docker's leading slash.
    pub name: String,
    /// The id of its image.
    pub image_id: String,
    /// The reference it was made from.
    pub image: String,
    /// Whether it runs and how it ended.
    pub state: ContainerState,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its published ports.
    pub ports: PublishedPorts,
    /// The ports its image or options expose, as `(port, protocol)`.
    pub exposed: Vec<(u16, String)>,
    /// `host`, `default`, `bridge`, …
    pub network_mode: String,
    /// The restart policy, as `--restart` takes it: `no`, `always`, `on-failure:3`.
    pub restart: String,
    /// How long `docker stop` gives it between SIGTERM and SIGKILL.
    pub stop_timeout: Duration,
}

impl Container {
    /// Its environment, recipe and release; `None` where shipit did not make it.
    pub fn identity(&self) -> Option<Identity> {
        Identity::from_labels(&self.labels)
    }

    /// Whether it shares the host's network, so that its ports are the host's own.
    pub fn uses_host_network(&self) -> bool {
        self.network_mode == "host"
    }
}

/// Whether a container runs and how it ended.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ContainerState {
    /// `running`, `exited`, `created`, `restarting`, `paused`, `dead`.
    pub status: String,
    /// Whether its main process runs.
    pub running: bool,
    /// Whether docker is about to start it again after it exited.
    #[serde(default)]
    pub restarting: bool,
    /// The exit code of its last run.
    #[serde(default, deserialize_with = "nearest_number")]
    pub exit_code: i64,
    /// Whether the kernel killed it because it ran out of memory.
    #[serde(default, rename = "OOMKilled")]
    pub oom_killed: bool,
    /// Docker's own message on why it could not start.
    #[serde(default)]
    pub error: String,
    /// The process id on the host; 0 when it does not run.
    #[serde(default, deserialize_with = "number_or_zero")]
    pub pid: u32,
    /// When it last started, RFC 3339.
    #[serde(default)]
    pub started_at: String,
    /// When it last ended, RFC 3339 in UTC, so that texts compare as times do.
    #[serde(default)]
    pub finished_at: String,
    /// Docker's healthcheck, where the image has one.
    #[serde(default)]
    pub health: Option<Health>,
}

impl ContainerState {
    /// Whether it serves: it runs and is not between two restarts.
    pub fn is_up(&self) -> bool {
        self.running && !self.restarting
    }
}

/// The state of docker's healthcheck.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Health {
    /// `starting`, `healthy`, `unhealthy`.
    pub status: String,
    /// The last results, oldest first.
    #[serde(default, deserialize_with = "null_is_default")]
    pub log: Vec<HealthResult>,
}

/// One result of a healthcheck.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct HealthResult {
    /// The check's exit code.
    #[serde(deserialize_with = "nearest_number")]
    pub exit_code: i64,
    /// What it printed.
    #[serde(default)]
    pub output: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawContainer {
    id: String,
    name: String,
    image: String,
    state: ContainerState,
    config: RawConfig,
    host_config: RawHostConfig,
    #[serde(default)]
    network_settings: RawNetworkSettings,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawConfig {
    #[serde(default)]
    image: String,
    #[serde(default, deserialize_with = "null_is_default")]
    labels: BTreeMap<String, String>,
    #[serde(default, deserialize_with = "stop_timeout")]
    stop_timeout: Option<Duration>,
    #[serde(default, deserialize_with = "null_is_default")]
    exposed_ports: BTreeMap<String, serde_json::Value>,
}

/// What a host says is added to other times: no more counts than in the files. A negative one is docker's word for as
/// long as it takes.
fn stop_timeout<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    let seconds = whole_number(deserializer)?;
    Ok(seconds.map(|seconds| {
        let timeout = u64::try_from(seconds).map(Duration::from_secs);
        timeout.map_or(LONGEST_STOP_TIMEOUT, |it| it.min(LONGEST_STOP_TIMEOUT))
    }))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawHostConfig {
    #[serde(default)]
    network_mode: String,
    #[serde(default)]
    restart_policy: RawRestartPolicy,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawRestartPolicy {
    #[serde(default)]
    name: String,
    #[serde(default, deserialize_with = "number_or_zero")]
    maximum_retry_count: u32,
}

impl RawRestartPolicy {
    /// As `--restart` takes it.
    fn into_option(self) -> String {
        match (self.name.as_str(), self.maximum_retry_count) {
            ("", _) => "no".to_owned(),
            (_, 0) => self.name,
            (_, most) => format!("{}:{most}", self.name),
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawNetworkSettings {
    #[serde(default, deserialize_with = "null_is_default")]
    ports: BTreeMap<String, Option<Vec<RawBinding>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawBinding {
    #[serde(default)]
    host_ip: String,
    #[serde(default)]
    host_port: String,
}

fn port_and_protocol(text: &str) -> Option<(u16, String)> {
    let (port, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    // The word goes into each of the port's bindings.
    if !["tcp", "udp", "sctp"].contains(&protocol) {
        return None;
    }
    Some((port_number(port)?, protocol.to_owned()))
}

/// Nothing is reached at port 0.
fn port_number(text: &str) -> Option<u16> {
    text.parse().ok().filter(|port| *port != 0)
}

/// Reads what `docker inspect --type container` printed.
pub fn parse_containers(json: &str) -> Result<Vec<Container>, serde_json::Error> {
    let raw: Vec<RawContainer> = parse_json(json)?;
    raw.into_iter().map(into_container).collect()
}

/// A name without docker's slash. It becomes part of commands that a shell reads on other machines, and of balancers'
/// files; docker gives no container one that could do harm there, and a host that says so is not believed.
fn name_of(text: &str) -> Result<String, serde_json::Error> {
    let name = text.strip_prefix('/').unwrap_or(text);
    // One that is about to be removed may have none any more.
    if name.is_empty() || name.parse::<Name>().is_ok() {
        return Ok(name.to_owned());
    }
    let shown = one_line(name, LONGEST_SHOWN);
    let fact = format!("docker named `{shown}`, as no container can be called");
    Err(serde::de::Error::custom(fact))
}

fn into_container(raw: RawContainer) -> Result<Container, serde_json::Error> {
    let bindings = raw
        .network_settings
        .ports
        .iter()
        .flat_map(|(port, bindings)| {
            let bindings = bindings.as_deref().unwrap_or_default();
            port_and_protocol(port)
                .into_iter()
                .flat_map(move |(container_port, protocol)| {
                    bindings.iter().filter_map(move |binding| {
                        Some(PortBinding {
                            container_port,
                            protocol: protocol.clone(),
                            host_ip: binding.host_ip.clone(),
                            host_port: port_number(&binding.host_port)?,
                        })
                    })
                })
        });
    Ok(Container {
        id: raw.id,
        name: name_of(&raw.name)?,
        image_id: full_id(raw.image),
        image: raw.config.image,
        ports: PublishedPorts(bindings.collect()),
        exposed: raw
            .config
            .exposed_ports
            .keys()
            .filter_map(|text| port_and_protocol(text))
            .collect(),
        state: raw.state,
        labels: raw.config.labels,
        network_mode: raw.host_config.network_mode,
        restart: raw.host_config.restart_policy.into_option(),
        stop_timeout: raw.config.stop_timeout.unwrap_or(DEFAULT_STOP_TIMEOUT),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const INSPECTED: &str = r#"[{"Id":"c1","Name":"/web-r42","Image":"sha256:aa",
        "State":{"Status":"running","Running":true,"Restarting":false,"OOMKilled":false,"Pid":7,"ExitCode":0,"Error":"",
                 "StartedAt":"2026-01-01T00:00:00Z","Health":{"Status":"unhealthy","Log":[{"ExitCode":1,"Output":"no"}]}},
        "Config":{"Image":"web:1","Labels":{"shipit.environment":"staging","shipit.recipe":"web","shipit.release":"42",
                  "shipit.instance":"1","shipit.spec":"ab"},"ExposedPorts":{"5000/tcp":{}}},
        "HostConfig":{"NetworkMode":"default","RestartPolicy":{"Name":"always"}},
        "NetworkSettings":{"Ports":{"5000/tcp":[{"HostIp":"0.0.0.0","HostPort":"32768"},{"HostIp":"::","HostPort":"32768"}],
                           "9/udp":null}}},
        {"Id":"c2","Name":"/consul","Image":"sha256:bb","State":{"Status":"exited","Running":false},
         "Config":{"Labels":null},"HostConfig":{"NetworkMode":"host"}}]"#;

    #[test]
    fn a_container_is_read_with_its_ports_and_its_identity() {
        let containers = parse_containers(INSPECTED).expect("docker's JSON");
        let [web, consul] = &containers[..] else {
            panic!("two containers")
        };
        assert_eq!(web.name, "web-r42");
        assert_eq!(web.identity().map(|identity| identity.release), Some(42));
        assert_eq!(web.ports.pairs("10.0.0.1"), [(5000, 32768)]);
        assert_eq!(
            web.state.health.as_ref().map(|health| &*health.status),
            Some("unhealthy")
        );
        assert_eq!(consul.identity(), None);
        assert_eq!(consul.stop_timeout, DEFAULT_STOP_TIMEOUT);
        assert!(consul.uses_host_network() && !consul.state.is_up());
    }

    #[test]
    fn numbers_that_there_cannot_be_hide_no_container() {
        let read = |number: &str| {
            let json = format!(
                r#"[{{"Id":"c","Name":"c","Image":"","State":{{"Status":"exited","Running":false,"Pid":{number},
                "ExitCode":{number},"Health":{{"Status":"unhealthy","Log":[{{"ExitCode":{number}}}]}}}},
                "Config":{{"StopTimeout":{number},"ExposedPorts":{{"{number}/tcp":{{}},"80/tcp":{{}}}}}},
                "HostConfig":{{"Memory":{number},"RestartPolicy":{{"Name":"always","MaximumRetryCount":{number}}}}},
                "NetworkSettings":{{"Ports":{{"80/tcp":[{{"HostPort":"{number}"}},{{"HostPort":"81"}}]}}}}}}]"#
            );
            parse_containers(&json).expect("docker's JSON").remove(0)
        };
        for (number, exit_code, stop_timeout) in [
            ("-1", -1, LONGEST_STOP_TIMEOUT),
            ("0", 0, Duration::ZERO),
            ("1e30", i64::MAX, LONGEST_STOP_TIMEOUT),
            ("18446744073709551615", i64::MAX, LONGEST_STOP_TIMEOUT),
            ("99999999999999999999", i64::MAX, LONGEST_STOP_TIMEOUT),
            ("null", 0, DEFAULT_STOP_TIMEOUT),
        ] {
            let container = read(number);
            assert_eq!(container.state.exit_code, exit_code, "{number}");
            assert_eq!(container.stop_timeout, stop_timeout, "{number}");
            assert_eq!(container.state.pid, 0, "{number}");
            assert_eq!(container.restart, "always", "{number}");
            assert_eq!(container.exposed, [(80, "tcp".to_owned())], "{number}");
            assert_eq!(container.ports.pairs("10.0.0.1"), [(80, 81)], "{number}");
        }
    }

    #[test]
    fn a_name_that_no_container_can_have_is_refused() {
        let read = |name: &str| {
            let name = serde_json::to_string(name).expect("JSON");
            parse_containers(&format!(
                r#"[{{"Id":"c","Name":{name},"Image":"","State":{{"Status":"running","Running":true}},"Config":{{}},"HostConfig":{{}}}}]"#
            ))
        };
        for name in ["/web-r1", "/staging.pr-4-web_2"] {
            assert_eq!(read(name).expect("docker's JSON")[0].name, name[1..]);
        }
        // Names are in commands of balancers, which a shell reads elsewhere, and in their lists.
        for name in [
            "/web-r1; reboot",
            "/web$(reboot)",
            "/web-r1\nserver 203.0.113.6:80;",
            "/-web",
            "/../web",
        ] {
            let error = read(name).expect_err(name).to_string();
            assert!(error.contains("no container can be called"), "{error}");
            assert!(!error.contains('\n'), "{error}");
        }
    }

    #[test]
    fn what_a_host_makes_up_stays_small() {
        let json = r#"[{"Id":"c","Name":"c","Image":"","State":{"Status":"exited","Running":false},
            "Config":{"StopTimeout":18446744073709551615,"ExposedPorts":{"1/tcp":{},"2/TCP!":{}}},
            "HostConfig":{},"NetworkSettings":{"Ports":{"80/tcp much more":[{"HostPort":"1"},{"HostPort":"2"}]}}}]"#;
        let containers = parse_containers(json).expect("docker's JSON");
        assert_eq!(containers[0].stop_timeout, LONGEST_STOP_TIMEOUT);
        assert_eq!(containers[0].exposed, [(1, "tcp".to_owned())]);
        assert_eq!(containers[0].ports, PublishedPorts::default());
    }
}
