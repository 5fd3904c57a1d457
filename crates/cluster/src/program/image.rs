//! Images: what is in them, read from `static/images.yaml`, and what the registry says of those that are not there.
//!
//! Rule: no image is Rust (design §3). Known repositories stand in the file with their tags, entry points and programs;
//! every other repository is a documented default, or absent (`Unknown`).

use std::rc::Rc;

use crate::program::behaviour::{Behaviour, read_span_range};
use crate::program::kuard::ItemTime;
use crate::program::reference::Reference;
use api::pod::PodSpec;
use values::rng::Rng;
use values::sorted::SortedMap;
use values::time::Span;
use values::value::Value;

const BUILT_IN: &str = include_str!("../../../../static/images.yaml");

/// What a file in an image does when it is run.
#[derive(Clone, PartialEq, Debug)]
pub enum ProgramKind {
    Kuard(ItemTime),
    Perl,
    Scripted(Box<Behaviour>),
    /// The shell or one of the commands it knows.
    Shell,
}

/// One entry of the file.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Image {
    /// Familiar repository names, `*` at the end for any rest.
    pub names: Vec<String>,
    /// Tags that exist: each also stands for what follows it after a dot or dash. Empty: all.
    pub tags: Vec<String>,
    pub entrypoint: Vec<String>,
    pub cmd: Vec<String>,
    pub working_dir: String,
    pub env: SortedMap<String, String>,
    pub user: u32,
    pub size_bytes: i64,
    /// `sha256:…`, or empty: drawn from the name.
    pub digest: String,
    /// Tags that are on every node from the start.
    pub present: Vec<String>,
    /// How long a pull takes.
    pub pull: Option<(Span, Span)>,
    /// Which shell's commands there are: `busybox`, `busybox+bash`, `bash`, or none.
    pub shell: String,
    /// Programs by path.
    pub programs: SortedMap<String, ProgramKind>,
    /// Files by path.
    pub files: SortedMap<String, String>,
}

/// Directories of `$PATH` in which a shell's commands stand.
const BIN_DIRS: [&str; 4] = ["/bin", "/usr/bin", "/sbin", "/usr/sbin"];
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What becomes of a repository that is not in the file.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Unknown {
    /// It can be pulled and does what the entry `default` says.
    #[default]
    Default,
    /// The registry does not know it.
    Absent,
}

/// Why an image cannot be pulled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Missing {
    Repository,
    Tag,
}

/// All images there are. Cheap to copy.
#[derive(Clone, PartialEq, Debug)]
pub struct Images {
    table: Rc<Table>,
    pub unknown: Unknown,
}

#[derive(Clone, PartialEq, Debug, Default)]
struct Table {
    images: Vec<Rc<Image>>,
    /// The entry for repositories that are not in the file.
    default: Rc<Image>,
    /// Parts of repository names that never exist.
    absent: Vec<String>,
}

impl Images {
    /// The images of `static/images.yaml`.
    pub fn built_in() -> Images {
        Images::read(BUILT_IN).expect("the checked-in table is right; a test reads it")
    }

    /// Reads a table.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(text: &str) -> Result<Images, String> {
        let value = parse(text)?;
        let images: Result<Vec<Rc<Image>>, String> =
            value.list_at("images").iter().map(|v| Image::read(v).map(Rc::new)).collect();
        let default = Rc::new(Image::read(value.at("default"))?);
        let table = Table { images: images?, default, absent: strings(value.at("absent")) };
        Ok(Images { table: Rc::new(table), unknown: Unknown::Default })
    }

    /// What stands behind a name. `described` says that the Pod itself tells what the image does, so that it exists.
    ///
    /// # Errors
    /// What the registry does not have.
    pub fn find(&self, reference: &Reference, described: bool) -> Result<Rc<Image>, Missing> {
        let name = reference.familiar();
        let Some(image) = self.table.images.iter().find(|image| image.is_named(name)) else {
            let absent = self.unknown == Unknown::Absent || self.table.absent.iter().any(|part| name.contains(part));
            return if absent && !described { Err(Missing::Repository) } else { Ok(Rc::clone(&self.table.default)) };
        };
        let tag_is_there = reference.tag.as_deref().is_none_or(|tag| image.has_tag(tag));
        if tag_is_there || described { Ok(Rc::clone(image)) } else { Err(Missing::Tag) }
    }

    /// Whether a container of the Pod may start a shell, or a command that comes with one: all but those that only run
    /// a program of their image, named by its path.
    pub fn may_start_shell(&self, pod: &PodSpec) -> bool {
        pod.init_containers.iter().chain(&pod.containers).any(|container| {
            let probes = [&container.startup_probe, &container.liveness_probe, &container.readiness_probe];
            let runs_commands = probes.into_iter().flatten().any(|probe| probe.exec.is_some());
            let image = Reference::parse(&container.image).ok().and_then(|reference| self.find(&reference, true).ok());
            let is_program = image.is_some_and(|image| {
                let own = image.entrypoint.first().or(container.args.first()).or(image.cmd.first());
                container.command.first().or(own).is_some_and(|path| image.programs.contains_key(path))
            });
            runs_commands || !container.lifecycle.is_null() || !is_program
        })
    }

    /// The full names of what is on every node from the start.
    pub fn present(&self) -> impl Iterator<Item = String> {
        let full = |name: &str, tag: &str| Reference::parse(&format!("{name}:{tag}")).map(|r| r.full());
        let whole = |image: &'_ Rc<Image>| image.names.iter().filter(|name| !name.contains('*')).cloned().collect();
        self.table
            .images
            .iter()
            .flat_map(move |image| {
                let names: Vec<String> = whole(image);
                image.present.iter().flat_map(move |tag| names.clone().into_iter().map(move |name| (name, tag)))
            })
            .filter_map(move |(name, tag)| full(&name, tag).ok())
    }
}

impl Image {
    fn read(value: &Value) -> Result<Image, String> {
        let text = |path: &str| value.str_at(path).unwrap_or_default().to_owned();
        let pairs = |path: &str| -> SortedMap<String, String> {
            let entries = value.map_at(path).into_iter().flat_map(|map| map.iter());
            entries.filter_map(|(k, v)| Some((k.to_owned(), v.as_str()?.to_owned()))).collect()
        };
        let mut image = Image {
            names: strings(value.at("names")),
            tags: strings(value.at("tags")),
            entrypoint: strings(value.at("entrypoint")),
            cmd: strings(value.at("command")),
            working_dir: text("workingDir"),
            env: pairs("env"),
            user: value.i64_at("user").and_then(|user| u32::try_from(user).ok()).unwrap_or(0),
            size_bytes: value.i64_at("size").unwrap_or(0),
            digest: text("digest"),
            present: strings(value.at("present")),
            pull: read_span_range(value.at("pull")),
            shell: text("shell"),
            programs: SortedMap::new(),
            files: pairs("files"),
        };
        for (path, program) in value.map_at("programs").into_iter().flat_map(|map| map.iter()) {
            let kind = ProgramKind::read(program).map_err(|why| format!("{:?} {path}: {why}", image.names))?;
            image.programs.insert(path.to_owned(), kind);
        }
        Ok(image)
    }

    fn is_named(&self, familiar: &str) -> bool {
        self.names.iter().any(|name| match name.strip_suffix('*') {
            Some(start) => familiar.starts_with(start),
            None => familiar == name,
        })
    }

    fn has_tag(&self, tag: &str) -> bool {
        self.tags.is_empty()
            || self.tags.iter().any(|known| {
                tag.strip_prefix(known.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-']))
            })
    }

    /// `docker.io/library/busybox@sha256:…`
    pub fn id(&self, reference: &Reference, rng: Rng) -> String {
        let digest = if let Some(digest) = &reference.digest {
            digest.clone()
        } else if self.digest.is_empty() {
            format!("sha256:{}", rng.stream("image-digest", &reference.full()).hex(64))
        } else {
            self.digest.clone()
        };
        format!("{}@{digest}", reference.repository)
    }

    /// Size in bytes; images that do not say have one drawn from their name.
    pub fn size(&self, reference: &Reference, rng: Rng) -> i64 {
        if self.size_bytes > 0 {
            return self.size_bytes;
        }
        rng.between("image-size", &reference.full(), 4_000_000, 90_000_000)
    }

    /// What running `name` does, with the path it is found under. `None` if there is no such program.
    pub fn program(&self, name: &str, path_variable: Option<&str>) -> Option<(String, &ProgramKind)> {
        if name.contains('/') {
            return self.program_at(name).map(|kind| (name.to_owned(), kind));
        }
        let mut dirs = path_variable.unwrap_or(PATH).split(':');
        dirs.find_map(|dir| {
            let path = format!("{dir}/{name}");
            self.program_at(&path).map(|kind| (path, kind))
        })
    }

    /// Whether a program stands at this path.
    pub fn has_program(&self, path: &str) -> bool {
        self.program_at(path).is_some()
    }

    fn program_at(&self, path: &str) -> Option<&ProgramKind> {
        if let Some(kind) = self.programs.get(path) {
            return Some(kind);
        }
        let (dir, name) = path.rsplit_once('/')?;
        (BIN_DIRS.contains(&dir) && self.shell_knows(name)).then_some(&ProgramKind::Shell)
    }

    /// The names of the programs in a directory, if it is one that programs stand in.
    pub fn programs_in(&self, directory: &str) -> Vec<String> {
        let prefix = format!("{}/", directory.trim_end_matches('/'));
        let own = self.programs.keys().filter_map(|path| path.strip_prefix(&prefix)).filter(|name| !name.contains('/'));
        let mut names: Vec<String> = own.map(str::to_owned).collect();
        let shells_place = if self.shell.starts_with("busybox") { "/bin" } else { "/usr/bin" };
        if !self.shell.is_empty() && (directory == shells_place || directory == "/bin") {
            let known = crate::program::commands::files();
            names.extend(known.into_iter().filter(|name| self.shell_knows(name)).map(str::to_owned));
        }
        names.sort();
        names.dedup();
        names
    }

    /// Whether the image's shell, or a command that comes with it, has this name.
    pub fn shell_knows(&self, name: &str) -> bool {
        let known = || crate::program::commands::comes_with(name, self.tools());
        match self.shell.as_str() {
            "" => false,
            "busybox" => name != "bash" && known(),
            "busybox+bash" => known(),
            _ => !matches!(name, "wget" | "curl" | "nslookup" | "ash") && known(),
        }
    }

    /// Whose programs the image has.
    pub fn tools(&self) -> shell::Tools {
        if self.shell.starts_with("busybox") { shell::Tools::Busybox } else { shell::Tools::Gnu }
    }

    /// `$PATH` as the image sets it.
    pub fn path_variable(&self) -> &str {
        self.env.get("PATH").map_or(PATH, String::as_str)
    }
}

impl ProgramKind {
    fn read(value: &Value) -> Result<ProgramKind, String> {
        match value.as_str().or(value.str_at("kind")) {
            Some("kuard") => {
                let (least, most) = read_span_range(value.at("item")).ok_or("item: must be a span or a range")?;
                Ok(ProgramKind::Kuard(ItemTime { least, most }))
            }
            Some("perl") => Ok(ProgramKind::Perl),
            Some("shell") => Ok(ProgramKind::Shell),
            Some(other) => Err(format!("kind: no such kind: {other}")),
            None => Behaviour::read(value).map(|behaviour| ProgramKind::Scripted(Box::new(behaviour))),
        }
    }
}

fn strings(value: &Value) -> Vec<String> {
    value.as_list().unwrap_or(&[]).iter().filter_map(|v| v.as_str().map(str::to_owned)).collect()
}

fn parse(text: &str) -> Result<Value, String> {
    let parsed = yaml::parse(text, "images.yaml");
    if let Some(error) = parsed.kubectl_error() {
        return Err(error.to_owned());
    }
    parsed.documents.first().map(|document| document.value()).ok_or_else(|| "the table is empty".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(name: &str) -> Result<Rc<Image>, Missing> {
        Images::built_in().find(&Reference::parse(name).unwrap(), false)
    }

    #[test]
    fn the_table_is_right() {
        let images = Images::built_in();
        assert!(images.present().any(|name| name == "docker.io/library/busybox:1.36"));
        for name in ["busybox:1.36", "willvelida/kuard", "gcr.io/kuar-demo/kuard-amd64:blue", "perl:5.34.0", "my/own:1"]
        {
            let image = find(name).unwrap();
            let argv: Vec<&String> = image.entrypoint.iter().chain(&image.cmd).collect();
            assert!(image.program(argv[0], None).is_some(), "{name}: {argv:?}");
        }
    }

    #[test]
    fn tags_and_repositories_that_are_not_there_are_missed() {
        assert_eq!(find("busybox:9.99").unwrap_err(), Missing::Tag);
        assert_eq!(find("busybox:nosuch").unwrap_err(), Missing::Tag);
        assert!(find("busybox:1.36.1-musl").is_ok());
        assert_eq!(find("nosuch/thing").unwrap_err(), Missing::Repository);
        let strict = Images { unknown: Unknown::Absent, ..Images::built_in() };
        let reference = Reference::parse("my/own:1").unwrap();
        assert_eq!(strict.find(&reference, false), Err(Missing::Repository));
        assert!(strict.find(&reference, true).is_ok());
    }
}
