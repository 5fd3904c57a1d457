//! `cargo xtask serve`: builds the page, serves it on the loopback address, rebuilds and reloads when a file changes.
//!
//! Its own server on `tiny_http` (4 small crates) and not `xtask-wasm`: that needs 76 crates (clap, notify,
//! cargo_metadata …) where everything here needs 57, and it packs a package's library only, while our page is a binary.
//! What is served lies in `target/serve/`, never in `dist/`, so a quick build cannot be published by mistake.

use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use tiny_http::{Header, Request, Response, Server};

use crate::page::{self, Profile};
use crate::proc;
use crate::watch::Watcher;

/// Asks the server for the next version and reloads when there is one. A module of its own: the page's
/// Content-Security-Policy allows no inline script.
const RELOAD_JS: &str = "\
let version;
for (;;) {
  try {
    const answer = await (await fetch(`__reload?since=${version ?? ''}`, { cache: 'no-store' })).text();
    if (version !== undefined && answer !== version) location.reload();
    version = answer;
  } catch {
    await new Promise((done) => setTimeout(done, 1000));
  }
}
";

/// How long the answer to `__reload` is held back before it says that nothing is new.
const HOLD: Duration = Duration::from_secs(25);

/// What `serve` was asked for.
#[derive(Debug, PartialEq, Eq)]
pub struct Options {
    port: u16,
    watch: bool,
    release: bool,
}

impl Options {
    /// Reads the arguments after `serve`.
    pub fn parse(arguments: &[String]) -> Result<Self> {
        let mut options = Options { port: 8080, watch: true, release: false };
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            let port = |text: &str| text.parse().map_err(|_| anyhow!("`{text}` is not a port (1 to 65535)"));
            match argument.as_str() {
                "--no-watch" => options.watch = false,
                "--release" => options.release = true,
                "--port" => options.port = port(rest.next().context("--port needs a number")?)?,
                other => match other.strip_prefix("--port=") {
                    Some(text) => options.port = port(text)?,
                    None => bail!("`serve` knows --port N, --no-watch and --release, not `{other}`"),
                },
            }
        }
        Ok(options)
    }
}

/// The number of the build being served, and a bell that rings when it grows.
#[derive(Default)]
struct Version {
    number: Mutex<u64>,
    bell: Condvar,
}

impl Version {
    fn next(&self) {
        *self.number.lock().expect("no thread panics while it holds the number") += 1;
        self.bell.notify_all();
    }

    /// The version as soon as it differs from `since`, or after [`HOLD`].
    fn wait(&self, since: Option<u64>) -> u64 {
        let number = self.number.lock().expect("no thread panics while it holds the number");
        let same = |number: &mut u64| Some(*number) == since;
        *self.bell.wait_timeout_while(number, HOLD, same).expect("no thread panics while it holds the number").0
    }
}

/// Builds, serves until the program is stopped. A build that fails later is printed, and the old page stays.
pub fn serve(options: &Options) -> Result<()> {
    // Before the build, so that a port in use is told at once and not minutes later.
    let server = Server::http((Ipv4Addr::LOCALHOST, options.port))
        .map_err(|error| anyhow!("cannot listen on 127.0.0.1:{}: {error} (try --port)", options.port))?;
    let profile = if options.release { Profile::Small } else { Profile::Quick };
    let folder = proc::root().join("target/serve");
    let mut watcher = Watcher::new();
    let started = Instant::now();
    page::build(profile, &folder)?;
    println!("built in {:.1} s", started.elapsed().as_secs_f64());
    println!("serving http://{}/ (stop with Ctrl-C)", server.server_addr());

    let version = Arc::new(Version::default());
    if options.watch {
        let (folder, version) = (folder.clone(), Arc::clone(&version));
        thread::spawn(move || {
            loop {
                watcher.wait_for_change();
                let started = Instant::now();
                match page::build(profile, &folder) {
                    Ok(_) => {
                        println!("rebuilt in {:.1} s", started.elapsed().as_secs_f64());
                        version.next();
                    }
                    Err(error) => eprintln!("error: {error:#}\nthe page stays as it was"),
                }
            }
        });
    }
    for request in server.incoming_requests() {
        let (folder, version) = (folder.clone(), Arc::clone(&version));
        let watch = options.watch;
        // One thread a request, as an answer to `__reload` is held back. The client going away is no error of ours.
        thread::spawn(move || drop(answer(request, &folder, watch.then_some(&version))));
    }
    Ok(())
}

fn answer(request: Request, folder: &Path, version: Option<&Arc<Version>>) -> std::io::Result<()> {
    let (path, query) = match request.url().split_once('?') {
        Some((path, query)) => (path.to_owned(), query.to_owned()),
        None => (request.url().to_owned(), String::new()),
    };
    if let Some(version) = version {
        match path.as_str() {
            "/__reload.js" => return send(request, "js", RELOAD_JS.into()),
            "/__reload" => {
                let since = query.strip_prefix("since=").and_then(|since| since.parse().ok());
                return send(request, "txt", version.wait(since).to_string().into());
            }
            _ => {}
        }
    }
    let Some(file) = file_of(folder, &path) else { return not_found(request) };
    let Ok(mut bytes) = fs::read(&file) else { return not_found(request) };
    let ending = file.extension().and_then(|ending| ending.to_str()).unwrap_or("");
    if ending == "html" && version.is_some() {
        let script = "<script type=\"module\" src=\"__reload.js\"></script></head>";
        bytes = String::from_utf8_lossy(&bytes).replacen("</head>", script, 1).into();
    }
    send(request, ending, bytes)
}

/// The file that an address names, never one outside of `folder`.
fn file_of(folder: &Path, path: &str) -> Option<PathBuf> {
    let mut file = folder.to_path_buf();
    for part in path.split('/').filter(|part| !part.is_empty()) {
        let part = percent_decoded(part)?;
        if part.starts_with('.') || part.contains(['/', '\\', ':', '\0']) {
            return None;
        }
        file.push(part);
    }
    if path.ends_with('/') {
        file.push("index.html");
    }
    Some(file)
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
            bytes.push((digit(rest.next())? * 16 + digit(rest.next())?) as u8);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

/// The MIME type of a file ending; browsers refuse modules and streamed wasm under a wrong one.
fn mime(ending: &str) -> &'static str {
    match ending {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "wasm" => "application/wasm",
        "json" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "txt" | "md" | "yaml" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

fn send(request: Request, ending: &str, bytes: Vec<u8>) -> std::io::Result<()> {
    let header = |name: &str, value: &str| {
        Header::from_bytes(name.as_bytes(), value.as_bytes()).expect("our own headers are plain ASCII")
    };
    let response = Response::from_data(bytes)
        .with_header(header("Content-Type", mime(ending)))
        .with_header(header("Cache-Control", "no-store"))
        .with_header(header("X-Content-Type-Options", "nosniff"))
        // A sandboxed frame has an origin of its own and may load modules only with this.
        .with_header(header("Access-Control-Allow-Origin", "*"));
    request.respond(response)
}

fn not_found(request: Request) -> std::io::Result<()> {
    request.respond(Response::from_string("not found").with_status_code(404))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_its_arguments() {
        let parse = |line: &str| Options::parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
        let plain = Options { port: 8080, watch: true, release: false };
        assert_eq!(parse("").unwrap(), plain);
        assert_eq!(parse("--port 9000 --no-watch").unwrap(), Options { port: 9000, watch: false, ..plain });
        assert_eq!(parse("--release --port=9000").unwrap(), Options { port: 9000, watch: true, release: true });
        for wrong in ["--port", "--port x", "--port=70000", "--open"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn addresses_stay_inside_the_folder() {
        let file = |path| file_of(Path::new("page"), path).map(|file| file.to_string_lossy().replace('\\', "/"));
        assert_eq!(file("/").as_deref(), Some("page/index.html"));
        assert_eq!(file("/lessons/a%20b.md").as_deref(), Some("page/lessons/a b.md"));
        for outside in ["/../Cargo.toml", "/%2e%2e/Cargo.toml", "/a/%2e%2e%2fb", "/.git/config", "/c:", "/%zz", "/%ff"]
        {
            assert_eq!(file(outside), None, "{outside}");
        }
    }

    #[test]
    fn a_new_version_is_told_at_once() {
        let version = Version::default();
        assert_eq!(version.wait(None), 0);
        version.next();
        assert_eq!(version.wait(Some(0)), 1);
    }
}
