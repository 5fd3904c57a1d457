//! Tests of time zones: the table, wall clock times, the checks of names.

use super::*;

fn zone(name: &str) -> Zone {
    Zone::load(name, &ZoneTable::bundled()).unwrap()
}

fn wall(year: i64, month: i64, day: i64, hour: i64, minute: i64) -> Wall {
    Wall { year, month, day, hour, minute, second: 0 }
}

#[test]
fn names_are_taken_as_go_takes_them() {
    for (name, said) in [
        ("Mars/Olympus", "unknown time zone Mars/Olympus"),
        ("europe/berlin", "unknown time zone europe/berlin"),
        ("utc", "unknown time zone utc"),
        (" ", "unknown time zone  "),
        ("ü", "unknown time zone ü"),
        ("..", "time: invalid location name"),
        ("Europe/../Asia/Tokyo", "time: invalid location name"),
        ("/etc/localtime", "time: invalid location name"),
        ("\\x", "time: invalid location name"),
        ("Europe", "is a directory"),
        ("America/Argentina/", "is a directory"),
    ] {
        assert_eq!(Zone::load(name, &ZoneTable::bundled()).unwrap_err().to_string(), said, "{name:?}");
    }
    for name in ["", "UTC", "Local"] {
        assert_eq!(Zone::load(name, &ZoneTable::empty()), Ok(Zone::UTC));
    }
    assert_eq!(zone("Europe/Berlin").name(), "Europe/Berlin");
    assert_eq!(zone("Etc/UTC").name(), "Etc/UTC");
}

#[test]
fn an_empty_table_is_told_from_an_unknown_name() {
    let error = Zone::load("Europe/Berlin", &ZoneTable::empty()).unwrap_err();
    assert_eq!(error, ZoneError::NoTable("Europe/Berlin".to_string()));
    assert_eq!(error.to_string(), "unknown time zone Europe/Berlin");
}

#[test]
fn rules_that_cannot_be_read_are_an_error() {
    let mut file = pack();
    let first = file.windows(4).position(|bytes| bytes == b"TZif").unwrap();
    file[first..].fill(0);
    let table = ZoneTable::from_bytes(file).unwrap();
    assert_eq!(Zone::load("Asia/Tokyo", &table), Err(ZoneError::Malformed));
}

#[test]
fn every_zone_loads_and_is_the_same_from_the_packed_table() {
    let packed = ZoneTable::from_bytes(pack()).unwrap();
    for name in packed.names() {
        assert_eq!(Zone::load(name, &packed), Ok(zone(name)), "{name}");
    }
}

#[test]
fn the_field_is_checked_as_the_api_server_does() {
    let explicit = "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones";
    for (name, said) in [
        ("Europe/Berlin", vec![]),
        ("Etc/GMT+5", vec![]),
        ("", vec!["timeZone must be nil or non-empty string"]),
        ("Local", vec![explicit]),
        ("LOCAL", vec![explicit, "unknown time zone LOCAL"]),
        ("Amerika/X", vec!["unknown time zone Amerika/X"]),
        (" Continent/Zone", vec!["unknown time zone  Continent/Zone"]),
        ("Continent/Zone ", vec!["unknown time zone Continent/Zone "]),
        ("../UTC", vec!["unknown time zone ../UTC"]),
        ("a..b", vec!["time: invalid location name"]),
        ("-x", vec!["unknown time zone -x"]),
        ("America//New_York", vec!["unknown time zone America//New_York"]),
        ("abcdefghijklmno", vec!["unknown time zone abcdefghijklmno"]),
        ("America", vec!["is a directory"]),
    ] {
        assert_eq!(check_time_zone(name, &ZoneTable::bundled()), said, "{name:?}");
    }
}

#[test]
fn moments_are_written_with_their_offset() {
    let at = SimTime::parse_rfc3339("2026-01-05T12:00:00.7Z").unwrap();
    for (name, text) in [
        ("UTC", "2026-01-05T12:00:00Z"),
        ("Europe/London", "2026-01-05T12:00:00Z"),
        ("Asia/Kathmandu", "2026-01-05T17:45:00+05:45"),
        ("America/New_York", "2026-01-05T07:00:00-05:00"),
        ("America/St_Johns", "2026-01-05T08:30:00-03:30"),
        ("Pacific/Kiritimati", "2026-01-06T02:00:00+14:00"),
    ] {
        assert_eq!(zone(name).rfc3339(at), text);
    }
}

/// The instants are those Go 1.26 gives for `time.Date(…)` in the same zones.
#[test]
fn skipped_and_repeated_times_become_what_go_makes_of_them() {
    for (name, wall, instant) in [
        ("America/New_York", wall(2026, 3, 8, 2, 30), "2026-03-08T01:30:00-05:00"),
        ("America/New_York", wall(2026, 11, 1, 1, 30), "2026-11-01T01:30:00-04:00"),
        ("Europe/Berlin", wall(2026, 3, 29, 2, 30), "2026-03-29T03:30:00+02:00"),
        ("Europe/Berlin", wall(2026, 10, 25, 2, 30), "2026-10-25T02:30:00+01:00"),
        ("Europe/London", wall(2026, 3, 29, 1, 30), "2026-03-29T02:30:00+01:00"),
        ("Europe/London", wall(2026, 10, 25, 1, 30), "2026-10-25T01:30:00Z"),
        ("America/Sao_Paulo", wall(2018, 11, 4, 0, 0), "2018-11-03T23:00:00-03:00"),
        ("Australia/Lord_Howe", wall(2026, 10, 4, 2, 15), "2026-10-04T02:45:00+11:00"),
        ("Pacific/Apia", wall(2011, 12, 30, 0, 0), "2011-12-29T00:00:00-10:00"),
        ("Asia/Tokyo", wall(2026, 2, 30, 0, 0), "2026-03-02T00:00:00+09:00"),
    ] {
        let secs = zone(name).instant(wall);
        assert_eq!(zone(name).rfc3339(SimTime::from_secs(secs)), instant, "{name} {wall:?}");
    }
}

#[test]
fn the_ends_of_time_are_no_trouble() {
    let zone = zone("Europe/Berlin");
    for ms in [i64::MIN, i64::MIN + 1, i64::MAX - 1, i64::MAX] {
        let secs = SimTime::from_millis(ms).secs();
        let _ = zone.instant(zone.wall(secs));
        let _ = zone.rfc3339(SimTime::from_millis(ms));
    }
}

/// The search of schedules leaps over hours where the offset is the same at both ends.
#[test]
fn no_zone_changes_its_clocks_twice_within_a_day() {
    let until: jiff::Timestamp = "2100-01-01T00:00:00Z".parse().unwrap();
    for name in ZoneTable::bundled().names() {
        let Some((_, rules)) = zone(name).rules else { continue };
        let changes = rules.following(jiff::Timestamp::MIN).take_while(|change| change.timestamp() < until);
        let moments: Vec<i64> = changes.map(|change| change.timestamp().as_second()).collect();
        for pair in moments.windows(2) {
            assert!(pair[1] - pair[0] > 86_400, "{name} at {pair:?}");
        }
    }
}
