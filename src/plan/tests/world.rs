//! A project's files, hosts with containers, and the past: what a plan is made from, and a docker that does
//! what a plan says.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::shown::shown;
use crate::{
    docker::{Identity, PinnedImage, container_base_name, label, own_name, parse_containers},
    facts::{
        Facts, HostFacts, parse_names,
        ports::{TakenPort, parse_published},
    },
    model::{Environment, HostName, Name, Order, Overrides, Project, load},
    plan::{self, Change, Desired, DesiredState, Input, Plan, Scope, SlotPlan, TaskRef},
    release::{Action, History, Notes, Number, Outcome, RecipeRecord, Record, Stopped},
};

/// Two hosts that run one recipe.
pub const TWO_HOSTS: &str = r#"
recipes = ["web"]
[hosts]
host-1 = { address = "192.0.2.1", groups = ["apps"] }
host-2 = { address = "192.0.2.2" }
"#;

/// One host that runs one recipe.
pub const ONE_HOST: &str = r#"
recipes = ["web"]
[hosts]
host-1 = { address = "192.0.2.1" }
"#;

/// A recipe whose new container starts beside the old one.
pub const WEB: &str = r#"
hosts = "all"
[container]
image = "web:{{version}}"
publish_all = true
"#;

/// A recipe whose old container goes first.
pub const CONSUL: &str = r#"
hosts = "all"
[container]
image = "consul:{{version}}"
network = "host"
"#;

/// The template of a file with backends.
const LIST: &str = "{{#each backends}}{{#each this}}{{name}} {{endpoint}}\n{{/each}}{{/each}}{{#each draining}}{{#each this}}{{name}} leaves\n{{/each}}{{/each}}";

/// One environment and the docker of its hosts, which another environment may share.
pub struct World {
    files: TempDir,
    name: String,
    /// `--set`.
    pub set: BTreeMap<String, String>,
    /// What the files say.
    pub environment: Environment,
    /// What is on the hosts.
    pub docker: Docker,
    /// What each image is now; what is not in it is made from its name.
    pub digests: BTreeMap<String, String>,
    /// The values of the secrets.
    pub secrets: BTreeMap<String, String>,
    /// The records of releases, by host, oldest first.
    pub records: BTreeMap<HostName, Vec<Record>>,
    /// What `--limit` and the names of recipes leave.
    pub scope: Scope,
    /// The ports that programs on every host listen on.
    pub listening: Vec<TakenPort>,
    /// The commands whose `unless` says that they are done.
    pub done: BTreeSet<TaskRef>,
    /// `--force`.
    pub forced: bool,
    /// What the files with backends have: by host, recipe and container.
    pub lists: BTreeMap<(HostName, Name, Option<String>), String>,
}

impl World {
    /// The environment `staging` of this inventory, with empty hosts.
    pub fn new(inventory: &str, recipes: &[(&str, &str)]) -> Self {
        Self::named("staging", inventory, recipes)
    }

    /// Two hosts with the recipe `web` and nothing else.
    pub fn of_web(recipe: &str) -> Self {
        Self::new(TWO_HOSTS, &[("web", recipe)])
    }

    /// An environment of this name.
    pub fn named(name: &str, inventory: &str, recipes: &[(&str, &str)]) -> Self {
        let files = TempDir::new().expect("a temporary folder");
        for folder in ["inventory", "recipes"] {
            std::fs::create_dir(files.path().join(folder)).expect("a folder");
        }
        let set = BTreeMap::from([("version".to_owned(), "1".to_owned())]);
        write(&files, name, inventory, recipes);
        Self {
            environment: read(&files, name, &set),
            files,
            name: name.to_owned(),
            set,
            docker: Docker::default(),
            digests: BTreeMap::new(),
            secrets: BTreeMap::new(),
            records: BTreeMap::new(),
            scope: Scope::default(),
            listening: Vec::new(),
            done: BTreeSet::new(),
            forced: false,
            lists: BTreeMap::new(),
        }
    }

    /// The preview `pr-42` of `staging`, on the hosts as they are there.
    pub fn preview(inventory: &str, recipes: &[(&str, &str)], base: &Self) -> Self {
        let mut world = Self::new(inventory, recipes);
        world.name = "staging.pr-42".to_owned();
        world.docker = base.docker.clone();
        world.environment = read(&world.files, &world.name, &world.set);
        world
    }

    /// Other files from now on.
    pub fn edit(&mut self, inventory: &str, recipes: &[(&str, &str)]) {
        write(&self.files, &self.name, inventory, recipes);
        self.environment = read(&self.files, &self.name, &self.set);
    }

    /// `--set KEY=VALUE` from now on.
    pub fn set(&mut self, key: &str, value: &str) {
        self.set.insert(key.into(), value.into());
        self.environment = read(&self.files, &self.name, &self.set);
    }

    /// Only these hosts, and only these recipes; all where there is none.
    pub fn limit(&mut self, hosts: &[&str], recipes: &[&str]) {
        self.scope = Scope {
            recipes: recipes
                .iter()
                .map(|name| name.parse().expect("a name"))
                .collect(),
            hosts: hosts.iter().map(|host| HostName::from(*host)).collect(),
        };
    }

    /// What `shipit plan` says.
    pub fn plan(&self) -> String {
        shown(&self.planned())
    }

    /// The plan of a deploy.
    pub fn planned(&self) -> Plan {
        self.plan_of(&self.desired(), false)
    }

    /// A deploy that succeeds: the plan, done and recorded.
    pub fn deploy(&mut self) -> String {
        let desired = self.desired();
        let plan = self.plan_of(&desired, false);
        self.carry_out(&plan, &desired, Action::Deploy);
        shown(&plan)
    }

    /// The plan of a rollback to a release.
    pub fn plan_rollback(&self, to: u64) -> Plan {
        self.plan_of(&self.recorded(to), true)
    }

    /// A rollback that succeeds.
    pub fn roll_back(&mut self, to: u64) -> String {
        let desired = self.recorded(to);
        let plan = self.plan_of(&desired, true);
        self.carry_out(&plan, &desired, Action::RollbackTo(Number(to)));
        shown(&plan)
    }

    /// A stop of everything that succeeds.
    pub fn stop(&mut self) -> String {
        let stopped = Stopped {
            by: "alice@laptop".into(),
            at: Timestamp::UNIX_EPOCH,
        };
        let mut desired = self.desired();
        for wanted in desired.values_mut().flat_map(BTreeMap::values_mut) {
            wanted.stopped = Some(stopped.clone());
        }
        let plan = self.plan_of(&desired, false);
        if !plan.obstacles.is_empty() {
            return shown(&plan);
        }
        let done = self.docker.apply(&plan, &self.name, usize::MAX);
        done.expect("docker does it");
        for records in self.records.values_mut() {
            let mut record = records.last().expect("a release").clone();
            (record.number, record.action) = (plan.release, Action::Stop);
            for recipe in record.recipes.values_mut() {
                recipe.stopped = Some(stopped.clone());
            }
            records.push(record);
        }
        shown(&plan)
    }

    /// Writes every list as it is to be now.
    pub fn write_lists(&mut self) {
        for list in self.planned().lists {
            let key = (list.host, list.recipe, list.container);
            self.lists.insert(key, list.new);
        }
    }

    fn carry_out(&mut self, plan: &Plan, desired: &DesiredState, action: Action) {
        assert!(plan.obstacles.is_empty(), "{}", shown(plan));
        if plan.is_empty() {
            return;
        }
        if let Err(problem) = self.docker.apply(plan, &self.name, usize::MAX) {
            panic!("{problem}, by this plan:\n{}", shown(plan));
        }
        self.record(plan, desired, action);
    }

    /// A deploy that is cut off after so many steps, and left this record.
    pub fn cut_off(&mut self, steps: usize, outcome: Outcome) {
        let desired = self.desired();
        let plan = self.plan_of(&desired, false);
        let done = self.docker.apply(&plan, &self.name, steps);
        done.expect("docker does it");
        self.record(&plan, &desired, Action::Deploy);
        for record in self
            .records
            .values_mut()
            .filter_map(|of_host| of_host.last_mut())
        {
            record.outcome = outcome;
        }
    }

    /// The records of a release that succeeded.
    pub fn record(&mut self, plan: &Plan, desired: &DesiredState, action: Action) {
        for recipe in &plan.recipes {
            for slot in recipe.slots.iter().filter(|slot| slot.instance == 1) {
                let Some(incoming) = &slot.incoming else {
                    continue;
                };
                let wanted = &desired[&recipe.recipe][&slot.host];
                let of_recipe = RecipeRecord {
                    spec: wanted.spec.clone(),
                    image: wanted.image.clone(),
                    instances: wanted.instances,
                    hash: incoming.hash.as_str().to_owned(),
                    stopped: None,
                };
                let records = self.records.entry(slot.host.clone()).or_default();
                if records
                    .last()
                    .is_none_or(|record| record.number != plan.release)
                {
                    let before = records.last().map(|record| record.recipes.clone());
                    let mut recipes = before.unwrap_or_default();
                    let is_left_alone = |name: &str| {
                        let mut plans = plan.recipes.iter();
                        plans.any(|it| *it.recipe == *name && it.left_alone.contains(&slot.host))
                    };
                    recipes.retain(|name, _| is_left_alone(name));
                    records.push(Record {
                        number: plan.release,
                        environment: self.name.clone(),
                        preview_of: None,
                        host: slot.host.clone(),
                        action,
                        by: "alice@laptop".into(),
                        started: Timestamp::UNIX_EPOCH,
                        finished: None,
                        revision: None,
                        outcome: Outcome::Succeeded,
                        recipes,
                        notes: Notes::default(),
                    });
                }
                let record = records.last_mut().expect("it was just made");
                record.recipes.insert(recipe.recipe.to_string(), of_recipe);
            }
        }
    }

    /// What the files want.
    pub fn desired(&self) -> DesiredState {
        let mut desired = DesiredState::new();
        for recipe in &self.environment.recipes {
            for (host, on) in recipe
                .by_host
                .iter()
                .filter(|(host, _)| self.scope.has_host(host))
            {
                let Some(spec) = &on.container else { continue };
                let digest = self.digest(&spec.image);
                let repository = spec.image.split(':').next().unwrap_or_default();
                let wanted = Desired {
                    image: PinnedImage {
                        reference: format!("{repository}@{digest}"),
                        digest,
                        id: None,
                    },
                    instances: on.instances,
                    secrets: self.values(spec.secrets.iter()),
                    unread: None,
                    stopped: None,
                    spec: spec.clone(),
                };
                desired
                    .entry(recipe.name.clone())
                    .or_default()
                    .insert(host.clone(), wanted);
            }
        }
        desired
    }

    /// What a release had.
    pub fn recorded(&self, to: u64) -> DesiredState {
        let mut desired = DesiredState::new();
        for host in self.environment.hosts.iter().map(|host| &host.name) {
            let history = self.history();
            let Some(record) = history.at(host, Number(to)) else {
                continue;
            };
            for (recipe, recorded) in &record.recipes {
                let name: Name = recipe.parse().expect("a name");
                let wanted = Desired {
                    spec: recorded.spec.clone(),
                    image: recorded.image.clone(),
                    instances: recorded.instances,
                    secrets: self.values(recorded.spec.secrets.iter()),
                    unread: None,
                    stopped: None,
                };
                desired
                    .entry(name)
                    .or_default()
                    .insert(host.clone(), wanted);
            }
        }
        desired
    }

    fn values<'a>(
        &self,
        names: impl Iterator<Item = &'a String>,
    ) -> BTreeMap<String, SecretString> {
        names
            .map(|name| (name.clone(), self.secrets[name].clone().into()))
            .collect()
    }

    fn digest(&self, image: &str) -> String {
        let tag = image.rsplit(':').next().unwrap_or_default();
        let digest = self.digests.get(image).map_or(tag, |digest| digest);
        format!("sha256:{}", digest.repeat(12))
    }

    fn history(&self) -> History {
        History::new(self.records.clone(), self.facts().newest_label())
    }

    fn facts(&self) -> Facts {
        let mut facts = self.docker.facts(&self.environment);
        for host in facts.hosts.values_mut() {
            host.taken_ports.extend(self.listening.clone());
        }
        for ((host, recipe, container), text) in &self.lists {
            let key = (recipe.clone(), container.clone());
            let host = facts.hosts.get_mut(host).expect("a host");
            host.lists.insert(key, text.clone());
        }
        facts
    }

    /// The plan to a state, with everything as it is now.
    pub fn plan_of(&self, desired: &DesiredState, prefer_kept: bool) -> Plan {
        let (facts, history) = (self.facts(), self.history());
        let release = history.next_number();
        plan::build(&Input {
            environment: &self.environment,
            facts: &facts,
            history: &history,
            desired,
            scope: &self.scope,
            named: &self.scope.recipes,
            release,
            prefer_kept,
            forced: self.forced,
            done_tasks: &self.done,
            new_key: &format!("key-of-{release}"),
        })
    }
}

fn write(files: &TempDir, name: &str, inventory: &str, recipes: &[(&str, &str)]) {
    let put = |path: String, content: &str| {
        std::fs::write(files.path().join(path), content).expect("a file");
    };
    put(
        format!("inventory/{name}.toml"),
        &format!("{inventory}\n[vars]\nversion = 1\n"),
    );
    for (recipe, content) in recipes {
        put(format!("recipes/{recipe}.toml"), content);
    }
    put("list".to_owned(), LIST);
}

fn read(files: &TempDir, name: &str, set: &BTreeMap<String, String>) -> Environment {
    let project = Project {
        root: files.path().to_owned(),
    };
    let overrides = Overrides {
        set: set.clone().into_iter().collect(),
        for_several: false,
    };
    load(&project, name, &overrides)
        .unwrap_or_else(|problems| panic!("{problems}"))
        .environment
}

/// The docker of every host.
#[derive(Debug, Clone, Default)]
pub struct Docker {
    hosts: BTreeMap<String, Vec<Fake>>,
    ids: u64,
}

/// A container.
#[derive(Debug, Clone)]
pub struct Fake {
    id: u64,
    /// Its name now.
    pub name: String,
    image: String,
    labels: BTreeMap<String, String>,
    /// `running`, `exited`, `restarting`.
    pub status: &'static str,
    /// What docker's healthcheck says, where it has one.
    pub health: Option<&'static str>,
    /// The ports that it publishes, as `docker ps` writes them.
    pub ports: &'static str,
    /// Whether Consul has it in a maintenance mode that a deploy left.
    pub in_maintenance: bool,
}

impl Fake {
    /// Whether docker says that it runs.
    pub fn runs(&self) -> bool {
        self.status != "exited"
    }

    fn identity(&self) -> Option<Identity> {
        Identity::from_labels(&self.labels)
    }

    /// Whose it is, if shipit made it.
    pub fn environment(&self) -> Option<&str> {
        self.labels.get(label::ENVIRONMENT).map(String::as_str)
    }

    fn port(&self) -> u16 {
        u16::try_from(32_000 + self.id).expect("a port")
    }

    fn inspected(&self) -> Value {
        json!({
            "Id": self.id.to_string(),
            "Name": format!("/{}", self.name),
            "Image": self.image,
            "State": {
                "Status": self.status,
                "Running": self.runs(),
                "Restarting": self.status == "restarting",
                "Health": self.health.map(|health| json!({ "Status": health, "FailingStreak": 3, "Log": [] })),
            },
            "Config": { "Image": self.image, "Labels": self.labels },
            "HostConfig": { "NetworkMode": "default" },
            "NetworkSettings": {
                "Ports": { "80/tcp": [{ "HostIp": "0.0.0.0", "HostPort": self.port().to_string() }] },
            },
        })
    }
}

impl Docker {
    /// The container of this name.
    pub fn container(&mut self, host: &str, name: &str) -> &mut Fake {
        self.find(host, name)
            .unwrap_or_else(|| panic!("`{host}` has no `{name}`"))
    }

    /// The containers of a host.
    pub fn containers(&mut self, host: &str) -> &mut Vec<Fake> {
        self.hosts.entry(host.into()).or_default()
    }

    /// A container that shipit did not make.
    pub fn add_foreign(&mut self, host: &str, name: &str) {
        self.add(host, name, "other", BTreeMap::new());
    }

    /// Whether there is a container of this name.
    pub fn has(&self, host: &str, name: &str) -> bool {
        let mut here = self.hosts.get(host).into_iter().flatten();
        here.any(|container| container.name == name)
    }

    /// Every container that is not of this environment: where, its name, whose, and its status.
    pub fn without(&self, environment: &str) -> Vec<String> {
        let on = |(host, here): (&String, &Vec<Fake>)| {
            let others = here
                .iter()
                .filter(|container| container.environment() != Some(environment));
            others
                .map(|it| format!("{host} {} {:?} {}", it.name, it.environment(), it.status))
                .collect::<Vec<_>>()
        };
        self.hosts.iter().flat_map(on).collect()
    }

    /// `docker ps --all`, as `NAME STATUS`.
    pub fn listed(&self, host: &str) -> String {
        let mut lines: Vec<_> = self
            .hosts
            .get(host)
            .into_iter()
            .flatten()
            .map(|container| format!("{} {}", container.name, container.status))
            .collect();
        lines.sort();
        lines.join("\n")
    }

    fn find(&mut self, host: &str, name: &str) -> Option<&mut Fake> {
        self.containers(host)
            .iter_mut()
            .find(|container| container.name == name)
    }

    fn add(&mut self, host: &str, name: &str, image: &str, labels: BTreeMap<String, String>) {
        self.ids += 1;
        let container = Fake {
            id: self.ids,
            name: name.into(),
            image: image.into(),
            labels,
            status: "running",
            health: None,
            ports: "",
            in_maintenance: false,
        };
        self.containers(host).push(container);
    }

    fn facts(&self, environment: &Environment) -> Facts {
        let hosts = environment.hosts.iter().map(|host| {
            let here = self.hosts.get(&*host.name).cloned().unwrap_or_default();
            let own = here.iter().filter(|container| {
                container
                    .labels
                    .get(label::ENVIRONMENT)
                    .is_some_and(|name| **name == *environment.name)
            });
            let inspected = own
                .clone()
                .map(Fake::inspected)
                .collect::<Value>()
                .to_string();
            let shared = here.iter().filter(|container| {
                let preview = environment.preview.as_ref();
                let identity = container.identity();
                preview.zip(identity).is_some_and(|(preview, identity)| {
                    let mut recipes = environment.shared.iter();
                    identity.environment == *preview.base
                        && recipes.any(|recipe| *recipe.name == *identity.recipe)
                })
            });
            let shared = shared.map(Fake::inspected).collect::<Value>().to_string();
            let names = here.iter().map(|container| {
                let environment = container.labels.get(label::ENVIRONMENT);
                format!(
                    "{} {} {}\n",
                    container.name,
                    environment.map_or("", |name| name),
                    if container.runs() {
                        container.ports
                    } else {
                        ""
                    },
                )
            });
            let listed = names.collect::<String>();
            let facts = HostFacts {
                shared: parse_containers(&shared).expect("docker's JSON"),
                containers: parse_containers(&inspected).expect("docker's JSON"),
                names: parse_names(&listed),
                taken_ports: parse_published(&listed),
                left_in_maintenance: own
                    .filter(|container| container.in_maintenance && container.runs())
                    .map(Fake::port)
                    .collect(),
                ..HostFacts::default()
            };
            (host.name.clone(), facts)
        });
        Facts {
            hosts: hosts.collect(),
        }
    }

    /// Does what a plan says, in the steps in which a rollout does it, and stops after `most` of them as if
    /// it were cut off.
    ///
    /// # Errors
    ///
    /// What docker would refuse.
    pub fn apply(&mut self, plan: &Plan, environment: &str, most: usize) -> Result<(), String> {
        let mut left = most;
        for recipe in &plan.recipes {
            for slot in recipe.changes() {
                let start_first = recipe.order == Order::StartFirst;
                for start in [start_first, !start_first] {
                    if left == 0 {
                        return Ok(());
                    }
                    left -= 1;
                    if start {
                        self.start(plan, environment, &recipe.recipe, slot)?;
                    } else {
                        self.stop(slot)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn start(
        &mut self,
        plan: &Plan,
        environment: &str,
        recipe: &str,
        slot: &SlotPlan,
    ) -> Result<(), String> {
        let Some(incoming) = &slot.incoming else {
            return Ok(());
        };
        let (host, name) = (&*slot.host, &incoming.name);
        if !incoming.exists {
            if slot.change == Change::Keep {
                return Err(format!("{} is kept and made", name.active));
            }
            self.free_name(host, &name.active)?;
            let identity = Identity {
                environment: environment.into(),
                preview_of: None,
                recipe: recipe.into(),
                release: plan.release.0,
                instance: slot.instance,
                spec: incoming.hash.clone(),
            };
            self.add(
                host,
                &name.active,
                &incoming.desired.image.reference,
                identity.labels(),
            );
            return Ok(());
        }
        if name.active != name.retired && self.find(host, &name.retired).is_some() {
            self.free_name(host, &name.active)?;
            self.rename(host, &name.retired, &name.active)?;
        }
        let container = self
            .find(host, &name.active)
            .ok_or_else(|| format!("no such container: {}", name.active))?;
        (container.status, container.in_maintenance) = ("running", false);
        Ok(())
    }

    fn stop(&mut self, slot: &SlotPlan) -> Result<(), String> {
        let host = &*slot.host;
        let running = slot
            .outgoing
            .iter()
            .filter(|_| slot.replaces_a_running_one());
        for name in running {
            let container = self
                .find(host, &name.active)
                .ok_or_else(|| format!("no such container: {}", name.active))?;
            container.status = "exited";
            if name.active != name.retired {
                self.rename(host, &name.active, &name.retired)?;
            }
        }
        Ok(())
    }

    /// As a slot of a rollout makes room.
    fn free_name(&mut self, host: &str, name: &str) -> Result<(), String> {
        let Some(there) = self.find(host, name) else {
            return Ok(());
        };
        let identity = there
            .identity()
            .ok_or_else(|| format!("{name} is foreign"))?;
        let unique = container_base_name(
            &identity.recipe,
            Order::StartFirst,
            identity.release,
            identity.instance,
        );
        let is_preview = identity.environment.contains('.');
        let own = own_name(&identity.environment, is_preview, &unique);
        if there.runs() || unique == name || own == name {
            return Err(format!("{name} is in the way"));
        }
        if is_preview || self.has(host, &unique) {
            return self.rename(host, name, &own);
        }
        self.rename(host, name, &unique)
    }

    fn rename(&mut self, host: &str, from: &str, to: &str) -> Result<(), String> {
        if self.find(host, to).is_some() {
            return Err(format!("{from} cannot be renamed: {to} is there"));
        }
        self.container(host, from).name = to.into();
        Ok(())
    }
}
