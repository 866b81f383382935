//! A TOML file on its way: sections in a fixed order, each with its keys and its comments.

use toml::Value;

/// The widest line that is written where it can be broken.
const WIDTH: usize = 100;

/// A TOML file on its way. A section that nothing was written into is left out.
#[derive(Debug, Clone)]
pub struct Document {
    schema: &'static str,
    sections: Vec<Section>,
}

/// A header and what stands below it.
#[derive(Debug, Clone, Default)]
pub struct Section {
    header: String,
    entries: Vec<Entry>,
}

/// A key with its value, or a comment.
#[derive(Debug, Clone)]
enum Entry {
    Key {
        key: String,
        value: Value,
        comment: Option<String>,
    },
    Comment(String),
}

impl Document {
    /// A file that editors check against this schema, and whose sections come in this order; the one before the
    /// first header is `""`.
    pub fn new(schema: &'static str, headers: &[&str]) -> Self {
        let sections = headers.iter().map(|header| Section {
            header: (*header).to_owned(),
            entries: Vec::new(),
        });
        Self {
            schema,
            sections: sections.collect(),
        }
    }

    /// The section below a header. One that is not there yet comes last.
    pub fn section(&mut self, header: &str) -> &mut Section {
        let known = self.sections.iter();
        let at = known.clone().position(|it| it.header == header);
        let at = at.unwrap_or_else(|| {
            self.sections.push(Section {
                header: header.to_owned(),
                entries: Vec::new(),
            });
            self.sections.len() - 1
        });
        &mut self.sections[at]
    }

    /// Adds a section of its own, for a header such as `[[before]]` that may be there several times; behind those
    /// that are there.
    pub fn another(&mut self, header: &str) -> &mut Section {
        let same = |section: &Section| section.header == header;
        let last = self.sections.iter().rposition(same);
        let at = match last {
            Some(last) if self.sections[last].entries.is_empty() => last,
            Some(last) => {
                self.sections.insert(
                    last + 1,
                    Section {
                        header: header.to_owned(),
                        entries: Vec::new(),
                    },
                );
                last + 1
            }
            None => return self.section(header),
        };
        &mut self.sections[at]
    }

    /// The text of the file.
    pub fn text(&self) -> String {
        let blocks = self.sections.iter().filter(|it| !it.entries.is_empty());
        let texts: Vec<_> = blocks.map(Section::text).collect();
        format!(
            "#:schema ../schema/{}.json\n{}",
            self.schema,
            texts.join("\n")
        )
    }

    /// Turns what stands at a line of the text, counted from 0, into a comment that says why. `false` where nothing
    /// stands there that can be one.
    pub fn refuse(&mut self, line: usize, why: &str) -> bool {
        let mut at = 1;
        let blocks = self.sections.iter_mut().filter(|it| !it.entries.is_empty());
        for section in blocks {
            at += usize::from(!section.header.is_empty());
            for entry in &mut section.entries {
                let text = entry.text();
                let lines = text.lines().count();
                if (at..at + lines).contains(&line) && matches!(entry, Entry::Key { .. }) {
                    let written = text.split_whitespace().collect::<Vec<_>>().join(" ");
                    *entry = Entry::Comment(format!("{written}: {why}"));
                    return true;
                }
                at += lines;
            }
            at += 1;
        }
        false
    }
}

impl Section {
    /// Writes a key.
    pub fn set(&mut self, key: &str, value: impl Into<Value>) -> &mut Self {
        self.entries.push(Entry::Key {
            key: key.to_owned(),
            value: value.into(),
            comment: None,
        });
        self
    }

    /// Says something about the key that was written last, behind it.
    pub fn remark(&mut self, text: &str) -> &mut Self {
        if let Some(Entry::Key { comment, .. }) = self.entries.last_mut() {
            *comment = Some(text.to_owned());
        }
        self
    }

    /// Writes a comment.
    pub fn note(&mut self, text: impl Into<String>) -> &mut Self {
        self.entries.push(Entry::Comment(text.into()));
        self
    }

    /// Whether a key is there.
    pub fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.entries.iter().find_map(|entry| match entry {
            Entry::Key {
                key: known, value, ..
            } if known == key => Some(value),
            _ => None,
        })
    }

    /// Adds to a list, which begins with this.
    pub fn push(&mut self, key: &str, item: impl Into<Value>) -> &mut Self {
        let item = item.into();
        for entry in &mut self.entries {
            if let Entry::Key {
                key: known,
                value: Value::Array(items),
                ..
            } = entry
                && known == key
            {
                items.push(item);
                return self;
            }
        }
        self.set(key, vec![item])
    }

    fn text(&self) -> String {
        let entries = self.entries.iter().map(Entry::text);
        let header = match &*self.header {
            "" => String::new(),
            header => format!("{header}\n"),
        };
        std::iter::once(header).chain(entries).collect()
    }
}

impl Entry {
    fn text(&self) -> String {
        match self {
            Self::Key {
                key,
                value,
                comment,
            } => {
                let comment = comment.as_ref();
                let comment = comment.map_or_else(String::new, |text| format!("    # {text}"));
                let key = quoted(key);
                let line = format!("{key} = {value}{comment}\n");
                match value {
                    Value::Array(items) if line.chars().count() > WIDTH => {
                        let items: Vec<_> =
                            items.iter().map(|item| format!("    {item},")).collect();
                        format!("{key} = [{comment}\n{}\n]\n", items.join("\n"))
                    }
                    _ => line,
                }
            }
            Self::Comment(text) => commented(text),
        }
    }
}

/// A key as TOML has it.
pub fn quoted(key: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !key.is_empty() && key.chars().all(is_bare) {
        key.to_owned()
    } else {
        // A value may come with three quotes, a key may not.
        serde_json::Value::from(key).to_string()
    }
}

/// A comment, broken between words where it is long. What TOML does not take in a comment is shown as its picture.
fn commented(text: &str) -> String {
    let text = crate::text::visible(text);
    let mut lines = Vec::new();
    let mut line = "#".to_owned();
    for word in text.split_whitespace() {
        if line.chars().count() + word.chars().count() >= WIDTH && line != "#" {
            lines.push(std::mem::replace(&mut line, "#  ".to_owned()));
        }
        line += " ";
        line += word;
    }
    lines.push(line);
    lines.join("\n") + "\n"
}

/// A text that templates leave as it is.
pub fn literal(text: &str) -> String {
    text.replace("{{", "\\{{")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_its_sections_in_order_and_breaks_what_is_long() {
        let mut document = Document::new("recipe", &["", "[container]", "[ready]"]);
        document.section("[ready]").set("tcp", 80);
        document.section("").set("hosts", "all").remark("each");
        document
            .section("[container]")
            .set("image", "a \"b\" \\{{c")
            .push("command", "x".repeat(60))
            .push("command", "y".repeat(60))
            .note("word ".repeat(30));
        document.section("[x.\"y z\"]").set("a b", true);
        insta::assert_snapshot!(document.text(), @r#"
        #:schema ../schema/recipe.json
        hosts = "all"    # each

        [container]
        image = 'a "b" \{{c'
        command = [
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
            "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy",
        ]
        # word word word word word word word word word word word word word word word word word word word
        #   word word word word word word word word word word word

        [ready]
        tcp = 80

        [x."y z"]
        "a b" = true
        "#);
    }

    #[test]
    fn what_is_refused_becomes_a_comment_where_it_stood() {
        let mut document = Document::new("recipe", &["", "[container]"]);
        document.section("").note("a note").set("hosts", "all");
        let container = document.section("[container]");
        container.set("image", "a").set("user", "");
        let line = document
            .text()
            .lines()
            .position(|line| line.starts_with("user"));
        assert!(document.refuse(line.expect("it is there"), "it is empty"));
        assert!(!document.refuse(0, "a comment stays one"));
        assert!(!document.refuse(99, "there is none"));
        insta::assert_snapshot!(document.text(), @r#"
        #:schema ../schema/recipe.json
        # a note
        hosts = "all"

        [container]
        image = "a"
        # user = "": it is empty
        "#);
    }
}
