//! How a file changes, line by line.

/// The most lines of a file that are compared one by one.
const MOST: usize = 2000;

/// How many lines are shown around each that changes.
const AROUND: usize = 1;

/// The lines that go (`- …`) and that come (`+ …`), each with one around it that stays; `…` stands for others.
pub fn diff(old: &str, new: &str) -> Vec<String> {
    let (old, new): (Vec<_>, Vec<_>) = (old.lines().collect(), new.lines().collect());
    let all = if old.len().max(new.len()) > MOST {
        let goes = old.iter().map(|line| ('-', *line));
        goes.chain(new.iter().map(|line| ('+', *line))).collect()
    } else {
        edits(&old, &new)
    };
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
            lines.push(format!("{sign} {line}").trim_end().to_owned());
        } else {
            is_left_out = true;
        }
    }
    lines
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
}
