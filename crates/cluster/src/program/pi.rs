//! `perl -Mbignum=bpi -wle 'print bpi(2000)'`: the Job of the Kubernetes documentation, with its digits really computed.
//!
//! Rule: Machin's formula, π = 16·arctan(1/5) − 4·arctan(1/239), on whole numbers with guard digits; the last digit is
//! rounded as `Math::BigFloat->bpi` does. How long it takes is recorded in `pi-job`: 4.5 s for 2000 digits, growing with the square.

use values::time::Span;

/// Most digits that are computed; more would only freeze the page.
pub const DIGITS_MAX: usize = 20_000;
/// Recorded: how long the real program took for 2000 digits.
const TIME_FOR_2000_DIGITS_MS: i64 = 4500;
const BASE: u64 = 1_000_000_000;
const BASE_DIGITS: usize = 9;
const GUARD_DIGITS: usize = 18;

/// How many digits the command asks for, if it is the documentation's one-liner.
pub fn digits_asked(argv: &[String]) -> Option<usize> {
    let text = argv.iter().find_map(|arg| arg.split_once("bpi("))?.1;
    let digits: usize = text.split(')').next()?.trim().parse().ok()?;
    Some(digits.clamp(1, DIGITS_MAX))
}

/// How long perl takes.
pub fn duration(digits: usize) -> Span {
    let digits = digits as i64;
    Span::ms(TIME_FOR_2000_DIGITS_MS * digits / 2000 * digits / 2000 + 30)
}

/// π with this many significant digits, rounded: `3.14` for 3.
pub fn pi(digits: usize) -> String {
    let words = (digits + GUARD_DIGITS).div_ceil(BASE_DIGITS) + 1;
    let mut sum = arctan_inverse(5, 16, words);
    subtract(&mut sum, &arctan_inverse(239, 4, words));
    let mut text: Vec<u8> = sum[1..].iter().flat_map(|word| format!("{word:09}").into_bytes()).collect();
    let keep = digits - 1;
    let round_up = text[keep] >= b'5';
    text.truncate(keep);
    let mut whole = sum[0];
    if round_up && !increment(&mut text) {
        whole += 1;
    }
    let fraction = String::from_utf8(text).unwrap_or_default();
    if fraction.is_empty() { whole.to_string() } else { format!("{whole}.{fraction}") }
}

/// `factor`·arctan(1/`x`) as a whole word and `words` words of nine digits behind the point.
fn arctan_inverse(x: u64, factor: u64, words: usize) -> Vec<u64> {
    let mut power = vec![0; words + 1];
    power[0] = factor;
    divide(&mut power, x);
    let mut sum = power.clone();
    let mut odd = 1;
    while power.iter().any(|word| *word != 0) {
        divide(&mut power, x * x);
        odd += 2;
        let mut term = power.clone();
        divide(&mut term, odd);
        if odd % 4 == 3 {
            subtract(&mut sum, &term);
        } else {
            add(&mut sum, &term);
        }
    }
    sum
}

fn divide(number: &mut [u64], by: u64) {
    let mut rest = 0;
    for word in number {
        let value = rest * BASE + *word;
        *word = value / by;
        rest = value % by;
    }
}

fn add(sum: &mut [u64], other: &[u64]) {
    let mut carry = 0;
    for (word, more) in sum.iter_mut().zip(other).rev() {
        let value = *word + more + carry;
        *word = value % BASE;
        carry = value / BASE;
    }
}

fn subtract(sum: &mut [u64], other: &[u64]) {
    let mut borrow = 0;
    for (word, less) in sum.iter_mut().zip(other).rev() {
        let less = less + borrow;
        borrow = u64::from(*word < less);
        *word = *word + borrow * BASE - less;
    }
}

/// Adds one to the last digit; false if all were nines.
fn increment(digits: &mut [u8]) -> bool {
    for digit in digits.iter_mut().rev() {
        if *digit < b'9' {
            *digit += 1;
            return true;
        }
        *digit = b'0';
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_right_and_the_last_is_rounded() {
        assert_eq!(pi(1), "3");
        assert_eq!(pi(5), "3.1416");
        assert_eq!(
            pi(100),
            "3.141592653589793238462643383279502884197169399375105820974944592307816406286208998628034825342117068"
        );
        let long = pi(2000);
        assert_eq!(long.len(), 2001);
        assert!(long.ends_with("780275901"), "{}", &long[1980..]);
    }

    #[test]
    fn only_the_one_liner_is_known() {
        let argv = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(digits_asked(&argv("perl -Mbignum=bpi -wle print~bpi(2000)")), Some(2000));
        assert_eq!(digits_asked(&argv("perl -e print")), None);
        assert_eq!(digits_asked(&argv("perl -e bpi(99999999)")), Some(DIGITS_MAX));
    }
}
