//! How kubectl prints what it, or the API server, refuses.
//!
//! Rule: one failure is told in full (`error: …`, `The Job "x" is invalid: …`). Of several each has a line of its own,
//! where client errors stand without `error: ` and the server's with their reason. Source: `kubectl/pkg/cmd/util/helpers.go`
//! (`checkErr`, `MultipleErrors`, `StandardErrorMessage`).

use crate::kubectl::{Call, Outcome};
use api::status::ApiError;

/// Why a part of the work was not done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Failure {
    /// kubectl's own words, without `error: `.
    Client(String),
    /// What the server refused, and what was being done: `error when creating "STDIN"`.
    Server(ApiError, Option<String>),
    /// Words that stand as they are in every case.
    Plain(String),
}

impl Failure {
    pub fn client(text: impl Into<String>) -> Failure {
        Failure::Client(text.into())
    }

    /// The text of a failure that stands alone, without the line's end.
    fn alone(&self) -> String {
        match self {
            Failure::Client(text) | Failure::Plain(text) if text.starts_with("error: ") => text.clone(),
            Failure::Client(text) => format!("error: {text}"),
            Failure::Server(error, doing) => error.kubectl(doing.as_deref()),
            Failure::Plain(text) => text.clone(),
        }
    }

    /// The text of one failure of several, without the line's end.
    fn among_others(&self) -> String {
        match self {
            Failure::Client(text) | Failure::Plain(text) => text.strip_prefix("error: ").unwrap_or(text).to_owned(),
            Failure::Server(error, doing) => {
                let doing = doing.as_ref().map(|doing| format!("{doing}: ")).unwrap_or_default();
                match error.reason.name() {
                    "" => format!("Error from server: {doing}{}", error.message),
                    reason => format!("Error from server ({reason}): {doing}{}", error.message),
                }
            }
        }
    }
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Failure {
        Failure::Server(error, None)
    }
}

/// What stands on standard error after the work; empty if nothing failed.
pub fn told(failures: &[Failure]) -> String {
    match failures {
        [] => String::new(),
        [one] => format!("{}\n", one.alone()),
        many => many.iter().map(|failure| format!("{}\n", failure.among_others())).collect(),
    }
}

impl Call<'_, '_> {
    /// Notes that a part of the work was not done; the rest goes on.
    pub fn note(&mut self, failure: Failure) {
        self.failures.push(failure);
    }

    /// Whether something was noted.
    pub fn has_failed(&self) -> bool {
        !self.failures.is_empty()
    }

    /// Tells what was noted, and ends.
    pub fn finish(&mut self) -> Outcome {
        let failures = std::mem::take(&mut self.failures);
        self.end(&failures)
    }

    /// Prints the failures, if there are any, and ends.
    pub fn end(&mut self, failures: &[Failure]) -> Outcome {
        self.io.err(&told(failures));
        Outcome::Exit(i32::from(!failures.is_empty()))
    }
}

/// The text for standard error, without the line's end. `doing` is such as `error when creating "STDIN"`.
pub fn render(error: &ApiError, doing: Option<&str>) -> String {
    error.kubectl(doing)
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::kind::Kind;

    #[test]
    fn several_failures_are_told_without_their_beginnings() {
        let client = || Failure::client("no such thing");
        let server = || Failure::from(ApiError::not_found(Kind::Job, "x"));
        assert_eq!(told(&[client()]), "error: no such thing\n");
        assert_eq!(
            told(&[client(), server()]),
            "no such thing\nError from server (NotFound): jobs.batch \"x\" not found\n"
        );
        assert_eq!(told(&[]), "");
    }
}
