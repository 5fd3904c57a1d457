//! Errors of the API server: `metav1.Status` with Kubernetes' own words.
//!
//! Source: `apimachinery/pkg/api/errors/errors.go`. How `kubectl` shows them: `docs/semantics/kubectl.md` §7.

use std::fmt;

use crate::kind::Kind;

/// `status.reason`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reason {
    NotFound,
    AlreadyExists,
    Conflict,
    Invalid,
    BadRequest,
    Forbidden,
    MethodNotAllowed,
    /// A disruption budget has nothing left.
    TooManyRequests,
    /// No reason is given, as with a missing subresource.
    Unknown,
}

impl Reason {
    pub fn name(self) -> &'static str {
        match self {
            Reason::NotFound => "NotFound",
            Reason::AlreadyExists => "AlreadyExists",
            Reason::Conflict => "Conflict",
            Reason::Invalid => "Invalid",
            Reason::BadRequest => "BadRequest",
            Reason::Forbidden => "Forbidden",
            Reason::MethodNotAllowed => "MethodNotAllowed",
            Reason::TooManyRequests => "TooManyRequests",
            Reason::Unknown => "",
        }
    }

    /// The HTTP status code.
    pub fn code(self) -> u16 {
        match self {
            Reason::NotFound => 404,
            Reason::AlreadyExists | Reason::Conflict => 409,
            Reason::Invalid => 422,
            Reason::BadRequest => 400,
            Reason::Forbidden => 403,
            Reason::MethodNotAllowed => 405,
            Reason::TooManyRequests => 429,
            Reason::Unknown => 500,
        }
    }
}

/// One field that is wrong: `field: Type: value: detail` without the field.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FieldCause {
    /// `spec.template.spec.restartPolicy`
    pub field: String,
    /// `Required value: valid values: "OnFailure", "Never"`
    pub message: String,
}

impl fmt::Display for FieldCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.field.is_empty() {
            write!(f, "{}: ", self.field)?;
        }
        f.write_str(&self.message)
    }
}

/// What the API server answers when it refuses.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ApiError {
    pub reason: Reason,
    /// The whole text, such as `jobs.batch "x" not found`.
    pub message: String,
    /// The object it is about, where there is one: group-kind and name.
    pub about: Option<(Kind, String)>,
    /// The fields, for `Invalid`.
    pub causes: Vec<FieldCause>,
}

impl ApiError {
    pub fn not_found(kind: Kind, name: &str) -> ApiError {
        ApiError::about(Reason::NotFound, kind, name, format!("{} \"{name}\" not found", kind.info().resource()))
    }

    pub fn already_exists(kind: Kind, name: &str) -> ApiError {
        let message = format!("{} \"{name}\" already exists", kind.info().resource());
        ApiError::about(Reason::AlreadyExists, kind, name, message)
    }

    /// A write with an old `resourceVersion`.
    pub fn conflict(kind: Kind, name: &str) -> ApiError {
        let message = format!(
            "Operation cannot be fulfilled on {} \"{name}\": the object has been modified; please apply your changes to \
             the latest version and try again",
            kind.info().resource()
        );
        ApiError::about(Reason::Conflict, kind, name, message)
    }

    pub fn forbidden(kind: Kind, name: &str, why: &str) -> ApiError {
        let message = format!("{} \"{name}\" is forbidden: {why}", kind.info().resource());
        ApiError::about(Reason::Forbidden, kind, name, message)
    }

    pub fn bad_request(message: impl Into<String>) -> ApiError {
        ApiError { reason: Reason::BadRequest, message: message.into(), about: None, causes: Vec::new() }
    }

    /// Validation found `causes` (at least one).
    pub fn invalid(kind: Kind, name: &str, causes: Vec<FieldCause>) -> ApiError {
        let mut texts: Vec<String> = Vec::new();
        for cause in &causes {
            let text = cause.to_string();
            if !texts.contains(&text) {
                texts.push(text);
            }
        }
        let list = if let [one] = texts.as_slice() { one.clone() } else { format!("[{}]", texts.join(", ")) };
        let message = format!("{} \"{name}\" is invalid: {list}", kind.info().group_kind());
        ApiError { causes, ..ApiError::about(Reason::Invalid, kind, name, message) }
    }

    /// What kubectl prints, without the line's end. `doing` is such as `error when creating "STDIN"`.
    ///
    /// Source: `kubectl/pkg/cmd/util/helpers.go` (`checkErr`, `StandardErrorMessage`).
    pub fn kubectl(&self, doing: Option<&str>) -> String {
        if let (Reason::Invalid, Some((kind, name))) = (self.reason, &self.about) {
            return self.kubectl_invalid(&format!("The {} \"{name}\" is invalid", kind.name()));
        }
        let doing = doing.map(|doing| format!("{doing}: ")).unwrap_or_default();
        match self.reason.name() {
            "" => format!("Error from server: {doing}{}", self.message),
            reason => format!("Error from server ({reason}): {doing}{}", self.message),
        }
    }

    /// One cause stands behind the sentence; more are listed, each once.
    fn kubectl_invalid(&self, sentence: &str) -> String {
        let mut lines: Vec<String> = Vec::new();
        for cause in &self.causes {
            let line = cause.to_string();
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

    fn about(reason: Reason, kind: Kind, name: &str, message: String) -> ApiError {
        ApiError { reason, message, about: Some((kind, name.to_owned())), causes: Vec::new() }
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ApiError {}
