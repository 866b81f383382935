//! Previews: environments beside another one, for a pull request for instance.

use std::{fmt, ops::Deref, str::FromStr, time::Duration};

use super::Name;

/// The name of a preview, `pr-42`: a label of a host name, as it becomes part of one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PreviewName(Name);

/// The longest label of a host name (RFC 1035).
const LONGEST: usize = 63;

/// Why a text cannot be a [`PreviewName`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "lower-case letters, digits and `-` make the name of a preview, as it is part of host names{near}"
)]
pub struct InvalidPreviewName {
    /// What it could be instead, as the end of a sentence; or nothing.
    near: String,
}

impl PreviewName {
    /// The environment that this preview of `base` is. The dot keeps it apart from other bases' previews, as it is in
    /// no preview's name.
    pub fn environment_of(&self, base: &Name) -> Name {
        base.dot(&self.0)
    }

    /// Takes the name of a preview's environment apart: the base's name, and the preview's.
    pub fn split(environment: &str) -> Option<(Name, Self)> {
        let (base, name) = environment.rsplit_once('.')?;
        Some((base.parse().ok()?, name.parse().ok()?))
    }
}

impl FromStr for PreviewName {
    type Err = InvalidPreviewName;

    fn from_str(text: &str) -> Result<Self, InvalidPreviewName> {
        let is_fine = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let is_label = !text.is_empty()
            && text.len() <= LONGEST
            && text.chars().all(is_fine)
            && !text.starts_with('-')
            && !text.ends_with('-');
        if is_label && let Ok(name) = text.parse() {
            return Ok(Self(name));
        }
        let near = text.to_ascii_lowercase();
        let words = near.split(|c| !is_fine(c) || c == '-');
        let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
        let near: String = words.join("-").chars().take(LONGEST).collect();
        let near = match near.trim_matches('-') {
            "" => String::new(),
            near => format!("; such as `{near}`"),
        };
        Err(InvalidPreviewName { near })
    }
}

impl Deref for PreviewName {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PreviewName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// What an environment that is a preview is a preview of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// The environment beside which it is.
    pub base: Name,
    /// Its own name.
    pub name: PreviewName,
}

/// `[previews]`: what previews of an environment have, and how many are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreviewSettings {
    /// The recipes that each has of its own.
    pub recipes: Vec<Name>,
    /// How long one is kept after its last release.
    pub keep: Duration,
    /// How many are kept.
    pub limit: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Result<PreviewName, String> {
        text.parse()
            .map_err(|error: InvalidPreviewName| error.to_string())
    }

    #[test]
    fn a_name_is_a_label_of_a_host_name() {
        for good in ["pr-42", "42", "a", "feature-x", &"x".repeat(63)] {
            assert_eq!(name(good).as_deref(), Ok(good));
        }
        for (bad, near) in [
            ("feature/Login", "; such as `feature-login`"),
            ("-x-", "; such as `x`"),
            ("a.b", "; such as `a-b`"),
            ("", ""),
            ("é", ""),
        ] {
            let said = name(bad).expect_err(bad);
            assert!(said.ends_with(&format!("host names{near}")), "{said}");
        }
        name(&"x".repeat(64)).expect_err("it is too long");
    }

    #[test]
    fn its_environment_is_told_from_every_other() {
        let base: Name = "eu.staging".parse().expect("a name");
        let preview = name("pr-42").expect("a name");
        let environment = preview.environment_of(&base);
        assert_eq!(&*environment, "eu.staging.pr-42");
        assert_eq!(PreviewName::split(&environment), Some((base, preview)));
        assert_eq!(PreviewName::split("staging"), None);
        assert_eq!(PreviewName::split("staging.PR"), None);
    }
}
