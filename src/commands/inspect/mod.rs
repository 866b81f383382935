//! Commands that show what there is. They change nothing and work with as many hosts as answer.

mod diff;
mod history;
mod logs;
pub mod previews;
mod releases;
mod show;
mod status;

pub use self::{
    diff::Diff, history::History, logs::Logs, previews::Previews, show::Show, status::Status,
};
