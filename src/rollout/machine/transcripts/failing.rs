//! What a failure means for the other slots.

use super::*;

#[test]
fn a_slot_that_is_not_ready_in_time_takes_the_finished_ones_back_with_it() {
    let play = rollout(policy(), 3).when(
        "host-2 new ready",
        Answer::NotYet("critical: GET / returned 500"),
    );
    insta::assert_snapshot!(play.transcript(), @"
    0s     host-1 new start
    3s     host-1 new ready held
    3s     host-1 new routed held
    3s     host-1 old enter maintenance
    4s     host-1 old unrouted held
    5s     host-1 old idle held
    5s     host-1 new ready still so
    5s     host-1 old stop
    6s     host-1 old gone held
    6s     host-1 old retire
    7s     host-2 new start
    1m7s   host-2 new ready failed
    1m7s   reverting: `host-2` was not ready within 60s
    1m7s   host-2 old resume
    1m8s   host-2 old ready held
    1m8s   host-2 old routed held
    1m8s   host-2 new enter maintenance
    1m9s   host-2 new unrouted held
    1m10s  host-2 new idle held
    1m10s  host-2 old ready still so
    1m10s  host-2 new stop
    1m11s  host-2 new gone held
    1m11s  host-2 new retire
    1m12s  host-1 new ready no longer kept
    1m12s  host-1 old start
    1m15s  host-1 old ready held
    1m15s  host-1 old routed held
    1m15s  host-1 new enter maintenance
    1m16s  host-1 new unrouted held
    1m17s  host-1 new idle held
    1m17s  host-1 old ready still so
    1m17s  host-1 new stop
    1m18s  host-1 new gone held
    1m18s  host-1 new retire
    1m19s  reverted
           host-1 reverted
           host-2 reverted
           host-3 untouched
           host-2 failed: `host-2` was not ready within 60s: last seen: critical: GET / returned 500
    ");
}

#[test]
fn slots_in_hand_turn_back_when_their_step_has_ended() {
    let play = rollout(
        Policy {
            max_parallel: 3,
            ..plain()
        },
        4,
    )
    .when("host-1 new start", Answer::Err("no such image"))
    .when("host-2 new ready", Answer::NotYet("starting"));
    insta::assert_snapshot!(play.transcript(), @"
    0s     host-1 new start
    0s     host-2 new start
    0s     host-3 new start
    1s     > no such image
    1s     reverting: no such image
    1s     host-1 old resume
    1s     host-2 old resume
    1s     host-3 old resume
    2s     host-1 old ready held
    2s     host-1 new stop
    2s     host-2 old ready held
    2s     host-2 new stop
    2s     host-3 old ready held
    2s     host-3 new stop
    3s     host-1 new retire
    3s     host-2 new retire
    3s     host-3 new retire
    4s     reverted
           host-1 reverted
           host-2 reverted
           host-3 reverted
           host-4 untouched
           host-1 failed: no such image
    ");
}

#[test]
fn without_auto_revert_the_finished_ones_stay() {
    let play = rollout(
        Policy {
            auto_revert: false,
            ..plain()
        },
        3,
    )
    .when("host-2 new ready", Answer::Never("exited with code 1"));
    insta::assert_snapshot!(play.transcript(), @"
    0s     host-1 new start
    1s     host-1 new ready held
    1s     host-1 old stop
    2s     host-1 old retire
    3s     host-2 new start
    4s     host-2 new ready failed
    4s     reverting: `host-2` cannot become ready
    4s     host-2 old resume
    5s     host-2 old ready held
    5s     host-2 new stop
    6s     host-2 new retire
    7s     host-1 new ready kept
    7s     stopped
           host-1 updated
           host-2 reverted
           host-3 untouched
           host-2 failed: `host-2` cannot become ready: exited with code 1
    ");
}

#[test]
fn within_max_failures_the_others_go_on_when_the_failed_one_is_back() {
    let play = rollout(
        Policy {
            max_failures: 1,
            ..plain()
        },
        3,
    )
    .when("host-1 new ready", Answer::Never("exited with code 1"));
    insta::assert_snapshot!(play.transcript(), @"
    0s     host-1 new start
    1s     host-1 new ready failed
    1s     host-1 old resume
    2s     host-1 old ready held
    2s     host-1 new stop
    3s     host-1 new retire
    4s     host-2 new start
    5s     host-2 new ready held
    5s     host-2 old stop
    6s     host-2 old retire
    7s     host-3 new start
    8s     host-3 new ready held
    8s     host-3 old stop
    9s     host-3 old retire
    10s    host-2 new ready kept
    10s    host-3 new ready kept
    10s    completed
           host-1 reverted
           host-2 updated
           host-3 updated
           host-1 failed: `host-1` cannot become ready: exited with code 1
    ");
}

#[test]
fn a_lost_host_is_left_alone_and_the_others_are_taken_back() {
    let play = rollout(plain(), 3).when("host-2 old stop", Answer::Unreachable("connection reset"));
    insta::assert_snapshot!(play.transcript(), @r"
        0s     host-1 new start
        1s     host-1 new ready held
        1s     host-1 old stop
        2s     host-1 old retire
        3s     host-2 new start
        4s     host-2 new ready held
        4s     host-2 old stop
        5s     > connection reset
        5s     reverting: connection reset
        5s     host-1 new ready no longer kept
        5s     host-1 old start
        6s     host-1 old ready held
        6s     host-1 new stop
        7s     host-1 new retire
        8s     revert failed
               host-1 reverted
               host-2 needs a hand: connection reset
               host-3 untouched
               host-2 failed: connection reset
    ");
}

#[test]
fn a_revert_that_fails_asks_for_a_hand_and_goes_on() {
    let play = rollout(plain(), 3)
        .when("host-3 new ready", Answer::Never("exited with code 1"))
        .when("host-2 old start", Answer::Err("no such image"));
    insta::assert_snapshot!(play.transcript(), @"
    0s     host-1 new start
    1s     host-1 new ready held
    1s     host-1 old stop
    2s     host-1 old retire
    3s     host-2 new start
    4s     host-2 new ready held
    4s     host-2 old stop
    5s     host-2 old retire
    6s     host-3 new start
    7s     host-3 new ready failed
    7s     reverting: `host-3` cannot become ready
    7s     host-3 old resume
    8s     host-3 old ready held
    8s     host-3 new stop
    9s     host-3 new retire
    10s    host-2 new ready no longer kept
    10s    host-2 old start
    11s    > no such image
    11s    host-1 new ready no longer kept
    11s    host-1 old start
    12s    host-1 old ready held
    12s    host-1 new stop
    13s    host-1 new retire
    14s    revert failed
           host-1 reverted
           host-2 needs a hand: no such image
           host-3 reverted
           host-3 failed: `host-3` cannot become ready: exited with code 1
    ");
}

#[test]
fn no_progress_ends_the_rollout() {
    let play = rollout(
        Policy {
            healthy_deadline: seconds(600),
            progress_deadline: seconds(60),
            ..plain()
        },
        2,
    )
    .when("host-2 new ready", Answer::NotYet("starting"));
    insta::assert_snapshot!(play.transcript(), @"
    0s     host-1 new start
    1s     host-1 new ready held
    1s     host-1 old stop
    2s     host-1 old retire
    3s     host-2 new start
    1m3s   reverting: no other container became healthy within 60s: `host-2`, last seen: starting
    1m3s   host-2 new ready abandoned
    1m3s   host-2 old resume
    1m4s   host-2 old ready held
    1m4s   host-2 new stop
    1m5s   host-2 new retire
    1m6s   host-1 new ready no longer kept
    1m6s   host-1 old start
    1m7s   host-1 old ready held
    1m7s   host-1 new stop
    1m8s   host-1 new retire
    1m9s   reverted
           host-1 reverted
           host-2 reverted
           rollout failed: no other container became healthy within 60s: `host-2`, last seen: starting
    ");
}

#[test]
fn requests_lost_over_budget_take_all_back() {
    let play = rollout(plain(), 2).at(
        4,
        Input::OverBudget {
            reason: "4 of 1,240 requests failed, budget 0".to_owned(),
        },
    );
    insta::assert_snapshot!(play.transcript(), @"
    0s     host-1 new start
    1s     host-1 new ready held
    1s     host-1 old stop
    2s     host-1 old retire
    3s     host-2 new start
    4s     > over budget: 4 of 1,240 requests failed, budget 0
    4s     reverting: 4 of 1,240 requests failed, budget 0
    4s     host-2 old resume
    5s     host-2 old ready held
    5s     host-2 new stop
    6s     host-2 new retire
    7s     host-1 new ready no longer kept
    7s     host-1 old start
    8s     host-1 old ready held
    8s     host-1 new stop
    9s     host-1 new retire
    10s    reverted
           host-1 reverted
           host-2 reverted
           rollout failed: 4 of 1,240 requests failed, budget 0
    ");
}

#[test]
fn without_quorum_nothing_is_touched() {
    let play = rollout(
        Policy {
            order: Order::StopFirst,
            quorum: true,
            ..plain()
        },
        2,
    )
    .when("host-1 old quorum", Answer::NotYet("2 of 3 peers alive"));
    insta::assert_snapshot!(play.transcript(), @r"
        30s    host-1 old quorum failed
        30s    reverted
               host-1 untouched
               host-2 untouched
               host-1 failed: Consul's cluster was not complete within 30s, so the server on `host-1` was not stopped: last seen: 2 of 3 peers alive
    ");
}

#[test]
fn a_server_is_returned_without_the_quorum_that_it_broke_itself() {
    let policy = Policy {
        order: Order::StopFirst,
        quorum: true,
        ..plain()
    };
    let play = rollout(policy, 2)
        .when("host-2 new ready", Answer::Never("exited with code 1"))
        .when("host-2 new quorum", Answer::NotYet("2 of 3 peers alive"));
    insta::assert_snapshot!(play.transcript(), @r"
    0s     host-1 old quorum held
    0s     host-1 old stop
    1s     host-1 old retire
    2s     host-1 old leader held
    2s     host-1 new start
    3s     host-1 new ready held
    3s     host-2 old quorum held
    3s     host-2 old stop
    4s     host-2 old retire
    5s     host-2 old leader held
    5s     host-2 new start
    6s     host-2 new ready failed
    6s     reverting: `host-2` cannot become ready
    6s     host-2 new stop
    7s     host-2 new retire
    8s     host-2 new leader held
    8s     host-2 old start
    9s     host-2 old ready held
    9s     host-1 new ready no longer kept
    9s     host-1 new quorum held
    9s     host-1 new stop
    10s    host-1 new retire
    11s    host-1 new leader held
    11s    host-1 old start
    12s    host-1 old ready held
    12s    reverted
           host-1 reverted
           host-2 reverted
           host-2 failed: `host-2` cannot become ready: exited with code 1
    ");
}

#[test]
fn a_lost_host_takes_all_its_slots_with_it() {
    let mut replacements = replacements(4, true, true);
    replacements[1].host = "host-1".into();
    replacements[2].host = "host-1".into();
    let policy = Policy {
        max_parallel: 2,
        max_failures: 3,
        ..plain()
    };
    let play = Play::of(Rollout::new(policy, replacements), 4)
        .when("host-1 old stop", Answer::Unreachable("connection reset"));
    insta::assert_snapshot!(play.transcript(), @r"
    0s     host-1 new start
    0s     host-2 new start
    1s     host-1 new ready held
    1s     host-1 old stop
    1s     host-2 new ready held
    1s     host-2 old stop
    2s     > connection reset
    2s     host-4 new start
    3s     host-4 new ready held
    3s     host-4 old stop
    4s     host-4 old retire
    5s     host-4 new ready kept
    5s     completed
           host-1 needs a hand: connection reset
           host-2 needs a hand: `host-1` is lost, so nothing more was done there: connection reset
           host-3 needs a hand: `host-1` is lost, so nothing more was done there: connection reset
           host-4 updated
           host-1 failed: connection reset
    ");
}

#[test]
fn progress_is_counted_from_the_slot_that_is_waited_for() {
    let policy = Policy {
        progress_deadline: seconds(61),
        max_failures: 1,
        ..plain()
    };
    let play = rollout(policy, 2)
        .when("host-1 new ready", Answer::NotYet("starting"))
        .when("host-1 new stop", Answer::Err("docker does not answer"));
    insta::assert_snapshot!(play.transcript(), @"
    0s     host-1 new start
    60s    host-1 new ready failed
    60s    host-1 old resume
    1m1s   host-1 old ready held
    1m1s   host-1 new stop
    1m2s   > docker does not answer
    1m2s   host-2 new start
    1m3s   host-2 new ready held
    1m3s   host-2 old stop
    1m4s   host-2 old retire
    1m5s   host-2 new ready kept
    1m5s   completed
           host-1 needs a hand: docker does not answer
           host-2 updated
           host-1 failed: `host-1` was not ready within 60s: last seen: starting
    ");
}

#[test]
fn what_is_cut_off_in_the_middle_needs_a_hand() {
    let mut rollout = Rollout::new(plain(), replacements(2, true, true));
    let _ = rollout.step(Input::Begin, Duration::ZERO);
    let states = rollout.states_when_cut_off();
    assert!(
        matches!(states[..], [SlotState::NeedsHand(_), SlotState::Untouched]),
        "{states:?}"
    );
}

#[test]
fn what_ran_before_and_was_only_put_in_order_goes_on_running() {
    let mut slots = replacements(2, true, false);
    slots[0].incoming_runs = true;
    let policy = Policy {
        max_parallel: 1,
        ..plain()
    };
    let revert = Play::of(Rollout::revert(policy.clone(), slots.clone()), 2);
    insta::assert_snapshot!(revert.transcript(), @"
    0s     host-2 new stop
    1s     host-2 new retire
    2s     host-1 new resume
    3s     host-1 new ready held
    3s     reverted
           host-1 reverted
           host-2 reverted
    ");
    // It was not made by this rollout, so no revert can make it well again.
    let forward = Play::of(Rollout::new(policy, slots), 2)
        .when("host-1 new ready", Answer::Never("exited with code 1"));
    insta::assert_snapshot!(forward.transcript(), @"
    0s     host-1 new outlast stop
    0s     host-2 new start
    1s     host-1 new start
    1s     host-2 new ready held
    2s     host-1 new ready failed
    2s     reverting: `host-1` cannot become ready
    2s     host-2 new ready no longer kept
    2s     host-2 new stop
    3s     host-2 new retire
    4s     revert failed
           host-1 needs a hand: `host-1` cannot become ready: exited with code 1
           host-2 reverted
           host-1 failed: `host-1` cannot become ready: exited with code 1
    ");
}

#[test]
fn what_an_interrupted_deploy_left_beside_the_old_one_goes_when_that_one_serves() {
    let mut slots = replacements(1, true, true);
    slots[0].incoming_runs = true;
    let revert = Play::of(Rollout::revert(plain(), slots.clone()), 1);
    insta::assert_snapshot!(revert.transcript(), @"
        0s     host-1 old start
        1s     host-1 old ready held
        1s     host-1 new stop
        2s     host-1 new retire
        3s     reverted
               host-1 reverted
    ");
}

#[test]
fn an_old_container_that_died_meanwhile_is_started_again_and_looked_at() {
    let play = rollout(plain(), 1)
        .when("host-1 new ready", Answer::Never("exited with code 1"))
        .when("host-1 old ready", Answer::Never("exited with code 137"));
    insta::assert_snapshot!(play.transcript(), @"
    0s     host-1 new start
    1s     host-1 new ready failed
    1s     reverting: `host-1` cannot become ready
    1s     host-1 old resume
    2s     host-1 old ready failed
    2s     revert failed
           host-1 needs a hand: the old container on `host-1` cannot become ready: exited with code 137
           host-1 failed: `host-1` cannot become ready: exited with code 1
    ");
}

#[test]
fn one_that_was_unwell_all_along_is_not_waited_for() {
    let mut slots = replacements(1, true, true);
    slots[0].outgoing = Some(Outgoing::Unwell);
    let play = Play::of(Rollout::new(plain(), slots), 1)
        .when("host-1 new ready", Answer::Never("exited with code 1"));
    insta::assert_snapshot!(play.transcript(), @"
    0s     host-1 new start
    1s     host-1 new ready failed
    1s     reverting: `host-1` cannot become ready
    1s     host-1 new stop
    2s     host-1 new retire
    3s     reverted
           host-1 reverted
           host-1 failed: `host-1` cannot become ready: exited with code 1
    ");
}

#[test]
fn what_a_cut_off_release_took_away_is_started_when_the_new_one_fails() {
    for order in [Order::StopFirst, Order::StartFirst] {
        let mut slots = replacements(1, true, true);
        slots[0].outgoing = Some(Outgoing::Kept);
        let policy = Policy { order, ..plain() };
        let serves = Play::of(Rollout::new(policy.clone(), slots.clone()), 1);
        insta::allow_duplicates!(insta::assert_snapshot!(serves.transcript(), @"
        0s     host-1 new start
        1s     host-1 new ready held
        1s     host-1 new ready kept
        1s     completed
               host-1 updated
        "));
        let fails = Play::of(Rollout::new(policy, slots), 1)
            .when("host-1 new ready", Answer::Never("exited with code 1"));
        let transcript = fails.transcript();
        assert!(transcript.contains("host-1 old start"), "{transcript}");
        assert!(transcript.contains("host-1 reverted"), "{transcript}");
    }
}
