//! The types of what tables of the files mean, made from the declarations of their keys.

/// The struct of what a table means, one field for each key that has a meaning; its `Default` is what holds
/// where nothing is written. Further fields go between the braces.
macro_rules! meant {
    (
        $(#[doc = $about:literal])*
        $called:literal $name:ident $(in $hash:ident)? {
            $(
                $(#[doc = $meaning:literal])*
                $(#[default($default:expr)])?
                $(#[default = $words:literal])?
                $(#[needed = $needed:literal])?
                $(#[range($range:expr, $outside:literal $(, $hint:literal)?)])?
                $(#[hash($rule:ident)])?
                $(#[docker([$($option:literal),+] = $example:literal)])?
                $field:ident: $type:ty => $meant:ty,
            )*
        }
        $(beside { $($beside:tt)* })?
        from $section:ident
        $(#[$attribute:meta])*
        { $($(#[$more_attribute:meta])* $more:ident: $more_type:ty,)* }
    ) => {
        $(#[doc = $about])*
        $(#[$attribute])*
        pub struct $name {
            $(
                $(#[doc = $meaning])*
                pub $field: $meant,
            )*
            $($(#[$more_attribute])* pub $more: $more_type,)*
        }

        impl Default for $name {
            fn default() -> Self {
                let section = $crate::config::recipe::$section::default();
                Self {
                    $(
                        $field: $crate::config::slot::Unwritten::<$meant>::unwritten(&section.$field),
                    )*
                    $($more: Default::default(),)*
                }
            }
        }
    };
}
pub(super) use meant;

/// How the meaning of a table is kept in records and hashed: a key that has its default is left out, so that
/// a key of a later version changes neither. The exceptions, and what does not count, are in the declaration.
macro_rules! recorded {
    (
        $(#[doc = $about:literal])*
        $called:literal $name:ident $(in $hash:ident)? {
            $(
                $(#[doc = $meaning:literal])*
                $(#[default($default:expr)])?
                $(#[default = $words:literal])?
                $(#[needed = $needed:literal])?
                $(#[range($range:expr, $outside:literal $(, $hint:literal)?)])?
                $(#[hash($rule:ident)])?
                $(#[docker([$($option:literal),+] = $example:literal)])?
                $field:ident: $type:ty => $meant:ty,
            )*
        }
        $(beside { $($beside:tt)* })?
        { $($more:ident,)* }
    ) => {
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                use serde::ser::SerializeMap;
                let default = Self::default();
                let mut map = serializer.serialize_map(None)?;
                $(
                    let is_always_there = false $(|| stringify!($rule) == "always")?;
                    if is_always_there || self.$field != default.$field {
                        let value: &$meant = &self.$field;
                        map.serialize_entry(stringify!($field), value)?;
                    }
                )*
                $(
                    if self.$more != default.$more {
                        map.serialize_entry(stringify!($more), &self.$more)?;
                    }
                )*
                map.end()
            }
        }

        impl $name {
            /// The same with only what counts in the hash of a spec; all else has its default.
            #[must_use]
            pub fn counted_in_hash(&self) -> Self {
                let default = Self::default();
                let mut counted = self.clone();
                $(
                    let counts = true $(&& !matches!(stringify!($rule), "no" | "keyed"))?;
                    if !counts {
                        let uncounted: $meant = default.$field;
                        counted.$field = uncounted;
                    }
                )*
                counted
            }
        }
    };
}
pub(super) use recorded;
