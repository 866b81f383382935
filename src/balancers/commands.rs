//! Balancers with an API of their own: a command tells one of a container, another one takes it away.

use std::{process::Stdio, sync::Arc, time::Duration};

use futures::{
    FutureExt, StreamExt,
    stream::{self, BoxStream},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _},
    process::Command,
    time::Instant,
};

use super::{
    Backend, BackendLists, Upstreams,
    router::{Answer, Registration, RequestRouter, Routes, only_some},
};
use crate::{
    command::RemoteCommand,
    hosts::{HostError, Reached, failed},
    model::{BackendCommands, HostName, LateValues, ListedBackend, Name, Template},
    text::{self, Tail},
    transport::Output,
};

/// The longest that one command may take.
const DEADLINE: Duration = Duration::from_secs(60);

/// How much of what a local command prints is kept, in bytes.
const LONGEST_OUTPUT: usize = 64 * 1024;

/// How long a balancer that has just started is given until it answers.
const ANSWERS: Duration = Duration::from_secs(15);

/// The pause between two tries.
const PAUSE: Duration = Duration::from_millis(300);

/// One balancer with commands.
#[derive(Clone)]
pub struct CommandTarget {
    /// The balancer's recipe.
    pub recipe: Name,
    /// Its host.
    pub reached: Reached,
    /// Its commands.
    pub commands: BackendCommands,
    /// What they may name beside the backend: the balancer's container.
    pub late: LateValues,
}

impl CommandTarget {
    /// How a balancer is told, where its recipe has commands for that.
    pub fn of(balancer: &Upstreams) -> Option<Self> {
        Some(Self {
            recipe: balancer.recipe.clone(),
            reached: balancer.reached.clone(),
            commands: balancer.view.commands.clone()?,
            late: balancer.late.clone(),
        })
    }

    /// The recipes whose containers it is told of.
    pub fn recipes(&self) -> &[Name] {
        &self.commands.recipes
    }

    /// Tells a balancer of a container that has started a moment ago, and may not answer yet.
    pub async fn add_once_it_answers(&self, backend: &ListedBackend) -> Result<(), HostError> {
        let began = Instant::now();
        loop {
            match self.run(&self.commands.add, backend, "active").await {
                Err(_) if began.elapsed() < ANSWERS => tokio::time::sleep(PAUSE).await,
                result => return result,
            }
        }
    }

    async fn run(
        &self,
        command: &Template,
        backend: &ListedBackend,
        state: &str,
    ) -> Result<(), HostError> {
        let script = command
            .with("backend", backend.value(state))
            .render(&self.late);
        let script = script.map_err(|error| HostError::Fact(error.to_string()))?;
        let shown = script.trim().to_owned();
        let output = if self.commands.local {
            here(&script).await?
        } else {
            let command = RemoteCommand::shell(script);
            self.reached.run(command, DEADLINE).await?
        };
        match output.status {
            0 => Ok(()),
            _ => Err(failed(shown, &output)),
        }
    }
}

/// What takes a container out, while it still serves.
fn leaves(commands: &BackendCommands) -> Option<&Template> {
    commands.drain.as_ref().or(Some(&commands.remove))
}

/// What takes a container away that has stopped; nothing where it was taken away before.
fn goes(commands: &BackendCommands) -> Option<&Template> {
    commands.drain.is_some().then_some(&commands.remove)
}

/// Runs a script on the deployer's machine.
async fn here(script: &str) -> Result<Output, HostError> {
    let fail = |why: String| HostError::Fact(format!("`{}` {why}", script.trim()));
    let running = async {
        let mut child = Command::new("sh")
            .args(["-c", script])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let (stdout, stderr, status) = tokio::join!(end_of(stdout), end_of(stderr), child.wait());
        status.map(|status| (status, stdout, stderr))
    };
    let ended = tokio::time::timeout(DEADLINE, running).await;
    let ended =
        ended.map_err(|_| fail(format!("took longer than {}", text::duration(DEADLINE))))?;
    let ended = ended.map_err(|error| fail(format!("cannot be run: {error}")))?;
    let (status, stdout, stderr) = ended;
    let code = status.code().and_then(|code| u32::try_from(code).ok());
    Ok(Output {
        // A signal is no success.
        status: code.unwrap_or(255),
        stdout,
        stderr,
    })
}

/// The end of what a command prints: it may print what a host answers, which may be without end.
async fn end_of(stream: Option<impl AsyncRead + Unpin>) -> String {
    let mut said = Tail::new(LONGEST_OUTPUT);
    if let Some(mut stream) = stream {
        let mut block = vec![0; 4096];
        while let Ok(read @ 1..) = stream.read(&mut block).await {
            said.add(&block[..read]);
        }
    }
    said.into_text()
}

/// The balancers of one recipe that are told by commands.
pub(super) struct CommandRouter {
    /// The recipe whose containers they route to.
    pub recipe: Name,
    /// The balancers.
    pub balancers: Vec<Upstreams>,
    /// The containers that requests may go to.
    pub lists: Arc<BackendLists>,
}

impl CommandRouter {
    fn listed(&self, backends: &[Backend]) -> Vec<ListedBackend> {
        let listed = backends.iter().map(|backend| backend.listed(&self.recipe));
        listed.collect()
    }

    /// Runs a command of every balancer for each container. One that fails keeps no other from being told.
    async fn tell(
        &self,
        backends: &[ListedBackend],
        state: &str,
        command: impl Fn(&BackendCommands) -> Option<&Template>,
    ) -> Result<(), HostError> {
        let (mut told, mut failures) = (Vec::new(), Vec::new());
        for target in self.balancers.iter().filter_map(CommandTarget::of) {
            let Some(script) = command(&target.commands) else {
                continue;
            };
            let name = format!("`{}` on `{}`", target.recipe, target.reached.name());
            for backend in backends.iter().filter(|backend| backend.port.is_some()) {
                match target.run(script, backend, state).await {
                    Ok(()) => told.push(name.clone()),
                    Err(error) => failures.push((name.clone(), error)),
                }
            }
        }
        if failures.len() <= 1 && told.is_empty() {
            return match failures.pop() {
                None => Ok(()),
                Some((_, error)) => Err(error),
            };
        }
        if failures.is_empty() {
            return Ok(());
        }
        Err(only_some(&failures, &told, "was told"))
    }
}

impl RequestRouter for CommandRouter {
    fn routes(&self) -> BoxStream<'_, (HostName, Routes)> {
        stream::iter(&self.balancers)
            .filter_map(Upstreams::ask)
            .boxed()
    }

    fn put_in<'a>(&'a self, backends: &'a [Backend]) -> Answer<'a, ()> {
        async {
            if let Some(error) = Backend::lack_of_ports(backends) {
                return Err(error);
            }
            let listed = self.listed(backends);
            self.lists.note_active(listed.clone()).await;
            self.tell(&listed, "active", |commands| Some(&commands.add))
                .await
        }
        .boxed()
    }

    fn take_out<'a>(&'a self, backends: &'a mut [Backend], _: &'a str) -> Answer<'a, Vec<String>> {
        async {
            let listed = self.listed(backends);
            self.lists.note_gone(&listed).await;
            self.tell(&listed, "draining", leaves).await?;
            Ok(Vec::new())
        }
        .boxed()
    }

    /// A container that has started is not ready yet; once it is, it is put in.
    fn put_back<'a>(&'a self, _: &'a [Backend]) -> Answer<'a, ()> {
        async { Ok(()) }.boxed()
    }

    fn registrations<'a>(&'a self, _: &'a Backend) -> Answer<'a, Vec<Registration>> {
        async { Ok(Vec::new()) }.boxed()
    }

    fn forget<'a>(&'a self, backends: &'a [Backend]) -> Answer<'a, ()> {
        async { self.tell(&self.listed(backends), "draining", goes).await }.boxed()
    }

    fn deregister<'a>(&'a self, _: &'a [Backend]) -> Answer<'a, ()> {
        async { Ok(()) }.boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hosts::testing::{Behaviour, TestFleet, behaviour, fails, prints};

    /// `web` on the first host; every host has a balancer, whose commands are these.
    async fn lab(commands: &str, behaviours: Vec<Behaviour>) -> (TestFleet, CommandRouter) {
        let lb = format!(
            "hosts = \"all\"\ncontainer.image = \"lb\"\n[balancer]\nupstreams = \"routes\"\n{commands}"
        );
        let web = "hosts = \"all\"\n[container]\nimage = \"web\"\npublish = [\"auto:80\"]\n[drain]\nbalancers = [\"lb\"]\n";
        let lab = TestFleet::new(&[("lb", &lb), ("web", web)], behaviours).await;
        let recipe = lab.environment.recipe("lb").expect("it").clone();
        let balancers = Upstreams::on_each(lab.fleet.hosts(), &recipe, "lb-r1");
        let router = CommandRouter {
            recipe: "web".parse().expect("a name"),
            balancers,
            lists: Arc::default(),
        };
        (lab, router)
    }

    fn backend(lab: &TestFleet) -> Backend {
        Backend {
            host: lab.fleet.hosts()[0].clone(),
            container: "web-r2".into(),
            ports: vec![(80, 20001)],
            port: Some(20001),
            is_up: true,
            may_be_out: true,
            service_ids: Vec::new(),
        }
    }

    fn ran(lab: &TestFleet, host: usize) -> Vec<String> {
        lab.servers[host]
            .seen
            .commands
            .lock()
            .expect("not poisoned")
            .clone()
    }

    fn told(result: Result<(), HostError>) -> String {
        result.map_or_else(
            |error| text::chain(&error).join(": "),
            |()| "told".to_owned(),
        )
    }

    async fn through(router: &CommandRouter, lab: &TestFleet) {
        let mut backends = [backend(lab)];
        assert_eq!(told(router.put_in(&backends).await), "told");
        let active = router.lists.active(&["web".parse().expect("a name")]).await;
        assert_eq!(active.len(), 1);
        assert!(router.take_out(&mut backends, "r2").await.is_ok());
        assert_eq!(told(router.forget(&backends).await), "told");
        assert!(
            router
                .lists
                .active(&["web".parse().expect("a name")])
                .await
                .is_empty()
        );
    }

    #[tokio::test]
    async fn each_command_is_run_for_a_container_on_every_balancers_host() {
        let well = || behaviour().script(|_| prints(""));
        let all = "add = \"add {{backend.host}}-{{backend.name}} {{backend.endpoint}} {{container}}\"\n\
            drain = \"drain {{backend.name}}\"\nremove = \"remove {{backend.name}}\"\n";
        let (lab, router) = lab(all, vec![well(), well()]).await;
        through(&router, &lab).await;
        let expected = [
            "sh -c 'add host-1-web-r2 127.0.0.1:20001 lb-r1'",
            "sh -c 'drain web-r2'",
            "sh -c 'remove web-r2'",
        ];
        assert_eq!([ran(&lab, 0), ran(&lab, 1)], [expected, expected]);
    }

    #[tokio::test]
    async fn without_drain_a_container_is_removed_before_it_stops() {
        let commands = "add = \"add {{backend.port}}\"\nremove = \"remove {{backend.port}}\"\n";
        let (lab, router) = lab(commands, vec![behaviour().script(|_| prints(""))]).await;
        through(&router, &lab).await;
        assert_eq!(ran(&lab, 0), ["sh -c 'add 20001'", "sh -c 'remove 20001'"]);
    }

    #[tokio::test]
    async fn a_command_that_fails_names_the_balancer_and_who_was_told() {
        let well = behaviour().script(|_| prints(""));
        let fails = behaviour().script(|_| fails(3, "no such backend\n"));
        let commands = "add = \"add\"\nremove = \"remove\"\n";
        let (lab, router) = lab(commands, vec![well, fails]).await;
        assert_eq!(
            told(router.put_in(&[backend(&lab)]).await),
            "`lb` on `host-2` routes as before: `add` failed with status 3: no such backend; `lb` on `host-1` was told"
        );
    }

    #[tokio::test]
    async fn a_local_command_that_says_too_much_fills_no_memory() {
        let much = |of: char| format!("head -c 3000000 /dev/zero | tr '\\0' {of}");
        let script = format!("{}; {} >&2; exit 4", much('x'), much('y'));
        let output = here(&script).await.expect("it runs");
        assert_eq!(output.status, 4);
        for said in [output.stdout, output.stderr] {
            assert!(said.len() < 100_000, "{}", said.len());
            assert!(said.starts_with(text::CUT), "it is said to be cut");
        }
    }

    #[tokio::test]
    async fn local_commands_run_here() {
        let folder = tempfile::tempdir().expect("a folder");
        let log = folder.path().join("log");
        let commands = format!(
            "local = true\nadd = \"echo add {{{{backend.endpoint}}}} >> '{0}'\"\nremove = \"echo no >&2; exit 4\"\n",
            log.display()
        );
        let (lab, router) = lab(
            &commands,
            vec![behaviour().script(|_| fails(1, "not here\n"))],
        )
        .await;
        let mut backends = [backend(&lab)];
        assert_eq!(told(router.put_in(&backends).await), "told");
        let said = std::fs::read_to_string(&log).expect("the log");
        assert_eq!(said, "add 127.0.0.1:20001\n");
        let gone = router.take_out(&mut backends, "r2").await.map(|_| ());
        assert_eq!(told(gone), "`echo no >&2; exit 4` failed with status 4: no");
        assert_eq!(ran(&lab, 0), [""; 0]);
    }
}
