//! sshd opens two sessions at once on one connection: the lock has one for as long as a run lasts.

use std::time::Duration;

use super::unfit::Unfit;
use crate::{
    command::RemoteCommand,
    hosts::{HostError, QUICK, Reached},
};

/// The pause between two looks whether sshd has refused.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Holds one session and opens another.
pub async fn two_at_once(reached: &Reached) -> Result<(), Unfit> {
    let unfit = |source| Unfit {
        error: HostError::Session {
            command: "true".to_owned(),
            source,
        },
        hint: hint(reached),
    };
    let held = reached
        .session
        .hold(&RemoteCommand::new("cat"), QUICK)
        .await;
    let held = held.map_err(unfit)?;
    // The second command waits for its place where sshd refuses it, and so would wait for the first one.
    let second = RemoteCommand::new("true");
    let refused = async {
        while !reached.session.was_refused_a_session() {
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    };
    let result = tokio::select! {
        result = reached.session.run(&second, QUICK) => result.map(drop).map_err(unfit),
        () = refused => Err(Unfit {
            error: HostError::Fact(
                "sshd opens one session at a time on a connection (MaxSessions 1); shipit needs two".to_owned(),
            ),
            hint: hint(reached),
        }),
    };
    drop(held);
    result
}

fn hint(reached: &Reached) -> String {
    format!(
        "set `MaxSessions 10` or more in /etc/ssh/sshd_config on `{}`, then `sudo systemctl reload ssh`",
        reached.name()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hosts::testing::{Act, TestFleet, behaviour};

    async fn told(max_sessions: usize) -> Option<String> {
        let mut server = behaviour().script(|command| match command {
            "cat" => vec![Act::Stall],
            _ => vec![Act::Status(0)],
        });
        server.max_sessions = max_sessions;
        let recipe = "hosts = \"all\"\ncontainer.image = \"web\"\n";
        let lab = TestFleet::new(&[("web", recipe)], vec![server]).await;
        let unfit = two_at_once(&lab.fleet.hosts()[0]).await.err()?;
        Some(format!("{}; {}", unfit.error, unfit.hint))
    }

    #[tokio::test]
    async fn one_session_is_too_few_and_the_setting_is_named() {
        assert_eq!(told(2).await, None);
        let told = told(1).await.expect("one is too few");
        assert!(told.contains("MaxSessions 1"), "{told}");
        assert!(told.contains("/etc/ssh/sshd_config"), "{told}");
    }
}
