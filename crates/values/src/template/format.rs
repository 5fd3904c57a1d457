//! How Go prints values: `fmt.Sprint`, `fmt.Sprintf`.
//!
//! Source: `fmt/{print,format}.go`, `strconv/ftoa.go`.

use crate::value::Value;

/// Widest field and longest precision that a format may ask for.
const WIDTH_MAX: usize = 1000;

/// `%v`
pub fn display(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::Bool(b) => b.to_string(),
        Value::Int(n) => n.to_string(),
        Value::Float(x) => float(*x),
        Value::Str(text) => text.to_string(),
        Value::List(items) => format!("[{}]", items.iter().map(display).collect::<Vec<_>>().join(" ")),
        Value::Map(map) => {
            let entries: Vec<String> = map.iter().map(|(k, v)| format!("{k}:{}", display(v))).collect();
            format!("map[{}]", entries.join(" "))
        }
    }
}

/// Go's name of a value's type.
pub fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "<nil>",
        Value::Bool(_) => "bool",
        Value::Int(_) => "int",
        Value::Float(_) => "float64",
        Value::Str(_) => "string",
        Value::List(_) => "[]interface {}",
        Value::Map(_) => "map[string]interface {}",
    }
}

/// A `float64` as `%v`: the shortest digits, with an exponent below 1e-04 and from 1e+06 on.
pub fn float(x: f64) -> String {
    if x.is_nan() {
        return "NaN".to_owned();
    }
    if x.is_infinite() {
        return if x > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let shortest = format!("{x:e}");
    let (digits, exponent) = shortest.split_once('e').unwrap_or((&shortest, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..6).contains(&exponent) {
        return format!("{x}");
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

/// `fmt.Sprint`: blanks only between two operands that are no strings.
pub fn sprint(args: &[Value]) -> String {
    let mut text = String::new();
    for (i, arg) in args.iter().enumerate() {
        let string = |value: &Value| value.as_str().is_some();
        if i > 0 && !string(arg) && !string(&args[i - 1]) {
            text.push(' ');
        }
        text.push_str(&display(arg));
    }
    text
}

/// Flags of one `%` directive.
#[derive(Clone, Copy, Debug, Default)]
struct Directive {
    minus: bool,
    plus: bool,
    zero: bool,
    space: bool,
    sharp: bool,
    width: Option<usize>,
    precision: Option<usize>,
}

/// `fmt.Sprintf`
pub fn sprintf(format: &str, args: &[Value]) -> String {
    let mut text = String::new();
    let mut rest = format.chars().peekable();
    let mut next = 0;
    while let Some(c) = rest.next() {
        if c != '%' {
            text.push(c);
            continue;
        }
        let mut directive = Directive::default();
        while let Some(flag) = rest.next_if(|c| "-+0 #".contains(*c)) {
            match flag {
                '-' => directive.minus = true,
                '+' => directive.plus = true,
                '0' => directive.zero = true,
                ' ' => directive.space = true,
                _ => directive.sharp = true,
            }
        }
        directive.width = number(&mut rest, args, &mut next);
        if rest.next_if_eq(&'.').is_some() {
            directive.precision = Some(number(&mut rest, args, &mut next).unwrap_or(0));
        }
        let Some(verb) = rest.next() else {
            text.push_str("%!(NOVERB)");
            break;
        };
        if verb == '%' {
            text.push('%');
            continue;
        }
        match args.get(next) {
            Some(arg) => text.push_str(&pad(&one(verb, arg, directive), directive, arg)),
            None => text.push_str(&format!("%!{verb}(MISSING)")),
        }
        next += 1;
    }
    if next < args.len() {
        let shown: Vec<String> = args[next..].iter().map(|a| format!("{}={}", type_name(a), display(a))).collect();
        text.push_str(&format!("%!(EXTRA {})", shown.join(", ")));
    }
    text
}

fn number(rest: &mut std::iter::Peekable<std::str::Chars<'_>>, args: &[Value], next: &mut usize) -> Option<usize> {
    if rest.next_if_eq(&'*').is_some() {
        let width = args.get(*next).and_then(Value::as_i64);
        *next += 1;
        return width.and_then(|w| usize::try_from(w).ok()).map(|w| w.min(WIDTH_MAX));
    }
    let mut found = None;
    while let Some(digit) = rest.next_if(char::is_ascii_digit) {
        let n = found.unwrap_or(0usize) * 10 + digit as usize - '0' as usize;
        found = Some(n.min(WIDTH_MAX));
    }
    found
}

fn pad(text: &str, directive: Directive, arg: &Value) -> String {
    let width = directive.width.unwrap_or(0);
    let missing = width.saturating_sub(text.chars().count());
    if directive.minus {
        return format!("{text}{}", " ".repeat(missing));
    }
    let numeric = matches!(arg, Value::Int(_) | Value::Float(_));
    if directive.zero && numeric {
        let (sign, digits) = text.split_at(usize::from(text.starts_with(['-', '+'])));
        return format!("{sign}{}{digits}", "0".repeat(missing));
    }
    format!("{}{text}", " ".repeat(missing))
}

fn one(verb: char, arg: &Value, directive: Directive) -> String {
    let signed = |text: String, negative: bool| match (negative, directive.plus, directive.space) {
        (false, true, _) => format!("+{text}"),
        (false, false, true) => format!(" {text}"),
        _ => text,
    };
    let precision = directive.precision;
    match (verb, arg) {
        ('v', Value::Str(text)) if directive.sharp => quote(text),
        ('v', _) => display(arg),
        ('T', _) => type_name(arg).to_owned(),
        ('s', Value::Str(text)) => text.chars().take(precision.unwrap_or(usize::MAX)).collect(),
        ('q', Value::Str(text)) => quote(text),
        ('s' | 'q', Value::List(items)) => {
            format!("[{}]", items.iter().map(|item| one(verb, item, directive)).collect::<Vec<_>>().join(" "))
        }
        ('t', Value::Bool(b)) => b.to_string(),
        ('d', Value::Int(n)) => signed(n.to_string(), *n < 0),
        ('x', Value::Int(n)) => signed(hex(*n), *n < 0),
        ('X', Value::Int(n)) => signed(hex(*n).to_uppercase(), *n < 0),
        ('o', Value::Int(n)) => signed(format!("{n:o}"), *n < 0),
        ('b', Value::Int(n)) => signed(format!("{n:b}"), *n < 0),
        ('c', Value::Int(n)) => u32::try_from(*n).ok().and_then(char::from_u32).unwrap_or('\u{fffd}').to_string(),
        ('x', Value::Str(text)) => text.bytes().map(|byte| format!("{byte:02x}")).collect(),
        ('X', Value::Str(text)) => text.bytes().map(|byte| format!("{byte:02X}")).collect(),
        ('f' | 'F', Value::Float(x)) => signed(format!("{x:.*}", precision.unwrap_or(6)), *x < 0.0),
        ('g', Value::Float(x)) => signed(float(*x), *x < 0.0),
        ('e', Value::Float(x)) => {
            let text = format!("{x:.*e}", precision.unwrap_or(6));
            let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
            let exponent: i32 = exponent.parse().unwrap_or(0);
            let sign = if exponent < 0 { '-' } else { '+' };
            signed(format!("{digits}e{sign}{:02}", exponent.abs()), *x < 0.0)
        }
        (_, Value::Null) => format!("%!{verb}(<nil>)"),
        _ => format!("%!{verb}({}={})", type_name(arg), display(arg)),
    }
}

fn hex(n: i64) -> String {
    if n < 0 { format!("-{:x}", n.unsigned_abs()) } else { format!("{n:x}") }
}

/// `strconv.Quote`
pub fn quote(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            '\x07' => quoted.push_str("\\a"),
            '\x08' => quoted.push_str("\\b"),
            '\x0c' => quoted.push_str("\\f"),
            '\x0b' => quoted.push_str("\\v"),
            c if c.is_control() && u32::from(c) < 0x80 => quoted.push_str(&format!("\\x{:02x}", u32::from(c))),
            c if c.is_control() => quoted.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
