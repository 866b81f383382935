//! One key after another on offer, until the server takes one.

use std::{path::Path, pin::pin, sync::Arc, time::Duration};

use russh::{
    MethodKind, MethodSet, Signer,
    client::{AuthResult, Handle},
    keys::{Algorithm, HashAlg, PrivateKey, agent::AgentIdentity},
};
use tokio::{sync::mpsc, time::timeout};

use super::{
    agent::Agent,
    candidates::Candidate,
    certificates::Certificates,
    identity::{KeyFile, Keyring},
    signing::{Asked, Asker, FileKey, Relay, ToSign, Unsigned},
};
use crate::transport::{
    connect::{
        countdown::Countdown,
        destination::Destination,
        error::{ConnectError, Tried},
    },
    session::{client::Client, disconnect::DisconnectReason},
};

/// How long an agent may take to sign, as it may ask its owner, or wait for a touch. OpenSSH's servers give
/// up a login after two minutes.
const SIGNATURE: Duration = Duration::from_secs(120);

/// What came of an offer.
pub(super) enum Outcome {
    LoggedIn,
    Refused,
    NoMoreTries,
}

/// A login under way.
pub(super) struct Login<'a> {
    pub(super) handle: &'a mut Handle<Client>,
    pub(super) disconnect_reason: &'a DisconnectReason,
    pub(super) destination: &'a Destination,
    pub(super) keyring: &'a Keyring,
    pub(super) certificates: &'a Certificates,
    pub(super) countdown: &'a mut Countdown,
    pub(super) agent: Option<Agent>,
    pub(super) tried: Vec<Tried>,
    pub(super) methods: Vec<String>,
}

impl Login<'_> {
    /// Offers one key.
    pub(super) async fn offer(&mut self, candidate: Candidate) -> Result<Outcome, ConnectError> {
        match candidate {
            Candidate::InAgent { shown, held, name } => {
                self.offer_agent_key(&shown, &held, name).await
            }
            Candidate::File(file) => match file.open() {
                Some(key) => self.offer_key(&file, key).await,
                None => self.offer_locked(&file).await,
            },
        }
    }

    async fn offer_agent_key(
        &mut self,
        shown: &AgentIdentity,
        held: &AgentIdentity,
        name: String,
    ) -> Result<Outcome, ConnectError> {
        let hash = self.rsa_hash(&shown.public_key().algorithm()).await?;
        match self.show_agent_key(shown, held, hash).await? {
            Ok(result) => Ok(self.judge(name, result)),
            Err(why) => {
                self.note(name, format!("the agent did not sign ({why})"));
                Ok(Outcome::Refused)
            }
        }
    }

    /// What the server answers, or why the agent did not sign.
    async fn show_agent_key(
        &mut self,
        shown: &AgentIdentity,
        held: &AgentIdentity,
        hash: Option<HashAlg>,
    ) -> Result<Result<AuthResult, String>, ConnectError> {
        let mut why = "it has gone".to_owned();
        let Some(agent) = self.agent.take() else {
            return Ok(Err(why));
        };
        let mut agent = Some(agent);
        let user = self.destination.endpoint.user.clone();
        let (requests, mut requested) = mpsc::channel(1);
        let mut relay = Relay(requests);
        let mut offer = pin!(show(self.handle, user, shown, hash, &mut relay));
        loop {
            let step = async {
                tokio::select! {
                    biased;
                    result = &mut offer => Step::Answered(result),
                    Some(request) = requested.recv() => Step::Sign(request),
                }
            };
            match self.countdown.run("the answer to a key", step).await? {
                Step::Answered(result) => {
                    self.agent = agent;
                    return Ok(result.map_err(|Unsigned| why));
                }
                Step::Sign(ToSign { hash, data, answer }) => {
                    // Without an answer the connection is told that there is no signature.
                    let Some(asked) = &mut agent else { continue };
                    // Not on the countdown: the agent may be asking its owner.
                    match timeout(SIGNATURE, asked.sign_request(held, hash, data)).await {
                        // Nobody waits for it only when the connection has gone.
                        Ok(Ok(signed)) => drop(answer.send(signed)),
                        Ok(Err(error)) => why = error.to_string(),
                        // An answer that comes after all would be taken for that to another question.
                        Err(_) => {
                            why = format!("no answer within {} s", SIGNATURE.as_secs());
                            agent = None;
                        }
                    }
                }
            }
        }
    }

    /// Offers the public half of a locked key first, so that a passphrase is asked for only when the
    /// server would take the key.
    async fn offer_locked(&mut self, file: &KeyFile) -> Result<Outcome, ConnectError> {
        let Some(public) = &file.public else {
            return match self.keyring.unlock(file).await {
                Ok(key) => self.offer_key(file, key).await,
                Err(reason) => {
                    self.note(display(&file.path), reason);
                    Ok(Outcome::Refused)
                }
            };
        };
        for shown in file.shown(public, self.certificates) {
            let outcome = match self.probe(&shown).await? {
                Probe::Answered(result) => self.judge(file.name_of(&shown), result),
                Probe::Wanted => {
                    // Not on the countdown: it is a person who is waited for here.
                    let unlocked = self.keyring.unlock(file).await;
                    let key = unlocked.map_err(|reason| ConnectError::Passphrase {
                        path: file.path.clone(),
                        reason,
                    })?;
                    self.offer_shown(file, &shown, key).await?
                }
            };
            if !matches!(outcome, Outcome::Refused) {
                return Ok(outcome);
            }
        }
        Ok(Outcome::Refused)
    }

    async fn probe(&mut self, shown: &AgentIdentity) -> Result<Probe, ConnectError> {
        let user = self.destination.endpoint.user.clone();
        let hash = self.rsa_hash(&shown.public_key().algorithm()).await?;
        let mut asker = Asker;
        let offer = show(self.handle, user, shown, hash, &mut asker);
        match self.countdown.run("the answer to a key", offer).await? {
            Ok(result) => Ok(Probe::Answered(result)),
            Err(Asked::Wanted) => Ok(Probe::Wanted),
            Err(Asked::Gone) => Ok(Probe::Answered(gone())),
        }
    }

    async fn offer_key(
        &mut self,
        file: &KeyFile,
        key: Arc<PrivateKey>,
    ) -> Result<Outcome, ConnectError> {
        for shown in file.shown(key.public_key(), self.certificates) {
            match self.offer_shown(file, &shown, Arc::clone(&key)).await? {
                Outcome::Refused => {}
                outcome => return Ok(outcome),
            }
        }
        Ok(Outcome::Refused)
    }

    async fn offer_shown(
        &mut self,
        file: &KeyFile,
        shown: &AgentIdentity,
        key: Arc<PrivateKey>,
    ) -> Result<Outcome, ConnectError> {
        let user = self.destination.endpoint.user.clone();
        let hash = match shown {
            // The server has no say: a certificate names its key's algorithm.
            AgentIdentity::Certificate { .. } => {
                let is_rsa = matches!(key.algorithm(), Algorithm::Rsa { .. });
                is_rsa.then_some(HashAlg::Sha512)
            }
            AgentIdentity::PublicKey { .. } => self.rsa_hash(&key.algorithm()).await?,
        };
        let mut key = FileKey(key);
        let offer = show(self.handle, user, shown, hash, &mut key);
        let result = self.countdown.run("the answer to a key", offer).await?;
        let result = result.unwrap_or_else(|Unsigned| gone());
        Ok(self.judge(file.name_of(shown), result))
    }

    /// With no key at all: the server still says what it would take, and may even take nothing.
    pub(super) async fn ask_for_methods(mut self) -> Result<(), ConnectError> {
        let user = self.destination.endpoint.user.clone();
        let offer = self.handle.authenticate_none(user);
        let result = self.countdown.run("the ways to log in", offer).await?;
        match result.unwrap_or_else(|_| gone()) {
            AuthResult::Success => Ok(()),
            AuthResult::Failure {
                remaining_methods, ..
            } => {
                self.methods = names(&remaining_methods);
                Err(self.refused())
            }
        }
    }

    /// The hash for a signature by an RSA key: SHA-2 unless the server says that it only knows SHA-1.
    async fn rsa_hash(&mut self, algorithm: &Algorithm) -> Result<Option<HashAlg>, ConnectError> {
        if !matches!(algorithm, Algorithm::Rsa { .. }) {
            return Ok(None);
        }
        let ask = self.handle.best_supported_rsa_hash();
        let best = self.countdown.run("the server's algorithms", ask).await?;
        Ok(best.ok().flatten().unwrap_or(Some(HashAlg::Sha512)))
    }

    fn judge(&mut self, name: String, result: AuthResult) -> Outcome {
        let (methods, partial) = match result {
            AuthResult::Success => {
                tracing::debug!(endpoint = %self.destination.endpoint, key = name, "logged in");
                return Outcome::LoggedIn;
            }
            AuthResult::Failure {
                remaining_methods,
                partial_success,
            } => (remaining_methods, partial_success),
        };
        let closed = self.handle.is_closed() || methods.is_empty();
        let outcome = if closed {
            "the server closed the connection"
        } else if partial {
            "accepted, but the server wants more"
        } else {
            "refused"
        };
        self.note(name, outcome.to_owned());
        if !methods.is_empty() {
            self.methods = names(&methods);
        }
        if closed || !methods.contains(&MethodKind::PublicKey) {
            Outcome::NoMoreTries
        } else {
            Outcome::Refused
        }
    }

    fn note(&mut self, key: String, outcome: String) {
        self.tried.push(Tried { key, outcome });
    }

    pub(super) fn refused(self) -> ConnectError {
        ConnectError::AuthenticationRefused {
            endpoint: Box::new(self.destination.endpoint.clone()),
            tried: self.tried,
            methods: self.methods,
            said: self.disconnect_reason.known().map(str::to_owned),
        }
    }
}

/// Shows a server a key or a certificate; `signer` signs if the server would take it.
async fn show<S: Signer>(
    handle: &mut Handle<Client>,
    user: String,
    shown: &AgentIdentity,
    hash: Option<HashAlg>,
    signer: &mut S,
) -> Result<AuthResult, S::Error> {
    match shown {
        AgentIdentity::PublicKey { key, .. } => {
            handle
                .authenticate_publickey_with(user, key.clone(), hash, signer)
                .await
        }
        AgentIdentity::Certificate { certificate, .. } => {
            handle
                .authenticate_certificate_with(user, certificate.clone(), hash, signer)
                .await
        }
    }
}

enum Probe {
    Wanted,
    Answered(AuthResult),
}

/// What comes next while a key of the agent's is on offer.
enum Step {
    Answered(Result<AuthResult, Unsigned>),
    Sign(ToSign),
}

/// What russh itself reports when the connection ends while a key is on offer.
fn gone() -> AuthResult {
    AuthResult::Failure {
        remaining_methods: MethodSet::empty(),
        partial_success: false,
    }
}

fn names(methods: &MethodSet) -> Vec<String> {
    methods.iter().map(String::from).collect()
}

fn display(path: &Path) -> String {
    path.display().to_string()
}
