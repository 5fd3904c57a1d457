//! Tests of the schedule language: grammar, errors, the search for the next time.

use super::*;
use proptest::prelude::*;

#[test]
fn a_schedule_is_plain_data() {
    let parse = |text| Schedule::parse(text, &ZoneTable::bundled()).unwrap();
    assert_eq!(parse("@daily"), parse("0 0 * * ?"));
    assert_eq!(parse("@daily"), parse("0 0 */1 * *"));
    assert_eq!(parse("TZ=UTC @every 90.5s"), parse("CRON_TZ=UTC @every 1m30s"));
    assert_ne!(parse("TZ=Asia/Tokyo @daily"), parse("@daily"));
    assert_eq!(format!("{:?}", parse("5,7 * 1 1 *").fields().unwrap().minute), "{5, 7}");
}

#[test]
fn the_end_of_the_virtual_clock_is_not_passed() {
    for text in ["* * * * *", "0 0 29 2 *", "@every 2562047h", "TZ=Asia/Tokyo 0 0 1 1 *"] {
        let schedule = Schedule::parse(text, &ZoneTable::bundled()).unwrap();
        assert_eq!(schedule.next(SimTime::from_millis(i64::MAX), &Zone::UTC), None, "{text}");
        assert!(schedule.next(SimTime::from_millis(i64::MIN), &Zone::UTC).is_some(), "{text}");
    }
}

proptest! {
    #[test]
    fn any_text_is_parsed_or_refused(text in ".*") {
        let _ = Schedule::parse(&text, &ZoneTable::bundled());
    }

    /// Text made of the language's own characters, so that much of it parses; then it is searched too.
    #[test]
    fn schedule_like_text_never_panics(
        text in "(TZ=|CRON_TZ=)?(UTC |Asia/Tokyo |Europe )?([-*?/,0-9a-z@+]{0,6}[ \t]){0,6}[-*?/,0-9]{0,4}",
        after in any::<i64>(),
    ) {
        if let Ok(schedule) = Schedule::parse(&text, &ZoneTable::bundled()) {
            let after = SimTime::from_millis(after);
            if let Some(next) = schedule.next(after, &Zone::UTC) {
                prop_assert!(next > after);
            }
        }
    }
}
