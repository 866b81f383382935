//! Every string of an event, in one place. Everything is destructured, so that a new field does not
//! compile before it is decided here.

use super::{
    fields::{in_differences, in_settings},
    look::in_look,
};
use crate::event::{ErrorReport, EventKind, Evidence, HostRow, PlanRow, ProbeSummary};

/// Calls `apply` with every string of an event.
pub(super) fn for_each_string(kind: &mut EventKind, apply: &mut impl FnMut(&mut String)) {
    match kind {
        EventKind::Started {
            command,
            environment,
            hosts,
        } => {
            apply(command);
            apply(environment);
            hosts.iter_mut().for_each(apply);
        }
        EventKind::Phase { phase: _ } | EventKind::Answered | EventKind::Estimate { rest: _ } => {}
        EventKind::Release {
            release,
            description,
        } => {
            apply(release);
            apply(description);
        }
        EventKind::HostSteps {
            host: text,
            total: _,
            waiting: _,
        }
        | EventKind::Note { message: text }
        | EventKind::Question { question: text } => apply(text),
        EventKind::Plan { rows } => rows.iter_mut().for_each(|row| in_plan_row(row, apply)),
        EventKind::StepStarted { .. }
        | EventKind::StepFinished { .. }
        | EventKind::StepFailed { .. }
        | EventKind::Waiting { .. }
        | EventKind::Countdown { .. } => in_step(kind, apply),
        EventKind::Transfer { .. }
        | EventKind::Pull { .. }
        | EventKind::Output { .. }
        | EventKind::Warning { .. } => {
            of_a_host(kind, apply);
        }
        EventKind::HookOutput { on, line } => {
            apply(on);
            apply(line);
        }
        EventKind::Result { lines } => lines.iter_mut().for_each(apply),
        EventKind::History { .. }
        | EventKind::Previews { .. }
        | EventKind::ReleaseDetails { .. }
        | EventKind::Comparison { .. }
        | EventKind::Status { .. } => {
            in_look(kind, apply);
        }
        EventKind::Probe { recipe, summary } => {
            apply(recipe);
            in_probe_summary(summary, apply);
        }
        EventKind::HostState { row } => in_host_row(row, apply),
        EventKind::Finished {
            outcome: _,
            took: _,
            error,
        } => error.iter_mut().for_each(|error| in_error(error, apply)),
    }
}

fn of_a_host(kind: &mut EventKind, apply: &mut impl FnMut(&mut String)) {
    match kind {
        EventKind::Transfer {
            host,
            what,
            bytes: _,
            total: _,
        }
        | EventKind::Pull {
            host,
            what,
            layers: _,
            total: _,
        } => {
            apply(host);
            apply(what);
        }
        EventKind::Output {
            host,
            container,
            stream: _,
            line,
        } => {
            apply(host);
            apply(line);
            container.iter_mut().for_each(apply);
        }
        EventKind::Warning {
            host,
            message,
            hint,
        } => {
            apply(message);
            host.iter_mut().chain(hint).for_each(apply);
        }
        _ => {}
    }
}

/// Calls `apply` with every line that a host or a hook printed.
pub(super) fn for_each_line(kind: &mut EventKind, apply: &mut impl FnMut(&mut String)) {
    match kind {
        EventKind::Output { line, .. } | EventKind::HookOutput { line, .. } => apply(line),
        EventKind::StepFailed { evidence, .. } => evidence.iter_mut().for_each(apply),
        EventKind::Finished {
            error: Some(error), ..
        } => {
            let evidence = error.evidence.iter_mut();
            evidence.flat_map(|it| &mut it.lines).for_each(apply);
        }
        _ => {}
    }
}

fn in_step(kind: &mut EventKind, apply: &mut impl FnMut(&mut String)) {
    let mut of_step = |host: &mut String, recipe: &mut Option<String>, text: &mut String| {
        apply(host);
        recipe.iter_mut().for_each(&mut *apply);
        apply(text);
    };
    match kind {
        EventKind::StepStarted { host, recipe, step } => of_step(host, recipe, step),
        EventKind::StepFinished {
            host,
            recipe,
            step,
            took: _,
            detail,
        } => {
            of_step(host, recipe, step);
            detail.iter_mut().for_each(apply);
        }
        EventKind::StepFailed {
            host,
            recipe,
            step,
            error,
            evidence,
        } => {
            of_step(host, recipe, step);
            error.iter_mut().chain(evidence).for_each(apply);
        }
        EventKind::Countdown {
            host,
            recipe,
            waits_for,
            lasts: _,
        } => of_step(host, recipe, waits_for),
        EventKind::Waiting {
            host,
            recipe,
            waits_for,
            last_seen,
        } => {
            of_step(host, recipe, waits_for);
            apply(last_seen);
        }
        _ => {}
    }
}

fn in_probe_summary(summary: &mut ProbeSummary, apply: &mut impl FnMut(&mut String)) {
    let ProbeSummary {
        requests: _,
        failed: _,
        slowest: _,
        p99: _,
        first_failure,
    } = summary;
    first_failure.iter_mut().for_each(apply);
}

fn in_host_row(row: &mut HostRow, apply: &mut impl FnMut(&mut String)) {
    let HostRow {
        host,
        recipe,
        release,
        state,
        detail,
        severity: _,
    } = row;
    apply(host);
    apply(state);
    recipe
        .iter_mut()
        .chain(release)
        .chain(detail)
        .for_each(apply);
}

fn in_plan_row(row: &mut PlanRow, apply: &mut impl FnMut(&mut String)) {
    let PlanRow {
        host,
        recipe,
        action: _,
        container,
        reason,
        differences,
        starts,
        diff,
        note,
    } = row;
    apply(host);
    apply(recipe);
    apply(reason);
    container.iter_mut().chain(note).for_each(&mut *apply);
    diff.iter_mut().for_each(&mut *apply);
    in_differences(differences, apply);
    in_settings(starts, apply);
}

fn in_error(error: &mut ErrorReport, apply: &mut impl FnMut(&mut String)) {
    let ErrorReport {
        message,
        causes,
        evidence,
        hint,
    } = error;
    apply(message);
    causes.iter_mut().chain(hint).for_each(&mut *apply);
    for Evidence { title, lines } in evidence {
        apply(title);
        lines.iter_mut().for_each(&mut *apply);
    }
}
