//! The places that break a rule today. A list only gets shorter: a test fails for a place that is not in
//! it, and for one that breaks the rule no more.

/// Files that use each other in a circle.
pub const CIRCLES: &[&str] = &[
    "model/load/container.rs",
    "model/load/hosts.rs",
    "model/load/layers.rs",
    "model/load/mod.rs",
    "model/load/order.rs",
    "model/load/policy.rs",
    "model/load/project.rs",
    "model/load/recipes.rs",
    "model/load/scope.rs",
    "model/load/settings.rs",
    "model/load/tasks.rs",
    "model/template.rs",
    "model/template/names.rs",
    "rollout/gate.rs",
    "rollout/machine/scheduler/keeping.rs",
    "rollout/machine/scheduler/mod.rs",
    "rollout/quorum.rs",
];

/// Functions of more than 80 lines: the file, and the function with its type.
pub const LONG_FUNCTIONS: &[&str] = &[
    "model/load/policy.rs rollout",
    "rollout/driver/mod.rs Driver::end_watch",
];

/// Files of more than 400 lines.
pub const LONG_FILES: &[&str] = &[
    "config/values.rs",
    "docker/commands.rs",
    "model/load/hosts.rs",
    "model/load/policy.rs",
    "model/load/scope.rs",
    "rollout/driver/mod.rs",
    "rollout/gate.rs",
    "rollout/probe.rs",
    "rollout/slot.rs",
];

/// Folders of more than a dozen files, each with a slash at its end.
pub const WIDE_FOLDERS: &[&str] = &["model/load/"];

/// Files that silence the lint on long functions.
pub const SILENCED_LINTS: &[&str] = &[];

/// Files that name a document which is no part of the repository.
pub const FOREIGN_DOCUMENTS: &[&str] = &["src/rollout/machine/sequence.rs"];
