//! One replacement: its stages in both orders, and what each gate does.

use super::*;

#[test]
fn start_first_takes_the_old_one_away_after_the_new_one_serves() {
    let play = rollout(policy(), 1);
    insta::assert_snapshot!(play.transcript(), @r"
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
        7s     host-1 new ready kept
        7s     completed
               host-1 updated
    ");
}

#[test]
fn stop_first_frees_the_name_before_the_new_one_starts() {
    let play = rollout(
        Policy {
            order: Order::StopFirst,
            quorum: true,
            ..policy()
        },
        1,
    );
    insta::assert_snapshot!(play.transcript(), @r"
        0s     host-1 old quorum held
        0s     host-1 old enter maintenance
        1s     host-1 old unrouted held
        2s     host-1 old idle held
        2s     host-1 old stop
        3s     host-1 old gone held
        3s     host-1 old retire
        4s     host-1 old leader held
        4s     host-1 new start
        7s     host-1 new ready held
        7s     host-1 new routed held
        7s     host-1 new ready kept
        7s     completed
               host-1 updated
    ");
}

#[test]
fn a_removal_only_takes_away() {
    let play = Play::of(Rollout::new(policy(), replacements(1, false, true)), 1);
    insta::assert_snapshot!(play.transcript(), @r"
        0s     host-1 old enter maintenance
        1s     host-1 old unrouted held
        2s     host-1 old idle held
        2s     host-1 old stop
        3s     host-1 old gone held
        3s     host-1 old retire
        4s     completed
               host-1 updated
    ");
}

#[test]
fn the_last_one_of_all_is_stopped_although_a_balancer_keeps_it() {
    let kept = Answer::NotYet("the balancer on `host-3` still routes to it");
    let gone = |is_last| {
        let mut gone = replacements(1, false, true);
        gone[0].is_last = is_last;
        Play::of(Rollout::new(policy(), gone), 1).when("host-1 old unrouted", kept)
    };
    insta::assert_snapshot!(gone(true).transcript(), @"
        0s     host-1 old enter maintenance
        6s     host-1 old unrouted gave up
        7s     host-1 old idle held
        7s     host-1 old stop
        8s     host-1 old gone held
        8s     host-1 old retire
        9s     completed
               host-1 updated
    ");
    let transcript = gone(false).transcript();
    assert!(!transcript.contains("stop"), "{transcript}");
}

#[test]
fn a_break_in_readiness_begins_the_healthy_time_anew() {
    let play = rollout(
        Policy {
            drain: None,
            registered: false,
            ..policy()
        },
        1,
    )
    .when(
        "host-1 new ready",
        Answer::Breaks(2, 2, "critical: GET / returned 500"),
    );
    insta::assert_snapshot!(play.transcript(), @r"
        0s     host-1 new start
        5s     host-1 new ready held
        5s     host-1 old stop
        6s     host-1 old retire
        7s     host-1 new ready kept
        7s     completed
               host-1 updated
    ");
}

#[test]
fn what_shipit_registers_itself_is_registered_when_it_is_ready() {
    let policy = Policy {
        drain: None,
        registers: true,
        ..policy()
    };
    insta::assert_snapshot!(rollout(policy, 1).transcript());
}

#[test]
fn a_container_that_exits_fails_at_once() {
    let play = rollout(plain(), 1).when("host-1 new ready", Answer::Never("exited with code 1"));
    insta::assert_snapshot!(play.transcript(), @"
    0s     host-1 new start
    1s     host-1 new ready failed
    1s     reverting: `host-1` cannot become ready
    1s     host-1 old resume
    2s     host-1 old ready held
    2s     host-1 new stop
    3s     host-1 new retire
    4s     reverted
           host-1 reverted
           host-1 failed: `host-1` cannot become ready: exited with code 1
    ");
}

#[test]
fn stop_first_that_fails_before_the_new_one_only_raises_the_old_one() {
    let play = rollout(
        Policy {
            order: Order::StopFirst,
            ..policy()
        },
        1,
    )
    .when("host-1 old stop", Answer::Err("docker does not answer"));
    insta::assert_snapshot!(play.transcript(), @r"
        0s     host-1 old enter maintenance
        1s     host-1 old unrouted held
        2s     host-1 old idle held
        2s     host-1 old stop
        3s     > docker does not answer
        3s     reverting: docker does not answer
        3s     host-1 old start
        6s     host-1 old ready held
        6s     host-1 old routed held
        6s     reverted
               host-1 reverted
               host-1 failed: docker does not answer
    ");
}

#[test]
fn connections_that_do_not_end_are_given_up() {
    let play = rollout(policy(), 1)
        .when("host-1 old idle", Answer::NotYet("3 connections"))
        .when("host-1 old gone", Answer::NotYet("still registered"));
    insta::assert_snapshot!(play.transcript(), @r"
        0s     host-1 new start
        3s     host-1 new ready held
        3s     host-1 new routed held
        3s     host-1 old enter maintenance
        4s     host-1 old unrouted held
        15s    host-1 old idle gave up
        15s    host-1 new ready still so
        15s    host-1 old stop
        46s    host-1 old gone gave up
        46s    host-1 old deregister
        47s    host-1 old retire
        48s    host-1 new ready kept
        48s    completed
               host-1 updated
    ");
}

#[test]
fn a_balancer_that_does_not_leave_fails_the_slot() {
    let play = rollout(policy(), 1).when(
        "host-1 old unrouted",
        Answer::NotYet("dr-con routes to 10.0.0.1:32768"),
    );
    insta::assert_snapshot!(play.transcript(), @r"
        0s     host-1 new start
        3s     host-1 new ready held
        3s     host-1 new routed held
        3s     host-1 old enter maintenance
        34s    host-1 old unrouted failed
        34s    reverting: not every balancer was seen to leave the old container on `host-1` within 30s
        34s    host-1 old start
        37s    host-1 old ready held
        37s    host-1 old routed held
        37s    host-1 new enter maintenance
        38s    host-1 new unrouted held
        39s    host-1 new idle held
        39s    host-1 old ready still so
        39s    host-1 new stop
        40s    host-1 new gone held
        40s    host-1 new retire
        41s    reverted
               host-1 reverted
               host-1 failed: not every balancer was seen to leave the old container on `host-1` within 30s: last seen: dr-con routes to 10.0.0.1:32768
    ");
}

#[test]
fn ready_and_routed_share_one_deadline() {
    let play = rollout(policy(), 1).when(
        "host-1 new routed",
        Answer::NotYet("dr-con does not route to 10.0.0.1:32769"),
    );
    insta::assert_snapshot!(play.transcript(), @"
    0s     host-1 new start
    3s     host-1 new ready held
    60s    host-1 new routed failed
    60s    reverting: not every balancer was seen to route to `host-1` within 60s
    60s    host-1 old resume
    1m1s   host-1 old ready held
    1m1s   host-1 old routed held
    1m1s   host-1 new enter maintenance
    1m2s   host-1 new unrouted held
    1m3s   host-1 new idle held
    1m3s   host-1 old ready still so
    1m3s   host-1 new stop
    1m4s   host-1 new gone held
    1m4s   host-1 new retire
    1m5s   reverted
           host-1 reverted
           host-1 failed: not every balancer was seen to route to `host-1` within 60s: last seen: dr-con does not route to 10.0.0.1:32769
    ");
}

#[test]
fn the_old_one_is_not_stopped_when_the_new_one_dies_while_it_drains() {
    let play = rollout(policy(), 1).when(
        "host-1 new ready",
        Answer::DiesAt(4, "exited with code 137"),
    );
    insta::assert_snapshot!(play.transcript(), @r"
    0s     host-1 new start
    3s     host-1 new ready held
    3s     host-1 new routed held
    3s     host-1 old enter maintenance
    4s     host-1 old unrouted held
    5s     host-1 old idle held
    5s     host-1 new ready failed
    5s     reverting: `host-1` stopped being ready, so the old container was not stopped
    5s     host-1 old start
    8s     host-1 old ready held
    8s     host-1 old routed held
    8s     host-1 new enter maintenance
    9s     host-1 new unrouted held
    10s    host-1 new idle held
    10s    host-1 old ready still so
    10s    host-1 new stop
    11s    host-1 new gone held
    11s    host-1 new retire
    12s    reverted
           host-1 reverted
           host-1 failed: `host-1` stopped being ready, so the old container was not stopped: exited with code 137
    ");
}

#[test]
fn the_new_one_is_not_stopped_when_the_old_one_dies_on_the_way_back() {
    let play = Play::of(Rollout::revert(policy(), replacements(1, true, true)), 1).when(
        "host-1 old ready",
        Answer::DiesAt(4, "exited with code 137"),
    );
    insta::assert_snapshot!(play.transcript(), @r"
    0s     host-1 old start
    3s     host-1 old ready held
    3s     host-1 old routed held
    3s     host-1 new enter maintenance
    4s     host-1 new unrouted held
    5s     host-1 new idle held
    5s     host-1 old ready failed
    5s     revert failed
           host-1 needs a hand: the old container on `host-1` stopped being ready, so the new one was not stopped: exited with code 137
           host-1 failed: the old container on `host-1` stopped being ready, so the new one was not stopped: exited with code 137
    ");
}

#[test]
fn a_short_break_before_the_old_one_is_stopped_is_waited_out() {
    let play = rollout(policy(), 1).when(
        "host-1 new ready",
        Answer::Breaks(4, 8, "critical: GET / returned 500"),
    );
    insta::assert_snapshot!(play.transcript(), @r"
    0s     host-1 new start
    3s     host-1 new ready held
    3s     host-1 new routed held
    3s     host-1 old enter maintenance
    4s     host-1 old unrouted held
    5s     host-1 old idle held
    9s     host-1 new ready still so
    9s     host-1 old stop
    10s    host-1 old gone held
    10s    host-1 old retire
    11s    host-1 new ready kept
    11s    completed
           host-1 updated
    ");
}

#[test]
fn a_replacement_lets_the_time_pass_that_its_policy_has() {
    let policy = policy();
    assert_eq!(
        policy.waiting(Some(false), true),
        seconds(3),
        "healthy and drained"
    );
    assert_eq!(policy.waiting(Some(false), false), seconds(2), "healthy");
    assert_eq!(policy.waiting(None, true), seconds(1), "drained");
    assert_eq!(plain().waiting(Some(false), true), Duration::ZERO);
}

#[test]
fn stop_first_whose_new_one_cannot_start_starts_the_old_one_again() {
    let stop_first = Policy {
        order: Order::StopFirst,
        ..plain()
    };
    let play = rollout(stop_first, 1).when("host-1 new start", Answer::Err("no such image"));
    insta::assert_snapshot!(play.transcript());
}

#[test]
fn an_old_one_that_was_unwell_is_started_again_where_it_was_stopped() {
    let stop_first = Policy {
        order: Order::StopFirst,
        ..plain()
    };
    let unwell = Replacement {
        outgoing: Some(Outgoing::Unwell),
        ..replacements(1, true, true).remove(0)
    };
    let play = Play::of(Rollout::new(stop_first, vec![unwell]), 1);
    let play = play.when("host-1 new start", Answer::Err("no such image"));
    let transcript = play.transcript();
    assert!(transcript.contains("host-1 old start\n"), "{transcript}");
}

#[test]
fn a_host_that_is_lost_takes_only_its_own_slots_with_it() {
    let two_of_host_1 = |number: usize| Replacement {
        host: ["host-1", "host-1", "host-2"][number].into(),
        has_incoming: true,
        incoming_runs: false,
        outgoing: Some(Outgoing::Serves),
        is_last: false,
    };
    let replacements = (0..3).map(two_of_host_1).collect();
    let policy = Policy {
        auto_revert: false,
        max_failures: 2,
        ..plain()
    };
    let play = Play::of(Rollout::new(policy, replacements), 3);
    let play = play.when(
        "host-2 new start",
        Answer::Unreachable("lost the connection"),
    );
    insta::assert_snapshot!(play.transcript());
}

/// Steps and gates that a transcript has done for one slot.
fn done(transcript: &str) -> usize {
    let lines = transcript.lines().filter(|line| line.contains(" host-1 "));
    let states = ["kept", "updated", "reverted", "untouched"];
    lines
        .filter(|line| !states.iter().any(|state| line.ends_with(state)))
        .count()
}

#[test]
fn as_many_steps_are_counted_beforehand_as_are_done() {
    let orders = [Order::StartFirst, Order::StopFirst, Order::BlueGreen];
    for order in orders {
        for policy in [policy(), plain()] {
            let policy = Policy { order, ..policy };
            for (incoming_runs, has_outgoing) in [
                (Some(false), true),
                (Some(false), false),
                (Some(true), true),
                (Some(true), false),
                (None, true),
            ] {
                let replacement = Replacement {
                    host: "host-1".into(),
                    has_incoming: incoming_runs.is_some(),
                    incoming_runs: incoming_runs == Some(true),
                    outgoing: has_outgoing.then_some(Outgoing::Serves),
                    is_last: false,
                };
                let play = Play::of(Rollout::new(policy.clone(), vec![replacement]), 1);
                let transcript = play.transcript();
                let counted = policy.steps(incoming_runs, has_outgoing);
                assert_eq!(counted, done(&transcript), "{order:?}\n{transcript}");
            }
        }
    }
}
