//! Everything that happens, as values. All output (bars, lines, JSON, the log of a release) is made from
//! these and from nothing else, so a list of events is a whole run.

mod channel;
mod kind;
mod look;
mod milliseconds;
mod outcome;
mod preview;
mod probe;
mod rows;
mod status;

pub use channel::{Events, Receiver, Unshown};
pub use kind::{Event, EventKind, OutputStream, Phase};
pub use look::{Comparison, HostResult, RecipeComparison, RecipeDetails, ReleaseRow};
pub use outcome::{ErrorReport, Evidence, Outcome};
pub use preview::{PreviewRow, VersionRow};
pub use probe::ProbeSummary;
pub use rows::{Difference, HostRow, PlanAction, PlanRow, Setting, Severity};
pub use status::{InstanceRow, LockRow, RouteRow, Status, StatusForm};
