//! The person at the terminal: questions and passphrases, what is printed beside the reporters, and who it
//! is.

mod question;
mod streams;
mod who;

pub use self::{
    question::Terminal,
    streams::{
        is_interactive, note, print, show_problems, stderr_is_terminal, stdin_is_terminal,
        stdout_is_terminal, stdout_width, trace,
    },
    who::{git_revision, who},
};
