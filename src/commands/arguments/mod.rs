//! Arguments that several commands take, each declared once.

mod kind;
pub mod value;

use std::time::Duration;

use clap::Args;

pub use kind::Kind;

use crate::model::{Name, Overrides, PreviewName};

/// An environment that may be left out.
#[derive(Debug, Args)]
pub struct DefaultEnvironment {
    /// The environment [default: the only one, or the one with `default = true`]
    #[arg(value_name = "ENV", add = Kind::Environment)]
    pub environment: Option<Name>,
}

impl DefaultEnvironment {
    /// The one that was named.
    pub fn name(&self) -> Option<&Name> {
        self.environment.as_ref()
    }
}

/// A preview of the environment. Every command on hosts takes it that is about what runs there.
#[derive(Debug, Args)]
pub struct Preview {
    /// A preview of the environment, such as `pr-42`
    #[arg(long = "as", value_name = "NAME")]
    pub preview: Option<PreviewName>,
}

/// Which hosts of an environment.
#[derive(Debug, Args)]
pub struct Limit {
    /// Only these hosts and groups
    #[arg(long, value_name = "HOST|GROUP", value_delimiter = ',', add = Kind::HostOrGroup)]
    pub limit: Vec<String>,
}

/// What a release is for.
#[derive(Debug, Args)]
pub struct Message {
    /// What it is for, in a line that `shipit history` shows
    #[arg(short, long, value_name = "TEXT", value_parser = value::message)]
    pub message: Option<String>,
}

/// Whether to queue for the environment's lock.
#[derive(Debug, Args)]
pub struct Wait {
    /// Wait so long for the lock while another run has it [default: not at all]
    #[arg(long, value_name = "TIME", value_parser = value::duration)]
    pub wait: Option<Duration>,
}

impl Wait {
    /// How long.
    pub fn time(&self) -> Duration {
        self.wait.unwrap_or_default()
    }
}

/// Variables that the command line sets.
#[derive(Debug, Args)]
pub struct Variables {
    /// Set a variable, overriding all files; may be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = value::assignment, add = Kind::Var)]
    pub set: Vec<(String, String)>,
}

impl Variables {
    /// What stands above the files.
    pub fn overrides(&self) -> Overrides {
        Overrides {
            set: self.set.clone(),
            for_several: false,
        }
    }
}
