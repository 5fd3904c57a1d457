//! How kubectl prints what the API server refuses.
//!
//! Source: `kubectl/pkg/cmd/util/helpers.go` (`checkErr`, `StandardErrorMessage`).

use crate::api::status::{ApiError, Reason};

/// The text for standard error, without the line's end. `doing` is such as `error when creating "STDIN"`.
pub fn render(error: &ApiError, doing: Option<&str>) -> String {
    if let (Reason::Invalid, Some((kind, name))) = (error.reason, &error.about) {
        return invalid(&format!("The {} \"{name}\" is invalid", kind.name()), error);
    }
    let doing = doing.map(|doing| format!("{doing}: ")).unwrap_or_default();
    match error.reason.name() {
        "" => format!("Error from server: {doing}{}", error.message),
        reason => format!("Error from server ({reason}): {doing}{}", error.message),
    }
}

/// One cause stands behind the sentence; more are listed, each once.
fn invalid(sentence: &str, error: &ApiError) -> String {
    let mut lines: Vec<String> = Vec::new();
    for cause in &error.causes {
        let line =
            if cause.field.is_empty() { cause.message.clone() } else { format!("{}: {}", cause.field, cause.message) };
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    match lines.as_slice() {
        [] => sentence.to_owned(),
        [one] => format!("{sentence}: {one}"),
        many => {
            let list: String = many.iter().map(|line| format!("\n* {line}")).collect();
            format!("{sentence}: {list}")
        }
    }
}
