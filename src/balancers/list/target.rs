//! One file with backends: in one container, or on one host.

use std::time::Duration;

use crate::{
    docker,
    hosts::{HostError, QUICK, Reached},
    model::{BackendsFile, LateValues, Name, TemplateError},
    text,
    transport::Output,
};

/// The longest that writing the file may take, with its check and its reload.
const WRITE: Duration = Duration::from_secs(60);

/// One file with backends: in one container, or on one host.
#[derive(Clone)]
pub struct ListTarget {
    /// The balancer's recipe.
    pub recipe: Name,
    /// The balancer's host.
    pub reached: Reached,
    /// What is to be in it.
    pub file: BackendsFile,
    /// What its commands may name: the balancer's container.
    pub late: LateValues,
}

/// A list that was not written.
#[derive(Debug)]
pub(super) struct WriteFailure {
    /// Why.
    pub(super) error: HostError,
    /// Whether the list that was there is known to be back.
    pub(super) is_undone: bool,
}

impl From<HostError> for WriteFailure {
    /// What was done before the error is not known.
    fn from(error: HostError) -> Self {
        Self {
            error,
            is_undone: false,
        }
    }
}

impl ListTarget {
    /// The container that it is in; `None` for a file of the host's.
    fn container(&self) -> Option<&str> {
        (!self.file.on_host).then_some(&*self.late.container)
    }

    /// What distinguishes it from others.
    pub(super) fn key(&self) -> (String, Option<String>) {
        let container = self.container().map(str::to_owned);
        let host = self.reached.name().to_string();
        (
            host,
            container.or_else(|| Some(format!("{}:", self.recipe))),
        )
    }

    /// The balancer, for people.
    pub(super) fn name(&self) -> String {
        format!("`{}` on `{}`", self.recipe, self.reached.name())
    }

    /// Writes the file: checked, and read by the balancer. One in a container that does not run is only put there; a
    /// balancer that is gone has none.
    ///
    /// # Errors
    ///
    /// When the balancer refuses it or does not read it. What was there before is back then.
    pub(super) async fn write(&self, content: &str) -> Result<(), WriteFailure> {
        match self.try_to_write(content).await {
            // What was done before the loss is found, and not done twice.
            Err(failure) if self.reached.has_lost(&failure.error) => {
                self.try_to_write(content).await
            }
            result => result,
        }
    }

    async fn try_to_write(&self, content: &str) -> Result<(), WriteFailure> {
        let file = &self.file;
        let check = file.check.as_ref().map(|check| check.render(&self.late));
        let check = check
            .transpose()
            .map_err(|error| cannot_be_filled(&error))?;
        let reload = file
            .reload
            .render(&self.late)
            .map_err(|error| cannot_be_filled(&error))?;
        let check = check.unwrap_or_default();
        let scripts = (&*check, &*reload);
        let command = docker::write_file(self.container(), &file.to, content, scripts);
        let output = self.reached.run(command, WRITE).await?;
        match output.status {
            0 => Ok(()),
            docker::WAS_REFUSED => Err(WriteFailure {
                error: refused(&check, "the list that was there is back", &output),
                is_undone: true,
            }),
            docker::HAD_NO_EFFECT => {
                let end = "the list that was there is back, and what it routed to it routes to";
                Err(WriteFailure {
                    error: refused(&reload, end, &output),
                    is_undone: true,
                })
            }
            _ => Ok(self.without_its_container(content, &output).await?),
        }
    }

    /// Docker refuses what is to run in a container that does not run.
    async fn without_its_container(&self, content: &str, output: &Output) -> Result<(), HostError> {
        let failure = || {
            let said = text::reason(&output.stderr);
            HostError::Fact(format!("cannot write {}: {said}", self.file.to))
        };
        let container = self.container().ok_or_else(failure)?;
        let inspect = docker::inspect_containers(&[container]);
        let read = self.reached.read(inspect, docker::parse_containers);
        match read.await?.first() {
            None => Ok(()),
            Some(container) if container.state.running => Err(failure()),
            Some(_) => self.place(content).await,
        }
    }

    /// Puts the file where a container that does not run finds it when it starts.
    pub(super) async fn place(&self, content: &str) -> Result<(), HostError> {
        let to = &self.file.to;
        let command = match self.container() {
            Some(container) => docker::place_file(container, to, content),
            None => docker::write_file(None, to, content, ("", "")),
        };
        self.reached.expect(command, QUICK).await.map(|_| ())
    }
}

fn cannot_be_filled(error: &TemplateError) -> HostError {
    HostError::Fact(error.to_string())
}

/// The error of one of the user's own commands, whose exit code is the last line.
fn refused(script: &str, end: &str, output: &Output) -> HostError {
    let printed = output.stdout.trim_end();
    let (printed, status) = printed.rsplit_once('\n').unwrap_or(("", printed));
    let said = text::complaint(&output.stderr).or_else(|| text::complaint(printed));
    let lines = output.stderr.lines().chain(printed.lines());
    HostError::Status {
        command: script.trim().to_owned(),
        status: status.parse().unwrap_or(output.status),
        message: format!("{}; {end}", said.unwrap_or_else(|| "no output".to_owned())),
        output: lines.map(str::to_owned).collect(),
    }
}
