//! Label and field selectors as a user types them: `app=a,tier in (b,c),!old`, `status.phase!=Running`.
//!
//! Source: `apimachinery/pkg/labels/selector.go`, `apimachinery/pkg/fields/selector.go`; which fields can be asked for:
//! the field label conversions of `pkg/apis/{core,batch}/v1/conversion.go`.

use crate::kind::Kind;
use crate::meta::{LabelExpression, StringMap};
use crate::object::Object;
use values::value::{Text, Value};

/// Requirements on labels; all must hold.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Labels {
    text: String,
    requirements: Vec<LabelExpression>,
}

/// Requirements on fields; all must hold.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Fields {
    text: String,
    requirements: Vec<FieldRequirement>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct FieldRequirement {
    field: String,
    equal: bool,
    value: String,
}

impl Labels {
    /// Reads a selector.
    ///
    /// # Errors
    /// The API server's words.
    pub fn parse(text: &str) -> Result<Labels, String> {
        let requirements = Parser { tokens: tokens(text), next: 0 }.requirements()?;
        Ok(Labels { text: text.to_owned(), requirements })
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn is_empty(&self) -> bool {
        self.requirements.is_empty()
    }

    pub fn matches(&self, labels: &StringMap) -> bool {
        self.requirements.iter().all(|requirement| requirement.matches(labels))
    }
}

#[derive(Clone, PartialEq, Debug)]
enum Token {
    /// A sign: `=`, `!=`, `(`, `,` …
    Sign(&'static str),
    Word(String),
    End,
}

impl Token {
    fn literal(&self) -> &str {
        match self {
            Token::Sign(sign) => sign,
            Token::Word(word) => word,
            Token::End => "",
        }
    }
}

const SIGNS: [&str; 9] = ["==", "!=", "=", "!", "(", ")", ",", "<", ">"];

fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            tokens.push(Token::Sign(sign));
            rest = &rest[sign.len()..];
        } else {
            let ends = |c: char| c.is_whitespace() || "=!(),<>".contains(c);
            let end = rest.find(ends).unwrap_or(rest.len());
            tokens.push(Token::Word(rest[..end].to_owned()));
            rest = &rest[end..];
        }
        rest = rest.trim_start();
    }
    tokens
}

struct Parser {
    tokens: Vec<Token>,
    next: usize,
}

impl Parser {
    fn peek(&self) -> Token {
        self.tokens.get(self.next).cloned().unwrap_or(Token::End)
    }

    fn take(&mut self) -> Token {
        let token = self.peek();
        self.next += 1;
        token
    }

    fn requirements(&mut self) -> Result<Vec<LabelExpression>, String> {
        let mut all = Vec::new();
        loop {
            match self.peek() {
                Token::Word(_) | Token::Sign("!") => {
                    all.push(self.requirement().map_err(|e| format!("unable to parse requirement: {e}"))?);
                    match self.take() {
                        Token::End => return Ok(all),
                        Token::Sign(",") => {
                            let next = self.peek();
                            if !matches!(next, Token::Word(_) | Token::Sign("!")) {
                                return Err(format!("found '{}', expected: identifier after ','", next.literal()));
                            }
                        }
                        other => return Err(format!("found '{}', expected: ',' or 'end of string'", other.literal())),
                    }
                }
                Token::End => return Ok(all),
                other => {
                    return Err(format!("found '{}', expected: !, identifier, or 'end of string'", other.literal()));
                }
            }
        }
    }

    fn requirement(&mut self) -> Result<LabelExpression, String> {
        let mut token = self.take();
        let absent = token == Token::Sign("!");
        if absent {
            token = self.take();
        }
        let Token::Word(key) = token else { return Err(format!("found '{}', expected: identifier", token.literal())) };
        let expression = |operator: &'static str, values: Vec<String>| LabelExpression {
            key: key.into(),
            operator: Text::Known(operator),
            values: values.into_iter().map(Text::from).collect(),
        };
        if absent {
            return Ok(expression("DoesNotExist", Vec::new()));
        }
        if matches!(self.peek(), Token::End | Token::Sign(",")) {
            return Ok(expression("Exists", Vec::new()));
        }
        let token = self.take();
        Ok(match token.literal() {
            "=" | "==" => expression("In", vec![self.value()?]),
            "!=" => expression("NotIn", vec![self.value()?]),
            ">" => expression("Gt", vec![self.number()?]),
            "<" => expression("Lt", vec![self.number()?]),
            "in" => expression("In", self.values()?),
            "notin" => expression("NotIn", self.values()?),
            other => return Err(format!("found '{other}', expected: in, notin, =, ==, !=, gt, lt")),
        })
    }

    /// One value, which may be empty.
    fn value(&mut self) -> Result<String, String> {
        match self.peek() {
            Token::End | Token::Sign(",") => Ok(String::new()),
            Token::Word(word) => {
                self.next += 1;
                Ok(word)
            }
            other => Err(format!("found '{}', expected: identifier", other.literal())),
        }
    }

    fn number(&mut self) -> Result<String, String> {
        let value = self.value()?;
        match value.parse::<i64>() {
            Ok(_) => Ok(value),
            Err(_) => Err(format!(
                "values[0]: Invalid value: \"{value}\": for 'Gt', 'Lt' operators, the value must be an integer"
            )),
        }
    }

    fn values(&mut self) -> Result<Vec<String>, String> {
        let open = self.take();
        if open != Token::Sign("(") {
            return Err(format!("found '{}' expected: '('", open.literal()));
        }
        let mut values = vec![String::new()];
        loop {
            let token = self.take();
            match token {
                Token::Word(word) => values.last_mut().into_iter().for_each(|last| last.clone_from(&word)),
                Token::Sign(",") => values.push(String::new()),
                Token::Sign(")") => return Ok(values),
                Token::End => return Err("found '', expected: ')'".to_owned()),
                Token::Sign(other) => return Err(format!("found '{other}', expected: ',', ')' or identifier")),
            }
        }
    }
}

impl Fields {
    /// Reads a selector and checks that objects of `kind` can be asked for these fields.
    ///
    /// # Errors
    /// The API server's words.
    pub fn parse(text: &str, kind: Kind) -> Result<Fields, String> {
        let mut requirements = Vec::new();
        for term in split_unescaped(text).into_iter().filter(|term| !term.is_empty()) {
            let place =
                term.find(['=', '!']).filter(|at| !term[*at..].starts_with('!') || term[*at..].starts_with("!="));
            let Some(at) = place else {
                return Err(format!("invalid selector: '{text}'; can't understand '{term}'"));
            };
            let sign = ["!=", "==", "="].into_iter().find(|sign| term[at..].starts_with(sign)).unwrap_or("=");
            let value = unescape(&term[at + sign.len()..])?;
            requirements.push(FieldRequirement { field: term[..at].to_owned(), equal: sign != "!=", value });
        }
        for requirement in &requirements {
            check_field(kind, &requirement.field)?;
        }
        Ok(Fields { text: text.to_owned(), requirements })
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn is_empty(&self) -> bool {
        self.requirements.is_empty()
    }

    pub fn matches(&self, object: &Object) -> bool {
        self.requirements.iter().all(|r| (field_value(object, &r.field) == r.value) == r.equal)
    }
}

fn split_unescaped(text: &str) -> Vec<&str> {
    let (mut parts, mut start, mut escaped) = (Vec::new(), 0, false);
    for (i, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            ',' => {
                parts.push(&text[start..i]);
                start = i + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

fn unescape(value: &str) -> Result<String, String> {
    let mut plain = String::new();
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some(escaped @ ('\\' | ',' | '=')) => plain.push(escaped),
                other => {
                    let sequence: String = ['\\'].into_iter().chain(other).collect();
                    return Err(format!("invalid field selector: invalid escape sequence: {sequence}"));
                }
            },
            ',' | '=' => return Err(format!("invalid field selector: unescaped character in value: {c}")),
            c => plain.push(c),
        }
    }
    Ok(plain)
}

fn fields_of(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Pod => &[
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "spec.hostNetwork",
            "status.phase",
            "status.podIP",
            "status.podIPs",
            "status.nominatedNodeName",
        ],
        Kind::Node => &["spec.unschedulable"],
        Kind::Namespace => &["status.phase"],
        Kind::Secret => &["type"],
        Kind::Service => &["spec.clusterIP", "spec.type"],
        Kind::Job => &["status.successful"],
        Kind::ReplicaSet => &["status.replicas"],
        Kind::Event => &[
            "involvedObject.kind",
            "involvedObject.namespace",
            "involvedObject.name",
            "involvedObject.uid",
            "involvedObject.apiVersion",
            "involvedObject.resourceVersion",
            "involvedObject.fieldPath",
            "reason",
            "reportingComponent",
            "source",
            "type",
        ],
        _ => &[],
    }
}

fn check_field(kind: Kind, field: &str) -> Result<(), String> {
    let general = matches!(field, "metadata.name" | "metadata.namespace");
    if general || fields_of(kind).contains(&field) {
        return Ok(());
    }
    Err(match kind {
        Kind::Job => format!("field label \"{field}\" not supported for batchv1.Job"),
        kind if fields_of(kind).is_empty() => {
            format!("\"{field}\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\"")
        }
        _ => format!("field label not supported: {field}"),
    })
}

/// The field as text; a field that is not there is empty (or its type's zero).
fn field_value(object: &Object, field: &str) -> String {
    let value = object.value();
    match (object.kind(), field) {
        (Kind::Job, "status.successful") => value.i64_at("status.succeeded").unwrap_or(0).to_string(),
        (Kind::Event, "source") => {
            let component = value.str_at("source.component").filter(|c| !c.is_empty());
            component.or_else(|| value.str_at("reportingComponent")).unwrap_or_default().to_owned()
        }
        (Kind::Pod, "spec.hostNetwork") | (Kind::Node, "spec.unschedulable") => {
            value.bool_at(field).unwrap_or(false).to_string()
        }
        _ => match value.at(field) {
            Value::Null => String::new(),
            Value::Str(text) => text.to_string(),
            other => other.to_json(),
        },
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn label_selectors_choose() {
        let labels: StringMap = [("app", "queue"), ("n", "5"), ("empty", "")].map(|(k, v)| (k.into(), v.into())).into();
        for (text, expected) in [
            ("", true),
            ("app=queue", true),
            ("app==queue,n", true),
            ("app!=queue", false),
            ("app in (queue, web)", true),
            ("app notin (queue)", false),
            ("tier notin (x)", true),
            ("!tier", true),
            ("! app", false),
            ("n>4,n<6", true),
            ("empty=", true),
            ("empty in ()", true),
        ] {
            assert_eq!(Labels::parse(text).unwrap().matches(&labels), expected, "{text}");
        }
    }

    #[test]
    fn mistakes_have_the_servers_words() {
        for (text, expected) in [
            ("a=b=c", "found '=', expected: ',' or 'end of string'"),
            ("a,", "found '', expected: identifier after ','"),
            (",a", "found ',', expected: !, identifier, or 'end of string'"),
            ("a in b", "unable to parse requirement: found 'b' expected: '('"),
            ("a in (b", "unable to parse requirement: found '', expected: ')'"),
            ("a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"),
        ] {
            assert_eq!(Labels::parse(text).unwrap_err(), expected, "{text}");
        }
        for (text, expected) in [
            ("foo=bar", "field label not supported: foo"),
            ("foo", "invalid selector: 'foo'; can't understand 'foo'"),
            ("status.phase=a=b", "invalid field selector: unescaped character in value: ="),
        ] {
            assert_eq!(Fields::parse(text, Kind::Pod).unwrap_err(), expected, "{text}");
        }
    }

    #[test]
    fn field_selectors_choose() {
        let pod = Value::from_json(r#"{"metadata":{"name":"p"},"status":{"phase":"Running"}}"#).unwrap();
        let pod = Object::new(Kind::Pod, pod, 1);
        for (text, expected) in [
            ("status.phase=Running", true),
            ("status.phase!=Running", false),
            ("metadata.name==p,spec.nodeName=", true),
            ("spec.hostNetwork=false", true),
        ] {
            assert_eq!(Fields::parse(text, Kind::Pod).unwrap().matches(&pod), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(text in "[a-c=!(),<> .\\\\]{0,20}|.{0,20}") {
            let _ = Labels::parse(&text);
            let _ = Fields::parse(&text, Kind::Pod);
        }
    }
}
