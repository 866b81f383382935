use super::*;
use crate::release::{Outcome, record::tests::record, signed_labels, tests::environment};

/// A record of a release about a host, as a volume.
fn volume(number: u64, about: &str, outcome: Outcome) -> Volume {
    let record = Record {
        host: about.into(),
        ..record(number, outcome)
    };
    Volume {
        name: record.volume_name(),
        labels: record.volume_labels().expect("labels"),
    }
}

/// What counts of volumes on hosts: `host-1: r1 succeeded, r2 failed`, a `copied` before it where it is not the
/// host's own; then what is left out.
fn read(found: &[(&str, Volume)]) -> Vec<String> {
    read_on(Terms::default(), found)
}

fn read_on(terms: Terms<'_>, found: &[(&str, Volume)]) -> Vec<String> {
    let hosts: Vec<_> = found.iter().map(|(on, _)| HostName::from(*on)).collect();
    let found = hosts.iter().zip(found);
    let found = found.map(|(on, (_, volume))| Found { on, volume });
    let reading = read_records(&environment(3), terms, found);
    let mut lines: Vec<_> = reading
        .records
        .iter()
        .map(|(host, records)| {
            let copied = if reading.copied.contains(host) {
                "copied "
            } else {
                ""
            };
            let records = records.iter();
            let records = records.map(|it| format!("{} {}", it.number, it.outcome));
            let records: Vec<_> = records.collect();
            format!("{copied}{host}: {}", records.join(", "))
        })
        .collect();
    let left_out = reading.left_out.iter();
    lines.extend(left_out.map(|it| format!("on {}: {}", it.on, it.why)));
    lines
}

#[test]
fn the_finished_record_wins_over_the_unfinished_and_rubbish_is_named() {
    let mut rubbish = volume(3, "host-1", Outcome::Succeeded);
    rubbish.labels.insert(label::RECORD.into(), "{}".into());
    let found = [
        ("host-1", volume(2, "host-1", Outcome::Failed)),
        ("host-1", volume(2, "host-1", Outcome::Unfinished)),
        ("host-1", volume(1, "host-1", Outcome::Succeeded)),
        ("host-1", rubbish),
    ];
    let lines = read(&found);
    assert_eq!(lines[0], "host-1: r1 succeeded, r2 failed");
    assert!(
        lines[1].starts_with("on host-1: it cannot be read: missing field"),
        "{lines:?}"
    );
}

#[test]
fn a_host_speaks_for_itself_whatever_others_claim() {
    let found = [
        ("host-1", volume(1, "host-1", Outcome::Succeeded)),
        // Its keeper has another story.
        ("host-2", volume(9, "host-1", Outcome::Succeeded)),
        ("host-2", volume(2, "host-2", Outcome::Succeeded)),
        // So has a host that keeps nothing of it.
        ("host-3", volume(9, "host-1", Outcome::Succeeded)),
    ];
    assert_eq!(
        read(&found),
        [
            "host-1: r1 succeeded",
            "host-2: r2 succeeded",
            "on host-3: it is about `host-1`, whose records lie there and on `host-2`",
        ]
    );
}

#[test]
fn what_a_host_has_lost_comes_from_its_keeper_alone() {
    let found = [
        ("host-1", volume(4, "host-3", Outcome::Succeeded)),
        ("host-2", volume(9, "host-3", Outcome::Succeeded)),
        ("host-2", volume(3, "host-9", Outcome::Succeeded)),
    ];
    assert_eq!(
        read(&found),
        [
            "copied host-3: r4 succeeded",
            "on host-2: it is about `host-3`, whose records lie there and on `host-1`",
            "on host-2: it is about `host-9`, which is no host of the inventory",
        ]
    );
}

#[test]
fn with_a_key_only_what_is_signed_counts_wherever_it_lies() {
    let key =
        |text: &str| RecordKey::new(text.repeat(32).into()).unwrap_or_else(|why| panic!("{why}"));
    let (right, other) = (key("a"), key("b"));
    let signed = |number, about: &str, key: &RecordKey| {
        let record = Record {
            host: about.into(),
            ..record(number, Outcome::Succeeded)
        };
        Volume {
            name: record.volume_name(),
            labels: signed_labels(&record, Some(key)).expect("labels"),
        }
    };
    // Somebody changes what is signed.
    let mut changed = signed(3, "host-1", &right);
    let text = changed.labels[label::RECORD].replace("alice", "mallory");
    changed.labels.insert(label::RECORD.into(), text);
    let found = [
        ("host-1", signed(1, "host-1", &right)),
        ("host-1", volume(2, "host-1", Outcome::Succeeded)),
        ("host-1", changed),
        ("host-1", signed(4, "host-1", &other)),
        // An inventory in another order had its copies there.
        ("host-1", signed(1, "host-2", &right)),
        ("host-1", volume(2, "host-2", Outcome::Succeeded)),
    ];
    let terms = Terms {
        key: Some(&right),
        strays: false,
    };
    let mut lines = read_on(terms, &found);
    lines.dedup();
    assert_eq!(
        lines,
        [
            "host-1: r1 succeeded",
            "copied host-2: r1 succeeded",
            "on host-1: it is about `host-2`, whose records lie there and on `host-3`",
            "on host-1: it is not signed",
            "on host-1: its signature is wrong",
        ]
    );
    // Whoever trusts the hosts takes what there is.
    let terms = Terms {
        key: None,
        strays: true,
    };
    let lines = read_on(terms, &found);
    let expected = "copied host-2: r1 succeeded, r2 succeeded";
    assert!(lines.contains(&expected.to_owned()), "{lines:?}");
}

#[test]
fn what_would_not_count_without_a_key_is_not_refused_with_one() {
    let key = RecordKey::new("a".repeat(32).into()).unwrap_or_else(|why| panic!("{why}"));
    let signed = |number, about: &str, outcome| {
        let mut volume = volume(number, about, outcome);
        let record = Record {
            host: about.into(),
            ..record(number, outcome)
        };
        volume.labels = signed_labels(&record, Some(&key)).expect("labels");
        volume
    };
    let terms = Terms {
        key: Some(&key),
        strays: false,
    };
    // Host 2 was lost in the middle of r1, so the end of it is not everywhere.
    let found = [
        ("host-1", signed(1, "host-1", Outcome::Failed)),
        ("host-2", volume(1, "host-1", Outcome::Unfinished)),
        ("host-2", signed(1, "host-2", Outcome::Unfinished)),
        ("host-3", volume(1, "host-2", Outcome::Failed)),
        ("host-3", signed(1, "host-3", Outcome::Failed)),
        ("host-3", volume(1, "host-3", Outcome::Unfinished)),
    ];
    assert_eq!(
        read_on(terms, &found),
        [
            "host-1: r1 failed",
            "host-2: r1 unfinished",
            "host-3: r1 failed",
        ]
    );
    // What would count is named: a host's own beside its signed copies, and a better end than the signed one.
    let found = [
        ("host-1", volume(2, "host-1", Outcome::Succeeded)),
        ("host-2", signed(1, "host-1", Outcome::Succeeded)),
        ("host-2", signed(3, "host-2", Outcome::Failed)),
        ("host-2", volume(3, "host-2", Outcome::Interrupted)),
    ];
    assert_eq!(
        read_on(terms, &found),
        [
            "copied host-1: r1 succeeded",
            "host-2: r3 failed",
            "on host-1: it is not signed",
            "on host-2: it is not signed",
        ]
    );
}

#[test]
fn a_signed_copy_does_not_sign_the_record_that_it_is_a_copy_of() {
    let key = RecordKey::new("a".repeat(32).into()).unwrap_or_else(|why| panic!("{why}"));
    let own = volume(10, "host-1", Outcome::Succeeded);
    let mut copy = own.clone();
    let signed = Record {
        host: "host-1".into(),
        ..record(10, Outcome::Succeeded)
    };
    copy.labels = signed_labels(&signed, Some(&key)).expect("labels");
    let found = [(HostName::from("host-1"), own), ("host-2".into(), copy)];
    let found = found.iter().map(|(on, volume)| Found { on, volume });
    let terms = Terms {
        key: Some(&key),
        strays: false,
    };
    let reading = read_records(&environment(3), terms, found);
    assert_eq!(reading.unsigned, [signed.volume_name()].into());
    // Its number is taken, though it does not count.
    let unsigned: Vec<_> = reading.left_out.iter().cloned().collect();
    assert_eq!(unsigned.len(), 1);
    let history = crate::release::History::default().without_unsigned(unsigned);
    assert_eq!(history.next_number(), Number(11));
}
