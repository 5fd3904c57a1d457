//! HTTP as container programs speak it: a request, an answer, or why there was none.
//!
//! Rule: nobody blocks. A program hands a [`Request`] to its machine and is polled again when the [`Answer`] is there; a
//! server answers a request in one call. How a name becomes a Pod is `net`'s business.

/// Header lines in the order in which they were written.
pub type Headers = Vec<(String, String)>;

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Request {
    pub method: String,
    /// The name or address as the client wrote it.
    pub host: String,
    pub port: u16,
    /// With the query, from the first slash.
    pub path: String,
    pub headers: Headers,
    pub body: Vec<u8>,
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Response {
    pub status: u16,
    pub headers: Headers,
    pub body: Vec<u8>,
}

/// Why no answer came.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NetError {
    /// The name stands for nothing, or (with `Routing::First`) for a Service without ready endpoints.
    NoSuchHost { host: String },
    /// Nobody listens there.
    Refused { address: String, port: u16 },
    /// The machine behind the address does not answer.
    TimedOut { address: String, port: u16 },
    /// The server ended before it had answered.
    Closed { address: String, port: u16 },
}

pub type Answer = Result<Response, NetError>;

impl Request {
    /// The method of a client that asks only whether someone listens, and speaks another protocol than HTTP.
    pub const CONNECT: &str = "CONNECT";

    /// Reads `http://host:port/path`; the scheme may be left out. `None` if there is no host.
    pub fn to_url(method: &str, url: &str) -> Option<Request> {
        let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
        let (authority, path) = match rest.find(['/', '?']) {
            Some(at) => rest.split_at(at),
            None => (rest, "/"),
        };
        let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) => (host, port.parse().ok()?),
            None => (authority, if scheme == "https" { 443 } else { 80 }),
        };
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        (!host.is_empty()).then(|| Request {
            method: method.into(),
            host: host.into(),
            port,
            path,
            ..Request::default()
        })
    }

    /// The path without its query.
    pub fn path_only(&self) -> &str {
        self.path.split(['?', '#']).next().unwrap_or("/")
    }

    /// The value of `name` in the query, undecoded.
    pub fn query(&self, name: &str) -> Option<&str> {
        let (_, query) = self.path.split_once('?')?;
        query.split('&').filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name).map(|(_, value)| value)
    }
}

impl Response {
    /// A plain text answer.
    pub fn text(status: u16, body: &str) -> Response {
        let kind = ("Content-Type".to_owned(), "text/plain; charset=utf-8".to_owned());
        Response { status, headers: vec![kind], body: body.as_bytes().to_vec() }
    }

    /// An error as Go's `http.Error` writes it: the text and a newline, not to be sniffed.
    pub fn error(status: u16, text: &str) -> Response {
        let mut response = Response::text(status, &format!("{text}\n"));
        response.headers.push(("X-Content-Type-Options".into(), "nosniff".into()));
        response
    }

    /// `200 OK` without the number.
    pub fn reason(&self) -> &'static str {
        reason_of(self.status)
    }

    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// The words behind a status code (RFC 9110).
pub fn reason_of(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        204 => "No Content",
        301 => "Moved Permanently",
        302 => "Found",
        304 => "Not Modified",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_taken_apart() {
        for (url, want) in [
            ("http://queue:8080/memq/server", Some(("queue", 8080, "/memq/server"))),
            ("queue", Some(("queue", 80, "/"))),
            ("https://a.b/?x=1", Some(("a.b", 443, "/?x=1"))),
            ("http://host?x=1", Some(("host", 80, "/?x=1"))),
            ("http://:80/", None),
            ("http://a:b/", None),
        ] {
            let got = Request::to_url("GET", url);
            let got = got.as_ref().map(|r| (r.host.as_str(), r.port, r.path.as_str()));
            assert_eq!(got, want, "{url}");
        }
        assert_eq!(Request::to_url("GET", "h/p?a=1&b=2").unwrap().query("b"), Some("2"));
    }
}
