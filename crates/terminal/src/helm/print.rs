//! What helm prints: tables and the status of a release.
//!
//! Source: `helm/cmd/helm/{list,history,status}.go`; tables are `gosuri/uitable`'s: cells as wide as their column, a tab
//! between them.

use super::release::Release;

/// Widest description in `helm history`.
const DESCRIPTION_MAX: usize = 66;

/// Rows of cells, the first the heading.
pub fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |i: usize| rows.iter().filter_map(|row| row.get(i)).map(|cell| cell.chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        format!("{}\n", cells.join("\t"))
    };
    rows.iter().map(line).collect()
}

/// `helm list`
pub fn list(releases: &[Release]) -> String {
    let heading = ["NAME", "NAMESPACE", "REVISION", "UPDATED", "STATUS", "CHART", "APP VERSION"];
    let mut rows = vec![heading.map(str::to_owned).to_vec()];
    for release in releases {
        rows.push(vec![
            release.name.clone(),
            release.namespace.clone(),
            release.revision.to_string(),
            updated(release),
            release.status.clone(),
            release.chart_and_version(),
            release.app_version.clone(),
        ]);
    }
    table(&rows)
}

/// `2026-11-21 08:25:25.180727188 +0000 UTC`; zeros at the end are left out, as Go does.
fn updated(release: &Release) -> String {
    let nanoseconds = release.deployed_ms.rem_euclid(1000) * 1_000_000 + release.deployed_ns;
    let fraction = format!(".{nanoseconds:09}");
    let fraction = fraction.trim_end_matches('0').trim_end_matches('.');
    format!("{}{fraction} +0000 UTC", release.deployed().format("%Y-%m-%d %H:%M:%S"))
}

/// `helm history`
pub fn history(releases: &[Release]) -> String {
    let heading = ["REVISION", "UPDATED", "STATUS", "CHART", "APP VERSION", "DESCRIPTION"];
    let mut rows = vec![heading.map(str::to_owned).to_vec()];
    for release in releases {
        let mut description = release.description.replace('\n', " ").replace('\t', "");
        if release.description.chars().count() > DESCRIPTION_MAX {
            description = release.description.chars().take(DESCRIPTION_MAX - 3).chain("...".chars()).collect();
        }
        rows.push(vec![
            release.revision.to_string(),
            date(release),
            release.status.clone(),
            release.chart_and_version(),
            release.app_version.clone(),
            description,
        ]);
    }
    table(&rows)
}

/// Go's `time.ANSIC`.
fn date(release: &Release) -> String {
    release.deployed().format("%a %b %e %H:%M:%S %Y")
}

/// What `install`, `upgrade` and `status` print of a release.
pub fn status(release: &Release, tests: bool) -> String {
    let mut text = format!(
        "NAME: {}\nLAST DEPLOYED: {}\nNAMESPACE: {}\nSTATUS: {}\nREVISION: {}\n",
        release.name,
        date(release),
        release.namespace,
        release.status,
        release.revision
    );
    if tests {
        text.push_str("TEST SUITE: None\n");
    }
    if !release.notes.trim().is_empty() {
        text.push_str(&format!("NOTES:\n{}\n", release.notes.trim()));
    }
    text
}
