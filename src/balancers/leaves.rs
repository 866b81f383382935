//! Apps that leave by themselves: balancers follow a health check of theirs, and a command makes it fail.

use std::time::Duration;

use futures::{
    FutureExt, StreamExt,
    stream::{self, BoxStream},
};
use tokio::time::Instant;

use super::{
    Backend, Upstreams,
    router::{Answer, Registration, RequestRouter, Routes},
};
use crate::{
    command::RemoteCommand,
    docker,
    hosts::HostError,
    model::{HostName, LateValues, Leave, Recipe, Template},
};

/// The longest that one command may take.
const DEADLINE: Duration = Duration::from_secs(60);

/// How often a container is looked at whose command failed, and how long after each other.
const LOOKS: usize = 3;
const PAUSE: Duration = Duration::from_secs(1);

/// A recipe whose containers leave by themselves.
pub(super) struct LeaveRouter {
    /// The recipe.
    pub recipe: Recipe,
    /// The balancers that follow its health check.
    pub balancers: Vec<Upstreams>,
    /// The release that is made.
    pub release: String,
}

impl LeaveRouter {
    /// Runs one of the commands for each container that runs.
    async fn run<'t>(
        &'t self,
        backends: &[Backend],
        command: impl Fn(&'t Leave) -> Option<&'t Template>,
    ) -> Result<(), HostError> {
        for backend in backends.iter().filter(|backend| backend.is_up) {
            let on = self.recipe.by_host.get(backend.host.name());
            let leave = on.and_then(|on| on.leave.as_ref());
            let Some(script) = leave.and_then(&command) else {
                continue;
            };
            let late = LateValues {
                release: self.release.clone(),
                container: backend.container.clone(),
                image: String::new(),
            };
            let script = script.render(&late);
            let script = script.map_err(|error| HostError::Fact(error.to_string()))?;
            run_in(backend, RemoteCommand::shell(script)).await?;
        }
        Ok(())
    }
}

/// Runs a command of a container that was up a moment ago. One that crashes again and again has nothing to leave: docker
/// is about to start it anew most of the time, so it is looked at a few times.
async fn run_in(backend: &Backend, command: RemoteCommand) -> Result<(), HostError> {
    let (mut looks, began) = (0, Instant::now());
    loop {
        let Err(error) = backend.host.expect(command.clone(), DEADLINE).await else {
            return Ok(());
        };
        if error.is_unreachable() {
            return Err(error);
        }
        let look = docker::inspect_containers(&[&backend.container]);
        let there = backend.host.read(look, docker::parse_containers).await?;
        if !there.first().is_some_and(|there| there.state.is_up()) {
            return Ok(());
        }
        looks += 1;
        if looks == LOOKS || began.elapsed() >= DEADLINE {
            return Err(error);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

impl RequestRouter for LeaveRouter {
    fn routes(&self) -> BoxStream<'_, (HostName, Routes)> {
        stream::iter(&self.balancers)
            .filter_map(Upstreams::ask)
            .boxed()
    }

    /// They find it well by themselves.
    fn put_in<'a>(&'a self, _: &'a [Backend]) -> Answer<'a, ()> {
        async { Ok(()) }.boxed()
    }

    fn take_out<'a>(&'a self, backends: &'a mut [Backend], _: &'a str) -> Answer<'a, Vec<String>> {
        async {
            self.run(backends, |leave| Some(&leave.run)).await?;
            Ok(Vec::new())
        }
        .boxed()
    }

    fn put_back<'a>(&'a self, backends: &'a [Backend]) -> Answer<'a, ()> {
        // One that was made just now may have crashed already, and has nothing to take back.
        let out = backends.iter().filter(|backend| backend.may_be_out);
        let out: Vec<_> = out.cloned().collect();
        async move { self.run(&out, |leave| leave.undo.as_ref()).await }.boxed()
    }

    fn registrations<'a>(&'a self, _: &'a Backend) -> Answer<'a, Vec<Registration>> {
        async { Ok(Vec::new()) }.boxed()
    }

    fn forget<'a>(&'a self, _: &'a [Backend]) -> Answer<'a, ()> {
        async { Ok(()) }.boxed()
    }

    fn deregister<'a>(&'a self, _: &'a [Backend]) -> Answer<'a, ()> {
        async { Ok(()) }.boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        hosts::testing::{TestFleet, behaviour, fails, prints},
        model::EQUAL_WEIGHT,
    };

    #[tokio::test]
    async fn one_that_has_crashed_has_nothing_to_leave() {
        for (running, restarting, is_fine) in [
            (true, false, false),
            (true, true, true),
            (false, false, true),
        ] {
            let there = serde_json::json!([{
                "Id": "c1", "Name": "/web-r1", "Image": "sha256:aa",
                "State": { "Status": "as it is", "Running": running, "Restarting": restarting },
                "Config": {}, "HostConfig": {},
            }])
            .to_string();
            let server = behaviour().script(move |command| match command {
                _ if command.contains("inspect") => prints(&there),
                _ => fails(1, "no such file\n"),
            });
            let web = "hosts = \"all\"\ncontainer.image = \"web\"\n";
            let lab = TestFleet::new(&[("web", web)], vec![server]).await;
            let backend = Backend {
                host: lab.fleet.hosts()[0].clone(),
                container: "web-r1".into(),
                ports: Vec::new(),
                port: None,
                weight: EQUAL_WEIGHT,
                is_up: true,
                may_be_out: true,
                service_ids: Vec::new(),
            };
            let left = run_in(&backend, RemoteCommand::shell("leave".to_owned())).await;
            assert_eq!(left.is_ok(), is_fine, "{running} {restarting}: {left:?}");
        }
    }

    #[tokio::test]
    async fn a_container_that_runs_leaves_and_comes_back_by_the_recipes_commands() {
        let web = "hosts = \"all\"\n[container]\nimage = \"web\"\npublish = [\"80\"]\n[drain]\nwait = \"5s\"\n\
            run = \"leave {{container}} {{release}}\"\nundo = \"stay {{container}}\"\n";
        let server = behaviour().script(|_| prints(""));
        let lab = TestFleet::new(&[("web", web)], vec![server]).await;
        let recipe = lab.environment.recipe("web").expect("it").clone();
        assert!(!recipe.is_registered());
        let router = LeaveRouter {
            recipe,
            balancers: Vec::new(),
            release: "r2".into(),
        };
        let backend = |name: &str, is_up: bool| Backend {
            host: lab.fleet.hosts()[0].clone(),
            container: name.into(),
            ports: vec![(80, 32768)],
            port: Some(32768),
            weight: EQUAL_WEIGHT,
            is_up,
            may_be_out: true,
            service_ids: Vec::new(),
        };
        let mut backends = [backend("web-r1", true), backend("web-r0", false)];
        assert!(router.take_out(&mut backends, "r2").await.is_ok());
        assert!(router.put_back(&backends).await.is_ok());
        assert!(router.put_in(&backends).await.is_ok());
        let commands = lab.servers[0].seen.commands.lock().expect("not poisoned");
        assert_eq!(
            *commands,
            ["sh -c 'leave web-r1 r2'", "sh -c 'stay web-r1'"]
        );
    }
}
