//! All that routes requests to the containers of one recipe.

use std::sync::Arc;

use futures::{
    StreamExt,
    stream::{self, BoxStream},
};

use super::{
    Backend, Upstreams,
    consul::ConsulRouter,
    router::{Registration, RequestRouter, Rotation, Routes},
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
    pub fn of(recipe: &Recipe, balancers: Vec<Upstreams>) -> Self {
        let consul = recipe
            .is_registered()
            .then(|| Arc::new(ConsulRouter { balancers }) as Arc<dyn RequestRouter>);
        Self(consul.into_iter().collect())
    }

    /// What each balancer routes to now; see [`RequestRouter::routes`].
    pub fn routes(&self) -> BoxStream<'_, (HostName, Routes)> {
        let routers = self.0.iter().map(|router| router.routes());
        stream::iter(routers).flatten().boxed()
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

    /// Takes away what is left of containers that are stopped.
    pub async fn deregister(&self, backends: &[Backend]) -> Result<(), HostError> {
        for router in &self.0 {
            router.deregister(backends).await?;
        }
        Ok(())
    }
}
