//! Every command, in the groups and in the order of the help. The help, the completions, the manual pages
//! and the list in `docs/commands.md` are made from this table.

use super::{
    inspect::{Diff, History, Logs, Previews, Show as ShowRelease, Status},
    operate::{Check, Console, Down, Exec, Lock, Prune, Setup, Shell, Unlock},
    project::{Complete, Completions, Explain, Help, Init, Man, Schema, Validate},
    release::{Deploy, Plan, Restart, Rollback, Run, Start, Stop},
    row::{Group, Row},
    secret::{Edit, List, Rotate, Set, Show},
    state::{Key, Sign},
};

/// Every command.
pub const TABLE: &[Group] = &[
    Group {
        heading: "Deploy",
        rows: &[
            Row::on_hosts::<Deploy>(),
            Row::on_hosts::<Plan>(),
            Row::on_hosts::<Rollback>(),
            Row::on_hosts::<Restart>(),
            Row::on_hosts::<Stop>(),
            Row::on_hosts::<Start>(),
            Row::on_hosts::<Run>(),
        ],
    },
    Group {
        heading: "Look",
        rows: &[
            Row::on_hosts::<Status>(),
            Row::on_hosts::<Previews>(),
            Row::on_hosts::<History>(),
            Row::on_hosts::<ShowRelease>(),
            Row::on_hosts::<Diff>(),
            Row::on_hosts::<Logs>(),
        ],
    },
    Group {
        heading: "Operate",
        rows: &[
            Row::on_hosts::<Setup>(),
            Row::on_hosts::<Exec>(),
            Row::on_hosts::<Console>(),
            Row::on_hosts::<Shell>(),
            Row::on_hosts::<Lock>(),
            Row::on_hosts::<Unlock>(),
            Row::on_hosts::<Down>(),
            Row::on_hosts::<Prune>(),
            Row::on_hosts::<Check>(),
        ],
    },
    Group {
        heading: "Secrets",
        rows: &[
            Row::offline::<Set>(),
            Row::offline::<List>(),
            Row::offline::<Edit>(),
            Row::offline::<Show>(),
            Row::offline::<Rotate>(),
        ],
    },
    Group {
        heading: "State",
        rows: &[Row::offline::<Key>(), Row::on_hosts::<Sign>()],
    },
    Group {
        heading: "Project",
        rows: &[
            Row::offline::<Init>(),
            Row::offline::<Validate>(),
            Row::offline::<Explain>(),
            Row::offline::<Schema>(),
            Row::offline::<Completions>(),
            Row::offline::<Help>(),
            Row::offline::<Man>(),
            Row::offline::<Complete>(),
        ],
    },
];
