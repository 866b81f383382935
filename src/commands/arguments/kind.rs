//! What the value of an argument names, for the completions of the shells.

use clap::builder::ArgExt;

/// What a value names. An argument says it by `add = Kind::…`; the rest is in `commands/completion/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An environment.
    Environment,
    /// A recipe.
    Recipe,
    /// A recipe with a container.
    ContainerRecipe,
    /// A recipe that has only commands.
    CommandRecipe,
    /// A recipe whose container is an accessory.
    Accessory,
    /// A host.
    Host,
    /// A host or a group of hosts.
    HostOrGroup,
    /// A var, with `=` and its value behind it.
    Var,
    /// A release.
    Release,
    /// A key or a table of the files.
    Key,
    /// A sealed secret.
    Secret,
}

impl ArgExt for Kind {}
