//! The rules of `src/`: what `docs/ARCHITECTURE.md` says of its modules, no circle between files, and how
//! large a piece may be. Each rule has a file, and its test first sees the rule broken by an example.

mod circles;
mod example;
mod known;
mod names;
mod outside;
mod page;
mod read;
mod repository;
mod resolution;
mod rule;
mod sizes;
mod tree;
mod words;
