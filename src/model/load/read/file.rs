//! A file that cannot be read.

use crate::diagnostic::Problem;

/// A mistake in reading a file, in the words of the operating system.
pub(in super::super) fn unreadable(name: &str, error: &std::io::Error) -> Problem {
    let why = if error.kind() == std::io::ErrorKind::InvalidData {
        "it is not UTF-8 text".to_owned()
    } else {
        error.to_string()
    };
    Problem::error(format!("cannot read `{name}`: {why}"))
}
