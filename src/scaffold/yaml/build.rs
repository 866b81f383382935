//! Puts a tree together from what a parser finds, within limits: an alias costs as much as what it stands for.

use std::collections::HashMap;

use super::node::{Key, Map, Node, Value};
use crate::diagnostic::{Place, Problem};

/// The deepest nesting. No file that people write comes near.
const DEEPEST: usize = 100;

/// The most bytes of text and nodes, with what aliases stand for.
const MOST: usize = 8 * 1024 * 1024;

/// What a node costs beside its text.
const OF_A_NODE: usize = 64;

/// The key whose mapping becomes a part of this one.
const MERGE: &str = "<<";

/// A tree that is being put together.
#[derive(Default)]
pub struct Builder {
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    spent: usize,
    root: Option<Node>,
}

/// A list or a mapping that has not ended.
struct Open {
    place: Place,
    anchor: usize,
    kind: Kind,
}

enum Kind {
    List(Vec<Node>),
    Map {
        map: Map,
        key: Option<Key>,
        merged: Vec<Node>,
    },
}

impl Builder {
    /// A text, or nothing.
    pub fn scalar(&mut self, value: Value, place: Place, anchor: usize) -> Result<(), Problem> {
        self.complete(Node { value, place }, anchor)
    }

    /// A list begins.
    pub fn list(&mut self, place: Place, anchor: usize) -> Result<(), Problem> {
        self.begin(place, anchor, Kind::List(Vec::new()))
    }

    /// A mapping begins.
    pub fn map(&mut self, place: Place, anchor: usize) -> Result<(), Problem> {
        let kind = Kind::Map {
            map: Map::default(),
            key: None,
            merged: Vec::new(),
        };
        self.begin(place, anchor, kind)
    }

    /// The list or the mapping that began last ends.
    pub fn end(&mut self) -> Result<(), Problem> {
        let Some(open) = self.open.pop() else {
            return Ok(());
        };
        let value = match open.kind {
            Kind::List(items) => Value::List(items),
            Kind::Map {
                mut map, merged, ..
            } => {
                for node in merged {
                    merge(&mut map, node)?;
                }
                Value::Map(map)
            }
        };
        let place = open.place;
        self.complete(Node { value, place }, open.anchor)
    }

    /// The node of an anchor, once more.
    pub fn alias(&mut self, anchor: usize, place: &Place) -> Result<(), Problem> {
        let Some(node) = self.anchors.get(&anchor) else {
            let fact = "the alias is a part of what it stands for";
            return Err(Problem::error(fact).at(place, "never ends"));
        };
        let node = node.clone();
        self.spend(weight(&node), place)?;
        self.complete(node, 0)
    }

    /// The whole.
    pub fn root(self) -> Option<Node> {
        self.root
    }

    fn begin(&mut self, place: Place, anchor: usize, kind: Kind) -> Result<(), Problem> {
        if self.open.len() >= DEEPEST {
            let fact = format!("more than {DEEPEST} lists and mappings within one another");
            return Err(Problem::error(fact).at(&place, "one more"));
        }
        if let Some(Open {
            kind: Kind::Map { key: None, .. },
            ..
        }) = self.open.last()
        {
            let fact = "a key that is a list or a mapping";
            return Err(Problem::error(fact).at(&place, "expected a text"));
        }
        self.open.push(Open {
            place,
            anchor,
            kind,
        });
        Ok(())
    }

    /// Puts a node where it belongs.
    fn complete(&mut self, node: Node, anchor: usize) -> Result<(), Problem> {
        self.spend(own_weight(&node), &node.place)?;
        if anchor != 0 {
            self.spend(weight(&node), &node.place)?;
            self.anchors.insert(anchor, node.clone());
        }
        let Some(open) = self.open.last_mut() else {
            self.root.get_or_insert(node);
            return Ok(());
        };
        match &mut open.kind {
            Kind::List(items) => items.push(node),
            Kind::Map { map, key, merged } => match key.take() {
                None => *key = Some(new_key(map, node)?),
                Some(of) if of.name == MERGE => merged.push(node),
                Some(of) => map.0.push((of, node)),
            },
        }
        Ok(())
    }

    fn spend(&mut self, weight: usize, place: &Place) -> Result<(), Problem> {
        self.spent = self.spent.saturating_add(weight);
        if self.spent <= MOST {
            return Ok(());
        }
        let fact = "the file stands for more than 8 MiB, with what its aliases stand for";
        Err(Problem::error(fact).at(place, "too much from here on"))
    }
}

/// A key that the mapping does not have yet.
fn new_key(map: &Map, node: Node) -> Result<Key, Problem> {
    let place = node.place;
    let name = match node.value {
        Value::Text(name) => name,
        Value::Null => "null".to_owned(),
        Value::List(_) | Value::Map(_) => {
            let fact = "a key that is a list or a mapping";
            return Err(Problem::error(fact).at(&place, "expected a text"));
        }
    };
    if let Some((first, _)) = map.0.iter().find(|(key, _)| key.name == name) {
        return Err(Problem::error(format!("the key `{name}` is there twice"))
            .at(&place, "again")
            .at(&first.place, "the first"));
    }
    Ok(Key { name, place })
}

/// Adds the keys of another mapping, or of several, that this one does not have.
fn merge(map: &mut Map, node: Node) -> Result<(), Problem> {
    match node.value {
        Value::Map(other) => {
            for (key, node) in other.0 {
                if map.get(&key.name).is_none() {
                    map.0.push((key, node));
                }
            }
            Ok(())
        }
        Value::List(nodes) => nodes.into_iter().try_for_each(|node| merge(map, node)),
        Value::Null | Value::Text(_) => {
            let fact = "`<<` wants a mapping, or a list of them";
            Err(Problem::error(fact).at(&node.place, "is neither"))
        }
    }
}

/// What a node costs without those in it.
fn own_weight(node: &Node) -> usize {
    match &node.value {
        Value::Text(text) => OF_A_NODE + text.len(),
        Value::Null | Value::List(_) | Value::Map(_) => OF_A_NODE,
    }
}

/// What a node costs with all that is in it.
fn weight(node: &Node) -> usize {
    let within: usize = match &node.value {
        Value::List(items) => items.iter().map(weight).sum(),
        Value::Map(map) => {
            let pairs = map.0.iter();
            pairs
                .map(|(key, node)| OF_A_NODE + key.name.len() + weight(node))
                .sum()
        }
        Value::Null | Value::Text(_) => 0,
    };
    own_weight(node) + within
}
