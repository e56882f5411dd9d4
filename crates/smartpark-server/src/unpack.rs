//! Bodies that are packed with gzip.
//!
//! Invariant: what is unpacked has the bounds of a body that is not packed: its size, and its share
//! of the memory that all bodies may take. A small body that unpacks without end is refused as soon
//! as it is too large.

use std::io::{self, Read};

use axum::http::{HeaderMap, header};
use flate2::bufread::MultiGzDecoder;
use tokio::task::spawn_blocking;

use super::{body::Whole, kind::Kind, problem::Problem, room::Room};

/// How much is unpacked at once, in bytes.
const PIECE_BYTES: usize = 32 * 1024;

/// Whether a body is packed.
///
/// # Errors
/// 415 if it is packed in a way that is not read here.
pub(super) fn is_packed(headers: &HeaderMap) -> Result<bool, Problem> {
    let mut codings = headers.get_all(header::CONTENT_ENCODING).iter();
    let (first, second) = (codings.next(), codings.next());
    let is = |word: &str| {
        first.is_some_and(|first| first.as_bytes().eq_ignore_ascii_case(word.as_bytes()))
    };
    match first {
        None => Ok(false),
        Some(_) if second.is_none() && (is("gzip") || is("x-gzip")) => Ok(true),
        Some(_) if second.is_none() && is("identity") => Ok(false),
        Some(_) => {
            let detail = "a body may be packed with gzip (Content-Encoding: gzip) and in no other \
                way";
            Err(Problem::new(Kind::UnsupportedType).detail(detail))
        }
    }
}

/// Unpacks a body, on a thread of its own: unpacking takes longer than parsing.
pub(super) async fn unpack(packed: Whole, most: usize, room: &Room) -> Result<Whole, Problem> {
    let room = room.clone();
    let apart = spawn_blocking(move || unpack_now(&packed, most, &room));
    apart.await.unwrap_or_else(|error| {
        tracing::error!(?error, "unpacking a body failed");
        Err(Problem::new(Kind::Internal))
    })
}

fn unpack_now(packed: &Whole, most: usize, room: &Room) -> Result<Whole, Problem> {
    let mut decoder = MultiGzDecoder::new(&packed.bytes[..]);
    let mut whole = Whole::empty();
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let read = decoder.read(&mut piece).map_err(|fault| not_gzip(&fault))?;
        if read == 0 {
            return Ok(whole);
        }
        let length = whole.bytes.len() + read;
        if length > most {
            return Err(Problem::new(Kind::TooLarge)
                .detail("the body is too large when it is unpacked; nothing was stored"));
        }
        if length > whole.bytes.capacity() || whole.share.is_none() {
            whole.grow((2 * length).min(most), room).map_err(Problem::new)?;
        }
        whole.bytes.extend_from_slice(&piece[..read]);
    }
}

fn not_gzip(fault: &io::Error) -> Problem {
    let detail = match fault.kind() {
        io::ErrorKind::UnexpectedEof => "the packed body is cut off; nothing was stored",
        _ => "the body is not packed with gzip, as its Content-Encoding says; nothing was stored",
    };
    Problem::new(Kind::NotJson).detail(detail)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};

    use super::*;

    fn packed(text: &[u8]) -> Whole {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).unwrap();
        let bytes = encoder.finish().unwrap();
        Whole { bytes: bytes.as_slice().into(), share: None }
    }

    #[test]
    fn what_is_unpacked_has_the_bounds_of_a_body() {
        let room = Room::new(1_000_000);
        let text = vec![b' '; 100_000];
        let whole = unpack_now(&packed(&text), 100_000, &room).unwrap();
        assert_eq!(whole.bytes, text);
        let kind = |result: Result<Whole, Problem>| result.unwrap_err().kind();
        assert_eq!(kind(unpack_now(&packed(&text), 99_999, &room)), Kind::TooLarge);
        let tight = Room::new(200_000);
        assert_eq!(kind(unpack_now(&packed(&[b' '; 200_000]), 200_000, &tight)), Kind::Overloaded);
        let mut cut = packed(&text);
        cut.bytes.truncate(60);
        assert_eq!(kind(unpack_now(&cut, 100_000, &room)), Kind::NotJson);
        let plain = Whole { bytes: b"{}"[..].into(), share: None };
        assert_eq!(kind(unpack_now(&plain, 100_000, &room)), Kind::NotJson);
        assert!(unpack_now(&packed(b""), 100_000, &room).unwrap().bytes.is_empty());
    }
}
