//! The kubeconfig: which cluster, as whom, in which namespace.
//!
//! Rule: the file that `--kubeconfig` or `$KUBECONFIG` names, else the user's own. As long as nobody has changed that one it
//! is not written down: it holds the one cluster and user there is. Source: `client-go/tools/clientcmd`
//! (`client_config.go`, `validation.go`), `cli-runtime/pkg/genericclioptions/config_flags.go`.

use crate::command::Args;
use crate::files::Files;
use crate::kubectl::errors::Failure;
use crate::kubectl::flags::Parsed;
use crate::kubectl::version::SERVER;
use shell::host::resolve;
use values::duration::GoDuration;
use values::object;
use values::time::SimTime;
use values::value::{Map, Value};
use yaml;

/// Where the user's own configuration lies.
const OWN: &str = concat!("/home", "/learner/.kube/config");
/// The one cluster, and the context that leads to it.
const CLUSTER: &str = "batchyard";
const USER: &str = "learner";

/// A configuration and the file it belongs to.
#[derive(Clone, Debug)]
pub struct Kubeconfig {
    pub path: String,
    pub tree: Value,
}

/// One of the lists of a configuration.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Section {
    Clusters,
    Contexts,
    Users,
}

impl Section {
    /// The name of the list, and that of an entry's content.
    pub fn names(self) -> (&'static str, &'static str) {
        match self {
            Section::Clusters => ("clusters", "cluster"),
            Section::Contexts => ("contexts", "context"),
            Section::Users => ("users", "user"),
        }
    }
}

impl Kubeconfig {
    /// Reads the configuration of a call.
    ///
    /// # Errors
    /// The file that was named is not there, or is none.
    pub fn load(parsed: &Parsed, args: &Args, files: &Files) -> Result<Kubeconfig, Failure> {
        if let Some(named) = parsed.text("kubeconfig").filter(|name| !name.is_empty()) {
            let path = resolve(&args.cwd, named);
            let Ok(bytes) = files.read(&path) else {
                return Err(Failure::client(format!("stat {named}: no such file or directory")));
            };
            return Ok(Kubeconfig { tree: read(&path, &bytes)?, path });
        }
        let from_env = args.env.get("KUBECONFIG").and_then(|list| list.split(':').find(|name| !name.is_empty()));
        let path = from_env.map_or_else(|| OWN.to_owned(), |name| resolve(&args.cwd, name));
        let tree = match files.read(&path) {
            Ok(bytes) => read(&path, &bytes)?,
            Err(_) if path == OWN => built_in(),
            Err(_) => empty(),
        };
        Ok(Kubeconfig { path, tree })
    }

    /// Writes the configuration to its file.
    ///
    /// # Errors
    /// There is no room for it.
    pub fn save(&self, files: &mut Files, now: SimTime) -> Result<(), Failure> {
        for (at, _) in self.path.match_indices('/').skip(1) {
            // It may be there already.
            let _ = files.make_dir(&self.path[..at], now);
        }
        let text = yaml::emit(&self.tree);
        files
            .write(&self.path, text.as_bytes(), false, now)
            .map_err(|error| Failure::client(format!("open {}: {}", self.path, error.to_string().to_lowercase())))
    }

    pub fn current_context(&self) -> &str {
        self.tree.str_at("current-context").unwrap_or_default()
    }

    /// What stands under a name in one of the lists.
    pub fn entry(&self, section: Section, name: &str) -> Option<&Value> {
        let (list, content) = section.names();
        self.tree.list_at(list).iter().find(|entry| entry.str_at("name") == Some(name)).map(|entry| entry.at(content))
    }

    /// The names in one of the lists, in their order.
    pub fn names(&self, section: Section) -> Vec<String> {
        let mut names: Vec<String> =
            self.tree.list_at(section.names().0).iter().filter_map(|e| e.str_at("name")).map(str::to_owned).collect();
        names.sort_unstable();
        names
    }

    /// Puts an entry into one of the lists, or in the place of the one that has its name.
    pub fn put(&mut self, section: Section, name: &str, value: Value) {
        let (list, content) = section.names();
        let mut entries = self.tree.list_at(list).to_vec();
        let mut fresh = Value::map();
        fresh.set(content, value);
        fresh.set("name", name);
        match entries.iter_mut().find(|entry| entry.str_at("name") == Some(name)) {
            Some(entry) => *entry = fresh,
            None => entries.push(fresh),
        }
        self.tree.set(list, entries);
    }

    /// Takes an entry out of one of the lists. False if there is none.
    pub fn remove(&mut self, section: Section, name: &str) -> bool {
        let (list, _) = section.names();
        let mut entries = self.tree.list_at(list).to_vec();
        let before = entries.len();
        entries.retain(|entry| entry.str_at("name") != Some(name));
        let removed = entries.len() < before;
        self.tree.set(list, entries);
        removed
    }

    /// The configuration as it is shown: certificates and passwords are left out.
    pub fn shown(&self, raw: bool) -> Value {
        let mut tree = self.tree.clone();
        if raw {
            return tree;
        }
        for (section, secrets) in [
            (Section::Clusters, &["certificate-authority-data"][..]),
            (Section::Users, &["client-certificate-data", "client-key-data", "token", "password"][..]),
        ] {
            let (list, content) = section.names();
            let mut entries = tree.list_at(list).to_vec();
            for entry in &mut entries {
                let mut inner = entry.at(content).clone();
                for secret in secrets.iter().filter(|secret| entry.at(content).has(secret)) {
                    let word = if secret.ends_with("-data") { "DATA+OMITTED" } else { "REDACTED" };
                    inner.map_mut().insert(*secret, word);
                }
                entry.set(content, inner);
            }
            tree.set(list, entries);
        }
        tree
    }

    /// Only what the current context needs.
    pub fn minified(&self, context: &str) -> Option<Kubeconfig> {
        let chosen = self.entry(Section::Contexts, context)?.clone();
        let mut small = Kubeconfig { path: self.path.clone(), tree: empty() };
        small.tree.set("current-context", context);
        for (section, field) in [(Section::Clusters, "cluster"), (Section::Users, "user")] {
            let name = chosen.str_at(field).unwrap_or_default();
            if let Some(entry) = self.entry(section, name) {
                small.put(section, name, entry.clone());
            }
        }
        small.put(Section::Contexts, context, chosen);
        Some(small)
    }

    /// The namespace of a call, if the configuration and the flags lead to the cluster at all.
    ///
    /// # Errors
    /// kubectl's words.
    pub fn namespace(&self, parsed: &Parsed) -> Result<String, Failure> {
        let flag = |name: &str| parsed.text(name).filter(|text| !text.is_empty());
        let context = flag("context").unwrap_or(self.current_context());
        let chosen = self.entry(Section::Contexts, context);
        if chosen.is_none() && !context.is_empty() {
            let text = format!("Error in configuration: context was not found for specified context: {context}");
            return Err(Failure::Plain(text));
        }
        let empty = Value::map();
        let chosen = chosen.unwrap_or(&empty);
        let cluster = flag("cluster").or_else(|| chosen.str_at("cluster")).unwrap_or_default();
        let known = self.entry(Section::Clusters, cluster);
        if known.is_none() && flag("cluster").is_some() {
            return Err(Failure::client(format!("no server found for cluster \"{cluster}\"")));
        }
        let user = flag("user").or_else(|| chosen.str_at("user")).unwrap_or_default();
        if flag("user").is_some() && self.entry(Section::Users, user).is_none() {
            return Err(Failure::client(format!("auth info \"{user}\" does not exist")));
        }
        if let Some(text) = flag("request-timeout").filter(|text| !is_timeout(text)) {
            debug_assert!(!text.is_empty());
            return Err(Failure::client(
                "Invalid timeout value. Timeout must be a single integer in seconds, or an integer followed by a \
                 corresponding time unit (e.g. 1s | 2m | 3h)",
            ));
        }
        let server = flag("server").or_else(|| known.and_then(|known| known.str_at("server"))).unwrap_or_default();
        reach(if server.is_empty() { "http://localhost:8080" } else { server })?;
        if flag("token").is_some() {
            return Err(Failure::client("You must be logged in to the server (Unauthorized)"));
        }
        let namespace = flag("namespace").or_else(|| chosen.str_at("namespace").filter(|text| !text.is_empty()));
        Ok(namespace.unwrap_or("default").to_owned())
    }
}

/// Whether a text is a span of time, or a number of seconds.
fn is_timeout(text: &str) -> bool {
    text.parse::<i64>().is_ok() || text.parse::<GoDuration>().is_ok()
}

/// Nothing but the one server answers. Discovery is tried five times before kubectl gives up.
fn reach(server: &str) -> Result<(), Failure> {
    if server == SERVER {
        return Ok(());
    }
    let (scheme, rest) = server.split_once("://").unwrap_or(("http", server));
    let host = rest.split('/').next().unwrap_or(rest);
    let port = if scheme == "https" { "443" } else { "80" };
    let address = if host.contains(':') { host.to_owned() } else { format!("{host}:{port}") };
    let here = ["127.", "localhost", "[::1]"].iter().any(|begin| address.starts_with(begin));
    let why = if here { "connect: connection refused" } else { "i/o timeout" };
    let line = format!(
        "E{} memcache.go:265] \"Unhandled Error\" err=\"couldn't get current server API group list: Get \
         \\\"{scheme}://{host}/api?timeout=32s\\\": dial tcp {address}: {why}\"\n",
        "1130 14:00:00.000000       1"
    );
    let last = match here {
        true => format!("The connection to the server {host} was refused - did you specify the right host or port?"),
        false => format!("Unable to connect to the server: dial tcp {address}: {why}"),
    };
    Err(Failure::Plain(format!("{}{last}", line.repeat(5))))
}

fn read(path: &str, bytes: &[u8]) -> Result<Value, Failure> {
    let parsed = yaml::parse(&String::from_utf8_lossy(bytes), path);
    if let Some(error) = parsed.kubectl_error() {
        let why = error.split_once("yaml: ").map_or(error, |(_, why)| why);
        return Err(Failure::client(format!("error loading config file \"{path}\": yaml: {why}")));
    }
    Ok(parsed.documents.first().map_or_else(empty, |document| document.value()))
}

fn empty() -> Value {
    let mut tree = Value::map();
    for (name, value) in [("apiVersion", "v1"), ("kind", "Config"), ("current-context", "")] {
        tree.map_mut().insert(name, value);
    }
    for list in ["clusters", "contexts", "users"] {
        tree.set(list, Vec::new());
    }
    tree
}

/// The configuration that leads to the simulated cluster.
fn built_in() -> Value {
    let mut own = Kubeconfig { path: OWN.to_owned(), tree: empty() };
    own.tree.set("current-context", CLUSTER);
    let certificate = |what: &str| Value::from(shell::base64_encode(format!("{what} of the simulation\n").as_bytes()));
    let cluster: Map =
        [("certificate-authority-data", certificate("certificate authority")), ("server", Value::from(SERVER))]
            .into_iter()
            .collect();
    let user: Map = [("client-certificate-data", certificate("certificate")), ("client-key-data", certificate("key"))]
        .into_iter()
        .collect();
    own.put(Section::Clusters, CLUSTER, cluster.into());
    own.put(Section::Users, USER, user.into());
    own.put(Section::Contexts, CLUSTER, object! { "cluster" => CLUSTER, "namespace" => "default", "user" => USER });
    own.tree
}
