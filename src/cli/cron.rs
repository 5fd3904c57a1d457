//! `batchyard cron`: the next times of a schedule, as the CronJob controller would compute them.

use std::io::{self, Write};

use batchyard::values::cron::Schedule;
use batchyard::values::time::SimTime;
use batchyard::values::zone::{Zone, ZoneTable};

use crate::args::{self, Args, Flag, UsageError};

pub const HELP: &str = "\
Print the next times at which a CronJob's schedule is due.

Usage:
  batchyard cron \"SCHEDULE\" [--from TIME] [--time-zone ZONE] [-n N]

The schedule is what spec.schedule of a CronJob takes: five fields (minute, hour,
day of month, month, day of week with 0 for Sunday), or @hourly, @daily, @weekly,
@monthly, @yearly, or @every with a duration. Put it in quotes. If day of month and
day of week are both restricted, one of them has to match.

Times are printed in RFC 3339, one a line, each later than TIME. As on a cluster, a
time that the change of the clocks skips does not come, one that it repeats comes twice.

Flags:
      --from TIME        where to start, in RFC 3339, as 2026-11-21T08:00:00Z (default: now)
  -h, --help             print this help
  -n N                   how many times to print (default 5)
      --time-zone ZONE   time zone of the schedule, as spec.timeZone: a name of the
                         tz database such as Europe/Berlin (default: UTC)

Exit code: 0 if times were printed; 1 if the schedule or the time zone is wrong, or the
schedule never comes due; 2 if the arguments make no sense.

Examples:
  batchyard cron \"*/15 9-17 * * mon-fri\"
  batchyard cron \"30 2 * * *\" --time-zone Europe/Berlin --from 2026-03-28T00:00:00Z -n 3
";

const FLAGS: &[Flag] = &[Flag::value("--from"), Flag::value("--time-zone"), Flag::value("-n")];
const DEFAULT_COUNT: usize = 5;

/// What the user asks for.
struct Request {
    schedule: String,
    from: SimTime,
    time_zone: Option<String>,
    count: usize,
}

/// Runs the command with the arguments behind its name. `now` is the start if none is given. Gives the exit code.
pub fn run(args: &[String], now: SimTime, out: &mut dyn Write, err: &mut dyn Write) -> i32 {
    let done = match Args::parse(FLAGS, args) {
        Ok(args) if args.wants_help() => out.write_all(HELP.as_bytes()).map(|()| 0),
        Ok(args) => match Request::read(&args, now) {
            Ok(request) => print_times(&request, out, err),
            Err(problem) => return args::usage_error(err, "cron", &problem),
        },
        Err(problem) => return args::usage_error(err, "cron", &problem),
    };
    // Writing fails when the reader has gone, as `head` does; there is nobody to tell.
    done.unwrap_or(1)
}

impl Request {
    fn read(args: &Args, now: SimTime) -> Result<Request, UsageError> {
        let schedule = match args.rest() {
            [schedule] => schedule.clone(),
            [] => return Err(UsageError("a schedule is needed, such as \"*/5 * * * *\"".to_string())),
            many => {
                let problem = format!("one schedule is needed, found {} arguments: put it in quotes", many.len());
                return Err(UsageError(problem));
            }
        };
        let from = match args.value("--from") {
            Some(text) => SimTime::parse_rfc3339(text).ok_or_else(|| {
                UsageError(format!("--from {text:?} is no RFC 3339 time such as 2026-11-21T08:00:00Z"))
            })?,
            None => now,
        };
        let count = match args.value("-n") {
            Some(text) => text
                .parse()
                .ok()
                .filter(|count| *count > 0)
                .ok_or_else(|| UsageError(format!("-n {text:?} is no whole number above 0")))?,
            None => DEFAULT_COUNT,
        };
        Ok(Request { schedule, from, time_zone: args.value("--time-zone").map(str::to_string), count })
    }
}

fn print_times(request: &Request, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<i32> {
    let zones = ZoneTable::bundled();
    let zone = match Zone::load(request.time_zone.as_deref().unwrap_or_default(), &zones) {
        Ok(zone) => zone,
        Err(problem) => return writeln!(err, "{problem}").map(|()| 1),
    };
    let schedule = match Schedule::parse(&request.schedule, &zones) {
        Ok(schedule) => schedule,
        Err(problem) => return writeln!(err, "{problem}").map(|()| 1),
    };
    // A zone in the schedule itself is the one it is read in, so it is also the one to show.
    let shown_in = schedule.zone().unwrap_or(&zone);
    let mut at = request.from;
    for printed in 0..request.count {
        let Some(next) = schedule.next(at, &zone) else {
            let since = shown_in.rfc3339(at);
            let spec = &request.schedule;
            if printed > 0 {
                writeln!(err, "the schedule {spec:?} does not come due again within five years after {since}")?;
                return Ok(0);
            }
            writeln!(err, "the schedule {spec:?} never comes due: no such time within five years after {since}")?;
            return Ok(1);
        };
        writeln!(out, "{}", shown_in.rfc3339(next))?;
        at = next;
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    /// Runs the command at 2026-11-21T08:00:30Z and shows exit code, output and errors.
    fn check(args: &[&str], expected: Expect) {
        let args: Vec<String> = args.iter().map(ToString::to_string).collect();
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let now = SimTime::parse_rfc3339("2026-11-21T08:00:30.250Z").unwrap();
        let code = run(&args, now, &mut out, &mut err);
        let text = |bytes| String::from_utf8(bytes).unwrap();
        expected.assert_eq(&format!("{}{}exit {code}\n", text(out), text(err)));
    }

    #[test]
    fn five_times_from_now_in_utc() {
        check(
            &["*/15 9-17 * * mon-fri"],
            expect![[r#"
                2026-11-23T09:00:00Z
                2026-11-23T09:15:00Z
                2026-11-23T09:30:00Z
                2026-11-23T09:45:00Z
                2026-11-23T10:00:00Z
                exit 0
            "#]],
        );
    }

    #[test]
    fn a_zone_shows_its_offset() {
        let from = "--from=2026-03-28T00:00:00Z";
        check(
            &["30 2 * * *", "--time-zone", "Europe/Berlin", from, "-n", "2"],
            expect![[r#"
                2026-03-28T02:30:00+01:00
                2026-03-30T02:30:00+02:00
                exit 0
            "#]],
        );
        check(
            &["-n2", from, "CRON_TZ=Asia/Tokyo @daily", "--time-zone=Europe/Berlin"],
            expect![[r#"
                2026-03-29T00:00:00+09:00
                2026-03-30T00:00:00+09:00
                exit 0
            "#]],
        );
    }

    #[test]
    fn every_counts_from_the_start() {
        check(
            &["@every 1h30m", "-n", "2"],
            expect![[r#"
                2026-11-21T09:30:30Z
                2026-11-21T11:00:30Z
                exit 0
            "#]],
        );
    }

    #[test]
    fn wrong_schedules_get_the_parser_s_words() {
        check(
            &["60 * * * *"],
            expect![[r#"
                end of range (60) above maximum (59): 60
                exit 1
            "#]],
        );
        check(
            &["-5 * * * *"],
            expect![[r#"
                failed to parse int from : strconv.Atoi: parsing "": invalid syntax
                exit 1
            "#]],
        );
        check(
            &[""],
            expect![[r#"
                empty spec string
                exit 1
            "#]],
        );
        check(
            &["@daily", "--time-zone", "Amerika/X"],
            expect![[r#"
                unknown time zone Amerika/X
                exit 1
            "#]],
        );
        check(
            &["0 0 31 feb *"],
            expect![[r#"
                the schedule "0 0 31 feb *" never comes due: no such time within five years after 2026-11-21T08:00:30Z
                exit 1
            "#]],
        );
        check(
            &["0 0 29 feb *", "-n", "3", "--from", "2092-01-01T00:00:00Z"],
            expect![[r#"
                2092-02-29T00:00:00Z
                2096-02-29T00:00:00Z
                the schedule "0 0 29 feb *" does not come due again within five years after 2096-02-29T00:00:00Z
                exit 0
            "#]],
        );
    }

    #[test]
    fn nonsense_is_one_line_and_exit_2() {
        check(
            &[],
            expect![[r#"
                batchyard cron: a schedule is needed, such as "*/5 * * * *" (see 'batchyard cron --help')
                exit 2
            "#]],
        );
        check(
            &["*/5", "*", "*", "*", "*"],
            expect![[r#"
                batchyard cron: one schedule is needed, found 5 arguments: put it in quotes (see 'batchyard cron --help')
                exit 2
            "#]],
        );
        check(
            &["@daily", "--zone", "UTC"],
            expect![[r#"
                batchyard cron: unknown flag: --zone (see 'batchyard cron --help')
                exit 2
            "#]],
        );
        check(
            &["@daily", "--from"],
            expect![[r#"
                batchyard cron: flag needs an argument: --from (see 'batchyard cron --help')
                exit 2
            "#]],
        );
        check(
            &["@daily", "--from", "yesterday"],
            expect![[r#"
                batchyard cron: --from "yesterday" is no RFC 3339 time such as 2026-11-21T08:00:00Z (see 'batchyard cron --help')
                exit 2
            "#]],
        );
        check(
            &["@daily", "-n", "-1"],
            expect![[r#"
                batchyard cron: -n "-1" is no whole number above 0 (see 'batchyard cron --help')
                exit 2
            "#]],
        );
        check(
            &["@daily", "-n0"],
            expect![[r#"
                batchyard cron: -n "0" is no whole number above 0 (see 'batchyard cron --help')
                exit 2
            "#]],
        );
    }

    #[test]
    fn help_says_it_all() {
        let mut out = Vec::new();
        assert_eq!(run(&["--help".to_string()], SimTime::EPOCH, &mut out, &mut io::sink()), 0);
        assert_eq!(String::from_utf8(out).unwrap(), HELP);
        for flag in FLAGS {
            assert!(HELP.contains(flag.name), "{}", flag.name);
        }
    }
}
