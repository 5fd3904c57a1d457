//! kuard's memory queue: queues by name, their messages, and the HTTP interface under `/memq/server`.
//!
//! Rule: `docs/semantics/kuard.md`, recorded in `work-queue` and `network-and-dns`. Source: kuard, package `memq`.

use std::collections::VecDeque;

use crate::program::http::{Request, Response, reason_of};
use values::rng::Stream;
use values::sorted::SortedMap;
use values::time::SimTime;
use values::value::Value;

const BASE_PATH: &str = "/memq/server";

#[derive(Clone, PartialEq, Debug, Default)]
pub struct MemQ {
    queues: SortedMap<String, Queue>,
}

#[derive(Clone, PartialEq, Debug, Default)]
struct Queue {
    /// Waiting messages as JSON.
    messages: VecDeque<String>,
    enqueued: u64,
    dequeued: u64,
    drained: u64,
}

impl MemQ {
    /// Answers a request below `/memq/server`; `None` if it is for somewhere else.
    pub fn serve(&mut self, request: &Request, now: SimTime, chance: &mut Stream) -> Option<Response> {
        let path = request.path_only().strip_prefix(BASE_PATH)?;
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        let method = request.method.as_str();
        Some(match parts.as_slice() {
            ["stats"] => match method {
                "GET" | "HEAD" => json(&self.stats()),
                _ => not_allowed(),
            },
            ["queues", name] => match method {
                "PUT" => self.create(name),
                "DELETE" => self.remove(name),
                _ => not_allowed(),
            },
            ["queues", name, action @ ("enqueue" | "dequeue" | "drain")] => match method {
                "POST" => self.act(name, action, request, now, chance),
                _ => not_allowed(),
            },
            _ => Response::error(404, "404 page not found"),
        })
    }

    fn create(&mut self, name: &str) -> Response {
        if self.queues.contains_key(name) {
            return Response::error(400, "already exists");
        }
        self.queues.insert(name.to_owned(), Queue::default());
        empty(200)
    }

    fn remove(&mut self, name: &str) -> Response {
        match self.queues.remove(name) {
            Some(_) => empty(200),
            None => Response::error(400, "does not exist"),
        }
    }

    fn act(&mut self, name: &str, action: &str, request: &Request, now: SimTime, chance: &mut Stream) -> Response {
        let Some(queue) = self.queues.get_mut(name) else { return Response::error(400, "does not exist") };
        match action {
            "enqueue" => {
                let message = message(&String::from_utf8_lossy(&request.body), now, chance);
                queue.messages.push_back(message.clone());
                queue.enqueued += 1;
                json(&message)
            }
            "dequeue" => match queue.messages.pop_front() {
                Some(message) => {
                    queue.dequeued += 1;
                    json(&message)
                }
                None => empty(204),
            },
            _ => {
                queue.drained += queue.messages.len() as u64;
                queue.messages.clear();
                empty(200)
            }
        }
    }

    fn stats(&self) -> String {
        let rows: Vec<String> = self
            .queues
            .iter()
            .map(|(name, q)| {
                let name = go_json_string(name);
                let (depth, enqueued, dequeued, drained) = (q.messages.len(), q.enqueued, q.dequeued, q.drained);
                format!(
                    "{{\"name\":{name},\"depth\":{depth},\"enqueued\":{enqueued},\"dequeued\":{dequeued},\
                     \"drained\":{drained}}}"
                )
            })
            .collect();
        format!("{{\"kind\":\"stats\",\"queues\":[{}]}}", rows.join(","))
    }
}

fn message(body: &str, now: SimTime, chance: &mut Stream) -> String {
    // Nanoseconds as Go prints them; the clock here has milliseconds, the rest is drawn.
    let nanos = format!("{:03}{:06}", now.millis().rem_euclid(1000), chance.between(1, 999_999));
    let created = format!("{}.{}Z", now.format("%Y-%m-%dT%H:%M:%S"), nanos.trim_end_matches('0'));
    let id = chance.hex(32);
    let body = go_json_string(body);
    format!("{{\"kind\":\"message\",\"id\":\"{id}\",\"body\":{body},\"creationTimestamp\":\"{created}\"}}")
}

/// A JSON string as Go's encoder writes it, which also escapes `<`, `>` and `&`.
fn go_json_string(text: &str) -> String {
    Value::from(text).to_json().replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

fn json(text: &str) -> Response {
    let headers = [
        ("Cache-Control", "no-cache, private, max-age=0"),
        ("Content-Type", "application/json"),
        ("Expires", "Thu, 01 Jan 1970 00:00:00 UTC"),
        ("Pragma", "no-cache"),
    ];
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Response { status: 200, headers, body: format!("{text}\n").into_bytes() }
}

fn empty(status: u16) -> Response {
    Response { status, ..Response::default() }
}

fn not_allowed() -> Response {
    Response::error(405, reason_of(405))
}

#[cfg(test)]
mod tests {
    use super::*;
    use values::rng::Rng;

    #[test]
    fn the_queue_answers_as_recorded() {
        let mut memq = MemQ::default();
        let mut chance = Rng::new(1).stream("memq", "");
        let mut ask = |method: &str, path: &str, body: &str| {
            let mut request = Request::to_url(method, &format!("localhost/memq/server{path}")).unwrap();
            request.body = body.into();
            let now = SimTime::parse_rfc3339("2026-11-21T08:49:16.165Z").unwrap();
            let response = memq.serve(&request, now, &mut chance).unwrap();
            (response.status, String::from_utf8(response.body).unwrap())
        };
        assert_eq!(ask("POST", "/queues/q/dequeue", ""), (400, "does not exist\n".into()));
        assert_eq!(ask("PUT", "/queues/q", ""), (200, String::new()));
        assert_eq!(ask("PUT", "/queues/q", ""), (400, "already exists\n".into()));
        assert_eq!(ask("GET", "/queues/q", ""), (405, "Method Not Allowed\n".into()));
        let (status, message) = ask("POST", "/queues/q/enqueue", "one");
        assert_eq!(status, 200);
        assert!(message.contains("\"body\":\"one\",\"creationTimestamp\":\"2026-11-21T08:49:16.165"), "{message}");
        ask("POST", "/queues/q/enqueue", "two");
        assert_eq!(ask("POST", "/queues/q/dequeue", ""), (200, message));
        assert_eq!(ask("POST", "/queues/q/drain", ""), (200, String::new()));
        assert_eq!(ask("POST", "/queues/q/dequeue", ""), (204, String::new()));
        let stats = "{\"kind\":\"stats\",\"queues\":[{\"name\":\"q\",\"depth\":0,\"enqueued\":2,\"dequeued\":1,\
                     \"drained\":1}]}\n";
        assert_eq!(ask("GET", "/stats", ""), (200, stats.into()));
        assert_eq!(ask("DELETE", "/queues/q", ""), (200, String::new()));
        assert_eq!(ask("GET", "/stats", "").1, "{\"kind\":\"stats\",\"queues\":[]}\n");
        assert_eq!(ask("GET", "/nothing", "").0, 404);
    }
}
