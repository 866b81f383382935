use std::sync::Arc;

use futures::FutureExt as _;

use super::{router::ListRouter, *};
use crate::{
    balancers::{Backend, RequestRouter as _, Upstreams},
    hosts::{
        HostError,
        testing::{Act, Behaviour, TestFleet, behaviour, fails, out, prints},
    },
    model::{EQUAL_WEIGHT, ListedBackend},
    text,
};

const LIST: &str = "{{#each backends.web}}server {{endpoint}}{{#unless (eq weight 100)}} weight={{weight}}{{/unless}};\n{{/each}}{{#each draining.web}}# {{name}} leaves\n{{/each}}";

/// Balancers that do this when their list is written.
async fn lab(behaviours: Vec<Behaviour>) -> (TestFleet, ListRouter) {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), LIST).expect("the template");
    let lb = format!(
        "hosts = \"all\"\ncontainer.image = \"lb\"\n[balancer]\nupstreams = \"routes\"\n\
        backends = {{ template = {:?}, to = \"/etc/lb/list\", check = \"lb -t\", reload = \"lb reload {{{{container}}}}\" }}\n",
        file.path()
    );
    let web = "hosts = \"all\"\n[container]\nimage = \"web\"\npublish = [\"auto:80\"]\n[drain]\nbalancers = [\"lb\"]\n";
    let lab = TestFleet::new(&[("lb", &lb), ("web", web)], behaviours).await;
    let recipe = lab.environment.recipe("lb").expect("it").clone();
    let balancers = Upstreams::on_each(lab.fleet.hosts(), &recipe, "lb-r1");
    let router = ListRouter {
        recipe: "web".parse().expect("a name"),
        balancers,
        lists: Arc::new(BackendLists::new(vec![listed("web-r1", 20000)])),
    };
    (lab, router)
}

fn listed(container: &str, port: u16) -> ListedBackend {
    ListedBackend {
        recipe: "web".parse().expect("a name"),
        host: "host-1".into(),
        address: "127.0.0.1".into(),
        container: container.into(),
        port: Some(port),
        ports: vec![(80, port)],
        weight: EQUAL_WEIGHT,
    }
}

fn backend(lab: &TestFleet, container: &str, port: Option<u16>) -> Backend {
    Backend {
        host: lab.fleet.hosts()[0].clone(),
        container: container.into(),
        ports: port.map(|port| (80, port)).into_iter().collect(),
        port,
        weight: EQUAL_WEIGHT,
        is_up: true,
        may_be_out: true,
        service_ids: Vec::new(),
    }
}

/// The lists that a host was told to write, as how many bytes each has.
fn written(lab: &TestFleet, host: usize) -> Vec<String> {
    let commands = lab.servers[host]
        .seen
        .commands
        .lock()
        .expect("not poisoned");
    let commands = commands.iter().filter_map(|command| {
        let (begin, end) = command.split_once(" sh -c ")?;
        let (_, arguments) = end.rsplit_once(" shipit ")?;
        Some(format!("{begin} {arguments}"))
    });
    commands.collect()
}

fn told(result: Result<(), HostError>) -> String {
    result.map_or_else(
        |error| text::chain(&error).join(": "),
        |()| "told".to_owned(),
    )
}

fn well() -> Behaviour {
    behaviour().script(|_| prints(""))
}

#[tokio::test]
async fn a_list_is_written_when_it_changes_and_only_then() {
    let (lab, router) = lab(vec![well()]).await;
    let new = [backend(&lab, "web-r2", Some(20001))];
    let mut old = [backend(&lab, "web-r1", Some(20000))];
    assert_eq!(told(router.put_in(&new).await), "told");
    assert_eq!(told(router.put_in(&new).await), "told");
    let taken_out = router.take_out(&mut old, "r2").await;
    assert_eq!(taken_out.expect("told"), [""; 0]);
    assert_eq!(told(router.forget(&old).await), "told");
    let write = |bytes: usize| {
        format!("docker exec --interactive lb-r1 /etc/lb/list 'lb -t' 'lb reload lb-r1' {bytes}")
    };
    let line = "server 127.0.0.1:20000;\n".len();
    let expected = [2 * line, line + "# web-r1 leaves\n".len(), line].map(write);
    assert_eq!(written(&lab, 0), expected);
    assert!(
        router
            .registrations(&old[0])
            .await
            .expect("none")
            .is_empty()
    );
}

#[tokio::test]
async fn a_canary_has_its_weight_until_all_weigh_the_same() {
    let (lab, router) = lab(vec![well()]).await;
    let canary = Backend {
        weight: 5,
        ..backend(&lab, "web-r2", Some(20001))
    };
    assert_eq!(told(router.put_in(&[canary]).await), "told");
    assert_eq!(told(router.weigh_equally().await), "told");
    assert_eq!(told(router.weigh_equally().await), "told");
    let write = |bytes: usize| {
        format!("docker exec --interactive lb-r1 /etc/lb/list 'lb -t' 'lb reload lb-r1' {bytes}")
    };
    let line = "server 127.0.0.1:20000;\n".len();
    let expected = [2 * line + " weight=5".len(), 2 * line].map(write);
    assert_eq!(written(&lab, 0), expected);
}

#[tokio::test]
async fn a_container_without_a_port_is_in_no_list() {
    let (lab, router) = lab(vec![well()]).await;
    let new = [backend(&lab, "web-r2", None)];
    assert_eq!(
        told(router.put_in(&new).await),
        "`web-r2` publishes no TCP port, so no balancer can route to it"
    );
    assert_eq!(written(&lab, 0), [""; 0]);
}

#[tokio::test]
async fn a_balancer_that_refuses_its_list_is_named_and_the_others_have_theirs() {
    let refuses = || {
        behaviour().script(|_| {
            let mut acts = fails(65, "lb: [emerg] no such directive\n");
            acts.insert(0, out("\n1\n"));
            acts
        })
    };
    let (only, router) = lab(vec![refuses()]).await;
    let new = [backend(&only, "web-r2", Some(20001))];
    assert_eq!(
        told(router.put_in(&new).await),
        "`lb -t` failed with status 1: `lb` on `host-1`: lb: [emerg] no such directive; the list that was there is back"
    );

    let does_not_reload = behaviour().script(|_| fails(66, "lb: not running\n"));
    let (both, router) = lab(vec![well(), does_not_reload]).await;
    let new = [backend(&both, "web-r2", Some(20001))];
    let said = told(router.put_in(&new).await);
    assert!(
        said.starts_with("`lb` on `host-2` routes as before: `lb reload lb-r1` "),
        "{said}"
    );
    assert!(
        said.ends_with("; `lb` on `host-1` has the new list"),
        "{said}"
    );
    // Only the one that failed is told again.
    let _ = router.put_in(&new).await;
    assert_eq!([written(&both, 0).len(), written(&both, 1).len()], [1, 2]);
}

#[tokio::test]
async fn a_container_that_a_balancer_never_had_is_let_go_though_it_refuses_every_list() {
    let refuses = behaviour().script(|_| fails(66, "lb: not running\n"));
    let (both, router) = lab(vec![well(), refuses]).await;
    let before = "server 127.0.0.1:20000;\n";
    for balancer in &router.balancers {
        let target = ListTarget::of(balancer).expect("it has a list");
        router.lists.note_written(&target, before).await;
    }
    let mut new = [backend(&both, "web-r2", Some(20001))];
    let old = [backend(&both, "web-r1", Some(20000))];
    let said = told(router.put_in(&new).await);
    assert!(
        said.starts_with("`lb` on `host-2` routes as before: "),
        "{said}"
    );
    assert_eq!(told(router.put_in(&old).await), "told");
    assert_eq!(
        told(router.take_out(&mut new, "r2").await.map(|_| ())),
        "told"
    );
    // It has been left as it was all the time, so there is nothing to write.
    let so_far = written(&both, 1).len();
    assert_eq!(told(router.forget(&new).await), "told");
    assert_eq!(written(&both, 1).len(), so_far);

    // What it has, it must let go.
    let mut old = old;
    let said = told(router.take_out(&mut old, "r2").await.map(|_| ()));
    assert!(
        said.starts_with("`lb` on `host-2` routes as before: "),
        "{said}"
    );
}

#[tokio::test]
async fn what_has_been_seen_in_a_list_counts_only_where_it_is_as_it_should_be() {
    let refuses = behaviour().script(|_| fails(66, "lb: not running\n"));
    let (lab, router) = lab(vec![refuses]).await;
    let target = ListTarget::of(&router.balancers[0]).expect("it has a list");
    router
        .lists
        .note_written(&target, "server elsewhere:1;\n")
        .await;
    let mut new = [backend(&lab, "web-r2", Some(20001))];
    let said = told(router.take_out(&mut new, "r2").await.map(|_| ()));
    assert!(said.contains("`lb` on `host-1`"), "{said}");
}

#[tokio::test]
async fn a_container_that_only_one_of_two_balancers_lets_go_is_back_on_both_lists() {
    // The second one does not reload the list without it.
    let leaves = "# web-r1 leaves\n".len();
    let stays = "server 127.0.0.1:20000;\n".len();
    let does_not_reload = behaviour().script(move |command| {
        if command.ends_with(&format!(" {leaves}")) {
            fails(66, "lb: not running\n")
        } else {
            prints("")
        }
    });
    let (both, router) = lab(vec![well(), does_not_reload]).await;
    let mut old = [backend(&both, "web-r1", Some(20000))];
    let taken_out = router.take_out(&mut old, "r2").await.map(|_| ());
    let said = told(taken_out);
    assert!(
        said.starts_with("`lb` on `host-2` routes as before: "),
        "{said}"
    );
    // It was not stopped, and the revert has it serve on.
    assert_eq!(told(router.put_in(&old).await), "told");
    let bytes = |host: usize| -> Vec<_> {
        let all = written(&both, host).into_iter();
        all.filter_map(|command| command.rsplit(' ').next()?.parse::<usize>().ok())
            .collect()
    };
    assert_eq!([bytes(0), bytes(1)], [[leaves, stays], [leaves, stays]]);
}

#[tokio::test]
async fn a_balancer_that_does_not_run_finds_its_list_when_it_starts() {
    for (state, places) in [("exited", true), ("running", false), ("gone", false)] {
        let server = behaviour().script(move |command| -> Vec<Act> {
            match command {
                _ if command.contains("docker inspect") && state == "gone" => prints("[]\n"),
                _ if command.contains("docker inspect") => prints(&format!(
                    r#"[{{"Id":"c","Name":"/lb-r1","Image":"","State":{{"Status":"{state}","Running":{}}},"Config":{{}},"HostConfig":{{}}}}]"#,
                    state == "running"
                )),
                _ if command.contains("docker exec") => {
                    fails(1, "Error response from daemon: container is not running\n")
                }
                _ => prints(""),
            }
        });
        let (lab, router) = lab(vec![server]).await;
        let new = [backend(&lab, "web-r2", Some(20001))];
        let said = told(router.put_in(&new).await);
        assert_eq!(said == "told", state != "running", "{state}: {said}");
        let commands = lab.servers[0].seen.commands.lock();
        let mut commands = commands.expect("not poisoned").clone().into_iter();
        let placed = commands.any(|command| command.ends_with("lb-r1:/etc/lb/list"));
        assert_eq!(placed, places, "{state}");
    }
}

#[tokio::test]
async fn only_balancers_that_can_print_what_they_route_to_are_asked() {
    use futures::StreamExt as _;
    let (_lab, mut router) = lab(vec![behaviour().script(|_| prints("10.0.0.1:80\n"))]).await;
    assert_eq!(router.routes().collect::<Vec<_>>().await.len(), 1);
    router.balancers[0].view.upstreams = None;
    assert!(router.routes().next().now_or_never().flatten().is_none());
}
