//! `kubectl cp`: a file from this machine into a container, or from a container to this machine.
//!
//! Rule: a container is reached by a command in it. kubectl's is `tar`; here it is `cat`, which more images have, so single files
//! are copied and folders are not. What the command says stands, when copying out, on standard output.
//! Source: `kubectl/pkg/cmd/cp/{cp,filespec}.go`.

use crate::host::Desk;
use crate::kubectl::flags::{Flag, Takes, flag};
use crate::kubectl::{Call, Outcome, Verb, Waiting, common, exec, resource};
use api::kind::Kind;
use cluster::node::{ExecHandle, ExecState};
use shell::host::resolve;
use shell::{Io, Poll, Stream};

pub const VERB: Verb = Verb {
    name: "cp",
    summary: "Copy files into containers and out of them",
    usage: "kubectl cp <file-spec-src> <file-spec-dest>",
    flags: FLAGS,
    run,
};

const FLAGS: &[Flag] = &[
    common::CONTAINER,
    flag("no-preserve", Takes::Nothing, "Do not keep owner and rights").default("false"),
    flag("retries", Takes::Number, "How often to try again").default("0"),
];

/// Puts its input into a file, or into a folder under a name.
const RECEIVE: &str = "if [ -d \"$1\" ]; then cat > \"$1/$2\"; else cat > \"$1\"; fi";

/// A file that is on its way.
#[derive(Clone, Debug)]
pub struct Copying {
    handle: ExecHandle,
    /// The file of this machine that is written, and the file in the container.
    out: Option<(String, String)>,
    bytes: Vec<u8>,
}

/// `[[NAMESPACE/]POD:]PATH`
struct Place {
    namespace: Option<String>,
    pod: String,
    path: String,
}

impl Place {
    fn parse(text: &str) -> Result<Place, String> {
        let wrong = || Err("filespec must match the canonical format: [[namespace/]pod:]file/path".to_owned());
        let Some((pod, path)) = text.split_once(':') else {
            return Ok(Place { namespace: None, pod: String::new(), path: text.to_owned() });
        };
        match pod.split('/').collect::<Vec<_>>().as_slice() {
            [""] => wrong(),
            [pod] => Ok(Place { namespace: None, pod: (*pod).to_owned(), path: path.to_owned() }),
            [namespace, pod] => {
                Ok(Place { namespace: Some((*namespace).to_owned()), pod: (*pod).to_owned(), path: path.to_owned() })
            }
            _ => wrong(),
        }
    }
}

fn run(call: &mut Call<'_, '_>) -> Outcome {
    let [from, to] = call.parsed.args.as_slice() else { return call.fail("source and destination are required") };
    let (from, to) = match (Place::parse(from), Place::parse(to)) {
        (Ok(from), Ok(to)) => (from, to),
        (Err(text), _) | (_, Err(text)) => return call.fail(&text),
    };
    let started = match (from.pod.is_empty(), to.pod.is_empty()) {
        (false, false) => return call.fail("one of src or dest must be a local file specification"),
        (true, true) => return call.fail("one of src or dest must be a remote file specification"),
        _ if from.path.is_empty() || to.path.is_empty() => return call.fail("filepath can not be empty"),
        (false, true) => from_pod(call, &from, &to.path),
        (true, false) => to_pod(call, &from.path, &to),
    };
    started.map_or_else(|outcome| outcome, |copying| Outcome::Waits(Waiting::Copy(copying)))
}

fn begin(call: &mut Call<'_, '_>, place: &Place, command: &[&str]) -> Result<ExecHandle, Outcome> {
    if let Some(namespace) = &place.namespace {
        call.namespace = namespace.clone();
    }
    let store = call.desk.cluster.store();
    resource::get(store, Kind::Pod, call.namespace(), &place.pod).map_err(|error| call.refuse(&error))?;
    let (pod, container) = exec::target(call, &place.pod)?;
    let command: Vec<String> = command.iter().map(|word| (*word).to_owned()).collect();
    call.desk.cluster.exec(&pod, &container, &command, Io::default()).map_err(|text| {
        let name = command.first().map(String::as_str).unwrap_or_default();
        call.fail(&format!("{name} is needed in the container to copy files: {text}"))
    })
}

fn to_pod(call: &mut Call<'_, '_>, path: &str, to: &Place) -> Result<Copying, Outcome> {
    let local = resolve(&call.args.cwd, path);
    let info = call.desk.files.info(&local);
    let info = info.map_err(|_| call.fail(&format!("{path} doesn't exist in local filesystem")))?;
    if info.directory {
        return Err(call.fail(&format!("{path} is a folder: here only single files are copied")));
    }
    let bytes = call.desk.files.read(&local).map_err(|error| call.fail(&error.to_string()))?;
    let base = local.rsplit('/').next().unwrap_or_default();
    let handle = begin(call, to, &["sh", "-c", RECEIVE, "cp", &to.path, base])?;
    call.desk.cluster.exec_input(&handle, &bytes, true);
    Ok(Copying { handle, out: None, bytes: Vec::new() })
}

fn from_pod(call: &mut Call<'_, '_>, from: &Place, to: &str) -> Result<Copying, Outcome> {
    let mut local = resolve(&call.args.cwd, to);
    let base = from.path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    if call.desk.files.info(&local).is_ok_and(|info| info.directory) {
        local = resolve(&local, base);
    }
    // What is said about the container comes with the output here.
    let before = std::mem::take(&mut call.io.output);
    let handle = begin(call, from, &["cat", &from.path]);
    let mut said = std::mem::replace(&mut call.io.output, before);
    for chunk in said.take() {
        let stream = if handle.is_ok() { Stream::Stdout } else { chunk.stream };
        call.io.output.write(stream, &chunk.bytes);
    }
    let handle = handle?;
    if from.path.starts_with('/') {
        call.desk.cluster.exec_input(&handle, &[], true);
    }
    Ok(Copying { handle, out: Some((local, from.path.clone())), bytes: Vec::new() })
}

impl Copying {
    pub fn poll(&mut self, desk: &mut Desk<'_>, io: &mut Io) -> Poll {
        let (chunks, state) = desk.cluster.exec_poll(&self.handle);
        for chunk in chunks {
            match (chunk.stream, &self.out) {
                (Stream::Stdout, _) => self.bytes.extend(chunk.bytes),
                (Stream::Stderr, Some(_)) => {}
                (Stream::Stderr, None) => io.output.write(Stream::Stderr, &chunk.bytes),
            }
        }
        let ExecState::Exited(code) = state else {
            *desk.listens = true;
            return Poll::Wait;
        };
        desk.cluster.exec_end(&self.handle);
        let now = desk.cluster.now();
        let Some((local, remote)) = &self.out else {
            if code != 0 {
                io.err(&format!("command terminated with exit code {code}\n"));
            }
            return Poll::Exit(code);
        };
        if code != 0 {
            // A file that is not there is told by tar, and kubectl finds an empty archive.
            io.out(&format!(
                "tar: {remote}: No such file or directory\ntar: error exit delayed from previous errors\n"
            ));
            return Poll::Exit(0);
        }
        if remote.starts_with('/') {
            io.out("tar: removing leading '/' from member names\n");
        }
        match desk.files.write(local, &self.bytes, false, now) {
            Ok(()) => Poll::Exit(0),
            Err(error) => {
                io.err(&format!("error: {local}: {error}\n"));
                Poll::Exit(1)
            }
        }
    }

    /// Ends it before it is done.
    pub fn cancel(&mut self, desk: &mut Desk<'_>) {
        desk.cluster.exec_end(&self.handle);
    }
}
