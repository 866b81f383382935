//! The person at the terminal: questions and passphrases, what is printed beside the reporters, and who it
//! is.

mod question;
mod raw;
mod streams;
mod who;

pub use self::{
    question::Terminal,
    raw::{RawMode, is_for_a_remote_command, sizes},
    streams::{
        is_interactive, note, print, show_problems, stderr_is_terminal, stdin_is_terminal,
        stdout_is_terminal, stdout_width, trace,
    },
    who::{git_revision, who},
};
