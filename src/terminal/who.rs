//! Who runs this, from where, and from which revision of the project.

use std::{path::Path, process::Command};

/// Who does this and from where, as others are shown it: `alice@laptop`.
pub fn who() -> String {
    let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let user = variable("USER")
        .or_else(|| variable("LOGNAME"))
        .or_else(|| first_line_of("id", &["-un"]));
    let host = first_line_of("hostname", &[]).or_else(|| variable("HOSTNAME"));
    format!(
        "{}@{}",
        user.as_deref().unwrap_or("someone"),
        host.as_deref().unwrap_or("somewhere")
    )
}

/// The git revision of a folder, with `+` where files differ from it; `None` where it is not in git.
pub fn git_revision(root: &Path) -> Option<String> {
    let root = root.to_str()?;
    let revision = first_line_of("git", &["-C", root, "rev-parse", "--short=12", "HEAD"])?;
    let changed = first_line_of("git", &["-C", root, "status", "--porcelain"]);
    Some(if changed.is_some() {
        format!("{revision}+")
    } else {
        revision
    })
}

fn first_line_of(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    let line = String::from_utf8_lossy(&output.stdout)
        .lines()
        .next()?
        .trim()
        .to_owned();
    Some(line).filter(|line| !line.is_empty())
}
