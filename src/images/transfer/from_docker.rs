//! Saving an image of the deployer's own Docker.

use std::{process::Stdio, time::Duration};

use tokio::process::Command;

use super::saved::{SavedImage, temporary};
use crate::{hosts::HostError, text};

/// The longest that `docker save` may take on the deployer's machine.
const SAVE: Duration = Duration::from_secs(15 * 60);

/// Saves the image that has this id in the deployer's Docker.
pub async fn save_from_docker(written: &str, id: &str) -> Result<SavedImage, HostError> {
    let wrong = |why: String| {
        let folder = std::env::temp_dir();
        HostError::Fact(format!(
            "cannot save `{written}` from this machine's Docker to {}: {why}",
            folder.display()
        ))
    };
    let file = temporary().map_err(|error| wrong(error.to_string()))?;
    let stdout = file.try_clone().map_err(|error| wrong(error.to_string()))?;
    let saving = Command::new("docker")
        .args(["save", id])
        .stdin(Stdio::null())
        .stdout(stdout)
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| wrong(format!("`docker` cannot be run here: {error}")))?;
    let output = tokio::time::timeout(SAVE, saving.wait_with_output())
        .await
        .map_err(|_| wrong("it took too long".to_owned()))?
        .map_err(|error| wrong(error.to_string()))?;
    if !output.status.success() {
        let printed = String::from_utf8_lossy(&output.stderr);
        return Err(wrong(text::complaint(&printed).unwrap_or_default()));
    }
    SavedImage::read(file)
        .await
        .map_err(|error| wrong(error.to_string()))
}
