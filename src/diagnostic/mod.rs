//! Mistakes in files, each with its place: a fact, the underlined text, a hint. Collected, so that all of
//! them are shown at once.

mod problem;
mod problems;
mod render;
mod source;

pub use problem::Problem;
pub use problems::Problems;
pub use render::Style;
pub use source::{Located, Place, SourceFile};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::acts;

    #[test]
    fn nothing_in_a_file_acts_on_a_terminal() {
        let text = "a = 'x'\r\nname = 'evil\u{202e}txt \u{9b}2J é' # \u{2066}\n";
        let file = SourceFile::new("inventory/\x1b[2Jx.toml", text.to_owned());
        let start = text.find("txt").expect("it");
        let place = file.place(start..start + 3);
        let said = |what: &str| format!("{what} \x1b]0;title\x07\u{202e}");
        let problem = Problem::error(said("a fact"))
            .at(&place, said("a label"))
            .at(
                &SourceFile::new("b\x07", text.to_owned()).place(0..3),
                said("elsewhere"),
            )
            .hint(said("a hint"));
        let problems = Problems::from(problem);
        for style in [Style::Plain, Style::Boxes, Style::Colours] {
            let shown = problems.render(style, 100);
            let shown = console::strip_ansi_codes(&shown);
            assert!(!shown.contains(acts), "{shown:?}");
        }
        let shown = problems.render(Style::Plain, 100);
        let shown: Vec<_> = shown.lines().map(str::trim_end).collect();
        insta::assert_snapshot!(shown.join("\n"), @r"
         error: a fact ␛]0;title␇\u{202e}
          ,-[inventory/␛[2Jx.toml:2:21]
        1 | a = 'x'
        2 | name = 'evil\u{202e}txt \u{9b}2J é' # \u{2066}
          :                     ^|^
          :                      `-- a label ␛]0;title␇\u{202e}
          `----
         note: elsewhere ␛]0;title␇\u{202e}
          ,-[b␇:1:1]
        1 | a = 'x'
          : ^^^
        2 | name = 'evil\u{202e}txt \u{9b}2J é' # \u{2066}
          `----

         hint: a hint ␛]0;title␇\u{202e}
        ");
        assert_eq!(place.text(), "txt", "the file itself is as it is");
        let between = text.find('\n').expect("a line");
        assert_eq!(file.shown_at(between), between);
    }
}
