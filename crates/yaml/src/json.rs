//! JSON syntax with Go's errors.
//!
//! Rule: a text that begins with `{` is first read as a stream of JSON values; only if that fails is it read as YAML, and if
//! both fail the error is JSON's: `json: offset 12: invalid character 'x' after object key`. Sources: Go's
//! `encoding/json/scanner.go` (the messages), `apimachinery/pkg/util/yaml/decoder.go` (the order).

/// Deepest nesting Go reads.
const MAX_DEPTH: usize = 10_000;

/// Why a text is no JSON.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct JsonError {
    /// As kubectl prints it.
    pub text: String,
}

/// The end of the JSON value that begins `text[from..]`, blanks before it passed over.
pub(super) fn value_end(text: &str, from: usize) -> Result<usize, JsonError> {
    let mut reader = Reader { bytes: text.as_bytes(), text, at: from };
    reader.value()?;
    Ok(reader.at)
}

/// True if `text` could be a stream of JSON objects.
pub(super) fn might_be_json(text: &str) -> bool {
    text.trim_start().starts_with('{')
}

struct Reader<'t> {
    bytes: &'t [u8],
    text: &'t str,
    at: usize,
}

type Read<T> = Result<T, JsonError>;

impl Reader<'_> {
    fn peek(&mut self) -> Read<u8> {
        while self.bytes.get(self.at).is_some_and(|b| b" \t\r\n".contains(b)) {
            self.at += 1;
        }
        self.byte()
    }

    fn byte(&self) -> Read<u8> {
        self.bytes.get(self.at).copied().ok_or_else(|| JsonError { text: "unexpected EOF".into() })
    }

    fn invalid<T>(&self, context: &str) -> Read<T> {
        let c = match self.text.get(self.at..).and_then(|t| t.chars().next()) {
            // Go looks at bytes: what is not ASCII is shown as the Latin letter of its first byte.
            Some(c) if !c.is_ascii() => char::from(self.bytes[self.at]),
            Some(c) => c,
            None => ' ',
        };
        let shown = match c {
            '\'' => r"'\''".to_string(),
            '"' => "'\"'".to_string(),
            '\n' | '\t' | '\r' | '\\' => format!("'{}'", c.escape_default()),
            c if c.is_ascii_control() => format!("'\\x{:02x}'", c as u32),
            c => format!("'{c}'"),
        };
        Err(JsonError { text: format!("json: offset {}: invalid character {shown} {context}", self.at + 1) })
    }

    /// One value; without recursion, so that no nesting is too deep for us.
    fn value(&mut self) -> Read<()> {
        let mut open: Vec<u8> = Vec::new();
        loop {
            // A value begins here.
            match self.peek()? {
                bracket @ (b'{' | b'[') => {
                    self.at += 1;
                    open.push(bracket);
                    if open.len() > MAX_DEPTH {
                        return Err(JsonError { text: format!("json: offset {}: exceeded max depth", self.at) });
                    }
                    let empty = self.peek()? == bracket + 2;
                    if !empty {
                        if bracket == b'{' {
                            self.key()?;
                        }
                        continue;
                    }
                    self.at += 1;
                    open.pop();
                }
                b'"' => self.string()?,
                b'-' | b'0'..=b'9' => self.number()?,
                b't' => self.word("true")?,
                b'f' => self.word("false")?,
                b'n' => self.word("null")?,
                _ => return self.invalid("looking for beginning of value"),
            }
            // A value has ended here: what encloses it goes on or ends too.
            loop {
                let Some(&bracket) = open.last() else { return Ok(()) };
                match self.peek()? {
                    b',' => {
                        self.at += 1;
                        if bracket == b'{' {
                            self.key()?;
                        }
                        break;
                    }
                    b if b == bracket + 2 => {
                        self.at += 1;
                        open.pop();
                    }
                    _ if bracket == b'{' => return self.invalid("after object key:value pair"),
                    _ => return self.invalid("after array element"),
                }
            }
        }
    }

    fn key(&mut self) -> Read<()> {
        if self.peek()? != b'"' {
            return self.invalid("looking for beginning of object key string");
        }
        self.string()?;
        if self.peek()? != b':' {
            return self.invalid("after object key");
        }
        self.at += 1;
        Ok(())
    }

    fn string(&mut self) -> Read<()> {
        self.at += 1;
        loop {
            match self.byte()? {
                b'"' => {
                    self.at += 1;
                    return Ok(());
                }
                b'\\' => self.escape()?,
                0..=0x1f => return self.invalid("in string literal"),
                _ => self.at += 1,
            }
        }
    }

    fn escape(&mut self) -> Read<()> {
        self.at += 1;
        match self.byte()? {
            b'b' | b'f' | b'n' | b'r' | b't' | b'\\' | b'/' | b'"' => self.at += 1,
            b'u' => {
                self.at += 1;
                for _ in 0..4 {
                    if !self.byte()?.is_ascii_hexdigit() {
                        return self.invalid(r"in \u hexadecimal character escape");
                    }
                    self.at += 1;
                }
            }
            _ => return self.invalid("in string escape code"),
        }
        Ok(())
    }

    fn number(&mut self) -> Read<()> {
        if self.byte()? == b'-' {
            self.at += 1;
        }
        match self.byte()? {
            b'0' => self.at += 1,
            b'1'..=b'9' => self.digits(),
            _ => return self.invalid("in numeric literal"),
        }
        if self.bytes.get(self.at) == Some(&b'.') {
            self.at += 1;
            if !self.byte()?.is_ascii_digit() {
                return self.invalid("after decimal point in numeric literal");
            }
            self.digits();
        }
        if matches!(self.bytes.get(self.at), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.byte()?, b'+' | b'-') {
                self.at += 1;
            }
            if !self.byte()?.is_ascii_digit() {
                return self.invalid("in exponent of numeric literal");
            }
            self.digits();
        }
        Ok(())
    }

    fn digits(&mut self) {
        while self.bytes.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
    }

    fn word(&mut self, word: &'static str) -> Read<()> {
        for expected in word.bytes() {
            if self.byte()? != expected {
                return self.invalid(&format!("in literal {word} (expecting '{}')", char::from(expected)));
            }
            self.at += 1;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_in_go_s_words() {
        for (text, expected) in [
            ("{\"a\": [1, -2.5e+3, true, null, \"\\u00e9\\n\", {}, []]} x", "51"),
            ("{{ .Values.x }}", "json: offset 2: invalid character '{' looking for beginning of object key string"),
            ("{\"a\" 1}", "json: offset 6: invalid character '1' after object key"),
            ("{\"a\": 1 \"b\": 2}", "json: offset 9: invalid character '\"' after object key:value pair"),
            ("{\"a\": [1 2]}", "json: offset 10: invalid character '2' after array element"),
            ("{\"a\": tru}", "json: offset 10: invalid character '}' in literal true (expecting 'e')"),
            ("{\"a\": 1.}", "json: offset 9: invalid character '}' after decimal point in numeric literal"),
            ("{\"a\": \"x\ny\"}", "json: offset 9: invalid character '\\n' in string literal"),
            ("{\"a\": 1,}", "json: offset 9: invalid character '}' looking for beginning of object key string"),
            ("{\"a\": ", "unexpected EOF"),
        ] {
            let said = value_end(text, 0).map_or_else(|e| e.text, |end| end.to_string());
            assert_eq!(said, expected, "{text}");
        }
        assert!(value_end(&"{\"a\":".repeat(20_000), 0).is_err());
    }
}
