//! The files of a new project, as text: made from what was asked for, or from another tool's file. Nothing here asks, or
//! writes into the project.

mod check;
mod compose;
mod convert;
mod document;
mod foreign;
mod fresh;
mod kamal;
mod project;
mod stack;
mod yaml;

pub use self::{
    check::check,
    convert::unwritten,
    foreign::{Beside, Foreign},
    fresh::{Answers, Host, Recipe, fresh},
    project::{Draft, NewFile, write},
    stack::{Stack, stack},
};
