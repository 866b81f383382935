//! What the body of a command on hosts has at hand.

use crate::{hosts::Run, run::Context, terminal::Terminal};

/// One invocation of a command on hosts.
pub struct Invocation<'a> {
    /// The environment, the events, the way to the hosts.
    pub context: Context<'a>,
    /// The person who can be asked, if there is one.
    pub terminal: Terminal,
}

impl Invocation<'_> {
    /// Asks a question that is answered with yes or no. An interrupt ends the run; `state` says what that
    /// means for the hosts.
    pub async fn confirm(&self, question: String, state: &str) -> Run<bool> {
        let terminal = self.terminal.clone();
        let answer = tokio::task::spawn_blocking(move || terminal.confirm(&question));
        self.context
            .interruptible(state, async { Ok(answer.await.unwrap_or(false)) })
            .await
    }
}
