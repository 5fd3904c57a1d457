//! Kustomizations and what is built of them.

use super::build;
use crate::files::Files;
use values::time::SimTime;
use values::value::Value;

const JOB: &str = "apiVersion: batch/v1\nkind: Job\nmetadata: {name: j, labels: {app: x}}\nspec:\n  template:\n    spec:\n      \
                   restartPolicy: Never\n      volumes: [{name: c, configMap: {name: gen}}]\n      containers:\n      - {name: \
                   main, image: \"busybox:1.36\", command: [sh]}\n";
const CM: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m, labels: {app: x}}\ndata: {a: \"1\", b: \"2\"}\n";

fn files(all: &[(&str, &str)]) -> Files {
    let (mut files, now) = (Files::default(), SimTime::EPOCH);
    for (path, text) in all {
        let path = format!("/desk/{path}");
        for (at, _) in path.match_indices('/').skip(1) {
            let _ = files.make_dir(&path[..at], now);
        }
        files.write(&path, text.as_bytes(), false, now).unwrap();
    }
    files
}

fn names(built: &[Value]) -> Vec<&str> {
    built.iter().filter_map(|value| value.str_at("metadata.name")).collect()
}

#[test]
fn overlays_change_what_bases_hold() {
    let over = "resources: [../base]\nnamePrefix: over-\nnameSuffix: -v1\nnamespace: default\nimages:\n- {name: busybox, \
                newTag: \"1.35\"}\ncommonAnnotations: {by: kustomize}\nconfigMapGenerator:\n- name: gen\n  literals: [k=v]\n\
                patches:\n- target: {kind: Job}\n  patch: |-\n    - op: add\n      path: /spec/backoffLimit\n      value: 1\n";
    let files = files(&[
        ("base/kustomization.yaml", "resources: [job.yaml, cm.yaml]\nlabels:\n- pairs: {team: blue}\n"),
        ("base/job.yaml", JOB),
        ("base/cm.yaml", CM),
        ("over/kustomization.yaml", over),
    ]);
    let built = build(&files, "/desk", "over").unwrap();
    assert_eq!(names(&built), ["over-gen-v1-bdg947hgcc", "over-m-v1", "over-j-v1"]);
    let job = &built[2];
    assert_eq!(job.str_at("spec.template.spec.containers.0.image"), Some("busybox:1.35"));
    assert_eq!(job.i64_at("spec.backoffLimit"), Some(1));
    assert_eq!(job.str_at("metadata.labels.team"), Some("blue"));
    assert_eq!(job.str_at("spec.template.metadata.annotations.by"), Some("kustomize"));
    assert!(job.at("spec.template.metadata.labels").is_null());
    assert_eq!(job.str_at("spec.template.spec.volumes.0.configMap.name"), Some("over-gen-v1-bdg947hgcc"));
}

#[test]
fn strategic_patches_name_their_object() {
    let patch = "apiVersion: batch/v1\nkind: Job\nmetadata: {name: j}\nspec:\n  template:\n    spec:\n      containers:\n      - \
                 {name: side, image: x}\n      - {name: main, image: y}\n";
    let files = files(&[
        ("kustomization.yaml", "resources: [job.yaml]\npatches:\n- path: p.yaml\n"),
        ("job.yaml", JOB),
        ("p.yaml", patch),
        ("lost/kustomization.yaml", "patches:\n- path: ../p.yaml\n"),
    ]);
    let built = build(&files, "/desk", ".").unwrap();
    let images: Vec<_> =
        built[0].list_at("spec.template.spec.containers").iter().filter_map(|c| c.str_at("image")).collect();
    assert_eq!(images, ["x", "y"]);
    let lost = build(&files, "/desk", "lost").unwrap_err();
    assert!(lost.contains("no matches for Id Job.v1.batch/j.[noNs]"), "{lost}");
}

#[test]
fn mistakes_are_told_in_kustomizes_words() {
    let files = files(&[
        ("a/kustomization.yaml", "resources: [nosuch.yaml]\n"),
        ("b/kustomization.yaml", "resources: [../b]\n"),
        ("c/kustomization.yaml", "resource: [x]\n"),
        ("d/kustomization.yaml", "resources: [x.yaml, x.yaml]\n"),
        ("d/x.yaml", CM),
        ("e/kustomization.yaml", "replacements: [{a: b}]\n"),
        ("f/x.yaml", CM),
    ]);
    for (folder, part) in [
        ("a", "lstat /desk/a/nosuch.yaml: no such file or directory"),
        ("b", "cycle detected"),
        ("c", "unknown field \"resource\""),
        ("d", "may not add resource with an already registered id: ConfigMap.v1.[noGrp]/m.[noNs]"),
        ("e", "not simulated"),
        ("f", "unable to find one of 'kustomization.yaml'"),
        ("nosuch", "must build at directory: not a valid directory: evalsymlink failure on 'nosuch'"),
    ] {
        let error = build(&files, "/desk", folder).unwrap_err();
        assert!(error.contains(part), "{folder}: {error}");
    }
}

#[test]
fn generators_merge_and_refuse() {
    let files = files(&[
        ("base/kustomization.yaml", "configMapGenerator:\n- {name: c, literals: [a=1, b=2]}\n"),
        (
            "over/kustomization.yaml",
            "resources: [../base]\nconfigMapGenerator:\n- {name: c, behavior: merge, literals: [b=3]}\nsecretGenerator:\n- \
             {name: s, literals: [p=x], options: {disableNameSuffixHash: true}}\n",
        ),
        ("bad/kustomization.yaml", "configMapGenerator:\n- {name: c, behavior: merge, literals: [b=3]}\n"),
    ]);
    let built = build(&files, "/desk", "over").unwrap();
    assert_eq!(built[0].at("data").to_json(), r#"{"a":"1","b":"3"}"#);
    assert!(names(&built)[0].starts_with("c-") && names(&built)[1] == "s");
    assert_eq!(built[1].str_at("data.p"), Some("eA=="));
    assert!(build(&files, "/desk", "bad").unwrap_err().contains("does not exist; cannot merge or replace"));
}
