//! The keys that are offered, and in which order.

use std::sync::Arc;

use russh::keys::agent::AgentIdentity;

use super::{
    certificates::Certificates,
    identity::{KeyFile, Keyring, Unreadable},
};
use crate::transport::connect::{
    destination::{Destination, IdentityFile, Origin},
    error::{ConnectError, Tried},
};

/// A key that may be offered.
pub(super) enum Candidate {
    InAgent {
        /// As the server is shown it: this may be a certificate from a file.
        shown: Box<AgentIdentity>,
        /// As the agent knows it.
        held: Box<AgentIdentity>,
        name: String,
    },
    File(Arc<KeyFile>),
}

/// The keys in the order they are offered: named files first (through the agent where it has them), then
/// the agent's other keys, then OpenSSH's default files.
pub(super) async fn candidates(
    destination: &Destination,
    keyring: &Keyring,
    certificates: &Certificates,
    agent_keys: Vec<AgentIdentity>,
    tried: &mut Vec<Tried>,
) -> Result<Vec<Candidate>, ConnectError> {
    let mut keys: Vec<_> = agent_keys
        .iter()
        .map(|identity| identity.public_key().into_owned())
        .collect();
    let mut left = agent_keys;
    let mut named = Vec::new();
    let mut default = Vec::new();
    for IdentityFile { path, origin } in &destination.identity_files {
        let file = match keyring.file(path).await {
            Ok(file) => file,
            Err(Unreadable::Missing) if *origin == Origin::Default => continue,
            Err(problem) => {
                let reason = match problem {
                    Unreadable::Missing => "there is no such file".to_owned(),
                    Unreadable::Other(reason) => reason,
                };
                if *origin == Origin::Inventory {
                    return Err(ConnectError::KeyFile {
                        path: path.clone(),
                        reason,
                    });
                }
                tried.push(Tried {
                    key: path.display().to_string(),
                    outcome: reason,
                });
                continue;
            }
        };
        keys.extend(file.public.clone());
        let list = if *origin == Origin::Default {
            &mut default
        } else {
            &mut named
        };
        let (held, others): (Vec<_>, Vec<_>) = left
            .into_iter()
            .partition(|identity| is_of_file(identity, &file));
        left = others;
        if held.is_empty() {
            if file.has_private() {
                list.push(Candidate::File(file));
            } else {
                tried.push(Tried {
                    key: path.display().to_string(),
                    outcome: "it is a public key, and the agent does not have its private half"
                        .to_owned(),
                });
            }
            continue;
        }
        list.extend(through_the_agent(Some(&file), &held, certificates));
    }
    certificates.note_unused(&keys, tried);
    if destination.identities_only {
        left.retain(|identity| certificates.contain(identity));
    }
    named.extend(through_the_agent(None, &left, certificates));
    named.extend(default);
    Ok(named)
}

fn is_of_file(identity: &AgentIdentity, file: &KeyFile) -> bool {
    file.public
        .as_ref()
        .is_some_and(|public| identity.public_key().key_data() == public.key_data())
}

/// The agent's keys of one file, or of none. An agent that was given the key alone signs for its certificates
/// in files as well.
fn through_the_agent(
    file: Option<&KeyFile>,
    held: &[AgentIdentity],
    certificates: &Certificates,
) -> Vec<Candidate> {
    // `ssh-add KEY` gives the agent both, and then the certificate comes by itself.
    let is_held = |shown: &AgentIdentity| {
        let AgentIdentity::Certificate { certificate, .. } = shown else {
            return false;
        };
        held.iter().any(|identity| {
            matches!(identity, AgentIdentity::Certificate { certificate: held, .. } if held == certificate)
        })
    };
    let mut candidates = Vec::new();
    for identity in held {
        let shown = match (identity, file) {
            (AgentIdentity::PublicKey { key, .. }, Some(file)) => file.shown(key, certificates),
            (AgentIdentity::PublicKey { key, .. }, None) => certificates
                .of(key)
                .map(|certificate| certificate.clone().into())
                .chain([identity.clone()])
                .collect(),
            (AgentIdentity::Certificate { .. }, _) => vec![identity.clone()],
        };
        let in_agent = matches!(identity, AgentIdentity::Certificate { .. });
        let shown = shown
            .into_iter()
            .filter(|shown| in_agent || !is_held(shown));
        candidates.extend(shown.map(|shown| Candidate::InAgent {
            name: match file {
                Some(file) => format!("{} (agent)", file.name_of(&shown)),
                None => format!("`{}` (agent)", identity.comment()),
            },
            shown: Box::new(shown),
            held: Box::new(identity.clone()),
        }));
    }
    candidates
}
