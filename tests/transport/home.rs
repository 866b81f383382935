//! A deployer's home directory, and hosts seen from there.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use russh::keys::{PrivateKey, ssh_key::LineEnding};
use secrecy::SecretString;
use shipit::{
    model::{Host, SshSettings},
    transport::{ConnectError, Connector, Paths, Prompt, Session},
};
use tempfile::TempDir;

use super::server::{Behaviour, Server, ed25519};

pub struct Home {
    folder: TempDir,
    pub key: PrivateKey,
}

impl Home {
    /// With one key, `~/.ssh/id_ed25519`.
    pub fn new() -> Self {
        let home = Self {
            folder: tempfile::tempdir().unwrap(),
            key: ed25519(),
        };
        fs::create_dir(home.path(".ssh")).unwrap();
        home.write_key(".ssh/id_ed25519", &home.key);
        home
    }

    pub fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    pub fn write(&self, path: &str, text: &str) -> PathBuf {
        let path = self.path(path);
        fs::write(&path, text).unwrap();
        path
    }

    pub fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap()
    }

    pub fn write_key(&self, path: &str, key: &PrivateKey) -> PathBuf {
        self.write(path, &key.to_openssh(LineEnding::LF).unwrap())
    }

    pub fn paths(&self) -> Paths {
        Paths {
            home: self.folder.path().to_owned(),
            user: "deployer".to_owned(),
            agent: None,
            system_config: self.path("etc-ssh_config"),
            system_known_hosts: vec![self.path("etc-ssh_known_hosts")],
        }
    }

    /// Makes a server's key known.
    pub fn know(&self, server: &Server) {
        let line = format!(
            "[127.0.0.1]:{} {}\n",
            server.port,
            server.host_key.to_openssh().unwrap()
        );
        let file = self.path(".ssh/known_hosts");
        let before = fs::read_to_string(&file).unwrap_or_default();
        fs::write(file, before + &line).unwrap();
    }

    pub fn connector(&self) -> Connector {
        Connector::with_paths(Arc::new(Nobody), self.paths())
    }

    pub async fn connect(&self, host: &Host) -> Result<Session, ConnectError> {
        self.connector().connect(host).await
    }

    /// A server that this home knows, and a session to it.
    pub async fn session(&self, behaviour: Behaviour) -> (Server, Session) {
        let server = behaviour.start().await;
        self.know(&server);
        let session = self.connect(&host(&server)).await.unwrap();
        (server, session)
    }
}

pub fn host(server: &Server) -> Host {
    Host {
        name: "host-1".into(),
        address: "127.0.0.1".to_owned(),
        groups: Vec::new(),
        ssh: SshSettings {
            port: Some(server.port),
            ..SshSettings::default()
        },
    }
}

/// Nobody is there to be asked.
pub struct Nobody;

impl Prompt for Nobody {
    fn passphrase(&self, _: &Path) -> Option<SecretString> {
        None
    }
}

/// Somebody types these, one after the other.
#[derive(Default)]
pub struct Typist {
    answers: Mutex<Vec<&'static str>>,
    pub asked: AtomicUsize,
}

impl Typist {
    pub fn types(answers: &[&'static str]) -> Arc<Self> {
        Arc::new(Self {
            answers: Mutex::new(answers.to_vec()),
            asked: AtomicUsize::new(0),
        })
    }
}

impl Prompt for Typist {
    fn passphrase(&self, _: &Path) -> Option<SecretString> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let mut answers = self.answers.lock().unwrap();
        (!answers.is_empty()).then(|| answers.remove(0).to_owned().into())
    }
}
