//! Completions, as the shells show them: what was typed, and what came of it.
//!
//! The shells must be there (`lab/requirements` installs them); nothing is skipped.

mod bash;
mod fish;
mod project;
mod terminal;
mod words;
mod zsh;
