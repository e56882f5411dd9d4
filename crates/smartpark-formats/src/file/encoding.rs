//! How the text of a file is written in bytes.

/// An encoding of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8, with or without a byte order mark.
    Utf8,
    /// UTF-16, the low byte first.
    Utf16Le,
    /// UTF-16, the high byte first.
    Utf16Be,
    /// Windows-1252, which holds all of Latin-1 (ISO 8859-1).
    Latin1,
}

impl std::str::FromStr for Encoding {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.to_ascii_lowercase().replace(['-', '_'], "").as_str() {
            "utf8" => Ok(Self::Utf8),
            "utf16" | "utf16le" => Ok(Self::Utf16Le),
            "utf16be" => Ok(Self::Utf16Be),
            "latin1" | "iso88591" | "windows1252" | "cp1252" | "ansi" => Ok(Self::Latin1),
            _ => Err("must be utf-8, utf-16, utf-16be or latin1"),
        }
    }
}

impl Encoding {
    /// What the first bytes of a file say: its byte order mark, or the zero bytes that UTF-16 has
    /// beside each ASCII character. Latin-1 cannot be told from damaged UTF-8, so a person names
    /// it.
    #[must_use]
    pub fn of(first: &[u8]) -> Self {
        match first {
            [0xff, 0xfe, ..] => Self::Utf16Le,
            [0xfe, 0xff, ..] => Self::Utf16Be,
            [low, 0, next, 0, ..] if *low != 0 && *next != 0 => Self::Utf16Le,
            [0, low, 0, next, ..] if *low != 0 && *next != 0 => Self::Utf16Be,
            _ => Self::Utf8,
        }
    }
}

/// The characters of Windows-1252 from 0x80 to 0x9f; the five that it lacks are the controls of
/// Latin-1.
const WINDOWS: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}',
    '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// Adds the UTF-8 of text in Windows-1252.
pub fn latin1_to_utf8(bytes: &[u8], text: &mut Vec<u8>) {
    for &byte in bytes {
        let c = match byte {
            0x80..=0x9f => WINDOWS[usize::from(byte - 0x80)],
            other => char::from(other),
        };
        text.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    }
}

/// Turns UTF-16 into UTF-8, piece by piece. Half a pair of surrogates becomes a byte that is not
/// UTF-8, so that the line that holds it is refused.
#[derive(Clone, Debug)]
pub struct Utf16 {
    is_big_endian: bool,
    /// The first byte of a unit whose second has not come yet.
    byte: Option<u8>,
    /// The first half of a pair whose second has not come yet.
    high: Option<u16>,
}

/// A byte that no UTF-8 has.
const NO_TEXT: u8 = 0xff;

impl Utf16 {
    /// A decoder at the beginning of a file.
    #[must_use]
    pub const fn new(is_big_endian: bool) -> Self {
        Self { is_big_endian, byte: None, high: None }
    }

    /// Adds the UTF-8 of the next bytes.
    pub fn push(&mut self, bytes: &[u8], text: &mut Vec<u8>) {
        for &byte in bytes {
            let Some(first) = self.byte.take() else {
                self.byte = Some(byte);
                continue;
            };
            let pair = [first, byte];
            let unit = if self.is_big_endian {
                u16::from_be_bytes(pair)
            } else {
                u16::from_le_bytes(pair)
            };
            self.unit(unit, text);
        }
    }

    /// Adds the sign of what is incomplete at the end of the file.
    pub fn finish(&mut self, text: &mut Vec<u8>) {
        if self.byte.take().is_some() || self.high.take().is_some() {
            text.push(NO_TEXT);
        }
    }

    fn unit(&mut self, unit: u16, text: &mut Vec<u8>) {
        let units = self.high.take().into_iter().chain([unit]);
        for decoded in char::decode_utf16(units) {
            match decoded {
                Ok(c) => text.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
                Err(half) if half.unpaired_surrogate() == unit && is_high(unit) => {
                    self.high = Some(unit);
                }
                Err(_) => text.push(NO_TEXT),
            }
        }
    }
}

const fn is_high(unit: u16) -> bool {
    unit & 0xfc00 == 0xd800
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utf_16_is_read_however_it_is_cut() {
        let text = "\u{feff}Süd;Deck 🅿\r\n";
        for is_big in [false, true] {
            let bytes: Vec<u8> = text
                .encode_utf16()
                .flat_map(|unit| if is_big { unit.to_be_bytes() } else { unit.to_le_bytes() })
                .collect();
            let expected = if is_big { Encoding::Utf16Be } else { Encoding::Utf16Le };
            assert_eq!(Encoding::of(&bytes), expected);
            assert_eq!(Encoding::of(&bytes[2..]), expected, "without its mark");
            for size in [1, 2, 3, 5, bytes.len()] {
                let (mut decoder, mut read) = (Utf16::new(is_big), Vec::new());
                bytes.chunks(size).for_each(|piece| decoder.push(piece, &mut read));
                decoder.finish(&mut read);
                assert_eq!(read, text.as_bytes(), "in pieces of {size}");
            }
        }
        assert_eq!(Encoding::of(b"c\0a\0m\0"), Encoding::Utf16Le);
        assert_eq!(Encoding::of(b"\0c\0a"), Encoding::Utf16Be);
        assert_eq!(Encoding::of(b"cam"), Encoding::Utf8);
    }

    #[test]
    fn half_a_character_makes_its_line_unreadable() {
        let (mut decoder, mut read) = (Utf16::new(true), Vec::new());
        decoder.push(&[0xd8, 0x3c, 0x00, b'a', 0xdd, 0x7f, 0x00, b'b', 0xd8, 0x3c], &mut read);
        decoder.finish(&mut read);
        assert_eq!(read, [NO_TEXT, b'a', NO_TEXT, b'b', NO_TEXT]);
    }

    #[test]
    fn latin_1_is_read_as_windows_writes_it() {
        let mut text = Vec::new();
        latin1_to_utf8(b"S\xfcd \x80 caf\xe9", &mut text);
        assert_eq!(text, "Süd € café".as_bytes());
        assert_eq!("ISO-8859-1".parse(), Ok(Encoding::Latin1));
        assert!("ebcdic".parse::<Encoding>().is_err());
    }
}
