//! What the old script's way loses under the same load: `docker rm -f`, then `docker run`. That it is
//! something shows that the load would have noticed.

use std::{thread, time::Duration};

use crate::{
    lab::{self, APPS, Host},
    stage::{Stage, other},
};

/// The script's two commands, on what shipit or an earlier call left there.
fn replace(host: Host, version: &str) {
    let image = host
        .image(version)
        .unwrap_or_else(|| panic!("no image of {version} on {}", host.name));
    host.run(&format!(
        "docker rm --force $(docker ps --quiet --filter expose=5000) >/dev/null
        docker run --detach --publish-all --name by-hand --env SERVICE_NAME=flask-nanoservice \
          --env SERVICE_CHECK_HTTP=/health --env SERVICE_CHECK_INTERVAL=1s {image} >/dev/null"
    ));
}

/// Waits until both are back, as whoever runs the script would.
fn both_are_back() {
    lab::eventually("both are back", Duration::from_secs(30), || {
        let passing = lab::passing("flask-nanoservice");
        if passing.len() == 2 {
            Ok(())
        } else {
            Err(format!("{passing:?}"))
        }
    });
}

fn compare(stage: &Stage, what: &str, act: impl FnOnce()) {
    let tally = stage.measure(what, |_| {
        act();
        both_are_back();
        Vec::new()
    });
    assert!(
        tally.lost() > 0,
        "{what}: {tally:?}; would this load notice a loss?"
    );
}

pub fn loses_requests(stage: &Stage) {
    let old = stage.now();
    let new = other(old);
    // A host that was reinstalled has only the one.
    if APPS.iter().any(|host| host.image(new).is_none()) {
        stage.serve(new);
        stage.serve(old);
    }
    compare(stage, "the old way: both hosts at once", || {
        thread::scope(|scope| {
            for host in APPS {
                scope.spawn(move || replace(host, new));
            }
        });
    });
    compare(stage, "the old way: one host after the other", || {
        for host in APPS {
            replace(host, old);
        }
    });
    for host in APPS {
        host.run("docker rm --force by-hand");
    }
}
