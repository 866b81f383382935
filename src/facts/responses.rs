//! How many requests a balancer has sent to a container, and how many of them were answered with 5xx.

use std::ops::{Add, Sub};

use super::routes::routes_to;
use crate::text;

/// How many requests there were, and how many of them were answered with 5xx.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Responses {
    /// All requests.
    pub requests: u64,
    /// Those that were answered with 5xx.
    pub errors: u64,
}

/// The most that a balancer may print of what it has counted, in bytes: some thousands of containers.
const MOST: usize = 1 << 20;

/// What a balancer has counted, by container.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counted(Vec<(String, Responses)>);

impl Counted {
    /// Reads lines of `ADDRESS:PORT REQUESTS ERRORS`.
    ///
    /// # Errors
    ///
    /// The line that is no such line, or that there is too much of them.
    pub fn read(printed: &str) -> Result<Self, String> {
        if printed.len() > MOST {
            return Err(format!("it printed more than {} kB", MOST / 1024));
        }
        let lines = printed.lines().filter(|line| !line.trim().is_empty());
        let read = |line: &str| {
            let mut words = line.split_whitespace();
            let (endpoint, requests, errors) = (words.next(), words.next(), words.next());
            let number = |word: Option<&str>| word?.parse::<u64>().ok();
            let (Some(endpoint), Some(requests), Some(errors), None) =
                (endpoint, number(requests), number(errors), words.next())
            else {
                let line = text::first_line(line);
                return Err(format!("`{line}` is not `ADDRESS:PORT REQUESTS ERRORS`"));
            };
            Ok((endpoint.to_owned(), Responses { requests, errors }))
        };
        lines.map(read).collect::<Result<_, _>>().map(Self)
    }

    /// What was counted for `address:port`; several lines of one address are added up. One that has got no request yet
    /// has no line.
    pub fn of(&self, address: &str, port: u16) -> Responses {
        let own = self
            .0
            .iter()
            .filter(|(endpoint, _)| routes_to(endpoint, address, port));
        own.fold(Responses::default(), |all, (_, one)| all + *one)
    }
}

impl Responses {
    /// What has come since `earlier`. A counter that is lower now has begun again.
    #[must_use]
    pub fn since(self, earlier: Self) -> Self {
        let has_begun_again = self.requests < earlier.requests || self.errors < earlier.errors;
        if has_begun_again {
            self
        } else {
            self - earlier
        }
    }
}

impl Add for Responses {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            requests: self.requests.saturating_add(other.requests),
            errors: self.errors.saturating_add(other.errors),
        }
    }
}

impl Sub for Responses {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self {
            requests: self.requests.saturating_sub(other.requests),
            errors: self.errors.saturating_sub(other.errors),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn responses(requests: u64, errors: u64) -> Responses {
        Responses { requests, errors }
    }

    #[test]
    fn lines_are_read_by_their_whole_address_and_added_up() {
        let printed = "10.0.0.1:80 7 1\n10.0.0.1:8080 100 100\n110.0.0.1:80 9 9\n\n10.0.0.1:80 3 0\n[fd88::1]:80 5 2\n";
        let counted = Counted::read(printed).expect("lines");
        assert_eq!(counted.of("10.0.0.1", 80), responses(10, 1));
        assert_eq!(counted.of("10.0.0.2", 80), responses(0, 0));
        assert_eq!(counted.of("fd88::1", 80), responses(5, 2));
        assert_eq!(Counted::read(""), Ok(Counted::default()));
        let most = format!("10.0.0.1:80 {0} {0}\n10.0.0.1:80 {0} {0}\n", u64::MAX);
        let most = Counted::read(&most).expect("lines");
        assert_eq!(most.of("10.0.0.1", 80), responses(u64::MAX, u64::MAX));
    }

    #[test]
    fn what_is_no_such_line_is_said() {
        for line in [
            "10.0.0.1:80 7",
            "10.0.0.1:80 7 1 x",
            "10.0.0.1:80 -7 1",
            "no such command",
        ] {
            let expected = format!("`{line}` is not `ADDRESS:PORT REQUESTS ERRORS`");
            assert_eq!(Counted::read(line), Err(expected));
        }
    }

    #[test]
    fn what_is_long_is_neither_read_nor_shown() {
        let much = "10.0.0.1:80 1 0\n".repeat(100_000);
        let expected = Err("it printed more than 1024 kB".to_owned());
        assert_eq!(Counted::read(&much), expected);
        let long = Counted::read(&"x".repeat(100_000)).expect_err("no such line");
        assert!(long.len() < 300, "{}", long.len());
    }

    #[test]
    fn a_counter_that_is_lower_has_begun_again() {
        assert_eq!(responses(10, 3).since(responses(4, 1)), responses(6, 2));
        assert_eq!(responses(3, 1).since(responses(4, 0)), responses(3, 1));
        assert_eq!(responses(9, 0).since(responses(4, 1)), responses(9, 0));
    }
}
