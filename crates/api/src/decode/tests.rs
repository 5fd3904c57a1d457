//! Every recorded manifest of `tests/cases/manifests.jsonl` (what `kubectl apply -f -` said to it on a real cluster), and
//! what the recordings do not have.

use super::*;
use yaml;

const RECORDED: &str = include_str!("../../../../tests/cases/manifests.jsonl");

/// The beginnings of errors that come before an object is validated.
const OUR_STAGE: [&str; 8] = [
    "error: error parsing",
    "error: error validating",
    "error: unable to decode",
    "error: resource mapping",
    "error: error when retrieving",
    "error: from ",
    "error: no objects",
    "Error from server (BadRequest)",
];

/// What `kubectl apply -f -` prints, up to the first error of the stages here; empty if there is none.
fn applied(manifest: &str) -> String {
    let parsed = yaml::parse(manifest, "STDIN");
    for document in &parsed.documents[..parsed.reached] {
        for (_, object) in flatten(&document.value()) {
            if let Err(refusal) = decode_for_apply(&object, FieldValidation::Strict) {
                return refusal.kubectl("STDIN", "creating") + "\n";
            }
        }
    }
    match parsed.kubectl_error() {
        Some(error) => format!("{error}\n"),
        None if parsed.documents.is_empty() => "error: no objects passed to apply\n".into(),
        None => String::new(),
    }
}

#[test]
fn recorded_manifests_get_kubectls_answers() {
    let (mut refused, mut accepted, mut wrong) = (0, 0, String::new());
    for line in RECORDED.lines() {
        let case = Value::from_json(line).unwrap();
        let (manifest, stderr) = (case.str_at("manifest").unwrap(), case.str_at("stderr").unwrap());
        let ours = OUR_STAGE.iter().any(|start| stderr.starts_with(start));
        let expected = if ours { stderr } else { "" };
        let said = applied(manifest);
        if said != expected {
            wrong.push_str(&format!(
                "{}\n  wanted {expected:?}\n  got    {said:?}\n",
                manifest.lines().next().unwrap_or("")
            ));
        } else if ours {
            refused += 1;
        } else {
            accepted += 1;
        }
    }
    assert_eq!(wrong, "", "\n{wrong}");
    assert_eq!((refused, accepted), (60, 134), "cases of this stage, and cases that pass it");
}

fn refusal(yaml_text: &str) -> String {
    applied(yaml_text).replace("Error from server (BadRequest): error when creating \"STDIN\": ", "").trim_end().into()
}

#[test]
fn errors_the_recordings_do_not_have() {
    let pod = |fields: &str| {
        format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: x}}\nspec:\n  containers:\n  - name: a\n{fields}")
    };
    let cannot = "Pod in version \"v1\" cannot be handled as a Pod: ";
    for (fields, error) in [
        (
            "    ports: [{containerPort: true}]",
            "json: cannot unmarshal bool into Go struct field ContainerPort.spec.containers.ports.containerPort of type int32",
        ),
        (
            "    livenessProbe: {httpGet: {port: {}}}",
            "json: cannot unmarshal object into Go struct field HTTPGetAction.spec.containers.livenessProbe.httpGet.port of type int32",
        ),
        (
            "    livenessProbe: {httpGet: {port: 1.5}}",
            "json: cannot unmarshal number 1.5 into Go struct field HTTPGetAction.spec.containers.livenessProbe.httpGet.port of type int32",
        ),
        ("    resources: {limits: {memory: 64MM}}", "unable to parse quantity's suffix"),
        (
            "    resources: {limits: []}",
            "json: cannot unmarshal array into Go struct field ResourceRequirements.spec.containers.resources.limits of type v1.ResourceList",
        ),
        (
            "    image: 5\n    resources: {limits: {cpu: x}}",
            "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
        ),
        (
            "    image: 5\n    nonsense: 1",
            "json: cannot unmarshal number into Go struct field Container.spec.containers.image of type string",
        ),
        (
            "    restartPolicy: []",
            "json: cannot unmarshal array into Go struct field Container.spec.containers.restartPolicy of type v1.ContainerRestartPolicy",
        ),
        (
            "    b: 1\n    a: 1\n  z: 1\n  nodeSelector: {ok: fine}\n  volumes: [{name: v, emtyDir: {}}]",
            "strict decoding error: unknown field \"spec.containers[0].a\", unknown field \"spec.containers[0].b\", unknown field \"spec.volumes[0].emtyDir\", unknown field \"spec.z\"",
        ),
        (
            "  terminationGracePeriodSeconds: 99999999999999999999",
            "json: cannot unmarshal number 100000000000000000000 into Go struct field PodSpec.spec.terminationGracePeriodSeconds of type int64",
        ),
    ] {
        assert_eq!(refusal(&pod(fields)), format!("{cannot}{error}"), "{fields}");
    }
    assert_eq!(
        refusal("kind: Pod"),
        "error: error validating \"STDIN\": error validating data: apiVersion not set; if you choose to ignore these errors, turn validation off with --validate=false"
    );
    assert!(refusal("a: b").contains("[apiVersion not set, kind not set]"));
    assert!(
        refusal("apiVersion: v1\nkind: Pod\nmetadata: x")
            .contains("field metadataOnlyObject.metadata of type v1.ObjectMeta")
    );
    assert!(
        refusal("apiVersion: batch/v1\nkind: Job\nmetadata: {name: x}\nspec: {completions: 99999999999}").ends_with(
            "cannot unmarshal number 99999999999 into Go struct field JobSpec.spec.completions of type int32"
        )
    );
    let secret =
        |data: &str| refusal(&format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: x}}\ndata: {{a: {data}}}"));
    assert!(secret("'a*cd'").ends_with("illegal base64 data at input byte 1"));
    assert!(secret("abc").ends_with("illegal base64 data at input byte 3"));
    assert_eq!(secret("YWJj"), "");
}

#[test]
fn objects_are_written_as_go_writes_them() {
    let text = "apiVersion: v1\nkind: Pod\nmetadata: {name: x, labels: {}, creationTimestamp: null}\nspec:\n  nodeName: ''\n  hostNetwork: false\n  containers:\n  - name: a\n    resources: {limits: {cpu: 0.5, memory: 1024Mi}}\n    env: [{name: A, valueFrom: {resourceFieldRef: {resource: limits.cpu}}}]\n    securityContext: {privileged: false}\n    command: []\n  tolerations: null\n";
    let document = yaml::parse(text, "STDIN").documents[0].value();
    let decoded = decode(&document, FieldValidation::Strict).unwrap();
    assert_eq!(
        decoded.object.to_json(),
        r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"x"},"spec":{"containers":[{"env":[{"name":"A","valueFrom":{"resourceFieldRef":{"divisor":"0","resource":"limits.cpu"}}}],"name":"a","resources":{"limits":{"cpu":"500m","memory":"1Gi"}},"securityContext":{"privileged":false}}]},"status":{}}"#
    );
    let again = decode(&decoded.object, FieldValidation::Strict).unwrap();
    assert_eq!(again.object, decoded.object);
    let empty = Value::from_json(r#"{"apiVersion":"batch/v1","kind":"Job","metadata":{"name":"x"}}"#).unwrap();
    assert_eq!(
        decode(&empty, FieldValidation::Strict).unwrap().object.to_json(),
        r#"{"apiVersion":"batch/v1","kind":"Job","metadata":{"name":"x"},"spec":{"template":{"metadata":{},"spec":{"containers":null}}},"status":{}}"#
    );
}

#[test]
fn unknown_fields_can_be_warnings_or_nothing() {
    let text = r#"{"apiVersion":"batch/v1","kind":"Job","metadata":{"name":"x"},"spec":{"paralelism":2}}"#;
    let document = Value::from_json(text).unwrap();
    let warned = decode(&document, FieldValidation::Warn).unwrap();
    assert_eq!(warned.warnings, [r#"unknown field "spec.paralelism""#]);
    assert!(!warned.object.has("spec.paralelism"));
    assert!(decode(&document, FieldValidation::Ignore).unwrap().warnings.is_empty());
}

#[test]
fn remarks_stand_at_their_place() {
    let text = "apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: x\n  labels: {a: no}\nspec:\n  paralelism: 2\n  template:\n    spec:\n      containers:\n      - name: N\n        env: [{name: y, value: 010}]\n      volumes:\n      - {name: v, configMap: {name: c, defaultMode: 0400}}\n";
    let document = &yaml::parse(text, "STDIN").documents[0];
    let lines: Vec<String> = diagnose(document, "STDIN").iter().map(|d| format!("{d}\n")).collect();
    expect_test::expect![[r#"
        5:15: error: json: cannot unmarshal bool into Go struct field ObjectMeta.metadata.labels of type string
        5:15: hint: a: YAML 1.1 reads no as the boolean false; write "no" in quotes
        11:15: hint: name: YAML 1.1 reads N as the boolean false; write "N" in quotes
        12:22: hint: name: YAML 1.1 reads y as the boolean true; write "y" in quotes
        12:32: hint: value: 010 is a number here; write "010" in quotes
        14:53: hint: defaultMode: the leading 0 makes 0400 octal; it is 256 in decimal
    "#]]
    .assert_eq(&lines.concat());
}

proptest::proptest! {
    #[test]
    fn any_tree_is_an_object_or_a_refusal(json in "[\\[\\]{}:,\"a-z0-9.\\- ]{0,80}") {
        if let Ok(spec) = Value::from_json(&json) {
            let document = values::object! { "apiVersion" => "v1", "kind" => "Pod", "spec" => spec.clone(), "metadata" => spec };
            let _ = decode(&document, FieldValidation::Strict);
        }
    }
}
