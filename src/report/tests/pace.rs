//! Readers that take their time. They are held by the test, so nothing here waits for a clock.

use std::{
    io::{self, Write},
    sync::{Arc, Condvar, Mutex, PoisonError},
};

use super::{
    recorded::{finished, prints, started, text},
    support::Page,
};
use crate::{
    event::{EventKind, Events, Outcome, OutputStream},
    report::{Masks, Verbosity, drive, json, log_file, plain},
};

/// A page whose reader is held until it is let go.
#[derive(Clone, Default)]
struct Paused {
    page: Page,
    is_read: Arc<(Mutex<bool>, Condvar)>,
}

impl Paused {
    fn read(&self) {
        *self
            .is_read
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = true;
        self.is_read.1.notify_all();
    }
}

impl Write for Paused {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let (is_read, changed) = &*self.is_read;
        let held = is_read.lock().unwrap_or_else(PoisonError::into_inner);
        let _read = changed
            .wait_while(held, |is_read| !*is_read)
            .unwrap_or_else(PoisonError::into_inner);
        self.page.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Waits until the page has this text.
async fn until_it_has(page: &Page, text: &str) {
    while !page.text().contains(text) {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_reader_that_pauses_gets_every_line_and_the_log_does_not_wait_for_it() {
    const LINES: usize = 20_000;
    let (events, receiver) = Events::channel();
    let (terminal, log) = (Paused::default(), Page::default());
    let driving = tokio::spawn(drive(
        receiver,
        plain(terminal.clone(), io::sink(), Verbosity::Normal),
        Some(log_file(log.clone())),
        Masks::default(),
    ));
    events.send(started("exec", &["host-1"]));
    for number in 1..=LINES {
        let line = format!("line {number}.");
        events
            .output(text("host-1"), OutputStream::Stdout, line)
            .await;
    }
    events.send(finished(Outcome::Done, 1_000, None));

    until_it_has(&log, "ran on 1 host").await;
    assert!(log.text().contains("line 20000."));
    assert_eq!(terminal.page.text(), "", "its reader is paused");
    terminal.read();
    driving.await.expect("it ends");
    let shown = terminal.page.text();
    assert_eq!(shown.lines().count(), LINES);
    assert!(shown.ends_with("line 20000.\n"), "the last one too");
}

#[tokio::test]
async fn what_a_command_prints_waits_for_the_reader_and_a_rollout_does_not() {
    let (events, receiver) = Events::channel_with_room(1_000);
    let (terminal, log) = (Paused::default(), Page::default());
    let driving = tokio::spawn(drive(
        receiver,
        json(terminal.clone()),
        Some(log_file(log.clone())),
        Masks::default(),
    ));
    let printing = tokio::spawn({
        let events = events.clone();
        async move {
            for number in 1..=100 {
                let line = format!("line {number}.");
                events
                    .output(text("host-1"), OutputStream::Stdout, line)
                    .await;
            }
        }
    });
    until_it_has(&log, "line 3.").await;
    for number in 1..=10_000 {
        let message = format!("note {number}.");
        events.send(EventKind::Note { message });
    }
    until_it_has(&log, "note 10000.").await;
    assert!(!log.text().contains("line 4."), "there is no room for it");
    assert!(!printing.is_finished());

    terminal.read();
    printing.await.expect("it ends");
    events.send(finished(Outcome::Done, 1_000, None));
    driving.await.expect("it ends");
    let lines = terminal.page.text().lines().count();
    assert_eq!(lines, 100 + 10_000 + 1);
}

#[tokio::test]
async fn the_last_event_is_the_end_whoever_could_still_send() {
    let (events, receiver) = Events::channel();
    let page = Page::default();
    // As a question on the terminal does that nobody answers.
    let asking = events.clone();
    events.send(prints("host-1", OutputStream::Stdout, "a line"));
    events.send(finished(Outcome::Interrupted, 1_000, None));
    drive(receiver, json(page.clone()), None, Masks::default()).await;
    assert_eq!(page.text().lines().count(), 2);
    drop(asking);
}
