//! The question whether the other slots may follow the canaries.

use std::sync::Arc;

use tokio::sync::mpsc::UnboundedSender;

use crate::{
    event::{EventKind, Events},
    rollout::machine::Input,
};

/// How a rollout's question for promotion is answered.
#[derive(Clone)]
pub enum Promotion {
    /// Granted beforehand (`--promote`).
    Granted,
    /// A person is asked; returns whether they agree.
    Ask(Arc<dyn Fn(String) -> bool + Send + Sync>),
    /// Nobody can be asked.
    Nobody,
}

impl Promotion {
    /// Has the question answered; the answer comes as an input. Nothing waits for it here.
    pub(super) fn ask(&self, recipe: &str, events: &Events, sender: UnboundedSender<Input>) {
        let question = format!("The canaries of `{recipe}` are healthy. Roll out to the others?");
        match self.clone() {
            Self::Granted => {
                let _ = sender.send(Input::Promotion { granted: true });
            }
            Self::Nobody => {
                let message =
                    "the canaries are healthy, but there is nobody to ask about the others"
                        .to_owned();
                let hint = Some("use `--promote`, or set `auto_promote = true`".to_owned());
                events.send(EventKind::Warning {
                    host: None,
                    message,
                    hint,
                });
                let _ = sender.send(Input::Promotion { granted: false });
            }
            Self::Ask(ask) => {
                tokio::task::spawn_blocking(move || {
                    let _ = sender.send(Input::Promotion {
                        granted: ask(question),
                    });
                });
            }
        }
    }
}
