//! YAML as a tree whose every node knows its place, with aliases and merge keys resolved and a limit on what they make.

mod build;
mod node;
mod parse;

pub use self::{
    node::{Key, Map, Node, Value},
    parse::parse,
};
