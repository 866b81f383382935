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

impl Responses {
    /// What a balancer has counted for `address:port`, in lines `ADDRESS:PORT REQUESTS ERRORS`; several lines of one
    /// address are added up. One that has got no request yet has no line.
    ///
    /// # Errors
    ///
    /// The line that is no such line.
    pub fn read(printed: &str, address: &str, port: u16) -> Result<Self, String> {
        let mut all = Self::default();
        for line in printed.lines().filter(|line| !line.trim().is_empty()) {
            let mut words = line.split_whitespace();
            let (endpoint, requests, errors) = (words.next(), words.next(), words.next());
            let number = |word: Option<&str>| word?.parse::<u64>().ok();
            let (Some(endpoint), Some(requests), Some(errors), None) =
                (endpoint, number(requests), number(errors), words.next())
            else {
                let line = text::cut_line(line);
                return Err(format!("`{line}` is not `ADDRESS:PORT REQUESTS ERRORS`"));
            };
            if routes_to(endpoint, address, port) {
                all = all + Self { requests, errors };
            }
        }
        Ok(all)
    }

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
        let read = |address, port| Responses::read(printed, address, port);
        assert_eq!(read("10.0.0.1", 80), Ok(responses(10, 1)));
        assert_eq!(read("10.0.0.2", 80), Ok(responses(0, 0)));
        assert_eq!(read("fd88::1", 80), Ok(responses(5, 2)));
        assert_eq!(Responses::read("", "10.0.0.1", 80), Ok(responses(0, 0)));
        let most = format!("10.0.0.1:80 {0} {0}\n10.0.0.1:80 {0} {0}\n", u64::MAX);
        let read = Responses::read(&most, "10.0.0.1", 80);
        assert_eq!(read, Ok(responses(u64::MAX, u64::MAX)));
    }

    #[test]
    fn what_is_no_such_line_is_said() {
        for line in [
            "10.0.0.1:80 7",
            "10.0.0.1:80 7 1 x",
            "10.0.0.1:80 -7 1",
            "no such command",
        ] {
            let read = Responses::read(line, "10.0.0.1", 80);
            let expected = format!("`{line}` is not `ADDRESS:PORT REQUESTS ERRORS`");
            assert_eq!(read, Err(expected));
        }
    }

    #[test]
    fn a_counter_that_is_lower_has_begun_again() {
        assert_eq!(responses(10, 3).since(responses(4, 1)), responses(6, 2));
        assert_eq!(responses(3, 1).since(responses(4, 0)), responses(3, 1));
        assert_eq!(responses(9, 0).since(responses(4, 1)), responses(9, 0));
    }
}
