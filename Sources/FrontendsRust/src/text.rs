//! Text out of and into xenstore. What a backend wrote is parsed here: nothing is assumed of it.

use crate::error::{Error, Result};
use core::ops::Deref;

/// A text of limited length.
#[derive(Clone, Copy)]
pub struct Text<const SIZE: usize> {
    bytes: [u8; SIZE],
    length: usize,
}

/// Any path that the frontends build.
pub type Path = Text<159>;

impl<const SIZE: usize> Text<SIZE> {
    /// Nothing.
    pub const EMPTY: Self = Text { bytes: [0; SIZE], length: 0 };

    /// Parts one behind the other, if there is room for all.
    pub fn join(parts: &[&[u8]]) -> Result<Self> {
        let mut text = Self::EMPTY;
        for part in parts {
            let room = text.bytes[text.length..].get_mut(..part.len()).ok_or(Error::TOO_BIG)?;
            room.copy_from_slice(part);
            text.length += part.len();
        }
        Ok(text)
    }
}

impl<const SIZE: usize> Deref for Text<SIZE> {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

/// A number in decimal.
pub fn print_number(mut value: u64) -> Text<20> {
    let mut digits = [0; 20];
    let mut start = digits.len();
    loop {
        start -= 1;
        digits[start] = b'0' + (value % 10) as u8;
        value /= 10;
        if value == 0 {
            break;
        }
    }
    let mut text = Text::EMPTY;
    text.length = digits.len() - start;
    text.bytes[..text.length].copy_from_slice(&digits[start..]);
    text
}

/// The whole text as a decimal number, unless it is none or too large.
pub fn parse_number(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0u64, |sum, byte| {
        let digit = char::from(*byte).to_digit(10)?;
        sum.checked_mul(10)?.checked_add(digit.into())
    })
}

/// Six bytes in hexadecimal with colons.
pub fn parse_mac(text: &[u8]) -> Option<[u8; 6]> {
    let mut mac = [0; 6];
    if text.len() != 17 {
        return None;
    }
    for (index, byte) in mac.iter_mut().enumerate() {
        let part = &text[index * 3..];
        let digit = |at: usize| char::from(part[at]).to_digit(16);
        if index < 5 && part[2] != b':' {
            return None;
        }
        *byte = (digit(0)? * 16 + digit(1)?) as u8;
    }
    Some(mac)
}
