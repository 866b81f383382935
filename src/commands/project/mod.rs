//! Commands about the project's files and about shipit itself. They contact no host.

mod complete;
mod completions;
mod explain;
mod folder;
mod help;
mod init;
mod man;
mod schema;
mod validate;

pub use self::{
    complete::Complete, completions::Completions, explain::Explain, help::Help, init::Init,
    man::Man, schema::Schema, validate::Validate,
};
