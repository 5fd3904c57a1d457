//! When an image is pulled if nothing is said. Source: `SetDefaults_Container` in `pkg/apis/core/v1/defaults.go`,
//! `pkg/util/parsers/parsers.go`, and the grammar of `distribution/reference`.

/// `Always` for the tag `latest`, written or implied; `IfNotPresent` for other tags, digests and names that are none.
pub(super) fn default_pull_policy(image: &str) -> &'static str {
    match tag(image) {
        Some("latest") => "Always",
        _ => "IfNotPresent",
    }
}

/// The tag of an image's name; `latest` if there is neither tag nor digest. None for names that do not parse, and for
/// those with a digest only.
fn tag(image: &str) -> Option<&str> {
    let (name, digest) = image.split_once('@').map_or((image, None), |(n, d)| (n, Some(d)));
    let last_slash = name.rfind('/').map_or(0, |i| i + 1);
    let (path, tag) = match name[last_slash..].split_once(':') {
        Some((last, tag)) => (&name[..last_slash + last.len()], Some(tag)),
        None => (name, None),
    };
    if !is_path(path) || !tag.is_none_or(is_tag) || digest.is_some_and(|d| !d.contains(':')) {
        return None;
    }
    match (tag, digest) {
        (None, None) => Some("latest"),
        (tag, _) => tag,
    }
}

/// A registry's host, if the first part looks like one, and lower-case path parts.
fn is_path(path: &str) -> bool {
    let mut parts: Vec<&str> = path.split('/').collect();
    let host_like = |p: &str| p.contains(['.', ':']) || p == "localhost" || p.chars().any(|c| c.is_ascii_uppercase());
    if parts.len() > 1 && host_like(parts[0]) {
        let host = parts.remove(0);
        if !host.chars().all(|c| c.is_ascii_alphanumeric() || ".-:[]".contains(c)) {
            return false;
        }
    }
    parts.iter().all(|part| {
        let inner = part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c));
        let edges = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
        inner && edges(part.chars().next()) && edges(part.chars().last())
    })
}

fn is_tag(tag: &str) -> bool {
    (1..=128).contains(&tag.len())
        && tag.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c))
        && !tag.starts_with(['.', '-'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies() {
        for (image, policy) in [
            ("busybox", "Always"),
            ("busybox:latest", "Always"),
            ("busybox:1.36", "IfNotPresent"),
            ("localhost:5000/busybox", "Always"),
            ("localhost:5000/busybox:2", "IfNotPresent"),
            ("gcr.io/kuar-demo/kuard-amd64:blue", "IfNotPresent"),
            ("busybox@sha256:abc", "IfNotPresent"),
            ("busybox:latest@sha256:abc", "Always"),
            (" busybox ", "IfNotPresent"),
            ("Busybox", "IfNotPresent"),
            ("", "IfNotPresent"),
        ] {
            assert_eq!(default_pull_policy(image), policy, "{image:?}");
        }
    }
}
