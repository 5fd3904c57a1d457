//! Tests of jq: programs, inputs and what they give.

use super::machine::{Failure, Machine, Ran};
use super::parse::{parse, undefined};
use super::{builtins, prelude, reading};

fn run(program: &str, input: &str) -> String {
    run_for(3_000_000, program, input)
}

fn run_for(mut steps: u64, program: &str, input: &str) -> String {
    let library = prelude().expect("the prelude is right");
    let expr = match parse(program) {
        Ok(expr) => expr,
        Err(why) => return format!("! {why}"),
    };
    let known = |name: &str| builtins::known(name) || library.contains_key(name);
    if let Some(why) = undefined(&expr, &mut Vec::new(), &known) {
        return format!("! {why}");
    }
    let input = reading::values(input).0.remove(0);
    let mut machine = Machine::new(&expr.into(), &[], library.clone()).on(input);
    let mut out = Vec::new();
    loop {
        match machine.run(&mut steps) {
            Ran::Value(value) => out.push(value.write(None, false)),
            Ran::End => return out.join(" "),
            Ran::Failed(Failure::Error(why)) => return format!("! {}", why.write(None, false)),
            Ran::Failed(_) => return "! exhausted".to_owned(),
            Ran::Paused => return "! goes on".to_owned(),
        }
    }
}

const DATA: &str = r#"{"items":[{"name":"b","n":2,"ok":true},{"name":"a","n":1}],"x":{"z":1,"y":null},"s":"hi","n":3}"#;

#[test]
fn programs_give_what_jq_gives() {
    for (program, want) in [
        (".", r#"{"items":[{"name":"b","n":2,"ok":true},{"name":"a","n":1}],"x":{"z":1,"y":null},"s":"hi","n":3}"#),
        (".items[0].name", "\"b\""),
        (".items[].n", "2 1"),
        (".items[-1][\"name\"]", "\"a\""),
        (".items | length", "2"),
        (".x | keys", r#"["y","z"]"#),
        (".x.y // \"none\"", "\"none\""),
        ("[.items[] | select(.n > 1) | .name]", r#"["b"]"#),
        (".items | map({name, double: (.n * 2)})", r#"[{"name":"b","double":4},{"name":"a","double":2}]"#),
        (".items | sort_by(.n) | .[0].name, (map(.n) | add)", "\"a\" 3"),
        ("\"\\(.s) there \\(.n + 1)\"", "\"hi there 4\""),
        ("if .n > 2 then \"big\" elif .n > 1 then \"mid\" else \"small\" end", "\"big\""),
        (".x | to_entries | map(.key) | join(\",\")", "\"z,y\""),
        (".s | test(\"^h\")", "true"),
        ("[.items[].ok]", "[true,null]"),
        (".nothing?.deep, (.s.deep)?", "null"),
        ("try .s.x catch \"no\"", "\"no\""),
        ("[limit(2; range(10))], first(range(5)), last(range(5))", "[0,1] 0 4"),
        ("reduce .items[].n as $n (0; . + $n)", "3"),
        (".items | group_by(.ok) | map(length)", "[1,1]"),
        ("[3,1,3] | unique, min, max, add", "[1,3] 1 3 7"),
        (".n |= . + 1 | .n", "4"),
        (".x.z = 5 | .x", r#"{"z":5,"y":null}"#),
        ("del(.items[0], .x) | keys", r#"["items","n","s"]"#),
        ("[.items[] | has(\"ok\")]", "[true,false]"),
        (".n | tostring, (\"7\" | tonumber)", "\"3\" 7"),
        ("1.5, 1e3, -2, 7 % 4, 1 / 4, \"a,b\" / \",\"", "1.5 1E+3 -2 3 0.25 [\"a\",\"b\"]"),
        (".items[1:] | length", "1"),
        ("[.. | numbers]", "[2,1,1,3]"),
        (".items as $i | $i | length", "2"),
        ("@base64 \"x\\(.s)\", ([1,\"a\"] | @csv, @tsv)", "\"xaGk=\" \"1,\\\"a\\\"\" \"1\\ta\""),
        ("with_entries(select(.key == \"n\"))", r#"{"n":3}"#),
        ("{a: 1, \"b\": 2, (.s): 3}", r#"{"a":1,"b":2,"hi":3}"#),
        ("[.items[] | {name, (\"k\"): .n}] | .[0]", r#"{"name":"b","k":2}"#),
        ("1 == 1 and (null | not)", "true"),
        ("\"2026-11-21T08:00:00Z\" | fromdate | todate", "\"2026-11-21T08:00:00Z\""),
    ] {
        assert_eq!(run(program, DATA), want, "{program}");
    }
}

#[test]
fn mistakes_have_jqs_words() {
    for (program, want) in [
        (".n.x", "! \"Cannot index number with \\\"x\\\"\""),
        (".n[]", "! \"Cannot iterate over number (3)\""),
        ("{} + 1", "! \"object ({}) and number (1) cannot be added\""),
        ("foo", "! foo/0 is not defined"),
        (".a |", "! syntax error, unexpected end of file (Unix shell quoting issues?)"),
        ("1 / 0", "! \"number (1) and number (0) cannot be divided because the divisor is zero\""),
        ("[range(99999)] | map([range(99999)])", "! goes on"),
    ] {
        assert_eq!(run(program, DATA), want, "{program}");
    }
    assert!(run(&"(".repeat(5000), "1").contains("too deeply"));
    assert!(run(&"-".repeat(5000), "1").contains("too deeply"));
}

/// A turn ends when its steps are used up, and what is held is bounded, in one array and in many.
#[test]
fn what_is_held_is_bounded() {
    for program in ["[range(99999)] | map([range(99999)])", "[range(1e9)]"] {
        assert_eq!(run_for(1_000_000, program, "1"), "! goes on", "{program}");
        assert_eq!(run_for(100_000_000, program, "1"), "! exhausted", "{program}");
    }
    // What was held and is no more does not count.
    assert_eq!(run_for(100_000_000, "[range(6000) as $i | [range(1000)] | length] | add", "1"), "6000000");
}

mod laws {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_program_ends(program in "[ -~]{0,40}", words in proptest::collection::vec("\\.|\\[|\\]|map|\\(|\\)|,|\\||\\.a|\"x\"|1|if|then|else|end|//|\\?|=|\\+|as|\\$x", 0..16)) {
            let _ = run(&program, DATA);
            let _ = run(&words.join(" "), DATA);
        }
    }
}
