//! Which release is the previous one, and which may go.

use super::{super::record::tests::record, *};

fn history(outcomes: &[Outcome]) -> History {
    let records = outcomes
        .iter()
        .zip(1..)
        .map(|(outcome, number)| record(number, *outcome))
        .collect();
    History::new(BTreeMap::from([(HostName::from("host-1"), records)]), 0)
}

#[test]
fn the_previous_release_is_the_newest_good_one_before_the_newest() {
    use Outcome::{Failed, Reverted, Succeeded, Unfinished};
    let cases: [(&[Outcome], Option<u64>); 7] = [
        (&[], None),
        (&[Succeeded], None),
        (&[Succeeded, Succeeded], Some(1)),
        (&[Succeeded, Succeeded, Succeeded], Some(2)),
        (&[Succeeded, Succeeded, Failed], Some(2)),
        (&[Succeeded, Reverted, Reverted], Some(1)),
        (&[Succeeded, Failed, Unfinished], Some(1)),
    ];
    for (outcomes, expected) in cases {
        assert_eq!(
            history(outcomes).previous().map(|number| number.0),
            expected,
            "{outcomes:?}"
        );
    }
}

#[test]
fn a_restart_is_no_release_to_go_back_from_or_to_keep_instead_of_another() {
    let restarted = |deploys: usize, restarts: usize| {
        let mut history = history(&vec![Outcome::Succeeded; deploys + restarts]);
        let records = history.records.values_mut().flatten();
        for record in records.skip(deploys) {
            record.action = Action::Restart;
        }
        history
    };
    assert_eq!(restarted(2, 3).previous(), Some(Number(1)));
    assert_eq!(restarted(1, 3).previous(), None);
    let history = restarted(2, 12);
    let pruned: Vec<_> = history.prunable(3).iter().map(|it| it.number.0).collect();
    assert_eq!(pruned, (3..=11).collect::<Vec<_>>(), "r1 and r2 stay");
    let host = HostName::from("host-1");
    assert_eq!(history.recent_versions(&host, 2).count(), 14);
    assert_eq!(history.recent_versions(&host, 1).count(), 13);
    // One that failed is gone back from as a deploy is: to what ran before it.
    let mut failed = restarted(2, 1);
    for record in failed.records.values_mut().flatten().skip(2) {
        record.outcome = Outcome::Failed;
    }
    assert_eq!(failed.previous(), Some(Number(2)));
}

#[test]
fn a_recipe_stays_stopped_until_a_release_has_changed_that() {
    use Outcome::{Failed, Reverted, Succeeded};
    let host = HostName::from("host-1");
    let by = |history: &History| history.stopped(&host, "web").map(|it| it.by.clone());
    let mut history = history(&[Succeeded]);
    let mut add = |outcome, stopped: Option<&str>| {
        let mut record = record(history.next_number().0, outcome);
        let recipe = serde_json::json!({
            "spec": { "image": "web" },
            "image": { "reference": "web", "digest": "sha256:aa" },
            "instances": 1,
            "hash": "aa",
            "stopped": stopped.map(|by| serde_json::json!({ "by": by, "at": Timestamp::UNIX_EPOCH })),
        });
        let recipe = serde_json::from_value(recipe).expect("of a recipe");
        record.recipes.insert("web".into(), recipe);
        history.add(&[record]);
        by(&history)
    };
    let alice = Some("alice".to_owned());
    assert_eq!(add(Succeeded, None), None);
    assert_eq!(add(Succeeded, Some("alice")), alice);
    assert_eq!(add(Reverted, None), alice, "it was taken back");
    assert_eq!(add(Failed, None), None, "it was started, or that was tried");
    assert_eq!(add(Succeeded, Some("alice")), alice);
    assert_eq!(add(Succeeded, None), None);
}

#[test]
fn a_number_is_never_used_again_even_when_its_record_is_lost() {
    assert_eq!(History::default().next_number(), Number(1));
    assert_eq!(History::new(BTreeMap::new(), 41).next_number(), Number(42));
}

#[test]
fn what_a_host_had_is_its_newest_good_record_up_to_the_release() {
    use Outcome::{Failed, Succeeded};
    let history = history(&[Succeeded, Succeeded, Failed]);
    let at = |number| {
        history
            .at(&"host-1".into(), Number(number))
            .map(|record| record.number.0)
    };
    assert_eq!(
        [at(1), at(2), at(3), at(9)],
        [Some(1), Some(2), Some(2), Some(2)]
    );
    assert!(history.at(&"host-9".into(), Number(9)).is_none());
}

#[test]
fn pruning_keeps_what_runs_and_what_a_rollback_goes_to() {
    use Outcome::{Failed, Succeeded};
    let pruned = |outcomes: &[Outcome], keep| -> Vec<u64> {
        history(outcomes)
            .prunable(keep)
            .iter()
            .map(|release| release.number.0)
            .collect()
    };
    assert_eq!(
        pruned(&[Succeeded, Succeeded, Failed, Failed, Failed], 2),
        [3]
    );
    assert_eq!(
        pruned(&[Succeeded, Succeeded, Succeeded, Succeeded], 2),
        [1, 2]
    );
    assert_eq!(pruned(&[Succeeded], 5), [] as [u64; 0]);
}

#[test]
fn a_release_takes_as_long_as_the_last_ones_like_it() {
    let took = |number, outcome, seconds: Option<i64>| Record {
        finished: seconds.and_then(|it| Timestamp::from_second(it).ok()),
        ..record(number, outcome)
    };
    let records = vec![
        took(1, Outcome::Succeeded, Some(900)),
        took(2, Outcome::Succeeded, Some(60)),
        took(3, Outcome::Failed, Some(500)),
        took(4, Outcome::Succeeded, Some(90)),
        took(5, Outcome::Succeeded, None),
        took(6, Outcome::Succeeded, Some(50)),
        took(7, Outcome::Succeeded, Some(40)),
        took(8, Outcome::Succeeded, Some(70)),
    ];
    let history = History::new(BTreeMap::from([("host-1".into(), records)]), 0);
    assert_eq!(history.usual_time(1), Some(Duration::from_secs(60)));
    assert_eq!(history.usual_time(2), None, "none was of two hosts");
}

#[test]
fn what_has_the_same_is_gone_past_to_what_had_something_else() {
    let host = HostName::from("host-1");
    // r1, then r2 to r4 with another version; r4 has other keys of its hashes.
    let mut history = history(&[Outcome::Succeeded; 4]);
    for record in history.records.values_mut().flatten() {
        let recipe = serde_json::json!({
            "spec": {"image": "web:1", "stop_timeout": {"secs": 10, "nanos": 0}},
            "image": {"reference": "web@sha256:01", "digest": "sha256:01"},
            "instances": if record.number == Number(1) { 1 } else { 2 },
            "hash": format!("with a key of {}", record.number),
        });
        let recipe = serde_json::from_value(recipe).expect("a recipe");
        record.recipes = BTreeMap::from([("web".to_owned(), recipe)]);
    }
    let other = |number| history.other_before(Number(number), std::slice::from_ref(&host));
    assert_eq!(other(4), Some(Number(1)));
    assert_eq!(other(2), Some(Number(1)));
    assert_eq!(other(1), None);
    assert_eq!(history.other_before(Number(4), &[]), None);
}
