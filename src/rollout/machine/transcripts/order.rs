//! Which slot goes when: first deploys, canaries, interrupts.

use super::*;

#[test]
fn a_first_deploy_starts_all_slots_at_once() {
    let play = Play::of(
        Rollout::new(
            Policy {
                canary: 1,
                ..policy()
            },
            replacements(2, true, false),
        ),
        2,
    );
    insta::assert_snapshot!(play.transcript(), @r"
        0s     host-1 new start
        0s     host-2 new start
        3s     host-1 new ready held
        3s     host-2 new ready held
        3s     host-1 new routed held
        3s     host-2 new routed held
        3s     host-1 new ready kept
        3s     host-2 new ready kept
        3s     completed
               host-1 updated
               host-2 updated
    ");
}

#[test]
fn canaries_go_first_and_the_rest_waits_for_the_answer() {
    let play = rollout(
        Policy {
            canary: 1,
            auto_promote: false,
            max_parallel: 2,
            ..plain()
        },
        3,
    )
    .at(900, Input::Promotion { granted: true });
    insta::assert_snapshot!(play.transcript(), @r"
        0s     host-1 new start
        1s     host-1 new ready held
        1s     host-1 old stop
        2s     host-1 old retire
        3s     ask promotion
        15m    > promotion: true
        15m    host-2 new start
        15m    host-3 new start
        15m1s  host-2 new ready held
        15m1s  host-2 old stop
        15m1s  host-3 new ready held
        15m1s  host-3 old stop
        15m2s  host-2 old retire
        15m2s  host-3 old retire
        15m3s  host-1 new ready kept
        15m3s  host-2 new ready kept
        15m3s  host-3 new ready kept
        15m3s  completed
               host-1 updated
               host-2 updated
               host-3 updated
    ");
}

#[test]
fn canaries_with_a_share_of_their_own_are_promoted_also_where_no_other_follows() {
    let weighs = Policy {
        canary: 2,
        auto_promote: false,
        weighs_canaries: true,
        ..plain()
    };
    let play = rollout(weighs.clone(), 1).at(10, Input::Promotion { granted: true });
    insta::assert_snapshot!(play.transcript(), @r"
        0s     host-1 new start
        1s     host-1 new ready held
        1s     host-1 old stop
        2s     host-1 old retire
        3s     ask promotion of all
        10s    > promotion: true
        10s    host-1 new ready kept
        10s    completed
               host-1 updated
    ");
    let cannot = "the canary cannot be given an equal share of the requests".to_owned();
    let play = rollout(weighs, 3).at(10, Input::OverBudget { reason: cannot });
    insta::assert_snapshot!(play.transcript(), @r"
        0s     host-1 new start
        1s     host-1 new ready held
        1s     host-1 old stop
        2s     host-1 old retire
        3s     host-2 new start
        4s     host-2 new ready held
        4s     host-2 old stop
        5s     host-2 old retire
        6s     ask promotion
        10s    > over budget: the canary cannot be given an equal share of the requests
        10s    reverting: the canary cannot be given an equal share of the requests
        10s    host-2 new ready no longer kept
        10s    host-2 old start
        11s    host-2 old ready held
        11s    host-2 new stop
        12s    host-2 new retire
        13s    host-1 new ready no longer kept
        13s    host-1 old start
        14s    host-1 old ready held
        14s    host-1 new stop
        15s    host-1 new retire
        16s    reverted
               host-1 reverted
               host-2 reverted
               host-3 untouched
               rollout failed: the canary cannot be given an equal share of the requests
    ");
}

#[test]
fn a_stop_has_no_canaries() {
    let weighs = Policy {
        canary: 1,
        auto_promote: false,
        weighs_canaries: true,
        ..plain()
    };
    let play = Play::of(Rollout::new(weighs, replacements(2, false, true)), 2);
    let transcript = play.transcript();
    assert!(!transcript.contains("promotion"), "{transcript}");
    assert!(transcript.contains("completed"), "{transcript}");
}

#[test]
fn what_runs_already_is_confirmed_beside_the_canaries() {
    let mut replacements = replacements(3, true, true);
    replacements[0].incoming_runs = true;
    replacements[0].outgoing = None;
    let policy = Policy {
        canary: 1,
        auto_promote: false,
        ..plain()
    };
    let play = Play::of(Rollout::new(policy, replacements), 3);
    let play = play.at(60, Input::Promotion { granted: true });
    insta::assert_snapshot!(play.transcript());
}

#[test]
fn a_slot_that_is_in_its_last_step_when_another_fails_has_arrived() {
    let both = Policy {
        max_parallel: 2,
        auto_revert: false,
        ..plain()
    };
    let play = rollout(both, 2).when("host-2 old stop", Answer::Err("docker does not answer"));
    insta::assert_snapshot!(play.transcript());
}

#[test]
fn a_first_deploy_that_fails_leaves_nothing_and_needs_no_hand() {
    let play = Play::of(Rollout::new(plain(), replacements(1, true, false)), 1);
    let play = play.when("host-1 new start", Answer::Err("no such image"));
    insta::assert_snapshot!(play.transcript());
}

/// Two at a time. The first serves after so many seconds, and drains for long.
fn one_that_drains(serves_after: u64) -> Play {
    let draining = Policy {
        max_parallel: 2,
        healthy_deadline: seconds(100_000),
        progress_deadline: seconds(600),
        registered: false,
        min_healthy_time: Duration::ZERO,
        drain: Some(DrainPolicy {
            wait: seconds(5_000),
            timeout: seconds(10),
            is_told: false,
        }),
        ..policy()
    };
    let late = Answer::Breaks(0, serves_after, "not yet");
    rollout(draining, 2).when("host-1 new ready", late)
}

#[test]
fn the_progress_deadline_moves_on_when_a_slot_serves_and_not_when_it_has_drained() {
    let play = one_that_drains(500).when("host-2 new ready", Answer::Breaks(0, 900, "not yet"));
    insta::assert_snapshot!(
        "one_serves_and_the_other_follows_in_time",
        play.transcript()
    );
    let play = one_that_drains(10).when("host-2 new ready", Answer::NotYet("no answer"));
    insta::assert_snapshot!("one_serves_and_the_other_never_does", play.transcript());
}

#[test]
fn a_refused_promotion_takes_the_canary_back() {
    let play = rollout(
        Policy {
            canary: 1,
            auto_promote: false,
            ..plain()
        },
        2,
    )
    .at(60, Input::Promotion { granted: false });
    insta::assert_snapshot!(play.transcript(), @r"
        0s     host-1 new start
        1s     host-1 new ready held
        1s     host-1 old stop
        2s     host-1 old retire
        3s     ask promotion
        60s    > promotion: false
        60s    reverting: promotion was refused
        60s    host-1 new ready no longer kept
        60s    host-1 old start
        1m1s   host-1 old ready held
        1m1s   host-1 new stop
        1m2s   host-1 new retire
        1m3s   reverted
               host-1 reverted
               host-2 untouched
               rollout failed: promotion was refused
    ");
}

#[test]
fn without_auto_revert_a_refused_promotion_leaves_the_canary() {
    let play = rollout(
        Policy {
            canary: 1,
            auto_promote: false,
            auto_revert: false,
            ..plain()
        },
        2,
    )
    .at(60, Input::Promotion { granted: false });
    insta::assert_snapshot!(play.transcript(), @r"
        0s     host-1 new start
        1s     host-1 new ready held
        1s     host-1 old stop
        2s     host-1 old retire
        3s     ask promotion
        60s    > promotion: false
        60s    host-1 new ready kept
        60s    stopped
               host-1 updated
               host-2 untouched
               rollout failed: promotion was refused
    ");
}

#[test]
fn canaries_that_all_fail_are_not_promoted() {
    let play = rollout(
        Policy {
            canary: 1,
            max_failures: 3,
            ..plain()
        },
        2,
    )
    .when("host-1 new start", Answer::Err("no such image"));
    insta::assert_snapshot!(play.transcript(), @"
    0s     host-1 new start
    1s     > no such image
    1s     host-1 old resume
    2s     host-1 old ready held
    2s     host-1 new stop
    3s     host-1 new retire
    4s     reverted
           host-1 reverted
           host-2 untouched
           host-1 failed: no such image
    ");
}

#[test]
fn an_interrupt_lets_the_slot_in_hand_finish() {
    let play = rollout(plain(), 2).at(1, Input::Interrupt);
    insta::assert_snapshot!(play.transcript(), @r"
        0s     host-1 new start
        1s     > interrupt
        1s     host-1 new ready held
        1s     host-1 old stop
        2s     host-1 old retire
        3s     host-1 new ready kept
        3s     interrupted
               host-1 updated
               host-2 untouched
    ");
}

#[test]
fn an_interrupt_at_the_last_slot_changes_nothing() {
    let play = rollout(plain(), 1).at(1, Input::Interrupt);
    insta::assert_snapshot!(play.transcript(), @r"
        0s     host-1 new start
        1s     > interrupt
        1s     host-1 new ready held
        1s     host-1 old stop
        2s     host-1 old retire
        3s     host-1 new ready kept
        3s     completed
               host-1 updated
    ");
}

#[test]
fn after_an_interrupt_a_failing_slot_is_returned_and_no_other() {
    let play = rollout(
        Policy {
            max_parallel: 1,
            ..plain()
        },
        3,
    )
    .when("host-2 old stop", Answer::Err("docker does not answer"))
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
        5s     > docker does not answer
        5s     host-2 old start
        6s     host-2 old ready held
        6s     host-2 new stop
        7s     host-2 new retire
        8s     host-1 new ready kept
        8s     interrupted
               host-1 updated
               host-2 reverted
               host-3 untouched
               host-2 failed: docker does not answer
    ");
}

#[test]
fn an_interrupt_during_the_question_ends_it() {
    let play = rollout(
        Policy {
            canary: 1,
            auto_promote: false,
            ..plain()
        },
        2,
    )
    .at(10, Input::Interrupt);
    insta::assert_snapshot!(play.transcript(), @r"
        0s     host-1 new start
        1s     host-1 new ready held
        1s     host-1 old stop
        2s     host-1 old retire
        3s     ask promotion
        10s    > interrupt
        10s    host-1 new ready kept
        10s    interrupted
               host-1 updated
               host-2 untouched
    ");
}

#[test]
fn a_revert_of_an_earlier_recipe_goes_backwards() {
    let play =
        Play::of(Rollout::revert(plain(), replacements(2, true, true)), 2).at(1, Input::Interrupt);
    insta::assert_snapshot!(play.transcript(), @r"
        0s     host-2 old start
        1s     > interrupt
        1s     host-2 old ready held
        1s     host-2 new stop
        2s     host-2 new retire
        3s     host-1 old start
        4s     host-1 old ready held
        4s     host-1 new stop
        5s     host-1 new retire
        6s     reverted
               host-1 reverted
               host-2 reverted
    ");
}

#[test]
fn nothing_to_do_is_done_at_once() {
    let play = rollout(policy(), 0);
    insta::assert_snapshot!(play.transcript(), @"0s     completed");
}
