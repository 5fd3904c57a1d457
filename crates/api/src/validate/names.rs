//! What a name may look like: DNS labels and subdomains, label keys and values, ports, keys of ConfigMaps.
//!
//! Rule: each check gives the messages of `apimachinery/pkg/api/validate/content` and
//! `apimachinery/pkg/util/validation/validation.go`, none if the text is good. The patterns are told in the messages and
//! walked by hand here.

const LABEL: &str = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const SUBDOMAIN: &str = "[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*";
const KEY_NAME: &str = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
const KEY_WORDS: &str =
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";

/// A check of a name.
pub type NameCheck = fn(&str) -> Vec<String>;

/// The words of names, ports and keys of ConfigMaps.
fn too_long(max: usize) -> String {
    format!("must be no more than {max} characters")
}

/// The words of labels.
fn too_many_bytes(max: usize) -> String {
    format!("must be no more than {max} bytes")
}

/// A message with examples and the pattern, with Go's two blanks before each `or`.
fn pattern(message: &str, regex: &str, examples: &[&str]) -> String {
    if examples.is_empty() {
        return format!("{message} (regex used for validation is '{regex}')");
    }
    let examples: Vec<String> = examples.iter().map(|example| format!("'{example}', ")).collect();
    format!("{message} (e.g. {}regex used for validation is '{regex}')", examples.join(" or "))
}

fn is_lower(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit()
}

/// Begins and ends with `edge`, and has only `edge` and `inner` between.
fn framed(text: &str, edge: fn(u8) -> bool, inner: fn(u8) -> bool) -> bool {
    match text.as_bytes() {
        [] => false,
        [one] => edge(*one),
        [first, middle @ .., last] => edge(*first) && edge(*last) && middle.iter().all(|b| edge(*b) || inner(*b)),
    }
}

fn label_fits(text: &str) -> bool {
    framed(text, is_lower, |b| b == b'-')
}

fn subdomain_fits(text: &str) -> bool {
    text.split('.').all(label_fits)
}

/// RFC 1123 label: names of containers, namespaces, volumes.
pub fn dns_label(text: &str) -> Vec<String> {
    let mut messages = Vec::new();
    if text.len() > 63 {
        messages.push(too_long(63));
    }
    if !label_fits(text) {
        messages.push(if subdomain_fits(text) {
            "must not contain dots".to_owned()
        } else {
            let words = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must \
                         start and end with an alphanumeric character";
            pattern(words, LABEL, &["my-name", "123-abc"])
        });
    }
    messages
}

/// RFC 1123 subdomain: most names of objects.
pub fn dns_subdomain(text: &str) -> Vec<String> {
    let mut messages = Vec::new();
    if text.len() > 253 {
        messages.push(too_long(253));
    }
    if !subdomain_fits(text) {
        let words = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and \
                     must start and end with an alphanumeric character";
        messages.push(pattern(words, SUBDOMAIN, &["example.com"]));
    }
    messages
}

/// RFC 1035 label: names of Services.
pub fn dns_1035_label(text: &str) -> Vec<String> {
    let mut messages = Vec::new();
    if text.len() > 63 {
        messages.push(too_long(63));
    }
    if !label_fits(text) || !text.starts_with(|c: char| c.is_ascii_lowercase()) {
        let words = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an \
                     alphabetic character, and end with an alphanumeric character";
        messages.push(pattern(words, "[a-z]([-a-z0-9]*[a-z0-9])?", &["my-name", "abc-123"]));
    }
    messages
}

/// The key of a label or annotation: a name with an optional subdomain and `/` before it.
pub fn qualified_name(text: &str) -> Vec<String> {
    let mut messages = Vec::new();
    let name = match text.split_once('/') {
        None => text,
        Some((_, rest)) if rest.contains('/') => {
            let words = format!("a valid label key {KEY_WORDS}");
            let message = pattern(&words, KEY_NAME, &["MyName", "my.name", "123-abc"]);
            return vec![format!(
                "{message} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
            )];
        }
        Some(("", name)) => {
            messages.push("prefix part must be non-empty".to_owned());
            name
        }
        Some((prefix, name)) => {
            let said = dns_subdomain(prefix).into_iter().map(|message| message.replace("253 characters", "253 bytes"));
            messages.extend(said.map(|message| format!("prefix part {message}")));
            name
        }
    };
    if name.is_empty() {
        messages.push("name part must be non-empty".to_owned());
    } else if name.len() > 63 {
        messages.push(format!("name part {}", too_many_bytes(63)));
    }
    if !key_fits(name) {
        messages.push(format!("name part {}", pattern(KEY_WORDS, KEY_NAME, &["MyName", "my.name", "123-abc"])));
    }
    messages
}

fn key_fits(name: &str) -> bool {
    framed(name, |b| b.is_ascii_alphanumeric(), |b| matches!(b, b'-' | b'_' | b'.'))
}

pub fn label_value(text: &str) -> Vec<String> {
    let mut messages = Vec::new();
    if text.len() > 63 {
        messages.push(too_many_bytes(63));
    }
    if !text.is_empty() && !key_fits(text) {
        let words = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and \
                     must start and end with an alphanumeric character";
        let regex = format!("({KEY_NAME})?");
        messages.push(pattern(words, &regex, &["MyValue", "my_value", "12345"]));
    }
    messages
}

/// A key of a ConfigMap or Secret.
pub fn config_key(text: &str) -> Vec<String> {
    let mut messages = Vec::new();
    if text.len() > 253 {
        messages.push(too_long(253));
    }
    let fits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
    if !fits {
        let words = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'";
        messages.push(pattern(words, "[-._a-zA-Z0-9]+", &["key.name", "KEY_NAME", "key-name"]));
    }
    if text == "." {
        messages.push("must not be '.'".to_owned());
    } else if text == ".." {
        messages.push("must not be '..'".to_owned());
    } else if text.starts_with("..") {
        messages.push("must not start with '..'".to_owned());
    }
    messages
}

/// The relaxed rule for names of environment variables.
pub fn env_name(text: &str) -> Vec<String> {
    let fits = !text.is_empty() && text.bytes().all(|b| (b' '..=b'~').contains(&b) && b != b'=');
    if fits {
        return Vec::new();
    }
    vec!["a valid environment variable name must consist only of printable ASCII characters other than '='".to_owned()]
}

pub fn port_number(port: i64) -> Vec<String> {
    if (1..=65535).contains(&port) { Vec::new() } else { vec![super::field::range(1, 65535)] }
}

/// The name of a port.
pub fn port_name(text: &str) -> Vec<String> {
    let mut messages = Vec::new();
    if text.len() > 15 {
        messages.push(too_long(15));
    }
    if !text.bytes().all(|b| is_lower(b) || b == b'-') || text.is_empty() {
        messages.push("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)".to_owned());
    }
    if !text.bytes().any(|b| b.is_ascii_lowercase()) {
        messages.push("must contain at least one letter (a-z)".to_owned());
    }
    if text.contains("--") {
        messages.push("must not contain consecutive hyphens".to_owned());
    }
    if text.starts_with('-') || text.ends_with('-') {
        messages.push("must not begin or end with a hyphen".to_owned());
    }
    messages
}

pub fn http_header_name(text: &str) -> Vec<String> {
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
        return Vec::new();
    }
    let words = "a valid HTTP header must consist of alphanumeric characters or '-'";
    vec![pattern(words, "[-A-Za-z0-9]+", &["X-Header-Name"])]
}

/// `25%`
pub fn percent(text: &str) -> Vec<String> {
    let number = text.strip_suffix('%').unwrap_or("");
    if !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) {
        return Vec::new();
    }
    let words = "a valid percent string must be a numeric string followed by an ending '%'";
    vec![pattern(words, "[0-9]+%", &["1%", "93%"])]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_names_have_no_messages() {
        let good: [(NameCheck, &[&str]); 9] = [
            (dns_label, &["a", "my-name", "123-abc"]),
            (dns_subdomain, &["a.b", "x-1.y-2", "0"]),
            (dns_1035_label, &["a1", "my-name"]),
            (qualified_name, &["app", "batch.kubernetes.io/job-name", "A_b.c-d"]),
            (label_value, &["", "a", "MyValue_1.2"]),
            (config_key, &["a", ".a", "app.conf"]),
            (env_name, &["A", "a b", "x.y-z"]),
            (port_name, &["http", "p-1"]),
            (percent, &["0%", "93%"]),
        ];
        for (check, texts) in good {
            for text in texts {
                assert_eq!(check(text), [""; 0], "{text}");
            }
        }
    }

    #[test]
    fn bad_names_are_told_why() {
        let bad: [(NameCheck, &str, &str); 14] = [
            (dns_label, "a.b", "must not contain dots"),
            (dns_label, "A", "a lowercase RFC 1123 label must consist"),
            (dns_subdomain, "a..b", "a lowercase RFC 1123 subdomain"),
            (dns_subdomain, "", "a lowercase RFC 1123 subdomain"),
            (dns_1035_label, "1a", "a DNS-1035 label must consist"),
            (qualified_name, "a/b/c", "a valid label key must consist"),
            (qualified_name, "/b", "prefix part must be non-empty"),
            (qualified_name, "", "name part must be non-empty"),
            (label_value, "-", "a valid label must be an empty string"),
            (config_key, "..a", "must not start with '..'"),
            (config_key, "a b", "a valid config key must consist"),
            (env_name, "a=b", "a valid environment variable name"),
            (port_name, "80", "must contain at least one letter"),
            (percent, "x%", "a valid percent string"),
        ];
        for (check, text, start) in bad {
            let messages = check(text);
            assert!(messages[0].starts_with(start), "{text}: {messages:?}");
        }
        assert_eq!(dns_label(&"a".repeat(64)), ["must be no more than 63 characters"]);
    }
}
