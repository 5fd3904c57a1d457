//! Image names: `busybox:1.36` is `docker.io/library/busybox:1.36`.
//!
//! Source: `distribution/reference` (`normalize.go`, `regexp.go`), and how the kubelet words a name it cannot read
//! (`pkg/util/parsers`, recorded in `image-pull-fail`).

/// A name in full.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reference {
    /// `docker.io/library/busybox`
    pub repository: String,
    /// `latest` if the name has neither tag nor digest.
    pub tag: Option<String>,
    /// `sha256:…`
    pub digest: Option<String>,
}

impl Reference {
    /// Reads a name.
    ///
    /// # Errors
    /// Why it is no name, as the kubelet's events say.
    pub fn parse(text: &str) -> Result<Reference, String> {
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest.to_owned())),
            None => (text, None),
        };
        let last_slash = rest.rfind('/').map_or(0, |at| at + 1);
        let (name, tag) = match rest[last_slash..].split_once(':') {
            Some((_, tag)) => (&rest[..rest.len() - tag.len() - 1], Some(tag.to_owned())),
            None => (rest, None),
        };
        let (domain, path) = split_domain(name);
        if path.chars().any(|c| c.is_ascii_uppercase()) {
            return Err(format!("invalid reference format: repository name ({path}) must be lowercase"));
        }
        let good_path = path.split('/').all(is_path_part);
        let good_tag = tag.as_deref().is_none_or(is_tag);
        let good_digest = digest.as_deref().is_none_or(is_digest);
        if !(good_path && good_tag && good_digest && is_domain(&domain)) {
            return Err("invalid reference format".into());
        }
        let tag = if tag.is_none() && digest.is_none() { Some("latest".into()) } else { tag };
        Ok(Reference { repository: format!("{domain}/{path}"), tag, digest })
    }

    /// `docker.io/library/busybox:1.36`
    pub fn full(&self) -> String {
        let mut text = self.repository.clone();
        if let Some(tag) = &self.tag {
            text = format!("{text}:{tag}");
        }
        if let Some(digest) = &self.digest {
            text = format!("{text}@{digest}");
        }
        text
    }

    /// The repository as people write it: without `docker.io/` and `library/`.
    pub fn familiar(&self) -> &str {
        let hub = self.repository.strip_prefix("docker.io/");
        hub.map_or(self.repository.as_str(), |path| path.strip_prefix("library/").unwrap_or(path))
    }
}

fn split_domain(name: &str) -> (String, String) {
    match name.split_once('/') {
        Some((first, rest)) if first.contains(['.', ':']) || first == "localhost" || first.to_lowercase() != first => {
            (first.to_owned(), rest.to_owned())
        }
        Some(_) => ("docker.io".into(), name.to_owned()),
        None => ("docker.io".into(), format!("library/{name}")),
    }
}

fn is_domain(domain: &str) -> bool {
    let (host, port) = domain.split_once(':').unwrap_or((domain, "0"));
    let label = |part: &str| {
        !part.is_empty()
            && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
            && !part.starts_with('-')
            && !part.ends_with('-')
    };
    host.split('.').all(label) && !port.is_empty() && port.chars().all(|c| c.is_ascii_digit())
}

/// Letters and digits, held together by `.`, `_`, `__` or dashes.
fn is_path_part(part: &str) -> bool {
    let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let ends_well = part.chars().next().is_some_and(word) && part.chars().last().is_some_and(word);
    let separators: Vec<&str> = part.split(word).filter(|s| !s.is_empty()).collect();
    ends_well && separators.iter().all(|s| matches!(*s, "." | "_" | "__") || s.chars().all(|c| c == '-'))
}

fn is_tag(tag: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    tag.len() <= 128 && tag.chars().next().is_some_and(word) && tag.chars().all(|c| word(c) || c == '.' || c == '-')
}

fn is_digest(digest: &str) -> bool {
    digest.split_once(':').is_some_and(|(kind, hex)| {
        !kind.is_empty() && hex.len() >= 32 && hex.chars().all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_full() {
        for (text, full) in [
            ("busybox", "docker.io/library/busybox:latest"),
            ("busybox:1.36", "docker.io/library/busybox:1.36"),
            ("willvelida/kuard", "docker.io/willvelida/kuard:latest"),
            ("gcr.io/kuar-demo/kuard-amd64:blue", "gcr.io/kuar-demo/kuard-amd64:blue"),
            ("localhost:5000/a", "localhost:5000/a:latest"),
        ] {
            assert_eq!(Reference::parse(text).unwrap().full(), full);
        }
        assert_eq!(Reference::parse("busybox:1.36").unwrap().familiar(), "busybox");
    }

    #[test]
    fn what_is_no_name_is_refused_in_the_same_words() {
        let lower = "invalid reference format: repository name (library/Busybox) must be lowercase";
        for (text, error) in [
            ("Busybox:1.36", lower),
            ("busybox:", "invalid reference format"),
            ("busy box", "invalid reference format"),
            ("a//b", "invalid reference format"),
            ("", "invalid reference format"),
        ] {
            assert_eq!(Reference::parse(text).unwrap_err(), error, "{text}");
        }
    }
}
