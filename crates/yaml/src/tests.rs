//! The parser and the emitter together: kubectl's errors, hints, limits, and the law parse ∘ emit ∘ parse = parse.

use expect_test::expect;
use proptest::prelude::*;

use super::*;
use values::value::Value;

fn json(text: &str) -> String {
    let parsed = parse(text, "STDIN");
    assert_eq!(
        parsed.diagnostics.iter().filter(|d| d.severity == Severity::Error).count(),
        0,
        "{:?}",
        parsed.diagnostics
    );
    parsed.documents.iter().map(|d| d.value().to_json()).collect::<Vec<_>>().join("\n")
}

fn error(text: &str) -> String {
    parse(text, "STDIN").kubectl_error().unwrap_or("none").to_string()
}

#[test]
fn values() {
    for (text, expected) in [
        ("a: 1\nb: [x, z, 2]\nc: {d: e}", r#"{"a":1,"b":["x","z",2],"c":{"d":"e"}}"#),
        ("a: N\nb: 'N'\nc: \"yes\"\nd: on", r#"{"a":false,"b":"N","c":"yes","d":true}"#),
        ("mode: 0644\nm: 1_000\nf: 1.0\ng: 1.5\ne: 1e3", r#"{"e":1000,"f":1,"g":1.5,"m":1000,"mode":420}"#),
        ("t: 2026-11-21T08:00:00Z\nv: 1.2.3", r#"{"t":"2026-11-21T08:00:00Z","v":"1.2.3"}"#),
        ("1: a\ntrue: b\nno: c\n1.5: d", r#"{"1":"a","1.5":"d","false":"c","true":"b"}"#),
        ("a: &x {k: v}\nb: *x\nc:\n  <<: *x\n  z: 1", r#"{"a":{"k":"v"},"b":{"k":"v"},"c":{"k":"v","z":1}}"#),
        ("c:\n  <<: [{a: 1}, {a: 2, b: 2}]\n  b: 3", r#"{"c":{"a":1,"b":3}}"#),
        ("a: !!str 5\nb: !!int '5'\nc: ! 5", r#"{"a":"5","b":5,"c":"5"}"#),
        ("a: 1\na: 2", r#"{"a":2}"#),
        ("a: 1\n---\n# nothing\n---\nb: 2\n...\nignored: true\n", "{\"a\":1}\n{\"b\":2}"),
        ("{\"a\": [1, {\"b\": null}],\n\t\"c\": \"x\\u0041\"}", r#"{"a":[1,{"b":null}],"c":"xA"}"#),
        ("a: |\n  x\n   y\n\nb: >-\n  p\n  q\n", r#"{"a":"x\n y\n","b":"p q"}"#),
        ("a:\r\n  b: c\r\n", r#"{"a":{"b":"c"}}"#),
        ("{\"a\": 1} {\"b\": 2}\n", "{\"a\":1}\n{\"b\":2}"),
        ("{\"a\": 1}\n---\nb: 2\n", "{\"a\":1}\n{\"b\":2}"),
        ("{a: b}\n---\nb: 2\n", "{\"a\":\"b\"}\n{\"b\":2}"),
        ("just text", "\"just text\""),
        ("", ""),
    ] {
        assert_eq!(json(text), expected, "{text:?}");
    }
}

#[test]
fn errors_are_kubectls() {
    let prefix = "error: error parsing STDIN: ";
    let mut wrong = String::new();
    for (text, expected) in [
        ("# c\na: b\nk: v\nmetadata:\n\tname: x\n", "yaml: line 5: found character that cannot start any token"),
        ("# c\na: b\nk: v\nm:\n    name: x\n  labels:\n    a: b\n", "yaml: line 5: did not find expected key"),
        ("a: b\nc:\n- n: x\n   image: y\n", "yaml: line 4: mapping values are not allowed in this context"),
        ("a: b\nkind Job\nmetadata:\n", "yaml: line 3: could not find expected ':'"),
        ("a: b\nname: \"x\nspec: {}\n", "yaml: line 4: found unexpected end of stream"),
        ("a: b\nc: [\"sh\", \"-c\"\nd: e\n", "yaml: line 2: did not find expected ',' or ']'"),
        ("a: b\nschedule: * * * * *\n", "yaml: line 2: did not find expected alphabetic or numeric character"),
        ("# c\n%YAML 1.1\n---\na: b\n", "yaml: line 2: did not find expected <document start>"),
        ("a: b: c\n", "yaml: mapping values are not allowed in this context"),
        ("a: *b\n", "yaml: unknown anchor 'b' referenced"),
        ("a: &x [*x]\n", "yaml: anchor 'x' value contains itself"),
        ("a: .inf\n", "json: unsupported value: +Inf"),
        ("a: \u{1}\n", "yaml: control characters are not allowed"),
        ("a: b\n---\nc: d\ne\nf: g", "yaml: line 3: could not find expected ':'"),
        ("a: b\nkind Job\n", "yaml: line 3: could not find expected ':'"),
        ("a: b\nkind Job", "yaml: line 3: could not find expected ':'"),
        ("a: 'x' y\n", "yaml: did not find expected key"),
        ("a: b\nc: 'x' y\n", "yaml: line 1: did not find expected key"),
        ("a: [b\n", "yaml: line 1: did not find expected ',' or ']'"),
        ("a: {b: c\nd: e\n", "yaml: line 1: did not find expected ',' or '}'"),
        ("a:\n- b\n c: d\n", "yaml: line 3: mapping values are not allowed in this context"),
        ("a: b\nc: \"d\ne: \"f\"\n", "yaml: line 2: did not find expected key"),
        ("a:\n  - b\n  c: d\n", "yaml: line 2: did not find expected '-' indicator"),
        ("a: b\n  c: d\n", "yaml: line 2: mapping values are not allowed in this context"),
        ("a: b\n- c\n", "yaml: line 1: did not find expected key"),
        ("a: b\n c\nd\n", "yaml: line 4: could not find expected ':'"),
        ("a: @b\n", "yaml: found character that cannot start any token"),
        ("a: \"\\q\"\n", "yaml: found unknown escape character"),
        ("a: b\nc: ]\n", "yaml: line 1: did not find expected node content"),
    ] {
        let expected = format!("{prefix}error converting YAML to JSON: {expected}");
        let actual = error(text);
        if actual != expected {
            wrong.push_str(&format!("{text:?}\n  wanted {expected}\n  got    {actual}\n"));
        }
    }
    assert_eq!(wrong, "", "\n{wrong}");
    for (text, expected) in [
        ("{{ .Values.x }}\n", "json: offset 2: invalid character '{' looking for beginning of object key string"),
        ("{\"a\": 1 \"b\": 2}", "json: offset 9: invalid character '\"' after object key:value pair"),
        ("{\"a\": [1", "unexpected EOF"),
        ("{}{}\n---\na: b\n", "json: offset 7: invalid character '-' in numeric literal"),
    ] {
        assert_eq!(error(text), format!("{prefix}{expected}"), "{text:?}");
    }
    assert_eq!(error("a: b\n--- c\n"), format!("{prefix}invalid Yaml document separator: c"));
}

/// Manifests broken by random edits, drawn without looking, with what libyaml says to them (its words and marks, line
/// numbers counted as go-yaml counts them). Our parser is another one, so a few may differ; no more than before.
#[test]
fn broken_manifests_get_the_words_of_libyaml() {
    let (mut equal, mut count, mut different) = (0, 0, String::new());
    for line in include_str!("../../../tests/cases/broken.jsonl").lines() {
        let case = Value::from_json(line).unwrap();
        let said = error(case.str_at("text").unwrap());
        let expected = format!(
            "error: error parsing STDIN: error converting YAML to JSON: {}",
            case.at("error").as_str().unwrap()
        );
        count += 1;
        if said == expected {
            equal += 1;
        } else {
            different.push_str(&format!("{}\n  {expected}\n  {said}\n", case.at("text")));
        }
    }
    assert_eq!((equal, count), (157, 160), "\n{different}");
}

#[test]
fn diagnostics_have_places() {
    let text = "kind: Job\nmetadata:\n  name: a\n  name: b\n---\nspec:\n\tx: 1\n---\nok: 1\n";
    let parsed = parse(text, "STDIN");
    let lines: Vec<String> = parsed.diagnostics.iter().map(|d| format!("{d}\n")).collect();
    expect![[r#"
        4:3: hint: "name" stands here and on line 3; Kubernetes takes the last one, on line 4
        7:1: error: a tab is used for indentation; YAML allows only spaces there
    "#]]
    .assert_eq(&lines.concat());
    assert_eq!((parsed.documents.len(), parsed.reached), (2, 1));
}

#[test]
fn paths_lead_to_their_place() {
    let text = "metadata:\n  labels:\n    a.b/c: d\nspec:\n  containers:\n  - name: x\n    image: y\n  - {name: z}\n";
    let node = &parse(text, "STDIN").documents[0];
    for (path, place, exact) in [
        ("spec.containers[0].image", "y", true),
        ("spec.containers[1].name", "z", true),
        ("spec.containers[1].image", "{name: z}", false),
        ("metadata.labels[a.b/c]", "d", true),
        ("metadata.labels.a.b/c", "d", true),
        ("spec.restartPolicy", "spec", false),
        ("spec.containers[7].image", "containers", false),
    ] {
        let location = node.locate(path);
        let span = location.span();
        assert_eq!((&text[span.start as usize..span.end as usize], location.exact), (place, exact), "{path}");
    }
}

#[test]
fn hostile_texts_end_as_diagnostics() {
    let nested = "[".repeat(10_000);
    let mut bomb = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
    for i in 1..12 {
        let list = vec![format!("*a{}", i - 1); 10].join(",");
        bomb.push_str(&format!("a{i}: &a{i} [{list}]\n"));
    }
    let mut deep = String::from("a0: &a0 [x]\n");
    for i in 1..2_000 {
        deep.push_str(&format!("a{i}: &a{i} [[[[*a{}]]]]\n", i - 1));
    }
    for text in [nested.as_str(), &bomb, &deep, &"{a: ".repeat(5_000), &"- ".repeat(20_000), &"a\n".repeat(600_000)] {
        let parsed = parse(text, "STDIN");
        assert!(parsed.kubectl_error().is_some(), "{}…", &text[..20]);
    }
    assert_eq!(error(&bomb).rsplit(": ").next(), Some("document contains excessive aliasing"));
    assert!(
        parse_bytes(b"a: \xff", "STDIN").kubectl_error().is_some_and(|e| e.ends_with("invalid leading UTF-8 octet"))
    );
}

#[test]
fn written_as_kubectl_writes() {
    let text = r#"{"args":["sh","-c","echo index $JOB_COMPLETION_INDEX; sleep 1; exit $((1 - JOB_COMPLETION_INDEX % 2)) or so"],
        "empty":{},"none":[],"nothing":null,"quoted":["true","5","*","a: b",""],"text":"line\nline\n","cut":"a\nb",
        "nested":[[1,[2]],[{"a":1,"b":[{}]}]],"8080":1.5}"#;
    expect![[r#"
        "8080": 1.5
        args:
        - sh
        - -c
        - echo index $JOB_COMPLETION_INDEX; sleep 1; exit $((1 - JOB_COMPLETION_INDEX % 2))
          or so
        cut: |-
          a
          b
        empty: {}
        nested:
        - - 1
          - - 2
        - - a: 1
            b:
            - {}
        none: []
        nothing: null
        quoted:
        - "true"
        - "5"
        - '*'
        - 'a: b'
        - ""
        text: |
          line
          line
    "#]]
    .assert_eq(&emit(&Value::from_json(text).unwrap()));
}

/// Outputs of `kubectl get -o yaml` from the recordings: read and written again they are the same, to the byte.
#[test]
fn recorded_outputs_are_written_again() {
    let mut count = 0;
    for line in include_str!("../../../tests/cases/printed.jsonl").lines() {
        let printed = Value::from_json(line).unwrap();
        let printed = printed.as_str().unwrap();
        let parsed = parse(printed, "STDIN");
        assert_eq!(parsed.diagnostics, []);
        assert_eq!(emit(&parsed.documents[0].value()), printed);
        count += 1;
    }
    assert_eq!(count, 21);
}

fn any_value() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        "[ -~]{0,12}",
        "[a-z #:'\"\\-\n\t]{0,120}",
        any::<String>(),
        Just("\u{2028}\u{85}".to_string()),
        "(true|N|0777|1e3|2026-11-21|<<|~|---|\\.\\.\\.| )",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        text.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 60, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::list),
            prop::collection::vec((text.clone(), inner), 0..5)
                .prop_map(|entries| entries.into_iter().collect::<values::value::Map>().into()),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn what_is_written_is_read_again(value in any_value()) {
        let text = emit(&value);
        let parsed = parse(&text, "STDIN");
        let read = parsed.documents.first().map_or(Value::Null, Node::value);
        prop_assert_eq!(&read, &value, "{}\n{:?}", text, parsed.diagnostics);
        prop_assert_eq!(emit(&read), text);
    }

    #[test]
    fn any_text_is_read_without_panic(text in any::<String>(), bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        for parsed in [parse(&text, "STDIN"), parse_bytes(&bytes, "STDIN")] {
            for node in &parsed.documents {
                let written = emit(&node.value());
                let again = parse(&written, "STDIN");
                prop_assert_eq!(again.documents.first().map_or(Value::Null, Node::value), node.value());
            }
        }
    }

    #[test]
    fn broken_manifests_are_read_without_panic(cut in 0usize..200, put in "[-\\[\\]{}:,&*!|>'\"%@`#\t\n a]{0,6}") {
        let text = "apiVersion: v1\nkind: Pod\nmetadata: {name: x, labels: {a: \"b\"}}\nspec:\n  containers:\n  - name: c\n    args: ['a', \"b\"]\n    env:\n    - {name: a, value: |-\n";
        let cut = cut.min(text.len());
        let broken = format!("{}{put}{}", &text[..cut], &text[cut..]);
        let parsed = parse(&broken, "STDIN");
        for d in &parsed.diagnostics {
            prop_assert!(d.span.start as usize <= broken.len() && d.span.line >= 1);
        }
    }
}
