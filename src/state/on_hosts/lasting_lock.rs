//! A deliberate, lasting lock (`shipit lock`): a note on a volume of the lock host, which stays until someone
//! takes it away.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    docker::{self, label},
    hosts::{HostError, QUICK, Reached},
};

/// A deliberate, lasting lock (`shipit lock`): a note on a volume of the lock host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Why.
    pub message: String,
    /// Who.
    pub by: String,
    /// Since when.
    pub at: Timestamp,
}

/// The volume that keeps an environment's lasting lock.
pub fn hold_volume(environment: &str) -> String {
    format!("shipit-{environment}-hold")
}

/// The environment's lasting lock, if it has one.
pub async fn read_hold(reached: &Reached, environment: &str) -> Result<Option<Hold>, HostError> {
    let volumes = reached
        .read(docker::inspect_volumes(environment), docker::parse_volumes)
        .await?;
    let name = hold_volume(environment);
    let note = volumes
        .iter()
        .find(|volume| volume.name == name)
        .and_then(|volume| volume.labels.get(label::HOLD));
    Ok(note.map(|json| {
        // A note that cannot be read is still a lock.
        serde_json::from_str(json).unwrap_or_else(|_| Hold {
            message: json.clone(),
            by: "someone".into(),
            at: Timestamp::UNIX_EPOCH,
        })
    }))
}

/// Locks the environment until [`release_hold`].
pub async fn place_hold(
    reached: &Reached,
    environment: &str,
    hold: &Hold,
) -> Result<(), HostError> {
    let json = serde_json::to_string(hold).map_err(|source| HostError::Output {
        command: "the lock's note".into(),
        source,
    })?;
    let labels = [
        (label::ENVIRONMENT.to_owned(), environment.to_owned()),
        (label::HOLD.to_owned(), json),
    ];
    reached
        .expect(
            docker::volume_create(&hold_volume(environment), &labels.into()),
            QUICK,
        )
        .await
        .map(|_| ())
}

/// Takes the lasting lock away; fine when there is none.
pub async fn release_hold(reached: &Reached, environment: &str) -> Result<(), HostError> {
    reached
        .expect(docker::volume_remove(&[&hold_volume(environment)]), QUICK)
        .await
        .map(|_| ())
}
