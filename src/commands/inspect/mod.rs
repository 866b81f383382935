//! Commands that show what there is. They change nothing and work with as many hosts as answer.

mod history;
mod logs;
mod status;

pub use self::{history::History, logs::Logs, status::Status};
