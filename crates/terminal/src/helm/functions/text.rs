//! Functions on texts.

use super::{ANY, Row, text_of};
use shell::regex::Regex;
use shell::{base64_decode, base64_encode};
use values::template::{format, limits};
use values::value::Value;

pub const ROWS: &[Row] = &[
    Row("quote", 0, ANY, |args| Ok(each(args, |value| format::quote(&text_of(value))))),
    Row("squote", 0, ANY, |args| Ok(each(args, |value| format!("'{}'", text_of(value))))),
    Row("upper", 1, 1, |args| Ok(text_of(&args[0]).to_uppercase().into())),
    Row("lower", 1, 1, |args| Ok(text_of(&args[0]).to_lowercase().into())),
    Row("title", 1, 1, |args| Ok(title(&text_of(&args[0])).into())),
    Row("untitle", 1, 1, |args| Ok(each_word(&text_of(&args[0]), |c| c.to_lowercase().collect()).into())),
    Row("trim", 1, 1, |args| Ok(text_of(&args[0]).trim().into())),
    Row("trimAll", 2, 2, |args| Ok(text_of(&args[1]).trim_matches(any_of(&args[0]).as_slice()).into())),
    Row("trimPrefix", 2, 2, |args| {
        let (text, prefix) = (text_of(&args[1]), text_of(&args[0]));
        Ok(text.strip_prefix(&prefix).unwrap_or(&text).into())
    }),
    Row("trimSuffix", 2, 2, |args| {
        let (text, suffix) = (text_of(&args[1]), text_of(&args[0]));
        Ok(text.strip_suffix(&suffix).unwrap_or(&text).into())
    }),
    Row("indent", 2, 2, |args| indent(args).map(Value::from)),
    Row("nindent", 2, 2, |args| indent(args).map(|text| format!("\n{text}").into())),
    Row("replace", 3, 3, |args| {
        let (old, new, text) = (text_of(&args[0]), text_of(&args[1]), text_of(&args[2]));
        let times = text.matches(&old).count().saturating_add(1);
        if text.len().saturating_add(times.saturating_mul(new.len())) > limits::OUTPUT_BYTES {
            return Err("the text is too long".into());
        }
        Ok(text.replace(&old, &new).into())
    }),
    Row("trunc", 2, 2, |args| Ok(trunc(super::numbers::int(&args[0]), &text_of(&args[1])).into())),
    Row("abbrev", 2, 2, |args| {
        let (width, text) = (super::numbers::int(&args[0]), text_of(&args[1]));
        let long = text.chars().count() as i64 > width && width >= 4;
        Ok(if long { format!("{}...", trunc(width - 3, &text)) } else { text }.into())
    }),
    Row("repeat", 2, 2, |args| {
        let (count, text) = (super::numbers::int(&args[0]).max(0) as usize, text_of(&args[1]));
        let fits = count.saturating_mul(text.len()) <= limits::OUTPUT_BYTES;
        if fits { Ok(text.repeat(count).into()) } else { Err("the text is too long".into()) }
    }),
    Row("nospace", 1, 1, |args| Ok(text_of(&args[0]).split_whitespace().collect::<String>().into())),
    Row("contains", 2, 2, |args| Ok(text_of(&args[1]).contains(&text_of(&args[0])).into())),
    Row("hasPrefix", 2, 2, |args| Ok(text_of(&args[1]).starts_with(&text_of(&args[0])).into())),
    Row("hasSuffix", 2, 2, |args| Ok(text_of(&args[1]).ends_with(&text_of(&args[0])).into())),
    Row("cat", 0, ANY, |args| {
        let words: Vec<String> = args.iter().filter(|v| !v.is_null()).map(text_of).collect();
        Ok(words.join(" ").into())
    }),
    Row("join", 2, 2, |args| {
        let words: Vec<String> = match &args[1] {
            Value::List(items) => items.iter().filter(|v| !v.is_null()).map(text_of).collect(),
            other => vec![text_of(other)],
        };
        Ok(words.join(&text_of(&args[0])).into())
    }),
    Row("splitList", 2, 2, |args| {
        let (separator, text) = (text_of(&args[0]), text_of(&args[1]));
        Ok(Value::list(pieces(&text, &separator).into_iter().map(Value::from)))
    }),
    Row("split", 2, 2, |args| {
        let (separator, text) = (text_of(&args[0]), text_of(&args[1]));
        let numbered = pieces(&text, &separator).into_iter().enumerate();
        let map: values::value::Map = numbered.map(|(i, piece)| (format!("_{i}"), piece)).collect();
        Ok(map.into())
    }),
    Row("toString", 1, 1, |args| Ok(if args[0].is_null() { "<nil>".into() } else { text_of(&args[0]).into() })),
    Row("toStrings", 1, 1, |args| Ok(Value::list(args[0].as_list().unwrap_or(&[]).iter().map(|v| text_of(v).into())))),
    Row("snakecase", 1, 1, |args| Ok(separated(&text_of(&args[0]), '_').into())),
    Row("kebabcase", 1, 1, |args| Ok(separated(&text_of(&args[0]), '-').into())),
    Row("camelcase", 1, 1, |args| {
        let words = separated(&text_of(&args[0]), '_');
        Ok(words.split('_').map(title).collect::<String>().into())
    }),
    Row("b64enc", 1, 1, |args| Ok(base64_encode(text_of(&args[0]).as_bytes()).into())),
    Row("b64dec", 1, 1, |args| {
        let (bytes, intact) = base64_decode(text_of(&args[0]).as_bytes());
        if intact { Ok(String::from_utf8_lossy(&bytes).into_owned().into()) } else { Err("illegal base64 data".into()) }
    }),
    Row("sha256sum", 1, 1, |args| Ok(sha256(text_of(&args[0]).as_bytes()).into())),
    Row("regexMatch", 2, 2, |args| Ok(regex(&args[0])?.find(text_of(&args[1]).as_bytes(), 0).is_some().into())),
    Row("regexReplaceAll", 3, 3, |args| {
        let (regex, text, with) = (regex(&args[0])?, text_of(&args[1]), text_of(&args[2]));
        replace_all(&regex, &text, &with).map(Value::from)
    }),
    Row("plural", 3, 3, |args| {
        let one = super::numbers::int(&args[2]) == 1;
        Ok(if one { args[0].clone() } else { args[1].clone() })
    }),
];

fn each(args: &[Value], make: impl Fn(&Value) -> String) -> Value {
    let texts: Vec<String> = args.iter().filter(|value| !value.is_null()).map(make).collect();
    texts.join(" ").into()
}

fn any_of(value: &Value) -> Vec<char> {
    text_of(value).chars().collect()
}

fn title(text: &str) -> String {
    each_word(text, |c| c.to_uppercase().collect())
}

fn each_word(text: &str, change: impl Fn(char) -> String) -> String {
    let mut before = ' ';
    let mut changed = String::new();
    for c in text.chars() {
        let starts = !before.is_alphanumeric() && before != '_' && before != '\'';
        changed.push_str(&if starts { change(c) } else { c.to_string() });
        before = c;
    }
    changed
}

fn indent(args: &[Value]) -> Result<String, String> {
    let (blanks, text) = (super::numbers::int(&args[0]).clamp(0, 1000) as usize, text_of(&args[1]));
    if text.matches('\n').count().saturating_mul(blanks) > limits::OUTPUT_BYTES {
        return Err("the text is too long".into());
    }
    let pad = " ".repeat(blanks);
    Ok(format!("{pad}{}", text.replace('\n', &format!("\n{pad}"))))
}

fn trunc(count: i64, text: &str) -> String {
    let length = text.chars().count();
    if count < 0 {
        let kept = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX);
        return text.chars().skip(length.saturating_sub(kept)).collect();
    }
    text.chars().take(usize::try_from(count).unwrap_or(usize::MAX)).collect()
}

fn pieces(text: &str, separator: &str) -> Vec<String> {
    if separator.is_empty() {
        return text.chars().map(String::from).collect();
    }
    text.split(separator).map(str::to_owned).collect()
}

fn separated(text: &str, by: char) -> String {
    let mut made = String::new();
    let mut before = by;
    for c in text.chars() {
        if c.is_uppercase() && before != by && !before.is_uppercase() {
            made.push(by);
        }
        let c = if c.is_alphanumeric() { c } else { by };
        made.extend(c.to_lowercase());
        before = c;
    }
    made
}

fn regex(pattern: &Value) -> Result<Regex, String> {
    Regex::extended(&text_of(pattern), false)
}

fn replace_all(regex: &Regex, text: &str, with: &str) -> Result<String, String> {
    let mut made = String::new();
    let mut at = 0;
    while at <= text.len() {
        let Some((start, end)) = regex.find(text.as_bytes(), at).and_then(|found| found.first().copied().flatten())
        else {
            break;
        };
        made.push_str(&text[at..start]);
        made.push_str(with);
        let step = if end > start { 0 } else { text[end..].chars().next().map_or(1, char::len_utf8) };
        made.push_str(text.get(end..end + step).unwrap_or_default());
        at = end + step;
        if made.len() > limits::OUTPUT_BYTES {
            return Err("the text is too long".into());
        }
    }
    made.push_str(text.get(at..).unwrap_or_default());
    Ok(made)
}

/// FIPS 180-4, in hexadecimal digits.
pub fn sha256(bytes: &[u8]) -> String {
    let primes: Vec<u64> =
        (2u64..312).filter(|n| (2..*n).take_while(|d| d * d <= *n).all(|d| n % d != 0)).take(64).collect();
    let k: Vec<u32> = primes.iter().map(|p| fraction(*p, 3)).collect();
    let mut h: Vec<u32> = primes.iter().take(8).map(|p| fraction(*p, 2)).collect();
    let mut message = bytes.to_vec();
    message.push(0x80);
    message.resize(message.len().next_multiple_of(64), 0);
    if message.len() - bytes.len() < 9 {
        message.resize(message.len() + 64, 0);
    }
    let length = message.len();
    message[length - 8..].copy_from_slice(&(bytes.len() as u64 * 8).to_be_bytes());
    for block in message.chunks(64) {
        let mut w: Vec<u32> = block.chunks(4).map(|b| b.iter().fold(0, |n, byte| n << 8 | u32::from(*byte))).collect();
        for i in 16..64 {
            let s0 = w[i - 15].rotate_right(7) ^ w[i - 15].rotate_right(18) ^ w[i - 15] >> 3;
            let s1 = w[i - 2].rotate_right(17) ^ w[i - 2].rotate_right(19) ^ w[i - 2] >> 10;
            w.push(w[i - 16].wrapping_add(s0).wrapping_add(w[i - 7]).wrapping_add(s1));
        }
        let mut v = h.clone();
        for i in 0..64 {
            let s1 = v[4].rotate_right(6) ^ v[4].rotate_right(11) ^ v[4].rotate_right(25);
            let choice = v[4] & v[5] ^ !v[4] & v[6];
            let t1 = v[7].wrapping_add(s1).wrapping_add(choice).wrapping_add(k[i]).wrapping_add(w[i]);
            let s0 = v[0].rotate_right(2) ^ v[0].rotate_right(13) ^ v[0].rotate_right(22);
            let majority = v[0] & v[1] ^ v[0] & v[2] ^ v[1] & v[2];
            v.rotate_right(1);
            v[4] = v[4].wrapping_add(t1);
            v[0] = t1.wrapping_add(s0.wrapping_add(majority));
        }
        h.iter_mut().zip(&v).for_each(|(h, v)| *h = h.wrapping_add(*v));
    }
    h.iter().map(|word| format!("{word:08x}")).collect()
}

/// The first 32 bits behind the point of the `root`th root of a small number, by halving.
fn fraction(n: u64, root: u32) -> u32 {
    let target = u128::from(n) << (32 * root);
    let (mut low, mut high) = (0u128, 1u128 << 40);
    while high - low > 1 {
        let middle = (low + high) / 2;
        if middle.pow(root) <= target { low = middle } else { high = middle }
    }
    low as u32
}
