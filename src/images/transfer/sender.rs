//! Sending images to hosts.

use std::{collections::HashMap, sync::Arc};

use tokio::sync::{Mutex, OnceCell, Semaphore};

use super::{
    from_docker::save_from_docker,
    load::{Sent, send_archive},
    saved::SavedImage,
};
use crate::{
    docker::PinnedImage,
    event::Events,
    hosts::{HostError, Reached, progress},
    images::delivery::DeliveryError,
};

/// How many hosts are sent an image at once. Each costs the deployer a compression.
const SENDING: usize = 4;

/// Sends images, saving each from the deployer's Docker once.
pub struct Sender {
    sending: Semaphore,
    saved: Mutex<HashMap<String, Arc<OnceCell<SavedImage>>>>,
}

impl Default for Sender {
    fn default() -> Self {
        Self {
            sending: Semaphore::new(SENDING),
            saved: Mutex::default(),
        }
    }
}

impl Sender {
    /// Streams an image of the deployer's own Docker to a host.
    pub async fn send(
        &self,
        reached: &Reached,
        written: &str,
        pin: &PinnedImage,
        events: &Events,
    ) -> Result<(), DeliveryError> {
        let cell = self
            .saved
            .lock()
            .await
            .entry(pin.digest.clone())
            .or_default()
            .clone();
        let mut is_here = true;
        let work = async {
            let saved = cell
                .get_or_try_init(|| save_from_docker(written, &pin.digest))
                .await
                .inspect_err(|_| is_here = false)?;
            send_archive(reached, saved, written, pin, events).await
        };
        let sent = self.step(reached, written, work, events).await;
        sent.map_err(|error| {
            if is_here {
                DeliveryError::Host(error)
            } else {
                DeliveryError::Source(error)
            }
        })
    }

    /// Streams a saved image to a host.
    pub async fn send_saved(
        &self,
        reached: &Reached,
        saved: &SavedImage,
        written: &str,
        pin: &PinnedImage,
        events: &Events,
    ) -> Result<(), HostError> {
        let work = send_archive(reached, saved, written, pin, events);
        self.step(reached, written, work, events).await
    }

    async fn step(
        &self,
        reached: &Reached,
        written: &str,
        work: impl Future<Output = Result<Sent, HostError>>,
        events: &Events,
    ) -> Result<(), HostError> {
        // The semaphore is never closed, so this only waits.
        let _permit = self.sending.acquire().await;
        let step = format!("send {written}");
        let detail = |sent: &Sent| Some(sent.to_string());
        let sent = progress::step(events, reached.name(), None, &step, work, detail);
        sent.await.map(|_| ())
    }
}
