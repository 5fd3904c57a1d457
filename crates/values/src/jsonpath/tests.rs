//! Templates of kubectl's own documentation and tests, and whatever else comes.

use proptest::prelude::*;

use super::JsonPath;
use crate::value::Value;

const STORE: &str = r#"{
  "kind": "List",
  "items": [
    {"kind":"None","metadata":{"name":"127.0.0.1","labels":{"kubernetes.io/hostname":"127.0.0.1"}},
     "status":{"capacity":{"cpu":"4"},"addresses":[{"type":"LegacyHostIP","address":"127.0.0.1"}]}},
    {"kind":"None","metadata":{"name":"127.0.0.2","labels":{"kubernetes.io/hostname":"127.0.0.2"}},
     "status":{"capacity":{"cpu":"8"},"addresses":[{"type":"LegacyHostIP","address":"127.0.0.2"},{"type":"another","address":"127.0.0.3"}]}}
  ],
  "users": [{"name":"myself","user":{}},{"name":"e2e","user":{"username":"admin","password":"secret"}}],
  "prices": [9, 20, 3],
  "flag": true
}"#;

fn print(template: &str) -> Result<String, String> {
    JsonPath::parse(template)?.print(&Value::from_json(STORE).unwrap(), false)
}

#[test]
fn templates_print_what_kubectl_prints() {
    for (template, expected) in [
        ("kind is {.kind}", "kind is List"),
        ("{.items[*].metadata.name}", "127.0.0.1 127.0.0.2"),
        ("{.items[0]['kind']}", "None"),
        ("{.items[*]['metadata.name', 'status.capacity']}", r#"127.0.0.1 127.0.0.2 {"cpu":"4"} {"cpu":"8"}"#),
        ("{.items[*].status.capacity}", r#"{"cpu":"4"} {"cpu":"8"}"#),
        ("{..name}", "127.0.0.1 127.0.0.2 myself e2e"),
        ("{.users[?(@.name==\"e2e\")].user.password}", "secret"),
        ("{.users[?(@.user.password)].name}", "e2e"),
        ("{range .items[*]}[{.metadata.name}, {.status.capacity.cpu}] {end}", "[127.0.0.1, 4] [127.0.0.2, 8] "),
        (
            "{range .items[*]}{.metadata.name}{\"\\t\"}{.status.capacity.cpu}{\"\\n\"}{end}",
            "127.0.0.1\t4\n127.0.0.2\t8\n",
        ),
        (
            "{range .items[*]}{.metadata.name}:{range .status.addresses[*]} {.address}{end};{end}!",
            "127.0.0.1: 127.0.0.1;127.0.0.2: 127.0.0.2 127.0.0.3;!",
        ),
        ("{.items[0].metadata.labels.kubernetes\\.io/hostname}", "127.0.0.1"),
        ("{.items[0].metadata.labels['kubernetes\\.io/hostname']}", "127.0.0.1"),
        ("{.prices[0:2]}", "9 20"),
        ("{.prices[-1:]}", "3"),
        ("{.prices[-1]}", "3"),
        ("{.prices[::2]}", "9 3"),
        ("{.prices[0,2]}", "9 3"),
        ("{.prices[?(@ > 5)]}", "9 20"),
        ("{.prices}", "[9,20,3]"),
        ("{.flag}", "true"),
        ("{.missing}", ""),
        ("{.missing[0].x}", ""),
        ("{$.kind}{'x'}", "Listx"),
        ("", ""),
    ] {
        assert_eq!(print(template).as_deref(), Ok(expected), "{template}");
    }
}

#[test]
fn mistakes_have_the_librarys_words() {
    for (template, expected) in [
        ("{.items", "unclosed action"),
        ("{.items[0}", "unterminated array"),
        ("{.items[a]}", "invalid array index a"),
        ("{.prices[7]}", "array index out of bounds: index 7, length 3"),
        ("{.prices[2:1]}", "starting index 2 is greater than ending index 1"),
        ("{.prices[::0]}", "step must be > 0"),
        ("{.kind[0]}", "string is not array or slice"),
        ("{end}", "not in range, nothing to end"),
        ("{hello}", "unrecognized identifier hello"),
        ("{.a & .b}", "unrecognized character in action: U+0026 '&'"),
        ("{.users[?(@.name==3)]}", "incompatible types for comparison"),
        ("{\"x}", "unterminated quoted string"),
    ] {
        assert_eq!(print(template).unwrap_err(), expected, "{template}");
    }
}

#[test]
fn short_forms_are_one_path() {
    for text in ["kind", ".kind", "{kind}", "{.kind}"] {
        assert_eq!(JsonPath::relaxed(text).unwrap().text(), "{.kind}", "{text}");
    }
    assert!(JsonPath::relaxed("{.a}{.b}").is_err());
}

#[test]
fn a_missing_key_is_an_error_where_it_is_asked_for() {
    let value = Value::from_json(STORE).unwrap();
    assert_eq!(JsonPath::parse("{.x}").unwrap().print(&value, true).unwrap_err(), "x is not found");
}

proptest! {
    #[test]
    fn no_template_panics(template in "[{}\\[\\]().?@$*'\":,<>=! a-z0-9\\\\-]{0,40}") {
        let _ = print(&template);
    }

    #[test]
    fn no_unicode_panics(template in "\\{?.{0,20}\\}?") {
        let _ = print(&template);
    }
}
