//! What the old script's way loses under the same load: `docker rm -f`, then `docker run`. That it is
//! something shows that the load would have noticed.

use std::{thread, time::Duration};

use crate::{
    lab::{self, APPS, Host},
    load::Tally,
    stage::Stage,
};

/// The script's two commands, on what shipit or an earlier call left there.
fn replace(host: Host, version: &str) {
    let images = "docker images --format '{{.Repository}}:{{.Tag}}' shipit-lab/flask-nanoservice";
    host.run(&format!(
        "set -e
        for image in $({images}); do
          case $(docker image inspect --format '{{{{.Config.Env}}}}' $image) in
            *' VERSION={version} '*) found=$image ;;
          esac
        done
        docker rm --force $(docker ps --quiet --filter expose=5000) >/dev/null
        docker run --detach --publish-all --name by-hand --env SERVICE_NAME=flask-nanoservice \
          --env SERVICE_CHECK_HTTP=/health --env SERVICE_CHECK_INTERVAL=1s $found >/dev/null"
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
    stage.serve("v2");
    let tally: Tally = stage.measure(what, |_| {
        act();
        both_are_back();
        Vec::new()
    });
    for host in APPS {
        host.run("docker rm --force by-hand");
    }
    stage.serve("v1");
    assert!(
        tally.lost() > 0,
        "{what}: {tally:?}; would this load notice a loss?"
    );
}

pub fn both_at_once(stage: &Stage) {
    compare(stage, "the old way: both hosts at once", || {
        thread::scope(|scope| {
            for host in APPS {
                scope.spawn(move || replace(host, "v1"));
            }
        });
    });
}

pub fn one_by_one(stage: &Stage) {
    compare(stage, "the old way: one host after the other", || {
        for host in APPS {
            replace(host, "v1");
        }
    });
}
