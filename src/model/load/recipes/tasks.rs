//! `[[before]]`, `[[after]]` and `[[commands]]`.

use std::path::Path;

use super::super::{
    read::unreadable,
    scope::{Resolver, Settle, meaning},
};
use crate::{
    config::{
        recipe::{TaskSection, UploadSection},
        slot::Defaulted,
        values::TaskPlace,
    },
    diagnostic::{Located, Place, Problem, SourceFile},
    files,
    model::{Task, TaskAction, Template},
};

/// The commands of a list, for one host. Without a container there is no image for a one-off container.
pub(super) fn resolve(
    list: Option<&Located<Vec<Located<TaskSection>>>>,
    has_container: bool,
    resolver: &mut Resolver<'_>,
) -> Vec<Task> {
    list.iter()
        .flat_map(|list| &list.value)
        .map(|section| task(section, has_container, resolver))
        .collect()
}

fn task(section: &Located<TaskSection>, has_container: bool, resolver: &mut Resolver<'_>) -> Task {
    let TaskSection {
        name,
        run,
        command,
        upload,
        r#in,
        once,
        unless,
        timeout,
        retry,
    } = &section.value;
    check_place(&section.value, has_container, resolver);
    let is_new = *r#in.value() == TaskPlace::New;
    let (action, default_name) = match (run, command, upload) {
        (Some(run), None, None) => {
            let first_line = run.0.trim().lines().next().unwrap_or_default();
            let script = meaning(run, resolver);
            let action = if is_new {
                TaskAction::RunInNew(vec![literal("sh"), literal("-c"), script])
            } else {
                TaskAction::Run(script)
            };
            (action, first_line.to_owned())
        }
        (None, Some(command), None) => {
            let words = command.value.iter().map(|word| &*word.value.0);
            let shown = words.collect::<Vec<_>>().join(" ");
            let first_line = shown.lines().next().unwrap_or_default().to_owned();
            (TaskAction::RunInNew(meaning(command, resolver)), first_line)
        }
        (None, None, Some(upload)) => {
            let action = self::upload(upload, resolver);
            let to = upload.to.as_ref().map(|to| &*to.value.0);
            (action, format!("upload {}", to.unwrap_or_default()))
        }
        _ => {
            refuse_number(section, resolver);
            (nothing(), String::new())
        }
    };
    Task {
        name: name
            .as_ref()
            .map_or(default_name, |name| meaning(name, resolver)),
        action,
        once: *once.value(),
        unless: unless.settle(resolver),
        timeout: timeout.value().0,
        retry: *retry.value(),
    }
}

/// Says that a command is none or several.
fn refuse_number(section: &Located<TaskSection>, resolver: &mut Resolver<'_>) {
    let task = &section.value;
    let is_none = task.run.is_none() && task.command.is_none() && task.upload.is_none();
    let hint = if is_none {
        "add `run = \"…\"`, or `upload = { from = \"…\", to = \"/…\" }`"
    } else {
        "for several, write one after the other: they run in the order of the file"
    };
    resolver.problems.push(
        Problem::error("a command has exactly one of `run`, `command` and `upload`")
            .at(&section.place, "this one")
            .hint(hint),
    );
}

/// Checks that a command can run where it is to run.
fn check_place(task: &TaskSection, has_container: bool, resolver: &mut Resolver<'_>) {
    let new = task.r#in.written();
    let new = new.filter(|place| place.value == TaskPlace::New);
    let problem = match (new, &task.command, &task.upload) {
        (None, Some(command), _) => Problem::error("`command` without `in = \"new\"`")
            .at(&command.place, "words for a one-off container")
            .hint("add `in = \"new\"`, or write `run = \"…\"` for the host's shell"),
        (Some(new), _, Some(_)) => Problem::error("`in = \"new\"` with an upload")
            .at(&new.place, "a file is placed on the host")
            .hint("leave `in` out; a volume brings the file into the container"),
        (Some(new), _, _) if !has_container => Problem::error(
            "`in = \"new\"` in a recipe without `[container]`",
        )
        .at(&new.place, "there is no image")
        .hint(
            "put the command into `[[before]]` or `[[after]]` of the recipe that has the image; by hand it is run with `shipit console ENV RECIPE --new -- COMMAND`, and in any other image with `run = \"docker run --rm IMAGE COMMAND\"`",
        ),
        (_, Some(command), _) if command.value.is_empty() => {
            Problem::error("an empty command").at(&command.place, "nothing to run")
        }
        _ => return,
    };
    resolver.problems.push(problem);
}

/// A text that is no template.
fn literal(text: &str) -> Template {
    Template {
        source: text.to_owned(),
        context: std::sync::Arc::default(),
    }
}

/// Stands where a mistake was reported.
fn nothing() -> TaskAction {
    TaskAction::Run(literal(""))
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
    let target: String = meaning(to, resolver);
    if !target.starts_with('/') || target.ends_with('/') {
        resolver.problems.push(
            Problem::error(format!("`{target}` is not the absolute path of a file"))
                .at(&to.place, "expected `/…/FILE`"),
        );
    }
    let shown: String = meaning(from, resolver);
    let path = resolver.project().path_at(&shown, from, resolver.problems);
    let is_template = *template.value();
    TaskAction::Upload {
        content: content(&path, &shown, &from.place, is_template, resolver),
        from: path,
        to: target,
        mode: permissions(mode, &section.place, resolver),
    }
}

fn permissions(mode: &Defaulted<String>, upload: &Place, resolver: &mut Resolver<'_>) -> u32 {
    let text = mode.value();
    let digits = text.strip_prefix("0o").unwrap_or(text);
    let is_octal = !digits.is_empty() && digits.bytes().all(|b| (b'0'..=b'7').contains(&b));
    let mode_bits = u32::from_str_radix(digits, 8).ok();
    let mode_bits = mode_bits.filter(|bits| is_octal && *bits <= 0o7777);
    if mode_bits.is_none() {
        resolver.problems.push(
            Problem::error(format!("`{text}` is not a file mode"))
                .at(mode.place().unwrap_or(upload), "expected octal digits")
                .hint("for instance `\"0644\"` or `\"0600\"`"),
        );
    }
    mode_bits.unwrap_or_default()
}

fn content(
    path: &Path,
    shown: &str,
    from: &Place,
    is_template: bool,
    resolver: &mut Resolver<'_>,
) -> Vec<u8> {
    let result = if is_template {
        files::read_text(path).map(|text| {
            let file = SourceFile::new(shown, text);
            let whole = file.place(0..file.text().len());
            resolver.text(file.text(), &whole).into_bytes()
        })
    } else {
        files::read_bytes(path, u64::MAX)
    };
    result.unwrap_or_else(|error| {
        let problem = unreadable(shown, &error).at(from, "cannot be read");
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
