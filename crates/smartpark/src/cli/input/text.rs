//! The text of a file, as UTF-8, whatever its bytes are.

use std::io::{self, BufRead, BufReader, Read};

use smartpark_formats::file::{Encoding, Utf16, latin1_to_utf8};

use super::BUFFER_BYTES;

/// Unpacked bytes of a file.
pub(super) type Bytes = Box<dyn BufRead + Send>;

/// The text of `bytes`, which are in `encoding`.
pub(super) fn text(bytes: Bytes, encoding: Encoding) -> Bytes {
    let decoder = match encoding {
        Encoding::Utf8 => return bytes,
        Encoding::Utf16Le => Decoder::Utf16(Utf16::new(false)),
        Encoding::Utf16Be => Decoder::Utf16(Utf16::new(true)),
        Encoding::Latin1 => Decoder::Latin1,
    };
    let text = Text { bytes, decoder, ready: Vec::new(), taken: 0 };
    Box::new(BufReader::with_capacity(BUFFER_BYTES, text))
}

enum Decoder {
    Utf16(Utf16),
    Latin1,
}

/// Decodes what it reads.
struct Text {
    bytes: Bytes,
    decoder: Decoder,
    /// Text that was decoded, and how much of it was taken.
    ready: Vec<u8>,
    taken: usize,
}

impl Text {
    /// Decodes on until there is text or the end.
    fn fill(&mut self) -> io::Result<()> {
        while self.taken == self.ready.len() {
            self.ready.clear();
            self.taken = 0;
            let bytes = self.bytes.fill_buf()?;
            let length = bytes.len();
            match &mut self.decoder {
                Decoder::Utf16(utf16) if length == 0 => utf16.finish(&mut self.ready),
                Decoder::Utf16(utf16) => utf16.push(bytes, &mut self.ready),
                Decoder::Latin1 => latin1_to_utf8(bytes, &mut self.ready),
            }
            self.bytes.consume(length);
            if length == 0 {
                break;
            }
        }
        Ok(())
    }
}

impl Read for Text {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.fill()?;
        let read = (&self.ready[self.taken..]).read(into)?;
        self.taken += read;
        Ok(read)
    }
}
