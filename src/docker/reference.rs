//! Image references: `[REGISTRY[:PORT]/]NAME[:TAG][@DIGEST]`.

/// A parsed reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reference<'a> {
    /// Registry and name.
    pub repository: &'a str,
    /// The tag.
    pub tag: Option<&'a str>,
    /// The digest, `sha256:…`.
    pub digest: Option<&'a str>,
}

impl<'a> Reference<'a> {
    /// Parses a reference. A colon before the last slash belongs to the registry's port.
    pub fn parse(text: &'a str) -> Self {
        let (named, digest) = match text.split_once('@') {
            Some((named, digest)) => (named, Some(digest)),
            None => (text, None),
        };
        let name_starts = named.rfind('/').map_or(0, |slash| slash + 1);
        match named[name_starts..].rfind(':') {
            Some(colon) => Self {
                repository: &named[..name_starts + colon],
                tag: Some(&named[name_starts + colon + 1..]),
                digest,
            },
            None => Self {
                repository: named,
                tag: None,
                digest,
            },
        }
    }

    /// The repository at a digest: every host that runs it runs the same bytes.
    pub fn at_digest(&self, digest: &str) -> String {
        format!("{}@{digest}", self.repository)
    }

    /// The tag under which hosts keep an image of the deployer's own Docker. It names the image's id, so it
    /// never moves, and it keeps `docker image prune` from removing what a rollback needs.
    pub fn local_tag(&self, image_id: &str) -> String {
        let id: String = image_id
            .trim_start_matches("sha256:")
            .chars()
            .take(12)
            .collect();
        format!("{}:shipit-{id}", self.repository)
    }

    /// The tag that stands in for a reference by digest on a host that got the image from elsewhere than its
    /// registry; none for other references.
    pub fn stand_in(&self) -> Option<String> {
        self.digest.map(|digest| self.local_tag(digest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_taken_apart() {
        let cases = [
            ("web", "web", None, None),
            ("web:1", "web", Some("1"), None),
            (
                "localhost:5000/team/web",
                "localhost:5000/team/web",
                None,
                None,
            ),
            (
                "localhost:5000/web:1@sha256:ab",
                "localhost:5000/web",
                Some("1"),
                Some("sha256:ab"),
            ),
            ("web@sha256:ab", "web", None, Some("sha256:ab")),
        ];
        for (text, repository, tag, digest) in cases {
            assert_eq!(
                Reference::parse(text),
                Reference {
                    repository,
                    tag,
                    digest
                }
            );
        }
        assert_eq!(
            Reference::parse("a:5/web:1").at_digest("sha256:ab"),
            "a:5/web@sha256:ab"
        );
        assert_eq!(
            Reference::parse("web:1").local_tag("sha256:0123456789abcdef"),
            "web:shipit-0123456789ab"
        );
        assert_eq!(
            Reference::parse("a:5/web:1@sha256:0123456789abcdef")
                .stand_in()
                .as_deref(),
            Some("a:5/web:shipit-0123456789ab")
        );
        assert_eq!(Reference::parse("a:5/web:1").stand_in(), None);
    }
}
