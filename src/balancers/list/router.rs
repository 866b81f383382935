//! Balancers whose list of backends is written, as a rollout knows them.

use std::sync::Arc;

use futures::{
    FutureExt, StreamExt,
    stream::{self, BoxStream},
};

use super::{lists::BackendLists, target::ListTarget};
use crate::{
    balancers::{Answer, Backend, Registration, RequestRouter, Routes, Switch, Upstreams},
    model::{HostName, ListedBackend, Name},
};

/// The balancers of one recipe whose lists are written.
pub(in crate::balancers) struct ListRouter {
    /// The recipe whose containers they route to.
    pub recipe: Name,
    /// The balancers.
    pub balancers: Vec<Upstreams>,
    /// What their files have.
    pub lists: Arc<BackendLists>,
}

impl ListRouter {
    fn targets(&self) -> Vec<ListTarget> {
        let targets = self.balancers.iter().filter_map(ListTarget::of);
        targets.collect()
    }

    fn listed(&self, backends: &[Backend]) -> Vec<ListedBackend> {
        let listed = backends.iter().map(|backend| backend.listed(&self.recipe));
        listed.collect()
    }
}

impl ListTarget {
    /// The file of a balancer, if it has one.
    pub fn of(balancer: &Upstreams) -> Option<Self> {
        Some(Self {
            recipe: balancer.recipe.clone(),
            reached: balancer.reached.clone(),
            file: balancer.view.backends.clone()?,
            late: balancer.late.clone(),
        })
    }
}

impl RequestRouter for ListRouter {
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
            self.lists
                .enter(self.listed(backends), &self.targets())
                .await
        }
        .boxed()
    }

    /// One write for all slots. Each slot asks for it, and finds it done by the first.
    fn switch<'a>(&'a self, _: &'a [Backend], switch: &'a Switch) -> Answer<'a, ()> {
        async {
            if let Some(error) = Backend::lack_of_ports(&switch.come) {
                return Err(error);
            }
            let (come, go) = (self.listed(&switch.come), self.listed(&switch.go));
            self.lists.switch(come, go, &self.targets()).await
        }
        .boxed()
    }

    fn weigh_equally(&self) -> Answer<'_, ()> {
        async {
            self.lists
                .weigh_equally(&self.recipe, &self.targets())
                .await
        }
        .boxed()
    }

    fn take_out<'a>(&'a self, backends: &'a mut [Backend], _: &'a str) -> Answer<'a, Vec<String>> {
        async {
            let listed = self.listed(backends);
            self.lists.leave(listed, &self.targets()).await?;
            Ok(Vec::new())
        }
        .boxed()
    }

    /// A container that has started is not ready yet; once it is, it is put in.
    fn put_back<'a>(&'a self, _: &'a [Backend]) -> Answer<'a, ()> {
        async { Ok(()) }.boxed()
    }

    /// Balancers learn of a container from their list alone.
    fn registrations<'a>(&'a self, _: &'a Backend) -> Answer<'a, Vec<Registration>> {
        async { Ok(Vec::new()) }.boxed()
    }

    fn deregister<'a>(&'a self, _: &'a [Backend]) -> Answer<'a, ()> {
        async { Ok(()) }.boxed()
    }

    fn forget<'a>(&'a self, backends: &'a [Backend]) -> Answer<'a, ()> {
        async {
            let listed = self.listed(backends);
            self.lists.forget(&listed, &self.targets()).await
        }
        .boxed()
    }
}
