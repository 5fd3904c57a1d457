//! Where a client finds its server: flags, addresses and variables that name it.
//!
//! Rule: a flag counts more than an address among the arguments, that more than a variable, and that more than the
//! program's own default.

use shell::Env;
use values::value::Value;

/// Where a client finds its server.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Reach {
    flags: Vec<String>,
    port_flags: Vec<String>,
    env: Vec<String>,
    port_env: Vec<String>,
    /// The host if none is named; empty: then nothing is reached.
    default: String,
    port: u16,
}

impl Reach {
    pub(super) fn read(value: &Value) -> Option<Reach> {
        let list = |field: &str| if value.has(field) { words(value.at(field)) } else { Some(Vec::new()) };
        Some(Reach {
            flags: list("flags")?,
            port_flags: list("portFlags")?,
            env: list("env")?,
            port_env: list("portEnv")?,
            default: value.str_at("default").unwrap_or_default().to_owned(),
            port: u16::try_from(value.i64_at("port").unwrap_or(0)).ok()?,
        })
    }

    /// Host and port as flags, an address (`scheme://user@host:port/…`) among the arguments, or variables name them.
    pub(super) fn target(&self, args: &[String], env: &Env) -> (String, u16) {
        let url = args.iter().find_map(|arg| {
            let at = arg.find("://")?;
            let scheme_ends = arg[..at].chars().next_back().is_some_and(|c| c.is_ascii_alphanumeric());
            scheme_ends.then(|| authority(&arg[at + 3..]))
        });
        let of_env = |names: &[String]| names.iter().find_map(|name| env.get(name)).cloned();
        let host = flag(args, &self.flags).or_else(|| url.as_ref().map(|(host, _)| host.clone()));
        let host = host.or_else(|| of_env(&self.env)).filter(|host| !host.is_empty());
        let port = flag(args, &self.port_flags).or_else(|| url.and_then(|(_, port)| port));
        let port = port.or_else(|| of_env(&self.port_env)).and_then(|port| port.parse().ok());
        let host = host.unwrap_or_else(|| self.default.clone());
        // `kafka:9092`, `tcp://…`: the host may bring its port.
        match host.rsplit_once(':').and_then(|(name, port)| Some((name.to_owned(), port.parse().ok()?))) {
            Some((name, own)) => (name, own),
            None => (host, port.unwrap_or(self.port)),
        }
    }
}

/// Host and port of `user:password@host:port/path`.
fn authority(text: &str) -> (String, Option<String>) {
    let text = text.split(['/', '?', ',']).next().unwrap_or_default();
    let text = text.rsplit_once('@').map_or(text, |(_, host)| host);
    match text.split_once(':') {
        Some((host, port)) => (host.to_owned(), Some(port.to_owned())),
        None => (text.to_owned(), None),
    }
}

/// The value of the first of these flags: `-h db`, `-hdb`, `--host db`, `--host=db`.
pub(super) fn flag(args: &[String], names: &[String]) -> Option<String> {
    for (at, arg) in args.iter().enumerate() {
        for name in names {
            let Some(rest) = arg.strip_prefix(name.as_str()) else { continue };
            if rest.is_empty() {
                return args.get(at + 1).cloned();
            }
            if let Some(value) = rest.strip_prefix('=') {
                return Some(value.to_owned());
            }
            if !name.starts_with("--") && name.len() == 2 {
                return Some(rest.to_owned());
            }
        }
    }
    None
}

/// A list of words, or a text of them.
pub(super) fn words(value: &Value) -> Option<Vec<String>> {
    match value.as_str() {
        Some(text) => Some(text.split_whitespace().map(str::to_owned).collect()),
        None => value.as_list()?.iter().map(|word| word.as_str().map(str::to_owned)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn servers_are_found_by_flags_addresses_and_variables() {
        let reach = Reach {
            flags: args("-h --host"),
            port_flags: args("-p --port"),
            env: args("PGHOST"),
            port_env: args("PGPORT"),
            default: "localhost".into(),
            port: 5432,
        };
        let env = Env::from([("PGHOST".to_owned(), "var".to_owned())]);
        for (line, host, port) in [
            ("-h db -p 1", "db", 1),
            ("-hdb", "db", 5432),
            ("--host=db --port=7", "db", 7),
            ("postgres://u:p@far:99/app", "far", 99),
            ("-U me app", "var", 5432),
        ] {
            assert_eq!(reach.target(&args(line), &env), (host.to_owned(), port), "{line}");
        }
        assert_eq!(reach.target(&[], &Env::new()), ("localhost".to_owned(), 5432));
    }
}
