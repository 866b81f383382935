//! `extends`: a service that is made from another one.

use crate::{
    diagnostic::Problem,
    scaffold::yaml::{Map, Node, Value},
};

/// The longest chain of services that extend one another.
const LONGEST: usize = 20;

/// Services with what they extend put into them, as far as that is in the same file.
pub fn resolved(services: &Map) -> Result<Map, Problem> {
    let mut resolved = Map::default();
    for (key, node) in &services.0 {
        let node = match &node.value {
            Value::Map(map) => Node {
                value: Value::Map(extended(map, services, 0)?),
                place: node.place.clone(),
            },
            _ => node.clone(),
        };
        resolved.0.push((key.clone(), node));
    }
    Ok(resolved)
}

fn extended(service: &Map, services: &Map, depth: usize) -> Result<Map, Problem> {
    let mut service = service.clone();
    let Some(extends) = service.get("extends") else {
        return Ok(service);
    };
    let (name, file) = match &extends.value {
        Value::Map(map) => (map.get("service").and_then(Node::text), map.get("file")),
        _ => (extends.text(), None),
    };
    let base = name.and_then(|name| services.get(name)?.map());
    let (Some(base), None) = (base, file) else {
        // It stays, and is told with what has no counterpart.
        return Ok(service);
    };
    if depth >= LONGEST {
        let fact = "the services extend one another without end";
        return Err(Problem::error(fact).at(&extends.place, "this one, too"));
    }
    let mut whole = extended(base, services, depth + 1)?;
    // Those that are of one service alone.
    for key in ["depends_on", "links", "volumes_from"] {
        whole.take(key);
    }
    service.take("extends");
    for (key, node) in service.0 {
        match whole.0.iter_mut().find(|(known, _)| known.name == key.name) {
            Some((_, before)) => merge(before, node),
            None => whole.0.push((key, node)),
        }
    }
    Ok(whole)
}

/// Mappings get the other's keys, lists its items, and anything else gives way.
fn merge(before: &mut Node, after: Node) {
    match (&mut before.value, after.value) {
        (Value::Map(before), Value::Map(after)) => {
            for (key, node) in after.0 {
                match before
                    .0
                    .iter_mut()
                    .find(|(known, _)| known.name == key.name)
                {
                    Some((_, value)) => merge(value, node),
                    None => before.0.push((key, node)),
                }
            }
        }
        (Value::List(before), Value::List(after)) => {
            for node in after {
                let is_there = before.iter().any(|known| known.shown() == node.shown());
                if !is_there {
                    before.push(node);
                }
            }
        }
        (before, after) => *before = after,
    }
}
