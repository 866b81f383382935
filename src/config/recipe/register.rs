//! `[register]`.

use super::super::{
    section::section,
    values::{DurationValue, Line, UrlPath},
};
use crate::diagnostic::Located;

section! {
    /// Where shipit itself registers a container once it is ready, for balancers that follow Consul where no Registrator
    /// runs.
    "`[register]`" RegisterSection {
        /// The service, in the agent of the container's host.
        #[needed = "needed"]
        consul: ConsulServiceSection,
    }
}

section! {
    /// A service in Consul. Its address is the host's, its port the one that requests come to.
    "`[register.consul]`" ConsulServiceSection as "table", "tables" {
        /// The service's name.
        #[needed = "needed"]
        name: Line,
        /// Its tags.
        tags: Vec<Located<Line>>,
        /// The path that Consul's agent asks the container for by HTTP; any status from 200 to 299 passes. Without it the
        /// agent looks whether the port accepts TCP connections.
        check: UrlPath,
        /// The time between two of these checks.
        #[default(DurationValue::seconds(10))]
        #[range(1.., "no time between two checks")]
        interval: DurationValue,
    }
}
