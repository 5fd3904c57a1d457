//! Reading JSON as jq does: one value after another, and jq's own words for what is wrong.

use std::rc::Rc;

use super::json::Json;

const MAX_DEPTH: usize = 500;

struct Reader<'t> {
    text: &'t str,
    at: usize,
    depth: usize,
}

/// The values of a text, and why it could not be read to its end.
pub fn values(text: &str) -> (Vec<Json>, Option<String>) {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = Reader { text, at: 0, depth: 0 };
    let mut all = Vec::new();
    loop {
        reader.blanks();
        if reader.at >= text.len() {
            return (all, None);
        }
        match reader.value() {
            Ok(value) => all.push(value),
            Err(why) => return (all, Some(why)),
        }
    }
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r' | 0x1e)) {
            self.at += 1;
        }
    }

    /// A message with the place, counted in lines and in the characters of the line.
    fn wrong<T>(&self, message: &str, at: usize) -> Result<T, String> {
        let before = &self.text[..at.min(self.text.len())];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, str::len);
        Err(format!("{message} at line {line}, column {column}"))
    }

    fn unfinished<T>(&self) -> Result<T, String> {
        self.wrong("Unfinished JSON term at EOF", self.text.len())
    }

    fn value(&mut self) -> Result<Json, String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return self.wrong("Exceeds depth limit for parsing", self.at);
        }
        self.blanks();
        let value = match self.peek() {
            None => self.unfinished(),
            Some(b'"') => self.string().map(|text| Json::text(&text)),
            Some(b'[') => self.array(),
            Some(b'{') => self.object(),
            Some(c @ (b']' | b'}')) => self.wrong(&format!("Unmatched '{}'", char::from(c)), self.at + 1),
            Some(b',') => self.wrong("Expected value before ','", self.at + 1),
            Some(b':') => self.wrong("':' not as part of an object", self.at + 1),
            Some(b'\'') => self.wrong("Invalid string literal; expected \", but got '", self.at + 1),
            Some(_) => self.literal(),
        };
        self.depth -= 1;
        value
    }

    fn literal(&mut self) -> Result<Json, String> {
        let ends = |c: char| c.is_whitespace() || matches!(c, ',' | ':' | '[' | ']' | '{' | '}' | '"' | '\'');
        let len = self.rest().find(ends).unwrap_or(self.rest().len());
        let start = self.at;
        self.at += len;
        let at_end = self.at >= self.text.len();
        let token = &self.text[start..self.at];
        match token {
            "null" => return Ok(Json::Null),
            "true" => return Ok(Json::Bool(true)),
            "false" => return Ok(Json::Bool(false)),
            "nan" | "NaN" | "-nan" => return Ok(Json::Number(f64::NAN)),
            _ => {}
        }
        if let Some(number) = Json::number(token) {
            return Ok(number);
        }
        let numeric = token.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '.');
        let what = if numeric { "Invalid numeric literal" } else { "Invalid literal" };
        // jq looks at a word when the character behind it has come.
        match at_end {
            true => self.wrong(&format!("{what} at EOF"), self.text.len()),
            false => self.wrong(what, self.at + 1),
        }
    }

    fn string(&mut self) -> Result<String, String> {
        self.at += 1;
        let mut out = String::new();
        loop {
            let len = self.rest().find(['"', '\\']).unwrap_or(self.rest().len());
            out.push_str(&self.text[self.at..self.at + len]);
            self.at += len;
            match self.peek() {
                None => return self.unfinished(),
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out);
                }
                Some(_) => {
                    let escape = self.text.as_bytes().get(self.at + 1).copied();
                    self.at += 2;
                    match escape {
                        Some(b'n') => out.push('\n'),
                        Some(b't') => out.push('\t'),
                        Some(b'r') => out.push('\r'),
                        Some(b'b') => out.push('\x08'),
                        Some(b'f') => out.push('\x0c'),
                        Some(c @ (b'"' | b'\\' | b'/')) => out.push(char::from(c)),
                        Some(b'u') => out.push(self.unicode()),
                        None => return self.unfinished(),
                        Some(_) => return self.wrong("Invalid escape", self.at),
                    }
                }
            }
        }
    }

    fn hexadecimal(&mut self) -> Option<u32> {
        let code = self.text.get(self.at..self.at + 4).and_then(|code| u32::from_str_radix(code, 16).ok())?;
        self.at += 4;
        Some(code)
    }

    fn unicode(&mut self) -> char {
        let Some(high) = self.hexadecimal() else { return '\u{fffd}' };
        if (0xd800..0xdc00).contains(&high) && self.rest().starts_with("\\u") {
            self.at += 2;
            let low = self.hexadecimal().unwrap_or(0);
            let code = 0x10000 + ((high - 0xd800) << 10) + low.wrapping_sub(0xdc00);
            return char::from_u32(code).unwrap_or('\u{fffd}');
        }
        char::from_u32(high).unwrap_or('\u{fffd}')
    }

    fn array(&mut self) -> Result<Json, String> {
        self.at += 1;
        let mut items = Vec::new();
        self.blanks();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Json::array(items));
        }
        loop {
            self.blanks();
            if self.peek() == Some(b']') {
                return self.wrong("Expected another array element", self.at + 1);
            }
            items.push(self.value()?);
            self.blanks();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return Ok(Json::array(items));
                }
                None => return self.unfinished(),
                Some(b'}') => return self.wrong("Unmatched '}'", self.at + 1),
                Some(b':') => return self.wrong("':' not as part of an object", self.at + 1),
                Some(_) => return self.wrong("Expected separator between values", self.at + 1),
            }
        }
    }

    fn object(&mut self) -> Result<Json, String> {
        self.at += 1;
        let mut object = Json::Object(Rc::default());
        self.blanks();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(object);
        }
        loop {
            self.blanks();
            let key = match self.peek() {
                Some(b'"') => self.string()?,
                None => return self.unfinished(),
                Some(b'}') => return self.wrong("Objects must consist of key:value pairs", self.at + 1),
                Some(b'\'') => return self.wrong("Invalid string literal; expected \", but got '", self.at + 1),
                Some(_) => {
                    self.value()?;
                    return self.wrong("Object keys must be strings", self.at + 1);
                }
            };
            self.blanks();
            match self.peek() {
                Some(b':') => self.at += 1,
                None => return self.unfinished(),
                Some(_) => return self.wrong("Objects must consist of key:value pairs", self.at + 1),
            }
            let value = self.value()?;
            object.set(&key, value);
            self.blanks();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    return Ok(object);
                }
                None => return self.unfinished(),
                Some(b']') => return self.wrong("Unmatched ']'", self.at + 1),
                Some(_) => return self.wrong("Expected separator between values", self.at + 1),
            }
        }
    }
}
