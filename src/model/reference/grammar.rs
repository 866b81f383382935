//! What Docker's grammar allows in the parts of a reference.

/// The algorithms of digests that Docker knows, with their number of hexadecimal digits.
const DIGESTS: [(&str, usize); 3] = [("sha256", 64), ("sha384", 96), ("sha512", 128)];

/// The longest tag.
const LONGEST_TAG: usize = 128;

/// The longest path of a repository.
const LONGEST_PATH: usize = 255;

/// Whether a registry may have a repository of this path.
pub(super) fn check_repository(registry: &str, path: &str) -> Result<(), String> {
    if !is_host_and_port(registry) {
        return Err(format!("`{registry}` is not a registry"));
    }
    if path.contains(|c: char| c.is_ascii_uppercase()) {
        return Err(format!(
            "the name must be lowercase, `{}`",
            path.to_lowercase()
        ));
    }
    if let Some(wrong) = path.split('/').find(|part| !is_path_component(part)) {
        return Err(if wrong.is_empty() {
            "a part of its name is empty".to_owned()
        } else {
            format!("`{wrong}` is not a part of a name")
        });
    }
    if path.len() > LONGEST_PATH {
        return Err(format!("its name is longer than {LONGEST_PATH} characters"));
    }
    Ok(())
}

fn is_host_and_port(registry: &str) -> bool {
    let ipv6 = registry
        .strip_prefix('[')
        .and_then(|rest| rest.split_once(']'));
    let (is_host, port) = if let Some((ip, port)) = ipv6 {
        let is_ip = !ip.is_empty() && ip.chars().all(|c| c.is_ascii_hexdigit() || c == ':');
        (
            is_ip,
            port.strip_prefix(':')
                .or(Some(port).filter(|port| !port.is_empty())),
        )
    } else {
        let (host, port) = registry
            .split_once(':')
            .map_or((registry, None), |(host, port)| (host, Some(port)));
        let is_label = |label: &str| {
            !label.is_empty()
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        };
        (host.split('.').all(is_label), port)
    };
    let is_port = |port: &str| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
    is_host && port.is_none_or(is_port)
}

/// Lowercase words with one dot, one or two underscores, or any number of dashes between.
fn is_path_component(component: &str) -> bool {
    let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let is_separator =
        |text: &str| matches!(text, "." | "_" | "__") || text.bytes().all(|b| b == b'-');
    component.starts_with(is_word)
        && component.ends_with(is_word)
        && component
            .split(is_word)
            .all(|between| between.is_empty() || is_separator(between))
}

pub(super) fn check_tag(tag: &str) -> Result<(), String> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if tag.is_empty() {
        Err("its tag is empty".to_owned())
    } else if tag.len() > LONGEST_TAG {
        Err(format!("its tag is longer than {LONGEST_TAG} characters"))
    } else if !tag.starts_with(is_word) || !tag.chars().all(|c| is_word(c) || ".-".contains(c)) {
        Err(format!("`{tag}` is not a tag"))
    } else {
        Ok(())
    }
}

pub(super) fn check_digest(digest: &str) -> Result<(), String> {
    let known = digest.split_once(':').is_some_and(|(algorithm, digits)| {
        DIGESTS
            .iter()
            .any(|(name, length)| algorithm == *name && is_hexadecimal(digits, *length))
    });
    if known {
        Ok(())
    } else {
        Err(format!(
            "`{digest}` is not a digest, `sha256:` and 64 hexadecimal digits"
        ))
    }
}

pub(super) fn is_hexadecimal(text: &str, length: usize) -> bool {
    text.len() == length
        && text
            .bytes()
            .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}
