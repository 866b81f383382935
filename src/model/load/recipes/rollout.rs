//! `[rollout]`.

use std::time::Duration;

use super::super::scope::resolved;
use crate::{
    config::recipe::{RolloutSection, rollout_keys},
    model::{Count, Order, RolloutPolicy},
};

rollout_keys!(resolved RolloutSection as RolloutPolicy);
