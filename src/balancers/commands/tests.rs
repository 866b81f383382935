use super::*;
use crate::hosts::testing::{Behaviour, TestFleet, behaviour, fails, prints};

/// `web` on the first host; every host has a balancer, whose commands are these.
async fn lab(commands: &str, behaviours: Vec<Behaviour>) -> (TestFleet, CommandRouter) {
    let lb = format!(
        "hosts = \"all\"\ncontainer.image = \"lb\"\n[balancer]\nupstreams = \"routes\"\n{commands}"
    );
    let web = "hosts = \"all\"\n[container]\nimage = \"web\"\npublish = [\"auto:80\"]\n[drain]\nbalancers = [\"lb\"]\n";
    let lab = TestFleet::new(&[("lb", &lb), ("web", web)], behaviours).await;
    let recipe = lab.environment.recipe("lb").expect("it").clone();
    let balancers = Upstreams::on_each(lab.fleet.hosts(), &recipe, "lb-r1");
    let router = CommandRouter {
        recipe: "web".parse().expect("a name"),
        balancers,
        lists: Arc::default(),
    };
    (lab, router)
}

fn backend(lab: &TestFleet) -> Backend {
    Backend {
        host: lab.fleet.hosts()[0].clone(),
        container: "web-r2".into(),
        ports: vec![(80, 20001)],
        port: Some(20001),
        weight: EQUAL_WEIGHT,
        is_up: true,
        may_be_out: true,
        service_ids: Vec::new(),
    }
}

fn ran(lab: &TestFleet, host: usize) -> Vec<String> {
    lab.servers[host]
        .seen
        .commands
        .lock()
        .expect("not poisoned")
        .clone()
}

fn told(result: Result<(), HostError>) -> String {
    result.map_or_else(
        |error| text::chain(&error).join(": "),
        |()| "told".to_owned(),
    )
}

async fn through(router: &CommandRouter, lab: &TestFleet) {
    let mut backends = [backend(lab)];
    assert_eq!(told(router.put_in(&backends).await), "told");
    let active = router.lists.active(&["web".parse().expect("a name")]).await;
    assert_eq!(active.len(), 1);
    assert!(router.take_out(&mut backends, "r2").await.is_ok());
    assert_eq!(told(router.forget(&backends).await), "told");
    assert!(
        router
            .lists
            .active(&["web".parse().expect("a name")])
            .await
            .is_empty()
    );
}

#[tokio::test]
async fn each_command_is_run_for_a_container_on_every_balancers_host() {
    let well = || behaviour().script(|_| prints(""));
    let all = "add = \"add {{backend.host}}-{{backend.name}} {{backend.endpoint}} {{container}}\"\n\
        drain = \"drain {{backend.name}}\"\nremove = \"remove {{backend.name}}\"\n";
    let (lab, router) = lab(all, vec![well(), well()]).await;
    through(&router, &lab).await;
    let expected = [
        "sh -c 'add host-1-web-r2 127.0.0.1:20001 lb-r1'",
        "sh -c 'drain web-r2'",
        "sh -c 'remove web-r2'",
    ];
    assert_eq!([ran(&lab, 0), ran(&lab, 1)], [expected, expected]);
}

#[tokio::test]
async fn a_canary_has_its_weight_until_all_weigh_the_same() {
    let commands = "add = \"add {{backend.port}} {{backend.weight}}\"\n\
        weight = \"weigh {{backend.port}} {{backend.weight}}\"\nremove = \"remove\"\n";
    let (lab, router) = lab(commands, vec![behaviour().script(|_| prints(""))]).await;
    let canary = Backend {
        weight: 5,
        ..backend(&lab)
    };
    assert_eq!(told(router.put_in(&[canary]).await), "told");
    assert_eq!(told(router.weigh_equally().await), "told");
    assert_eq!(told(router.weigh_equally().await), "told");
    let expected = ["sh -c 'add 20001 5'", "sh -c 'weigh 20001 100'"];
    assert_eq!(ran(&lab, 0), expected);
}

#[tokio::test]
async fn a_canary_that_cannot_be_weighed_keeps_its_weight() {
    let commands = "add = \"add\"\nweight = \"weigh\"\nremove = \"remove\"\n";
    let server = behaviour().script(|command| match command {
        _ if command.contains("weigh") => fails(1, "no such server\n"),
        _ => prints(""),
    });
    let (lab, router) = lab(commands, vec![server]).await;
    let canary = Backend {
        weight: 5,
        ..backend(&lab)
    };
    assert_eq!(told(router.put_in(&[canary]).await), "told");
    for _ in 0..2 {
        let failed = "`weigh` failed with status 1: no such server";
        assert_eq!(told(router.weigh_equally().await), failed);
    }
}

#[tokio::test]
async fn without_drain_a_container_is_removed_before_it_stops() {
    let commands = "add = \"add {{backend.port}}\"\nremove = \"remove {{backend.port}}\"\n";
    let (lab, router) = lab(commands, vec![behaviour().script(|_| prints(""))]).await;
    through(&router, &lab).await;
    assert_eq!(ran(&lab, 0), ["sh -c 'add 20001'", "sh -c 'remove 20001'"]);
}

#[tokio::test]
async fn a_command_that_fails_names_the_balancer_and_who_was_told() {
    let well = behaviour().script(|_| prints(""));
    let fails = behaviour().script(|_| fails(3, "no such backend\n"));
    let commands = "add = \"add\"\nremove = \"remove\"\n";
    let (lab, router) = lab(commands, vec![well, fails]).await;
    assert_eq!(
        told(router.put_in(&[backend(&lab)]).await),
        "`lb` on `host-2` routes as before: `add` failed with status 3: no such backend; `lb` on `host-1` was told"
    );
}

#[tokio::test]
async fn a_local_command_that_says_too_much_fills_no_memory() {
    let much = |of: char| format!("head -c 3000000 /dev/zero | tr '\\0' {of}");
    let script = format!("{}; {} >&2; exit 4", much('x'), much('y'));
    let output = here(&script).await.expect("it runs");
    assert_eq!(output.status, 4);
    for said in [output.stdout, output.stderr] {
        assert!(said.len() < 100_000, "{}", said.len());
        assert!(said.starts_with(text::CUT), "it is said to be cut");
    }
}

#[tokio::test]
async fn local_commands_run_here() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("log");
    let commands = format!(
        "local = true\nadd = \"echo add {{{{backend.endpoint}}}} >> '{0}'\"\nremove = \"echo no >&2; exit 4\"\n",
        log.display()
    );
    let (lab, router) = lab(
        &commands,
        vec![behaviour().script(|_| fails(1, "not here\n"))],
    )
    .await;
    let mut backends = [backend(&lab)];
    assert_eq!(told(router.put_in(&backends).await), "told");
    let said = std::fs::read_to_string(&log).expect("the log");
    assert_eq!(said, "add 127.0.0.1:20001\n");
    let gone = router.take_out(&mut backends, "r2").await.map(|_| ());
    assert_eq!(told(gone), "`echo no >&2; exit 4` failed with status 4: no");
    assert_eq!(ran(&lab, 0), [""; 0]);
}
