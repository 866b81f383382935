//! What is chosen by one word or number of the files.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::config::{slot::Plain, values};

/// Where an image comes from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ImageSource {
    /// Each host pulls it from its registry.
    #[default]
    Registry,
    /// The deployer's own Docker has it, and hosts that lack it get it over the SSH connection.
    Local,
}

impl Plain<ImageSource> for values::ImageSource {
    fn meaning(&self) -> ImageSource {
        match self {
            Self::Registry => ImageSource::Registry,
            Self::Local => ImageSource::Local,
        }
    }
}

/// Whether a request goes over TLS.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Scheme {
    /// Without TLS.
    #[default]
    Http,
    /// Over TLS.
    Https,
}

impl Plain<Scheme> for values::Scheme {
    fn meaning(&self) -> Scheme {
        match self {
            Self::Http => Scheme::Http,
            Self::Https => Scheme::Https,
        }
    }
}

/// What to do with a host key that no `known_hosts` file has. A changed key is refused under each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostKeyPolicy {
    /// Refuse it, as OpenSSH's `StrictHostKeyChecking yes`.
    Strict,
    /// Add it to the first `known_hosts` file, as OpenSSH's `StrictHostKeyChecking accept-new`.
    AcceptNew,
}

impl Plain<HostKeyPolicy> for values::HostKeyPolicy {
    fn meaning(&self) -> HostKeyPolicy {
        match self {
            Self::Strict => HostKeyPolicy::Strict,
            Self::AcceptNew => HostKeyPolicy::AcceptNew,
        }
    }
}

/// A number of containers, or a share of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    /// So many; at least 1.
    Number(u16),
    /// So many percent, 1 to 100.
    Percent(u8),
}

impl Count {
    /// How many of `total`. A percentage rounds down, as Kubernetes' `maxUnavailable` does, and is at
    /// least one, as a rollout of none would never end.
    pub fn of(self, total: usize) -> usize {
        match self {
            Self::Number(number) => usize::from(number).max(1),
            Self::Percent(percent) => (total * usize::from(percent) / 100).max(1),
        }
    }
}

impl Plain<Count> for values::Count {
    fn meaning(&self) -> Count {
        match *self {
            Self::Number(number) => Count::Number(number),
            Self::Percent(percent) => Count::Percent(percent),
        }
    }
}

/// A share of a whole, in hundredths of a percent; at most 10,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Percentage(u16);

impl Percentage {
    /// So many hundredths of a percent.
    pub fn of_hundredths(hundredths: u16) -> Self {
        Self(hundredths.min(10_000))
    }

    /// Whether `part` is more than this share of `whole`.
    pub fn is_exceeded_by(self, part: u64, whole: u64) -> bool {
        u128::from(part) * 10_000 > u128::from(whole) * u128::from(self.0)
    }
}

impl fmt::Display for Percentage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", f64::from(self.0) / 100.0)
    }
}

impl Plain<Percentage> for values::Percentage {
    fn meaning(&self) -> Percentage {
        Percentage::of_hundredths(self.0)
    }
}

/// The order of an update, in Docker Swarm's words; blue-green is everybody's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The new container serves before the old one goes.
    StartFirst,
    /// The old container goes before the new one starts.
    StopFirst,
    /// All new containers are ready before any request goes to one; then all requests go to them at once, and
    /// the old ones go.
    BlueGreen,
}

impl Plain<Order> for values::Order {
    fn meaning(&self) -> Order {
        match self {
            Self::StartFirst => Order::StartFirst,
            Self::StopFirst => Order::StopFirst,
            Self::BlueGreen => Order::BlueGreen,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentage_rounds_down_and_is_never_none() {
        let of = |percent, total| Count::Percent(percent).of(total);
        assert_eq!([of(25, 10), of(25, 3), of(100, 7), of(1, 0)], [2, 1, 7, 1]);
        assert_eq!(Count::Number(3).of(2), 3);
    }
}
