//! Images: what is in them, read from `static/images.yaml`, and what the registry says of those that are not there.
//!
//! Rule: no image is Rust (design §3). Known repositories stand in the file with their tags, entry points and programs;
//! every other repository is a documented default, or absent (`Unknown`). Programs belong to images: one that an image of
//! the file lacks is not found. What the default image holds nobody knows, so there every program is stood in for.
//!
//! The images that a first look does not need are in `static/images-more.yaml`, which comes with the part `shells`.

use std::rc::Rc;

use crate::program::behaviour::{Behaviour, read_span_range};
use crate::program::kuard::ItemTime;
use crate::program::reference::Reference;
use crate::program::shells;
use crate::program::tool::Tool;
use api::pod::PodSpec;
use values::rng::Rng;
use values::sort::sort;
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
    /// Described by cases, see `tool`.
    Tool(Rc<Tool>),
    /// Nothing here runs it; it is taken to succeed.
    StandIn,
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
    /// Which shell's commands there are: `busybox`, `bash`, or none.
    pub shell: String,
    /// Commands of that shell which the image lacks all the same.
    lacks: Rc<Vec<String>>,
    /// Commands which it has beyond what its base has.
    has: Vec<String>,
    /// Programs by path.
    pub programs: SortedMap<String, ProgramKind>,
    /// Programs by name, in any directory of [`TOOL_DIRS`].
    tools: Rc<SortedMap<String, ProgramKind>>,
    /// Files by path.
    pub files: SortedMap<String, String>,
    /// Words of a tag (`alpine`) and the image that such tags mean.
    flavours: Vec<(String, Rc<Image>)>,
    /// Nobody knows what is in it: no program is known to be missing.
    pub unmodelled: bool,
}

/// Directories of `$PATH` in which a shell's commands stand.
const BIN_DIRS: [&str; 4] = ["/bin", "/usr/bin", "/sbin", "/usr/sbin"];
/// Directories in which other programs stand.
const TOOL_DIRS: [&str; 6] = ["/bin", "/usr/bin", "/sbin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin"];
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
    /// The images that came with the part `shells`, once one of them was needed.
    more: Option<Rc<Table>>,
    pub unknown: Unknown,
}

/// What images are built on, by name.
type Bases = SortedMap<String, Base>;

/// A shell's commands, as a distribution brings them along.
#[derive(Clone, PartialEq, Debug, Default)]
struct Base {
    shell: String,
    lacks: Rc<Vec<String>>,
    has: Vec<String>,
    /// What an image starts that does not say it.
    command: Vec<String>,
}

/// What entries of the file refer to.
struct Context<'a> {
    bases: &'a Bases,
    tools: &'a Rc<SortedMap<String, ProgramKind>>,
}

#[derive(Clone, PartialEq, Debug, Default)]
struct Table {
    images: Vec<Rc<Image>>,
    /// The entry for repositories that are not in the file.
    default: Rc<Image>,
    /// Parts, and whole words, of repository names that never exist.
    absent: Vec<String>,
    absent_words: Vec<String>,
    /// Words of names that only a Pod with pull secrets gets.
    closed_words: Vec<String>,
    /// What stands before the names of copies.
    mirrors: Vec<String>,
    bases: Bases,
}

impl Table {
    fn read(text: &str, known: &Bases) -> Result<Table, String> {
        let value = parse(text)?;
        let mut bases = known.clone();
        for (name, base) in value.map_at("bases").into_iter().flat_map(|map| map.iter()) {
            let base = Base {
                shell: base.str_at("shell").unwrap_or_default().to_owned(),
                lacks: Rc::new(words(base.at("lacks"))),
                has: words(base.at("has")),
                command: strings(base.at("command")),
            };
            bases.insert(name.to_owned(), base);
        }
        let mut tools = SortedMap::new();
        for (name, tool) in value.map_at("tools").into_iter().flat_map(|map| map.iter()) {
            let tool = Tool::read(tool).map_err(|why| format!("tools: {name}: {why}"))?;
            tools.insert(name.to_owned(), ProgramKind::Tool(Rc::new(tool)));
        }
        let tools = Rc::new(tools);
        let context = Context { bases: &bases, tools: &tools };
        let images = value.list_at("images").iter().map(|v| Image::read(v, &context).map(Rc::new));
        let images: Vec<Rc<Image>> = images.collect::<Result<_, String>>()?;
        let mut default = Image::read(value.at("default"), &context)?;
        // Of an image that nobody knows all may be in it.
        (default.unmodelled, default.tools) = (true, Rc::clone(&tools));
        Ok(Table {
            images,
            default: Rc::new(default),
            absent: strings(value.at("absent")),
            absent_words: strings(value.at("absentWords")),
            closed_words: strings(value.at("closedWords")),
            mirrors: strings(value.at("mirrors")),
            bases,
        })
    }

    /// The entry of this name, or of what it is a copy of.
    fn named(&self, name: &str, mirrors: &[String]) -> Option<&Rc<Image>> {
        let original = mirrors.iter().find_map(|mirror| name.strip_prefix(mirror.as_str()));
        [Some(name), original].into_iter().flatten().find_map(|name| self.images.iter().find(|i| i.is_named(name)))
    }
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
        let table = Table::read(text, &Bases::new())?;
        Ok(Images { table: Rc::new(table), more: None, unknown: Unknown::Default })
    }

    /// Brings the images that come with the part `shells`, which must have been fetched; for a name that is not among the
    /// first ones ([`Images::is_among_the_first`]).
    pub fn complete(&mut self) {
        if self.more.is_none() {
            let table = Table::read((shells::fetched().more_images)(), &self.table.bases);
            self.more = Some(Rc::new(table.expect("the checked-in table is right; a test reads it")));
        }
    }

    /// Whether an image is in the table that is always there.
    pub fn is_among_the_first(&self, reference: &Reference) -> bool {
        self.table.named(reference.familiar(), &self.table.mirrors).is_some()
    }

    /// Whether the registry wants credentials for it.
    pub fn is_closed(&self, reference: &Reference) -> bool {
        has_word(reference.familiar(), &self.table.closed_words)
    }

    /// Whether nobody knows what is in this image, and it can be had. False before the table is [whole](Images::complete).
    pub fn is_unmodelled(&self, reference: &Reference) -> bool {
        self.more.is_some() && self.find(reference, false).is_ok_and(|image| image.unmodelled)
    }

    /// The same with one entry more, which counts before all others; and the full names of what it puts on every node.
    ///
    /// # Errors
    /// What is wrong with the entry.
    pub fn with(&self, entry: &str) -> Result<(Images, Vec<String>), String> {
        let image = Rc::new(Image::parse_beside(entry, &self.table)?);
        let mut table = (*self.table).clone();
        table.images.insert(0, Rc::clone(&image));
        let alone = Table { images: vec![image], ..Table::default() };
        let present = Images { table: Rc::new(alone), more: None, unknown: self.unknown };
        Ok((Images { table: Rc::new(table), ..self.clone() }, present.present().collect()))
    }

    /// What stands behind a name. `described` says that the Pod itself tells what the image does, so that it exists.
    ///
    /// # Errors
    /// What the registry does not have.
    pub fn find(&self, reference: &Reference, described: bool) -> Result<Rc<Image>, Missing> {
        let name = reference.familiar();
        let mirrors = &self.table.mirrors;
        let of_more = || self.more.as_ref().and_then(|more| more.named(name, mirrors));
        let Some(image) = self.table.named(name, mirrors).or_else(of_more) else {
            let absent = self.unknown == Unknown::Absent
                || self.table.absent.iter().any(|part| name.contains(part))
                || has_word(name, &self.table.absent_words)
                || self.is_closed(reference);
            let default = self.more.as_ref().map_or(&self.table.default, |more| &more.default);
            return if absent && !described { Err(Missing::Repository) } else { Ok(Rc::clone(default)) };
        };
        let tag_is_there = reference.tag.as_deref().is_none_or(|tag| image.has_tag(tag));
        if tag_is_there || described { Ok(image.flavour(reference.tag.as_deref())) } else { Err(Missing::Tag) }
    }

    /// Whether a container of the Pod may start a shell, or a command that comes with one: all but those that only run
    /// a program of their image, named by its path.
    pub fn may_start_shell(&self, pod: &PodSpec) -> bool {
        pod.init_containers.iter().chain(&pod.containers).any(|container| {
            let probes = [&container.startup_probe, &container.liveness_probe, &container.readiness_probe];
            let runs_commands = probes.into_iter().flatten().any(|probe| probe.exec.is_some());
            let reference = Reference::parse(&container.image).ok().filter(|r| self.is_among_the_first(r));
            let image = reference.and_then(|reference| self.find(&reference, true).ok());
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

/// The fields of an entry.
const FIELDS: [&str; 16] = [
    "names",
    "tags",
    "entrypoint",
    "command",
    "workingDir",
    "env",
    "user",
    "size",
    "digest",
    "present",
    "pull",
    "base",
    "has",
    "flavours",
    "programs",
    "files",
];

impl Image {
    /// Reads one entry by itself, more strictly than the table that comes with the program: a slip is told.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Image, String> {
        let table = Images::built_in().table;
        Image::parse_beside(text, &table)
    }

    fn parse_beside(text: &str, table: &Table) -> Result<Image, String> {
        let value = parse(text)?;
        let context = Context { bases: &table.bases, tools: &table.default.tools };
        let map = value.as_map().ok_or("an entry is a map with `names`")?;
        if let Some(unknown) = map.keys().find(|key| !FIELDS.contains(key)) {
            return Err(format!("{unknown}: no such field; there is {}", FIELDS.join(", ")));
        }
        for field in ["names", "tags", "entrypoint", "command", "present"] {
            let list = value.at(field).as_list();
            if map.contains_key(field) && !list.is_some_and(|items| items.iter().all(|item| item.as_str().is_some())) {
                return Err(format!("{field}: must be a list of texts"));
            }
        }
        if map.contains_key("pull") && read_span_range(value.at("pull")).is_none() {
            return Err("pull: must be a span or a range".to_owned());
        }
        let image = Image::read(&value, &context)?;
        if image.names.is_empty() { Err("names: whose image is it?".to_owned()) } else { Ok(image) }
    }

    fn read(value: &Value, context: &Context<'_>) -> Result<Image, String> {
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
            files: pairs("files"),
            ..Image::default()
        };
        let (has, base) = (words(value.at("has")), text("base"));
        let own_command = !image.entrypoint.is_empty() || !image.cmd.is_empty();
        image.rest_on(&base, &has, own_command, context)?;
        for (path, program) in value.map_at("programs").into_iter().flat_map(|map| map.iter()) {
            let kind = ProgramKind::read(program).map_err(|why| format!("{:?} {path}: {why}", image.names))?;
            image.programs.insert(path.to_owned(), kind);
        }
        for (word, base) in value.map_at("flavours").into_iter().flat_map(|map| map.iter()) {
            let mut flavour = image.clone();
            flavour.flavours.clear();
            flavour.rest_on(base.as_str().unwrap_or_default(), &has, own_command, context)?;
            image.flavours.push((word.to_owned(), Rc::new(flavour)));
        }
        Ok(image)
    }

    /// Gives it the commands of a base and those that it has of its own, and what the base starts unless it says itself.
    fn rest_on(&mut self, base: &str, has: &[String], own_command: bool, context: &Context<'_>) -> Result<(), String> {
        let none = Base::default();
        let base = match base {
            "" => &none,
            name => context.bases.get(name).ok_or_else(|| format!("{:?}: no such base: {name}", self.names))?,
        };
        (self.shell, self.lacks, self.has) = (base.shell.clone(), Rc::clone(&base.lacks), base.has.clone());
        if !own_command {
            self.cmd.clone_from(&base.command);
        }
        self.has.extend(has.iter().cloned());
        let own = self.has.iter().filter_map(|name| Some((name.clone(), context.tools.get(name)?.clone())));
        self.tools = Rc::new(own.collect());
        Ok(())
    }

    /// The image that a tag means, if its words mean another one.
    fn flavour(self: &Rc<Image>, tag: Option<&str>) -> Rc<Image> {
        let words = || tag.unwrap_or_default().split(['-', '.', '_']);
        let meant = self.flavours.iter().find(|(word, _)| words().any(|own| own.starts_with(word.as_str())));
        meant.map_or_else(|| Rc::clone(self), |(_, image)| Rc::clone(image))
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
        if let Some(tool) = self.tools.get(name).filter(|_| TOOL_DIRS.contains(&dir)) {
            return Some(tool);
        }
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
        sort(&mut names);
        names.dedup();
        names
    }

    /// Whether the image's shell, or a command that comes with it, has this name.
    pub fn shell_knows(&self, name: &str) -> bool {
        let named = |list: &[String]| list.iter().any(|known| known == name);
        !self.shell.is_empty()
            && (self.unmodelled || named(&self.has) || !named(&self.lacks))
            && crate::program::commands::comes_with(name, self.tools())
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
            // What only prints, serves and ends needs no part of its own.
            None => match Behaviour::read(value) {
                Ok(behaviour) => Ok(ProgramKind::Scripted(Box::new(behaviour))),
                Err(_) => Tool::read(value).map(|tool| ProgramKind::Tool(Rc::new(tool))),
            },
            Some(_) => Tool::read(value).map(|tool| ProgramKind::Tool(Rc::new(tool))),
        }
    }
}

/// Whether one of the words stands in a name, between its marks.
fn has_word(name: &str, words: &[String]) -> bool {
    name.split(['/', '.', '_', ':']).any(|part| words.iter().any(|word| part == word))
        || name.split(['/', '-', '.', '_', ':']).any(|part| words.iter().any(|word| part == word))
}

/// A list of words, or a text of them.
fn words(value: &Value) -> Vec<String> {
    match value.as_str() {
        Some(text) => text.split_whitespace().map(str::to_owned).collect(),
        None => strings(value),
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
        let mut images = Images::built_in();
        images.complete();
        images.find(&Reference::parse(name).unwrap(), false)
    }

    #[test]
    fn the_table_is_right() {
        let images = Images::built_in();
        assert!(images.present().any(|name| name == "docker.io/library/busybox:1.36"));
        for name in ["busybox:1.36", "willvelida/kuard", "gcr.io/kuar-demo/kuard-amd64:blue", "perl:5.34.0"] {
            assert!(images.is_among_the_first(&Reference::parse(name).unwrap()), "{name}");
        }
    }

    #[test]
    fn every_image_has_what_it_starts_and_what_it_is_said_to_have() {
        let mut images = Images::built_in();
        images.complete();
        let more = images.more.clone().unwrap();
        assert!(more.images.len() >= 60);
        for image in images.table.images.iter().chain(&more.images) {
            for image in std::iter::once(image).chain(image.flavours.iter().map(|(_, flavour)| flavour)) {
                let argv: Vec<&String> = image.entrypoint.iter().chain(&image.cmd).collect();
                assert!(image.program(argv[0], None).is_some(), "{:?}: {argv:?}", image.names);
                for name in &image.has {
                    assert!(image.program(name, None).is_some(), "{:?}: {name}", image.names);
                }
            }
        }
        assert!(find("my/own:1").unwrap().unmodelled);
    }

    #[test]
    fn programs_belong_to_images() {
        let has = |image: &str, program: &str| find(image).unwrap().program(program, None).is_some();
        for (image, there, missing) in [
            ("busybox", "wget", "curl"),
            ("busybox:1.36", "sed", "jq"),
            ("alpine:3.20", "apk", "curl"),
            ("python:3.12", "curl", "kubectl"),
            ("python:3.12-slim", "python3", "curl"),
            ("python:3.12-alpine", "wget", "bash"),
            ("public.ecr.aws/docker/library/postgres:16-alpine", "pg_dump", "mysqldump"),
            ("nginx", "curl", "wget"),
            ("bitnami/kubectl:latest", "kubectl", "helm"),
        ] {
            assert!(has(image, there), "{image}: {there}");
            assert!(!has(image, missing), "{image}: {missing}");
        }
        assert_eq!(find("me/private/app").unwrap_err(), Missing::Repository);
        assert!(find("acme/invalidator").is_ok() && find("faketime/app").is_ok());
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
