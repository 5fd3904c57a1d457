//! kuard, the tutorials' program: it serves a few pages and a memory queue, and makes keys, by itself or from a queue.
//!
//! Rule: `docs/semantics/kuard.md`, recorded in `oneshot-success`, `work-queue` and `work-queue-tutorial`. A key is not
//! really made: it takes a drawn time (`item` of the image's entry in `static/images.yaml`).

use crate::program::http::{NetError, Request, Response};
use crate::program::kuard_flags::Config;
use crate::program::machine::{Machine, RequestId};
use crate::program::memq::MemQ;
use shell::{Io, Poll};
use values::time::{SimTime, Span};

/// How long the worker waits before it asks again.
const RETRY_AFTER: Span = Span::secs(1);

/// The least and the most time that one key takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ItemTime {
    pub least: Span,
    pub most: Span,
}

#[derive(Clone, PartialEq, Debug)]
pub struct Kuard {
    argv: Vec<String>,
    item: ItemTime,
    config: Config,
    memq: MemQ,
    work: Work,
    /// Keys made so far.
    made: i64,
    started_at: SimTime,
    /// How many health checks are still to fail; below zero: all.
    liveness_fails: i64,
    readiness_fails: i64,
}

/// What the key generator is doing.
#[derive(Clone, PartialEq, Debug)]
enum Work {
    NotStarted,
    /// Only serving.
    Idle,
    /// Making a key until then.
    Making(SimTime),
    /// A request to the queue is open.
    Asking(RequestId),
    /// Making a key for a message until then.
    MakingForQueue(SimTime),
    /// Asks the queue again then.
    Retrying(SimTime),
}

impl Kuard {
    pub fn new(argv: Vec<String>, item: ItemTime) -> Kuard {
        Kuard {
            argv,
            item,
            config: Config::default(),
            memq: MemQ::default(),
            work: Work::NotStarted,
            made: 0,
            started_at: SimTime::EPOCH,
            liveness_fails: 0,
            readiness_fails: 0,
        }
    }

    /// The port it listens on, once it runs.
    pub fn listens_on(&self) -> Option<u16> {
        (self.work != Work::NotStarted).then(|| self.config.port())
    }

    pub fn poll(&mut self, machine: &mut Machine<'_>, io: &mut Io) -> Poll {
        let now = machine.now;
        match self.work {
            Work::NotStarted => match Config::parse(&self.argv) {
                Ok(config) => {
                    self.config = config;
                    self.start(machine, io)
                }
                Err(refusal) => {
                    io.err(&refusal.stderr);
                    Poll::Exit(refusal.exit_code)
                }
            },
            Work::Idle => Poll::Wait,
            Work::Making(until) if now < until => Poll::SleepUntil(until),
            Work::Making(_) => self.made_one(machine, io),
            Work::MakingForQueue(until) if now < until => Poll::SleepUntil(until),
            Work::MakingForQueue(_) => {
                log(io, now, &format!("Item done: {}", fingerprint(machine)));
                self.ask(machine)
            }
            Work::Retrying(at) if now < at => Poll::SleepUntil(at),
            Work::Retrying(_) => self.ask(machine),
            Work::Asking(id) => match machine.net.take(id) {
                Some(answer) => self.heard(answer, machine, io),
                None => Poll::Wait,
            },
        }
    }

    fn start(&mut self, machine: &mut Machine<'_>, io: &mut Io) -> Poll {
        let now = machine.now;
        self.started_at = now;
        self.liveness_fails = self.config.liveness_fail_next;
        self.readiness_fails = self.config.readiness_fail_next;
        let stars = "*".repeat(70);
        for line in ["Starting kuard version: test", &stars, "* WARNING: This server may expose sensitive"] {
            log(io, now, line);
        }
        log(io, now, "* and secret information. Be careful.");
        log(io, now, &stars);
        log(io, now, &format!("Config: \n{}", self.config.json()));
        let from_queue = !self.config.memq_server.is_empty() && !self.config.memq_queue.is_empty();
        if self.config.enable && from_queue {
            log(io, now, "MemQ Worker starting");
        }
        log(io, now, "Could not find certificates to serve TLS");
        log(io, now, &format!("Serving on HTTP on {}", self.config.address));
        if !self.config.enable {
            self.work = Work::Idle;
            return Poll::Wait;
        }
        if from_queue {
            return self.ask(machine);
        }
        log(io, now, "(ID 0) Workload starting");
        self.make_next(machine, io)
    }

    fn make_next(&mut self, machine: &mut Machine<'_>, io: &mut Io) -> Poll {
        let Config { num_to_gen, time_to_run_seconds, .. } = self.config;
        let all_made = num_to_gen > 0 && self.made >= num_to_gen;
        let time_is_up =
            time_to_run_seconds > 0 && machine.now.since(self.started_at) >= Span::secs(time_to_run_seconds);
        if all_made || time_is_up {
            log(io, machine.now, "(ID 0) Workload exiting");
            return self.complete();
        }
        let until = machine.now + self.item_time(machine);
        self.work = Work::Making(until);
        Poll::SleepUntil(until)
    }

    fn made_one(&mut self, machine: &mut Machine<'_>, io: &mut Io) -> Poll {
        self.made += 1;
        let of = if self.config.num_to_gen > 0 { self.config.num_to_gen.to_string() } else { "Inf".into() };
        log(io, machine.now, &format!("(ID 0 {}/{of}) Item done: {}", self.made, fingerprint(machine)));
        self.make_next(machine, io)
    }

    fn ask(&mut self, machine: &mut Machine<'_>) -> Poll {
        let url = format!("{}/queues/{}/dequeue", self.config.memq_server, self.config.memq_queue);
        let request = Request::to_url("POST", &url).unwrap_or_default();
        self.work = Work::Asking(machine.net.send(request));
        Poll::Wait
    }

    fn heard(&mut self, answer: Result<Response, NetError>, machine: &mut Machine<'_>, io: &mut Io) -> Poll {
        let trouble = match answer {
            Ok(response) if response.status == 204 => {
                if self.config.exit_on_complete {
                    return self.complete();
                }
                "Queue is empty.".to_owned()
            }
            Ok(response) if response.status < 300 => {
                let until = machine.now + self.item_time(machine);
                self.work = Work::MakingForQueue(until);
                return Poll::SleepUntil(until);
            }
            Ok(response) => {
                format!("Error talking to server: HTTP Error: {} {}.", response.status, response.reason())
            }
            Err(error) => format!("Error talking to server: {}.", self.go_error(&error)),
        };
        log(io, machine.now, &format!("{trouble} Retrying after 1s."));
        let again = machine.now + RETRY_AFTER;
        self.work = Work::Retrying(again);
        Poll::SleepUntil(again)
    }

    fn complete(&mut self) -> Poll {
        self.work = Work::Idle;
        if self.config.exit_on_complete { Poll::Exit((self.config.exit_code & 0xff) as i32) } else { Poll::Wait }
    }

    /// A failed request as Go's client words it.
    fn go_error(&self, error: &NetError) -> String {
        let url = format!("{}/queues/{}/dequeue", self.config.memq_server, self.config.memq_queue);
        let why = match error {
            NetError::NoSuchHost { host } => format!("dial tcp: lookup {host}: no such host"),
            NetError::Refused { address, port } => format!("dial tcp {address}:{port}: connect: connection refused"),
            NetError::TimedOut { address, port } => format!("dial tcp {address}:{port}: i/o timeout"),
            NetError::Closed { .. } => "EOF".into(),
        };
        format!("Post \"{url}\": {why}")
    }

    fn item_time(&self, machine: &mut Machine<'_>) -> Span {
        Span::ms(machine.draw("kuard-item").between(self.item.least.as_ms(), self.item.most.as_ms()))
    }

    /// Answers a request to the port it listens on.
    pub fn serve(&mut self, request: &Request, machine: &mut Machine<'_>) -> Response {
        let now = machine.now;
        if let Some(response) = self.memq.serve(request, now, &mut machine.draw("memq")) {
            return response;
        }
        match request.path_only() {
            "/" => page(machine.host_name),
            "/healthy" => probe(&mut self.liveness_fails),
            "/ready" => probe(&mut self.readiness_fails),
            "/healthy/api" => probe_switch(&mut self.liveness_fails, request),
            "/ready/api" => probe_switch(&mut self.readiness_fails, request),
            _ => Response::error(404, "404 page not found"),
        }
    }
}

fn probe(fails: &mut i64) -> Response {
    if *fails == 0 {
        return Response::text(200, "ok");
    }
    *fails -= i64::from(*fails > 0);
    Response::text(500, "fail")
}

/// `PUT {"failNext": N}` makes the next N checks fail; below zero, all.
fn probe_switch(fails: &mut i64, request: &Request) -> Response {
    if request.method == "PUT" {
        let text = String::from_utf8_lossy(&request.body);
        let value = values::value::Value::from_json(&text).unwrap_or_default();
        *fails = value.i64_at("failNext").unwrap_or(0);
    }
    Response::text(200, &format!("{{\"failNext\":{fails}}}\n"))
}

fn page(host_name: &str) -> Response {
    let body = format!("<!doctype html>\n<html><head><title>KUAR Demo</title></head><body>{host_name}</body></html>\n");
    let headers = vec![("Content-Type".to_owned(), "text/html".to_owned())];
    Response { status: 200, headers, body: body.into_bytes() }
}

/// Go's `log.Printf`: date and time, then the text.
fn log(io: &mut Io, now: SimTime, text: &str) {
    io.err(&format!("{} {text}\n", now.format("%Y/%m/%d %H:%M:%S")));
}

/// A key's fingerprint: 32 bytes in base 64 without padding.
fn fingerprint(machine: &mut Machine<'_>) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut stream = machine.draw("kuard-key");
    let letters: String = (0..42).map(|_| char::from(LETTERS[(stream.next() % 64) as usize])).collect();
    // The 43rd letter holds the last four bits only.
    let last = char::from(LETTERS[(stream.next() % 16) as usize * 4]);
    format!("SHA256:{letters}{last}")
}
