//! Tests of the template language.

use super::*;

fn shown(text: &str, data: &str) -> String {
    let data = Value::from_json(data).unwrap();
    render("t", text, &data, &NoFunctions).unwrap_or_else(|error| format!("! {error}"))
}

const DATA: &str =
    r#"{"a":{"b":"deep"},"list":["x","y"],"map":{"k1":1,"k2":2},"n":3,"no":false,"empty":"","f":1000000.0}"#;

#[test]
fn actions_do_what_go_does() {
    for (text, want) in [
        ("plain", "plain"),
        ("{{ .a.b }}", "deep"),
        ("{{ .nothing }}", "<no value>"),
        ("{{ .list }} {{ .map }} {{ .n }} {{ .f }}", "[x y] map[k1:1 k2:2] 3 1e+06"),
        ("{{ if .no }}a{{ else if .empty }}b{{ else }}c{{ end }}", "c"),
        ("{{ with .a }}{{ .b }}{{ else }}none{{ end }}{{ with .empty }}x{{ else with .n }}{{ . }}{{ end }}", "deep3"),
        ("{{ range .list }}<{{ . }}>{{ end }}", "<x><y>"),
        ("{{ range $i, $x := .list }}{{ $i }}={{ $x }};{{ end }}", "0=x;1=y;"),
        ("{{ range $k, $v := .map }}{{ $k }}{{ $v }} {{ end }}", "k11 k22 "),
        ("{{ range .nothing }}x{{ else }}empty{{ end }}", "empty"),
        ("{{ range 3 }}{{ . }}{{ end }}", "012"),
        ("{{ range .list }}{{ if eq . \"y\" }}{{ break }}{{ end }}{{ . }}{{ end }}", "x"),
        ("{{ range .list }}{{ if eq . \"x\" }}{{ continue }}{{ end }}{{ . }}{{ end }}", "y"),
        ("{{ $x := 1 }}{{ if true }}{{ $x = 2 }}{{ end }}{{ $x }}", "2"),
        ("{{ $x := 1 }}{{ if true }}{{ $x := 2 }}{{ end }}{{ $x }}", "1"),
        ("a  {{- /* comment */ -}}  b", "ab"),
        ("a {{- 1 -}} b", "a1b"),
        ("{{define \"x\"}}[{{ . }}]{{end}}{{template \"x\" .n}}", "[3]"),
        ("{{block \"y\" .a}}{{ .b }}{{end}}", "deep"),
        ("{{ printf \"%s-%03d %q %5.1f|%-4s|\" \"a\" 7 \"q\" 2.25 \"x\" }}", "a-007 \"q\"   2.2|x   |"),
        ("{{ printf \"%d\" \"x\" }}", "%!d(string=x)"),
        ("{{ 3 | printf \"%d-%d\" 2 }}", "2-3"),
        ("{{ (index .list 1) }}{{ index .map \"k2\" }}{{ len .list }}", "y22"),
        ("{{ and .n .empty }}|{{ or .empty .n }}|{{ not .no }}", "|3|true"),
        (
            "{{ eq .n 1 2 3 }}{{ ne 1 2 }}{{ lt 1 2 }}{{ le 2 2 }}{{ gt \"b\" \"a\" }}{{ ge 1 2 }}",
            "truetruetruetruetruefalse",
        ),
        ("{{ print 1 2 \"a\" 3 }}", "1 2a3"),
        ("{{ $.n }}{{ with .a }}{{ $.n }}{{ end }}", "33"),
        (
            "{{ 'a' }} {{ 0x10 }} {{ 1.5 }} {{ \"\\u00e9\\n\" | printf \"%q\" }} {{ `raw\\` }}",
            "97 16 1.5 \"é\\n\" raw\\",
        ),
        ("{{ html \"<a>\" }}{{ urlquery \"a b&\" }}", "&lt;a&gt;a+b%26"),
        ("{{ slice \"abcdef\" 1 3 }}", "bc"),
    ] {
        assert_eq!(shown(text, DATA), want, "{text}");
    }
}

#[test]
fn errors_have_gos_words_and_places() {
    for (text, want) in [
        ("a\n  {{ .x.y }}", "template: t:2:7: executing \"t\" at <.x.y>: nil pointer evaluating interface {}.y"),
        ("{{ .n.y }}", "template: t:1:5: executing \"t\" at <.n.y>: can't evaluate field y in type interface {}"),
        ("{{ nosuch 1 }}", "template: t:1: function \"nosuch\" not defined"),
        ("{{ if .a }}", "template: t:1: unexpected EOF"),
        ("x\n{{ end }}", "template: t:2: unexpected {{end}}"),
        ("{{ $x }}", "template: t:1: undefined variable \"$x\""),
        ("{{ .a ", "template: t:1: unclosed action"),
        ("{{ \"a }}", "template: t:1: unterminated quoted string"),
        ("{{ }}", "template: t:1: missing value for command"),
        (
            "{{ eq .n \"3\" }}",
            "template: t:1:3: executing \"t\" at <eq .n \"3\">: error calling eq: incompatible types for comparison",
        ),
        (
            "{{ index .list 9 }}",
            "template: t:1:3: executing \"t\" at <index .list 9>: error calling index: index out of range: 9",
        ),
        (
            "{{ template \"no\" }}",
            "template: t:1:0: executing \"t\" at <{{template \"no\"}}>: template \"no\" not defined",
        ),
        ("{{ not 1 2 }}", "template: t:1:3: executing \"t\" at <not 1 2>: wrong number of args for not: want 1 got 2"),
        ("{{ break }}", "template: t:1: {{break}} outside {{range}}"),
        ("{{ .n 1 }}", "template: t:1:3: executing \"t\" at <.n>: n is not a method but has arguments"),
        (
            "{{define \"r\"}}{{template \"r\"}}{{end}}{{template \"r\"}}",
            "template: t:1:14: executing \"r\" at <{{template \"r\"}}>: exceeded maximum template depth (64)",
        ),
    ] {
        assert_eq!(shown(text, DATA), format!("! {want}"), "{text}");
    }
}

#[test]
fn a_run_ends() {
    let text = "{{ range 100000 }}{{ range 100000 }}{{ end }}{{ end }}";
    assert!(shown(text, "{}").contains("too many steps"));
    let text = format!("{}1{}", "{{ if true }}".repeat(2000), "{{ end }}".repeat(2000));
    assert!(shown(&text, "{}").contains("too many blocks"));
    let text = format!("{{{{ {}1{} }}}}", "(".repeat(5000), ")".repeat(5000));
    assert!(shown(&text, "{}").contains("too many blocks"));
}

mod laws {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[ -~\n]{0,60}") {
            let _ = shown(&text, DATA);
            let _ = shown(&format!("{{{{ {text} }}}}"), DATA);
        }

        #[test]
        fn any_words_in_actions_are_read_or_refused(
            words in proptest::collection::vec(
                prop_oneof!["if|else|end|range|with|define|template|block|break", "[.$|()=:,]", "\\{\\{-?|-?\\}\\}", "[a-z]{1,4}", "\"a\"|1|-1|0x|'a'"],
                0..20,
            ),
        ) {
            let _ = shown(&words.join(" "), DATA);
        }
    }
}
