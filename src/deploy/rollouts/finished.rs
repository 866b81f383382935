//! How rollouts ended.

use crate::{
    event::HostRow,
    hosts::Stop,
    rollout::{driver::Running, machine::SlotState},
};

/// The rollout of one recipe that has ended.
pub struct FinishedRollout {
    /// What it worked with.
    pub running: Running,
    /// What each of its slots has now.
    pub states: Vec<SlotState>,
}

/// How the rollouts of a deploy ended.
pub struct DeploymentResult {
    /// Why they failed, if they did.
    pub stop: Option<Box<Stop>>,
    /// What each changed host has now.
    pub rows: Vec<HostRow>,
}
