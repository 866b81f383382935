//! Vars that stand in a script without `quote`, so that a shell reads their text as its own.

use handlebars::template::{HelperTemplate, Parameter, Template, TemplateElement, TemplateMapping};

use super::error::{TemplateError, expression_length, offset_of};

/// Every name of a script that `is_var` and is written into it as it is. What a block is asked with
/// (`{{#if debug}}`) is not written, and what `{{#each}}` writes is not looked at.
///
/// A script that does not parse has been reported already; it gives none.
pub(in super::super) fn unquoted(
    script: &str,
    is_var: &dyn Fn(&str) -> bool,
) -> Vec<TemplateError> {
    let Ok(template) = Template::compile(script) else {
        return Vec::new();
    };
    let mut search = Search {
        script,
        is_var,
        found: Vec::new(),
    };
    search.template(&template);
    search.found
}

struct Search<'a> {
    script: &'a str,
    is_var: &'a dyn Fn(&str) -> bool,
    found: Vec<TemplateError>,
}

impl Search<'_> {
    fn template(&mut self, template: &Template) {
        for (element, at) in template.elements.iter().zip(&template.mapping) {
            match element {
                TemplateElement::Expression(helper) | TemplateElement::HtmlExpression(helper) => {
                    self.written(helper, at);
                }
                TemplateElement::HelperBlock(block) if !is_called(block, &["each", "with"]) => {
                    let inside = [&block.template, &block.inverse];
                    for template in inside.into_iter().flatten() {
                        self.template(template);
                    }
                }
                _ => {}
            }
        }
    }

    fn written(&mut self, helper: &HelperTemplate, at: &TemplateMapping) {
        if is_called(helper, &["quote"]) {
            return;
        }
        if helper.params.is_empty() {
            self.parameter(&helper.name, at);
        }
        for parameter in &helper.params {
            self.parameter(parameter, at);
        }
    }

    fn parameter(&mut self, parameter: &Parameter, at: &TemplateMapping) {
        match parameter {
            Parameter::Path(_) | Parameter::Name(_) => {
                let path = parameter.as_name().unwrap_or_default();
                let plain = path.strip_prefix("host.vars.").unwrap_or(path);
                let first = plain.split('.').next().unwrap_or_default();
                if (self.is_var)(first) {
                    self.add(path, at);
                }
            }
            Parameter::Subexpression(inner) => {
                if let TemplateElement::Expression(helper) = inner.as_element() {
                    self.written(helper, at);
                }
            }
            _ => {}
        }
    }

    fn add(&mut self, path: &str, at: &TemplateMapping) {
        let offset = offset_of(self.script, at.0, at.1);
        self.found.push(TemplateError {
            message: format!("`{path}` is not quoted in this script"),
            offset,
            length: expression_length(self.script, offset),
            hint: Some(format!(
                "write `{{{{quote {path}}}}}`: it is one word for the shell, whatever `--set` gives"
            )),
        });
    }
}

fn is_called(helper: &HelperTemplate, names: &[&str]) -> bool {
    helper
        .name
        .as_name()
        .is_some_and(|name| names.contains(&name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_var_that_a_shell_would_read_is_found() {
        for (script, expected) in [
            ("echo {{version}}", vec!["{{version}}"]),
            ("echo \"{{ version }}\"", vec!["{{ version }}"]),
            ("echo '{{{version}}}'", vec!["{{{version}}"]),
            ("echo {{quote version}} {{container}}", vec![]),
            (
                "{{#if version}}echo{{else}}echo {{tag.x}}{{/if}}",
                vec!["{{tag.x}}"],
            ),
            ("echo {{join tags \",\"}}", vec!["{{join tags \",\"}}"]),
            ("echo {{quote (join tags \",\")}}", vec![]),
            ("echo {{addresses groups.web}} {{host.name}}", vec![]),
            ("echo {{host.vars.tag}}", vec!["{{host.vars.tag}}"]),
            (r"docker ps --format '\{{version}}'", vec![]),
            ("{{", vec![]),
        ] {
            let is_var = |name: &str| ["version", "tag", "tags"].contains(&name);
            let found = unquoted(script, &is_var);
            let at: Vec<_> = found
                .iter()
                .map(|found| &script[found.offset..][..found.length])
                .collect();
            assert_eq!(at, expected, "{script}");
        }
    }
}
