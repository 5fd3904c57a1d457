//! Lists of indexes: `0,2-4`.
//!
//! Source: `pkg/apis/batch/validation/validation.go` (`validateIndexesFormat`, `parseIndexInterval`,
//! `validateFailedIndexesNotOverlapCompleted`).

/// Reads a list whose indexes must rise and stay below `completions`. Gives how many there are.
///
/// # Errors
/// What the API server says of the list.
pub fn count(list: &str, completions: i64) -> Result<i64, String> {
    if list.is_empty() {
        return Ok(0);
    }
    let (mut total, mut last): (i64, Option<i64>) = (0, None);
    for part in list.split(',') {
        let (from, to) = interval(part, completions)?;
        if let Some(last) = last.filter(|last| from <= *last) {
            return Err(format!("non-increasing order, previous: {last}, current: {from}"));
        }
        total += to - from + 1;
        last = Some(to);
    }
    Ok(total)
}

/// The first index that both lists hold. Parts that cannot be read are passed over.
pub fn overlap(completed: &str, failed: &str, completions: i64) -> Option<i64> {
    let read = |list: &str| -> Vec<(i64, i64)> {
        list.split(',').filter_map(|part| interval(part, completions).ok()).collect()
    };
    let (completed, failed) = (read(completed), read(failed));
    let (mut completed, mut failed) = (completed.iter().peekable(), failed.iter().peekable());
    while let (Some(done), Some(bad)) = (completed.peek(), failed.peek()) {
        let (from, to) = (done.0.max(bad.0), done.1.min(bad.1));
        if from <= to {
            return Some(from);
        }
        if done.1 < bad.0 {
            completed.next();
        } else {
            failed.next();
        }
    }
    None
}

fn interval(part: &str, completions: i64) -> Result<(i64, i64), String> {
    let mut ends = part.split('-');
    let (from, to) = (ends.next().unwrap_or(""), ends.next());
    if ends.next().is_some() {
        return Err(format!(
            "the fragment {part:?} violates the requirement that an index interval can have at most two parts separated \
             by '-'"
        ));
    }
    let read = |text: &str| {
        let number =
            text.parse::<i32>().map_err(|_| format!("cannot convert string to integer for index: {text:?}"))?;
        if i64::from(number) >= completions {
            return Err(format!("too large index: {text:?}"));
        }
        Ok(i64::from(number))
    };
    let from = read(from)?;
    let Some(to) = to else { return Ok((from, from)) };
    let to = read(to)?;
    if from >= to {
        return Err(format!("non-increasing order, previous: {from}, current: {to}"));
    }
    Ok((from, to))
}
