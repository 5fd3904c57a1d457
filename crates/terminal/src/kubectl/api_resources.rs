//! `kubectl api-resources` and `kubectl api-versions`: the kinds there are.
//!
//! Source: `kubectl/pkg/cmd/apiresources/{apiresources,apiversions}.go`.

use crate::kubectl::flags::{Flag, Takes, flag};
use crate::kubectl::{Call, Outcome, Verb};
use crate::printing::tabwriter::TabWriter;
use api::kind::{KINDS, KindInfo};
use values::sort::sort_by_key;

pub const VERB: Verb = Verb {
    name: "api-resources",
    summary: "List the kinds the server knows",
    usage: "kubectl api-resources",
    flags: FLAGS,
    run,
};

pub const VERSIONS: Verb = Verb {
    name: "api-versions",
    summary: "List the groups and versions the server knows",
    usage: "kubectl api-versions",
    flags: &[],
    run: versions,
};

const FLAGS: &[Flag] = &[
    flag("api-group", Takes::Text, "Only kinds of this group"),
    flag("cached", Takes::Nothing, "Use what was asked before").default("false"),
    flag("categories", Takes::List, "Only kinds of these categories, such as all"),
    flag("namespaced", Takes::Nothing, "Only kinds that live in namespaces, or only others").default("true"),
    flag("no-headers", Takes::Nothing, "Leave out the head of the table").default("false"),
    flag("output", Takes::Text, "wide or name").short('o'),
    flag("sort-by", Takes::Text, "name or kind"),
    flag("verbs", Takes::List, "Only kinds that know these verbs"),
];

/// What every kind here can do.
const KIND_VERBS: &str = "create,delete,deletecollection,get,list,patch,update,watch";

fn run(call: &mut Call<'_, '_>) -> Outcome {
    let parsed = &call.parsed;
    let all_wanted = parsed.list("categories").iter().all(|c| c == "all");
    let wanted = |kind: &&KindInfo| {
        parsed.text("api-group").is_none_or(|group| kind.group == group)
            && (!parsed.is_set("namespaced") || kind.namespaced == parsed.on("namespaced"))
            && (!parsed.is_set("categories") || (all_wanted && kind.in_all))
            && parsed.list("verbs").iter().all(|verb| KIND_VERBS.split(',').any(|known| known == verb))
    };
    let mut kinds: Vec<&KindInfo> = KINDS.iter().filter(wanted).collect();
    match parsed.text("sort-by") {
        Some("name") => sort_by_key(&mut kinds, |kind| kind.plural),
        Some("kind") => sort_by_key(&mut kinds, |kind| kind.name),
        Some(_) => return call.fail("--sort-by accepts only name or kind"),
        None => sort_by_key(&mut kinds, |kind| (kind.group, kind.plural)),
    }
    let wide = match parsed.text("output").unwrap_or_default() {
        "" => false,
        "wide" => true,
        "name" => {
            kinds.iter().for_each(|kind| call.io.out(&format!("{}\n", kind.resource())));
            return Outcome::Exit(0);
        }
        other => return call.fail(&format!("--output {other} is not available")),
    };
    let mut text = String::new();
    if !parsed.on("no-headers") {
        text.push_str("NAME\tSHORTNAMES\tAPIVERSION\tNAMESPACED\tKIND");
        text.push_str(if wide { "\tVERBS\tCATEGORIES\n" } else { "\n" });
    }
    for kind in kinds {
        let (short, version) = (kind.short_names.join(","), kind.api_version());
        text += &format!("{}\t{short}\t{version}\t{}\t{}", kind.plural, kind.namespaced, kind.name);
        if wide {
            text += &format!("\t{KIND_VERBS}\t{}", if kind.in_all { "all" } else { "" });
        }
        text.push('\n');
    }
    call.io.out(&TabWriter::table().align(&text));
    Outcome::Exit(0)
}

fn versions(call: &mut Call<'_, '_>) -> Outcome {
    let mut versions: Vec<_> = KINDS.iter().map(KindInfo::api_version).collect();
    versions.sort();
    versions.dedup();
    call.io.out(&(versions.join("\n") + "\n"));
    Outcome::Exit(0)
}
