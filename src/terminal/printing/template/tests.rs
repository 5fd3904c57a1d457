//! Templates as people write them for kubectl.

use proptest::prelude::*;

use super::Template;
use crate::base::value::Value;

fn run(template: &str) -> Result<String, String> {
    let value = Value::from_json(
        r#"{"items":[{"metadata":{"name":"a","labels":{"app":"x"}},"n":1},{"metadata":{"name":"b"},"n":2}],"word":"aGk="}"#,
    );
    Template::parse(template)?.run(&value.unwrap())
}

#[test]
fn templates_print_what_go_prints() {
    for (template, expected) in [
        ("{{range .items}}{{.metadata.name}}{{\"\\n\"}}{{end}}", "a\nb\n"),
        ("{{range $i, $x := .items}}{{$i}}={{$x.metadata.name}} {{end}}", "0=a 1=b "),
        ("{{len .items}} {{.missing}}", "2 <no value>"),
        ("{{(index .items 1).metadata.name}}", "b"),
        ("{{if eq .word \"aGk=\"}}yes{{else}}no{{end}}", "yes"),
        ("{{if .none}}a{{else if .word}}b{{else}}c{{end}}", "b"),
        ("{{with .items}}{{len .}}{{end}}", "2"),
        ("{{range .none}}x{{else}}empty{{end}}", "empty"),
        ("a {{- /* nothing */ -}} b", "ab"),
        ("{{range .items}}{{with .metadata.labels}}{{.app}}{{end}};{{end}}", "x;;"),
        ("{{.word | base64decode}}", "hi"),
        ("{{printf \"%-4s|%3d\" .word 7}}", "aGk=|  7"),
        ("{{$n := 0}}{{range .items}}{{$n = .n}}{{end}}{{$n}}", "2"),
        ("{{range .items}}{{if and (gt .n 1) .metadata}}{{.metadata}}{{end}}{{end}}", "map[name:b]"),
    ] {
        assert_eq!(run(template).as_deref(), Ok(expected), "{template}");
    }
}

#[test]
fn mistakes_are_told() {
    for (template, part) in [
        ("{{.a", "unclosed action"),
        ("{{if .a}}", "unexpected EOF"),
        ("{{end}}", "unexpected {{end}}"),
        ("{{nope .a}}", "function \"nope\" not defined"),
        ("{{.word.x}}", "can't evaluate field x"),
        ("{{index .items 9}}", "out of range"),
    ] {
        let error = run(template).unwrap_err();
        assert!(error.contains(part), "{template}: {error}");
    }
}

proptest! {
    #[test]
    fn nothing_panics(template in "(\\{\\{[- a-z.$|()\"0-9:=]{0,12}\\}\\}|if|end|range|.){0,8}") {
        let _ = run(&template);
    }
}
