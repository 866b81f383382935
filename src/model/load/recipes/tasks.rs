//! `[[before]]`, `[[after]]` and `[[commands]]`.

use std::{fs, path::Path, time::Duration};

use super::super::{read::unreadable, scope::Resolver};
use crate::{
    config::recipe::{TaskSection, UploadSection},
    diagnostic::{Located, Problem, SourceFile},
    model::{Task, TaskAction, Template},
};

/// The commands of a list, for one host.
pub(super) fn resolve(
    list: Option<&Located<Vec<Located<TaskSection>>>>,
    resolver: &mut Resolver<'_>,
) -> Vec<Task> {
    list.iter()
        .flat_map(|list| &list.value)
        .map(|section| task(section, resolver))
        .collect()
}

fn task(section: &Located<TaskSection>, resolver: &mut Resolver<'_>) -> Task {
    let TaskSection {
        name,
        run,
        upload,
        once,
        unless,
        timeout,
        retry,
    } = &section.value;
    let (action, default_name) = match (run, upload) {
        (Some(run), None) => {
            let first_line = run.trim().lines().next().unwrap_or_default();
            (
                TaskAction::Run(resolver.command(run)),
                first_line.to_owned(),
            )
        }
        (None, Some(upload)) => {
            let action = self::upload(upload, resolver);
            let to = upload
                .to
                .as_ref()
                .map(|to| to.value.clone())
                .unwrap_or_default();
            (action, format!("upload {to}"))
        }
        (run, _) => {
            let hint = match run {
                Some(_) => "for both, write two: they run in the order of the file",
                None => "add `run = \"…\"`, or `upload = { from = \"…\", to = \"/…\" }`",
            };
            resolver.problems.push(
                Problem::error("a command has exactly one of `run` and `upload`")
                    .at(&section.place, "this one")
                    .hint(hint),
            );
            (nothing(), String::new())
        }
    };
    if let Some(timeout) = timeout.as_ref().filter(|timeout| timeout.value.0.is_zero()) {
        resolver
            .problems
            .push(Problem::error("no time to run").at(&timeout.place, "more than `0s`"));
    }
    Task {
        name: name
            .as_ref()
            .map_or(default_name, |name| resolver.line(name)),
        action,
        once: once.as_ref().is_some_and(|once| once.value),
        unless: unless.as_ref().map(|unless| resolver.command(unless)),
        timeout: timeout
            .as_ref()
            .map_or(Duration::from_secs(300), |timeout| timeout.value.0),
        retry: retry.as_ref().map_or(0, |retry| retry.value),
    }
}

/// Stands where a mistake was reported.
fn nothing() -> TaskAction {
    TaskAction::Run(Template {
        source: String::new(),
        context: std::sync::Arc::default(),
    })
}

fn upload(section: &Located<UploadSection>, resolver: &mut Resolver<'_>) -> TaskAction {
    let UploadSection {
        from,
        to,
        mode,
        template,
    } = &section.value;
    for (key, is_missing) in [("from", from.is_none()), ("to", to.is_none())] {
        if is_missing {
            resolver.problems.push(
                Problem::error(format!("an upload without `{key}`"))
                    .at(&section.place, format!("`{key}` is missing")),
            );
        }
    }
    let (Some(from), Some(to)) = (from, to) else {
        return nothing();
    };
    let target = resolver.line(to);
    if !target.starts_with('/') || target.ends_with('/') {
        resolver.problems.push(
            Problem::error(format!("`{target}` is not the absolute path of a file"))
                .at(&to.place, "expected `/…/FILE`"),
        );
    }
    let shown = resolver.line(from);
    let project = resolver.project().clone();
    let path = project.path_at(&shown, from, resolver.problems);
    let is_template = template.as_ref().is_some_and(|flag| flag.value);
    TaskAction::Upload {
        content: content(&path, &shown, from, is_template, resolver),
        from: path,
        to: target,
        mode: mode
            .as_ref()
            .map_or(0o644, |mode| permissions(mode, resolver)),
    }
}

fn permissions(text: &Located<String>, resolver: &mut Resolver<'_>) -> u32 {
    let digits = text.strip_prefix("0o").unwrap_or(text);
    let is_octal = !digits.is_empty() && digits.bytes().all(|b| (b'0'..=b'7').contains(&b));
    let mode = u32::from_str_radix(digits, 8).ok();
    mode.filter(|mode| is_octal && *mode <= 0o7777)
        .unwrap_or_else(|| {
            resolver.problems.push(
                Problem::error(format!("`{}` is not a file mode", text.value))
                    .at(&text.place, "expected octal digits")
                    .hint("for instance `\"0644\"` or `\"0600\"`"),
            );
            0o644
        })
}

fn content(
    path: &Path,
    shown: &str,
    from: &Located<String>,
    is_template: bool,
    resolver: &mut Resolver<'_>,
) -> Vec<u8> {
    let result = if is_template {
        fs::read_to_string(path).map(|text| {
            let file = SourceFile::new(shown, text);
            let whole = file.place(0..file.text().len());
            resolver.text_at(file.text(), &whole).into_bytes()
        })
    } else {
        fs::read(path)
    };
    result.unwrap_or_else(|error| {
        let problem = unreadable(shown, &error).at(&from.place, "cannot be read");
        resolver
            .problems
            .push(if path.is_absolute() && !shown.starts_with(['/', '~']) {
                problem
                    .hint("a path starts at the project's root, the folder that holds `inventory/`")
            } else {
                problem
            });
        Vec::new()
    })
}
