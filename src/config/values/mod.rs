//! The kinds of values that the files' keys take.

mod count;
mod duration;
mod lists;
mod percentage;
mod plain;
mod scalar;
mod texts;
mod words;

pub use count::{Count, Instances};
pub use duration::{DurationValue, LONGEST_DURATION};
pub use lists::{Entries, OneOrMany};
pub use percentage::Percentage;
pub use scalar::{Scalar, VarValue};
pub use texts::{
    CaFile, ConsulCheck, EnvironmentVariables, HostHeader, HttpHeaders, HttpMethod, Image, Labels,
    Line, PublishedPorts, RestartPolicy, RunOption, Script, Text, UrlPath, Word,
};
pub use words::{HookEvent, HostKeyPolicy, ImageSource, Order, Scheme, TaskPlace};
