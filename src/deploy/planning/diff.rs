//! How a file changes, line by line.

use crate::text;

/// The most lines of a file that are compared one by one.
const MOST: usize = 2000;

/// How many lines of a longer file are shown: a host says what it has.
const SHOWN: usize = 100;

/// How many lines are shown around each that changes.
const AROUND: usize = 1;

/// The lines that go (`- …`) and that come (`+ …`), each with one around it that stays; `…` stands for others.
pub fn diff(old: &str, new: &str) -> Vec<String> {
    let is_long = |text: &str| text.lines().nth(MOST).is_some();
    if is_long(old) || is_long(new) {
        return [beginning('-', old), beginning('+', new)].concat();
    }
    let (old, new): (Vec<_>, Vec<_>) = (old.lines().collect(), new.lines().collect());
    let all = edits(&old, &new);
    let is_near = |at: usize| {
        let from = at.saturating_sub(AROUND);
        let to = (at + AROUND + 1).min(all.len());
        all[from..to].iter().any(|(sign, _)| *sign != ' ')
    };
    let mut lines = Vec::new();
    let mut is_left_out = false;
    for (at, (sign, line)) in all.iter().enumerate() {
        if is_near(at) {
            if std::mem::take(&mut is_left_out) {
                lines.push("…".to_owned());
            }
            lines.push(shown(*sign, line));
        } else {
            is_left_out = true;
        }
    }
    lines
}

fn shown(sign: char, line: &str) -> String {
    let line = format!("{sign} {}", text::cut_line(line));
    line.trim_end().to_owned()
}

/// The first lines of a file, and how many it has more.
fn beginning(sign: char, text: &str) -> Vec<String> {
    let first = text.lines().take(SHOWN).map(|line| shown(sign, line));
    let more = text.lines().skip(SHOWN).count();
    let more = (more > 0).then(|| format!("{sign} … ({more} lines more)"));
    first.chain(more).collect()
}

/// A shortest way from one list of lines to the other.
fn edits<'t>(old: &[&'t str], new: &[&'t str]) -> Vec<(char, &'t str)> {
    // How many lines two ends have in common, in order.
    let mut common = vec![vec![0_usize; new.len() + 1]; old.len() + 1];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            common[i][j] = if old[i] == new[j] {
                common[i + 1][j + 1] + 1
            } else {
                common[i + 1][j].max(common[i][j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut all = Vec::new();
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            all.push((' ', old[i]));
            (i, j) = (i + 1, j + 1);
        } else if j == new.len() || i < old.len() && common[i + 1][j] >= common[i][j + 1] {
            all.push(('-', old[i]));
            i += 1;
        } else {
            all.push(('+', new[j]));
            j += 1;
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_changes_and_its_neighbours_are_shown() {
        let old = "a\nb\nupstream web {\n  server 1;\n  server 2;\n}\nx\ny\n";
        let new = "a\nb\nupstream web {\n  server 1;\n  server 3;\n}\nx\ny\n";
        let expected = [
            "…",
            "    server 1;",
            "-   server 2;",
            "+   server 3;",
            "  }",
        ];
        assert_eq!(diff(old, new), expected);
        assert_eq!(diff(old, old), [""; 0]);
        assert_eq!(diff("", "one\n"), ["+ one"]);
        assert_eq!(diff("one\n\n", ""), ["- one", "-"]);
    }

    #[test]
    fn of_a_file_that_a_host_made_up_a_part_is_shown() {
        let lines = diff(&"x\n".repeat(1_000_000), "one\n");
        assert_eq!(lines[..2], ["- x", "- x"]);
        assert_eq!(
            lines[lines.len() - 2..],
            ["- … (999900 lines more)", "+ one"]
        );
        assert_eq!(lines.len(), 102);
        let lines = diff(&"x".repeat(1_000_000), "");
        assert!(lines[0].ends_with("… (cut: the line has 934464 bytes more)"));
    }
}
