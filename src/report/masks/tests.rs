//! Secrets in texts: whole, encoded, and cut wherever a text may be cut.

use base64ct::{Base64Unpadded, Encoding};
use proptest::prelude::*;

use super::*;
use crate::{
    event::{ErrorReport, EventKind, Evidence, Outcome, OutputStream},
    text::{LONGEST_LINE, Tail, cut, cut_front, cut_line},
};

#[test]
fn every_form_of_a_secret_is_masked() {
    let masks = Masks::new([
        "hunter2",
        "hunter2-long",
        "a\"quote",
        "p@ss/wörd&1",
        "line one\nline two\n}",
    ]);
    for (text, masked) in [
        ("nothing here", "nothing here"),
        ("password=hunter2;", "password=***;"),
        ("hunter2-long and hunter2", "*** and ***"),
        (r#"{"v":"a\"quote"}"#, r#"{"v":"***"}"#),
        (r#"{"v":"p@ss\/w\u00f6rd\u00261"}"#, r#"{"v":"***"}"#),
        ("?p=p%40ss%2Fw%C3%B6rd%261&q", "?p=***&q"),
        ("line%20one or line+one", "*** or ***"),
        ("Basic dXNlcjpodW50ZXIy", "Basic dXNlcjp***"),
        ("  line two", "  ***"),
        ("}", "}"),
        ("hun\x1b[31mter2", "***"),
    ] {
        assert_eq!(masks.mask(text), masked, "{text:?}");
    }
}

#[test]
fn what_an_answer_that_was_cut_has_of_a_secret_is_masked() {
    let secret: String = ('a'..='z').cycle().take(300).collect();
    let masks = Masks::new([&secret]);
    let shown = format!(
        "GET / answered 500: {} (a hint)",
        cut(&format!("no login with {secret}"), 200)
    );
    assert_eq!(
        masks.mask(&shown),
        "GET / answered 500: no login with ***… (a hint)"
    );
}

#[test]
fn overlapping_secrets_leave_no_half() {
    assert_eq!(
        Masks::new(["abcdef", "defghi"]).mask("<abcdefghi>"),
        "<***>"
    );
}

#[test]
fn a_secret_may_come_later_and_short_ones_are_none() {
    let masks = Masks::default();
    let clone = masks.clone();
    masks.add("s3cret");
    masks.add("abc");
    assert_eq!(clone.mask("s3cret abc"), "*** abc");
    assert!(!format!("{masks:?}").contains("s3cret"));
}

#[test]
fn a_short_line_of_a_secret_is_masked_where_it_is_a_line() {
    let masks = Masks::new(["first\nabc\nx9\n}\n"]);
    let evidence = |text: &str| vec![text.to_owned()];
    let shown = |line: &str| {
        let at = jiff::Timestamp::UNIX_EPOCH;
        let output = EventKind::Output {
            host: "x9".into(),
            container: None,
            stream: OutputStream::Stdout,
            line: line.into(),
        };
        let failed = EventKind::Finished {
            outcome: Outcome::Failed,
            took: std::time::Duration::ZERO,
            error: Some(ErrorReport {
                evidence: vec![Evidence {
                    title: "x9".into(),
                    lines: evidence(line),
                }],
                ..ErrorReport::default()
            }),
        };
        [output, failed].map(|kind| {
            let mut event = Event { at, kind };
            masks.mask_event(&mut event);
            match event.kind {
                EventKind::Output { host, line, .. } => (host, line),
                EventKind::Finished { error, .. } => {
                    let mut evidence = error.expect("an error").evidence.remove(0);
                    (evidence.title, evidence.lines.remove(0))
                }
                other => panic!("{other:?}"),
            }
        })
    };
    for (line, masked) in [
        ("  x9", "***"),
        ("0x9f", "0x9f"),
        ("}", "}"),
        ("an abcd", "an ***d"),
    ] {
        for (name, shown) in shown(line) {
            assert_eq!((name.as_str(), shown.as_str()), ("x9", masked), "{line}");
        }
    }
}

/// What stands for each character of a secret in a text.
type Encode = fn(char) -> String;

fn in_url(character: char) -> String {
    let mut buffer = [0; 4];
    let bytes = character.encode_utf8(&mut buffer).bytes();
    match character {
        'a'..='z' | 'A'..='Z' => character.to_string(),
        _ => bytes.fold(String::new(), |all, byte| all + &format!("%{byte:02x}")),
    }
}

fn in_json(character: char) -> String {
    let quoted = serde_json::Value::from(character.to_string()).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

fn in_ascii_json(character: char) -> String {
    let mut units = [0; 2];
    match character {
        'a'..='z' | 'A'..='Z' => character.to_string(),
        _ => character
            .encode_utf16(&mut units)
            .iter()
            .fold(String::new(), |all, unit| all + &format!("\\u{unit:04x}")),
    }
}

/// Everything that shortens a text, by a number that says where.
fn every_cut(text: &str, at: usize) -> Vec<String> {
    let characters = text.chars().count();
    let bytes = text.len();
    let mut tail = Tail::default();
    let filled = format!(
        "{text}{}",
        "0".repeat((4096 + at % (bytes + 1)).saturating_sub(bytes))
    );
    tail.add(filled.as_bytes());
    vec![
        cut(text, at % (characters + 1)),
        cut_front(text, at % (bytes + 1)),
        cut(
            &cut_front(text, at % (bytes + 1)),
            (at / 7) % (characters + 1),
        ),
        tail.into_text(),
    ]
}

#[test]
fn a_line_that_is_too_long_hides_the_secret_at_its_cut() {
    let masks = Masks::new(["hunter2hunter3"]);
    for (at, shown) in [
        (1, "h"),
        (3, "hun"),
        (4, "***"),
        (9, "***"),
        (13, "***"),
        (14, "***"),
    ] {
        let line = format!("{}hunter2hunter3 and more", "0".repeat(LONGEST_LINE - at));
        let masked = masks.mask(&cut_line(&line)).replace('0', "");
        assert!(masked.starts_with(&format!("{shown}…")), "{masked}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn no_cut_shows_more_of_a_secret_than_three_characters(
        secret in r#"[a-zA-Z][a-zA-Z/+&" \\é%=:😀]{4,40}[a-zA-Z]"#,
        before in "[0-9 ]{0,6}",
        after in "[0-9 ]{0,6}",
        at in 0_usize..10_000,
    ) {
        let masks = Masks::new([&secret]);
        for encode in [|it: char| it.to_string(), in_url, in_json, in_ascii_json] as [Encode; 4] {
            let units: Vec<_> = secret.chars().map(encode).collect();
            let text = format!("{before}{}{after}", units.concat());
            // What is around it may look the same.
            let around = format!("{before}\0{after}");
            for shown in every_cut(&text, at).into_iter().chain([text.clone()]) {
                let masked = masks.mask(&shown);
                for window in units.windows(4) {
                    if around.contains(&window.concat()) {
                        continue;
                    }
                    prop_assert!(!masked.contains(&window.concat()), "{window:?} in {} of {}", masked.replace("00", ""), shown.replace("00", ""));
                }
            }
        }
        let text = Base64Unpadded::encode_string(format!("{before}{secret}{after}").as_bytes());
        // Without the letters at both ends that are made of other characters, too.
        let known = Base64Unpadded::encode_string(secret.as_bytes());
        let start = (8 * before.len()).div_ceil(6);
        let known = &text[start..(8 * (before.len() + secret.len()) / 6).max(start).min(text.len()).min(start + known.len())];
        let around = format!("{before}{}{after}", "\0".repeat(secret.len()));
        let around = Base64Unpadded::encode_string(around.as_bytes());
        for shown in every_cut(&text, at).into_iter().chain([text.clone()]) {
            let masked = masks.mask(&shown);
            for window in known.as_bytes().windows(4) {
                let window = std::str::from_utf8(window).expect("letters");
                if around.contains(window) {
                    continue;
                }
                prop_assert!(!masked.contains(window), "{window:?} in {} of {}", masked.replace("00", ""), shown.replace("00", ""));
            }
        }
    }
}
