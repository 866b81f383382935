//! Whole deploys on hosts that are in this process.

mod lost_lock;
mod refused_preview;
