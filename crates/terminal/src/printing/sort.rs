//! `--sort-by`, and the order that Go's `sort.Sort` gives.
//!
//! kubectl sorts with `sort.Sort`, which is not stable: equal elements of longer lists change places, always in the same way.
//! Events of the same second are such elements, so the order of a real `kubectl describe` needs the same algorithm:
//! pattern-defeating quicksort. Source: `src/sort/zsortinterface.go`, `kubectl/pkg/cmd/get/sorter.go`.

use std::cmp::Ordering;

use values::jsonpath::JsonPath;
use values::quantity::Quantity;
use values::value::Value;

/// Sorts objects by the field that a path names; those without it come first.
///
/// # Errors
/// The path is not one.
pub fn sort_by<T>(items: &mut [T], path: &str, tree: impl Fn(&T) -> Value) -> Result<(), String> {
    let path = JsonPath::relaxed(path)?;
    let key = |item: &T| path.values(&tree(item)).unwrap_or_default().into_iter().next().unwrap_or_default();
    let mut keyed: Vec<(Value, usize)> = items.iter().enumerate().map(|(i, item)| (key(item), i)).collect();
    if items.iter().len() > 0 && keyed.iter().all(|(key, _)| key.is_null()) {
        return Err(format!("couldn't find any field with path \"{}\" in the list of objects", path.text()));
    }
    go_sort(&mut keyed, |a, b| compare(&a.0, &b.0) == Ordering::Less);
    let mut place = vec![0; items.len()];
    for (to, (_, from)) in keyed.iter().enumerate() {
        place[*from] = to;
    }
    for i in 0..items.len() {
        while place[i] != i {
            let to = place[i];
            items.swap(i, to);
            place.swap(i, to);
        }
    }
    Ok(())
}

fn compare(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Null, Value::Null) => Ordering::Equal,
        (Value::Null, _) => Ordering::Less,
        (_, Value::Null) => Ordering::Greater,
        (Value::Int(a), Value::Int(b)) => a.cmp(b),
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::Float(a), Value::Float(b)) => a.total_cmp(b),
        (Value::Str(a), Value::Str(b)) => match (Quantity::parse(a), Quantity::parse(b)) {
            (Ok(x), Ok(y)) => x.cmp(&y),
            _ => natural(a, b),
        },
        _ => a.to_json().cmp(&b.to_json()),
    }
}

/// Runs of digits count as numbers: `pod-2` stands before `pod-10` (`github.com/fvbommel/sortorder`).
fn natural(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.as_bytes(), b.as_bytes());
    loop {
        match (a.first(), b.first()) {
            (None, None) => return Ordering::Equal,
            (None, _) => return Ordering::Less,
            (_, None) => return Ordering::Greater,
            (Some(x), Some(y)) if x.is_ascii_digit() && y.is_ascii_digit() => {
                let digits = |s: &[u8]| s.iter().take_while(|c| c.is_ascii_digit()).count();
                let (m, n) = (digits(a), digits(b));
                let zeros = |s: &[u8]| s.iter().take_while(|c| **c == b'0').count();
                let (x, y) = (&a[zeros(&a[..m])..m], &b[zeros(&b[..n])..n]);
                let order = x.len().cmp(&y.len()).then_with(|| x.cmp(y)).then_with(|| m.cmp(&n));
                if order != Ordering::Equal {
                    return order;
                }
                (a, b) = (&a[m..], &b[n..]);
            }
            (Some(x), Some(y)) if x != y => return x.cmp(y),
            _ => (a, b) = (&a[1..], &b[1..]),
        }
    }
}

/// Lists up to this length are sorted by insertion.
const INSERTION_MAX: usize = 12;
/// From this length on the pivot is the median of three medians.
const NINTHER_MIN: usize = 50;
/// From this length on a pivot is chosen with care at all.
const MEDIAN_MIN: usize = 8;
/// Exchanges with which a list of nine looks reversed.
const SWAPS_MAX: usize = 4 * 3;

/// Sorts as Go's `sort.Sort` does, with the same places for equal elements.
pub fn go_sort<T>(items: &mut [T], less: impl Fn(&T, &T) -> bool) {
    let limit = usize::BITS - items.len().leading_zeros();
    Sorter { items, less }.quick(0, None, limit);
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Hint {
    Unknown,
    Increasing,
    Decreasing,
}

struct Sorter<'a, T, F> {
    items: &'a mut [T],
    less: F,
}

impl<T, F: Fn(&T, &T) -> bool> Sorter<'_, T, F> {
    fn less(&self, i: usize, j: usize) -> bool {
        (self.less)(&self.items[i], &self.items[j])
    }

    fn quick(&mut self, mut a: usize, end: Option<usize>, mut limit: u32) {
        let mut b = end.unwrap_or(self.items.len());
        let (mut balanced, mut partitioned) = (true, true);
        loop {
            let length = b - a;
            if length <= INSERTION_MAX {
                return self.insertion(a, b);
            }
            if limit == 0 {
                return self.heap(a, b);
            }
            if !balanced {
                self.break_patterns(a, b);
                limit -= 1;
            }
            let (mut pivot, mut hint) = self.choose_pivot(a, b);
            if hint == Hint::Decreasing {
                self.items[a..b].reverse();
                pivot = (b - 1) - (pivot - a);
                hint = Hint::Increasing;
            }
            if balanced && partitioned && hint == Hint::Increasing && self.partial_insertion(a, b) {
                return;
            }
            // What equals the element before the range is its smallest: nothing of it needs to be looked at again.
            if a > 0 && !self.less(a - 1, pivot) {
                a = self.partition_equal(a, b, pivot);
                continue;
            }
            let (middle, already) = self.partition(a, b, pivot);
            partitioned = already;
            let (left, right) = (middle - a, b - middle);
            let balance = length / 8;
            if left < right {
                balanced = left >= balance;
                self.quick(a, Some(middle), limit);
                a = middle + 1;
            } else {
                balanced = right >= balance;
                self.quick(middle + 1, Some(b), limit);
                b = middle;
            }
        }
    }

    fn insertion(&mut self, a: usize, b: usize) {
        for i in a + 1..b.max(a + 1) {
            let mut j = i;
            while j > a && self.less(j, j - 1) {
                self.items.swap(j, j - 1);
                j -= 1;
            }
        }
    }

    fn heap(&mut self, a: usize, b: usize) {
        let length = b - a;
        for i in (0..length.div_ceil(2)).rev() {
            self.sift_down(i, length, a);
        }
        for i in (0..length).rev() {
            self.items.swap(a, a + i);
            self.sift_down(0, i, a);
        }
    }

    fn sift_down(&mut self, mut root: usize, end: usize, first: usize) {
        loop {
            let mut child = 2 * root + 1;
            if child >= end {
                return;
            }
            if child + 1 < end && self.less(first + child, first + child + 1) {
                child += 1;
            }
            if !self.less(first + root, first + child) {
                return;
            }
            self.items.swap(first + root, first + child);
            root = child;
        }
    }

    /// Brings smaller elements before the pivot and others behind it; says where it ended and whether all was so before.
    fn partition(&mut self, a: usize, b: usize, pivot: usize) -> (usize, bool) {
        self.items.swap(a, pivot);
        let (mut i, mut j) = (a + 1, b - 1);
        while i <= j && self.less(i, a) {
            i += 1;
        }
        while i <= j && !self.less(j, a) {
            j -= 1;
        }
        if i > j {
            self.items.swap(j, a);
            return (j, true);
        }
        self.items.swap(i, j);
        (i, j) = (i + 1, j - 1);
        loop {
            while i <= j && self.less(i, a) {
                i += 1;
            }
            while i <= j && !self.less(j, a) {
                j -= 1;
            }
            if i > j {
                break;
            }
            self.items.swap(i, j);
            (i, j) = (i + 1, j - 1);
        }
        self.items.swap(j, a);
        (j, false)
    }

    fn partition_equal(&mut self, a: usize, b: usize, pivot: usize) -> usize {
        self.items.swap(a, pivot);
        let (mut i, mut j) = (a + 1, b - 1);
        loop {
            while i <= j && !self.less(a, i) {
                i += 1;
            }
            while i <= j && self.less(a, j) {
                j -= 1;
            }
            if i > j {
                return i;
            }
            self.items.swap(i, j);
            (i, j) = (i + 1, j - 1);
        }
    }

    /// Sorts a list that is nearly sorted; false if it is not after a few steps.
    fn partial_insertion(&mut self, a: usize, b: usize) -> bool {
        const STEPS_MAX: usize = 5;
        const SHORTEST_SHIFTING: usize = 50;
        let mut i = a + 1;
        for _ in 0..STEPS_MAX {
            while i < b && !self.less(i, i - 1) {
                i += 1;
            }
            if i == b {
                return true;
            }
            if b - a < SHORTEST_SHIFTING {
                return false;
            }
            self.items.swap(i, i - 1);
            if i - a >= 2 {
                for j in (1..i).rev() {
                    if !self.less(j, j - 1) {
                        break;
                    }
                    self.items.swap(j, j - 1);
                }
            }
            if b - i >= 2 {
                for j in i + 1..b {
                    if !self.less(j, j - 1) {
                        break;
                    }
                    self.items.swap(j, j - 1);
                }
            }
        }
        false
    }

    /// Scatters some elements, so that lists made to be slow are not (xorshift, seeded by the length).
    fn break_patterns(&mut self, a: usize, b: usize) {
        let length = b - a;
        if length < 8 {
            return;
        }
        let mut random = length as u64;
        let modulus = 1u64 << (u64::BITS - (length as u64).leading_zeros());
        let middle = a + (length / 4) * 2 - 1;
        for i in 0..3 {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let mut other = (random & (modulus - 1)) as usize;
            if other >= length {
                other -= length;
            }
            self.items.swap(middle - 1 + i, a + other);
        }
    }

    fn choose_pivot(&mut self, a: usize, b: usize) -> (usize, Hint) {
        let length = b - a;
        let mut swaps = 0;
        let (mut i, mut j, mut k) = (a + length / 4, a + length / 4 * 2, a + length / 4 * 3);
        if length >= MEDIAN_MIN {
            if length >= NINTHER_MIN {
                i = self.median(i - 1, i, i + 1, &mut swaps);
                j = self.median(j - 1, j, j + 1, &mut swaps);
                k = self.median(k - 1, k, k + 1, &mut swaps);
            }
            j = self.median(i, j, k, &mut swaps);
        }
        match swaps {
            0 => (j, Hint::Increasing),
            SWAPS_MAX => (j, Hint::Decreasing),
            _ => (j, Hint::Unknown),
        }
    }

    fn median(&self, mut a: usize, mut b: usize, mut c: usize, swaps: &mut usize) -> usize {
        let mut order = |x: &mut usize, y: &mut usize| {
            if self.less(*y, *x) {
                *swaps += 1;
                std::mem::swap(x, y);
            }
        };
        order(&mut a, &mut b);
        order(&mut b, &mut c);
        order(&mut a, &mut b);
        b
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_ends_sorted() {
        for length in [0, 1, 5, 12, 13, 40, 49, 50, 51, 200, 1000] {
            for (name, make) in [
                ("up", (|i, _| i) as fn(u64, u64) -> u64),
                ("down", |i, n| n - i),
                ("few values", |i, _| i % 3),
                ("mixed", |i, n| i.wrapping_mul(0x9e37_79b9_7f4a_7c15) % (n + 1)),
                ("saw", |i, n| i % (n / 5 + 1)),
            ] {
                let mut items: Vec<u64> = (0..length).map(|i| make(i, length)).collect();
                let mut expected = items.clone();
                expected.sort_unstable();
                go_sort(&mut items, |a, b| a < b);
                assert_eq!(items, expected, "{name} {length}");
            }
        }
    }

    #[test]
    fn numbers_within_names_count() {
        assert_eq!(natural("pod-2", "pod-10"), Ordering::Less);
        assert_eq!(natural("a", "b"), Ordering::Less);
        assert_eq!(natural("x-01", "x-1"), Ordering::Greater);
    }
}
