//! Image references: `[REGISTRY[:PORT]/]NAME[:TAG][@DIGEST]`, as Docker reads them.

mod grammar;

use std::borrow::Cow;

use grammar::{check_digest, check_repository, check_tag, is_hexadecimal};

/// The registry of a reference that names none.
const DOCKER_HUB: &str = "docker.io";

/// What Docker's users may also call it.
const LEGACY_DOCKER_HUB: &str = "index.docker.io";

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
    /// Takes a reference apart that Docker said or took. A colon before the last slash belongs to the registry's
    /// port.
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

    /// The same for what somebody wrote.
    ///
    /// # Errors
    ///
    /// What Docker would refuse, in words that follow "is not an image".
    pub fn checked(text: &'a str) -> Result<Self, String> {
        if let Some((scheme, rest)) = text.split_once("://") {
            return Err(format!("leave out `{scheme}://`: `{rest}`"));
        }
        if is_hexadecimal(text, 64) {
            return Err("it is an image's id".to_owned());
        }
        let reference = Self::parse(text);
        if reference.repository.is_empty() {
            return Err("it has no name".to_owned());
        }
        let (registry, path) = split(reference.repository);
        check_repository(registry, &path)?;
        if let Some(tag) = reference.tag {
            check_tag(tag)?;
        }
        if let Some(digest) = reference.digest {
            check_digest(digest)?;
        }
        Ok(reference)
    }

    /// The registry that is asked for it.
    pub fn registry(&self) -> &'a str {
        split(self.repository).0
    }

    /// Whether both are of the same repository, however each is written: `nginx` is
    /// `docker.io/library/nginx`.
    pub fn is_of_same_repository(&self, other: &Reference<'_>) -> bool {
        split(self.repository) == split(other.repository)
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

/// The registry that a name stands for: Docker Hub has two.
pub fn registry_named(name: &str) -> &str {
    if name == LEGACY_DOCKER_HUB {
        DOCKER_HUB
    } else {
        name
    }
}

/// Divides a repository into its registry and its path there.
fn split(repository: &str) -> (&str, Cow<'_, str>) {
    let (registry, path) = match repository.split_once('/') {
        Some((first, path)) if is_registry(first) => (registry_named(first), path),
        _ => (DOCKER_HUB, repository),
    };
    if registry == DOCKER_HUB && !path.contains('/') {
        (registry, format!("library/{path}").into())
    } else {
        (registry, path.into())
    }
}

/// Whether what stands before the first slash is a registry. No name on Docker Hub has a dot, a colon or an
/// uppercase letter there.
fn is_registry(first: &str) -> bool {
    first == "localhost"
        || first.contains(['.', ':'])
        || first.contains(|c: char| c.is_ascii_uppercase())
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

    const ID: &str = "1a3f5e7d9c1b3a5f7e9d1c3b5a7f9e1d3c5b7a9f1e3d5d7c9b1a3f5e7d9c1b3a";

    /// The references that Docker's own tests read, with what they stand for.
    #[test]
    fn names_stand_for_what_docker_takes_them_for() {
        for (text, registry, path) in [
            ("debian", "docker.io", "library/debian"),
            ("debian:12", "docker.io", "library/debian"),
            ("library/debian", "docker.io", "library/debian"),
            ("docker/docker", "docker.io", "docker/docker"),
            ("docker.io/debian", "docker.io", "library/debian"),
            ("docker.io/library/debian", "docker.io", "library/debian"),
            ("docker.io/docker/docker", "docker.io", "docker/docker"),
            ("index.docker.io/debian", "docker.io", "library/debian"),
            (
                "index.docker.io/library/debian",
                "docker.io",
                "library/debian",
            ),
            (
                "index.docker.io/docker/docker",
                "docker.io",
                "docker/docker",
            ),
            ("127.0.0.1:5000/debian", "127.0.0.1:5000", "debian"),
            (
                "127.0.0.1:5000/library/debian:1",
                "127.0.0.1:5000",
                "library/debian",
            ),
            ("192.168.0.1", "docker.io", "library/192.168.0.1"),
            ("192.168.0.1:80", "docker.io", "library/192.168.0.1"),
            ("192.168.0.1:8/debian", "192.168.0.1:8", "debian"),
            ("192.168.1.1/repo", "192.168.1.1", "repo"),
            ("192.168.1.1:5000/repo:5050", "192.168.1.1:5000", "repo"),
            ("localhost/x", "localhost", "x"),
            ("localhost:5000", "docker.io", "library/localhost"),
            ("Docker/docker", "Docker", "docker"),
            ("DOCKER/docker", "DOCKER", "docker"),
            ("[2001:db8::1]/repo", "[2001:db8::1]", "repo"),
            ("[2001:db8::1]:5000/repo:tag", "[2001:db8::1]:5000", "repo"),
            ("foo_bar.com:8080", "docker.io", "library/foo_bar.com"),
            ("foo/foo_bar.com:8080", "docker.io", "foo/foo_bar.com"),
            ("lowercase:Uppercase", "docker.io", "library/lowercase"),
            (
                "b.gcr.io/test.example.com/my-app:test.example.com",
                "b.gcr.io",
                "test.example.com/my-app",
            ),
            ("xn--n3h.com/myimage:xn--n3h.com", "xn--n3h.com", "myimage"),
            ("a__b/c---d.e_f", "docker.io", "a__b/c---d.e_f"),
        ] {
            let reference = Reference::checked(text).unwrap_or_else(|why| panic!("{text}: {why}"));
            let (found, rest) = split(reference.repository);
            assert_eq!((found, &*rest), (registry, path), "{text}");
        }
        let digests = [
            format!("debian@sha256:{ID}"),
            format!("debian:12@sha256:{ID}"),
            format!("xn--7o8h.com/myimage:xn--7o8h.com@sha512:{ID}{ID}"),
            format!("docker.io/{ID}"),
            format!("a:{}", "t".repeat(128)),
            format!("{}a:tag-puts-this-over-max", "a/".repeat(127)),
        ];
        for text in digests {
            assert!(Reference::checked(&text).is_ok(), "{text}");
        }
    }

    #[test]
    fn what_docker_refuses_is_no_reference() {
        for text in [
            "",
            "app:",
            ":tag",
            "@sha256:ab",
            "app@",
            "app:1@",
            "app@sha256:ab",
            "app:ta g",
            "app:-tag",
            "app:.tag",
            "-app",
            "app-",
            "app/",
            "/app",
            "a b",
            "a..b",
            "a___b",
            "a._b",
            "https://github.com/docker/docker",
            "docker/Docker",
            "Uppercase:tag",
            "test:5000/Uppercase/lowercase:tag",
            "-docker/docker",
            "-docker.io/docker/docker",
            "docker///docker",
            "docker.io/docker/Docker",
            "docker.io/docker///docker",
            "aa/asdf$$^/aa",
            ":5000/repo:tag",
            "registry:/repo",
            "registry:port/repo",
            "[2001:db8::1]",
            "[2001:db8::1]:5000",
            "[fe80::1%eth0]:5000/debian",
            "[2001:db8:3:4::192.0.2.33]:5000/debian",
            "fc00::1:5000/debian",
            "café",
            ID,
        ] {
            assert!(Reference::checked(text).is_err(), "{text}");
        }
        for text in [
            format!("app@sha256:{}", ID.to_uppercase()),
            format!("app@md5:{ID}"),
            format!("app@sha512:{ID}"),
            format!("app@sha256:{ID}@sha256:{ID}"),
            format!("app:{}", "t".repeat(129)),
            format!("{}a:tag", "a/".repeat(128)),
        ] {
            assert!(Reference::checked(&text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_repository_is_the_same_however_it_is_written() {
        let same = |one: &str, other: &str| {
            Reference::parse(one).is_of_same_repository(&Reference::parse(other))
        };
        for written in [
            "nginx:1.27",
            "library/nginx",
            "docker.io/nginx",
            "index.docker.io/library/nginx:1",
        ] {
            assert!(same(written, "nginx@sha256:ab"), "{written}");
        }
        for written in [
            "team/nginx",
            "localhost/nginx",
            "10.88.1.110:5000/library/nginx",
            "nginx/nginx",
        ] {
            assert!(!same(written, "nginx@sha256:ab"), "{written}");
        }
    }
}
