//! Changing a shared tree only where something changes.
//!
//! Rule: branches of [`Value`] are shared by pointers, and writing into a shared branch copies it. These helpers look
//! first, so that filling in an object that is complete costs no copy.

use std::rc::Rc;

use values::value::{Text, Value};

/// Writes `value` under `key` if nothing, or null, stands there.
pub(super) fn default_in(parent: &mut Value, key: &'static str, value: impl FnOnce() -> Value) {
    if parent.at_keys([key]).is_null() {
        parent.map_mut().insert(Text::Known(key), value());
    }
}

/// Lets `change` work on the child under `key`, if there is one, and puts it back if it did anything.
pub(super) fn update(parent: &mut Value, key: &'static str, change: impl FnOnce(&mut Value)) {
    let before = parent.at_keys([key]).clone();
    if before.is_null() {
        return;
    }
    let mut after = before.clone();
    change(&mut after);
    if !same(&before, &after) {
        drop(before);
        parent.map_mut().insert(Text::Known(key), after);
    }
}

/// Lets `change` work on each item of the list under `key`.
pub(super) fn each(parent: &mut Value, key: &'static str, change: impl Fn(&mut Value)) {
    update(parent, key, |list| {
        let count = list.as_list().map_or(0, <[Value]>::len);
        for i in 0..count {
            let Some(mut item) = list.as_list().and_then(|l| l.get(i)).cloned() else { return };
            let before = item.clone();
            change(&mut item);
            if !same(&before, &item) {
                list.list_mut()[i] = item;
            }
        }
    });
}

/// The same branch, or an equal leaf.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Map(a), Value::Map(b)) => Rc::ptr_eq(a, b),
        (Value::List(a), Value::List(b)) => Rc::ptr_eq(a, b),
        (a, b) => a == b,
    }
}
