//! A plan in short lines.

use crate::plan::{Change, ContainerName, Plan, Remark, SlotPlan};

/// What happens to each container, each remark, and whether there is anything to do at all.
pub fn shown(plan: &Plan) -> String {
    let mut lines = Vec::new();
    for recipe in &plan.recipes {
        for slot in &recipe.slots {
            lines.push(slot_line(&recipe.recipe, slot));
            lines.extend(slot.differences.iter().map(|difference| {
                let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".into());
                let (old, new) = (value(&difference.old), value(&difference.new));
                format!("    {}: {old} → {new}", difference.field)
            }));
        }
        lines.extend(
            (recipe.tasks.iter())
                .map(|task| format!("{} {} run #{}", task.host, task.recipe, task.index)),
        );
    }
    lines.extend(plan.warnings.iter().map(|remark| line("warning", remark)));
    lines.extend(plan.obstacles.iter().map(|remark| line("obstacle", remark)));
    if plan.is_empty() {
        lines.push("nothing to do".into());
    }
    lines.join("\n")
}

fn slot_line(recipe: &str, slot: &SlotPlan) -> String {
    let incoming = slot.incoming.as_ref().map(|incoming| {
        let ContainerName { active, retired } = &incoming.name;
        if incoming.exists && active != retired && slot.change != Change::Keep {
            format!("{active} (or {retired})")
        } else {
            active.clone()
        }
    });
    let outgoing: Vec<_> = (slot.outgoing.iter())
        .map(|ContainerName { active, retired }| {
            if active == retired {
                active.clone()
            } else {
                format!("{active} (then {retired})")
            }
        })
        .collect();
    let names = match (outgoing.join(", "), incoming) {
        (old, Some(new)) if old.is_empty() => new,
        (old, Some(new)) => format!("{old} → {new}"),
        (old, None) => old,
    };
    let number = match slot.instance {
        1 => String::new(),
        number => format!("[{number}]"),
    };
    let why = match &*slot.reason {
        "" => String::new(),
        reason => format!(": {reason}"),
    };
    format!(
        "{} {recipe}{number} {} {names}{why}",
        slot.host, slot.change
    )
}

fn line(kind: &str, remark: &Remark) -> String {
    let Remark {
        host,
        message,
        hint,
    } = remark;
    let host = host.as_ref().map(|host| format!(" on {host}"));
    let hint = hint.as_ref().map(|hint| format!(" [{hint}]"));
    format!(
        "{kind}{}: {message}{}",
        host.unwrap_or_default(),
        hint.unwrap_or_default()
    )
}
