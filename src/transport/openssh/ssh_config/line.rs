//! One line of a configuration file.

/// The keyword of a line and the rest; `None` for blank lines and comments.
pub(super) fn split_keyword(line: &str) -> Option<(&str, &str)> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let end = line
        .find(|c: char| c.is_whitespace() || c == '=')
        .unwrap_or(line.len());
    let (keyword, rest) = line.split_at(end);
    let rest = rest.trim_start();
    let rest = rest.strip_prefix('=').unwrap_or(rest);
    Some((keyword, rest.trim()))
}

/// Words, quoted with `"` or `'` where they hold blanks; `#` begins a comment where a word would begin.
/// `None` when a quote does not end.
pub(super) fn split_words(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut characters = text.chars().peekable();
    loop {
        while characters.next_if(|c| c.is_whitespace()).is_some() {}
        match characters.peek() {
            None | Some('#') => return Some(words),
            Some(_) => {}
        }
        let mut word = String::new();
        let mut quote = None;
        while let Some(c) = characters.next_if(|c| quote.is_some() || !c.is_whitespace()) {
            match (c, quote) {
                (c, Some(open)) if c == open => quote = None,
                ('"' | '\'', None) => quote = Some(c),
                ('\\', _) => match characters.next_if(|c| "\"'\\ ".contains(*c)) {
                    Some(escaped) => word.push(escaped),
                    None => word.push('\\'),
                },
                (c, _) => word.push(c),
            }
        }
        if quote.is_some() {
            return None;
        }
        words.push(word);
    }
}
