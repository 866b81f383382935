//! `shipit` on the three hosts of a lab.
//!
//! `make test` brings the labs up and runs this; without it every scenario shows as ignored. On one lab the
//! scenarios run one after the other; with several labs (`SHIPIT_LAB_NETWORKS`) each takes the next scenario
//! when it is free. Every scenario brings about what it needs, so `make test ONLY=NAME` runs one on its own.

mod any_balancer;
mod bad_hosts;
mod balancers;
mod broken_off;
mod console;
mod consul_acls;
mod daily;
mod faults;
mod first;
mod fresh;
mod hooks;
mod lab;
mod load;
mod local_account;
mod look;
mod lossless;
mod narrow_key;
mod old_way;
mod operate;
#[path = "../pages/mod.rs"]
mod pages;
mod previews;
mod project;
mod promotion;
mod readme;
mod records;
mod recovery;
mod registry;
mod sharing;
mod stage;
mod table;
mod terminal;
mod workers;

use std::{process::ExitCode, sync::Arc};

use libtest_mimic::{Arguments, Trial};
use stage::{Measures, Stage};
use workers::{Where, Workers};

type Scenario = fn(&Stage);

/// Only the first lab has the addresses that `make demo` and the README name.
const ON_THE_FIRST_LAB: &[&str] = &["readme::every_command_block_runs"];

/// Those that run on every kind of host, where the labs have several: together they use every command of
/// docker's that shipit knows, and read everything that it answers.
const CORE: &[&str] = &[
    "first::a_deploy_brings_everything_up_on_empty_hosts",
    "first::a_second_deploy_finds_nothing_to_do",
    "operate::status_history_and_logs_tell_what_runs",
    "operate::check_finds_a_ghost_and_fix_removes_it",
    "lossless::rollback_back_forth_and_to_a_release",
    "lossless::a_rollback_without_the_kept_container",
    "lossless::a_bad_version_at_the_canary",
    "lossless::a_version_that_crashes",
    "broken_off::a_deploy_that_is_killed",
    "registry::a_private_registry_that_goes_away",
    "last::down_leaves_nothing",
];

/// Those that show at length, or for one more of several balancers, what others show: `make balancers` and `make faults` run
/// most of them too. They are ignored unless a name is asked for or [`ALL`] is set.
const AT_LENGTH: &[&str] = &[
    "faults::the_deployer_is_killed_stop_first",
    "any_balancer::caddy_by_its_admin_api",
    "any_balancer::one_that_follows_a_health_check",
    "any_balancer::blue_green_with_consul",
    "previews::many_environments_from_one_base",
    "recovery::a_host_that_was_reinstalled",
];

/// Has this program run every scenario.
const ALL: &str = "SHIPIT_E2E_ALL";

/// All scenarios. The order matters only for the time that they take.
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
    ("fresh::hosts_are_set_up_and_deployed_to", fresh::setup),
    (
        "fresh::a_newcomer_types_what_the_readme_says",
        fresh::newcomer,
    ),
    (
        "operate::status_history_and_logs_tell_what_runs",
        operate::look,
    ),
    ("look::releases_are_told_shown_and_compared", look::releases),
    ("look::a_status_tells_health_and_routes", look::status),
    ("look::logs_of_several_recipes_go_on", look::logs),
    ("look::prune_leaves_what_is_needed", look::prune),
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
    ("daily::a_restart_loses_nothing", daily::restart),
    (
        "daily::a_migration_runs_in_the_new_image_first",
        daily::one_off,
    ),
    ("console::at_a_terminal", console::at_a_terminal),
    ("console::in_a_pipe", console::in_a_pipe),
    ("console::whose_shipit_is_killed", console::killed),
    ("hooks::each_end_is_told", hooks::each_end),
    (
        "daily::what_is_stopped_stays_so_until_it_is_started",
        daily::stop_and_start,
    ),
    (
        "daily::an_accessory_changes_only_by_its_name",
        daily::accessory,
    ),
    (
        "daily::a_deploy_waits_for_its_turn",
        daily::wait_for_the_lock,
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
    (
        "broken_off::cut_off_between_start_and_ready",
        broken_off::cut_off_between_start_and_ready,
    ),
    (
        "broken_off::cut_off_while_the_old_one_stops",
        broken_off::cut_off_while_the_old_one_stops,
    ),
    ("faults::the_deployer_is_killed", faults::some_kills),
    (
        "faults::the_deployer_is_killed_stop_first",
        faults::some_kills_stop_first,
    ),
    (
        "faults::the_deployer_is_interrupted_twice",
        faults::interrupted_twice,
    ),
    ("faults::the_network_docker_and_consul", faults::telling),
    ("sharing::limit_changes_no_other_host", sharing::limit),
    (
        "sharing::a_second_environment_on_the_same_hosts",
        sharing::second_environment,
    ),
    (
        "sharing::a_rollback_from_another_checkout",
        sharing::another_checkout,
    ),
    (
        "narrow_key::deploys_and_opens_nothing_else",
        narrow_key::deploys,
    ),
    (
        "local_account::is_in_the_way_of_the_lock",
        local_account::in_the_way,
    ),
    ("local_account::races_for_the_lock", local_account::races),
    ("lossless::registrator_is_replaced", lossless::registrator),
    (
        "lossless::consul_is_replaced_with_its_leader",
        lossless::consul,
    ),
    (
        "consul_acls::with_tokens_and_tls",
        consul_acls::acls_and_tls,
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
        "recovery::connections_that_are_cut",
        recovery::lost_connections,
    ),
    (
        "recovery::an_image_transfer_that_is_cut",
        recovery::cut_transfer,
    ),
    ("recovery::a_port_that_is_taken", recovery::taken_port),
    (
        "recovery::a_host_that_was_reinstalled",
        recovery::reinstalled_host,
    ),
    (
        "records::a_forged_record_runs_nothing_here",
        records::forged_record,
    ),
    (
        "records::a_forged_copy_of_another_hosts_record",
        records::forged_copy,
    ),
    (
        "records::only_signed_ones_count_with_a_key",
        records::signed_records,
    ),
    (
        "records::a_tag_that_was_moved_on_another_host",
        records::moved_tag,
    ),
    ("sharing::an_account_that_uses_sudo", sharing::through_sudo),
    (
        "registry::a_private_registry_that_goes_away",
        registry::private_registry,
    ),
    (
        "any_balancer::nginx_whose_backends_are_written",
        any_balancer::nginx,
    ),
    (
        "any_balancer::haproxy_by_its_runtime_socket",
        any_balancer::haproxy,
    ),
    ("any_balancer::caddy_by_its_admin_api", any_balancer::caddy),
    (
        "any_balancer::one_that_follows_a_health_check",
        any_balancer::follows_a_health_check,
    ),
    (
        "any_balancer::two_recipes_behind_one_balancer",
        any_balancer::two_recipes,
    ),
    (
        "any_balancer::one_of_two_balancers_does_not_read_its_list",
        any_balancer::one_of_two_refuses,
    ),
    (
        "any_balancer::blue_green_with_a_written_list",
        any_balancer::blue_green::with_a_written_list,
    ),
    (
        "any_balancer::blue_green_with_consul",
        any_balancer::blue_green::with_consul,
    ),
    (
        "any_balancer::canaries_with_a_share_of_their_own",
        any_balancer::canary::haproxy,
    ),
    (
        "any_balancer::canaries_with_a_written_list",
        any_balancer::canary::nginx,
    ),
    (
        "any_balancer::consul_without_registrator",
        any_balancer::registers::without_registrator,
    ),
    ("old_way::loses_requests", old_way::loses_requests),
    (
        "previews::two_beside_their_base_under_requests",
        previews::two_under_requests,
    ),
    (
        "previews::many_environments_from_one_base",
        previews::many_from_one_base,
    ),
    (
        "previews::a_preview_needs_its_base",
        previews::without_its_base,
    ),
    (
        "previews::the_workflows_of_the_page_run",
        previews::workflows,
    ),
    ("last::down_leaves_nothing", first::down),
];

/// Where a scenario runs, and what it is called there: once, or once on each kind of host.
fn places(name: &'static str, kinds: &[String]) -> Vec<(&'static str, Where, String)> {
    if ON_THE_FIRST_LAB.contains(&name) {
        return vec![(name, Where::TheFirst, name.to_owned())];
    }
    if kinds.len() < 2 || !CORE.contains(&name) {
        return vec![(name, Where::Anywhere, name.to_owned())];
    }
    let on = |kind: &String| (name, Where::Kind(kind.clone()), format!("{name} on {kind}"));
    kinds.iter().map(on).collect()
}

fn main() -> ExitCode {
    let story = faults::asked_for().unwrap_or(STORY);
    if let Some(scenarios) = workers::asked_of_this_process() {
        workers::work(story, scenarios);
        return ExitCode::SUCCESS;
    }
    let mut arguments = Arguments::from_args();
    let with_lab = std::env::var("SHIPIT_LAB").is_ok_and(|value| value == "1");
    if !arguments.list && !with_lab {
        eprintln!("\nThe end-to-end tests need the three hosts of the lab: `make test` runs them.");
    }
    let workers = if with_lab && !arguments.list {
        match Workers::start() {
            Ok(workers) => workers,
            Err(problem) => {
                eprintln!(
                    "error: SHIPIT_LAB=1, but a lab cannot be used: {problem}\nhint: make lab"
                );
                return ExitCode::FAILURE;
            }
        }
    } else {
        Workers::default()
    };

    let (workers, measures) = (Arc::new(workers), Arc::new(Measures::default()));
    let is_left_out = |name: &str| {
        let all = arguments.filter.is_some() || std::env::var_os(ALL).is_some();
        !all && AT_LENGTH.contains(&name)
    };
    let trials: Vec<_> = story
        .iter()
        .flat_map(|(name, _)| places(name, workers.kinds()))
        .enumerate()
        .map(|(turn, (name, place, shown))| {
            let (workers, measures) = (workers.clone(), measures.clone());
            let ignored = !workers.have(&place) || is_left_out(name);
            Trial::test(shown, move || workers.run(name, turn, &place, &measures))
                .with_ignored_flag(ignored)
        })
        .collect();
    // A thread for each scenario, as nearly all of them wait: one that waits for its lab must not keep another
    // lab from the scenario after it.
    arguments.test_threads = Some(trials.len());
    let conclusion = libtest_mimic::run(&arguments, trials);
    if with_lab && !arguments.list {
        println!("{}", measures.show());
        if story.iter().any(|(name, _)| is_left_out(name)) {
            println!("left to `make test ALL=1`: {}", AT_LENGTH.join(", "));
        }
    }
    conclusion.exit_code()
}
