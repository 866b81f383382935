//! What the kinds of values mean on a host.

use std::collections::BTreeMap;

use super::resolver::{Resolver, is_unresolved};
use crate::{
    config::{
        slot::{Defaulted, Plain},
        values::{self, Line, Script, Text, Word},
    },
    diagnostic::{Located, Place, Problem},
    model::{
        Count, ImageSource, Order, Percentage, Ready, RolloutPolicy, Scheme, SecretNames, Template,
    },
};

/// A kind of value that means something on a host.
pub(in super::super) trait Resolve<M> {
    /// What it means there. A mistake is reported, and something stands in for its meaning.
    fn resolve(&self, place: &Place, resolver: &mut Resolver<'_>) -> M;
}

/// What a value means on a host.
pub(in super::super) fn meaning<T: Resolve<M>, M>(
    found: &Located<T>,
    resolver: &mut Resolver<'_>,
) -> M {
    found.value.resolve(&found.place, resolver)
}

impl<T: Resolve<M>, M> Resolve<Vec<M>> for Vec<Located<T>> {
    fn resolve(&self, _: &Place, resolver: &mut Resolver<'_>) -> Vec<M> {
        self.iter().map(|item| meaning(item, resolver)).collect()
    }
}

impl Resolve<String> for Text {
    fn resolve(&self, place: &Place, resolver: &mut Resolver<'_>) -> String {
        resolver.text(&self.0, place)
    }
}

impl Resolve<String> for Line {
    fn resolve(&self, place: &Place, resolver: &mut Resolver<'_>) -> String {
        resolver.line(&self.0, place)
    }
}

impl Resolve<Template> for Script {
    fn resolve(&self, place: &Place, resolver: &mut Resolver<'_>) -> Template {
        resolver.command(&self.0, place)
    }
}

impl Resolve<Template> for Word {
    fn resolve(&self, place: &Place, resolver: &mut Resolver<'_>) -> Template {
        resolver.word(&self.0, place)
    }
}

impl Resolve<u16> for values::Instances {
    fn resolve(&self, place: &Place, resolver: &mut Resolver<'_>) -> u16 {
        let written = match self {
            Self::Number(number) => return *number,
            Self::Template(text) => text,
        };
        let text = resolver.text(written, place);
        if is_unresolved(written, &text) {
            return 1;
        }
        if let Some(number) = Self::number(&text) {
            return number;
        }
        let label = format!("expected 1 to {}{}", u16::MAX, resolver.on_host());
        resolver.problems.push(
            Problem::error(format!("{text:?} is not a number of instances"))
                .at(place, label)
                .hint("a host where none is to run is left out of the recipe's `hosts`"),
        );
        1
    }
}

macro_rules! plain {
    ($($type:ty => $meant:ty,)*) => {$(
        impl Resolve<$meant> for $type {
            fn resolve(&self, _: &Place, _: &mut Resolver<'_>) -> $meant {
                self.meaning()
            }
        }
    )*};
}
plain! {
    u16 => u16,
    values::Count => Count,
    values::ImageSource => ImageSource,
    values::Order => Order,
    values::Percentage => Percentage,
    values::Scheme => Scheme,
}

/// The value of a key, written or not.
pub(in super::super) trait Settle<M> {
    /// What it means on a host.
    fn settle(&self, resolver: &mut Resolver<'_>) -> M;
}

impl<T: Resolve<M::Written>, M: Absent> Settle<M> for Option<Located<T>> {
    fn settle(&self, resolver: &mut Resolver<'_>) -> M {
        M::of(self.as_ref().map(|found| meaning(found, resolver)))
    }
}

/// A meaning that a key without a default can have.
pub(in super::super) trait Absent {
    /// What it means where it is written.
    type Written;

    /// What it means, written or not.
    fn of(written: Option<Self::Written>) -> Self;
}

impl<M> Absent for Option<M> {
    type Written = M;

    fn of(written: Option<M>) -> Self {
        written
    }
}

macro_rules! empty_when_absent {
    ($(<$($generic:ident),*> $type:ty,)*) => {$(
        impl<$($generic),*> Absent for $type {
            type Written = Self;

            fn of(written: Option<Self>) -> Self {
                written.unwrap_or_default()
            }
        }
    )*};
}
empty_when_absent! {
    <> String,
    <> ImageSource,
    <> Ready,
    <> RolloutPolicy,
    <> SecretNames,
    <M> Vec<M>,
    <K, M> BTreeMap<K, M>,
}

impl<T: Plain<M>, M> Settle<M> for Defaulted<T> {
    fn settle(&self, _: &mut Resolver<'_>) -> M {
        self.value().meaning()
    }
}

/// What a table means on a host, key by key. Goes with `model::keys`.
macro_rules! resolved {
    (
        $(#[doc = $about:literal])*
        $called:literal $section:ident $(in $hash:ident)? {
            $($(#[$attribute:meta])* $field:ident: $type:ty => $meant:ty,)*
        }
        $(beside { $($beside:tt)* })?
        as $name:ident
    ) => {
        impl $crate::model::load::scope::Resolve<$name> for $section {
            fn resolve(
                &self,
                _: &$crate::diagnostic::Place,
                resolver: &mut $crate::model::load::scope::Resolver<'_>,
            ) -> $name {
                #[allow(clippy::needless_update, reason = "some have further fields")]
                $name {
                    $(
                        $field: $crate::model::load::scope::Settle::<$meant>::settle(&self.$field, resolver),
                    )*
                    ..$name::default()
                }
            }
        }
    };
}
pub(in super::super) use resolved;
