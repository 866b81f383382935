//! One step on one host, as events: it started, it finished or failed, and how long it took.

use tokio::time::Instant;

use super::error::HostError;
use crate::{
    event::{EventKind, Events},
    model::HostName,
    text,
};

/// Does `work` as a step. `detail` adds to the event of its success what is worth a word.
pub async fn step<T>(
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
