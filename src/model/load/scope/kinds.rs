//! What the kinds of values mean on a host.

use super::resolver::Resolver;
use crate::{
    config::{
        slot::{Defaulted, Plain},
        values::{self, Line, Script, Text},
    },
    diagnostic::{Located, Place},
    model::{Count, ImageSource, Order, Template},
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

impl<T: Resolve<M>, M> Resolve<Option<M>> for T {
    fn resolve(&self, place: &Place, resolver: &mut Resolver<'_>) -> Option<M> {
        Some(self.resolve(place, resolver))
    }
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
}

/// The value of a key, written or not.
pub(in super::super) trait Settle<M> {
    /// What it means on a host.
    fn settle(&self, resolver: &mut Resolver<'_>) -> M;
}

impl<T: Resolve<M>, M: Default> Settle<M> for Option<Located<T>> {
    fn settle(&self, resolver: &mut Resolver<'_>) -> M {
        self.as_ref()
            .map(|found| meaning(found, resolver))
            .unwrap_or_default()
    }
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
