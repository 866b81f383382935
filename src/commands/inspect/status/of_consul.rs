//! What Consul's agent on a host says of what runs there.

use crate::{
    consul::ServiceInstance,
    hosts::{HostError, Reached, SOON, within},
    model::Recipe,
    run::Context,
    text,
};

/// What Consul's agent on a host says.
#[derive(Default)]
pub struct OfConsul {
    /// The services that it has, or why it could not be asked; `None` where nobody needs to know.
    pub services: Option<Result<Vec<ServiceInstance>, String>>,
    /// Whether it knows a leader, or why it could not be asked; `None` where nobody needs to know.
    pub has_leader: Option<Result<bool, String>>,
}

/// Asks the agent on a host for what some recipe there wants to know of it.
pub async fn of_consul(context: &Context<'_>, reached: &Reached) -> OfConsul {
    let here = |recipe: &&Recipe| recipe.hosts.contains(reached.name());
    let recipes = || context.environment.recipes.iter().filter(here);
    let consul = &reached.consul;
    let why = |error: HostError| text::chain(&error).join(": ");
    let services = async {
        if !recipes().any(|recipe| recipe.is_registered_on(reached.name())) {
            return None;
        }
        let asked = async { consul.services().await.map_err(HostError::Consul) };
        Some(within(SOON, asked).await.map_err(why))
    };
    let has_leader = async {
        if !recipes().any(Recipe::is_consul) {
            return None;
        }
        let asked = async { consul.leader().await.map_err(HostError::Consul) };
        let leader = within(SOON, asked).await;
        Some(leader.map(|leader| leader.is_some()).map_err(why))
    };
    let (services, has_leader) = tokio::join!(services, has_leader);
    OfConsul {
        services,
        has_leader,
    }
}
