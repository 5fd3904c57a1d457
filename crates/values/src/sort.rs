//! Stable sorts for all types by one sort of positions.
//!
//! `slice::sort_by` is compiled anew for each type and order, some 5 kB of wasm each time; here only the comparison and
//! the moving of the items are. The results are those of the standard library's stable sorts.

use std::cmp::Ordering;

/// Sorts `items` in their own order.
pub fn sort<T: Ord>(items: &mut [T]) {
    sort_by(items, T::cmp);
}

/// Sorts `items` by `compare`; equal ones stay in the order they have.
pub fn sort_by<T>(items: &mut [T], mut compare: impl FnMut(&T, &T) -> Ordering) {
    let order = order_of(items.len(), &mut |a, b| compare(&items[a], &items[b]));
    arrange(items, order);
}

/// Sorts `items` by a key that is made once for each; equal ones stay in the order they have.
pub fn sort_by_key<T, K: Ord>(items: &mut [T], key: impl FnMut(&T) -> K) {
    let keys: Vec<K> = items.iter().map(key).collect();
    arrange(items, order_of(items.len(), &mut |a, b| keys[a].cmp(&keys[b])));
}

/// The positions `0..count` in sorted order.
fn order_of(count: usize, compare: &mut dyn FnMut(usize, usize) -> Ordering) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by(|a, b| compare(*a, *b));
    order
}

/// Moves the item at position `order[i]` to position `i`, along the cycles of that permutation.
fn arrange<T>(items: &mut [T], mut order: Vec<usize>) {
    for start in 0..items.len() {
        let mut at = start;
        loop {
            // A place that is done points at itself.
            let from = std::mem::replace(&mut order[at], at);
            if from == start {
                break;
            }
            items.swap(at, from);
            at = from;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn sorts_as_the_standard_library_does(items in prop::collection::vec((0..20u8, any::<u16>()), 0..100)) {
            let (mut own, mut theirs) = (items.clone(), items.clone());
            sort_by_key(&mut own, |item| item.0);
            theirs.sort_by_key(|item| item.0);
            prop_assert_eq!(&own, &theirs);
            sort_by(&mut own, |a, b| b.0.cmp(&a.0));
            theirs.sort_by_key(|item| std::cmp::Reverse(item.0));
            prop_assert_eq!(&own, &theirs);
        }
    }
}
