//! A destination's file over the main one: mappings key by key, anything else as a whole.

use crate::scaffold::yaml::{Map, Value};

/// The main file with a destination's over it.
pub fn over(base: &Map, above: &Map) -> Map {
    let mut merged = base.clone();
    for (key, node) in &above.0 {
        let before = merged
            .0
            .iter_mut()
            .find(|(known, _)| known.name == key.name);
        match before {
            None => merged.0.push((key.clone(), node.clone())),
            Some((_, before)) => match (&before.value, &node.value) {
                (Value::Map(one), Value::Map(other)) => before.value = Value::Map(over(one, other)),
                _ => *before = node.clone(),
            },
        }
    }
    merged
}
