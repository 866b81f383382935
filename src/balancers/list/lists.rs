//! What the files with backends have: written by one at a time, as each has the containers of several recipes.

use std::collections::BTreeMap;

use futures::future::join_all;
use tokio::sync::Mutex;

use super::target::{ListTarget, WriteFailure};
use crate::{
    balancers::router::only_some,
    hosts::HostError,
    model::{EQUAL_WEIGHT, ListError, ListedBackend, Name},
    text,
};

/// The containers that requests may go to, of all recipes that drain through a balancer whose list is written, and what
/// was written last.
#[derive(Debug, Default)]
pub struct BackendLists(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    active: Vec<ListedBackend>,
    draining: Vec<ListedBackend>,
    /// What each file has, where that is known.
    written: BTreeMap<(String, Option<String>), Written>,
    /// The last switch that failed: to what, and why.
    refused: Option<(Vec<ListedBackend>, String)>,
}

/// What a file has.
#[derive(Debug, Clone)]
struct Written {
    text: String,
    /// The containers that its balancer may send requests to.
    active: Vec<ListedBackend>,
}

impl BackendLists {
    /// The lists before anything has changed: requests may go to these.
    pub fn new(active: Vec<ListedBackend>) -> Self {
        Self(Mutex::new(State {
            active,
            ..State::default()
        }))
    }

    /// Takes note of what has been seen in a file, if that is what it is to have.
    pub async fn note_written(&self, target: &ListTarget, seen: &str) {
        let mut state = self.0.lock().await;
        let wanted = state.wanted(target).ok();
        if let Some(written) = wanted.filter(|wanted| wanted.text == seen) {
            state.written.insert(target.key(), written);
        }
    }

    /// Lets requests go to these containers. A balancer that refuses the new list has them on its old one, or that is
    /// an error.
    pub(super) async fn enter(
        &self,
        backends: Vec<ListedBackend>,
        targets: &[ListTarget],
    ) -> Result<(), HostError> {
        let mut state = self.0.lock().await;
        state.enter(backends.clone());
        let has_all = |active: &[ListedBackend]| all_in(&backends, active);
        state.write_all(targets, has_all).await
    }

    /// Lets no further request go to these containers. A balancer that refuses the new list has none of them on its old
    /// one, or that is an error: on the way back from a list that it refused, it has nothing to let go.
    pub(super) async fn leave(
        &self,
        backends: Vec<ListedBackend>,
        targets: &[ListTarget],
    ) -> Result<(), HostError> {
        let mut state = self.0.lock().await;
        state.remove(&backends);
        state.draining.extend(backends.iter().cloned());
        let has_none = |active: &[ListedBackend]| none_in(&backends, active);
        state.write_all(targets, has_none).await
    }

    /// Has requests go to the ones and no longer to the others, in one write. Where that was tried and has failed, it
    /// is not tried again for each slot.
    pub(super) async fn switch(
        &self,
        come: Vec<ListedBackend>,
        go: Vec<ListedBackend>,
        targets: &[ListTarget],
    ) -> Result<(), HostError> {
        let mut state = self.0.lock().await;
        if let Some((tried, why)) = &state.refused
            && *tried == come
        {
            return Err(HostError::Fact(why.clone()));
        }
        state.remove(&go);
        let leave = go.iter().filter(|one| one.port.is_some());
        state.draining.extend(leave.cloned());
        state.enter(come.clone());
        let has_switched = |active: &[ListedBackend]| all_in(&come, active) && none_in(&go, active);
        let written = state.write_all(targets, has_switched).await;
        state.refused = None;
        written.inspect_err(|error| {
            state.refused = Some((come, text::chain(error).join(": ")));
        })
    }

    /// Takes these containers, which have stopped, off the lists.
    pub(super) async fn forget(
        &self,
        backends: &[ListedBackend],
        targets: &[ListTarget],
    ) -> Result<(), HostError> {
        let mut state = self.0.lock().await;
        state.remove(backends);
        state.write_all(targets, must_be_written).await
    }

    /// Gives all containers of a recipe the same part of the requests.
    pub(super) async fn weigh_equally(
        &self,
        recipe: &Name,
        targets: &[ListTarget],
    ) -> Result<(), HostError> {
        let mut state = self.0.lock().await;
        state.weigh_equally(recipe);
        state.write_all(targets, must_be_written).await
    }

    /// Takes note of containers that requests may go to, for balancers that are told by commands.
    pub(in crate::balancers) async fn note_active(&self, backends: Vec<ListedBackend>) {
        self.0.lock().await.enter(backends);
    }

    /// Takes note that all containers of a recipe weigh the same now. One that has gone meanwhile stays away.
    pub(in crate::balancers) async fn note_weights(&self, recipe: &Name) {
        self.0.lock().await.weigh_equally(recipe);
    }

    /// Takes note of containers that get no further request.
    pub(in crate::balancers) async fn note_gone(&self, backends: &[ListedBackend]) {
        self.0.lock().await.remove(backends);
    }

    /// The containers of these recipes that requests may go to.
    pub async fn active(&self, recipes: &[Name]) -> Vec<ListedBackend> {
        let state = self.0.lock().await;
        let active = state.active.iter();
        active
            .filter(|one| recipes.contains(&one.recipe))
            .cloned()
            .collect()
    }

    /// Brings a file in line.
    pub async fn write(&self, target: &ListTarget) -> Result<(), HostError> {
        let mut state = self.0.lock().await;
        state.written.remove(&target.key());
        let targets = std::slice::from_ref(target);
        state.write_all(targets, must_be_written).await
    }

    /// Puts a file where a container finds it that is about to start.
    pub async fn place(&self, target: &ListTarget) -> Result<(), HostError> {
        let mut state = self.0.lock().await;
        let written = state
            .wanted(target)
            .map_err(|error| cannot_be_written(&error))?;
        state.written.remove(&target.key());
        target.place(&written.text).await?;
        state.written.insert(target.key(), written);
        Ok(())
    }
}

impl State {
    fn enter(&mut self, backends: Vec<ListedBackend>) {
        self.remove(&backends);
        self.active.extend(backends);
    }

    fn weigh_equally(&mut self, recipe: &Name) {
        let own = self.active.iter_mut().filter(|one| one.recipe == *recipe);
        own.for_each(|one| one.weight = EQUAL_WEIGHT);
    }

    fn remove(&mut self, backends: &[ListedBackend]) {
        let stays = |one: &ListedBackend| !backends.iter().any(|other| other.is(one));
        self.active.retain(stays);
        self.draining.retain(stays);
    }

    /// What a file is to have now.
    fn wanted(&self, target: &ListTarget) -> Result<Written, ListError> {
        Ok(Written {
            text: target.file.render(&self.active, &self.draining)?,
            active: self.active.clone(),
        })
    }

    /// Writes every file that would be different, all of them side by side. One balancer that fails keeps no other from
    /// being told; it is no failure where the list that it has kept is as good.
    async fn write_all(
        &mut self,
        targets: &[ListTarget],
        is_as_good: impl Fn(&[ListedBackend]) -> bool,
    ) -> Result<(), HostError> {
        let mut failures = Vec::new();
        let mut told = Vec::new();
        let writes = targets.iter().map(|target| self.write_one(target));
        let written: Vec<_> = join_all(writes).await;
        for (target, written) in targets.iter().zip(written) {
            let before = self.written.remove(&target.key());
            match written {
                Ok(written) => {
                    self.written.insert(target.key(), written);
                    told.push(target.name());
                }
                Err(WriteFailure { error, is_undone }) => {
                    let kept = before.filter(|_| is_undone);
                    let is_good = kept.as_ref().is_some_and(|kept| is_as_good(&kept.active));
                    if let Some(kept) = kept {
                        self.written.insert(target.key(), kept);
                    }
                    if !is_good {
                        failures.push((target, error));
                    }
                }
            }
        }
        let Some((target, _)) = failures.first() else {
            return Ok(());
        };
        if failures.len() == 1 && told.is_empty() {
            let (name, error) = (target.name(), failures.swap_remove(0).1);
            return Err(about(&name, error));
        }
        let failures = failures
            .into_iter()
            .map(|(target, error)| (target.name(), error));
        let failures: Vec<_> = failures.collect();
        Err(only_some(&failures, &told, "has the new list"))
    }

    /// What the file has now: written, unless it has that already.
    async fn write_one(&self, target: &ListTarget) -> Result<Written, WriteFailure> {
        let wanted = self.wanted(target).map_err(|error| WriteFailure {
            error: cannot_be_written(&error),
            is_undone: true,
        })?;
        let there = self.written.get(&target.key());
        if there.is_none_or(|there| there.text != wanted.text) {
            target.write(&wanted.text).await?;
        }
        Ok(wanted)
    }
}

/// Where only the new list is right.
fn must_be_written(_: &[ListedBackend]) -> bool {
    false
}

fn all_in(backends: &[ListedBackend], active: &[ListedBackend]) -> bool {
    backends.iter().all(|one| active.contains(one))
}

fn none_in(backends: &[ListedBackend], active: &[ListedBackend]) -> bool {
    !backends
        .iter()
        .any(|one| active.iter().any(|other| other.is(one)))
}

fn cannot_be_written(error: &ListError) -> HostError {
    HostError::Fact(error.to_string())
}

/// An error with the balancer that it is about.
fn about(name: &str, error: HostError) -> HostError {
    match error {
        HostError::Status {
            command,
            status,
            message,
            output,
        } => HostError::Status {
            command,
            status,
            message: format!("{name}: {message}"),
            output,
        },
        HostError::Fact(fact) => HostError::Fact(format!("{name}: {fact}")),
        other => other,
    }
}
