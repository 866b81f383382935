//! What hosts say: docker, Consul, balancers, records, and HTTP.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex, split};

use super::{
    files,
    input::{parts, shows_only},
};
use crate::{
    consul::{AgentCheck, AgentService, Member, RaftConfiguration, join},
    docker::{self, Volume, label},
    facts::{
        connections, parse_names,
        ports::{self, TakenPort},
        responses::{Counted, Responses},
        routes,
    },
    http::{self, Response},
    model::{HostName, Publish, is_same_address},
    release::{Found, History, Reading, Record, Terms, read_records},
};

/// Longer than all that is ever added to a time that a host gave.
const LONG: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// What docker prints, to each of its readers. What comes out is no more than went in, and its times can be added to.
pub fn docker_json(input: &[u8]) {
    let [text] = parts(input);
    let read = docker::parse_containers(&text).ok();
    assert_eq!(docker::parse_containers(&text).ok(), read, "another look");
    for container in read.iter().flatten() {
        assert!(!container.name.starts_with('/'), "{container:?}");
        let protocols = container.ports.0.iter().map(|port| port.protocol.len());
        assert!(protocols.sum::<usize>() + container.exposed.len() <= text.len());
        let spare = container.stop_timeout.checked_add(LONG);
        assert!(spare.is_some(), "{:?}", container.stop_timeout);
        for address in ["10.0.0.1", "fd88::1"] {
            let pairs = container.ports.pairs(address);
            assert!(pairs.is_sorted_by_key(|(inside, _)| *inside), "{pairs:?}");
            let only = container.ports.binding(address, None);
            assert_eq!(only.is_some(), pairs.len() == 1, "{pairs:?}");
        }
        if let Some(identity) = container.identity() {
            let labels = identity.labels();
            assert_eq!(docker::Identity::from_labels(&labels), Some(identity));
        }
    }
    let images = docker::parse_images(&text).unwrap_or_default();
    let digests = images.iter().map(|image| image.digests.len());
    assert!(digests.sum::<usize>() <= text.len());
    let layers = docker::parse_layers(&text).unwrap_or_default();
    assert!(layers.iter().map(Vec::len).sum::<usize>() <= text.len());
    assert!(docker::manifest_config_digests(&text).len() <= text.len());
    let volumes = docker::parse_volumes(&text).unwrap_or_default();
    assert!(volumes.iter().map(|it| it.labels.len()).sum::<usize>() <= text.len());
    let _ = docker::parse_info(&text);
    let usage = docker::parse_disk_usage(&text);
    assert_eq!(docker::parse_disk_usage(&text), usage, "another look");
    assert!(docker::deleted_images(&text).len() <= text.len());
    if docker::is_only_missing(&text) {
        let more = format!("{text}\nError response from daemon: context deadline exceeded\n");
        assert!(!docker::is_only_missing(&more));
    }
}

/// The services and the checks of a Consul agent, then its members, then its servers. No check is of two services.
pub fn consul_json(input: &[u8]) {
    let [services, checks, members, raft] = parts(input);
    let services = serde_json::from_str::<BTreeMap<String, AgentService>>(&services);
    let checks = serde_json::from_str::<BTreeMap<String, AgentCheck>>(&checks);
    if let (Ok(services), Ok(checks)) = (services, checks) {
        let most = services.len();
        let joined = join(services.clone(), &checks);
        assert_eq!(join(services, &checks), joined, "another look");
        assert!(joined.len() <= most);
        let of_services: usize = joined.iter().map(|service| service.checks.len()).sum();
        assert!(of_services <= checks.len(), "{of_services} checks");
        for service in &joined {
            let complaint = service.complaint();
            assert_eq!(complaint.is_none(), service.is_passing());
            assert!(!complaint.is_some_and(|complaint| complaint.contains('\n')));
            let (address, port) = (&service.service.address, service.service.port);
            assert!(port == 0 || service.is_at(address, port));
            let _ = service.maintenance();
        }
    }
    if let Ok(members) = serde_json::from_str::<Vec<Member>>(&members) {
        let alive = members.iter().filter(|member| member.is_alive_server());
        assert!(alive.count() <= members.iter().filter(|it| it.is_server()).count());
    }
    if let Ok(raft) = serde_json::from_str::<RaftConfiguration>(&raft) {
        let voters = raft.servers.iter().filter(|server| server.voter).count();
        assert!(voters <= raft.servers.len());
    }
}

/// What a balancer prints, of its routes or of what it has counted, and the address that is looked for; then docker's list of names, and the kernel's table of
/// sockets. A route that is added is found, and little text does not become many ports.
pub fn upstreams(input: &[u8]) {
    let [printed, address, names, table] = parts(input);
    let address = address.trim();
    let pairs = [(80, 8080), (81, 8081)];
    let routed = pairs.map(|(_, port)| routes::routes_to(&printed, address, port));
    let lacking = routes::missing(&printed, address, &pairs, &[]);
    assert_eq!(lacking.is_none(), routed.contains(&true), "{lacking:?}");
    if !address.is_empty() && !address.contains(['#', '\n', '\r', '[', ']']) {
        for added in [
            format!("server {address}:8080;"),
            format!("server [{address}]:8080;"),
        ] {
            let more = format!("{printed}\n{added}\n");
            assert!(routes::routes_to(&more, address, 8080), "{more}");
        }
    }

    if let Ok(counted) = Counted::read(&printed) {
        let seen = counted.of(address, 8080);
        let again = Counted::read(&format!("{printed}\n{printed}"));
        let again = again.map(|again| again.of(address, 8080));
        assert_eq!(again, Ok(seen + seen), "each line counts");
        assert_eq!(seen.since(seen), Responses::default());
    }

    let known = parse_names(&names);
    assert!(known.len() <= names.lines().count());
    let published = ports::parse_published(&names);
    assert!(
        published.len() <= names.len(),
        "{} entries",
        published.len()
    );
    let listening = ports::parse_listening(&table);
    assert!(listening.len() <= table.lines().count());
    let open = connections::open_connections(&table, &[0x1388, 0x50]);
    assert!(open <= table.lines().count());
    let wanted: Publish = "127.0.0.1:80:80".parse().expect("a port");
    let in_the_way = |taken: &TakenPort| taken.is_in_the_way_of(&wanted);
    let _ = published.iter().chain(&listening).any(in_the_way);
    assert!(is_same_address(address, address));
}

/// Two records, one after the other, as a host keeps them about itself, about its neighbour, and about a host that is
/// not its own. What counts is of the inventory's hosts, in one line, and is read again as it is.
pub fn records(input: &[u8]) {
    let written: [String; 2] = parts(input);
    let environment = files::environment();
    let hosts = ["host-1", "host-2", "host-3"].map(HostName::from);
    let volumes = written.map(|json| as_volume(&json));
    let found = || {
        let on_each = hosts
            .iter()
            .flat_map(|on| volumes.iter().map(move |it| (on, it)));
        on_each.map(|(on, volume)| Found { on, volume })
    };
    let reading = read_records(environment, Terms::default(), found());
    assert_eq!(
        read_records(environment, Terms::default(), found()),
        reading,
        "another look"
    );
    let Reading {
        records,
        copied,
        left_out,
        ..
    } = reading;
    assert!(copied.iter().all(|host| records.contains_key(host)));
    assert!(left_out.len() <= hosts.len() * volumes.len());
    for (host, of_host) in &records {
        assert!(hosts.contains(host), "{host}");
        assert!(of_host.is_sorted_by_key(|record| record.number.0));
        for record in of_host {
            assert!((1..=docker::HIGHEST_RELEASE).contains(&record.number.0));
            let texts = [Some(&record.by), record.revision.as_ref()];
            assert!(texts.into_iter().flatten().all(|text| shows_only(text, "")));
            let again = Volume {
                name: record.volume_name(),
                labels: record.volume_labels().expect("labels"),
            };
            let found = Found {
                on: host,
                volume: &again,
            };
            let again = read_records(environment, Terms::default(), [found]).records;
            let expected = BTreeMap::from([(host.clone(), vec![record.clone()])]);
            assert_eq!(again, expected);
        }
    }
    let history = History::new(records, 0).with_copies_of(copied);
    let numbers: BTreeSet<_> = history.releases().iter().map(|it| it.number).collect();
    assert!(
        numbers
            .last()
            .is_none_or(|last| *last < history.next_number())
    );
    let _ = (history.previous(), history.usual_time(1));
}

/// A record as a host would keep it that knows how: under the name that fits.
fn as_volume(json: &str) -> Volume {
    let record = serde_json::from_str::<Record>(json).ok();
    let number = record.as_ref().map_or(1, |record| record.number.0);
    let name = record.map_or_else(|| "shipit-staging-r1".to_owned(), |it| it.volume_name());
    let labels = [
        (label::RELEASE, number.to_string()),
        (label::RECORD, json.to_owned()),
    ];
    Volume {
        name,
        labels: labels.map(|(label, text)| (label.to_owned(), text)).into(),
    }
}

/// What is sent as an answer to a request. It is read in the same way whether it comes at once or byte by byte, and
/// its body is no longer than what came.
pub fn http(input: &[u8]) {
    let whole = answer(input, input.len().max(1));
    let in_pieces = answer(input, 1);
    assert_eq!(in_pieces, whole, "in pieces");
    if let Some(Response { status, body }) = whole {
        assert!((100..1000).contains(&status), "{status}");
        assert!(body.chars().count() <= input.len());
    }
}

/// What is made of an answer that comes in pieces of so many bytes, if it is one.
fn answer(bytes: &[u8], piece: usize) -> Option<Response> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime");
    let (ours, theirs) = duplex(piece);
    let (mut from, mut to) = split(theirs);
    let bytes = bytes.to_vec();
    runtime.block_on(async {
        let method = "GET".parse().expect("a method");
        let asked = http::request(ours, "host:1", method, "/", http::Wanted::All, LONG);
        let (seen, mut begun) = tokio::sync::mpsc::channel::<()>(1);
        let listen = async move {
            let mut request = [0; 256];
            while from.read(&mut request).await.is_ok_and(|length| length > 0) {
                let _ = seen.try_send(());
            }
        };
        let reply = async move {
            let _ = begun.recv().await;
            let _ = to.write_all(&bytes).await;
            let _ = to.shutdown().await;
        };
        let told = async { tokio::join!(listen, reply) };
        http::while_driven(told, asked).await.ok()
    })
}
