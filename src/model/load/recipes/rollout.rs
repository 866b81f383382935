//! `[rollout]`.

use std::time::Duration;

use super::super::scope::resolved;
use crate::{
    config::{
        recipe::{RolloutSection, rollout_keys},
        values::{Count, Order},
    },
    model::RolloutPolicy,
};

rollout_keys!(resolved RolloutSection as RolloutPolicy);
