use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use super::{findings::find, fix::Fix, *};
use crate::{
    commands::on_hosts::routes::of_balancers,
    docker::{Identity, SpecHash, parse_containers},
    facts::{Facts, HostFacts},
    hosts::testing::{TestFleet, behaviour, prints},
    model::HostName,
    release::{History, Record},
};

const LB: &str = "hosts = \"all\"\n[balancer]\nupstreams = \"routes\"\nadd = \"add {{backend.endpoint}}\"\n\
    remove = \"remove {{backend.endpoint}}\"\n";
const WEB: &str = "hosts = \"all\"\n[container]\nimage = \"web\"\npublish = [\"auto:80\"]\n[drain]\nbalancers = [\"lb\"]\n";

/// What docker shows of containers of `web`, each at a port.
fn containers(ports: &[u16]) -> Facts {
    let shown = ports.iter().map(|port| {
        let labels = Identity {
            environment: "staging".into(),
            preview_of: None,
            recipe: "web".into(),
            release: 1,
            instance: 1,
            spec: SpecHash::from_labels("aa", None),
        };
        serde_json::json!({
            "Id": port.to_string(), "Name": format!("/web-{port}"), "Image": "sha256:aa",
            "State": { "Status": "running", "Running": true },
            "Config": { "Labels": labels.labels() }, "HostConfig": {},
            "NetworkSettings": { "Ports": { "80/tcp": [{ "HostIp": "0.0.0.0", "HostPort": port.to_string() }] } },
        })
    });
    let shown = shown.collect::<serde_json::Value>().to_string();
    let host = HostFacts {
        containers: parse_containers(&shown).expect("docker's JSON"),
        ..HostFacts::default()
    };
    Facts {
        hosts: [("host-1".into(), host)].into(),
    }
}

/// What `check` finds where these containers run and the balancer routes to none, what `--fix` says of each, and what
/// was run. The balancer learns of what it is told with `listens`.
async fn fixed(ports: &[u16], listens: bool) -> (Vec<String>, Vec<String>, Vec<String>) {
    fixed_after(BTreeMap::new(), ports, listens).await
}

/// The same after these releases.
async fn fixed_after(
    records: BTreeMap<HostName, Vec<Record>>,
    ports: &[u16],
    listens: bool,
) -> (Vec<String>, Vec<String>, Vec<String>) {
    let told = Arc::new(AtomicBool::new(false));
    let knows = Arc::clone(&told);
    let server = behaviour().script(move |command| {
        if command.contains("add 127.0.0.1:20001") {
            knows.store(listens, Ordering::Relaxed);
        }
        let routes = command.contains("routes") && knows.load(Ordering::Relaxed);
        prints(if routes { "127.0.0.1:20001\n" } else { "" })
    });
    let lab = TestFleet::new(&[("lb", LB), ("web", WEB)], vec![server]).await;
    let observed = Observed {
        facts: containers(ports),
        history: History::new(records, 0),
    };
    let answers = of_balancers(&lab.environment, &lab.fleet, &observed.facts).await;
    let reached = &lab.fleet.hosts()[0];
    let found = find(&lab.environment, reached, &observed, &answers).await;
    let mut found = found.unwrap_or_else(|error| panic!("{error}"));
    let mut said = Vec::new();
    for finding in &mut found {
        let Some(fix) = &mut finding.fix else {
            continue;
        };
        if let Fix::Tell(tell) = fix {
            tell.within = Duration::from_millis(100);
        }
        said.push(match fix.apply(reached, &BackendLists::default()).await {
            Ok(done) => done.to_owned(),
            Err(stop) => format!("{stop:?}"),
        });
    }
    let ran = lab.servers[0].seen.commands.lock().expect("not poisoned");
    let adds = ran.iter().filter(|command| command.contains("add "));
    let adds = adds.cloned().collect();
    let messages = found.into_iter().map(|finding| finding.message).collect();
    (messages, said, adds)
}

#[tokio::test]
async fn a_balancer_that_has_forgotten_a_container_is_told_again() {
    let (found, said, ran) = fixed(&[20001], true).await;
    assert_eq!(
        found,
        ["`lb` does not route to `web-20001` (127.0.0.1:20001)"]
    );
    assert_eq!(said, ["told"]);
    assert_eq!(ran, ["sh -c 'add 127.0.0.1:20001'"]);
}

#[tokio::test]
async fn one_that_was_told_and_does_not_route_there_is_not_mended() {
    let (_, said, ran) = fixed(&[20001], false).await;
    assert_eq!(ran.len(), 1);
    let [said] = &said[..] else {
        panic!("{said:?}")
    };
    assert!(said.contains("cannot tell `lb` of `web-20001`"), "{said}");
    assert!(
        said.contains("`add` exited with 0, and it does not route to 127.0.0.1:20001"),
        "{said}"
    );
}

#[tokio::test]
async fn where_a_deploy_was_cut_off_it_is_told_of_neither() {
    let (found, said, ran) = fixed(&[20001, 20002], true).await;
    assert_eq!(found.len(), 3, "{found:?}");
    assert_eq!((said.len(), ran.len()), (0, 0), "{said:?} {ran:?}");
}

/// The old one went first, and the new one is the only one: nobody has seen it ready.
#[tokio::test]
async fn what_no_release_has_found_ready_is_told_to_nobody() {
    let record = |outcome: &str| -> Record {
        let record = serde_json::json!({
            "number": 1, "environment": "staging", "host": "host-1", "action": "deploy", "by": "alice@laptop",
            "started": "1970-01-01T00:00:00Z", "outcome": outcome, "recipes": {
                "web": {
                    "spec": { "image": "web" }, "image": { "reference": "web", "digest": "sha256:aa" },
                    "instances": 1, "hash": "aa",
                },
            },
        });
        serde_json::from_value(record).expect("a record")
    };
    for (outcome, tells) in [("succeeded", 1), ("unfinished", 0), ("interrupted", 0)] {
        let records = BTreeMap::from([("host-1".into(), vec![record(outcome)])]);
        let lab = TestFleet::new(&[("lb", LB), ("web", WEB)], vec![behaviour()]).await;
        let observed = Observed {
            facts: containers(&[20001]),
            history: History::new(records.clone(), 1),
        };
        let unconfirmed = confirmed::unconfirmed(&lab.environment, &observed);
        assert_eq!(unconfirmed.len(), 1 - tells, "{outcome}");
        let (found, said, ran) = fixed_after(records, &[20001], true).await;
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(
            (said.len(), ran.len()),
            (tells, tells),
            "{outcome}: {said:?}"
        );
    }
}
