//! The removal of a console's own container, however its shipit ends.

use std::time::Duration;

use tokio::task::JoinHandle;

use crate::{
    docker,
    hosts::{HostError, QUICK, Reached, why_ended},
    transport::Held,
};

/// How often the host is told that somebody is still there.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// After how many seconds without a word the host takes it that nobody is. A laptop that is closed for a moment keeps
/// its console.
const SILENCE: u64 = 300;

/// Has the host remove a container when this run is gone. Dropping it has it removed at once.
pub struct Watch(JoinHandle<()>);

impl Watch {
    /// Begins, before anything runs in the container.
    pub async fn begin(reached: &Reached, container: &str) -> Result<Self, HostError> {
        let command = docker::remove_after(container, SILENCE);
        let (held, answer) = reached.hold(command, "timeout").await?;
        if answer.as_deref() == Some(docker::WATCHES) {
            return Ok(Self(tokio::spawn(beat(held))));
        }
        let why = why_ended(&held).await;
        Err(HostError::Fact(format!(
            "what removes the container at the end did not start: {why}"
        )))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Goes on until the connection is lost, which whoever is at the console notices.
async fn beat(mut held: Held) {
    loop {
        tokio::time::sleep(HEARTBEAT).await;
        if held.write(b".", QUICK).await.is_err() {
            return;
        }
    }
}
