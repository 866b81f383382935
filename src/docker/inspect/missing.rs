//! What docker complains of when a thing is not there.

use crate::text;

/// What docker's commands ask for by name or id.
const THINGS: [&str; 5] = ["container", "object", "volume", "image", "network"];

/// Whether a command that failed, and printed this as errors, complains of missing things and of nothing else.
///
/// A container may go between the listing of all and the question about each. Docker then prints the others, and
/// fails in the same way as when its daemon does not answer; only its words tell the two apart.
pub fn is_only_missing(stderr: &str) -> bool {
    let mut complaints = stderr.lines().filter(|line| !is_beside_the_point(line));
    let mut any = false;
    complaints.all(|line| {
        any = true;
        names_a_missing_thing(line)
    }) && any
}

/// Whether `docker rmi` failed, and printed this as errors, only because the image is used or gone.
pub fn keeps_the_image(stderr: &str) -> bool {
    let mut complaints = stderr.lines().filter(|line| !is_beside_the_point(line));
    let mut any = false;
    complaints.all(|line| {
        any = true;
        let is_used = line.contains("conflict: ") || line.contains("is in use by a container");
        is_used || names_a_missing_thing(line)
    }) && any
}

fn names_a_missing_thing(line: &str) -> bool {
    let line = line.to_ascii_lowercase();
    // Podman's word for an image.
    if line.starts_with("error: ") && line.ends_with(": image not known") {
        return true;
    }
    let mut after = line.split("no such ").skip(1);
    after.any(|rest| THINGS.iter().any(|thing| rest.starts_with(thing)))
}

/// Whether a line is a warning of a program before docker's answer.
fn is_beside_the_point(line: &str) -> bool {
    let line = line.trim();
    line.is_empty()
        || text::is_logged_warning(line)
        || line.starts_with("WARNING")
        || line.starts_with("sudo: unable to resolve host")
}

#[cfg(test)]
mod tests {
    use super::{is_only_missing, keeps_the_image};

    #[test]
    fn an_image_that_is_used_is_told_from_one_that_cannot_be_removed() {
        for stderr in [
            "Error response from daemon: conflict: unable to remove repository reference \"web:1\" (must force) - container 0a1b is using its referenced image 2c3d\n",
            "Error response from daemon: conflict: unable to delete 2c3d (cannot be forced) - image is being used by running container 0a1b",
            "Error: image used by 0a1b: image is in use by a container: consider listing external containers and force-removing image\n",
            "Error: No such image: web:1\n",
        ] {
            assert!(keeps_the_image(stderr), "{stderr}");
        }
        for stderr in [
            "",
            "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?",
            "Error response from daemon: unlinkat /var/lib/docker/overlay2/ab: device or resource busy",
        ] {
            assert!(!keeps_the_image(stderr), "{stderr}");
        }
    }

    #[test]
    fn what_is_missing_is_told_from_any_other_complaint() {
        for stderr in [
            "Error: No such container: 0123\n",
            "Error: No such object: web-r1",
            "Error response from daemon: No such container: 0123\n",
            "Error response from daemon: get shipit.r1: no such volume\n",
            "Error: No such volume: a\nError: No such volume: b\n",
            "Error: no such container \"web\"\n",
            "Error: no container with name or ID \"web\" found: no such container\n",
            "time=\"2026-11-27T09:17:35Z\" level=warning msg=\"Using cgroups-v1\"\nError: web:1: image not known\n",
            "sudo: unable to resolve host web-1: Name or service not known\nError: No such image: web:1\n",
            "WARNING: Error loading config file: /root/.docker/config.json\nError: No such image: web:1",
        ] {
            assert!(is_only_missing(stderr), "{stderr}");
        }
        for stderr in [
            "",
            "\n",
            "WARNING: something\n",
            "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?\n",
            "error during connect: dial unix /var/run/docker.sock: connect: no such file or directory\n",
            "error during connect: lookup docker: no such host\n",
            "Error: No such container: 0123\nError response from daemon: context deadline exceeded\n",
            "sh: docker: not found\n",
        ] {
            assert!(!is_only_missing(stderr), "{stderr}");
        }
    }
}
