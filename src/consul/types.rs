//! The JSON of Consul's agent, as far as it is read here.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    model::{ConsulService, HostAndPort, is_same_address},
    text,
};

/// A service as `/v1/agent/services` has it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AgentService {
    /// Its id on this agent. Never guessed: it is only read and sent back.
    #[serde(rename = "ID")]
    pub id: String,
    /// Its name.
    pub service: String,
    /// The address it was registered with; empty when it is the agent's own.
    #[serde(default)]
    pub address: String,
    /// The port it was registered with; 0 for one that there cannot be, which Consul takes as well.
    #[serde(default, deserialize_with = "text::number_or_zero")]
    pub port: u16,
}

/// How long one check of a service that shipit registers may take.
const CHECK_TIMEOUT: &str = "5s";

/// A service as `/v1/agent/service/register` takes it. It is passing until its first check, as it was found ready.
pub(super) fn registration(id: &str, service: &ConsulService, at: &HostAndPort) -> Value {
    let ConsulService {
        name,
        tags,
        check,
        interval,
    } = service;
    let mut checked = json!({
        "Interval": format!("{}s", interval.as_secs().max(1)),
        "Timeout": CHECK_TIMEOUT,
        "Status": "passing",
    });
    match check {
        Some(path) => checked["HTTP"] = format!("http://{at}{path}").into(),
        None => checked["TCP"] = at.to_string().into(),
    }
    json!({ "ID": id, "Name": name, "Tags": tags, "Address": at.host, "Port": at.port, "Check": checked })
}

/// A check as `/v1/agent/checks` has it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AgentCheck {
    /// Its id on this agent.
    #[serde(rename = "CheckID")]
    pub id: String,
    /// What it says.
    pub status: CheckStatus,
    /// What the check last printed.
    #[serde(default)]
    pub output: String,
    /// For maintenance mode the reason that was given for it.
    #[serde(default)]
    pub notes: String,
    /// The service it belongs to; empty for a check of the node.
    #[serde(default, rename = "ServiceID")]
    pub service_id: String,
}

/// What a check says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the words are Consul's")]
pub enum CheckStatus {
    Passing,
    Warning,
    Critical,
}

/// A member of the cluster as `/v1/agent/members` has it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Member {
    /// The node's name.
    pub name: String,
    /// Its address.
    #[serde(default)]
    pub addr: String,
    /// Serf's state: 1 is alive, 2 leaving, 3 left, 4 failed.
    #[serde(deserialize_with = "text::number_or_zero")]
    pub status: u8,
    /// `role` is `consul` for a server.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
}

impl Member {
    /// Whether it is a server that other members see alive.
    pub fn is_alive_server(&self) -> bool {
        self.status == 1 && self.is_server()
    }

    /// Whether it is a server, whatever its state.
    pub fn is_server(&self) -> bool {
        self.tags.get("role").is_some_and(|role| role == "consul")
    }
}

/// The servers of the cluster as `/v1/operator/raft/configuration` has them.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct RaftConfiguration {
    /// Every server, dead ones among them until they are reaped.
    pub servers: Vec<RaftServer>,
}

/// A server of [`RaftConfiguration`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct RaftServer {
    /// Whether it counts for the quorum.
    pub voter: bool,
}

/// A service and its checks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceInstance {
    /// The service.
    pub service: AgentService,
    /// Its own checks, maintenance mode's among them.
    pub checks: Vec<AgentCheck>,
}

impl ServiceInstance {
    /// Whether it is registered for this address and port. A service without an address of its own has
    /// the agent's.
    pub fn is_at(&self, address: &str, port: u16) -> bool {
        port != 0
            && self.service.port == port
            && (self.service.address.is_empty() || is_same_address(&self.service.address, address))
    }

    /// Whether all its checks pass; a service without any counts as passing, as in Consul.
    pub fn is_passing(&self) -> bool {
        self.checks
            .iter()
            .all(|check| check.status == CheckStatus::Passing)
    }

    /// Why it is in maintenance mode, if it is (Consul names that check `_service_maintenance:ID` and
    /// keeps the reason as its notes).
    pub fn maintenance(&self) -> Option<&str> {
        let mut checks = self.checks.iter();
        checks
            .find(|check| is_maintenance(check))
            .map(|check| check.notes.as_str())
    }

    /// The first check that does not pass, as a line.
    pub fn complaint(&self) -> Option<String> {
        complaint(self.checks.iter())
    }

    /// The first check that does not pass, as a line; maintenance mode aside.
    pub fn complaint_but_maintenance(&self) -> Option<String> {
        complaint(self.checks.iter().filter(|check| !is_maintenance(check)))
    }
}

fn is_maintenance(check: &AgentCheck) -> bool {
    check.id.starts_with("_service_maintenance")
}

fn complaint<'c>(mut checks: impl Iterator<Item = &'c AgentCheck>) -> Option<String> {
    let check = checks.find(|check| check.status != CheckStatus::Passing)?;
    let status = if check.status == CheckStatus::Critical {
        "critical"
    } else {
        "warning"
    };
    let output = check.output.lines().next().unwrap_or_default().trim();
    Some(if output.is_empty() {
        status.to_owned()
    } else {
        format!("{status}: {}", text::cut(output, LONGEST))
    })
}

/// The longest reason of a check that is shown, in characters.
const LONGEST: usize = 200;

/// Puts each service together with its checks, in the order of the ids. Consul lists a service under its own id; what is
/// listed under another one is no service of its, or checks could be counted many times.
pub(crate) fn join(
    services: BTreeMap<String, AgentService>,
    checks: &BTreeMap<String, AgentCheck>,
) -> Vec<ServiceInstance> {
    let mut of_service = BTreeMap::<&str, Vec<&AgentCheck>>::new();
    for check in checks.values() {
        of_service.entry(&check.service_id).or_default().push(check);
    }
    services
        .into_iter()
        .filter(|(id, service)| *id == service.id)
        .map(|(id, service)| {
            let checks = of_service.remove(&*id).unwrap_or_default();
            ServiceInstance {
                service,
                checks: checks.into_iter().cloned().collect(),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_service_with_a_port_that_there_cannot_be_is_nobodys() {
        for port in [
            serde_json::json!(70000),
            (-5).into(),
            i64::MIN.into(),
            u64::MAX.into(),
            1e30.into(),
            serde_json::Value::Null,
            0.into(),
        ] {
            let json = serde_json::json!({"ID": "x", "Service": "web", "Port": port});
            let service: AgentService = serde_json::from_value(json).expect("a service");
            let service = ServiceInstance {
                service,
                checks: Vec::new(),
            };
            assert!(!service.is_at("10.0.0.1", 4464) && !service.is_at("10.0.0.1", 0));
        }
    }

    #[test]
    fn a_service_is_registered_as_passing_at_the_hosts_address() {
        let service = |check: Option<&str>| ConsulService {
            name: "web".into(),
            tags: vec!["blue".into()],
            check: check.map(str::to_owned),
            interval: Duration::from_secs(1),
        };
        let at = HostAndPort::new("fd00::5", 20001);
        let checked = |check| registration("web-r1", &service(check), &at)["Check"].clone();
        assert_eq!(
            registration("web-r1", &service(Some("/health")), &at),
            json!({
                "ID": "web-r1", "Name": "web", "Tags": ["blue"], "Address": "fd00::5", "Port": 20001,
                "Check": {
                    "HTTP": "http://[fd00::5]:20001/health",
                    "Interval": "1s", "Timeout": "5s", "Status": "passing",
                },
            })
        );
        assert_eq!(checked(None)["TCP"], "[fd00::5]:20001");
    }

    #[test]
    fn a_check_counts_for_one_service() {
        let service = |id: &str| serde_json::json!({ "ID": id, "Service": "web" });
        let services = serde_json::json!({ "x": service("x"), "y": service("x") });
        let checks =
            serde_json::json!({ "c": { "CheckID": "c", "Status": "passing", "ServiceID": "x" } });
        let services = serde_json::from_value(services).expect("services");
        let checks = serde_json::from_value(checks).expect("checks");
        let joined = join(services, &checks);
        let joined: Vec<_> = joined
            .iter()
            .map(|it| (&*it.service.id, it.checks.len()))
            .collect();
        assert_eq!(joined, [("x", 1)]);
    }

    #[test]
    fn a_service_is_found_by_address_and_port_and_says_what_is_wrong() {
        let services = serde_json::from_value(serde_json::json!({"h:web-r42:5000":
            {"ID": "h:web-r42:5000", "Service": "web", "Address": "10.0.0.1", "Port": 32768, "Tags": []}}));
        let checks = serde_json::from_value(serde_json::json!({
            "service:h:web-r42:5000": {"CheckID": "service:h:web-r42:5000", "Status": "critical",
                "Output": "HTTP GET http://10.0.0.1:32768/: 500\nmore", "ServiceID": "h:web-r42:5000"},
            "serfHealth": {"CheckID": "serfHealth", "Status": "passing", "Output": "", "ServiceID": ""}}));
        let joined = join(services.expect("services"), &checks.expect("checks"));
        let [web] = &joined[..] else {
            panic!("one service")
        };
        assert!(
            web.is_at("10.0.0.1", 32768)
                && !web.is_at("10.0.0.1", 5000)
                && !web.is_at("10.0.0.2", 32768)
        );
        let mut web_v6 = web.clone();
        web_v6.service.address = "FD88::0:1".to_owned();
        assert!(web_v6.is_at("fd88::1", 32768) && !web_v6.is_at("fd88::2", 32768));
        assert!(!web.is_passing() && web.maintenance().is_none());
        assert_eq!(
            web.complaint().as_deref(),
            Some("critical: HTTP GET http://10.0.0.1:32768/: 500")
        );
    }
}
