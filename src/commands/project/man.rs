//! `shipit man`: for packagers, so help leaves it out.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::folder;
use crate::{
    commands::{
        command::{Needs, OfflineCommand},
        global::Global,
    },
    diagnostic::Problems,
    event::Outcome,
};

/// Write the manual pages, for packages
#[derive(Debug, Args)]
pub struct Man {
    /// Where to
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub into: PathBuf,
}

impl OfflineCommand for Man {
    const NAME: &'static str = "man";
    const NEEDS: Needs = Needs {
        changes: "files in the folder",
        ..Needs::NO_HOST
    };
    const HIDDEN: bool = true;

    fn run(self, _: &Global, program: &clap::Command) -> Result<Outcome, Problems> {
        folder::fill(&self.into, || {
            clap_mangen::generate_to(program.clone(), &self.into)
        })?;
        Ok(Outcome::Done)
    }
}
