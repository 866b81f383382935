//! One thing done on one host, told as events: it began, it ended well or badly, and how long it took.

use tokio::time::Instant;

use super::error::HostError;
use crate::{
    event::{EventKind, Events},
    model::HostName,
    text,
};

/// Does `work` and tells of it. `detail` says what came of it, where that is worth a word.
pub async fn tell<T>(
    events: &Events,
    host: &HostName,
    recipe: Option<&str>,
    step: &str,
    work: impl Future<Output = Result<T, HostError>>,
    detail: impl FnOnce(&T) -> Option<String>,
) -> Result<T, HostError> {
    let (host, recipe, step) = (host.to_string(), recipe.map(str::to_owned), step.to_owned());
    events.send(EventKind::StepStarted {
        host: host.clone(),
        recipe: recipe.clone(),
        step: step.clone(),
    });
    let began = Instant::now();
    let result = work.await;
    events.send(match &result {
        Ok(value) => EventKind::StepFinished {
            host,
            recipe,
            step,
            took: began.elapsed(),
            detail: detail(value),
        },
        Err(error) => {
            let (error, evidence) = (text::chain(error), error.output().to_vec());
            EventKind::StepFailed {
                host,
                recipe,
                step,
                error,
                evidence,
            }
        }
    });
    result
}
