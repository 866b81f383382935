//! What the readers of other tools' files share.

mod common;
mod image;
mod settle;
mod size;
mod variables;
mod writer;

pub use self::{
    common::{labels, logging, named},
    image::{checked, image},
    settle::{settle, unwritten},
    size::{bytes, duration},
    variables::{Dialect, settled},
    writer::{CONTAINER, Writer, left_out},
};
