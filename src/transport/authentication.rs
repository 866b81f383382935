//! Logging in: which keys are offered, in which order, and what came of each.
//!
//! Each key is offered once. Servers count refusals (sshd's `MaxAuthTries`), and from 9.8 on sshd locks an
//! address out that is refused too often, so nothing is tried a second time.

use std::{path::Path, sync::Arc, time::Duration};

use russh::{
    MethodKind, MethodSet, SendError, Signer,
    client::{AuthResult, Handle},
    keys::{
        Algorithm, HashAlg, PrivateKey, PrivateKeyWithHashAlg, PublicKey,
        agent::{AgentIdentity, client::AgentClient},
    },
};
use tokio::{net::UnixStream, time::timeout};

use super::{
    client::Client,
    connect_error::{ConnectError, Tried},
    connection::Fate,
    countdown::Countdown,
    destination::{Destination, IdentityFile, Origin},
    identity::{KeyFile, Keyring, Unreadable},
};

/// How long an agent may take to list its keys. It may take longer to sign, as it may ask its owner.
const AGENT: Duration = Duration::from_secs(3);

/// Logs in on a connection whose host key has been checked.
pub(super) async fn log_in(
    handle: &mut Handle<Client>,
    fate: &Fate,
    destination: &Destination,
    keyring: &Keyring,
    countdown: &mut Countdown,
) -> Result<(), ConnectError> {
    let mut tried = Vec::new();
    let agent = connect_agent(handle, destination, &mut tried).await;
    let (agent, agent_keys) = agent.unzip();
    let candidates = candidates(
        destination,
        keyring,
        agent_keys.unwrap_or_default(),
        &mut tried,
    )
    .await?;

    let mut login = Login {
        handle,
        fate,
        destination,
        keyring,
        countdown,
        agent,
        tried,
        methods: Vec::new(),
    };
    if candidates.is_empty() {
        return login.ask_for_methods().await;
    }
    for candidate in candidates {
        match login.offer(candidate).await? {
            Outcome::LoggedIn => return Ok(()),
            Outcome::Refused => {}
            Outcome::NoMoreTries => break,
        }
    }
    Err(login.refused())
}

/// A key that may be offered.
enum Candidate {
    InAgent {
        identity: Box<AgentIdentity>,
        name: String,
    },
    File(Arc<KeyFile>),
}

enum Outcome {
    LoggedIn,
    Refused,
    NoMoreTries,
}

type Agent = AgentClient<UnixStream>;

/// Connects to the agent and lists its keys. An agent that fails is noted, as there may be key files.
async fn connect_agent(
    handle: &Handle<Client>,
    destination: &Destination,
    tried: &mut Vec<Tried>,
) -> Option<(Agent, Vec<AgentIdentity>)> {
    let socket = destination.agent.as_ref()?;
    let connect = async {
        let mut agent = AgentClient::connect_uds(socket).await?;
        // Keys that are bound to destinations show only then; an agent that does not know it goes on.
        if let Some(binding) = handle.agent_session_binding() {
            let _ = agent.bind_session(binding, false).await;
        }
        let keys = agent.request_identities().await?;
        Ok::<_, russh::keys::Error>((agent, keys))
    };
    let outcome = match timeout(AGENT, connect).await {
        Ok(Ok(agent)) => return Some(agent),
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("no answer within {} s", AGENT.as_secs()),
    };
    tried.push(Tried {
        key: format!("agent at {}", socket.display()),
        outcome,
    });
    None
}

/// The keys in the order they are offered: named files first (through the agent where it has them), then
/// the agent's other keys, then OpenSSH's default files.
async fn candidates(
    destination: &Destination,
    keyring: &Keyring,
    agent_keys: Vec<AgentIdentity>,
    tried: &mut Vec<Tried>,
) -> Result<Vec<Candidate>, ConnectError> {
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
        list.extend(held.into_iter().map(|identity| Candidate::InAgent {
            identity: Box::new(identity),
            name: format!("{} (agent)", path.display()),
        }));
    }
    if !destination.identities_only {
        named.extend(left.into_iter().map(|identity| Candidate::InAgent {
            name: format!("`{}` (agent)", identity.comment()),
            identity: Box::new(identity),
        }));
    }
    named.extend(default);
    Ok(named)
}

fn is_of_file(identity: &AgentIdentity, file: &KeyFile) -> bool {
    file.public
        .as_ref()
        .is_some_and(|public| identity.public_key().key_data() == public.key_data())
}

struct Login<'a> {
    handle: &'a mut Handle<Client>,
    fate: &'a Fate,
    destination: &'a Destination,
    keyring: &'a Keyring,
    countdown: &'a mut Countdown,
    agent: Option<Agent>,
    tried: Vec<Tried>,
    methods: Vec<String>,
}

impl Login<'_> {
    async fn offer(&mut self, candidate: Candidate) -> Result<Outcome, ConnectError> {
        match candidate {
            Candidate::InAgent { identity, name } => self.offer_agent_key(&identity, name).await,
            Candidate::File(file) => match file.open() {
                Some(key) => self.offer_key(&file, key).await,
                None => self.offer_locked(&file).await,
            },
        }
    }

    async fn offer_agent_key(
        &mut self,
        identity: &AgentIdentity,
        name: String,
    ) -> Result<Outcome, ConnectError> {
        let user = self.destination.endpoint.user.clone();
        let hash = self.rsa_hash(&identity.public_key().algorithm()).await?;
        let Some(agent) = &mut self.agent else {
            return Ok(Outcome::Refused);
        };
        let offer = async {
            match identity {
                AgentIdentity::PublicKey { key, .. } => {
                    self.handle
                        .authenticate_publickey_with(user, key.clone(), hash, agent)
                        .await
                }
                AgentIdentity::Certificate { certificate, .. } => {
                    self.handle
                        .authenticate_certificate_with(user, certificate.clone(), hash, agent)
                        .await
                }
            }
        };
        match self.countdown.run("the answer to a key", offer).await? {
            Ok(result) => Ok(self.judge(name, result)),
            Err(error) => {
                self.note(name, format!("the agent did not sign ({error})"));
                Ok(Outcome::Refused)
            }
        }
    }

    /// Offers the public half of a locked key first, so that a passphrase is asked for only when the
    /// server would take the key.
    async fn offer_locked(&mut self, file: &KeyFile) -> Result<Outcome, ConnectError> {
        let name = file.path.display().to_string();
        let wanted = match &file.public {
            Some(public) => match self.probe(public).await? {
                Probe::Wanted => true,
                Probe::Answered(result) => return Ok(self.judge(name, result)),
            },
            None => false,
        };
        // Not on the countdown: it is a person who is waited for here.
        match self.keyring.unlock(file).await {
            Ok(key) => self.offer_key(file, key).await,
            Err(reason) if wanted => Err(ConnectError::Passphrase {
                path: file.path.clone(),
                reason,
            }),
            Err(reason) => {
                self.note(name, reason);
                Ok(Outcome::Refused)
            }
        }
    }

    async fn probe(&mut self, public: &PublicKey) -> Result<Probe, ConnectError> {
        let user = self.destination.endpoint.user.clone();
        let hash = self.rsa_hash(&public.algorithm()).await?;
        let mut asker = Asker;
        let offer = self
            .handle
            .authenticate_publickey_with(user, public.clone(), hash, &mut asker);
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
        let user = self.destination.endpoint.user.clone();
        if let Some(certificate) = &file.certificate
            && certificate.public_key() == key.public_key().key_data()
        {
            let name = format!("{} (certificate)", file.path.display());
            let offer = self.handle.authenticate_openssh_cert(
                user.clone(),
                Arc::clone(&key),
                certificate.clone(),
            );
            let result = self.countdown.run("the answer to a key", offer).await?;
            match self.judge(name, result.unwrap_or_else(|_| gone())) {
                Outcome::Refused => {}
                outcome => return Ok(outcome),
            }
        }
        let hash = self.rsa_hash(&key.algorithm()).await?;
        let offer = self
            .handle
            .authenticate_publickey(user, PrivateKeyWithHashAlg::new(key, hash));
        let result = self.countdown.run("the answer to a key", offer).await?;
        Ok(self.judge(display(&file.path), result.unwrap_or_else(|_| gone())))
    }

    /// With no key at all: the server still says what it would take, and may even take nothing.
    async fn ask_for_methods(mut self) -> Result<(), ConnectError> {
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

    fn refused(self) -> ConnectError {
        ConnectError::AuthenticationRefused {
            endpoint: Box::new(self.destination.endpoint.clone()),
            tried: self.tried,
            methods: self.methods,
            said: self.fate.known().map(str::to_owned),
        }
    }
}

enum Probe {
    Wanted,
    Answered(AuthResult),
}

/// A signer that never signs: that it is asked to is all we want to know.
struct Asker;

enum Asked {
    Wanted,
    Gone,
}

impl From<SendError> for Asked {
    fn from(_: SendError) -> Self {
        Self::Gone
    }
}

impl Signer for Asker {
    type Error = Asked;

    async fn auth_sign(
        &mut self,
        _: &AgentIdentity,
        _: Option<HashAlg>,
        _: Vec<u8>,
    ) -> Result<Vec<u8>, Asked> {
        Err(Asked::Wanted)
    }
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
