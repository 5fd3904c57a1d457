//! kuard's command line, its usage text, and the configuration it prints.
//!
//! Rule: pflag's reading of flags (`--f=v`, `--f v`, booleans without a value); an unknown flag prints usage and ends with
//! exit code 2 (recorded in `oneshot-typo-flag`). Source: `spf13/pflag` `flag.go`, kuard's `cmd/kuard/main.go`.

/// What the flags say.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Config {
    pub address: String,
    pub debug: bool,
    pub debug_sitedata_dir: String,
    pub enable: bool,
    pub exit_code: i64,
    pub exit_on_complete: bool,
    pub memq_queue: String,
    pub memq_server: String,
    /// 0 is endless.
    pub num_to_gen: i64,
    /// Seconds; 0 is endless.
    pub time_to_run_seconds: i64,
    pub liveness_fail_next: i64,
    pub readiness_fail_next: i64,
    pub tls_address: String,
    pub tls_dir: String,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            address: ":8080".into(),
            debug: false,
            debug_sitedata_dir: "./sitedata".into(),
            enable: false,
            exit_code: 0,
            exit_on_complete: false,
            memq_queue: String::new(),
            memq_server: String::new(),
            num_to_gen: 0,
            time_to_run_seconds: 0,
            liveness_fail_next: 0,
            readiness_fail_next: 0,
            tls_address: ":8443".into(),
            tls_dir: "/tls".into(),
        }
    }
}

const USAGE: &str = r#"      --address string              The address to serve on (default ":8080")
      --debug                       Debug/devel mode
      --debug-sitedata-dir string   When in debug/dev mode, directory to find the static assets. (default "./sitedata")
      --keygen-enable               Enable KeyGen workload
      --keygen-exit-code int        Exit code when workload complete
      --keygen-exit-on-complete     Exit after workload is complete
      --keygen-memq-queue string    The MemQ server queue to use. If MemQ is used, other limits are ignored.
      --keygen-memq-server string   The MemQ server to draw work items from.  If MemQ is used, other limits are ignored.
      --keygen-num-to-gen int       The number of keys to generate. Set to 0 for infinite
      --keygen-time-to-run int      The target run time in seconds. Set to 0 for infinite
      --liveness-fail-next int      Fail the next N probes. 0 is succeed forever. <0 is fail forever.
      --readiness-fail-next int     Fail the next N probes. 0 is succeed forever. <0 is fail forever.
      --tls-address string          Address to serve TLS on if certs found. (default ":8443")
      --tls-dir string              Directory to look to find TLS certs (default "/tls")
"#;

/// Why the program does not start: what it prints on stderr, and its exit code.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    pub stderr: String,
    pub exit_code: i32,
}

impl Config {
    /// Reads the command line; the first element is the program's own name.
    ///
    /// # Errors
    /// What pflag says, with the usage text.
    pub fn parse(argv: &[String]) -> Result<Config, Refusal> {
        let name = argv.first().map_or("/kuard", String::as_str);
        let mut config = Config::default();
        let mut rest = argv.iter().skip(1);
        while let Some(arg) = rest.next() {
            let Some(flag) = arg.strip_prefix("--") else {
                match arg.strip_prefix('-').and_then(|letters| letters.chars().next()) {
                    Some('h') => return Err(help(name)),
                    Some(letter) => {
                        return Err(refuse(name, &format!("unknown shorthand flag: '{letter}' in {arg}")));
                    }
                    None => continue,
                }
            };
            match flag {
                "" => break,
                "help" => return Err(help(name)),
                _ => {}
            }
            let (flag, value) =
                flag.split_once('=').map_or((flag, None), |(flag, value)| (flag, Some(value.to_owned())));
            config.set(flag, value, || rest.next().cloned()).map_err(|text| refuse(name, &text))?;
        }
        Ok(config)
    }

    fn set(&mut self, flag: &str, value: Option<String>, next: impl FnOnce() -> Option<String>) -> Result<(), String> {
        let boolean = match flag {
            "debug" => Some(&mut self.debug),
            "keygen-enable" => Some(&mut self.enable),
            "keygen-exit-on-complete" => Some(&mut self.exit_on_complete),
            _ => None,
        };
        if let Some(field) = boolean {
            *field = parse_bool(flag, value.as_deref().unwrap_or("true"))?;
            return Ok(());
        }
        let number = match flag {
            "keygen-exit-code" => Some(&mut self.exit_code),
            "keygen-num-to-gen" => Some(&mut self.num_to_gen),
            "keygen-time-to-run" => Some(&mut self.time_to_run_seconds),
            "liveness-fail-next" => Some(&mut self.liveness_fail_next),
            "readiness-fail-next" => Some(&mut self.readiness_fail_next),
            _ => None,
        };
        let text = match flag {
            "address" => Some(&mut self.address),
            "debug-sitedata-dir" => Some(&mut self.debug_sitedata_dir),
            "keygen-memq-queue" => Some(&mut self.memq_queue),
            "keygen-memq-server" => Some(&mut self.memq_server),
            "tls-address" => Some(&mut self.tls_address),
            "tls-dir" => Some(&mut self.tls_dir),
            _ => None,
        };
        if number.is_none() && text.is_none() {
            return Err(format!("unknown flag: --{flag}"));
        }
        let value = value.or_else(next).ok_or_else(|| format!("flag needs an argument: --{flag}"))?;
        if let Some(field) = number {
            *field = parse_int(flag, &value)?;
        } else if let Some(field) = text {
            *field = value;
        }
        Ok(())
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.address.rsplit_once(':').and_then(|(_, port)| port.parse().ok()).unwrap_or(8080)
    }

    /// The configuration as kuard logs it.
    pub fn json(&self) -> String {
        let text = |s: &str| values::value::Value::from(s).to_json();
        let rows = [
            format!("  \"address\": {},", text(&self.address)),
            format!("  \"debug\": {},", self.debug),
            format!("  \"debug-sitedata-dir\": {},", text(&self.debug_sitedata_dir)),
            "  \"keygen\": {".into(),
            format!("    \"enable\": {},", self.enable),
            format!("    \"exit-code\": {},", self.exit_code),
            format!("    \"exit-on-complete\": {},", self.exit_on_complete),
            format!("    \"memq-queue\": {},", text(&self.memq_queue)),
            format!("    \"memq-server\": {},", text(&self.memq_server)),
            format!("    \"num-to-gen\": {},", self.num_to_gen),
            format!("    \"time-to-run\": {}", self.time_to_run_seconds),
            "  },".into(),
            format!("  \"liveness\": {{\n    \"fail-next\": {}\n  }},", self.liveness_fail_next),
            format!("  \"readiness\": {{\n    \"fail-next\": {}\n  }},", self.readiness_fail_next),
            format!("  \"tls-address\": {},", text(&self.tls_address)),
            format!("  \"tls-dir\": {}", text(&self.tls_dir)),
        ];
        format!("{{\n{}\n}}", rows.join("\n"))
    }
}

fn parse_bool(flag: &str, value: &str) -> Result<bool, String> {
    match value {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err(invalid(flag, value, "strconv.ParseBool")),
    }
}

fn parse_int(flag: &str, value: &str) -> Result<i64, String> {
    value.parse().map_err(|_| invalid(flag, value, "strconv.ParseInt"))
}

fn invalid(flag: &str, value: &str, function: &str) -> String {
    format!("invalid argument {value:?} for \"--{flag}\" flag: {function}: parsing {value:?}: invalid syntax")
}

fn refuse(name: &str, text: &str) -> Refusal {
    Refusal { stderr: format!("{text}\nUsage of {name}:\n{USAGE}{text}\n"), exit_code: 2 }
}

fn help(name: &str) -> Refusal {
    Refusal { stderr: format!("Usage of {name}:\n{USAGE}pflag: help requested\n"), exit_code: 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Config, Refusal> {
        Config::parse(&line.split(' ').map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn flags_take_values_in_both_ways() {
        let config = parse("/kuard --keygen-enable --keygen-num-to-gen=10 --keygen-exit-code 3").unwrap();
        assert_eq!((config.enable, config.num_to_gen, config.exit_code), (true, 10, 3));
        assert!(!parse("/kuard --debug=false").unwrap().debug);
    }

    #[test]
    fn what_is_no_flag_of_its_ends_with_usage_and_2() {
        for (line, text) in [
            ("/kuard --keygen-enbale", "unknown flag: --keygen-enbale"),
            ("/kuard -x", "unknown shorthand flag: 'x' in -x"),
            ("/kuard --keygen-num-to-gen", "flag needs an argument: --keygen-num-to-gen"),
            (
                "/kuard --keygen-num-to-gen=ten",
                "invalid argument \"ten\" for \"--keygen-num-to-gen\" flag: strconv.ParseInt: parsing \"ten\": invalid syntax",
            ),
        ] {
            let refusal = parse(line).unwrap_err();
            assert_eq!(refusal.exit_code, 2);
            assert!(refusal.stderr.starts_with(&format!("{text}\nUsage of /kuard:\n")), "{}", refusal.stderr);
            assert!(refusal.stderr.ends_with(&format!("{text}\n")));
        }
    }
}
