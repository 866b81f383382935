//! Lines that take the place of those that were drawn before.

use super::line::LineOptions;
use crate::report::text::fit;

/// What was drawn last.
#[derive(Debug, Default)]
pub(super) struct Redraw {
    rows: usize,
}

impl Redraw {
    /// Makes lines take the place of those before them. Each is cut to one row, and those for which the screen has no
    /// room are left out: what has scrolled away cannot be drawn over. Where there is no screen, nothing is changed.
    pub(super) fn take_place(&mut self, lines: &mut Vec<String>, options: LineOptions) {
        let (Some(width), Some(height)) = (options.width, options.height) else {
            return;
        };
        // One row is for the cursor.
        let most = height.saturating_sub(1).max(1);
        if lines.len() > most {
            let hidden = lines.len() - (most - 1);
            lines.truncate(most - 1);
            lines.push(format!("… {hidden} lines more"));
        }
        for line in &mut *lines {
            *line = fit(line, width).into_owned();
        }
        let drawn = std::mem::replace(&mut self.rows, lines.len());
        if let Some(first) = lines.first_mut().filter(|_| drawn > 0) {
            // Up to the first row, and away with everything from there on.
            *first = format!("\x1b[{drawn}A\r\x1b[J{first}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{lines::Level, text::Painter};

    fn options(screen: Option<(usize, usize)>) -> LineOptions {
        LineOptions {
            level: Level::Quiet,
            with_bars: false,
            out: Painter::default(),
            err: Painter::default(),
            width: screen.map(|(columns, _)| columns),
            height: screen.map(|(_, rows)| rows),
        }
    }

    fn drawn(redraw: &mut Redraw, lines: &[&str], options: LineOptions) -> Vec<String> {
        let mut lines = lines.iter().map(ToString::to_string).collect();
        redraw.take_place(&mut lines, options);
        lines
    }

    #[test]
    fn what_is_drawn_anew_takes_the_place_of_what_was() {
        let (mut redraw, screen) = (Redraw::default(), options(Some((10, 4))));
        assert_eq!(drawn(&mut redraw, &["a", "b"], screen), ["a", "b"]);
        assert_eq!(
            drawn(&mut redraw, &["c", "far too long for it"], screen),
            ["\x1b[2A\r\x1b[Jc", "far too l…"]
        );
        assert_eq!(
            drawn(&mut redraw, &["1", "2", "3", "4", "5"], screen),
            ["\x1b[2A\r\x1b[J1", "2", "… 3 lines…"]
        );
        assert!(drawn(&mut redraw, &["x"], screen)[0].starts_with("\x1b[3A"));
    }

    #[test]
    fn where_there_is_no_screen_lines_stay_as_they_are() {
        let mut redraw = Redraw::default();
        for _ in 0..2 {
            assert_eq!(drawn(&mut redraw, &["a"], options(None)), ["a"]);
        }
    }
}
