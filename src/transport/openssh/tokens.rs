//! `%h`, `%r`, `${HOME}` and `~` in OpenSSH's configuration (`ssh_config(5)`, TOKENS).

use std::{
    env,
    path::{Path, PathBuf},
};

use super::{
    paths::Paths,
    ssh_config::{ConfigProblem, Value},
};

/// What the tokens stand for.
pub(in crate::transport) struct Tokens<'a> {
    pub(in crate::transport) paths: &'a Paths,
    /// `%n`
    pub(in crate::transport) original_host: String,
    /// `%h`
    pub(in crate::transport) host: String,
    /// `%p`
    pub(in crate::transport) port: u16,
    /// `%r`
    pub(in crate::transport) user: String,
    /// `%k`
    pub(in crate::transport) alias: Option<String>,
}

impl Tokens<'_> {
    /// A text of a value, with variables.
    pub(in crate::transport) fn text(
        &self,
        value: &Value,
        text: &str,
    ) -> Result<String, ConfigProblem> {
        variables(&self.percent(value, text)?)
            .ok_or_else(|| value.problem(format!("`{text}` names a variable that is not set")))
    }

    /// All words of a value as paths; `none` is no path.
    pub(in crate::transport) fn paths(&self, value: &Value) -> Result<Vec<PathBuf>, ConfigProblem> {
        value
            .words
            .iter()
            .filter(|word| !word.eq_ignore_ascii_case("none"))
            .map(|word| self.path(value, word))
            .collect()
    }

    /// One word of a value as a path.
    pub(in crate::transport) fn path(
        &self,
        value: &Value,
        word: &str,
    ) -> Result<PathBuf, ConfigProblem> {
        let path = self.paths.expand(Path::new(word));
        if word.starts_with('~') && word != "~" && !word.starts_with("~/") {
            return Err(value.problem(format!("`{word}` is in another user's home")));
        }
        let text = self.text(value, &path.to_string_lossy())?;
        Ok(PathBuf::from(text))
    }

    /// A text of a value, with `%` only.
    pub(in crate::transport) fn percent(
        &self,
        value: &Value,
        text: &str,
    ) -> Result<String, ConfigProblem> {
        let mut expanded = String::new();
        let mut characters = text.chars();
        while let Some(c) = characters.next() {
            if c != '%' {
                expanded.push(c);
                continue;
            }
            match characters.next() {
                Some('%') => expanded.push('%'),
                Some('d') => expanded.push_str(&self.paths.home.to_string_lossy()),
                Some('h') => expanded.push_str(&self.host),
                Some('k') => expanded.push_str(self.alias.as_ref().unwrap_or(&self.original_host)),
                Some('n') => expanded.push_str(&self.original_host),
                Some('p') => expanded.push_str(&self.port.to_string()),
                Some('r') => expanded.push_str(&self.user),
                Some('u') => expanded.push_str(&self.paths.user),
                other => {
                    let token = other.map(String::from).unwrap_or_default();
                    return Err(value.problem(format!("the token `%{token}` is not supported")));
                }
            }
        }
        Ok(expanded)
    }
}

/// Replaces `${NAME}`; `None` when a variable is not set.
fn variables(text: &str) -> Option<String> {
    let mut expanded = String::new();
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let Some(length) = rest[start..].find('}') else {
            break;
        };
        expanded.push_str(&rest[..start]);
        expanded.push_str(&env::var(&rest[start + 2..start + length]).ok()?);
        rest = &rest[start + length + 1..];
    }
    expanded.push_str(rest);
    Some(expanded)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(paths: &Paths, alias: Option<&str>) -> Vec<String> {
        let tokens = Tokens {
            paths,
            original_host: "web".into(),
            host: "web.example".into(),
            port: 2222,
            user: "deploy".into(),
            alias: alias.map(str::to_owned),
        };
        let texts = [
            "%n %h %p %r %k %u %d %% %",
            "%n",
            "%h",
            "%p",
            "%r",
            "%k",
            "%u",
            "%d",
            "100%%",
            "%C",
            "${SHIPIT_NO_SUCH_VARIABLE}",
            "a${b",
            "$b",
            "${PATH}!",
        ];
        let shown = texts.map(|text| {
            let value = Value::for_tests("identityfile", text);
            match tokens.text(&value, text) {
                Ok(expanded) => format!("{text} = {expanded}"),
                Err(problem) => format!("{text}: {}", problem.reason),
            }
        });
        let path = env::var("PATH").expect("a path");
        let shown = shown.map(|line| line.replace(&path, "PATH"));
        let mut all = shown.to_vec();
        for word in ["~", "~/id_%n", "~bob/id", "/etc/%h"] {
            let value = Value::for_tests("identityfile", word);
            all.push(match tokens.path(&value, word) {
                Ok(path) => format!("{word} is {}", path.display()),
                Err(problem) => format!("{word}: {}", problem.reason),
            });
        }
        let several = Value::for_tests("globalknownhostsfile", "/a NONE ~/b");
        all.push(format!("{:?}", tokens.paths(&several).expect("paths")));
        all
    }

    #[test]
    fn tokens_are_openssh_s() {
        let paths = Paths {
            home: "/home/alice".into(),
            user: "alice".into(),
            ..Paths::of_this_account()
        };
        insta::assert_snapshot!(tokens(&paths, None).join("\n"));
        let with_alias = tokens(&paths, Some("alias"));
        assert!(with_alias.contains(&"%k = alias".to_owned()));
    }
}
