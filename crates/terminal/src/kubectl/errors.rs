//! How kubectl prints what the API server refuses. The words are [`ApiError::kubectl`].

use api::status::ApiError;

/// The text for standard error, without the line's end. `doing` is such as `error when creating "STDIN"`.
pub fn render(error: &ApiError, doing: Option<&str>) -> String {
    error.kubectl(doing)
}
