//! All that routes requests to the containers of one recipe.

use std::sync::Arc;

use futures::{
    StreamExt,
    stream::{self, BoxStream},
};

use super::{
    Backend, Upstreams,
    commands::CommandRouter,
    consul::ConsulRouter,
    leaves::LeaveRouter,
    list::{BackendLists, ListRouter},
    router::{Registration, RequestRouter, Rotation, Routes, Switch},
};
use crate::{
    hosts::HostError,
    model::{HostName, Recipe},
};

/// All that routes requests to the containers of one recipe: nothing, or one router for each way.
#[derive(Clone, Default)]
pub struct Routing(Vec<Arc<dyn RequestRouter>>);

impl Routing {
    /// What routes to a recipe's containers. `balancers` are those that its `[drain]` names.
    pub fn of(
        recipe: &Recipe,
        balancers: Vec<Upstreams>,
        lists: &Arc<BackendLists>,
        release: &str,
    ) -> Self {
        let (listed, others): (Vec<_>, Vec<_>) = balancers
            .into_iter()
            .partition(|balancer| balancer.view.backends.is_some());
        let (called, mut others): (Vec<_>, Vec<_>) = others
            .into_iter()
            .partition(|balancer| balancer.view.commands.is_some());
        let mut routers = Vec::<Arc<dyn RequestRouter>>::new();
        if recipe.by_host.values().any(|on| on.leave.is_some()) {
            routers.push(Arc::new(LeaveRouter {
                recipe: recipe.clone(),
                balancers: std::mem::take(&mut others),
                release: release.to_owned(),
            }));
        }
        if recipe.is_registered() {
            routers.push(Arc::new(ConsulRouter {
                recipe: recipe.clone(),
                balancers: others,
            }));
        }
        if !called.is_empty() {
            routers.push(Arc::new(CommandRouter {
                recipe: recipe.name.clone(),
                balancers: called,
                lists: Arc::clone(lists),
            }));
        }
        if !listed.is_empty() {
            routers.push(Arc::new(ListRouter {
                recipe: recipe.name.clone(),
                balancers: listed,
                lists: Arc::clone(lists),
            }));
        }
        Self(routers)
    }

    /// What each balancer routes to now; see [`RequestRouter::routes`].
    pub fn routes(&self) -> BoxStream<'_, (HostName, Routes)> {
        let routers = self.0.iter().map(|router| router.routes());
        stream::iter(routers).flatten().boxed()
    }

    /// Tells balancers of containers that are ready; see [`RequestRouter::put_in`].
    pub async fn put_in(&self, backends: &[Backend]) -> Result<(), HostError> {
        for router in &self.0 {
            router.put_in(backends).await?;
        }
        Ok(())
    }

    /// Takes containers out, so that no further request is routed to them; see [`RequestRouter::take_out`].
    pub async fn take_out(
        &self,
        backends: &mut [Backend],
        reason: &str,
    ) -> Result<Vec<String>, HostError> {
        let mut warnings = Vec::new();
        for router in &self.0 {
            warnings.extend(router.take_out(backends, reason).await?);
        }
        Ok(warnings)
    }

    /// Ends what [`take_out`](Self::take_out) did; an operator's own maintenance mode is left alone.
    pub async fn put_back(&self, backends: &[Backend]) -> Result<(), HostError> {
        for router in &self.0 {
            router.put_back(backends).await?;
        }
        Ok(())
    }

    /// Keeps containers out of traffic until the switch, and says whether that is so; see [`RequestRouter::hold`].
    pub async fn hold(&self, backends: &[Backend], reason: &str) -> Result<bool, HostError> {
        let mut all = true;
        for router in &self.0 {
            all &= router.hold(backends, reason).await?;
        }
        Ok(all)
    }

    /// Has requests go to the containers of one slot; see [`RequestRouter::switch`].
    pub async fn switch(&self, own: &[Backend], switch: &Switch) -> Result<(), HostError> {
        for router in &self.0 {
            router.switch(own, switch).await?;
        }
        Ok(())
    }

    /// Gives every container the same part of the requests; see [`RequestRouter::weigh_equally`].
    pub async fn weigh_equally(&self) -> Result<(), HostError> {
        for router in &self.0 {
            router.weigh_equally().await?;
        }
        Ok(())
    }

    /// Under which services balancers find a container.
    pub async fn registrations(&self, backend: &Backend) -> Result<Vec<Registration>, HostError> {
        let mut registrations = Vec::new();
        for router in &self.0 {
            registrations.extend(router.registrations(backend).await?);
        }
        Ok(registrations)
    }

    /// Whether an operator keeps one of these containers out.
    pub async fn is_out_by_operator(&self, backends: &[Backend]) -> Result<bool, HostError> {
        for backend in backends {
            let registrations = self.registrations(backend).await?;
            let by_operator = |it: &Registration| matches!(it.rotation, Rotation::OutByOperator(_));
            if registrations.iter().any(by_operator) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Takes note that containers have stopped; see [`RequestRouter::forget`].
    pub async fn forget(&self, backends: &[Backend]) -> Result<(), HostError> {
        for router in &self.0 {
            router.forget(backends).await?;
        }
        Ok(())
    }

    /// Takes away what is left of containers that are stopped.
    pub async fn deregister(&self, backends: &[Backend]) -> Result<(), HostError> {
        for router in &self.0 {
            router.deregister(backends).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use futures::FutureExt;

    use super::*;
    use crate::balancers::router::Answer;

    /// A router without Consul: balancers that say what they route to, and what it was asked.
    #[derive(Default)]
    struct Toy {
        balancers: Vec<(&'static str, &'static str)>,
        asked: Mutex<Vec<String>>,
    }

    impl Toy {
        fn note(&self, what: &str) {
            self.asked.lock().expect("a lock").push(what.to_owned());
        }
    }

    impl RequestRouter for Toy {
        fn routes(&self) -> BoxStream<'_, (HostName, Routes)> {
            let ask = |(host, printed): &(&str, &str)| {
                self.note(host);
                ((*host).into(), Routes::Printed((*printed).to_owned()))
            };
            stream::iter(&self.balancers).map(ask).boxed()
        }

        fn put_in<'a>(&'a self, _: &'a [Backend]) -> Answer<'a, ()> {
            self.note("put in");
            async { Ok(()) }.boxed()
        }

        fn take_out<'a>(
            &'a self,
            _: &'a mut [Backend],
            reason: &'a str,
        ) -> Answer<'a, Vec<String>> {
            self.note(&format!("take out: {reason}"));
            async { Ok(vec!["nothing to take out".to_owned()]) }.boxed()
        }

        fn put_back<'a>(&'a self, _: &'a [Backend]) -> Answer<'a, ()> {
            self.note("put back");
            async { Ok(()) }.boxed()
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

    #[tokio::test]
    async fn balancers_of_every_router_are_asked_one_after_the_other() {
        let balancers = |balancers: &[(&'static str, &'static str)]| {
            let balancers = balancers.to_vec();
            Arc::new(Toy {
                balancers,
                ..Toy::default()
            })
        };
        let (first, second) = (
            balancers(&[("lb-1", "10.0.0.1:80"), ("lb-2", "")]),
            balancers(&[("lb-3", "")]),
        );
        let routing = Routing(vec![first.clone(), second.clone()]);
        let mut routes = routing.routes();
        let (host, printed) = routes.next().await.expect("a balancer");
        assert!(matches!(printed, Routes::Printed(it) if it == "10.0.0.1:80"));
        assert_eq!(&*host, "lb-1");
        assert_eq!(*first.asked.lock().expect("a lock"), ["lb-1"]);
        let others: Vec<_> = routes.map(|(host, _)| host.to_string()).collect().await;
        assert_eq!(others, ["lb-2", "lb-3"]);
    }

    #[tokio::test]
    async fn every_router_takes_out_and_puts_back() {
        let (first, second) = (Arc::<Toy>::default(), Arc::<Toy>::default());
        let routing = Routing(vec![first.clone(), second.clone()]);
        let taken_out = routing.take_out(&mut [], "r2: replaced by web-r2").await;
        assert_eq!(taken_out.expect("taken out").len(), 2, "a warning of each");
        routing.put_back(&[]).await.expect("put back");
        routing.put_in(&[]).await.expect("put in");
        for router in [first, second] {
            let asked = router.asked.lock().expect("a lock");
            assert_eq!(
                *asked,
                ["take out: r2: replaced by web-r2", "put back", "put in"]
            );
        }
        let nobody = Routing::default();
        assert!(nobody.routes().next().await.is_none());
    }
}
