//! What comes between the canaries and the other slots: a time, a question, an equal share of the requests.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use super::running::Running;
use crate::{
    event::{EventKind, Events},
    model::EQUAL_WEIGHT,
    rollout::{machine::Input, slot::Placement},
    text,
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
    /// Has the question answered. Where nobody waits for that any more, the question stays as it is.
    async fn ask(&self, recipe: &str, events: &Events) -> bool {
        let question = format!("The canaries of `{recipe}` are healthy. Roll out to the others?");
        match self.clone() {
            Self::Granted => true,
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
                false
            }
            Self::Ask(ask) => {
                let answer = tokio::task::spawn_blocking(move || ask(question));
                answer.await.unwrap_or(false)
            }
        }
    }
}

/// What a promotion takes.
pub(super) struct Promoting {
    recipe: String,
    events: Events,
    /// How the question is answered, where there is one.
    question: Option<Promotion>,
    /// How long the canaries serve before that.
    time: Duration,
    /// What the canaries have of the requests until then, where that is less than the others.
    share: Option<String>,
    slots: Vec<Arc<Placement>>,
}

impl Promoting {
    /// What the promotion of a rollout's canaries takes. Without other slots there is nothing to wait for or to ask.
    pub fn of(running: &Running, promotion: &Promotion, events: &Events, others: bool) -> Self {
        let settings = &running.recipe.rollout;
        let asks = others && !settings.auto_promote;
        Self {
            recipe: running.recipe.name.to_string(),
            events: events.clone(),
            question: asks.then(|| promotion.clone()),
            time: if others {
                settings.canary_time
            } else {
                Duration::ZERO
            },
            share: running.canary_share.clone(),
            slots: running.slots.clone(),
        }
    }

    /// Waits, asks and sees to the shares; what the rollout is told then.
    pub async fn answer(self) -> Input {
        if !self.time.is_zero() {
            let (recipe, time) = (&self.recipe, text::duration(self.time));
            let share = self.share.as_ref();
            let share = share.map(|share| format!(" {share} of the requests"));
            self.note(format!(
                "the canaries of `{recipe}` serve{} for {time} before the others follow",
                share.unwrap_or_default()
            ));
            tokio::time::sleep(self.time).await;
        }
        if let Some(promotion) = &self.question
            && !promotion.ask(&self.recipe, &self.events).await
        {
            return Input::Promotion { granted: false };
        }
        match self.weigh_equally().await {
            Ok(()) => Input::Promotion { granted: true },
            Err(why) => Input::OverBudget {
                reason: format!(
                    "the canaries cannot be given an equal share of the requests: {why}"
                ),
            },
        }
    }

    async fn weigh_equally(&self) -> Result<(), String> {
        let Some(slot) = self.slots.first().filter(|_| self.share.is_some()) else {
            return Ok(());
        };
        // A container that is told of from now on, as after a reconnection, is told of with this.
        for slot in &self.slots {
            slot.weight.store(EQUAL_WEIGHT, Ordering::Relaxed);
        }
        let weighed = slot.context.routing.weigh_equally().await;
        weighed.map_err(|error| text::chain(&error).join(": "))?;
        let recipe = &self.recipe;
        self.note(format!(
            "the canaries of `{recipe}` get an equal share of the requests"
        ));
        Ok(())
    }

    fn note(&self, message: String) {
        self.events.send(EventKind::Note { message });
    }
}
