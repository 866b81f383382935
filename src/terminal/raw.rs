//! The terminal as a remote command's: every key goes there, and its size and modes are told.

use std::{
    io::{self, IsTerminal as _, Stdin},
    time::Duration,
};

use rustix::termios::{
    InputModes, LocalModes, OptionalActions, OutputModes, SpecialCodeIndex, Termios, tcgetattr,
    tcgetwinsize, tcsetattr,
};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::mpsc,
};

use crate::transport::{PseudoTerminal, WindowSize};

/// Whether a remote command can have this terminal: a person types into it and sees what is printed.
pub fn is_for_a_remote_command() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal()
}

/// The terminal in raw mode for as long as this lives: it hands every key over as it is, Ctrl-C too. Also a panic and
/// an early return give it back as it was.
pub struct RawMode {
    terminal: Stdin,
    before: Termios,
}

impl RawMode {
    /// Begins it, on the terminal of standard input.
    pub fn begin() -> io::Result<Self> {
        let terminal = io::stdin();
        let before = tcgetattr(&terminal)?;
        let mut raw = before.clone();
        raw.make_raw();
        tcsetattr(&terminal, OptionalActions::Now, &raw)?;
        Ok(Self { terminal, before })
    }

    /// What a server needs to make a terminal like this one.
    pub fn pseudo_terminal(&self) -> PseudoTerminal {
        let term = std::env::var("TERM").ok().filter(|term| !term.is_empty());
        PseudoTerminal {
            term: term.unwrap_or_else(|| "dumb".to_owned()),
            size: size(),
            modes: modes(&self.before),
        }
    }
}

impl Drop for RawMode {
    fn drop(&mut self) {
        // A terminal that has gone away has nothing to restore.
        let _ = tcsetattr(&self.terminal, OptionalActions::Now, &self.before);
    }
}

/// The terminal's size now.
fn size() -> WindowSize {
    let size = tcgetwinsize(io::stdin()).ok();
    let size = size.filter(|size| size.ws_col > 0 && size.ws_row > 0);
    size.map_or(
        WindowSize {
            columns: 80,
            rows: 24,
        },
        |size| WindowSize {
            columns: size.ws_col.into(),
            rows: size.ws_row.into(),
        },
    )
}

/// The sizes that the terminal gets from now on.
pub fn sizes() -> io::Result<mpsc::Receiver<WindowSize>> {
    let mut changes = signal(SignalKind::window_change())?;
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(async move {
        while changes.recv().await.is_some() {
            // Whoever drags a window's corner changes it many times.
            tokio::time::sleep(Duration::from_millis(20)).await;
            if sender.send(size()).await.is_err() {
                return;
            }
        }
    });
    Ok(receiver)
}

/// The modes by the numbers of RFC 4254, section 8: those that a person can tell. What is not told has the server's
/// default.
fn modes(terminal: &Termios) -> Vec<(u8, u32)> {
    let codes = [
        (1, SpecialCodeIndex::VINTR),
        (2, SpecialCodeIndex::VQUIT),
        (3, SpecialCodeIndex::VERASE),
        (4, SpecialCodeIndex::VKILL),
        (5, SpecialCodeIndex::VEOF),
        (8, SpecialCodeIndex::VSTART),
        (9, SpecialCodeIndex::VSTOP),
        (10, SpecialCodeIndex::VSUSP),
        (12, SpecialCodeIndex::VREPRINT),
        (13, SpecialCodeIndex::VWERASE),
        (14, SpecialCodeIndex::VLNEXT),
    ];
    let input = [
        (36, InputModes::ICRNL),
        (38, InputModes::IXON),
        (39, InputModes::IXANY),
        (42, InputModes::IUTF8),
    ];
    let local = [
        (50, LocalModes::ISIG),
        (51, LocalModes::ICANON),
        (53, LocalModes::ECHO),
        (54, LocalModes::ECHOE),
        (55, LocalModes::ECHOK),
        (59, LocalModes::IEXTEN),
        (60, LocalModes::ECHOCTL),
        (61, LocalModes::ECHOKE),
    ];
    let output = [(70, OutputModes::OPOST), (72, OutputModes::ONLCR)];
    let codes = codes.map(|(number, code)| (number, terminal.special_codes[code].into()));
    let input = input.map(|(number, mode)| (number, terminal.input_modes.contains(mode).into()));
    let local = local.map(|(number, mode)| (number, terminal.local_modes.contains(mode).into()));
    let output = output.map(|(number, mode)| (number, terminal.output_modes.contains(mode).into()));
    codes
        .into_iter()
        .chain(input)
        .chain(local)
        .chain(output)
        .collect()
}
