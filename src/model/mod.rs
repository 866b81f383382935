//! The validated model: types that cannot be wrong, built once from the files and read everywhere.
//!
//! Everything a template can say about a host is resolved here, for each host, before anything is
//! contacted. Only what is known later (the release's number, a container's name) stays a [`Template`].

mod address;
mod backends;
mod choices;
mod container;
mod environment;
mod keys;
mod load;
mod name;
mod preview;
mod publish;
mod recipe;
mod reference;
mod template;
#[cfg(test)]
pub(crate) mod testing;

pub use address::{
    HostAndPort, JumpHost, Url, do_addresses_overlap, is_ipv6, is_same_address, without_brackets,
};
pub use backends::{
    BackendCommands, BackendsFile, EQUAL_WEIGHT, ListError, ListedBackend, canary_share,
    canary_weight,
};
pub use choices::{Count, HostKeyPolicy, ImageSource, Order, Percentage, Scheme};
pub use container::{ContainerSpec, LONGEST_STOP_TIMEOUT, SecretNames, SecretSource};
pub use environment::{
    ConsulSettings, Environment, Hook, HookEvent, Host, RegistryLogin, SshSettings,
};
pub use load::{
    Loaded, Names, Overrides, Project, RecipeName, check_the_rest, container_faults,
    default_environment, environments_with_previews, is_var_name, load, names,
};
pub use name::{HostName, InvalidName, Name};
pub use preview::{InvalidPreviewName, Preview, PreviewName, PreviewSettings};
pub use publish::{Publish, WrongPort};
pub use recipe::{
    BalancerView, ConsulReady, ConsulService, Drain, HostRecipe, HttpDetails, HttpReady, Leave,
    Probe, Ready, Recipe, RolloutPolicy, Task, TaskAction,
};
pub use reference::{Reference, registry_named};
pub use template::{LateValues, Template, TemplateError};
