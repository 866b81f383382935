//! One line of a configuration file.

const BLANKS: [char; 3] = [' ', '\t', '\r'];

/// The keyword of a line and the rest; `None` for blank lines and comments.
pub(super) fn split_keyword(line: &str) -> Option<(&str, &str)> {
    let line = line
        .trim_end_matches([' ', '\t', '\r', '\x0c'])
        .trim_start_matches(BLANKS);
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let (keyword, rest) = if let Some(quoted) = line.strip_prefix('"') {
        quoted.split_once('"').unwrap_or((quoted, ""))
    } else {
        let end = line
            .find(|c: char| BLANKS.contains(&c) || c == '=' || c == '"')
            .unwrap_or(line.len());
        line.split_at(end)
    };
    let rest = rest.trim_start_matches(BLANKS);
    let rest = rest.strip_prefix('=').unwrap_or(rest);
    Some((keyword, rest.trim_start_matches(BLANKS)))
}

/// Words with blanks between them, quoted with `"` or `'` where they hold some; `#` begins a comment where a
/// word would begin. `None` when a quote does not end.
pub(super) fn split_words(text: &str) -> Option<Vec<String>> {
    let blank = |c: &char| [' ', '\t'].contains(c);
    let mut words = Vec::new();
    let mut characters = text.chars().peekable();
    loop {
        while characters.next_if(blank).is_some() {}
        match characters.peek() {
            None | Some('#') => return Some(words),
            Some(_) => {}
        }
        let mut word = String::new();
        let mut quote = None;
        while let Some(c) = characters.next_if(|c| quote.is_some() || !blank(c)) {
            match (c, quote) {
                (c, Some(open)) if c == open => quote = None,
                ('"' | '\'', None) => quote = Some(c),
                ('\\', _) => {
                    let escaped = characters
                        .next_if(|c| "\"'\\".contains(*c) || (*c == ' ' && quote.is_none()));
                    word.push(escaped.unwrap_or('\\'));
                }
                (c, _) => word.push(c),
            }
        }
        if quote.is_some() {
            return None;
        }
        words.push(word);
    }
}
