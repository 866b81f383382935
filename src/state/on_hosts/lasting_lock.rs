//! The lasting lock: a label of an empty docker volume on the lock host.

use jiff::Timestamp;

use crate::{
    docker::{self, label},
    hosts::{HostError, QUICK, Reached},
    state::backend::LastingLock,
    text,
};

/// The volume that keeps an environment's lasting lock.
fn volume_name(environment: &str) -> String {
    format!("shipit-{environment}-hold")
}

/// The environment's lasting lock, if it has one.
pub async fn read(reached: &Reached, environment: &str) -> Result<Option<LastingLock>, HostError> {
    let volumes = reached
        .read(docker::inspect_volumes(environment), docker::parse_volumes)
        .await?;
    let name = volume_name(environment);
    let note = volumes
        .iter()
        .find(|volume| volume.name == name)
        .and_then(|volume| volume.labels.get(label::HOLD));
    Ok(note.map(|json| {
        // A note that cannot be read is still a lock.
        text::parse_json(json).unwrap_or_else(|_| LastingLock {
            message: json.clone(),
            by: "someone".into(),
            at: Timestamp::UNIX_EPOCH,
        })
    }))
}

/// Locks the environment until [`release`].
pub async fn place(
    reached: &Reached,
    environment: &str,
    lock: &LastingLock,
) -> Result<(), HostError> {
    let json = serde_json::to_string(lock).map_err(|source| HostError::Output {
        command: "the lock's note".into(),
        source,
    })?;
    let labels = [
        (label::ENVIRONMENT.to_owned(), environment.to_owned()),
        (label::HOLD.to_owned(), json),
    ];
    reached
        .expect(
            docker::volume_create(&volume_name(environment), &labels.into()),
            QUICK,
        )
        .await
        .map(|_| ())
}

/// Removes the lasting lock; fine when there is none.
pub async fn release(reached: &Reached, environment: &str) -> Result<(), HostError> {
    reached
        .expect(docker::volume_remove(&[&volume_name(environment)]), QUICK)
        .await
        .map(|_| ())
}
