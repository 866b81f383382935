//! Another tool's file: which tool's, and the project that it becomes.

use std::path::Path;

use super::{
    compose,
    convert::{settle, unwritten},
    fresh::Host,
    kamal::{self, Destination},
    project::Draft,
    yaml::{Map, Node, Value, parse},
};
use crate::{
    diagnostic::{Problem, Problems, SourceFile},
    model::Name,
};

/// Another tool's file, read.
#[derive(Debug)]
pub enum Foreign {
    /// Docker Compose's. It names no hosts.
    Compose(Map),
    /// Kamal's.
    Kamal(Map),
}

/// What the file does not say.
pub struct Beside<'a> {
    /// The environment of a file that names none.
    pub environment: &'a Name,
    /// The folder that a Compose file is in, which its project is called after.
    pub folder: &'a str,
    /// The hosts, for a file that names none.
    pub hosts: &'a [Host],
    /// The account, for a file that names none.
    pub user: &'a str,
    /// The destinations' files of Kamal.
    pub destinations: &'a [(Name, SourceFile)],
    /// The project's folder.
    pub root: &'a Path,
}

impl Foreign {
    /// Reads a file.
    ///
    /// # Errors
    ///
    /// What is neither tool's, with its place.
    pub fn read(file: &SourceFile) -> Result<Self, Problem> {
        let map = mapping(file)?;
        if map.get("services").is_some() {
            return Ok(Self::Compose(map));
        }
        if map.get("service").is_some() && map.get("image").is_some() {
            return Ok(Self::Kamal(map));
        }
        let fact = "neither a Compose file nor a configuration of Kamal's";
        Err(Problem::error(fact)
            .at(
                &file.place(0..0),
                "has neither `services` nor `service` and `image`",
            )
            .hint("`docker compose config` prints a Compose file with all that it includes"))
    }

    /// The project: what has no counterpart, and what shipit would refuse, is a comment in it.
    ///
    /// # Errors
    ///
    /// What is no file of that tool's, or what no comment mends.
    pub fn draft(self, beside: &Beside<'_>) -> Result<Draft, Problems> {
        let (Self::Compose(read) | Self::Kamal(read)) = &self;
        let read = read.0.first().map(|(key, _)| key.place.file.name());
        let read = format!("`{}`", read.unwrap_or_default());
        let mut draft = match self {
            Self::Compose(map) => compose::convert(
                map,
                beside.folder,
                beside.environment,
                beside.hosts,
                beside.user,
            )?,
            Self::Kamal(map) => {
                let read = |(name, file): &(Name, SourceFile)| {
                    Ok(Destination {
                        name: name.clone(),
                        file: mapping(file)?,
                    })
                };
                let destinations = beside.destinations.iter().map(read);
                let destinations = destinations.collect::<Result<_, Problem>>()?;
                kamal::convert(map, destinations, beside.environment)?
            }
        };
        match settle(&mut draft, beside.root) {
            Ok(()) => Ok(draft),
            Err(problems) => Err(unwritten(&problems, &draft, &read)),
        }
    }
}

/// The mapping that a file is.
fn mapping(file: &SourceFile) -> Result<Map, Problem> {
    let node = parse(file).map_err(|problem| {
        let has_ruby = file.text().contains("<%");
        problem.maybe_hint(has_ruby.then(|| {
            "lines of Ruby (`<% … %>`) are not run; `erb config/deploy.yml` prints the file as it is with them"
                .to_owned()
        }))
    })?;
    match node {
        Some(Node {
            value: Value::Map(map),
            ..
        }) => Ok(map),
        Some(node) => Err(Problem::error("the file is no mapping")
            .at(&node.place, "expected `services:` or `service:`")),
        None => Err(Problem::error("the file is empty").at(&file.place(0..0), "nothing in it")),
    }
}
