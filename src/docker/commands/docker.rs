//! The program itself.

use crate::command::RemoteCommand;

/// `docker` with these words.
pub(super) fn docker(words: &[&str]) -> RemoteCommand {
    RemoteCommand::new("docker").args(words.iter().copied())
}
