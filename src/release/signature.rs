//! The signature of a record: who wrote it had the project's key.

use std::collections::BTreeMap;

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

use super::record::Record;
use crate::docker::{Volume, label};

/// How many characters a key has at least. `shipit state key` makes one of 64.
const SHORTEST_KEY: usize = 32;

/// The key that records are signed with.
#[derive(Clone)]
pub struct RecordKey(SecretString);

impl RecordKey {
    /// A key from the value of its secret; `Err` says why it is none.
    pub fn new(secret: SecretString) -> Result<Self, String> {
        let length = secret.expose_secret().chars().count();
        if length < SHORTEST_KEY {
            return Err(format!(
                "it has {length} characters, and a key has at least {SHORTEST_KEY}"
            ));
        }
        Ok(Self(secret))
    }

    /// The signature of a record whose text is `text`.
    fn sign(&self, record: &Record, text: &str) -> Option<String> {
        let tag = self.mac(record, text)?.finalize().into_bytes();
        Some(hex::encode(tag))
    }

    /// Whether this is the signature of a record. It takes as long for a wrong one as for the right one.
    fn is_signature(&self, signature: &str, record: &Record, text: &str) -> bool {
        let Some(mac) = self.mac(record, text) else {
            return false;
        };
        hex::decode(signature).is_ok_and(|tag| mac.verify_slice(&tag).is_ok())
    }

    /// The exact text, bound to what the record's place says of it: one that was moved to another environment, host,
    /// release or outcome has another signature. Each part goes with its length, so that none runs into the next.
    fn mac(&self, record: &Record, text: &str) -> Option<Hmac<Sha256>> {
        let Record {
            number,
            environment,
            host,
            outcome,
            ..
        } = record;
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.expose_secret().as_bytes()).ok()?;
        let (number, outcome) = (number.to_string(), outcome.to_string());
        for part in [
            "shipit release record 1",
            environment,
            host,
            &number,
            &outcome,
            text,
        ] {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part.as_bytes());
        }
        Some(mac)
    }
}

/// The labels of a record's volume, with its signature where there is a key.
pub fn signed_labels(
    record: &Record,
    key: Option<&RecordKey>,
) -> Result<BTreeMap<String, String>, serde_json::Error> {
    let mut labels = record.volume_labels()?;
    let signature = key.and_then(|key| key.sign(record, &labels[label::RECORD]));
    labels.extend(signature.map(|it| (label::RECORD_SIGNATURE.to_owned(), it)));
    Ok(labels)
}

/// What is wrong with the signature of a record that was read from a volume; `None` where it is right.
pub(super) fn signature_fault(
    key: &RecordKey,
    record: &Record,
    volume: &Volume,
) -> Option<&'static str> {
    let text = volume.labels.get(label::RECORD)?;
    match volume.labels.get(label::RECORD_SIGNATURE) {
        None => Some("it is not signed"),
        Some(signature) if key.is_signature(signature, record, text) => None,
        Some(_) => Some("its signature is wrong"),
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::record::{Number, Outcome, tests::record},
        *,
    };

    fn key(text: &str) -> RecordKey {
        RecordKey::new(text.repeat(32).into()).unwrap_or_else(|why| panic!("{why}"))
    }

    #[test]
    fn a_signature_is_of_one_text_of_one_host_and_release_under_one_key() {
        let signed = record(7, Outcome::Succeeded);
        let signature = key("a").sign(&signed, "text").expect("a signature");
        assert_eq!(signature.len(), 64);
        let other = |change: &dyn Fn(&mut Record)| {
            let mut other = signed.clone();
            change(&mut other);
            other
        };
        let is_right = |key: &RecordKey, record: &Record, text: &str| {
            key.is_signature(&signature, record, text)
        };
        assert!(is_right(&key("a"), &signed, "text"));
        assert!(!is_right(&key("b"), &signed, "text"));
        assert!(!is_right(&key("a"), &signed, "text "));
        for wrong in [
            other(&|it| it.number = Number(8)),
            other(&|it| it.host = "host-2".into()),
            other(&|it| it.environment = "production".into()),
            other(&|it| it.outcome = Outcome::Failed),
        ] {
            assert!(!is_right(&key("a"), &wrong, "text"), "{wrong:?}");
        }
        for nonsense in ["", "zz", "00", &signature[1..], &format!("{signature}00")] {
            assert!(!key("a").is_signature(nonsense, &signed, "text"));
        }
    }

    #[test]
    fn a_key_that_can_be_guessed_is_none() {
        let why = RecordKey::new("secret".to_owned().into()).err();
        let expected = "it has 6 characters, and a key has at least 32";
        assert_eq!(why.as_deref(), Some(expected));
    }
}
