//! What an environment has now: a line for each container, folded where they agree.

mod fold;
mod layout;
mod words;

use jiff::Timestamp;

pub(super) use self::words::ago;
use self::{fold::folded, layout::laid_out};
use super::{columns::in_columns, options::LookOptions};
use crate::{
    event::{InstanceRow, LockRow, ReleaseRow, Status, StatusForm},
    report::text::{Paint, clean, fit},
};

/// The lines of a status at `now`: what is wrong as a whole, then the containers.
pub(super) fn lines(
    status: &Status,
    form: StatusForm,
    now: Timestamp,
    options: LookOptions,
) -> Vec<String> {
    let Status {
        release,
        lock,
        instances,
        previews,
        unread, // rows of the hosts say which
    } = status;
    let fitted = |line: String| match options.width {
        Some(width) if !form.is_wide => fit(&line, width).into_owned(),
        _ => line,
    };
    let mut lines: Vec<_> = release
        .iter()
        .filter_map(|release| ended_badly(release, now, options))
        .chain(lock.iter().map(|lock| locked(lock, options)))
        .map(fitted)
        .collect();
    if form.is_wide {
        lines.extend(wide(instances, now, options));
    } else {
        lines.extend(laid_out(
            &folded(instances, unread.is_empty()),
            now,
            options,
        ));
    }
    lines.extend(stopped(instances, options).into_iter().map(fitted));
    if !previews.is_empty() {
        lines.push(String::new());
        lines.extend(super::previews::lines(previews, now, options));
    }
    lines
}

/// The newest release, if it did not succeed.
fn ended_badly(release: &ReleaseRow, now: Timestamp, options: LookOptions) -> Option<String> {
    let number = clean(&release.release);
    let when = ago(release.began, now);
    let (text, paint) = match &*release.outcome {
        "succeeded" => return None,
        "unfinished" => (
            format!(
                "{number} is unfinished: {} began {when} ago by {}, and runs still or was cut off",
                clean(&release.action),
                clean(&release.by)
            ),
            Paint::Notable,
        ),
        outcome => {
            let was = if outcome == "failed" { "" } else { "was " };
            let why = release.failure.as_deref();
            let why = why.map_or_else(String::new, |why| format!(": {}", clean(why)));
            let text = format!("{number} {was}{} {when} ago{why}", clean(outcome));
            (text, Paint::Bad)
        }
    };
    Some(options.painter.paint(paint, text))
}

fn locked(lock: &LockRow, options: LookOptions) -> String {
    let LockRow { by, since, message } = lock;
    let since = since.strftime("%Y-%m-%d %H:%M UTC");
    let text = format!("locked by {} since {since}: {}", clean(by), clean(message));
    options.painter.paint(Paint::Notable, text)
}

/// Who has stopped a recipe, and where that was.
fn stopped(instances: &[InstanceRow], options: LookOptions) -> Vec<String> {
    let mut told = Vec::<(String, Vec<String>)>::new();
    for row in instances {
        let (Some(by), Some(since)) = (&row.stopped_by, row.since) else {
            continue;
        };
        let at = since.strftime("%Y-%m-%d %H:%M UTC");
        let text = format!("{} stopped by {} at {at}", clean(&row.recipe), clean(by));
        let host = clean(&row.host);
        match told.iter_mut().find(|(known, _)| *known == text) {
            Some((_, hosts)) if hosts.contains(&host) => {}
            Some((_, hosts)) => hosts.push(host),
            None => told.push((text, vec![host])),
        }
    }
    let lines = told.into_iter().map(|(text, hosts)| {
        let text = format!("{text} on {}", hosts.join(", "));
        options.painter.paint(Paint::Notable, text)
    });
    lines.collect()
}

/// A line for each container, with everything.
fn wide(instances: &[InstanceRow], now: Timestamp, options: LookOptions) -> Vec<String> {
    if instances.is_empty() {
        return Vec::new();
    }
    let heading = [
        "RECIPE",
        "HOST",
        "VERSION",
        "STATE",
        "HEALTH",
        "ROUTED",
        "SINCE",
        "RELEASE",
        "ADDRESS",
        "CONTAINER",
        "IMAGE",
    ];
    let row = |instance: &InstanceRow| {
        let cell = |text: &Option<String>| text.as_deref().map_or("–".to_owned(), clean);
        vec![
            clean(&instance.recipe),
            clean(&instance.host),
            cell(&instance.version),
            words::state(instance, options.painter),
            words::health(instance, options.painter),
            words::routed(instance, options.painter),
            words::since(instance, now),
            cell(&instance.release),
            cell(&instance.address),
            cell(&instance.container),
            cell(&instance.image),
        ]
    };
    let heading = heading.map(str::to_owned).to_vec();
    let rows: Vec<_> = [heading]
        .into_iter()
        .chain(instances.iter().map(row))
        .collect();
    in_columns(&rows)
}
