//! What its source does not give any more, another host may still have.
//!
//! A rollback is the case: the image is one of some releases ago, which nobody's machine and maybe no registry
//! has any more, and a host was made anew. The others run it.

use std::collections::BTreeMap;

use futures::{StreamExt, future::join_all, stream};

use super::{
    Failure, Hindrance, Need, PULLING, have, is_full,
    transfer::send::{Saved, Sender, fetch},
};
use crate::{
    docker::{self, Image, PinnedImage},
    event::{EventKind, Events},
    hosts::{Fleet, HostError, QUICK, Reached},
    model::{HostName, ImageSource},
    text,
};

/// What a host did not get, and why.
type Lacking = (Need, Hindrance);

/// Whether it got it from elsewhere, and by which reference it has it then.
type Brought = (Need, Result<String, Failure>);

/// Brings hosts what their sources do not give, each image from the first host that has it and gives it.
pub async fn bring(
    fleet: &Fleet,
    lacking: Vec<Lacking>,
    sender: &Sender,
    events: &Events,
) -> Vec<Brought> {
    let asked = join_all(lacking.into_iter().map(async |(need, why)| {
        let platform = platform(&need.reached).await;
        (need, why, platform)
    }));
    let mut brought = Vec::new();
    // By platform, too: under one digest a registry has an image for each.
    let mut alike = BTreeMap::<(PinnedImage, String), Vec<Lacking>>::new();
    for (need, why, platform) in asked.await {
        match platform {
            Ok(platform) => {
                let key = (need.pin.clone(), platform);
                alike.entry(key).or_default().push((need, why));
            }
            Err(error) => brought.push(failed(need, Hindrance::Host(error), None)),
        }
    }
    for ((pin, platform), lacking) in alike {
        let without: Vec<_> = lacking
            .iter()
            .map(|(need, _)| need.reached.name().clone())
            .collect();
        let written = lacking[0].0.written.clone();
        match find(fleet, &pin, &platform, &without, &written, events).await {
            Ok((source, saved)) => {
                let send = |(need, why)| send_on(need, why, &source, &saved, sender, events);
                let sending = stream::iter(lacking.into_iter().map(send));
                let results = sending.buffer_unordered(PULLING).collect::<Vec<_>>();
                brought.extend(results.await);
            }
            Err(facts) => brought.extend(
                lacking
                    .into_iter()
                    .map(|(need, why)| failed(need, why, Some(facts.clone()))),
            ),
        }
    }
    brought
}

fn failed(need: Need, why: Hindrance, elsewhere: Option<String>) -> Brought {
    let host = need.reached.name().clone();
    let failure = Failure {
        host,
        why,
        elsewhere,
    };
    (need, Err(failure))
}

async fn send_on(
    need: Need,
    hindrance: Hindrance,
    source: &Reached,
    saved: &Saved,
    sender: &Sender,
    events: &Events,
) -> Brought {
    let Need {
        reached,
        source: origin,
        written,
        pin,
    } = &need;
    if let Err(error) = sender.send_on(reached, saved, written, pin, events).await {
        if error.is_unreachable() || is_full(&error) {
            return failed(need, Hindrance::Host(error), None);
        }
        // Why its source did not give it is what can be mended.
        let tried = format!(
            "from `{}`: {}",
            source.name(),
            text::chain(&error).join(": ")
        );
        return failed(need, hindrance, Some(tried));
    }
    let why = match origin {
        ImageSource::Registry => "its registry did not give it",
        ImageSource::Local => "this machine's Docker did not give it",
    };
    events.send(EventKind::Note {
        message: format!(
            "`{written}` came to `{}` from `{}`, as {why}",
            reached.name(),
            source.name()
        ),
    });
    let reference = pin.stand_in();
    (need, Ok(reference))
}

/// What a host answers when it is asked for an image.
enum Answer {
    Has(Image),
    /// It has the one of another platform.
    HasOther(String),
    HasNone,
}

/// Finds a host that has an image and saves it from there. Nothing is changed on that host. When there is
/// none, it says what was asked.
async fn find(
    fleet: &Fleet,
    pin: &PinnedImage,
    platform: &str,
    without: &[HostName],
    written: &str,
    events: &Events,
) -> Result<(Reached, Saved), String> {
    let others = fleet
        .hosts()
        .iter()
        .filter(|other| !without.contains(other.name()));
    let asked = join_all(others.map(async |other| (other, ask(other, pin, platform).await)));
    let mut search = Search::default();
    for (other, answer) in asked.await {
        let told = match answer {
            Ok(Answer::Has(image)) => match fetch(other, &image.id, written, events).await {
                Ok(saved) => return Ok((other.clone(), saved)),
                Err(error) => ("has it and cannot give it", chain(&error)),
            },
            Ok(Answer::HasOther(platform)) => ("has it for another platform", platform),
            Ok(Answer::HasNone) => {
                search.without.push(other.name().clone());
                continue;
            }
            Err(error) => ("cannot be asked for it", chain(&error)),
        };
        search.told.push((other.name().clone(), told.0, told.1));
    }
    Err(search.describe(written))
}

async fn ask(other: &Reached, pin: &PinnedImage, platform: &str) -> Result<Answer, HostError> {
    let Some(image) = have(other, pin).await? else {
        return Ok(Answer::HasNone);
    };
    let its = self::platform(other).await?;
    Ok(if its == platform {
        Answer::Has(image)
    } else {
        Answer::HasOther(its)
    })
}

async fn platform(reached: &Reached) -> Result<String, HostError> {
    let said = reached.expect(docker::platform(), QUICK).await?;
    Ok(said.trim().to_owned())
}

fn chain(error: &HostError) -> String {
    text::chain(error).join(": ")
}

/// A search that found nothing.
#[derive(Default)]
struct Search {
    /// The hosts that do not have it.
    without: Vec<HostName>,
    /// Others, with what of them and why.
    told: Vec<(HostName, &'static str, String)>,
}

impl Search {
    fn describe(&self, written: &str) -> String {
        let Self { without, told } = self;
        let mut facts = Vec::new();
        if !without.is_empty() {
            facts.push(format!("it is not on {}", text::list(without)));
        }
        facts.extend(
            told.iter()
                .map(|(host, what, why)| format!("`{host}` {what}: {why}")),
        );
        if facts.is_empty() {
            facts.push("this run has reached no other".to_owned());
        }
        format!("no other host gives `{written}`: {}", facts.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_says_of_every_host_why_it_gave_nothing() {
        let mut search = Search::default();
        assert_eq!(
            search.describe("web:1"),
            "no other host gives `web:1`: this run has reached no other"
        );
        search.without = vec!["host-2".into(), "host-3".into()];
        assert_eq!(
            search.describe("web:1"),
            "no other host gives `web:1`: it is not on `host-2` and `host-3`"
        );
        search.told = vec![
            (
                "host-4".into(),
                "has it for another platform",
                "linux/arm64".into(),
            ),
            (
                "host-5".into(),
                "has it and cannot give it",
                "`docker save` failed".into(),
            ),
        ];
        assert_eq!(
            search.describe("web:1"),
            "no other host gives `web:1`: it is not on `host-2` and `host-3`; \
             `host-4` has it for another platform: linux/arm64; \
             `host-5` has it and cannot give it: `docker save` failed"
        );
    }
}
