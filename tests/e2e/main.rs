//! `shipit` on the three hosts of the lab, as one story that begins on empty hosts and leaves them empty.
//!
//! `make test` brings the lab up and runs this; without it every scenario shows as ignored. There is one
//! lab, so scenarios run one after the other. Each brings about what it needs, so
//! `SHIPIT_LAB=1 cargo test --test e2e NAME` runs one on its own.

mod bad_hosts;
mod balancers;
mod broken_off;
mod first;
mod lab;
mod load;
mod lossless;
mod old_way;
mod operate;
#[path = "../pages/mod.rs"]
mod pages;
mod project;
mod promotion;
mod readme;
mod recovery;
mod registry;
mod sharing;
mod stage;
mod table;
mod terminal;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    process::ExitCode,
    sync::{Arc, Mutex},
    time::Instant,
};

use libtest_mimic::{Arguments, Failed, Trial};
use stage::Stage;

type Scenario = fn(&Stage);

/// The story. The order matters only for the time that it takes.
const STORY: &[(&str, Scenario)] = &[
    (
        "first::a_deploy_brings_everything_up_on_empty_hosts",
        first::deploy_on_empty_hosts,
    ),
    (
        "first::a_second_deploy_finds_nothing_to_do",
        first::nothing_to_do,
    ),
    (
        "first::a_plan_shows_old_and_new_and_changes_nothing",
        first::plan,
    ),
    ("readme::every_command_block_runs", readme::every_block),
    (
        "operate::status_history_and_logs_tell_what_runs",
        operate::look,
    ),
    ("operate::exec_runs_a_command_everywhere", operate::exec),
    ("operate::run_carries_out_a_task_recipe", operate::run),
    (
        "operate::check_finds_a_ghost_and_fix_removes_it",
        operate::check,
    ),
    ("operate::a_lasting_lock_keeps_deploys_out", operate::lock),
    (
        "operate::a_passphrase_is_asked_for_on_a_terminal",
        operate::passphrase,
    ),
    ("bad_hosts::an_account_without_docker", bad_hosts::no_docker),
    (
        "bad_hosts::an_address_where_nobody_listens",
        bad_hosts::unreachable,
    ),
    (
        "bad_hosts::a_key_that_the_host_does_not_know",
        bad_hosts::wrong_key,
    ),
    (
        "bad_hosts::a_host_key_that_has_changed",
        bad_hosts::changed_host_key,
    ),
    ("recovery::a_disk_that_is_full", recovery::full_disk),
    (
        "lossless::ten_deploys_forth_and_back",
        lossless::ten_deploys,
    ),
    (
        "lossless::rollback_back_forth_and_to_a_release",
        lossless::rollbacks,
    ),
    (
        "lossless::a_rollback_without_the_kept_container",
        lossless::kept_container_gone,
    ),
    (
        "lossless::a_bad_version_at_the_canary",
        lossless::bad_canary,
    ),
    (
        "lossless::a_bad_version_at_the_last_host",
        lossless::bad_last_host,
    ),
    ("lossless::a_version_that_crashes", lossless::crash),
    ("lossless::an_app_that_starts_slowly", lossless::slow),
    ("lossless::an_app_that_ignores_sigterm", lossless::deaf),
    ("lossless::two_instances_a_host", lossless::two_instances),
    ("lossless::an_app_container_is_killed", lossless::app_killed),
    (
        "lossless::a_version_that_fails_only_its_requests",
        lossless::over_budget,
    ),
    (
        "promotion::a_canary_is_asked_about_on_a_terminal",
        promotion::asked_on_a_terminal,
    ),
    (
        "promotion::a_canary_is_promoted_beforehand",
        promotion::promoted_beforehand,
    ),
    ("balancers::two_at_once", balancers::two_balancers),
    ("balancers::the_only_one", balancers::the_only_balancer),
    ("balancers::an_app_with_two_ports", balancers::two_ports),
    ("broken_off::two_deploys_at_once", broken_off::two_at_once),
    ("broken_off::a_deploy_that_is_killed", broken_off::killed),
    (
        "broken_off::a_deploy_that_is_interrupted",
        broken_off::interrupted,
    ),
    ("sharing::limit_changes_no_other_host", sharing::limit),
    (
        "sharing::a_second_environment_on_the_same_hosts",
        sharing::second_environment,
    ),
    ("lossless::registrator_is_replaced", lossless::registrator),
    (
        "lossless::consul_is_replaced_with_its_leader",
        lossless::consul,
    ),
    (
        "lossless::consul_lacks_a_server",
        lossless::consul_lacks_a_server,
    ),
    (
        "recovery::consul_without_a_leader",
        recovery::consul_without_a_leader,
    ),
    (
        "recovery::a_host_that_was_reinstalled",
        recovery::reinstalled_host,
    ),
    ("sharing::an_account_that_uses_sudo", sharing::through_sudo),
    (
        "registry::a_private_registry_that_goes_away",
        registry::private_registry,
    ),
    ("old_way::loses_requests", old_way::loses_requests),
    ("last::down_leaves_nothing", first::down),
];

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1);
    let with_lab = std::env::var("SHIPIT_LAB").is_ok_and(|value| value == "1");
    if !arguments.list && !with_lab {
        eprintln!("\nThe end-to-end tests need the three hosts of the lab: `make test` runs them.");
    }
    if !arguments.list
        && with_lab
        && let Err(problem) = lab::reachable()
    {
        eprintln!("error: SHIPIT_LAB=1, but the lab cannot be used: {problem}\nhint: make lab");
        return ExitCode::FAILURE;
    }

    let stage = Arc::new(Stage::default());
    let message = remember_panics();
    let scenario = |(name, scenario): &(&str, Scenario)| {
        let (stage, message, scenario) = (stage.clone(), message.clone(), *scenario);
        let name = (*name).to_owned();
        let of = name.clone();
        Trial::test(name, move || {
            let began = Instant::now();
            let result = catch_unwind(AssertUnwindSafe(|| scenario(&stage)));
            stage.note_time(&of, began.elapsed());
            result.map_err(|_| {
                let said = message.lock().expect("the message").take();
                Failed::from(said.unwrap_or_else(|| "it panicked".to_owned()))
            })
        })
    };
    let mut trials: Vec<_> = STORY.iter().map(scenario).collect();
    // Last, so that it shows what all the others have measured, right above cargo's summary.
    let told = stage.clone();
    trials.push(Trial::test("last::lost_requests_and_times", move || {
        println!("\n\n{}", told.show());
        Ok(())
    }));
    let trials = trials
        .into_iter()
        .map(|trial| trial.with_ignored_flag(!with_lab))
        .collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// Keeps what a panic says for the list of failures, instead of printing it into the list of scenarios.
fn remember_panics() -> Arc<Mutex<Option<String>>> {
    let message = Arc::new(Mutex::new(None));
    let kept = message.clone();
    std::panic::set_hook(Box::new(move |panic| {
        kept.lock()
            .expect("the message")
            .get_or_insert(panic.to_string());
    }));
    message
}
