//! Where a section keeps the value of one key.

use super::from_toml::FromToml;
use crate::diagnostic::{Located, Place};

/// The place of one key's value in a section: an `Option` for a key without a default, else [`Defaulted`].
pub trait Slot: Sized {
    /// The kind of value that the key takes.
    type Value: FromToml;

    /// Puts in what was read.
    fn put(&mut self, read: Option<Located<Self::Value>>);

    /// What the file says.
    fn written(&self) -> Option<&Located<Self::Value>>;

    /// This one, or `base` where it says nothing.
    #[must_use]
    fn over(self, base: Self) -> Self;
}

impl<T: FromToml> Slot for Option<Located<T>> {
    type Value = T;

    fn put(&mut self, read: Option<Located<T>>) {
        *self = read;
    }

    fn written(&self) -> Option<&Located<T>> {
        self.as_ref()
    }

    fn over(self, base: Self) -> Self {
        self.or(base)
    }
}

/// The value of a key that has a default.
#[derive(Debug, Clone)]
pub struct Defaulted<T> {
    written: Option<Located<T>>,
    default: T,
}

impl<T> Defaulted<T> {
    /// Nothing is written yet.
    pub fn new(default: T) -> Self {
        Self {
            written: None,
            default,
        }
    }

    /// What the file says, else the default.
    pub fn value(&self) -> &T {
        self.written
            .as_ref()
            .map_or(&self.default, |written| &written.value)
    }

    /// What the file says.
    pub fn written(&self) -> Option<&Located<T>> {
        self.written.as_ref()
    }

    /// Where the file says it, if it does.
    pub fn place(&self) -> Option<&Place> {
        self.written.as_ref().map(|written| &written.place)
    }
}

impl<T: FromToml> Slot for Defaulted<T> {
    type Value = T;

    fn put(&mut self, read: Option<Located<T>>) {
        self.written = read;
    }

    fn written(&self) -> Option<&Located<T>> {
        self.written.as_ref()
    }

    fn over(self, base: Self) -> Self {
        Self {
            written: self.written.or(base.written),
            default: self.default,
        }
    }
}

/// A value that means the same in every project and on every host.
pub trait Plain<M> {
    /// What it means.
    fn meaning(&self) -> M;
}

/// What a key means where no file says anything.
pub trait Unwritten<M> {
    /// The default's meaning; nothing or empty for a key without a default.
    fn unwritten(&self) -> M;
}

impl<T, M: Default> Unwritten<M> for Option<Located<T>> {
    fn unwritten(&self) -> M {
        M::default()
    }
}

impl<T: Plain<M>, M> Unwritten<M> for Defaulted<T> {
    fn unwritten(&self) -> M {
        self.default.meaning()
    }
}
