//! A line that `docker logs --timestamps` printed, and whether it is shown.

use jiff::Timestamp;
use regex::Regex;

/// Which lines are shown, and with what before them.
#[derive(Debug, Clone, Default)]
pub struct Shown {
    /// Only lines in which this is found.
    pub grep: Option<Regex>,
    /// With docker's time before each.
    pub timestamps: bool,
}

/// A line and when docker took it.
#[derive(Debug, PartialEq, Eq)]
pub struct Logged<'a> {
    /// When; `None` for what docker itself has to say.
    pub at: Option<Timestamp>,
    /// The line as the container printed it.
    pub text: &'a str,
}

impl<'a> Logged<'a> {
    /// Divides a line from its time.
    pub fn parse(line: &'a str) -> Self {
        let (time, text) = line.split_once(' ').unwrap_or((line, ""));
        match time.parse() {
            Ok(at) => Self { at: Some(at), text },
            Err(_) => Self {
                at: None,
                text: line,
            },
        }
    }
}

impl Shown {
    /// What is shown of a line that begins with its time, if it is shown.
    pub fn line(&self, line: &str) -> Option<String> {
        let logged = Logged::parse(line);
        let text = if self.timestamps { line } else { logged.text };
        self.is_wanted(logged.text).then(|| text.to_owned())
    }

    /// The same of a line as the container printed it.
    pub fn plain(&self, line: &str) -> Option<String> {
        self.is_wanted(line).then(|| line.to_owned())
    }

    fn is_wanted(&self, text: &str) -> bool {
        self.grep.as_ref().is_none_or(|grep| grep.is_match(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = "2026-11-27T09:01:16.123456789Z GET /health 200";

    #[test]
    fn a_line_is_searched_without_its_time() {
        let shown = |grep: &str, timestamps| {
            let grep = Some(Regex::new(grep).expect("an expression"));
            Shown { grep, timestamps }.line(LINE)
        };
        assert_eq!(shown("^GET", false).as_deref(), Some("GET /health 200"));
        assert_eq!(shown("^GET", true).as_deref(), Some(LINE));
        assert_eq!(shown("2026", true), None);
        let all = Shown::default();
        assert_eq!(all.line(LINE).as_deref(), Some("GET /health 200"));
    }

    #[test]
    fn what_has_no_time_is_shown_as_it_is() {
        let said = "Error response from daemon: no such container";
        assert_eq!(Logged::parse(said).text, said);
        assert_eq!(Shown::default().line(said).as_deref(), Some(said));
        let empty = Logged::parse("2026-11-27T09:01:16Z ");
        assert_eq!((empty.at.is_some(), empty.text), (true, ""));
    }
}
