//! Docker's habit of writing `null`.

use serde::{Deserialize, Deserializer};

/// Docker writes `null` where a list or map has nothing in it.
pub(super) fn null_is_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
