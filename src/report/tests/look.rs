//! What those see who only look, at the widths that terminals have, and in a pipe.

use std::fmt::Write as _;

use jiff::Timestamp;

use super::{
    recorded::{at, event, started, text},
    support::{Page, play, wide_as},
};
use crate::event::{
    Comparison, Difference, EventKind, HostResult, InstanceRow, LockRow, PreviewRow,
    RecipeComparison, RecipeDetails, ReleaseRow, RouteRow, Setting, Severity, Status, StatusForm,
    VersionRow,
};

/// What standard output has after one event, with so many columns; `None` is a pipe.
fn shown(columns: Option<usize>, command: &str, kind: &EventKind) -> String {
    let page = Page::default();
    let mut reporter = wide_as(columns, page.clone());
    let events = [
        event(0, started(command, &["host-1", "host-2", "host-3"])),
        event(7_200_000, kind.clone()),
    ];
    play(&mut reporter, &events);
    page.text()
}

/// The same in a pipe and with 120, 80 and 40 columns, each line within its width.
fn at_every_width(command: &str, kind: &EventKind) -> String {
    let mut told = String::new();
    for columns in [None, Some(120), Some(80), Some(40)] {
        let text = shown(columns, command, kind);
        if let Some(columns) = columns {
            for line in text.lines() {
                assert!(
                    console::measure_text_width(line) <= columns,
                    "{columns}: {line}"
                );
            }
        }
        let heading = columns.map_or("a pipe".to_owned(), |columns| format!("{columns} columns"));
        let _ = write!(told, "--- {heading}\n{text}");
    }
    told
}

fn release() -> ReleaseRow {
    ReleaseRow {
        release: text("r4"),
        outcome: text("reverted"),
        action: text("deploy"),
        changes: vec![text("flask-nanoservice v1 → v2")],
        message: Some(text(
            "the new cart, with what everybody has been waiting for since summer",
        )),
        failure: Some(text(
            "deploy of `flask-nanoservice` r4 stopped: `host-1` was not ready within 60s: GET /health answered 500",
        )),
        by: text("alice@laptop"),
        began: at(0),
        took: Some(std::time::Duration::from_millis(65_400)),
        revision: Some(text("0a1b2c3d+")),
        hosts: vec![text("host-1"), text("host-2")],
    }
}

fn history() -> EventKind {
    let first = ReleaseRow {
        release: text("r3"),
        outcome: text("succeeded"),
        action: text("rollback to r1"),
        changes: vec![
            text("flask-nanoservice v2 → v1"),
            text("registrator removed"),
        ],
        message: None,
        failure: None,
        took: None,
        revision: None,
        ..release()
    };
    EventKind::History {
        releases: vec![release(), first],
    }
}

fn running(recipe: &str, host: &str, version: &str, since: Timestamp) -> InstanceRow {
    InstanceRow {
        recipe: text(recipe),
        host: text(host),
        container: Some(format!("{recipe}-r3")),
        release: Some(text("r3")),
        version: Some(text(version)),
        image: Some(format!("shipit-lab/{recipe}:{version}")),
        state: text("running"),
        exit_code: None,
        since: Some(since),
        stopped_by: None,
        docker_health: None,
        consul_health: None,
        routes: Vec::new(),
        address: Some(format!("192.0.2.1:{}", recipe.len())),
        severity: Severity::Good,
    }
}

fn route(host: &str, routed: Option<bool>) -> RouteRow {
    RouteRow {
        balancer: text("dr-con"),
        host: text(host),
        routed,
        error: None,
    }
}

fn status() -> Status {
    let app = |host: &str| InstanceRow {
        consul_health: Some(text("passing")),
        routes: vec![route("host-3", Some(true))],
        ..running("flask-nanoservice", host, "v2", at(6_000_000))
    };
    let leader = |host| InstanceRow {
        consul_health: Some(text("has a leader")),
        ..running("consul", host, "1.8.7", at(0))
    };
    Status {
        release: None,
        lock: None,
        instances: vec![
            leader("host-1"),
            leader("host-2"),
            leader("host-3"),
            running("dr-con", "host-3", "latest", at(0)),
            app("host-1"),
            app("host-2"),
        ],
        previews: Vec::new(),
        unread: Vec::new(),
    }
}

/// One in which nothing agrees and much is wrong.
fn unwell() -> Status {
    let mut status = status();
    status.release = Some(release());
    status.lock = Some(LockRow {
        by: text("bob@desk"),
        since: at(0),
        message: text("no deploys before the sale ends on Monday, whatever anybody may say"),
    });
    let [.., first, second] = &mut status.instances[..] else {
        panic!("two")
    };
    first.docker_health = Some(text("unhealthy"));
    first.consul_health = Some(text("critical: GET /health 500"));
    first.routes = vec![route("host-3", Some(true)), route("host-4", Some(false))];
    first.severity = Severity::Bad;
    *second = InstanceRow {
        state: text("exited"),
        exit_code: Some(137),
        consul_health: None,
        routes: Vec::new(),
        severity: Severity::Bad,
        ..second.clone()
    };
    status.instances.push(InstanceRow {
        container: None,
        release: None,
        version: None,
        image: None,
        state: text("missing"),
        since: None,
        address: None,
        severity: Severity::Bad,
        ..running("a-recipe-with-a-very-long-name-indeed", "host-3", "", at(0))
    });
    status.instances.push(InstanceRow {
        state: text("stopped"),
        stopped_by: Some(text("bob@desk")),
        severity: Severity::Notable,
        ..running("mailer", "host-2", "9", at(7_000_000))
    });
    status.instances.push(InstanceRow {
        consul_health: Some(text("unknown: no answer within 5s")),
        routes: vec![route("host-3", None)],
        ..running("worker", "host-2", "sha256:0123456789ab", at(7_195_000))
    });
    status
}

/// Every kind of event that only shows, with this text in every string.
pub(super) fn every_look(t: &str) -> Vec<EventKind> {
    let s = || text(t);
    let some = || Some(text(t));
    let release = || ReleaseRow {
        release: s(),
        outcome: s(),
        action: s(),
        changes: vec![s()],
        message: some(),
        failure: some(),
        by: s(),
        revision: some(),
        hosts: vec![s()],
        ..release()
    };
    let instance = InstanceRow {
        recipe: s(),
        host: s(),
        container: some(),
        release: some(),
        version: some(),
        image: some(),
        state: s(),
        stopped_by: some(),
        docker_health: some(),
        consul_health: some(),
        routes: vec![RouteRow {
            balancer: s(),
            host: s(),
            routed: None,
            error: some(),
        }],
        address: some(),
        ..running(t, t, t, at(0))
    };
    let row = PreviewRow {
        release: Some(release()),
        ..every_text_of_a_preview(t)
    };
    let status = Status {
        release: Some(release()),
        lock: Some(LockRow {
            by: s(),
            since: at(0),
            message: s(),
        }),
        instances: vec![instance],
        previews: vec![row.clone()],
        unread: vec![s()],
    };
    let wide = StatusForm {
        is_wide: true,
        redraws: false,
    };
    let host = HostResult {
        host: s(),
        state: some(),
    };
    let details = RecipeDetails {
        recipe: s(),
        hosts: vec![host],
        image: s(),
        instances: 1,
        settings: vec![Setting {
            field: s(),
            value: s(),
        }],
    };
    let comparison = RecipeComparison {
        recipe: s(),
        hosts: vec![s()],
        change: Comparison::Changed,
        differences: vec![Difference {
            field: s(),
            old: some(),
            new: some(),
        }],
    };
    vec![
        EventKind::History {
            releases: vec![release()],
        },
        EventKind::Previews {
            previews: vec![row],
        },
        as_event(status.clone(), StatusForm::default()),
        as_event(status, wide),
        EventKind::ReleaseDetails {
            release: Box::new(release()),
            recipes: vec![details],
        },
        EventKind::Comparison {
            from: s(),
            to: some(),
            recipes: vec![comparison],
        },
    ]
}

fn as_event(status: Status, form: StatusForm) -> EventKind {
    let status = Box::new(status);
    EventKind::Status { status, form }
}

fn every_text_of_a_preview(t: &str) -> PreviewRow {
    PreviewRow {
        environment: text(t),
        versions: vec![VersionRow {
            recipe: text(t),
            version: text(t),
        }],
        ..preview(t, 1, t, Some(t))
    }
}

fn preview(name: &str, running: usize, outcome: &str, prune: Option<&str>) -> PreviewRow {
    PreviewRow {
        preview: text(name),
        environment: format!("staging.{name}"),
        versions: vec![VersionRow {
            recipe: text("flask-nanoservice"),
            version: text("v2"),
        }],
        release: Some(ReleaseRow {
            outcome: text(outcome),
            by: text("ci@runner-1"),
            ..release()
        }),
        since: Some(at(0)),
        running,
        wanted: 2,
        prune: prune.map(text),
        severity: match running {
            0 => Severity::Bad,
            1 => Severity::Notable,
            _ => Severity::Good,
        },
    }
}

fn previews() -> EventKind {
    let mut two = preview("pr-41", 2, "succeeded", None);
    two.versions.push(VersionRow {
        recipe: text("worker"),
        version: text("v1"),
    });
    let mut unknown = preview(
        "feature-login",
        0,
        "succeeded",
        Some("beyond the limit of 3"),
    );
    (unknown.release, unknown.since) = (None, None);
    unknown.versions.clear();
    EventKind::Previews {
        previews: vec![
            preview("pr-42", 1, "failed", None),
            two,
            preview("pr-7", 2, "succeeded", Some("older than 7d")),
            unknown,
        ],
    }
}

#[test]
fn the_previews_at_every_width() {
    insta::assert_snapshot!(at_every_width("previews", &previews()));
}

#[test]
fn a_status_has_the_previews_below() {
    let EventKind::Previews { previews } = previews() else {
        panic!("they are");
    };
    let status = Status {
        previews,
        ..status()
    };
    let told = shown(Some(80), "status", &as_event(status, StatusForm::default()));
    insta::assert_snapshot!(told);
}

#[test]
fn the_history_at_every_width() {
    insta::assert_snapshot!(at_every_width("history", &history()));
}

#[test]
fn a_status_that_is_well_at_every_width() {
    let kind = as_event(status(), StatusForm::default());
    insta::assert_snapshot!(at_every_width("status", &kind));
}

#[test]
fn a_status_that_is_not_well_at_every_width() {
    let kind = as_event(unwell(), StatusForm::default());
    insta::assert_snapshot!(at_every_width("status", &kind));
}

#[test]
fn columns_that_say_nothing_are_left_out() {
    let mut plain = status();
    plain.instances = vec![running("web", "host-1", "1.27", at(0))];
    let told = shown(None, "status", &as_event(plain, StatusForm::default()));
    insta::assert_snapshot!(told, @r"
    RECIPE  HOST    VERSION  STATE    SINCE
    web     host-1  1.27     running  2 hours
    ");
}

#[test]
fn a_wide_status_is_cut_nowhere() {
    let form = StatusForm {
        is_wide: true,
        ..StatusForm::default()
    };
    let told = shown(Some(80), "status", &as_event(unwell(), form));
    assert_eq!(told, shown(None, "status", &as_event(unwell(), form)));
    insta::assert_snapshot!(told);
}

#[test]
fn a_status_that_is_drawn_anew_takes_the_place_of_the_one_before() {
    let form = StatusForm {
        redraws: true,
        ..StatusForm::default()
    };
    let page = Page::default();
    let mut reporter = wide_as(Some(80), page.clone());
    let again = |milliseconds| event(milliseconds, as_event(status(), form));
    play(&mut reporter, &[again(7_200_000), again(7_202_000)]);
    let text = page.text();
    let (first, second) = text.split_once("\x1b[4A\r\x1b[J").expect("drawn anew");
    assert_eq!(first, second);
}

#[test]
fn a_release_and_what_differs() {
    let details = RecipeDetails {
        recipe: text("flask-nanoservice"),
        hosts: vec![
            HostResult {
                host: text("host-1"),
                state: Some(text("serving (reverted)")),
            },
            HostResult {
                host: text("host-2"),
                state: None,
            },
        ],
        image: text("shipit-lab/flask-nanoservice:v2"),
        instances: 2,
        settings: vec![
            Setting {
                field: text("image"),
                value: text("shipit-lab/flask-nanoservice:v2 (sha256:0123456789ab)"),
            },
            Setting {
                field: text("env.A"),
                value: text("two\nlines"),
            },
        ],
    };
    let shown_release = EventKind::ReleaseDetails {
        release: Box::new(release()),
        recipes: vec![details],
    };
    let comparison = |change, differences| RecipeComparison {
        recipe: text("flask-nanoservice"),
        hosts: vec![text("host-1"), text("host-2")],
        change,
        differences,
    };
    let difference = Difference {
        field: text("image"),
        old: Some(text("web:1")),
        new: None,
    };
    let compared = EventKind::Comparison {
        from: text("r3"),
        to: None,
        recipes: vec![
            comparison(Comparison::Changed, vec![difference.clone()]),
            comparison(Comparison::Removed, vec![difference]),
            comparison(Comparison::Unknown, Vec::new()),
            comparison(Comparison::Same, Vec::new()),
        ],
    };
    let told = [
        at_every_width("show", &shown_release),
        at_every_width("diff", &compared),
    ];
    insta::assert_snapshot!(told.join("=====\n"));
}

/// Every field of the status is in its documentation.
#[test]
fn every_field_is_documented() {
    let docs = include_str!("../../../docs/commands.md");
    let section = |heading: &str| {
        let (_, rest) = docs
            .split_once(&format!("\n## {heading}\n"))
            .expect(heading);
        rest.split("\n## ").next().unwrap_or_default().to_owned()
    };
    let fields_of = |value: &serde_json::Value| -> Vec<String> {
        let object = value.as_object().expect("an object");
        object.keys().cloned().collect()
    };
    let status = serde_json::to_value(as_event(unwell(), StatusForm::default())).expect("JSON");
    let instance = &status["instances"][4];
    let fields = [&status, &status["lock"], instance, &instance["routes"][0]];
    for field in fields
        .into_iter()
        .flat_map(fields_of)
        .filter(|it| it != "event")
    {
        assert!(section("status").contains(&format!("`{field}`")), "{field}");
    }
    let release = serde_json::to_value(release()).expect("JSON");
    for field in fields_of(&release) {
        assert!(
            section("history").contains(&format!("`{field}`")),
            "{field}"
        );
    }
}
