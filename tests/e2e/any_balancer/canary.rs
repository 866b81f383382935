//! `canary_weight` and `max_error_rate`: few requests go to the canaries, and their errors are counted.

use super::balancer::Balancer;
use crate::{
    lab::{self, APPS, HOST_3},
    pages::{blocks, pages},
    project::Project,
    stage::{Stage, failed},
};

/// How `HAProxy` shows its servers: name, weight.
fn weights() -> Vec<(String, u32)> {
    let stat =
        HOST_3.run("echo 'show stat' | docker exec -i haproxy socat stdio /run/haproxy.sock");
    let servers = stat.lines().filter_map(|line| {
        let words: Vec<_> = line.split(',').collect();
        let is_server = words.get(32) == Some(&"2");
        is_server.then(|| (words[1].to_owned(), words[18].parse().expect("a weight")))
    });
    servers.collect()
}

fn weigh_equally() {
    let weights = weights();
    assert_eq!(weights.len(), 2, "{weights:?}");
    assert!(
        weights.iter().all(|(_, weight)| *weight == 100),
        "{weights:?}"
    );
}

pub fn haproxy(stage: &Stage) {
    let it = Balancer::new("canaries", ("haproxy", "cart"), 80);
    let project = &it.project;
    answers_as_told(project, "cart");
    project.edit(
        "recipes/cart.toml",
        "canary_time = \"2m\"",
        "canary_time = \"8s\"\nmin_healthy_time = \"0s\"",
    );
    project
        .ok("deploy lab --set version=v1")
        .says("deployed r1 to lab");
    weigh_equally();

    // The probe's own requests are not to be first.
    project.edit("recipes/cart.toml", "budget = 50", "budget = 100000");

    // While the canary serves, it has its share; afterwards all weigh the same.
    let line = "deploy lab --set version=v2 -v";
    stage.loses_nothing_at(it.endpoints(), &it.row("a canary with 5 %"), |_| {
        let mut deploy = project.start(line);
        assert!(deploy.wait_until(|line| line.contains("serve 4.7% of the requests for 8s")));
        let mut while_it_serves: Vec<_> = weights().into_iter().map(|(_, weight)| weight).collect();
        while_it_serves.sort_unstable();
        assert_eq!(while_it_serves, [5, 100]);
        let run = deploy.finish();
        run.exits(0)
            .says("get an equal share of the requests")
            .says("balancers counted 0 answers with 5xx");
        vec![(&run).into()]
    });
    weigh_equally();
    it.both_answer("v2");

    one_that_answers_500_is_taken_back(stage, &it);
    weigh_equally();
    it.both_answer("v2");
    project.ok("check lab");

    // A deployer that is killed leaves a canary with its share; the next deploy ends it.
    let mut doomed = project.start("deploy lab --set version=v1 -v");
    assert!(doomed.wait_until(|line| line.contains("of the requests for 8s")));
    doomed.signal("KILL");
    let _ = doomed.finish();
    project.ok("deploy lab --set version=v1");
    weigh_equally();
    it.both_answer("v1");
    project.ok("check lab");
    project.ok("down lab --yes");
}

/// Has the app try each version on one canary, which serves for so long.
fn has_canaries(it: &Balancer, seconds: u32) {
    let recipe = format!("recipes/{}.toml", it.app);
    let url = format!("http://{}/", HOST_3.address());
    it.rolls_out(&format!(
        "canary = 1\ncanary_weight = \"5%\"\ncanary_time = \"{seconds}s\""
    ));
    it.project.edit(
        &recipe,
        "[drain]",
        &format!("[probe]\nurl = \"{url}\"\nbudget = 100000\nmax_error_rate = \"1%\"\n\n[drain]"),
    );
}

/// The block of the page that has this in it.
fn block(kind: &str, text: &str) -> Vec<String> {
    let page = pages()
        .into_iter()
        .find(|page| page.name == "docs/balancers.md");
    let mut blocks = blocks(&page.expect("the page")).into_iter();
    let has = |lines: &[String]| lines.iter().any(|line| line.contains(text));
    let block = blocks.find(|block| block.kind == kind && has(&block.lines));
    block.expect("the block").lines
}

pub fn nginx(stage: &Stage) {
    let it = Balancer::new("nginx", ("lb", "web"), 80);
    let project = &it.project;
    has_canaries(&it, 6);
    answers_as_told(project, "web");
    let lines = block("nginx", "log_format");
    let line = |word: &str| {
        let line = lines.iter().find(|line| line.starts_with(word));
        line.expect("the line").clone()
    };
    let listen = "server {\n    listen 80 default_server;";
    project.edit(
        "files/web.conf",
        listen,
        &format!(
            "{}\n{listen}\n    {}",
            line("log_format"),
            line("access_log")
        ),
    );
    let errors = block("text", "answers.log").join("\n");
    project.edit(
        "recipes/lb.toml",
        "[balancer.backends]",
        &format!("{errors}\n\n[balancer.backends]"),
    );
    project.ok("deploy lab --set version=v1");
    let list = "docker exec lb grep -h weight= /etc/nginx/conf.d/default.conf";
    let weights = || {
        let lines = HOST_3.run(list);
        let words = lines.split_whitespace().map(str::to_owned);
        let mut weights: Vec<_> = words.filter(|word| word.starts_with("weight=")).collect();
        weights.sort_unstable();
        weights
    };

    let line = "deploy lab --set version=v2 -v";
    stage.loses_nothing_at(it.endpoints(), &it.row("a canary with 5 %"), |_| {
        let mut deploy = project.start(line);
        assert!(deploy.wait_until(|line| line.contains("serve 4.7% of the requests for 6s")));
        assert_eq!(weights(), ["weight=100", "weight=5"]);
        let few = answers_of("v2", 100);
        assert!((1..=20).contains(&few), "{few} of 100 are the canary's");
        let run = deploy.finish();
        run.exits(0).says("get an equal share of the requests");
        vec![(&run).into()]
    });
    assert_eq!(weights(), ["weight=100", "weight=100"]);
    it.both_answer("v2");

    one_that_answers_500_is_taken_back(stage, &it);
    it.both_answer("v2");
    project.ok("check lab");
    project.ok("down lab --yes");
}

/// One that answers with errors is taken back before the other host gets it.
fn one_that_answers_500_is_taken_back(stage: &Stage, it: &Balancer) {
    let before = APPS.map(|host| it.app_on(host));
    stage.measure_at(it.endpoints(), &it.row("a canary that answers 500"), |_| {
        let run = it
            .project
            .shipit("deploy lab --set version=v2 --set answer=500");
        run.exits(5).says("over `max_error_rate` (1%)");
        failed(&run)
    });
    assert_eq!(APPS.map(|host| it.app_on(host)), before);
}

/// The app answers with the var `answer`, though it says that it is well.
fn answers_as_told(project: &Project, app: &str) {
    let recipe = format!("recipes/{app}.toml");
    project.edit(
        &recipe,
        "restart = \"always\"",
        "restart = \"always\"\nenv = { ANSWER = \"{{answer}}\" }",
    );
    project.edit(
        &recipe,
        "[container]",
        "[vars]\nanswer = 200\n\n[container]",
    );
}

/// How many of so many requests a version answers.
fn answers_of(version: &str, requests: usize) -> usize {
    let url = format!("http://{}/", HOST_3.address());
    let own = format!("({version})");
    let answers = (0..requests).filter_map(|_| lab::get(&url).ok());
    answers.filter(|answer| answer.contains(&own)).count()
}
