//! Containers that agree are one line.

use jiff::SignedDuration;

use crate::event::InstanceRow;

/// How far apart containers may have started that are told by one time.
const TOGETHER: SignedDuration = SignedDuration::from_mins(2);

/// Containers of one recipe that agree in everything that is shown.
#[derive(Debug)]
pub(super) struct Fold<'a> {
    /// The one that speaks for all: the newest.
    pub(super) first: &'a InstanceRow,
    /// The hosts, each once for each container there.
    pub(super) hosts: Vec<&'a str>,
    /// Whether these are all containers of the recipe.
    pub(super) is_all: bool,
}

/// The containers, those that agree together. Where hosts were not read, nothing is known to be all of a recipe.
pub(super) fn folded(instances: &[InstanceRow], all_read: bool) -> Vec<Fold<'_>> {
    let mut folds = Vec::<Fold<'_>>::new();
    for instance in instances {
        let alike = folds.iter_mut().find(|fold| agree(fold.first, instance));
        match alike {
            Some(fold) => {
                fold.hosts.push(&instance.host);
                if instance.since > fold.first.since {
                    fold.first = instance;
                }
            }
            None => folds.push(Fold {
                first: instance,
                hosts: vec![&instance.host],
                is_all: false,
            }),
        }
    }
    for fold in &mut folds {
        let of_recipe = instances.iter().filter(|it| it.recipe == fold.first.recipe);
        fold.is_all = all_read && of_recipe.count() == fold.hosts.len();
    }
    folds
}

/// Whether two containers are shown alike. Those that a rollout replaced one after the other are told by one time.
fn agree(one: &InstanceRow, other: &InstanceRow) -> bool {
    let routes = |row: &InstanceRow| {
        let routes = row.routes.iter();
        let routes = routes.map(|route| (route.balancer.clone(), route.host.clone(), route.routed));
        routes.collect::<Vec<_>>()
    };
    let health = |row: &InstanceRow| {
        let said = [&row.docker_health, &row.consul_health];
        said.map(|said| said.as_deref()?.split(':').next().map(str::to_owned))
    };
    let together = match (one.since, other.since) {
        (Some(one), Some(other)) => one.duration_since(other).abs() <= TOGETHER,
        (None, None) => true,
        _ => false,
    };
    one.recipe == other.recipe
        && one.version == other.version
        && one.state == other.state
        && one.exit_code == other.exit_code
        && one.severity == other.severity
        && one.stopped_by == other.stopped_by
        && health(one) == health(other)
        && routes(one) == routes(other)
        && together
}
