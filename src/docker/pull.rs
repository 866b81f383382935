//! What `docker pull` prints where it has no terminal: a line for each change of a layer, without sizes.

use std::collections::HashMap;

/// More layers than an image can have: overlay2 takes 128.
const MOST_LAYERS: usize = 1000;

/// The layers of an image that is being pulled.
#[derive(Debug, Default)]
pub struct PullProgress {
    /// Whether a layer is there, by its short id.
    layers: HashMap<String, bool>,
}

impl PullProgress {
    /// Reads a line such as `1f3e46996e29: Pull complete`. Says whether it was about a layer.
    pub fn read(&mut self, line: &str) -> bool {
        let Some((layer, state)) = line.split_once(": ") else {
            return false;
        };
        let is_id = layer.len() == 12 && layer.bytes().all(|byte| byte.is_ascii_hexdigit());
        let is_there = match state.trim_end() {
            "Pull complete" | "Already exists" => true,
            "Pulling fs layer" | "Waiting" | "Downloading" | "Verifying Checksum"
            | "Download complete" | "Extracting" => false,
            _ => return false,
        };
        if is_id && (self.layers.len() < MOST_LAYERS || self.layers.contains_key(layer)) {
            *self.layers.entry(layer.to_owned()).or_default() |= is_there;
        }
        is_id
    }

    /// How many layers are there, and how many there are in all as far as docker has named them.
    pub fn layers(&self) -> (u64, u64) {
        let there = self.layers.values().filter(|is_there| **is_there).count();
        (there as u64, self.layers.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_layer_counts_once_and_other_lines_are_none() {
        let mut progress = PullProgress::default();
        let printed = [
            ("1.27: Pulling from library/nginx", false, (0, 0)),
            ("1f3e46996e29: Already exists", true, (1, 1)),
            ("a5e8e22b5a2b: Pulling fs layer", true, (1, 2)),
            ("0b1c2d3e4f50: Pulling fs layer", true, (1, 3)),
            ("a5e8e22b5a2b: Verifying Checksum", true, (1, 3)),
            ("a5e8e22b5a2b: Download complete", true, (1, 3)),
            ("a5e8e22b5a2b: Pull complete", true, (2, 3)),
            ("a5e8e22b5a2b: Pull complete", true, (2, 3)),
            (
                "Digest: sha256:6784fb0834aa7dbbe12e3d7471e69c29",
                false,
                (2, 3),
            ),
            (
                "Status: Downloaded newer image for nginx:1.27",
                false,
                (2, 3),
            ),
            ("docker.io/library/nginx:1.27", false, (2, 3)),
            ("not-an-id-at: Pull complete", false, (2, 3)),
            ("", false, (2, 3)),
        ];
        for (line, is_layer, layers) in printed {
            assert_eq!(progress.read(line), is_layer, "{line}");
            assert_eq!(progress.layers(), layers, "{line}");
        }
    }

    #[test]
    fn a_host_that_names_layers_without_end_fills_no_memory() {
        let mut progress = PullProgress::default();
        for layer in 0..5000 {
            progress.read(&format!("{layer:012x}: Pulling fs layer"));
        }
        assert_eq!(progress.layers(), (0, 1000));
    }
}
