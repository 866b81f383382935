//! What the readers of other tools' files share.

mod common;
mod settle;
mod size;
mod variables;
mod writer;

pub use self::{
    common::{labels, logging, named},
    settle::settle,
    size::{bytes, duration},
    variables::{Dialect, settled},
    writer::{CONTAINER, Writer, left_out},
};
