//! Secrets, and characters that act on a terminal, in every string of every kind of event, and what reporters show of
//! them.

use std::time::Duration;

use proptest::prelude::*;

use super::{
    look::every_look,
    recorded::*,
    support::{Page, bars},
};
use crate::{
    event::{
        Difference, ErrorReport, EventKind, Evidence, HostRow, Outcome, OutputStream, Phase,
        PlanAction, PlanRow, ProbeSummary, Setting, Severity,
    },
    report::{Masks, Verbosity, json, log_file, plain},
    text::acts,
};

const SECRETS: [&str; 4] = ["hunter2", "pass\nphrase", "qu\"ote\\d", "hunter2hunter3"];

/// Text in which a secret may be, alone, among other things, or broken by a colour.
fn tainted() -> impl Strategy<Value = String> {
    let secret = prop::sample::select(&SECRETS[..]).prop_map(text);
    let broken = Just(text("hun\x1b[31mter2"));
    let noise = "[a-z \u{1b}é]{0,6}";
    prop::collection::vec(
        prop_oneof![secret, broken, noise.prop_map(|noise: String| noise)],
        1..4,
    )
    .prop_map(|parts| parts.concat())
}

/// The values that an event can hold, with the text in every string.
fn every_value(t: &str) -> (PlanRow, HostRow, ProbeSummary, ErrorReport) {
    let s = || text(t);
    let some = || Some(text(t));
    let difference = Difference {
        field: s(),
        old: some(),
        new: some(),
    };
    let plan_row = PlanRow {
        host: s(),
        recipe: s(),
        action: PlanAction::Replace,
        container: some(),
        reason: s(),
        differences: vec![difference],
        starts: vec![Setting {
            field: s(),
            value: s(),
        }],
        diff: some().into_iter().collect(),
        note: some(),
    };
    let host_row = HostRow {
        host: s(),
        recipe: some(),
        release: some(),
        state: s(),
        detail: some(),
        severity: Severity::Bad,
    };
    let summary = ProbeSummary {
        first_failure: some(),
        ..ProbeSummary::default()
    };
    let evidence = Evidence {
        title: s(),
        lines: vec![s()],
    };
    let error = ErrorReport {
        message: s(),
        causes: vec![s()],
        evidence: vec![evidence],
        hint: some(),
    };
    (plan_row, host_row, summary, error)
}

/// Every kind of event, with the text in every string.
fn every_kind(t: &str) -> Vec<EventKind> {
    let s = || text(t);
    let some = || Some(text(t));
    let (plan_row, host_row, summary, error) = every_value(t);
    let mut kinds = vec![
        EventKind::Started {
            command: s(),
            environment: s(),
            hosts: vec![s()],
        },
        EventKind::Phase {
            phase: Phase::Deploy,
        },
        EventKind::Release {
            release: s(),
            description: s(),
        },
        EventKind::HostSteps {
            host: s(),
            total: 3,
            waiting: Duration::ZERO,
        },
        EventKind::Estimate {
            rest: Duration::ZERO,
        },
        EventKind::Countdown {
            host: s(),
            recipe: Some(s()),
            waits_for: s(),
            lasts: Duration::from_secs(1),
        },
        EventKind::Plan {
            rows: vec![plan_row],
        },
        begins(t, Some(t), t),
        waits(t, t, t, t),
        EventKind::Transfer {
            host: s(),
            what: s(),
            bytes: 1,
            total: None,
        },
        prints(t, OutputStream::Stdout, t),
        ends(t, Some(t), t, 1, t),
        EventKind::StepFailed {
            host: s(),
            recipe: some(),
            step: s(),
            error: vec![s()],
            evidence: vec![s()],
        },
        EventKind::Warning {
            host: some(),
            message: s(),
            hint: some(),
        },
        EventKind::HookOutput { on: s(), line: s() },
        EventKind::Note { message: s() },
        EventKind::Result { lines: vec![s()] },
        EventKind::Question { question: s() },
        EventKind::Answered,
        EventKind::Probe {
            recipe: s(),
            summary,
        },
        EventKind::HostState { row: host_row },
    ];
    kinds.extend(every_look(t));
    kinds.push(finished(Outcome::Failed, 1, Some(error)));
    kinds
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_sink_ever_has_a_secret(text in tainted()) {
        let masks = Masks::new(SECRETS);
        let (out, err, lines, log) =
            (Page::default(), Page::default(), Page::default(), Page::default());
        let (bars, screen) = bars(60, 300, Verbosity::Verbose);
        let mut reporters = [
            plain(out.clone(), err.clone(), Verbosity::Verbose),
            json(lines.clone()),
            log_file(log.clone()),
            bars,
        ];
        let mut shown = String::new();
        for kind in every_kind(&text) {
            let mut event = event(0, kind);
            masks.mask_event(&mut event);
            for reporter in &mut reporters {
                reporter.event(&event);
                reporter.tick(event.at);
            }
        }
        for page in [out, err, lines, log] {
            shown += &page.text();
        }
        // What was drawn was seen, even where it is gone.
        shown += &screen.moves_since_last_check();
        for secret in ["hunter2", "phrase", "qu\"ote", "qu\\\"ote", "hunter3"] {
            prop_assert!(!shown.contains(secret), "{secret} in {shown}");
        }
    }
}

/// What every reporter shows of every kind of event with this text in each of its strings.
fn shown_of(text: &str) -> Vec<(&'static str, String)> {
    let (out, err, lines, log) = (
        Page::default(),
        Page::default(),
        Page::default(),
        Page::default(),
    );
    let (bars, screen) = bars(60, 300, Verbosity::Verbose);
    let mut reporters = [
        plain(out.clone(), err.clone(), Verbosity::Verbose),
        json(lines.clone()),
        log_file(log.clone()),
        bars,
    ];
    for kind in every_kind(text) {
        let event = event(0, kind);
        for reporter in &mut reporters {
            reporter.event(&event);
            reporter.tick(event.at);
        }
    }
    let pages = [
        ("plain", out),
        ("plain", err),
        ("json", lines),
        ("log", log),
    ];
    let mut shown: Vec<_> = pages
        .into_iter()
        .map(|(name, page)| (name, page.text()))
        .collect();
    // What was drawn is told as Rust writes it, where what acts begins with one backslash.
    // The bars themselves begin a line anew.
    let drawn = screen.moves_since_last_check().replace("\\r\\u{1b}[J", "");
    let drawn = drawn.replace("\\r\\n", "").replace("\\\\", "");
    let drawn = drawn.replace("\\u{", "\u{1b}").replace("\\r", "\r");
    shown.push(("bars", drawn));
    shown
}

#[test]
fn nothing_that_a_host_a_record_or_a_file_says_acts_on_a_terminal() {
    let acting = (0..0xa0)
        .chain([0x61c, 0x200e, 0x200f])
        .chain(0x2028..0x202f);
    let acting = acting.chain(0x2066..0x206a).filter_map(char::from_u32);
    let acting: String = acting.filter(|it| acts(*it)).collect();
    assert_eq!(acting.chars().count(), 32 - 2 + 33 + 3 + 7 + 4);
    let acting: Vec<char> = acting.chars().collect();
    let each = acting.chunks(16).map(|some| {
        some.iter()
            .fold("a".to_owned(), |all, it| all + &format!("{it}ba"))
    });
    let each: Vec<String> = each.collect();
    let sequences = [
        "\x1b]0;title\x07\x1b]52;c;aGk=\x1b\\",
        "\x1b[2J\x1b[1;1H\x1bPq#0\x1b\\\x1bc\x1b_x\x1b\\",
        "\u{9b}31m\u{9d}0;x\u{9c}\u{90}x",
        "\x1b\x1b[31m[31m\x1b[\u{9b}3",
    ];
    for text in each.iter().map(String::as_str).chain(sequences) {
        for (reporter, shown) in shown_of(text) {
            let bad = shown.chars().find(|it| acts(*it));
            assert_eq!(bad, None, "{reporter} of {text:?}: {shown:?}");
        }
    }
    let rows = vec!["r1 alice\nr2 forged".to_owned()];
    let page = Page::default();
    let mut reporter = plain(page.clone(), std::io::sink(), Verbosity::Normal);
    reporter.event(&event(0, EventKind::Result { lines: rows }));
    assert_eq!(page.text(), "r1 alice␊r2 forged\n");
}
