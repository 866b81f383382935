//! The words of a `Match` line.

/// One criterion of a `Match` line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Criterion {
    pub(super) negated: bool,
    /// In lowercase.
    pub(super) name: String,
    /// Empty for those without one.
    pub(super) argument: String,
}

impl Criterion {
    /// The criteria of a `Match` line, or why OpenSSH would not read it.
    pub(super) fn parse(words: &[String]) -> Result<Vec<Self>, String> {
        let mut criteria: Vec<Self> = Vec::new();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let (negated, word) = match word.strip_prefix('!') {
                Some(word) => (true, word),
                None => (false, word.as_str()),
            };
            let (name, inline) = match word.split_once('=') {
                Some((name, argument)) => (name, Some(argument)),
                None => (word, None),
            };
            let name = name.to_ascii_lowercase();
            let argument = match (name.as_str(), inline) {
                ("all" | "canonical" | "final", None) => "",
                (_, Some(argument)) => argument,
                (_, None) => words
                    .next()
                    .ok_or_else(|| format!("`Match {name}` has no argument"))?,
            };
            if name == "all" && (criteria.len() > 1 || words.len() > 0) {
                return Err("`Match all` takes no other criteria".to_owned());
            }
            criteria.push(Self {
                negated,
                argument: argument.to_owned(),
                name,
            });
        }
        Ok(criteria)
    }

    /// Whether it has the files read a second time.
    pub(super) fn wants_final_reading(&self) -> bool {
        self.name == "final" && !self.negated
    }
}
