//! The list of backends that is written for a balancer.

use serde_json::{Map, Value, json};

use super::{HostAndPort, HostName, Name, Percentage, Template, TemplateError};

/// The file that is written for a balancer on one host.
#[derive(Debug, Clone)]
pub struct BackendsFile {
    /// What goes into it. It can name `backends` and `draining`, each by recipe.
    pub template: Template,
    /// The template's file, as the recipe has it.
    pub from: String,
    /// The file's absolute path.
    pub to: String,
    /// Must exit 0 before the file takes effect.
    pub check: Option<Template>,
    /// Makes the balancer read the file.
    pub reload: Template,
    /// Whether the file and both commands are on the host; else they are in the balancer's container.
    pub on_host: bool,
    /// The recipes that drain through this balancer.
    pub recipes: Vec<Name>,
}

/// The commands that tell a balancer of one backend.
#[derive(Debug, Clone)]
pub struct BackendCommands {
    /// Tells it of one that is ready.
    pub add: Template,
    /// Makes it send no further request; `None` where `remove` does that.
    pub drain: Option<Template>,
    /// Takes one away.
    pub remove: Template,
    /// Gives one its weight; `None` where canaries get no smaller one.
    pub weight: Option<Template>,
    /// Whether they run on the deployer's machine, and not on the balancer's host.
    pub local: bool,
    /// The recipes that drain through this balancer.
    pub recipes: Vec<Name>,
}

/// A container that a balancer may route to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedBackend {
    /// Its recipe.
    pub recipe: Name,
    /// The host that it runs on.
    pub host: HostName,
    /// The host's address.
    pub address: String,
    /// The container's name.
    pub container: String,
    /// The TCP port of its host under which it is reached; `None` before docker has made it.
    pub port: Option<u16>,
    /// All its TCP ports: in the container, and on the host.
    pub ports: Vec<(u16, u16)>,
    /// Its part of the requests beside those of the others: 1 to [`EQUAL_WEIGHT`].
    pub weight: u8,
}

/// The weight of every container but a canary.
pub const EQUAL_WEIGHT: u8 = 100;

/// The weight with which so many canaries get `share` of the requests together, beside so many others. Never more than
/// the others have, and at least 1.
pub fn canary_weight(share: Percentage, canaries: usize, others: usize) -> u8 {
    let is_too_much = |weight: &u8| {
        let (part, whole) = parts(*weight, canaries, others);
        share.is_exceeded_by(part, whole)
    };
    let mut weights = (1..=EQUAL_WEIGHT).rev();
    if canaries == 0 || others == 0 {
        return EQUAL_WEIGHT;
    }
    weights.find(|weight| !is_too_much(weight)).unwrap_or(1)
}

/// The share of the requests that canaries get together with this weight, as people read it: `4.8%`.
pub fn canary_share(weight: u8, canaries: usize, others: usize) -> String {
    let (part, whole) = parts(weight, canaries, others);
    let per_mille = part.saturating_mul(1000) / whole.max(1);
    let (percent, tenths) = (per_mille / 10, per_mille % 10);
    match tenths {
        0 => format!("{percent}%"),
        _ => format!("{percent}.{tenths}%"),
    }
}

/// The weights of the canaries, and of all.
fn parts(weight: u8, canaries: usize, others: usize) -> (u64, u64) {
    let part = canaries as u64 * u64::from(weight);
    (part, part + others as u64 * u64::from(EQUAL_WEIGHT))
}

/// What stands for a port that is not known yet.
const UNKNOWN: &str = "(new port)";

impl ListedBackend {
    /// A stand-in, to try a template before a deploy.
    pub fn dummy(recipe: &Name) -> Self {
        Self {
            recipe: recipe.clone(),
            host: "host".into(),
            address: "192.0.2.1".to_owned(),
            container: format!("{recipe}-r1"),
            port: Some(20000),
            ports: vec![(80, 20000)],
            weight: EQUAL_WEIGHT,
        }
    }

    /// Whether it is this container, whatever its ports.
    pub fn is(&self, other: &Self) -> bool {
        self.host == other.host && self.container == other.container
    }

    /// `ADDRESS:PORT`.
    pub fn endpoint(&self) -> String {
        match self.port {
            Some(port) => HostAndPort::new(&self.address, port).to_string(),
            None => format!("{}:{UNKNOWN}", self.address),
        }
    }

    /// Whether a text has its address and its port, together or apart.
    fn is_in(&self, text: &str) -> bool {
        let has = |part: &str| text.contains(part);
        has(&self.address) && self.port.is_none_or(|port| has(&port.to_string()))
    }

    /// As templates see it.
    pub fn value(&self, state: &str) -> Value {
        let port = match self.port {
            Some(port) => json!(port),
            None => json!(UNKNOWN),
        };
        let ports = self.ports.iter();
        let ports = ports.map(|(inside, outside)| (inside.to_string(), json!(outside)));
        json!({
            "name": self.container,
            "host": self.host,
            "address": self.address,
            "port": port,
            "endpoint": self.endpoint(),
            "ports": ports.collect::<Map<_, _>>(),
            "state": state,
            "weight": self.weight,
        })
    }
}

/// Why there is no list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ListError {
    /// The template cannot be filled in.
    #[error("cannot fill in `{0}`: {1}")]
    Template(String, TemplateError),
    /// It names none of the containers that requests are to go to.
    #[error("`{0}` lists no backend, and there are some: {1}")]
    Empty(String, String),
}

impl BackendsFile {
    /// The file's text, with the containers that requests may go to, and those that finish what they have.
    ///
    /// # Errors
    ///
    /// When the template fails, or lists none of several backends.
    pub fn render(
        &self,
        active: &[ListedBackend],
        draining: &[ListedBackend],
    ) -> Result<String, ListError> {
        let template = self
            .template
            .with("backends", self.by_recipe(active, "active"));
        let template = template.with("draining", self.by_recipe(draining, "draining"));
        let fail = |error| ListError::Template(self.from.clone(), error);
        let text = template.fill().map_err(fail)?;
        let own = || {
            active
                .iter()
                .filter(|one| self.recipes.contains(&one.recipe))
        };
        if own().next().is_some() && !own().any(|one| one.is_in(&text)) {
            let all: Vec<_> = own().map(ListedBackend::endpoint).collect();
            return Err(ListError::Empty(self.from.clone(), all.join(", ")));
        }
        Ok(text)
    }

    /// The containers by recipe, also of recipes that have none.
    pub(super) fn by_recipe(&self, all: &[ListedBackend], state: &str) -> Value {
        by_recipe(&self.recipes, all, state)
    }
}

/// The containers of each recipe as templates see them.
pub(super) fn by_recipe(recipes: &[Name], all: &[ListedBackend], state: &str) -> Value {
    let of = |recipe: &Name| -> Value {
        let mut own: Vec<_> = all.iter().filter(|one| one.recipe == *recipe).collect();
        own.sort_by(|one, other| (&one.host, &one.container).cmp(&(&other.host, &other.container)));
        own.into_iter().map(|one| one.value(state)).collect()
    };
    let entries = recipes
        .iter()
        .map(|recipe| (recipe.to_string(), of(recipe)));
    Value::Object(entries.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(source: &str) -> BackendsFile {
        let template = |source: &str| Template {
            source: source.to_owned(),
            context: std::sync::Arc::new(json!({})),
        };
        BackendsFile {
            template: template(source),
            from: "files/list".into(),
            to: "/list".into(),
            check: None,
            reload: template("true"),
            on_host: false,
            recipes: vec![
                "web".parse().expect("a name"),
                "api".parse().expect("a name"),
            ],
        }
    }

    fn backend(recipe: &str, host: &str, address: &str, port: Option<u16>) -> ListedBackend {
        ListedBackend {
            recipe: recipe.parse().expect("a name"),
            host: host.into(),
            address: address.into(),
            container: format!("{recipe}-r1"),
            port,
            ports: port.map(|port| (80, port)).into_iter().collect(),
            weight: EQUAL_WEIGHT,
        }
    }

    #[test]
    fn a_list_has_the_backends_of_each_recipe_in_a_fixed_order() {
        let source = "{{#each backends}}{{@key}}\\n{{#each this}}  {{endpoint}} {{name}} {{host}} {{state}}\\n{{else}}  none\\n{{/each}}{{/each}}"
            .replace("\\n", "\n");
        let file = file(&source);
        let all = [
            backend("web", "host-2", "10.0.0.2", Some(20001)),
            backend("web", "host-1", "fd88::1", Some(20000)),
            backend("other", "host-1", "10.0.0.1", Some(1)),
        ];
        let text = file.render(&all, &[]).expect("a list");
        assert_eq!(
            text,
            "web\n  [fd88::1]:20000 web-r1 host-1 active\n  10.0.0.2:20001 web-r1 host-2 active\napi\n  none\n"
        );
        let planned = [backend("web", "host-1", "10.0.0.1", None)];
        let text = file.render(&planned, &[]).expect("a list");
        assert!(text.contains("  10.0.0.1:(new port) web-r1"), "{text}");
    }

    #[test]
    fn a_canary_gets_no_more_than_its_share() {
        // The share in hundredths of a percent, the canaries, the others; the weight, and what it comes to.
        let table = [
            (500, 1, 1, 5, "4.7%"),
            (500, 1, 9, 47, "4.9%"),
            (2_000, 1, 1, 25, "20%"),
            (5_000, 1, 1, 100, "50%"),
            (9_000, 1, 1, 100, "50%"),
            (1_000, 1, 9, 100, "10%"),
            (1_000, 2, 8, 44, "9.9%"),
            (1, 1, 1, 1, "0.9%"),
            (0, 1, 1, 1, "0.9%"),
            (500, 2, 0, 100, "100%"),
            (500, 0, 2, 100, "0%"),
        ];
        for (share, canaries, others, weight, comes_to) in table {
            let found = canary_weight(Percentage::of_hundredths(share), canaries, others);
            let shown = canary_share(found, canaries, others);
            assert_eq!(
                (found, &*shown),
                (weight, comes_to),
                "{share} {canaries} {others}"
            );
        }
    }

    #[test]
    fn a_template_that_lists_no_backend_while_there_are_some_is_an_error() {
        let file = file("upstream web { }\n{{#each draining.web}}{{endpoint}}{{/each}}");
        let one = [backend("web", "host-1", "10.0.0.1", Some(20000))];
        let error = file.render(&one, &[]).expect_err("nothing is listed");
        assert_eq!(
            error.to_string(),
            "`files/list` lists no backend, and there are some: 10.0.0.1:20000"
        );
        file.render(&[], &[]).expect("there is none to list");
    }
}
