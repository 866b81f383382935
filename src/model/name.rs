//! Names of things: of environments, recipes and groups, and of hosts.

use std::{borrow::Borrow, fmt, ops::Deref, str::FromStr};

use serde::{Deserialize, Serialize};

/// The name of an environment, a recipe or a group.
///
/// It becomes part of container and volume names, so it follows docker's rule for those:
/// `[a-zA-Z0-9][a-zA-Z0-9_.-]*`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);

/// Why a string cannot be a [`Name`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a name: a letter or digit first, then letters, digits, `_`, `.` or `-`")]
pub struct InvalidName(String);

impl Name {
    /// Both names with a dot in between, which is a name too.
    #[must_use]
    pub fn dot(&self, other: &Self) -> Self {
        Self(format!("{self}.{other}"))
    }
}

impl FromStr for Name {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let mut characters = text.chars();
        let starts = characters.next().is_some_and(|c| c.is_ascii_alphanumeric());
        if starts && characters.all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c)) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidName(text.to_owned()))
        }
    }
}

impl TryFrom<String> for Name {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, InvalidName> {
        text.parse()
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0
    }
}

/// The name a host has in the inventory. It is a label: any text, as nothing but a person reads it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HostName(String);

impl From<&str> for HostName {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<String> for HostName {
    fn from(text: String) -> Self {
        Self(text)
    }
}

macro_rules! reads_as_str {
    ($($type:ty),*) => {$(
        impl Deref for $type {
            type Target = str;
            fn deref(&self) -> &str {
                &self.0
            }
        }
        impl Borrow<str> for $type {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    )*};
}
reads_as_str!(Name, HostName);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_follows_dockers_rule() {
        for good in ["a", "staging", "flask-nanoservice", "dr.con_2", "0"] {
            assert_eq!(good.parse::<Name>().map(String::from), Ok(good.to_owned()));
        }
        for bad in ["", "-a", "a b", "a/b", "é", "a;b", "a\n"] {
            assert!(bad.parse::<Name>().is_err(), "{bad:?}");
        }
    }
}
