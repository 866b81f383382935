//! What is asked of a deploy.

use std::sync::Arc;

use crate::{plan::Scope, release::Number, rollout::driver::Promotion};

/// A deploy or a rollback as it was asked for.
pub struct DeployRequest {
    /// The hosts and recipes that it may change.
    pub scope: Scope,
    /// The state to reach.
    pub goal: Goal,
    /// Only show the plan.
    pub dry_run: bool,
    /// How a canary's question is answered.
    pub promotion: Promotion,
    /// Whether records may start what today's files do not.
    pub trust: Trust,
}

/// Whether records may start what reaches beyond a container and is not in today's files.
#[derive(Clone)]
pub enum Trust {
    /// Agreed to beforehand (`--trust-records`).
    Granted,
    /// A person is asked; returns whether they agree.
    Ask(Arc<dyn Fn(String) -> bool + Send + Sync>),
    /// Nobody can be asked.
    Nobody,
}

/// The state to reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    /// What the files say.
    Files {
        /// Replace the containers of the scope's recipes even where nothing has changed.
        forced: bool,
    },
    /// What an earlier release had; the previous one when no number is given.
    Release(Option<Number>),
    /// What runs now, in new containers.
    Restart,
    /// What runs now, stopped.
    Stop,
    /// What was stopped, running.
    Start,
}

impl Goal {
    /// The command's word, as others see it in the lock.
    pub fn verb(self) -> &'static str {
        match self {
            Self::Files { .. } => "deploy",
            Self::Release(_) => "rollback",
            Self::Restart => "restart",
            Self::Stop => "stop",
            Self::Start => "start",
        }
    }
}
