//! `shipit complete`: what the scripts of the shells ask, so help leaves it out.

use std::{ffi::OsString, path::Path};

use clap::Args;

use crate::{
    commands::{
        command::{Needs, OfflineCommand},
        completion,
        global::Global,
    },
    diagnostic::Problems,
    event::Outcome,
    terminal,
};

/// Print what may stand at the end of a command line, for the completions of shells
#[derive(Debug, Args)]
pub struct Complete {
    /// The words behind `shipit`, the last one up to the cursor
    #[arg(last = true, value_name = "WORD")]
    pub words: Vec<OsString>,
}

impl OfflineCommand for Complete {
    const NAME: &'static str = "complete";
    const NEEDS: Needs = Needs::NO_HOST;
    const HIDDEN: bool = true;

    fn run(self, _: &Global, program: &clap::Command) -> Result<Outcome, Problems> {
        terminal::print(&completion::complete(program, &self.words, Path::new(".")));
        Ok(Outcome::NothingToDo)
    }
}
