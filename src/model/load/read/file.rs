//! A file that cannot be read.

use std::{io::ErrorKind, path::Path};

use crate::{diagnostic::Problem, files};

/// A mistake in reading a file, in the words of the operating system.
pub(in super::super) fn unreadable(name: &str, error: &std::io::Error) -> Problem {
    let why = if error.kind() == ErrorKind::InvalidData {
        "it is not UTF-8 text".to_owned()
    } else {
        error.to_string()
    };
    Problem::error(format!("cannot read `{name}`: {why}"))
}

/// A mistake where a path that the user calls `name` leads to no file.
pub(in super::super) fn expect_file(name: &str, path: &Path) -> Option<Problem> {
    let error = files::expect_file(path).err()?;
    Some(if error.kind() == ErrorKind::NotFound {
        Problem::error(format!("no file `{name}`"))
    } else {
        unreadable(name, &error)
    })
}
