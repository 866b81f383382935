//! What a reporter writes to in tests: pages and screens in memory.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex, PoisonError},
};

use indicatif::{InMemoryTerm, TermLike};

use crate::{
    event::Event,
    report::{BoxedReporter, Colour, Verbosity, bars::Bars, lines::LineOptions, plain::Plain},
};

/// A writer whose text can be read afterwards.
#[derive(Debug, Clone, Default)]
pub(super) struct Page(Arc<Mutex<Vec<u8>>>);

impl Page {
    pub(super) fn text(&self) -> String {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut page = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        page.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Shows the events, with a tick before each.
pub(super) fn play(reporter: &mut BoxedReporter, events: &[Event]) {
    for event in events {
        reporter.tick(event.at);
        reporter.event(event);
    }
}

/// Standard output and standard error when both are the terminal.
#[derive(Debug)]
struct OnScreen(InMemoryTerm);

impl Write for OnScreen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes).replace('\n', "\r\n");
        self.0.write_str(&text)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

pub(super) fn options(verbosity: Verbosity, colour: Colour) -> LineOptions {
    LineOptions {
        level: verbosity.into(),
        with_bars: true,
        out: colour.of_stdout(),
        err: colour.of_stderr(),
        width: None,
        height: None,
    }
}

/// Plain lines whose standard output is a terminal of so many columns, or a pipe.
pub(super) fn wide_as(columns: Option<usize>, out: Page) -> BoxedReporter {
    let options = LineOptions {
        with_bars: false,
        width: columns,
        height: columns.map(|_| 24),
        ..options(Verbosity::Normal, Colour::Never)
    };
    Box::new(Plain::new(
        Box::new(out),
        Box::new(Page::default()),
        options,
    ))
}

/// Bars on a screen of this size.
pub(super) fn bars(rows: u16, columns: u16, verbosity: Verbosity) -> (BoxedReporter, InMemoryTerm) {
    let screen = InMemoryTerm::new(rows, columns);
    let bars = Bars::new(
        Arc::new(screen.clone()),
        Box::new(OnScreen(screen.clone())),
        Box::new(OnScreen(screen.clone())),
        LineOptions {
            width: Some(columns.into()),
            height: Some(rows.into()),
            ..options(verbosity, Colour::Never)
        },
    );
    (Box::new(bars), screen)
}
