//! A chart in files, rendered and refused.

use expect_test::expect;

use super::chart::Chart;
use super::chart_values;
use super::functions::Helm;
use super::render::{Facts, render};
use crate::files::Files;
use values::rng::Rng;
use values::time::SimTime;
use values::value::Value;

const VALUES: &str = "name: world\ncount: 3\nbig: 2000000\nlist: [a, b]\nnested: {x: 1, y: {z: deep}}\nempty: \"\"\n";

fn chart(templates: &[(&str, &str)]) -> Chart {
    let (mut files, now) = (Files::default(), SimTime::EPOCH);
    files.make_dir("/c", now).unwrap();
    files.make_dir("/c/templates", now).unwrap();
    let meta = "apiVersion: v2\nname: shop\nversion: 0.1.0\nappVersion: \"1.4\"\n";
    files.write("/c/Chart.yaml", meta.as_bytes(), false, now).unwrap();
    files.write("/c/values.yaml", VALUES.as_bytes(), false, now).unwrap();
    files.write("/c/config.ini", b"a=1\n", false, now).unwrap();
    for (name, text) in templates {
        files.write(&format!("/c/templates/{name}"), text.as_bytes(), false, now).unwrap();
    }
    Chart::load(&files, "/c", "c").unwrap()
}

fn rendered(templates: &[(&str, &str)], sets: &str) -> String {
    let chart = chart(templates);
    let mut config = Value::map();
    chart_values::set(&mut config, sets, false).unwrap();
    let facts = Facts { name: "demo".into(), namespace: "default".into(), revision: 1, is_upgrade: false };
    let functions = Helm { now: SimTime::from_secs(1_795_248_000), rng: Rng::new(1) };
    match render(&chart, &chart_values::coalesce(&chart.values, &config), &facts, &functions) {
        Ok(rendered) => {
            let hooks: Vec<String> =
                rendered.hooks.iter().map(|h| format!("hook {} {:?} {}", h.name, h.events, h.weight)).collect();
            format!("{}{}{}", rendered.manifest, hooks.join("\n"), rendered.notes)
        }
        Err(why) => format!("! {why}"),
    }
}

/// What one expression gives, as a line of a manifest.
fn value_of(expression: &str) -> String {
    let text = rendered(&[("a.txt", &format!("a: |-\n  {{{{ {expression} }}}}\n"))], "");
    match text.strip_prefix("---\n# Source: shop/templates/a.txt\na: |-\n  ") {
        Some(value) => value.trim_end().to_owned(),
        None => text,
    }
}

#[test]
fn functions_do_what_sprig_and_helm_do() {
    for (expression, want) in [
        (".Values.name | quote", "\"world\""),
        (".Values.count", "3"),
        (".Values.big", "2e+06"),
        (".Values.big | int", "2000000"),
        ("default \"x\" .Values.empty", "x"),
        ("ternary \"a\" \"b\" true", "a"),
        (".Values.nested | toJson", "{\"true\":{\"z\":\"deep\"},\"x\":1}"),
        ("(.Values.list | first) | squote", "'a'"),
        ("join \"-\" .Values.list", "a-b"),
        ("splitList \",\" \"x,y\" | last", "y"),
        ("(split \"$\" \"x$y\")._1", "y"),
        ("\"hello world\" | title", "Hello World"),
        ("trimSuffix \"-\" \"abc-\" | trunc 2 | upper", "AB"),
        ("trunc -2 \"abc\"", "bc"),
        ("\"a b\" | replace \" \" \"-\"", "a-b"),
        ("add 1 2 3", "6"),
        ("div 7 2", "3"),
        ("mod 7 2", "1"),
        ("dict \"a\" 1 \"b\" 2 | keys | join \",\"", "a,b"),
        ("get (dict \"a\" \"v\") \"a\"", "v"),
        ("has \"b\" .Values.list", "true"),
        ("hasKey .Values \"name\"", "true"),
        ("(merge (dict \"a\" 1) (dict \"a\" 2 \"b\" 3)) | toJson", "{\"a\":1,\"b\":3}"),
        ("coalesce \"\" nil \"c\"", "c"),
        ("\"abc\" | b64enc", "YWJj"),
        ("\"YWJj\" | b64dec", "abc"),
        ("\"abc\" | sha256sum", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        ("\"\" | sha256sum | trunc 8", "e3b0c442"),
        ("now | date \"2006-01-02 15:04\"", "2026-11-21 08:00"),
        (".Files.Get \"config.ini\" | trim", "a=1"),
        (".Capabilities.APIVersions.Has \"batch/v1\"", "true"),
        (".Capabilities.KubeVersion.Version", "v1.36.3"),
        ("lookup \"v1\" \"Pod\" \"\" \"\" | len", "0"),
        ("tpl \"{{ .Values.name }}!\" .", "world!"),
        ("regexMatch \"^w.*d$\" .Values.name", "true"),
        ("until 3 | join \"\"", "012"),
        ("kindOf .Values.list", "slice"),
        ("printf \"%s-%v\" .Release.Name .Release.Revision", "demo-1"),
        (".Values.missing | default \"none\"", "none"),
        ("empty .Values.missing", "true"),
    ] {
        assert_eq!(value_of(expression), want, "{expression}");
    }
}

#[test]
fn errors_have_helms_words_and_places() {
    for (text, want) in [
        ("a: {{ required \"name it\" .Values.nope }}", "execution error at (shop/templates/a.yaml:1:6): name it"),
        ("a: {{ fail \"no way\" }}", "execution error at (shop/templates/a.yaml:1:6): no way"),
        ("a: {{ nosuch }}", "parse error at (shop/templates/a.yaml:1): function \"nosuch\" not defined"),
        (
            "a: {{ .Values.a.b.c }}",
            "template: shop/templates/a.yaml:1:13: executing \"shop/templates/a.yaml\" at <.Values.a.b.c>: nil pointer \
             evaluating interface {}.b",
        ),
        (
            "a: {{ include \"nope\" . }}",
            "template: shop/templates/a.yaml:1:6: executing \"shop/templates/a.yaml\" at <include \"nope\" .>: error calling \
             include: template: no template \"nope\" associated with template \"gotpl\"",
        ),
        (
            "a: {{ .Values.name | upper \"x\" }}",
            "template: shop/templates/a.yaml:1:21: executing \"shop/templates/a.yaml\" at <upper \"x\">: wrong number of args \
             for upper: want 1 got 2",
        ),
    ] {
        assert_eq!(rendered(&[("a.yaml", text)], ""), format!("! {want}"), "{text}");
    }
    assert!(
        rendered(&[("a.yaml", "a: [")], "")
            .starts_with("! YAML parse error on shop/templates/a.yaml: error converting")
    );
    let endless = "{{ define \"x\" }}{{ include \"x\" . }}{{ end }}a: {{ include \"x\" . }}";
    assert!(rendered(&[("a.yaml", endless)], "").contains("rendering template has a nested reference name: x"));
}

#[test]
fn a_chart_becomes_manifests_hooks_and_notes() {
    let helpers = "{{- define \"labels\" -}}\napp: {{ .Release.Name }}\nn: {{ .Values.count | quote }}\n{{- end -}}";
    let job = "kind: Job\nmetadata:\n  name: j\n  labels:\n    {{- include \"labels\" . | nindent 4 }}\n---\nkind: ConfigMap\n";
    let hook = "kind: Job\nmetadata:\n  name: h\n  annotations:\n    helm.sh/hook: pre-install, post-install\n    \
                helm.sh/hook-weight: \"-5\"\n";
    let off = "{{ if .Values.off }}kind: Pod{{ end }}";
    let templates = [
        ("_helpers.tpl", helpers),
        ("job.yaml", job),
        ("hook.yaml", hook),
        ("off.yaml", off),
        ("NOTES.txt", "\nHi {{ .Values.name }}"),
    ];
    expect![[r#"
        ---
        # Source: shop/templates/job.yaml
        kind: ConfigMap
        ---
        # Source: shop/templates/job.yaml
        kind: Job
        metadata:
          name: j
          labels:
            app: demo
            n: "5"
        hook h ["pre-install", "post-install"] -5
        Hi you"#]]
    .assert_eq(&rendered(&templates, "count=5,name=you"));
}

#[test]
fn set_reads_strvals() {
    for (line, want) in [
        ("a=1,b.c=x", r#"{"a":1,"b":{"c":"x"}}"#),
        ("a[1].b=2", r#"{"a":[null,{"b":2}]}"#),
        ("a={x,1,true}", r#"{"a":["x",1,true]}"#),
        (r"a\.b=c\,d", r#"{"a.b":"c,d"}"#),
        ("a=null,b=007,c=", r#"{"a":null,"b":"007","c":""}"#),
    ] {
        let mut made = Value::map();
        chart_values::set(&mut made, line, false).unwrap();
        assert_eq!(made.to_json(), want, "{line}");
    }
    assert_eq!(chart_values::set(&mut Value::map(), "a", false), Err("key \"a\" has no value".into()));
}
