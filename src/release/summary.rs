//! What a release changed, in words: `flask-nanoservice v1 → v2`.

use std::collections::BTreeMap;

use super::{
    history::History,
    record::{Action, Number, RecipeRecord, Record},
};
use crate::model::{HostName, Reference};

/// How many different changes of one recipe are told; hosts differ seldom.
const MOST: usize = 2;

/// What is told of a release whose predecessor's records are gone.
const NOT_KNOWN: &str = "what was before is not known";

/// The version of an image, as it was typed: its tag, or what is enough of its digest to tell it from others.
pub fn version(image: &str) -> String {
    let Reference { tag, digest, .. } = Reference::parse(image);
    match (tag, digest) {
        (Some(tag), _) => tag.to_owned(),
        (None, Some(digest)) => digest.chars().take("sha256:".len() + 12).collect(),
        (None, None) => "latest".to_owned(),
    }
}

impl History {
    /// What a release changed, recipe by recipe, in words. Empty when it changed no container's spec.
    pub fn summary(&self, number: Number) -> Vec<String> {
        let hosts = self.records.keys();
        let is_first = hosts
            .filter(|host| self.record(host, number).is_some())
            .all(|host| self.before(host, number).is_none());
        let is_pruned = is_first && number.0 > 1;
        let is_first = is_first && !is_pruned;
        let mut changes = BTreeMap::<&str, Vec<String>>::new();
        let mut without_before = Vec::new();
        for (host, records) in &self.records {
            let Some(record) = records.iter().find(|record| record.number == number) else {
                continue;
            };
            let before = self.before(host, number);
            if before.is_none() && !is_first {
                without_before.push(record);
                continue;
            }
            let old = before.map(|before| &before.recipes);
            let names = old.into_iter().flatten().map(|(name, _)| name);
            for name in names.chain(record.recipes.keys()) {
                let was = old.and_then(|old| old.get(name));
                let change = change(was, record.recipes.get(name), is_first);
                let change = change.or_else(|| replaced_by_itself(record, name));
                let of_recipe = changes.entry(name).or_default();
                of_recipe.extend(change.filter(|it| !of_recipe.contains(it)));
            }
        }
        // A host that joined, or whose earlier records are gone: what the others tell of a recipe is worth more.
        changes.retain(|_, told| !told.is_empty());
        let is_told: Vec<&str> = changes.keys().copied().collect();
        for record in without_before {
            for (name, new) in &record.recipes {
                let done = done(record, name, new).filter(|_| !is_told.contains(&&**name));
                let of_recipe = changes.entry(name).or_default();
                of_recipe.extend(done.filter(|it| !of_recipe.contains(it)));
            }
        }
        changes.retain(|_, told| !told.is_empty());
        if is_pruned && changes.is_empty() {
            return vec![NOT_KNOWN.to_owned()];
        }
        let words = |(name, changes): (&str, Vec<String>)| {
            let more = if changes.len() > MOST { ", …" } else { "" };
            let told: Vec<_> = changes.into_iter().take(MOST).collect();
            format!("{name} {}{more}", told.join(", "))
        };
        changes.into_iter().map(words).collect()
    }

    /// The newest successful record of a host before a release.
    pub fn before(&self, host: &HostName, number: Number) -> Option<&Record> {
        let records = self.records.get(host)?;
        let mut newest_first = records.iter().rev();
        newest_first.find(|record| record.number < number && record.succeeded())
    }

    /// What a host's records know of a spec by its hash: the newest record that has it.
    pub fn recorded(&self, host: &HostName, recipe: &str, hash: &str) -> Option<&RecipeRecord> {
        let records = self.records.get(host)?;
        let mut newest_first = records.iter().rev();
        newest_first.find_map(|record| {
            let of_recipe = record.recipes.get(recipe)?;
            (of_recipe.hash == hash).then_some(of_recipe)
        })
    }
}

/// What a release did with a recipe on a host, where nothing is known of what was there before.
fn done(record: &Record, recipe: &str, new: &RecipeRecord) -> Option<String> {
    let states = &record.notes.states;
    states.get(recipe).map(|_| match record.action {
        Action::Stop => "stopped".to_owned(),
        Action::Start => "started".to_owned(),
        Action::Restart => "restarted".to_owned(),
        Action::Deploy | Action::RollbackTo(_) => version(&new.spec.image),
    })
}

/// What a release did that replaced a recipe's containers by equal ones.
fn replaced_by_itself(record: &Record, recipe: &str) -> Option<String> {
    let state = record.notes.states.get(recipe)?;
    let word = match record.action {
        Action::Restart => "restarted",
        Action::Deploy => "replaced",
        Action::RollbackTo(_) | Action::Stop | Action::Start => return None,
    };
    (state == "serving").then(|| word.to_owned())
}

/// What changed of a recipe on one host; `None` when nothing did.
fn change(
    old: Option<&RecipeRecord>,
    new: Option<&RecipeRecord>,
    is_first: bool,
) -> Option<String> {
    let (old, new) = match (old, new) {
        (None, None) => return None,
        (Some(_), None) => return Some("removed".to_owned()),
        (None, Some(new)) if is_first => return Some(version(&new.spec.image)),
        (None, Some(new)) => return Some(format!("{} (new)", version(&new.spec.image))),
        (Some(old), Some(new)) => (old, new),
    };
    match (&old.stopped, &new.stopped) {
        (None, Some(_)) => return Some("stopped".to_owned()),
        (Some(_), None) if old.hash == new.hash => return Some("started".to_owned()),
        _ => {}
    }
    if old.instances != new.instances {
        let (from, to) = (old.instances, new.instances);
        return Some(format!(
            "{} ({from} → {to} instances)",
            version(&new.spec.image)
        ));
    }
    if old.hash == new.hash {
        return None;
    }
    let (old_image, new_image) = (&old.spec.image, &new.spec.image);
    if old_image == new_image {
        let what = if old.image.digest == new.image.digest {
            "settings"
        } else {
            "another image"
        };
        return Some(format!("{} ({what})", version(new_image)));
    }
    let same = Reference::parse(old_image).is_of_same_repository(&Reference::parse(new_image));
    Some(if same {
        format!("{} → {}", version(old_image), version(new_image))
    } else {
        format!("{old_image} → {new_image}")
    })
}

#[cfg(test)]
mod tests {
    use super::{
        super::record::{Outcome, tests::record},
        *,
    };

    /// A release of one recipe: its image, its digest, its hash, its instances.
    type Of<'a> = (&'a str, &'a str, &'a str, u16);

    fn history(releases: &[(Outcome, &[(&str, Of)])]) -> History {
        let records = releases
            .iter()
            .zip(1..)
            .map(|((outcome, recipes), number)| {
                let mut record = record(number, *outcome);
                for (name, (image, digest, hash, instances)) in *recipes {
                    let of_recipe = serde_json::json!({
                        "spec": { "image": image },
                        "image": { "reference": image, "digest": digest },
                        "instances": instances,
                        "hash": hash,
                    });
                    let of_recipe = serde_json::from_value(of_recipe).expect("of a recipe");
                    record.recipes.insert((*name).to_owned(), of_recipe);
                }
                record
            });
        History::new(BTreeMap::from([("host-1".into(), records.collect())]), 0)
    }

    #[test]
    fn a_restart_names_what_it_restarted_and_nothing_that_it_left_alone() {
        let of = |name, hash| (name, ("web:v1", "a", hash, 1));
        let recipes: &[_] = &[of("web", "1"), of("db", "2")];
        let both = [(Outcome::Succeeded, recipes), (Outcome::Succeeded, recipes)];
        let told = |action, state: &str| {
            let mut records = history(&both).records.remove("host-1").expect("records");
            records[1].action = action;
            records[1]
                .notes
                .states
                .insert("web".into(), state.to_owned());
            let history = History::new(BTreeMap::from([("host-1".into(), records)]), 0);
            history.summary(Number(2))
        };
        assert_eq!(told(Action::Restart, "serving"), ["web restarted"]);
        assert_eq!(told(Action::Deploy, "serving"), ["web replaced"]);
        assert_eq!(told(Action::Restart, "serving (reverted)"), [""; 0]);
        assert_eq!(told(Action::RollbackTo(Number(1)), "serving"), [""; 0]);
    }

    #[test]
    fn nothing_is_called_new_on_a_host_whose_earlier_records_are_gone() {
        let of = |name, image, hash| (name, (image, "a", hash, 1));
        let all: &[_] = &[of("web", "web:v1", "1"), of("consul", "consul:2", "2")];
        let of_one = history(&[(Outcome::Succeeded, all), (Outcome::Succeeded, all)]);
        let known: Vec<_> = of_one.records_of(&"host-1".into()).cloned().collect();
        let told = |action, host_1: &str, host_2: &[(&str, &str)]| {
            let with = |record: &Record, states: &[(&str, &str)]| {
                let mut record = record.clone();
                record.action = action;
                let states = states.iter().copied();
                record.notes.states = states
                    .map(|(name, state)| (name.to_owned(), state.to_owned()))
                    .collect();
                record
            };
            let first = vec![known[0].clone(), with(&known[1], &[("web", host_1)])];
            let second = vec![with(&known[1], host_2)];
            let records = BTreeMap::from([("host-1".into(), first), ("host-2".into(), second)]);
            History::new(records, 0).summary(Number(2))
        };
        let serving = [("web", "serving")];
        assert_eq!(
            told(Action::Restart, "serving", &serving),
            ["web restarted"]
        );
        assert_eq!(told(Action::Deploy, "serving", &serving), ["web replaced"]);
        let consul = [("consul", "serving")];
        assert_eq!(told(Action::Deploy, "untouched", &consul), ["consul 2"]);

        // Nor where all of them are gone.
        let mut only = known[1].clone();
        let told = |record: &Record| {
            let records = BTreeMap::from([("host-1".into(), vec![record.clone()])]);
            History::new(records, 0).summary(Number(2))
        };
        assert_eq!(told(&only), ["what was before is not known"]);
        only.notes.states.insert("web".into(), "serving".into());
        assert_eq!(told(&only), ["web v1"]);
        only.action = Action::Stop;
        assert_eq!(told(&only), ["web stopped"]);
    }

    #[test]
    fn a_release_is_told_by_what_it_changed() {
        use Outcome::{Reverted, Succeeded};
        let history = history(&[
            (Succeeded, &[("web", ("web:v1", "a", "1", 1))]),
            (
                Succeeded,
                &[
                    ("web", ("web:v2", "b", "2", 1)),
                    ("db", ("db", "c", "3", 1)),
                ],
            ),
            (Reverted, &[("web", ("web:v3", "d", "4", 1))]),
            (
                Succeeded,
                &[
                    ("web", ("web:v2", "e", "5", 1)),
                    ("db", ("db", "c", "6", 1)),
                ],
            ),
            (
                Succeeded,
                &[
                    (
                        "web",
                        ("docker.io/library/web@sha256:0123456789abcdef", "e", "7", 1),
                    ),
                    ("db", ("store:9", "f", "8", 1)),
                ],
            ),
            (
                Succeeded,
                &[
                    (
                        "web",
                        ("docker.io/library/web@sha256:0123456789abcdef", "e", "7", 3),
                    ),
                    ("db", ("store:9", "f", "8", 1)),
                ],
            ),
            (
                Succeeded,
                &[
                    (
                        "web",
                        ("docker.io/library/web@sha256:0123456789abcdef", "e", "7", 3),
                    ),
                    ("db", ("store:9", "f", "8", 1)),
                ],
            ),
        ]);
        let told: Vec<_> = (1..=7)
            .map(|number| history.summary(Number(number)).join("; "))
            .collect();
        assert_eq!(
            told,
            [
                "web v1",
                "db latest (new); web v1 → v2",
                "db removed; web v2 → v3",
                "db latest (settings); web v2 (another image)",
                "db db → store:9; web v2 → sha256:0123456789ab",
                "web sha256:0123456789ab (1 → 3 instances)",
                "",
            ]
        );
        // Where the records before it are gone, it may have changed anything.
        let mut pruned = History::default();
        let host = HostName::from("host-1");
        let later: Vec<_> = history.records_of(&host).skip(1).cloned().collect();
        pruned.add(&later);
        assert_eq!(pruned.summary(Number(2)), ["what was before is not known"]);
        assert_eq!(pruned.summary(Number(3)), history.summary(Number(3)));
    }
}
