//! JSON that a host sent. Each value in it takes many times its size in memory: sixteen million bytes of `{},{},{}` would
//! take gigabytes.

use serde::de::{DeserializeOwned, Error};

/// How many values are read at most. A container has a few hundred.
const MOST: usize = 500_000;

/// What an object counts for: what is made of it has room for all its keys.
const OBJECT: usize = 4;

/// Reads JSON that a host sent, unless it has more values than anybody needs.
pub fn parse_json<T: DeserializeOwned>(json: &str) -> Result<T, serde_json::Error> {
    if weight(json) > MOST {
        return Err(Error::custom("it has more values than shipit reads"));
    }
    serde_json::from_str(json)
}

/// About how many values there are. Commas of texts count, too: it is no more than a limit.
fn weight(json: &str) -> usize {
    let bytes = json.bytes();
    bytes.fold(0, |weight, byte| match byte {
        b',' => weight + 1,
        b'{' => weight + OBJECT,
        _ => weight,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_fill_the_memory_is_not_read() {
        let read =
            |json: String| parse_json::<serde_json::Value>(&json).map_err(|it| it.to_string());
        let many = |value: &str, times| format!("[{}{value}]", format!("{value},").repeat(times));
        assert!(read(many("1", MOST - 1)).is_ok());
        for (value, times) in [("1", MOST + 1), ("{}", MOST / OBJECT)] {
            let error = read(many(value, times)).expect_err("too many");
            assert_eq!(error, "it has more values than shipit reads");
        }
    }
}
