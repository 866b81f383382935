//! What becomes of finished slots until the rollout ends.

use super::*;

fn servers() -> Policy {
    Policy {
        order: Order::StopFirst,
        quorum: true,
        ..plain()
    }
}

#[test]
fn a_container_that_dies_when_its_slot_is_done_takes_all_back() {
    let play = rollout(plain(), 3).when(
        "host-1 new ready",
        Answer::DiesAt(4, "exited with code 137"),
    );
    insta::assert_snapshot!(play.transcript(), @r"
    0s     host-1 new start
    1s     host-1 new ready held
    1s     host-1 old stop
    2s     host-1 old retire
    3s     host-2 new start
    4s     host-2 new ready held
    4s     host-2 old stop
    5s     host-1 new ready not kept
    5s     reverting: `host-1` stopped being ready after it was updated
    5s     host-1 old start
    5s     host-2 old start
    6s     host-1 old ready held
    6s     host-1 new stop
    6s     host-2 old ready held
    6s     host-2 new stop
    7s     host-1 new retire
    7s     host-2 new retire
    8s     reverted
           host-1 reverted
           host-2 reverted
           host-3 untouched
           host-1 failed: `host-1` stopped being ready after it was updated: exited with code 137
    ");
}

#[test]
fn within_max_failures_the_one_that_died_is_returned_beside_the_one_in_hand() {
    let policy = Policy {
        max_failures: 1,
        ..plain()
    };
    let play = rollout(policy, 3).when(
        "host-1 new ready",
        Answer::DiesAt(4, "exited with code 137"),
    );
    insta::assert_snapshot!(play.transcript(), @r"
    0s     host-1 new start
    1s     host-1 new ready held
    1s     host-1 old stop
    2s     host-1 old retire
    3s     host-2 new start
    4s     host-2 new ready held
    4s     host-2 old stop
    5s     host-1 new ready not kept
    5s     host-1 old start
    5s     host-2 old retire
    6s     host-1 old ready held
    6s     host-1 new stop
    7s     host-1 new retire
    8s     host-3 new start
    9s     host-3 new ready held
    9s     host-3 old stop
    10s    host-3 old retire
    11s    host-2 new ready kept
    11s    host-3 new ready kept
    11s    completed
           host-1 reverted
           host-2 updated
           host-3 updated
           host-1 failed: `host-1` stopped being ready after it was updated: exited with code 137
    ");
}

#[test]
fn without_auto_revert_only_the_one_that_died_is_returned() {
    let policy = Policy {
        auto_revert: false,
        ..plain()
    };
    let play = rollout(policy, 3).when(
        "host-1 new ready",
        Answer::DiesAt(6, "exited with code 137"),
    );
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
    7s     host-1 new ready not kept
    7s     reverting: `host-1` stopped being ready after it was updated
    7s     host-1 old start
    7s     host-3 old resume
    8s     host-1 old ready held
    8s     host-1 new stop
    8s     host-3 old ready held
    8s     host-3 new stop
    9s     host-1 new retire
    9s     host-3 new retire
    10s    host-2 new ready kept
    10s    stopped
           host-1 reverted
           host-2 updated
           host-3 reverted
           host-1 failed: `host-1` stopped being ready after it was updated: exited with code 137
    ");
}

#[test]
fn the_last_one_is_looked_at_once_more_before_the_end() {
    let play = rollout(plain(), 1).when(
        "host-1 new ready",
        Answer::DiesAt(3, "exited with code 137"),
    );
    insta::assert_snapshot!(play.transcript(), @r"
    0s     host-1 new start
    1s     host-1 new ready held
    1s     host-1 old stop
    2s     host-1 old retire
    3s     host-1 new ready not kept
    3s     reverting: `host-1` stopped being ready after it was updated
    3s     host-1 old start
    4s     host-1 old ready held
    4s     host-1 new stop
    5s     host-1 new retire
    6s     reverted
           host-1 reverted
           host-1 failed: `host-1` stopped being ready after it was updated: exited with code 137
    ");
}

#[test]
fn no_slot_starts_while_a_finished_one_is_not_ready() {
    let play = rollout(plain(), 3).when(
        "host-1 new ready",
        Answer::Breaks(5, 20, "critical: GET / returned 500"),
    );
    insta::assert_snapshot!(play.transcript(), @r"
    0s     host-1 new start
    1s     host-1 new ready held
    1s     host-1 old stop
    2s     host-1 old retire
    3s     host-2 new start
    4s     host-2 new ready held
    4s     host-2 old stop
    5s     host-2 old retire
    21s    host-3 new start
    22s    host-3 new ready held
    22s    host-3 old stop
    23s    host-3 old retire
    24s    host-1 new ready kept
    24s    host-2 new ready kept
    24s    host-3 new ready kept
    24s    completed
           host-1 updated
           host-2 updated
           host-3 updated
    ");
}

#[test]
fn the_rollout_does_not_end_while_a_finished_slot_is_not_ready() {
    let play = rollout(plain(), 2).when(
        "host-1 new ready",
        Answer::Breaks(5, 20, "critical: GET / returned 500"),
    );
    insta::assert_snapshot!(play.transcript(), @r"
    0s     host-1 new start
    1s     host-1 new ready held
    1s     host-1 old stop
    2s     host-1 old retire
    3s     host-2 new start
    4s     host-2 new ready held
    4s     host-2 old stop
    5s     host-2 old retire
    21s    host-1 new ready kept
    21s    host-2 new ready kept
    21s    completed
           host-1 updated
           host-2 updated
    ");
}

#[test]
fn a_finished_slot_that_does_not_come_back_has_failed() {
    let play = rollout(plain(), 3).when(
        "host-1 new ready",
        Answer::Breaks(5, 500, "critical: GET / returned 500"),
    );
    insta::assert_snapshot!(play.transcript(), @r"
    0s     host-1 new start
    1s     host-1 new ready held
    1s     host-1 old stop
    2s     host-1 old retire
    3s     host-2 new start
    4s     host-2 new ready held
    4s     host-2 old stop
    5s     host-2 old retire
    1m5s   host-1 new ready not kept
    1m5s   reverting: `host-1` stopped being ready after it was updated
    1m5s   host-1 old start
    1m6s   host-1 old ready held
    1m6s   host-1 new stop
    1m7s   host-1 new retire
    1m8s   host-2 new ready no longer kept
    1m8s   host-2 old start
    1m9s   host-2 old ready held
    1m9s   host-2 new stop
    1m10s  host-2 new retire
    1m11s  reverted
           host-1 reverted
           host-2 reverted
           host-3 untouched
           host-1 failed: `host-1` stopped being ready after it was updated: it did not come back within 60s, last seen: critical: GET / returned 500
    ");
}

#[test]
fn finished_slots_that_come_and_go_in_turn_do_not_hold_it_up_for_ever() {
    let policy = Policy {
        max_parallel: 2,
        ..plain()
    };
    let detail = "critical: GET / returned 500";
    let play = rollout(policy, 2)
        .when("host-1 new ready", Answer::OneLookInThree(3, 0, detail))
        .when("host-2 new ready", Answer::OneLookInThree(3, 1, detail));
    insta::assert_snapshot!(play.transcript(), @r"
    0s     host-1 new start
    0s     host-2 new start
    1s     host-1 new ready held
    1s     host-1 old stop
    1s     host-2 new ready held
    1s     host-2 old stop
    2s     host-1 old retire
    2s     host-2 old retire
    1m3s   host-2 new ready not kept
    1m3s   reverting: `host-2` stopped being ready after it was updated
    1m3s   host-2 old start
    1m3s   host-1 new ready no longer kept
    1m3s   host-1 old start
    1m4s   host-2 old ready held
    1m4s   host-2 new stop
    1m4s   host-1 old ready held
    1m4s   host-1 new stop
    1m5s   host-2 new retire
    1m5s   host-1 new retire
    1m6s   reverted
           host-1 reverted
           host-2 reverted
           host-2 failed: `host-2` stopped being ready after it was updated: it did not come back within 60s, last seen: critical: GET / returned 500
    ");
}

#[test]
fn a_dead_one_is_returned_before_healthy_ones() {
    let play = rollout(plain(), 4)
        .when("host-4 new ready", Answer::NotYet("starting"))
        .when(
            "host-1 new ready",
            Answer::DiesAt(70, "exited with code 137"),
        );
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
    7s     host-3 new ready held
    7s     host-3 old stop
    8s     host-3 old retire
    9s     host-4 new start
    1m9s   host-4 new ready failed
    1m9s   reverting: `host-4` was not ready within 60s
    1m9s   host-4 old resume
    1m10s  host-4 old ready held
    1m10s  host-4 new stop
    1m11s  host-1 new ready not kept
    1m11s  host-1 old start
    1m11s  host-4 new retire
    1m12s  host-1 old ready held
    1m12s  host-1 new stop
    1m13s  host-1 new retire
    1m14s  host-3 new ready no longer kept
    1m14s  host-3 old start
    1m15s  host-3 old ready held
    1m15s  host-3 new stop
    1m16s  host-3 new retire
    1m17s  host-2 new ready no longer kept
    1m17s  host-2 old start
    1m18s  host-2 old ready held
    1m18s  host-2 new stop
    1m19s  host-2 new retire
    1m20s  reverted
           host-1 reverted
           host-2 reverted
           host-3 reverted
           host-4 reverted
           host-4 failed: `host-4` was not ready within 60s: last seen: starting
    ");
}

#[test]
fn a_canary_that_dies_during_the_question_is_taken_back() {
    let policy = Policy {
        canary: 1,
        auto_promote: false,
        ..plain()
    };
    let play = rollout(policy, 2)
        .when("host-1 new ready", Answer::DiesAt(60, "exited with code 1"))
        .at(600, Input::Promotion { granted: true });
    insta::assert_snapshot!(play.transcript(), @r"
    0s     host-1 new start
    1s     host-1 new ready held
    1s     host-1 old stop
    2s     host-1 old retire
    3s     ask promotion
    1m1s   host-1 new ready not kept
    1m1s   reverting: `host-1` stopped being ready after it was updated
    1m1s   host-1 old start
    1m2s   host-1 old ready held
    1m2s   host-1 new stop
    1m3s   host-1 new retire
    1m4s   reverted
           host-1 reverted
           host-2 untouched
           host-1 failed: `host-1` stopped being ready after it was updated: exited with code 1
    10m    > promotion: true
    ");
}

#[test]
fn when_no_canary_is_left_the_answer_is_not_waited_for() {
    let policy = Policy {
        canary: 1,
        auto_promote: false,
        max_failures: 2,
        ..plain()
    };
    let play = rollout(policy, 2)
        .when("host-1 new ready", Answer::DiesAt(60, "exited with code 1"))
        .at(62, Input::Promotion { granted: true });
    insta::assert_snapshot!(play.transcript(), @r"
    0s     host-1 new start
    1s     host-1 new ready held
    1s     host-1 old stop
    2s     host-1 old retire
    3s     ask promotion
    1m1s   host-1 new ready not kept
    1m1s   host-1 old start
    1m2s   > promotion: true
    1m2s   host-1 old ready held
    1m2s   host-1 new stop
    1m3s   host-1 new retire
    1m4s   reverted
           host-1 reverted
           host-2 untouched
           host-1 failed: `host-1` stopped being ready after it was updated: exited with code 1
    ");
}

#[test]
fn a_host_that_is_lost_takes_its_finished_slots_with_it() {
    let mut replacements = replacements(3, true, true);
    replacements[1].host = "host-1".into();
    let policy = Policy {
        max_failures: 2,
        ..plain()
    };
    let play = Play::of(Rollout::new(policy, replacements), 3)
        .when("host-2 old stop", Answer::Unreachable("connection reset"));
    insta::assert_snapshot!(play.transcript(), @r"
    0s     host-1 new start
    1s     host-1 new ready held
    1s     host-1 old stop
    2s     host-1 old retire
    3s     host-2 new start
    4s     host-2 new ready held
    4s     host-2 old stop
    5s     > connection reset
    5s     host-1 new ready no longer kept
    5s     host-3 new start
    6s     host-3 new ready held
    6s     host-3 old stop
    7s     host-3 old retire
    8s     host-3 new ready kept
    8s     completed
           host-1 needs a hand: `host-1` is lost, so nothing more was done there: connection reset
           host-2 needs a hand: connection reset
           host-3 updated
           host-2 failed: connection reset
    ");
}

#[test]
fn after_an_interrupt_a_slot_that_falls_is_returned_all_the_same() {
    let play = rollout(plain(), 3)
        .when(
            "host-1 new ready",
            Answer::DiesAt(5, "exited with code 137"),
        )
        .at(4, Input::Interrupt);
    insta::assert_snapshot!(play.transcript(), @r"
    0s     host-1 new start
    1s     host-1 new ready held
    1s     host-1 old stop
    2s     host-1 old retire
    3s     host-2 new start
    4s     > interrupt
    4s     host-2 new ready held
    4s     host-2 old stop
    5s     host-1 new ready not kept
    5s     host-1 old start
    5s     host-2 old retire
    6s     host-1 old ready held
    6s     host-1 new stop
    7s     host-1 new retire
    8s     host-2 new ready kept
    8s     interrupted
           host-1 reverted
           host-2 updated
           host-3 untouched
           host-1 failed: `host-1` stopped being ready after it was updated: exited with code 137
    ");
}

#[test]
fn servers_that_miss_the_one_in_hand_are_excused_for_as_long() {
    let missing = "2 of 3 Consul servers are alive";
    let play = rollout(servers(), 3)
        .when("host-2 old quorum", Answer::Breaks(0, 10, missing))
        .when("host-1 new ready", Answer::Breaks(5, 71, missing))
        .when("host-2 new ready", Answer::Breaks(13, 70, "starting"));
    insta::assert_snapshot!(play.transcript(), @r"
    0s     host-1 old quorum held
    0s     host-1 old stop
    1s     host-1 old retire
    2s     host-1 old leader held
    2s     host-1 new start
    3s     host-1 new ready held
    11s    host-2 old quorum held
    11s    host-2 old stop
    12s    host-2 old retire
    13s    host-2 old leader held
    13s    host-2 new start
    1m11s  host-2 new ready held
    1m12s  host-3 old quorum held
    1m12s  host-3 old stop
    1m13s  host-3 old retire
    1m14s  host-3 old leader held
    1m14s  host-3 new start
    1m15s  host-3 new ready held
    1m15s  host-1 new ready kept
    1m15s  host-2 new ready kept
    1m15s  host-3 new ready kept
    1m15s  completed
           host-1 updated
           host-2 updated
           host-3 updated
    ");
}

#[test]
fn a_dead_server_is_returned_without_the_quorum_that_it_breaks() {
    let play = rollout(servers(), 3)
        .when("host-2 new ready", Answer::DiesAt(7, "exited with code 1"))
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
    6s     host-2 new ready held
    6s     host-3 old quorum held
    6s     host-3 old stop
    7s     host-2 new ready not kept
    7s     reverting: `host-2` stopped being ready after it was updated
    7s     host-2 new stop
    7s     host-3 old start
    8s     host-2 new retire
    8s     host-3 old ready held
    9s     host-2 new leader held
    9s     host-2 old start
    10s    host-2 old ready held
    10s    host-1 new ready no longer kept
    10s    host-1 new quorum held
    10s    host-1 new stop
    11s    host-1 new retire
    12s    host-1 new leader held
    12s    host-1 old start
    13s    host-1 old ready held
    13s    reverted
           host-1 reverted
           host-2 reverted
           host-3 reverted
           host-2 failed: `host-2` stopped being ready after it was updated: exited with code 1
    ");
}
