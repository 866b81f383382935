//! Whom values are sealed for: the keys in `secrets/recipients`, one a line, in the format of age's own `-R`.

use std::fmt;

use age::ssh::ParseRecipientKeyError as Unfit;
use base64ct::{Base64, Base64Unpadded, Encoding as _};
use sha2::{Digest as _, Sha256};

use crate::{
    diagnostic::{Problem, Problems, SourceFile},
    text,
};

/// The file, from the project's folder.
pub const RECIPIENTS: &str = "secrets/recipients";

/// The longest name of a recipient that is shown.
const LONGEST_NAME: usize = 60;

/// How much of an age key is shown where nothing names it.
const SHOWN: usize = 12;

/// Everyone whom values are sealed for.
pub struct Recipients(Vec<Recipient>);

/// One key.
pub struct Recipient {
    /// What the team calls it: the comment of an SSH key, the line above an age key.
    pub name: String,
    /// What age shows of an SSH key in a file that is sealed for it; of an age key it shows nothing.
    pub tag: Option<String>,
    key: Key,
}

enum Key {
    Ssh(age::ssh::Recipient),
    Age(age::x25519::Recipient),
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Recipient").field(&self.name).finish()
    }
}

impl Recipients {
    /// What a file says; every line that names no key is a mistake.
    pub fn parse(file: &SourceFile) -> Result<Self, Problems> {
        let (mut found, mut problems) = (Vec::new(), Problems::new());
        let mut above = None;
        let mut start = 0;
        for (number, whole) in file.text().split_inclusive('\n').enumerate() {
            let line = whole.trim();
            let indent = whole.len() - whole.trim_start().len();
            let place = file.place(start + indent..start + indent + line.len());
            start += whole.len();
            if let Some(comment) = line.strip_prefix('#') {
                above = Some(comment.trim()).filter(|comment| !comment.is_empty());
                continue;
            }
            let comment = above.take();
            if line.is_empty() {
                continue;
            }
            if line.to_ascii_uppercase().starts_with("AGE-SECRET-KEY-") {
                // Not underlined: that would print the key.
                let fact = format!("{}:{} has a secret key", file.name(), number + 1);
                problems.push(Problem::error(fact).hint(
                    "make a new key, as this one is known to all who have the file; its line here is the public half, \
                     `age1…`",
                ));
                continue;
            }
            match Recipient::parse(line, comment) {
                Ok(recipient) => found.push(recipient),
                Err((fact, label)) => problems.push(
                    Problem::error(fact)
                        .at(&place, label)
                        .hint("one key a line: `ssh-ed25519 …`, `ssh-rsa …` or `age1…`"),
                ),
            }
        }
        if problems.has_errors() {
            return Err(problems);
        }
        if found.is_empty() {
            let fact = format!("{} names nobody", file.name());
            let hint = "add a line with a public key, for instance that of `~/.ssh/id_ed25519.pub`";
            return Err(Problem::error(fact).hint(hint).into());
        }
        Ok(Self(found))
    }

    /// Each of them, in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = &Recipient> {
        self.0.iter()
    }

    /// What they are called, as a message lists them.
    pub fn names(&self) -> String {
        text::list(self.iter().map(|recipient| &recipient.name))
    }
}

impl Recipient {
    /// What a line says; if nothing, the fact and what stands there.
    fn parse(line: &str, above: Option<&str>) -> Result<Self, (String, &'static str)> {
        if line.starts_with("age1") {
            return Self::of_age(line, above);
        }
        let mut words = line.splitn(3, char::is_whitespace);
        let (kind, key) = (words.next().unwrap_or_default(), words.next());
        let key = key.unwrap_or_default();
        let comment = words.next().map(str::trim).filter(|it| !it.is_empty());
        let is_of_ssh = ["ssh-", "ecdsa-", "sk-"]
            .iter()
            .any(|prefix| kind.starts_with(prefix));
        if !is_of_ssh {
            return Err(("this is no public key".to_owned(), "not a key"));
        }
        let unfit = |error| match error {
            Unfit::RsaModulusTooSmall => (
                "an RSA key of fewer than 2048 bits protects nothing".to_owned(),
                "too short",
            ),
            Unfit::RsaModulusTooLarge => (
                "age takes no RSA key of more than 4096 bits".to_owned(),
                "too long",
            ),
            Unfit::Invalid(_) if matches!(kind, "ssh-ed25519" | "ssh-rsa") => {
                (format!("this is no `{kind}` key"), "damaged")
            }
            _ => (
                format!("age cannot seal for a key of the kind `{kind}`"),
                "only `ssh-ed25519`, `ssh-rsa` and age's own",
            ),
        };
        let parsed = format!("{kind} {key}").parse().map_err(unfit)?;
        let tag = tag(key).ok_or_else(|| unfit(Unfit::Invalid("")))?;
        let name = comment.or(above).map_or_else(
            || format!("{kind} {tag}"),
            |name| text::one_line(name, LONGEST_NAME),
        );
        Ok(Self {
            name,
            tag: Some(tag),
            key: Key::Ssh(parsed),
        })
    }

    fn of_age(line: &str, above: Option<&str>) -> Result<Self, (String, &'static str)> {
        let key = line.parse().map_err(|_| {
            (
                "this is no age key that shipit can seal for".to_owned(),
                "damaged, or a key of an age plugin",
            )
        })?;
        let name = above.map_or_else(
            || text::cut(line, SHOWN),
            |name| text::one_line(name, LONGEST_NAME),
        );
        Ok(Self {
            name,
            tag: None,
            key: Key::Age(key),
        })
    }

    /// The key, as age takes it.
    pub(super) fn key(&self) -> &dyn age::Recipient {
        match &self.key {
            Key::Ssh(key) => key,
            Key::Age(key) => key,
        }
    }
}

/// What age shows of an SSH key: the beginning of the hash of its public half, which is in base64.
pub(super) fn tag(key: &str) -> Option<String> {
    let bytes = Base64::decode_vec(key).ok()?;
    Some(Base64Unpadded::encode_string(&Sha256::digest(bytes)[..4]))
}
