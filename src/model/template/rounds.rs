//! How long a template may go on, and how much may come out of it.
//!
//! Loops within loops over a large fleet go round for hours. handlebars asks nobody between two rounds, so each
//! block gets a last element that does.

use std::{io, sync::LazyLock};

use handlebars::{
    Context, Handlebars, Helper, HelperResult, Output, RenderContext,
    template::{Template, TemplateElement},
};

/// The most pieces that are written, rounds without any among them.
const PIECES: usize = 200_000;

/// The most that comes out, in bytes. No program takes an argument of that length.
const BYTES: usize = 1024 * 1024;

/// What the last element of each block calls.
const ROUND: &str = "shipit-round";

/// Adds what the elements of [`count_in`] call.
pub(super) fn register(handlebars: &mut Handlebars<'_>) {
    let count = |_: &Helper<'_>,
                 _: &Handlebars<'_>,
                 _: &Context,
                 _: &mut RenderContext<'_, '_>,
                 output: &mut dyn Output|
     -> HelperResult { Ok(output.write("")?) };
    handlebars.register_helper(ROUND, Box::new(count));
}

/// Has every round of every block counted.
pub(super) fn count_in(template: &mut Template) {
    static ROUND_TEMPLATE: LazyLock<Template> = LazyLock::new(|| {
        let round = Template::compile(&format!("{{{{{ROUND}}}}}"));
        round.unwrap_or_default()
    });

    for element in &mut template.elements {
        if let TemplateElement::HelperBlock(helper) = element {
            let inside = [&mut helper.template, &mut helper.inverse];
            for inner in inside.into_iter().flatten() {
                count_in(inner);
                let round = ROUND_TEMPLATE.clone();
                inner.elements.extend(round.elements);
                inner.mapping.extend(round.mapping);
            }
        }
    }
}

/// A text that does not grow beyond the limits.
#[derive(Default)]
pub(super) struct Bounded {
    text: String,
    pieces: usize,
}

impl Bounded {
    /// How many pieces were written. Where one was too many, what that template takes on other hosts is not worth the
    /// time: so many that no further one is filled in.
    pub(super) fn pieces(&self) -> usize {
        if self.pieces > PIECES {
            usize::MAX
        } else {
            self.pieces
        }
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }
}

impl Output for Bounded {
    fn write(&mut self, piece: &str) -> io::Result<()> {
        self.pieces += 1;
        if self.pieces > PIECES {
            return Err(io::Error::other(format!(
                "more than {PIECES} rounds and pieces"
            )));
        }
        if self.text.len() + piece.len() > BYTES {
            return Err(io::Error::other(format!(
                "more than {} MiB come out",
                BYTES / 1024 / 1024
            )));
        }
        self.text.push_str(piece);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use serde_json::json;

    use super::super::render;

    fn of_hosts(count: usize, template: &str) -> Result<usize, String> {
        let hosts: Vec<_> = (0..count).map(|number| json!({ "name": number })).collect();
        let rendered = render(template, json!({ "hosts": hosts }), &Cell::default());
        rendered
            .map(|text| text.len())
            .map_err(|mut errors| errors.swap_remove(0).message)
    }

    #[test]
    fn loops_within_loops_end() {
        let nested =
            "{{#each hosts}}{{#each ../hosts}}{{#each ../../hosts}}{{/each}}{{/each}}{{/each}}";
        assert_eq!(of_hosts(20, nested), Ok(0));
        let endless = of_hosts(1000, nested);
        assert_eq!(
            endless,
            Err("template too long: more than 200000 rounds and pieces".to_owned())
        );
        let nested =
            "{{#each hosts}}{{#if name}}{{else}}{{#each ../hosts}}x{{/each}}{{/if}}{{/each}}";
        assert_eq!(of_hosts(300, nested), Ok(300), "all but one have a name");
    }

    #[test]
    fn what_comes_out_has_an_end() {
        let line = "0123456789".repeat(100);
        let each = format!("{{{{#each hosts}}}}{line}{{{{/each}}}}");
        assert_eq!(of_hosts(1000, &each), Ok(1_000_000));
        assert_eq!(
            of_hosts(1100, &each),
            Err("template too long: more than 1 MiB come out".to_owned())
        );
    }
}
