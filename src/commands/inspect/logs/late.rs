//! Following the logs of a host that was away when that began.

use std::time::Duration;

use super::{follow::Following, line::Shown};
use crate::{
    docker::LogRange,
    event::EventKind,
    hosts::Reached,
    model::{Host, Name},
    run::Context,
};

/// How often a host is tried that was away.
pub const EVERY: Duration = Duration::from_secs(10);

/// A host that was away.
pub struct Late<'a> {
    pub context: &'a Context<'a>,
    pub host: &'a Host,
    pub recipes: &'a [Name],
    pub range: &'a LogRange,
    pub shown: &'a Shown,
    /// How long to wait before each attempt.
    pub every: Duration,
}

impl Late<'_> {
    /// Tries until the host answers, then shows its logs as those of the others, for as long as it is awaited.
    pub async fn follow(&self) {
        let reached = self.reach().await;
        let mut following = Following {
            context: self.context,
            reached: &reached,
            recipes: self.recipes.to_vec(),
            first: Vec::new(),
            range: self.range.clone(),
            shown: self.shown,
            only_first: false,
        };
        // The session repairs itself, and where docker does not answer, asking it again is all that is to be done.
        following.first = loop {
            match following.running().await {
                Ok(running) => break running,
                Err(_) => tokio::time::sleep(self.every).await,
            }
        };
        let message = format!("{} answers now; its logs follow", reached.name());
        self.context.events.send(EventKind::Note { message });
        following.follow().await;
    }

    async fn reach(&self) -> Reached {
        let Context {
            consul, connector, ..
        } = self.context;
        loop {
            tokio::time::sleep(self.every).await;
            // Why it is away was said in the beginning.
            if let Ok(reached) = Reached::connect(consul, self.host, connector).await {
                return reached;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        hosts::testing::{Act, TestFleet, out, prints},
        run::Interrupts,
    };

    #[tokio::test]
    async fn a_host_that_was_away_is_shown_from_the_lines_that_were_asked_for() {
        let container = serde_json::json!([{
            "Id": "c1", "Name": "/web-r1", "Image": "sha256:aa",
            "State": { "Status": "running", "Running": true },
            "Config": { "Labels": {
                "shipit.environment": "staging", "shipit.recipe": "web", "shipit.release": "1",
                "shipit.instance": "1", "shipit.spec": "ab",
            } },
            "HostConfig": {},
        }])
        .to_string();
        let script = move |command: &str| match command {
            _ if command.contains("docker ps") => prints(&container),
            _ if command.contains("--tail 3") => {
                vec![out("2026-01-01T00:00:02Z hello\n"), Act::Stall]
            }
            other => panic!("{other}"),
        };
        let fleet = TestFleet::of_one(script).await;
        let TestFleet {
            environment,
            connector,
            events,
            mut told,
            project,
            ..
        } = fleet;
        let interrupts = Interrupts::listen().expect("signals can be listened to");
        let context = Context::of_alice(
            &environment,
            project.path(),
            &connector,
            &events,
            &interrupts,
        );
        let range = LogRange {
            tail: Some(3),
            timestamps: true,
            follow: true,
            ..LogRange::default()
        };
        let late = Late {
            context: &context,
            host: &environment.hosts[0],
            recipes: &["web".parse().expect("a name")],
            range: &range,
            shown: &Shown::default(),
            every: Duration::from_millis(1),
        };
        let said = async {
            let mut said = Vec::new();
            while said.len() < 2 {
                match told.next().await.expect("it goes on").event.kind {
                    EventKind::Note { message } => said.push(message),
                    EventKind::Output { line, .. } => said.push(line),
                    _ => {}
                }
            }
            said
        };
        tokio::select! {
            () = late.follow() => panic!("it does not end"),
            said = said => assert_eq!(said, ["host-1 answers now; its logs follow", "hello"]),
        }
    }
}
