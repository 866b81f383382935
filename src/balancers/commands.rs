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
    model::{BackendCommands, EQUAL_WEIGHT, HostName, LateValues, ListedBackend, Name, Template},
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

    fn weigh_equally(&self) -> Answer<'_, ()> {
        async {
            let mut lighter = self.lists.active(std::slice::from_ref(&self.recipe)).await;
            lighter.retain(|one| one.weight != EQUAL_WEIGHT);
            for one in &mut lighter {
                one.weight = EQUAL_WEIGHT;
            }
            self.tell(&lighter, "active", |commands| commands.weight.as_ref())
                .await?;
            self.lists.note_weights(&self.recipe).await;
            Ok(())
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
mod tests;
