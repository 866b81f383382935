//! Blue-green: the slots wait for each other, requests are switched together, and a failure switches them back.

use super::*;

fn blue_green() -> Policy {
    Policy {
        order: Order::BlueGreen,
        registered: false,
        ..policy()
    }
}

#[test]
fn requests_are_switched_when_all_new_ones_are_ready() {
    let slow = Answer::Breaks(0, 9, "starting");
    let play = rollout(blue_green(), 2).when("host-2 new ready", slow);
    insta::assert_snapshot!(play.transcript(), @"
    0s     host-1 new start held
    0s     host-2 new start held
    3s     host-1 new ready held
    12s    host-2 new ready held
    12s    host-1 new ready still so
    12s    host-2 new ready still so
    12s    host-1 new switch
    12s    host-2 new switch
    13s    host-1 new routed held
    13s    host-2 new routed held
    13s    host-1 old enter maintenance
    13s    host-2 old enter maintenance
    14s    host-1 old unrouted held
    14s    host-2 old unrouted held
    15s    host-1 old idle held
    15s    host-2 old idle held
    15s    host-1 new ready still so
    15s    host-1 old stop
    15s    host-2 new ready still so
    15s    host-2 old stop
    16s    host-1 old retire
    16s    host-2 old retire
    17s    host-1 new ready kept
    17s    host-2 new ready kept
    17s    completed
           host-1 updated
           host-2 updated
    ");
}

#[test]
fn before_the_switch_a_failure_takes_the_new_ones_away_and_leaves_the_old_ones() {
    let exits = Answer::Never("exited with code 1");
    let play = rollout(blue_green(), 2).when("host-2 new ready", exits);
    insta::assert_snapshot!(play.transcript(), @"
    0s     host-1 new start held
    0s     host-2 new start held
    1s     host-2 new ready failed
    1s     reverting: `host-2` cannot become ready
    1s     host-1 new ready abandoned
    1s     host-1 old resume
    1s     host-2 old resume
    2s     host-1 old ready held
    2s     host-2 old ready held
    2s     host-1 old routed held
    2s     host-1 new enter maintenance
    2s     host-2 old routed held
    2s     host-2 new enter maintenance
    3s     host-1 new unrouted held
    3s     host-2 new unrouted held
    4s     host-1 new idle held
    4s     host-2 new idle held
    4s     host-1 old ready still so
    4s     host-1 new stop
    4s     host-2 old ready still so
    4s     host-2 new stop
    5s     host-1 new retire
    5s     host-2 new retire
    6s     reverted
           host-1 reverted
           host-2 reverted
           host-2 failed: `host-2` cannot become ready: exited with code 1
    ");
}

#[test]
fn in_the_middle_of_the_switch_a_failure_switches_all_back() {
    let refuses = Answer::Err("`lb` on `host-3` routes as before: nginx -t failed");
    let play = rollout(blue_green(), 2).when("host-2 new switch", refuses);
    insta::assert_snapshot!(play.transcript(), @"
    0s     host-1 new start held
    0s     host-2 new start held
    3s     host-1 new ready held
    3s     host-2 new ready held
    3s     host-1 new ready still so
    3s     host-2 new ready still so
    3s     host-1 new switch
    3s     host-2 new switch
    4s     > `lb` on `host-3` routes as before: nginx -t failed
    4s     reverting: `lb` on `host-3` routes as before: nginx -t failed
    4s     host-1 new routed abandoned
    4s     host-1 old start held
    4s     host-2 old start held
    7s     host-1 old ready held
    7s     host-2 old ready held
    7s     host-1 old ready still so
    7s     host-2 old ready still so
    7s     host-1 old switch
    7s     host-2 old switch
    8s     host-1 old routed held
    8s     host-2 old routed held
    8s     host-1 new enter maintenance
    8s     host-2 new enter maintenance
    9s     host-1 new unrouted held
    9s     host-2 new unrouted held
    10s    host-1 new idle held
    10s    host-2 new idle held
    10s    host-1 old ready still so
    10s    host-1 new stop
    10s    host-2 old ready still so
    10s    host-2 new stop
    11s    host-1 new retire
    11s    host-2 new retire
    12s    reverted
           host-1 reverted
           host-2 reverted
           host-2 failed: `lb` on `host-3` routes as before: nginx -t failed
    ");
}

#[test]
fn a_new_one_that_dies_after_the_switch_takes_all_back_together() {
    let dies = Answer::DiesAt(6, "exited with code 1");
    let play = rollout(blue_green(), 2).when("host-2 new ready", dies);
    insta::assert_snapshot!(play.transcript(), @"
    0s     host-1 new start held
    0s     host-2 new start held
    3s     host-1 new ready held
    3s     host-2 new ready held
    3s     host-1 new ready still so
    3s     host-2 new ready still so
    3s     host-1 new switch
    3s     host-2 new switch
    4s     host-1 new routed held
    4s     host-2 new routed held
    4s     host-1 old enter maintenance
    4s     host-2 old enter maintenance
    5s     host-1 old unrouted held
    5s     host-2 old unrouted held
    6s     host-1 old idle held
    6s     host-2 old idle held
    6s     host-1 new ready still so
    6s     host-1 old stop
    6s     host-2 new ready failed
    6s     reverting: `host-2` stopped being ready, so the old container was not stopped
    6s     host-2 old start held
    7s     host-1 old start held
    9s     host-2 old ready held
    10s    host-1 old ready held
    10s    host-1 old ready still so
    10s    host-2 old ready still so
    10s    host-1 old switch
    10s    host-2 old switch
    11s    host-1 old routed held
    11s    host-2 old routed held
    11s    host-1 new enter maintenance
    11s    host-2 new enter maintenance
    12s    host-1 new unrouted held
    12s    host-2 new unrouted held
    13s    host-1 new idle held
    13s    host-2 new idle held
    13s    host-1 old ready still so
    13s    host-1 new stop
    13s    host-2 old ready still so
    13s    host-2 new stop
    14s    host-1 new retire
    14s    host-2 new retire
    15s    reverted
           host-1 reverted
           host-2 reverted
           host-2 failed: `host-2` stopped being ready, so the old container was not stopped: exited with code 1
    ");
}

#[test]
fn a_switch_that_was_begun_is_finished_after_an_interrupt_or_switched_back() {
    let play = rollout(blue_green(), 2).at(4, Input::Interrupt);
    let transcript = play.transcript();
    assert!(transcript.contains("completed"), "{transcript}");

    let dies = Answer::DiesAt(6, "exited with code 1");
    let play = rollout(blue_green(), 2)
        .at(4, Input::Interrupt)
        .when("host-2 new ready", dies);
    let transcript = play.transcript();
    for host in ["host-1 reverted", "host-2 reverted", "interrupted"] {
        assert!(transcript.contains(host), "{transcript}");
    }
}

#[test]
fn what_a_cut_off_release_may_have_switched_to_is_switched_back() {
    let mut cut_off = replacements(2, true, true);
    cut_off[0].incoming_runs = true;
    let exits = Answer::Never("exited with code 1");
    let play = Play::of(Rollout::new(blue_green(), cut_off), 2).when("host-2 new ready", exits);
    let transcript = play.transcript();
    assert!(transcript.contains("host-1 old switch"), "{transcript}");
}
