//! Decimal numbers as devices write them, without a detour through a binary float.

use crate::limits::{MAX_COUNT, MAX_NUMBER_CHARS};

/// Most digits and powers of ten that are kept: enough for nanoseconds of any century.
const MAX_POWER: i32 = 30;

/// A decimal number: `digits` × 10^`power`, exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Decimal {
    is_negative: bool,
    digits: i128,
    power: i32,
}

impl Decimal {
    /// Reads `12`, `-0.5`, `44.0`, `1.796e9`. `None` for everything else, also `nan`, `inf`, `0x1`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.len() > MAX_NUMBER_CHARS {
            return None;
        }
        let (is_negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        if whole.is_empty() || !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit()) {
            return None;
        }
        let fraction = fraction.trim_end_matches('0');
        let shift = i32::try_from(fraction.len()).ok()?;
        let mut digits = 0_i128;
        for byte in whole.bytes().chain(fraction.bytes()) {
            digits = digits.checked_mul(10)?.checked_add(i128::from(byte - b'0'))?;
        }
        let power = exponent.checked_sub(shift)?;
        Some(Self { is_negative, digits, power })
    }

    /// The number × 10^`power`, cut downwards to a whole number.
    pub(crate) fn scaled(self, power: i32) -> Option<i128> {
        let power = self.power.checked_add(power)?;
        if self.digits == 0 {
            return Some(0);
        }
        let signed = if self.is_negative { -self.digits } else { self.digits };
        if power > MAX_POWER {
            return None;
        }
        if power < -MAX_POWER {
            return Some(if self.is_negative { -1 } else { 0 });
        }
        let factor = 10_i128.checked_pow(power.unsigned_abs())?;
        if power < 0 { Some(signed.div_euclid(factor)) } else { signed.checked_mul(factor) }
    }

    /// The value of a counter: a whole number from 0 to [`MAX_COUNT`].
    pub(crate) fn count(self) -> Option<u64> {
        let whole = self.scaled(0)?;
        let is_exact = self.power >= 0
            || whole.checked_mul(10_i128.checked_pow(self.power.unsigned_abs())?)?
                == if self.is_negative { -self.digits } else { self.digits };
        let count = u64::try_from(whole).ok().filter(|count| *count <= MAX_COUNT)?;
        is_exact.then_some(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_read_exactly() {
        let micros = |text: &str| Decimal::parse(text).and_then(|number| number.scaled(6));
        assert_eq!(micros("1796112004.310918"), Some(1_796_112_004_310_918));
        assert_eq!(micros("1796112004.3109189"), Some(1_796_112_004_310_918));
        assert_eq!(micros("1.7961120043109180e9"), Some(1_796_112_004_310_918));
        assert_eq!(micros("-0.0000001"), Some(-1));
        assert_eq!(micros("1e40"), None);
        for text in ["", ".", "nan", "inf", "1.2.3", "0x10", "1_0", "--1", "1e", "९"] {
            assert_eq!(micros(text), None, "{text:?}");
        }
    }

    #[test]
    fn counts_are_whole_numbers() {
        let count = |text: &str| Decimal::parse(text).and_then(Decimal::count);
        assert_eq!(count("44.0"), Some(44));
        assert_eq!(count("4.4e1"), Some(44));
        assert_eq!(count(" 0 "), Some(0));
        for text in ["44.5", "-1", "1e16", "4.4e0", "99999999999999999999999999999999999999999"] {
            assert_eq!(count(text), None, "{text:?}");
        }
    }
}
