//! `[rollout]`.

use std::time::Duration;

use super::super::scope::resolved;
use crate::{
    config::recipe::{RolloutSection, rollout_keys},
    model::{Count, Order, Percentage, RolloutPolicy},
};

rollout_keys!(resolved RolloutSection as RolloutPolicy);
