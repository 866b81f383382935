//! The keys of whoever runs shipit, and what they open.

use std::{
    fs,
    path::{Path, PathBuf},
};

use age::{Identity, IdentityFile};
use secrecy::{ExposeSecret as _, SecretString};

use super::{
    Failure,
    envelope::Envelope,
    recipients::{Recipients, tag},
    store,
};
use crate::{
    model::Name,
    transport::{Connector, OwnKey},
};

/// A variable with an age key, for CI.
const KEY: &str = "SHIPIT_AGE_KEY";

/// A variable with the path of a file of keys.
const KEY_FILE: &str = "SHIPIT_AGE_KEY_FILE";

/// Where age keys are, below the home folder.
const KEYS_AT_HOME: &str = ".config/age/keys.txt";

/// Where SSH keys are, below the home folder.
const SSH_KEYS_AT_HOME: [&str; 2] = [".ssh/id_ed25519", ".ssh/id_rsa"];

/// The keys of this account.
#[derive(Clone)]
pub struct Keys<'a> {
    connector: Option<&'a Connector>,
    key: Option<SecretString>,
    key_file: Option<PathBuf>,
    home: Option<PathBuf>,
}

/// A public key of this account.
pub struct OwnRecipient {
    /// The line for `secrets/recipients`, without a comment.
    pub line: String,
    /// The comment of an SSH key.
    pub comment: Option<String>,
    /// Where its private half is.
    pub place: String,
}

/// Where keys may be.
enum Source {
    Variable(SecretString),
    File(PathBuf),
}

type AgeKeys = Vec<Box<dyn Identity>>;

impl<'a> Keys<'a> {
    /// Those of the environment and of the home folder. SSH keys are read through `connector`, which asks for
    /// passphrases and shares them with logins; without one there are only age keys.
    pub fn of_this_account(connector: Option<&'a Connector>) -> Self {
        let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        Self {
            connector,
            key: variable(KEY).map(SecretString::from),
            key_file: std::env::var_os(KEY_FILE).map(PathBuf::from),
            home: std::env::home_dir(),
        }
    }

    /// Those in other places.
    #[cfg(test)]
    pub(in crate::secrets) fn in_home(home: &Path, connector: Option<&'a Connector>) -> Self {
        Self {
            connector,
            key: None,
            key_file: None,
            home: Some(home.to_owned()),
        }
    }

    /// The sealed value of this name. `asks` says whether somebody may be asked for a passphrase.
    pub async fn value(&self, root: &Path, name: &Name, asks: bool) -> Result<String, Failure> {
        let envelope = store::read(root, name)?;
        let mut tried = Vec::new();
        let opened = self.open(&envelope, asks, &mut tried).await;
        let opened = opened.map_err(|fact| store::damaged(name, &fact))?;
        opened.ok_or_else(|| {
            let recipients = store::read_recipients(root).ok().flatten();
            no_key(name, &tried, recipients.as_ref())
        })
    }

    /// What is in an envelope, if a key fits; `tried` gets a line for each that does not.
    async fn open(
        &self,
        envelope: &Envelope,
        asks: bool,
        tried: &mut Vec<String>,
    ) -> Result<Option<String>, String> {
        let no_recipient = |place: &str| format!("`{place}` is none of its recipients");
        let (sources, mut ssh_keys) = self.sources();
        for (place, source) in sources {
            let keys = match source.read() {
                Ok(Some(Read::Age(keys))) => keys,
                Ok(Some(Read::Ssh(path))) => {
                    ssh_keys.insert(0, path);
                    continue;
                }
                Ok(None) => {
                    tried.push(format!("`{place}` is not there"));
                    continue;
                }
                Err(why) => {
                    tried.push(format!("`{place}` {why}"));
                    continue;
                }
            };
            if let Some(value) = envelope.open(keys.iter().map(|key| &**key))? {
                return Ok(Some(value));
            }
            tried.push(no_recipient(&place));
        }
        let Some(connector) = self.connector else {
            return Ok(None);
        };
        let mut locked = Vec::new();
        for path in ssh_keys {
            let place = self.shown(&path);
            let key = match connector.own_key(&path).await {
                Ok(Some(key)) => key,
                Ok(None) => {
                    tried.push(format!("`{place}` is not there"));
                    continue;
                }
                Err(why) => {
                    tried.push(format!("`{place}`: {why}"));
                    continue;
                }
            };
            // Every SSH key shows whether it is meant, so nobody is asked for the passphrase of another.
            if tag_of(&key).is_some_and(|tag| !envelope.is_for_tag(&tag)) {
                tried.push(no_recipient(&place));
            } else if let Some(text) = key.open() {
                if let Some(value) = open_with_ssh(envelope, text, &place, tried)? {
                    return Ok(Some(value));
                }
            } else {
                locked.push((place, key));
            }
        }
        for (place, key) in locked {
            if !asks {
                tried.push(format!("`{place}`: it has a passphrase"));
                continue;
            }
            let text = connector.unlock(&key).await;
            if let Some(value) = open_with_ssh(envelope, text, &place, tried)? {
                return Ok(Some(value));
            }
        }
        Ok(None)
    }

    /// Where age keys may be, and SSH keys, each in the order in which they are tried.
    fn sources(&self) -> (Vec<(String, Source)>, Vec<PathBuf>) {
        let mut sources = Vec::new();
        if let Some(key) = &self.key {
            sources.push((KEY.to_owned(), Source::Variable(key.clone())));
        }
        if let Some(path) = &self.key_file {
            sources.push((
                format!("{KEY_FILE}={}", path.display()),
                Source::File(path.clone()),
            ));
        }
        let Some(home) = &self.home else {
            return (sources, Vec::new());
        };
        let keys = home.join(KEYS_AT_HOME);
        sources.push((self.shown(&keys), Source::File(keys)));
        let ssh = SSH_KEYS_AT_HOME.iter().map(|path| home.join(path));
        (sources, ssh.collect())
    }

    /// The first public key of this account that values can be sealed for.
    pub async fn own_recipient(&self) -> Option<OwnRecipient> {
        let (sources, mut ssh_keys) = self.sources();
        for (place, source) in sources {
            match source.public() {
                Some(Read::Age(line)) => {
                    let comment = None;
                    return Some(OwnRecipient {
                        line,
                        comment,
                        place,
                    });
                }
                Some(Read::Ssh(path)) => ssh_keys.insert(0, path),
                None => {}
            }
        }
        for path in ssh_keys {
            let Ok(Some(key)) = self.connector?.own_key(&path).await else {
                continue;
            };
            let Some(public) = key.public() else { continue };
            let mut words = public.splitn(3, ' ');
            let (Some(kind), Some(key)) = (words.next(), words.next()) else {
                continue;
            };
            if !matches!(kind, "ssh-ed25519" | "ssh-rsa") {
                continue;
            }
            let mut beside = path.clone().into_os_string();
            beside.push(".pub");
            let beside = fs::read_to_string(beside).unwrap_or_default();
            let mut in_file = beside.trim().splitn(3, ' ').skip(1);
            let beside = (in_file.next() == Some(key))
                .then(|| in_file.next())
                .flatten();
            let comment = words.next().filter(|it| !it.is_empty()).or(beside);
            return Some(OwnRecipient {
                line: format!("{kind} {key}"),
                comment: comment
                    .map(|it| it.trim().to_owned())
                    .filter(|it| !it.is_empty()),
                place: self.shown(&path),
            });
        }
        None
    }

    /// A path as people write it.
    fn shown(&self, path: &Path) -> String {
        let below = self
            .home
            .as_ref()
            .and_then(|home| path.strip_prefix(home).ok());
        match below {
            Some(below) => format!("~/{}", below.display()),
            None => path.display().to_string(),
        }
    }
}

/// What a source has: age keys, or the path of an SSH key.
enum Read<T> {
    Age(T),
    Ssh(PathBuf),
}

impl Source {
    fn text(&self) -> Result<Option<SecretString>, String> {
        match self {
            Self::Variable(text) => Ok(Some(text.clone())),
            Self::File(path) => match fs::metadata(path) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
                Ok(it) if !it.is_file() => Err("is no file".to_owned()),
                _ => fs::read_to_string(path)
                    .map(|text| Some(SecretString::from(text)))
                    .map_err(|error| format!("cannot be read: {error}")),
            },
        }
    }

    fn read(&self) -> Result<Option<Read<AgeKeys>>, String> {
        let Some(text) = self.text()? else {
            return Ok(None);
        };
        let text = text.expose_secret();
        if let (Self::File(path), true) = (self, text.contains(" PRIVATE KEY-----")) {
            return Ok(Some(Read::Ssh(path.clone())));
        }
        let no_keys = || "has no age keys (AGE-SECRET-KEY-1…)".to_owned();
        let keys = IdentityFile::from_buffer(text.trim().as_bytes())
            .ok()
            .and_then(|file| file.into_identities().ok())
            .filter(|keys| !keys.is_empty());
        keys.map(|keys| Some(Read::Age(keys))).ok_or_else(no_keys)
    }

    /// The public half of the first key.
    fn public(&self) -> Option<Read<String>> {
        let text = self.text().ok()??;
        let text = text.expose_secret();
        if let (Self::File(path), true) = (self, text.contains(" PRIVATE KEY-----")) {
            return Some(Read::Ssh(path.clone()));
        }
        let mut keys = text.lines().filter_map(|line| line.trim().parse().ok());
        let key: age::x25519::Identity = keys.next()?;
        Some(Read::Age(key.to_public().to_string()))
    }
}

/// What age shows of the key in what is sealed for it.
fn tag_of(key: &OwnKey) -> Option<String> {
    tag(key.public()?.split(' ').nth(1)?)
}

fn open_with_ssh(
    envelope: &Envelope,
    key: Result<SecretString, String>,
    place: &str,
    tried: &mut Vec<String>,
) -> Result<Option<String>, String> {
    let key = key.and_then(|text| {
        let read = age::ssh::Identity::from_buffer(text.expose_secret().as_bytes(), None);
        read.map_err(|_| "age cannot read it".to_owned())
    });
    match key {
        Ok(key) => {
            let value = envelope.open(std::iter::once(&key as &dyn Identity))?;
            if value.is_none() {
                tried.push(format!("`{place}` is none of its recipients"));
            }
            Ok(value)
        }
        Err(why) => {
            tried.push(format!("`{place}`: {why}"));
            Ok(None)
        }
    }
}

fn no_key(name: &Name, tried: &[String], recipients: Option<&Recipients>) -> Failure {
    let file = store::file_of(name);
    let today = recipients.map_or_else(String::new, |recipients| {
        format!("; the recipients of today are {}", recipients.names())
    });
    let cause = format!("no key here opens `{file}`: {}{today}", tried.join(", "));
    // The fact that can be mended here comes first.
    let is_locked = tried.iter().any(|line| line.contains("has a passphrase"));
    let hint = if is_locked {
        format!("run it on a terminal, or give an age key that is a recipient in `{KEY}`")
    } else {
        "have a recipient add your public key to `secrets/recipients` and type `shipit secret rotate`".to_owned()
    };
    Failure { cause, hint }
}
