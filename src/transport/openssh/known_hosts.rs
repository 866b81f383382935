//! OpenSSH's `known_hosts` files: which keys a host is known by.
//!
//! Lines are parsed by ssh-key; what they mean is here, after sshd(8), "`SSH_KNOWN_HOSTS` FILE FORMAT", and
//! OpenSSH's hostfile.c. russh's own helper is not used: it miscounts lines after comments, fails when
//! one of two keys of a type matches, and does not know `@revoked` and wildcards.

use std::{
    io,
    path::{Path, PathBuf},
};

use hmac::{Hmac, KeyInit, Mac};
use russh::keys::{
    Algorithm, PublicKey,
    ssh_key::known_hosts::{Entry, HostPatterns, Marker},
};
use sha1::Sha1;
use wildmatch::WildMatch;

use crate::files;

/// The names under which a host may stand in a `known_hosts` file.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::transport) struct Names {
    /// `host`, or `[host]:port` where the port is not 22, or the `HostKeyAlias`.
    pub(in crate::transport) entry: String,
    /// `host` alone, where `entry` has a port: a key known under it counts as well, as in OpenSSH.
    pub(in crate::transport) without_port: Option<String>,
    /// The name that a host certificate must be issued to.
    pub(in crate::transport) principal: String,
}

impl Names {
    pub(in crate::transport) fn new(host: &str, port: u16, alias: Option<&str>) -> Self {
        if let Some(alias) = alias {
            let alias = alias.to_ascii_lowercase();
            return Self {
                entry: alias.clone(),
                without_port: None,
                principal: alias,
            };
        }
        let host = host.to_ascii_lowercase();
        let (entry, without_port) = if port == 22 {
            (host.clone(), None)
        } else {
            (format!("[{host}]:{port}"), Some(host.clone()))
        };
        Self {
            entry,
            without_port,
            principal: host,
        }
    }
}

/// A place in a file, to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::transport) struct Place {
    pub(in crate::transport) file: PathBuf,
    pub(in crate::transport) line: usize,
}

/// What the files say of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::transport) enum Verdict {
    Known,
    /// No entry has it, nor another key of its type; these are the types it is known by.
    Unknown {
        others: Vec<Algorithm>,
    },
    /// The host is known by another key of this type.
    Changed(Place),
    Revoked(Place),
}

/// The lines of all files, in order.
#[derive(Debug, Default)]
pub(in crate::transport) struct KnownHosts(Vec<(Place, Entry)>);

impl KnownHosts {
    /// Reads the files. One that is not there has no lines; one that cannot be read is an error, as the
    /// host might well be in it. Lines that cannot be understood are skipped, as OpenSSH does.
    pub(in crate::transport) fn read(files: &[PathBuf]) -> Result<Self, (PathBuf, io::Error)> {
        let mut known = Self::default();
        for file in files {
            match files::read_or_null(file) {
                Ok(bytes) => known.add(file, &String::from_utf8_lossy(&bytes)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err((file.clone(), error)),
            }
        }
        Ok(known)
    }

    fn add(&mut self, file: &Path, text: &str) {
        for (index, line) in text.lines().enumerate() {
            // ssh-key wants single blanks between the fields; OpenSSH takes any.
            let fields = line.split_whitespace().collect::<Vec<_>>().join(" ");
            if fields.is_empty() || fields.starts_with('#') {
                continue;
            }
            let place = Place {
                file: file.to_owned(),
                line: index + 1,
            };
            match fields.parse() {
                Ok(entry) => self.0.push((place, entry)),
                Err(error) => tracing::debug!(?place, %error, "skips a line"),
            }
        }
    }

    /// What the files say of a host's plain key.
    pub(in crate::transport) fn check(&self, names: &Names, key: &PublicKey) -> Verdict {
        if let Some(place) = self.revoked(names, key) {
            return Verdict::Revoked(place);
        }
        let same = |entry: &Entry| entry.public_key().key_data() == key.key_data();
        if self.plain(&names.entry).any(|(_, entry)| same(entry)) {
            return Verdict::Known;
        }
        let mut others = Vec::new();
        for (place, entry) in self.plain(&names.entry) {
            let algorithm = entry.public_key().algorithm();
            if algorithm == key.algorithm() {
                return Verdict::Changed(place.clone());
            }
            others.push(algorithm);
        }
        let without_port = names.without_port.as_deref().unwrap_or(&names.entry);
        if self.plain(without_port).any(|(_, entry)| same(entry)) {
            return Verdict::Known;
        }
        others.dedup();
        Verdict::Unknown { others }
    }

    /// Where a key is revoked for this host, if it is.
    pub(in crate::transport) fn revoked(&self, names: &Names, key: &PublicKey) -> Option<Place> {
        let of_host = |name: &str| {
            self.marked(name, Some(Marker::Revoked))
                .find(|(_, entry)| entry.public_key().key_data() == key.key_data())
                .map(|(place, _)| place.clone())
        };
        of_host(&names.entry).or_else(|| names.without_port.as_deref().and_then(of_host))
    }

    /// The types of the plain keys a host is known by.
    pub(in crate::transport) fn algorithms(&self, names: &Names) -> Vec<Algorithm> {
        let of_host = |name: &str| {
            self.plain(name)
                .map(|(_, entry)| entry.public_key().algorithm())
                .collect::<Vec<_>>()
        };
        let known = of_host(&names.entry);
        match &names.without_port {
            Some(name) if known.is_empty() => of_host(name),
            _ => known,
        }
    }

    /// The authorities that may vouch for a host. On another port than 22 those for the host alone count as
    /// well: OpenSSH looks it up a second time "without port identifier".
    pub(in crate::transport) fn authorities<'a>(&'a self, names: &'a Names) -> Vec<&'a PublicKey> {
        [Some(&names.entry), names.without_port.as_ref()]
            .into_iter()
            .flatten()
            .flat_map(|name| self.marked(name, Some(Marker::CertAuthority)))
            .map(|(_, entry)| entry.public_key())
            .collect()
    }

    fn plain<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a (Place, Entry)> {
        self.marked(name, None)
    }

    fn marked<'a>(
        &'a self,
        name: &'a str,
        marker: Option<Marker>,
    ) -> impl Iterator<Item = &'a (Place, Entry)> {
        self.0.iter().filter(move |(_, entry)| {
            entry.marker() == marker.as_ref() && matches(entry.host_patterns(), name)
        })
    }
}

fn matches(patterns: &HostPatterns, name: &str) -> bool {
    match patterns {
        HostPatterns::HashedName { salt, hash } => {
            let Ok(mut code) = Hmac::<Sha1>::new_from_slice(salt) else {
                return false;
            };
            code.update(name.as_bytes());
            code.verify_slice(hash).is_ok()
        }
        HostPatterns::Patterns(patterns) => {
            let matches =
                |pattern: &str| WildMatch::new(&pattern.to_ascii_lowercase()).matches(name);
            let mut found = false;
            for pattern in patterns {
                match pattern.strip_prefix('!') {
                    Some(negated) if matches(negated) => return false,
                    Some(_) => {}
                    None => found |= matches(pattern),
                }
            }
            found
        }
    }
}

#[cfg(test)]
#[path = "known_hosts_tests.rs"]
mod tests;
