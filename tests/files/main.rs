//! What a user gets to see for the files of a project: the environment, or every mistake with its place.
//!
//! Each snapshot is the whole of what is shown. `INSTA_UPDATE=always cargo test --test files` renews them.

mod design;
mod docker_words;
mod docs;
mod environments;
mod generated;
mod inventories;
mod limits;
mod literal;
mod previews;
mod project;
mod recipes;
mod shape;
mod spec_hashes;
mod templates;
