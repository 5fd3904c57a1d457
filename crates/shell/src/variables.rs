//! Variables: texts, arrays and what `declare` says of them (bash manual 5 and 6.7).

use std::rc::Rc;

use super::state::State;
use values::sorted::SortedMap;

/// The largest index a list may have here, so that a loop over it ends.
const INDEX_MAX: i64 = 1 << 24;

/// An array's elements.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Array {
    Indexed(Rc<SortedMap<i64, String>>),
    /// With the keys in the order in which they were set.
    Keyed(Rc<SortedMap<String, String>>),
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Var {
    /// `None`: declared (`export x`, `local x`) but unset.
    pub value: Option<String>,
    pub array: Option<Array>,
    pub exported: bool,
    pub read_only: bool,
    /// `declare -i`
    pub integer: bool,
    /// `declare -u` and `-l`
    pub case: Option<Case>,
    /// `declare -n`: the value is the name of the variable that is meant.
    pub reference: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Case {
    Upper,
    Lower,
}

/// Why a variable could not be changed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NotSet {
    ReadOnly,
    /// The message, without the shell's name.
    Wrong(String),
}

impl Var {
    pub fn exported(value: String) -> Var {
        Var { value: Some(value), exported: true, ..Var::default() }
    }

    pub fn is_set(&self) -> bool {
        self.value.is_some() || self.array.as_ref().is_some_and(|array| array.len() > 0)
    }

    /// The letters of `declare -p`.
    pub fn letters(&self) -> String {
        let mut letters = String::new();
        match &self.array {
            Some(Array::Indexed(_)) => letters.push('a'),
            Some(Array::Keyed(_)) => letters.push('A'),
            None => {}
        }
        let flags = [(self.integer, 'i'), (self.reference, 'n'), (self.read_only, 'r')];
        letters.extend(flags.into_iter().filter(|(on, _)| *on).map(|(_, letter)| letter));
        letters.extend(self.case.filter(|case| *case == Case::Lower).map(|_| 'l'));
        letters.extend(self.exported.then_some('x'));
        letters.extend(self.case.filter(|case| *case == Case::Upper).map(|_| 'u'));
        letters
    }

    fn bytes(&self) -> usize {
        self.value.as_ref().map_or(0, String::len) + self.array.as_ref().map_or(0, Array::bytes) + 64
    }
}

impl Array {
    pub fn len(&self) -> usize {
        match self {
            Array::Indexed(items) => items.len(),
            Array::Keyed(items) => items.len(),
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Array::Indexed(items) => items.values().map(|value| value.len() + 32).sum(),
            Array::Keyed(items) => items.iter().map(|(key, value)| key.len() + value.len() + 48).sum(),
        }
    }

    /// The value under a key, which of a list is a number.
    pub fn get(&self, key: &str) -> Option<&str> {
        match self {
            Array::Indexed(items) => items.get(&key.parse::<i64>().ok()?).map(String::as_str),
            Array::Keyed(items) => items.get(key).map(String::as_str),
        }
    }

    /// Keys and values, in bash's order.
    pub fn entries(&self) -> Vec<(String, String)> {
        match self {
            Array::Indexed(items) => items.iter().map(|(key, value)| (key.to_string(), value.clone())).collect(),
            Array::Keyed(items) => {
                let mut entries: Vec<(u32, &String, &String)> =
                    items.iter().map(|(key, value)| (bucket(key), key, value)).collect();
                entries.sort_by_key(|(bucket, ..)| *bucket);
                entries.into_iter().map(|(_, key, value)| (key.clone(), value.clone())).collect()
            }
        }
    }

    pub fn remove(&mut self, key: &str) {
        match self {
            Array::Indexed(items) => {
                if let Ok(index) = key.parse() {
                    Rc::make_mut(items).remove(&index);
                }
            }
            Array::Keyed(items) => {
                Rc::make_mut(items).remove(key);
            }
        }
    }
}

/// Where bash's table of 1,024 rows has a key: FNV-1, 32 bits.
fn bucket(key: &str) -> u32 {
    let hash = key.bytes().fold(2_166_136_261u32, |hash, byte| hash.wrapping_mul(16_777_619) ^ u32::from(byte));
    hash & 1023
}

impl State {
    /// The name that is meant, behind `declare -n`.
    pub fn target<'n>(&'n self, name: &'n str) -> &'n str {
        let mut name = name;
        for _ in 0..8 {
            match self.vars.get(name) {
                Some(Var { reference: true, value: Some(next), .. }) if !next.is_empty() => name = next,
                _ => break,
            }
        }
        name
    }

    pub fn var(&self, name: &str) -> Option<&Var> {
        self.vars.get(self.target(name))
    }

    /// The value; of an array its first element, as bash has it.
    pub fn get(&self, name: &str) -> Option<&str> {
        let var = self.var(name)?;
        match &var.array {
            Some(array) => array.get("0"),
            None => var.value.as_deref(),
        }
    }

    pub fn set(&mut self, name: &str, value: impl Into<String>) -> Result<(), NotSet> {
        self.set_element(name, None, value.into(), false)
    }

    /// Whether the keys of an array are texts.
    pub fn is_keyed(&self, name: &str) -> bool {
        self.var(name).is_some_and(|var| matches!(var.array, Some(Array::Keyed(_))))
    }

    /// Sets or extends a variable, or one element of an array.
    pub fn set_element(
        &mut self,
        name: &str,
        key: Option<&str>,
        mut value: String,
        append: bool,
    ) -> Result<(), NotSet> {
        let name = self.target(name).to_string();
        let (integer, case) = match self.vars.get(&name) {
            Some(var) if var.read_only => return Err(NotSet::ReadOnly),
            Some(var) => (var.integer, var.case),
            None => (false, None),
        };
        if integer {
            let number =
                |text: &str, state: &mut State| super::expand::arith::evaluate(text, state).map_err(NotSet::Wrong);
            let before = match append {
                true => {
                    let text = self.element(&name, key).unwrap_or_default().to_string();
                    number(&text, self)?
                }
                false => 0,
            };
            value = before.wrapping_add(number(&value, self)?).to_string();
        }
        let append = append && !integer;
        let allexport = self.flags.allexport;
        if name == "OPTIND" {
            self.getopts_at = 0;
        }
        let var = match self.vars.get_mut(&name) {
            Some(var) => var,
            None => self.vars.entry(name.clone()).or_default(),
        };
        var.exported |= allexport;
        value = match case {
            Some(Case::Upper) => value.to_uppercase(),
            Some(Case::Lower) => value.to_lowercase(),
            None => value,
        };
        let put = |old: &mut String| if append { old.push_str(&value) } else { *old = value.clone() };
        match (&mut var.array, key) {
            (None, None | Some("0")) if key.is_none() => match &mut var.value {
                Some(old) if append => old.push_str(&value),
                slot => *slot = Some(value),
            },
            (None, key) => {
                let mut items: SortedMap<i64, String> =
                    var.value.take().into_iter().map(|value| (0i64, value)).collect();
                put(items.entry(index(key.unwrap_or("0"))?).or_default());
                var.array = Some(Array::Indexed(Rc::new(items)));
            }
            (Some(Array::Indexed(items)), key) => {
                let key = index(key.unwrap_or("0"))?;
                put(Rc::make_mut(items).entry(key).or_default());
            }
            (Some(Array::Keyed(items)), key) => {
                put(Rc::make_mut(items).entry(key.unwrap_or("0").to_string()).or_default());
            }
        }
        Ok(())
    }

    /// The value of a variable, or of one element.
    pub fn element(&self, name: &str, key: Option<&str>) -> Option<&str> {
        let var = self.var(name)?;
        match (&var.array, key) {
            (Some(array), key) => array.get(key.unwrap_or("0")),
            (None, None | Some("0")) => var.value.as_deref(),
            (None, Some(_)) => None,
        }
    }

    /// Keys and values of an array; a plain variable is an array of one.
    pub fn entries(&self, name: &str) -> Vec<(String, String)> {
        match self.var(name) {
            Some(Var { array: Some(array), .. }) => array.entries(),
            Some(Var { value: Some(value), .. }) => vec![("0".to_string(), value.clone())],
            _ => Vec::new(),
        }
    }

    /// Replaces an array by these elements.
    pub fn set_list(&mut self, name: &str, items: Vec<String>) -> Result<(), NotSet> {
        let name = self.target(name).to_string();
        let var = self.vars.entry(name).or_default();
        if var.read_only {
            return Err(NotSet::ReadOnly);
        }
        var.value = None;
        var.array = Some(Array::Indexed(Rc::new((0i64..).zip(items).collect())));
        Ok(())
    }

    /// Makes a variable an array, keeping what it has.
    pub fn make_array(&mut self, name: &str, keyed: bool, emptied: bool) -> Result<(), NotSet> {
        let name = self.target(name).to_string();
        let var = self.vars.entry(name).or_default();
        if var.read_only {
            return Err(NotSet::ReadOnly);
        }
        let value = var.value.take();
        match (&var.array, keyed) {
            (Some(Array::Keyed(_)), _) if !emptied => {}
            (Some(Array::Indexed(_)), false) if !emptied => {}
            (Some(Array::Keyed(_)), _) => var.array = Some(Array::Keyed(Rc::default())),
            (_, true) => var.array = Some(Array::Keyed(Rc::default())),
            (_, false) => {
                let first = value.into_iter().filter(|_| !emptied).map(|value| (0i64, value));
                var.array = Some(Array::Indexed(Rc::new(first.collect())));
            }
        }
        Ok(())
    }

    /// Bytes that variables take.
    pub(super) fn variable_bytes(&self) -> usize {
        self.vars.iter().map(|(name, var)| name.len() + var.bytes()).sum()
    }
}

fn index(key: &str) -> Result<i64, NotSet> {
    let number = key.parse::<i64>().map_err(|_| NotSet::Wrong(format!("{key}: bad array subscript")))?;
    if (0..=INDEX_MAX).contains(&number) {
        Ok(number)
    } else {
        Err(NotSet::Wrong(format!("[{key}]: bad array subscript")))
    }
}
