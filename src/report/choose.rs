//! Which reporter shows a run, and what it writes to.

use std::{
    io::{self, Write},
    sync::Arc,
};

use console::Term;

use super::{
    bars::Bars,
    json::Json,
    lines::LineOptions,
    log_file::LogFile,
    options::{Choice, Output, Verbosity},
    plain::Plain,
    reporter::BoxedReporter,
    sink::Stdout,
    text::Colour,
};

/// The reporter for this process's standard output and standard error. `on_error` gets the
/// first error of writing to standard output, such as that its reader has gone.
pub fn for_terminal(
    choice: Choice,
    on_error: impl FnOnce(io::Error) + Send + 'static,
) -> BoxedReporter {
    let Choice {
        output,
        verbosity,
        colour,
        spares_stdout,
    } = choice;
    let term = Term::buffered_stderr();
    let can_draw = term.is_term() && !console::is_dumb();
    // Quiet shows no progress, so it has nothing to draw.
    let draws = can_draw && verbosity != Verbosity::Quiet;
    // What is shown on a terminal fits it; in a pipe nothing is cut.
    let stdout = Term::stdout();
    let screen = stdout.is_term().then(|| stdout.size_checked()).flatten();
    let options = LineOptions {
        level: verbosity.into(),
        with_bars: false,
        out: if spares_stdout {
            colour.of_stderr()
        } else {
            colour.of_stdout()
        },
        err: colour.of_stderr(),
        width: screen.map(|(_, columns)| columns.into()),
        height: screen.map(|(rows, _)| rows.into()),
    };
    let out: Box<dyn Write + Send> = if spares_stdout {
        Box::new(io::stderr())
    } else {
        Box::new(Stdout {
            on_error: Some(Box::new(on_error)),
        })
    };
    let err = Box::new(io::stderr());
    match output {
        Output::Json => json(out),
        Output::Auto | Output::Bars if draws => {
            Box::new(Bars::new(Arc::new(term), out, err, options))
        }
        Output::Auto | Output::Bars | Output::Plain => Box::new(Plain::new(out, err, options)),
    }
}

/// Plain lines without colours: results to `out`, everything else to `err`.
pub fn plain(
    out: impl Write + Send + 'static,
    err: impl Write + Send + 'static,
    verbosity: Verbosity,
) -> BoxedReporter {
    let options = LineOptions {
        level: verbosity.into(),
        with_bars: false,
        out: Colour::Never.of_stdout(),
        err: Colour::Never.of_stderr(),
        width: None,
        height: None,
    };
    Box::new(Plain::new(Box::new(out), Box::new(err), options))
}

/// One event a line, exactly as serde writes it, flushed line by line.
pub fn json(out: impl Write + Send + 'static) -> BoxedReporter {
    Box::new(Json::new(Box::new(out)))
}

/// Everything, always, each line with its time in UTC.
pub fn log_file(out: impl Write + Send + 'static) -> BoxedReporter {
    Box::new(LogFile::new(Box::new(out)))
}
