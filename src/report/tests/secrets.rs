//! Secrets in every string of every kind of event, and what reporters show of them.

use std::time::Duration;

use proptest::prelude::*;

use super::{
    recorded::*,
    support::{Page, bars},
};
use crate::{
    event::{
        Difference, ErrorReport, EventKind, Evidence, HostRow, Outcome, OutputStream, Phase,
        PlanAction, PlanRow, ProbeSummary, Setting, Severity,
    },
    report::{Masks, Verbosity, json, log_file, plain},
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
    vec![
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
        EventKind::Note { message: s() },
        EventKind::Result { lines: vec![s()] },
        EventKind::Question { question: s() },
        EventKind::Answered,
        EventKind::Probe {
            recipe: s(),
            summary,
        },
        EventKind::HostState { row: host_row },
        finished(Outcome::Failed, 1, Some(error)),
    ]
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
