//! The files of a new project, as text: made from what was asked for. Nothing here asks, or writes into the project.

mod check;
mod document;
mod fresh;
mod project;
mod stack;

pub use self::{
    check::check,
    fresh::{Answers, Host, Recipe, fresh},
    project::{Draft, NewFile, write},
    stack::consul,
};
