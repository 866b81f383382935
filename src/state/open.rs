//! Which backend keeps an environment's state.

use super::{backend::Backend, on_hosts::OnHosts};
use crate::{hosts::Fleet, model::Environment};

/// The backend of an environment, reached through the sessions of `fleet`.
pub fn open<'a>(environment: &'a Environment, fleet: &'a Fleet) -> Box<dyn Backend + 'a> {
    Box::new(OnHosts { environment, fleet })
}
