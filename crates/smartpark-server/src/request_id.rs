//! What a request is called, so that its answer and all log lines about it can be found together.
//!
//! The name of the request that is being answered goes with its task, not through every call: the
//! log asks for it when it writes a line.

use std::sync::{
    OnceLock,
    atomic::{AtomicU64, Ordering},
};

use smartpark_ledger::limits::MAX_REQUEST_ID_BYTES;

/// The name of a request: a few letters, digits and `-_.:`, so that it can stand anywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestId {
    bytes: [u8; MAX_REQUEST_ID_BYTES],
    length: usize,
}

tokio::task_local! {
    static CURRENT: Option<RequestId>;
}

impl RequestId {
    /// The name that a client gave, where it is one.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(byte);
        let fits = (1..=MAX_REQUEST_ID_BYTES).contains(&text.len()) && text.iter().all(plain);
        let mut bytes = [0; MAX_REQUEST_ID_BYTES];
        bytes.get_mut(..text.len()).filter(|_| fits)?.copy_from_slice(text);
        Some(Self { bytes, length: text.len() })
    }

    /// A new one, of 16 digits. No two of a process are the same.
    pub fn draw() -> Self {
        static BEGIN: OnceLock<u64> = OnceLock::new();
        static DRAWN: AtomicU64 = AtomicU64::new(0);
        let begin = *BEGIN.get_or_init(random);
        let mut number = begin.wrapping_add(DRAWN.fetch_add(1, Ordering::Relaxed));
        // Steps that can be undone: different numbers stay different, and neighbours look apart.
        number = (number ^ (number >> 32)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        number ^= number >> 29;
        let mut bytes = [0; MAX_REQUEST_ID_BYTES];
        for (place, byte) in bytes[..16].iter_mut().enumerate() {
            let digit = (number >> (60 - 4 * place)) & 15;
            *byte = b"0123456789abcdef"[digit as usize];
        }
        Self { bytes, length: 16 }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.bytes[..self.length]).unwrap_or("")
    }

    /// The name of the request that is being answered here.
    pub fn current() -> Option<Self> {
        CURRENT.try_get().ok().flatten()
    }

    /// The same future, in which this is the current one.
    pub fn within<F: Future>(self, future: F) -> impl Future<Output = F::Output> {
        under(Some(self), future)
    }
}

/// Goes on with a request in a task of its own, under its name.
pub fn spawn(task: impl Future<Output = ()> + Send + 'static) {
    drop(tokio::spawn(under(RequestId::current(), task)));
}

/// Goes on with a request under its name, where it has one.
pub fn under<F: Future>(id: Option<RequestId>, future: F) -> impl Future<Output = F::Output> {
    CURRENT.scope(id, future)
}

/// Where there is no chance to be had, the names only begin anew with each process.
fn random() -> u64 {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).unwrap_or_default();
    u64::from_le_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn what_could_be_taken_for_something_else_is_no_name() {
        let longest = "x".repeat(MAX_REQUEST_ID_BYTES);
        for good in ["a", "0-9_A.z:", longest.as_str()] {
            assert_eq!(RequestId::parse(good.as_bytes()).unwrap().as_str(), good);
        }
        let long = "x".repeat(MAX_REQUEST_ID_BYTES + 1);
        for bad in ["", long.as_str(), "a b", "a\nb", "a\"b", "a{b", "a=b", "ä"] {
            assert_eq!(RequestId::parse(bad.as_bytes()), None, "{bad:?}");
        }
    }

    #[test]
    fn drawn_names_are_names_and_differ() {
        let drawn: HashSet<String> =
            (0..10_000).map(|_| RequestId::draw().as_str().to_owned()).collect();
        assert_eq!(drawn.len(), 10_000);
        assert!(drawn.iter().all(|name| RequestId::parse(name.as_bytes()).is_some()));
    }
}
