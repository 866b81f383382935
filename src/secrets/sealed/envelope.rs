//! One sealed value: what anyone can see of it, and what is in it for whoever has a key.

use std::{
    io::{ErrorKind, Read as _, Write as _},
    sync::Mutex,
};

use age::{
    DecryptError, Decryptor, Encryptor, Identity,
    armor::{ArmoredReader, ArmoredWriter, Format},
};
use age_core::format::{FileKey, Stanza};

use super::recipients::{Recipient, Recipients};

/// A sealed value, still closed.
pub struct Envelope {
    bytes: Vec<u8>,
    holders: Vec<Holder>,
}

/// A key that can open it, as far as age shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holder {
    /// An SSH key: the tag of its public half.
    Ssh(String),
    /// An age key, which shows nothing.
    Age,
    /// A key of another kind, such as a plugin's or a passphrase.
    Other(String),
}

/// Reads who can open it, and opens nothing.
#[derive(Default)]
struct Listener(Mutex<Vec<Holder>>);

impl Identity for Listener {
    fn unwrap_stanza(&self, stanza: &Stanza) -> Option<Result<FileKey, DecryptError>> {
        let holder = match (stanza.tag.as_str(), stanza.args.first()) {
            ("ssh-ed25519" | "ssh-rsa", Some(tag)) => Holder::Ssh(tag.clone()),
            ("X25519", _) => Holder::Age,
            // age adds such lines at random, so that no reader relies on their absence.
            (kind, _) if kind.ends_with("-grease") => return None,
            (kind, _) => Holder::Other(kind.to_owned()),
        };
        if let Ok(mut holders) = self.0.lock() {
            holders.push(holder);
        }
        None
    }
}

impl Envelope {
    /// Reads a file of age's, with or without ASCII armor. An error says what is wrong with it.
    pub fn parse(text: &[u8]) -> Result<Self, String> {
        let mut bytes = Vec::new();
        let read = ArmoredReader::new(text).read_to_end(&mut bytes);
        read.map_err(|error| match error.kind() {
            ErrorKind::UnexpectedEof => "is damaged: its end is missing".to_owned(),
            _ => format!("is damaged: {error}"),
        })?;
        let listener = Listener::default();
        let opened = Decryptor::new_buffered(&bytes[..])
            .and_then(|it| it.decrypt(std::iter::once(&listener as &dyn Identity)));
        match opened {
            Ok(_) | Err(DecryptError::NoMatchingKeys) => {}
            Err(error) => return Err(format!("is no file of age's: {}", said(&error))),
        }
        let holders = listener.0.into_inner().unwrap_or_default();
        Ok(Self { bytes, holders })
    }

    /// Who can open it.
    pub fn holders(&self) -> &[Holder] {
        &self.holders
    }

    /// Whether it is sealed for an SSH key with this tag.
    pub fn is_for_tag(&self, tag: &str) -> bool {
        self.holders
            .iter()
            .any(|holder| matches!(holder, Holder::Ssh(known) if known == tag))
    }

    /// Whether it is sealed for a recipient: of age keys that is known only if there is one for each.
    pub fn is_for(&self, recipient: &Recipient, age_keys: usize) -> bool {
        match &recipient.tag {
            Some(tag) => self.is_for_tag(tag),
            None => self.count_of_age_keys() >= age_keys,
        }
    }

    /// How many age keys can open it.
    pub fn count_of_age_keys(&self) -> usize {
        let of_age = |holder: &&Holder| **holder == Holder::Age;
        self.holders.iter().filter(of_age).count()
    }

    /// What is in it, if one of the keys fits.
    pub(super) fn open<'a>(
        &self,
        keys: impl Iterator<Item = &'a dyn Identity>,
    ) -> Result<Option<String>, String> {
        let opened = Decryptor::new_buffered(&self.bytes[..]).and_then(|it| it.decrypt(keys));
        let mut opened = match opened {
            Ok(opened) => opened,
            Err(DecryptError::NoMatchingKeys) => return Ok(None),
            Err(error) => return Err(format!("cannot be opened: {}", said(&error))),
        };
        let mut text = Vec::new();
        let read = opened.read_to_end(&mut text);
        read.map_err(|_| "is damaged: its end is missing or was changed")?;
        let text = String::from_utf8(text).map_err(|_| "has a value that is not UTF-8")?;
        Ok(Some(text))
    }
}

/// Seals a value for everyone, as text.
pub fn seal(value: &str, recipients: &Recipients) -> Result<String, String> {
    let keys = recipients.iter().map(Recipient::key);
    let encryptor = Encryptor::with_recipients(keys).map_err(|error| error.to_string())?;
    let write = || -> std::io::Result<Vec<u8>> {
        let armor = ArmoredWriter::wrap_output(Vec::new(), Format::AsciiArmor)?;
        let mut writer = encryptor.wrap_output(armor)?;
        writer.write_all(value.as_bytes())?;
        writer.finish()?.finish()
    };
    let bytes = write().map_err(|error| error.to_string())?;
    String::from_utf8(bytes).map_err(|error| error.to_string())
}

/// What age says is wrong, in words that fit behind ours.
fn said(error: &DecryptError) -> &'static str {
    match error {
        DecryptError::InvalidMac => "somebody changed whom it is for",
        DecryptError::ExcessiveWork { .. } => "it is sealed with a passphrase",
        DecryptError::UnknownFormat => "this version of age's format is unknown",
        DecryptError::KeyDecryptionFailed => "a key is damaged",
        _ => "it is damaged",
    }
}
