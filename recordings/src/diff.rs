//! How many lines two texts share in order, as Python's `difflib.SequenceMatcher` counts them.

use std::collections::BTreeMap;

/// The sum of the matching blocks' lengths.
pub fn shared(a: &[String], b: &[String]) -> usize {
    let mut places: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (j, line) in b.iter().enumerate() {
        places.entry(line).or_default().push(j);
    }
    let (mut total, mut queue) = (0, vec![(0, a.len(), 0, b.len())]);
    while let Some((a_from, a_to, b_from, b_to)) = queue.pop() {
        let (i, j, size) = longest(a, &places, (a_from, a_to), (b_from, b_to));
        if size == 0 {
            continue;
        }
        total += size;
        queue.push((a_from, i, b_from, j));
        queue.push((i + size, a_to, j + size, b_to));
    }
    total
}

/// The longest run of equal lines, the earliest in `a`, then in `b`.
fn longest(
    a: &[String],
    places: &BTreeMap<&str, Vec<usize>>,
    (a_from, a_to): (usize, usize),
    (b_from, b_to): (usize, usize),
) -> (usize, usize, usize) {
    let (mut best_i, mut best_j, mut best) = (a_from, b_from, 0);
    let mut lengths: BTreeMap<usize, usize> = BTreeMap::new();
    for (i, line) in a.iter().enumerate().take(a_to).skip(a_from) {
        let mut next = BTreeMap::new();
        for &j in places.get(line.as_str()).map_or(&[][..], Vec::as_slice) {
            if j < b_from {
                continue;
            }
            if j >= b_to {
                break;
            }
            let length = 1 + if j == 0 { 0 } else { lengths.get(&(j - 1)).copied().unwrap_or(0) };
            next.insert(j, length);
            if length > best {
                (best_i, best_j, best) = (i + 1 - length, j + 1 - length, length);
            }
        }
        lengths = next;
    }
    (best_i, best_j, best)
}

#[cfg(test)]
mod tests {
    use super::shared;

    #[test]
    fn blocks_are_counted_as_difflib_does() {
        let lines = |text: &str| text.chars().map(String::from).collect::<Vec<_>>();
        for (a, b, expected) in [("abcd", "abcd", 4), ("abxcd", "abcd", 4), ("abcd", "", 0), ("qabxcd", "abycdf", 4)] {
            assert_eq!(shared(&lines(a), &lines(b)), expected, "{a} {b}");
        }
    }
}
