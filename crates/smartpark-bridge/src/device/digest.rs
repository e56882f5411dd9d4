//! HTTP Digest (RFC 7616) with MD5, which is all that cameras know.

use md5::{Digest as _, Md5};

/// What a device asks for in `WWW-Authenticate`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Challenge {
    realm: String,
    nonce: String,
    opaque: Option<String>,
    /// Whether the answer is to cover a number of the client's own.
    has_qop: bool,
}

impl Challenge {
    /// Reads the header; `None` if it asks for something else.
    pub(super) fn read(header: &str) -> Option<Self> {
        let (scheme, rest) = header.trim().split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("digest") {
            return None;
        }
        let is_md5 = value(rest, "algorithm").is_none_or(|name| name.eq_ignore_ascii_case("md5"));
        let qop = value(rest, "qop");
        let knows_auth = |qop: &String| qop.split(',').any(|word| word.trim() == "auth");
        Some(Self {
            realm: value(rest, "realm").filter(|_| is_md5)?,
            nonce: value(rest, "nonce")?,
            opaque: value(rest, "opaque"),
            has_qop: qop.as_ref().is_some_and(knows_auth),
        })
    }

    /// The `Authorization` of a GET of `uri`; `cnonce` is a number that was drawn for it.
    pub(super) fn answer(&self, (user, password): (&str, &str), uri: &str, cnonce: &str) -> String {
        let Self { realm, nonce, opaque, has_qop } = self;
        let secret = hex(&format!("{user}:{realm}:{password}"));
        let request = hex(&format!("GET:{uri}"));
        let (response, qop) = if *has_qop {
            let response = hex(&format!("{secret}:{nonce}:00000001:{cnonce}:auth:{request}"));
            (response, format!(", qop=auth, nc=00000001, cnonce=\"{cnonce}\""))
        } else {
            (hex(&format!("{secret}:{nonce}:{request}")), String::new())
        };
        let opaque = opaque.as_ref().map(|it| format!(", opaque=\"{it}\"")).unwrap_or_default();
        format!(
            "Digest username=\"{user}\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"{uri}\", \
             response=\"{response}\"{qop}{opaque}"
        )
    }
}

/// The value of a parameter, with or without quotes.
fn value(text: &str, name: &str) -> Option<String> {
    let mut rest = text.trim_start();
    while let Some((key, after)) = rest.split_once('=') {
        let after = after.trim_start();
        let (found, next) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => after.split_once(',').unwrap_or((after, "")),
        };
        if key.trim().eq_ignore_ascii_case(name) {
            return Some(found.trim().to_owned());
        }
        rest = next.trim_start_matches([',', ' ']);
    }
    None
}

fn hex(text: &str) -> String {
    Md5::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 2617, section 3.5.
    #[test]
    fn the_example_of_the_standard_is_answered_as_it_says() {
        let header = "Digest realm=\"testrealm@host.com\", qop=\"auth,auth-int\", \
                      nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", \
                      opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"";
        let challenge = Challenge::read(header).unwrap();
        let user = ("Mufasa", "Circle Of Life");
        let answer = challenge.answer(user, "/dir/index.html", "0a4f113b");
        assert!(answer.contains("response=\"6629fae49393a05397450978507c4ef1\""), "{answer}");
        assert!(answer.contains("opaque=\"5ccc069c403ebaf9f0171e9517f40e41\""), "{answer}");
        assert!(answer.contains("nc=00000001, cnonce=\"0a4f113b\""), "{answer}");
    }

    #[test]
    fn other_schemes_are_left_alone() {
        let table = [
            "Basic realm=\"a\"",
            "Digest realm=\"a\"",
            "",
            "Digest",
            "Digest realm=\"a\", nonce=\"b\", algorithm=SHA-256",
        ];
        assert!(table.iter().all(|header| Challenge::read(header).is_none()));
        let old = Challenge::read("digest realm=\"a\",nonce=b,algorithm=MD5").unwrap();
        assert!(!old.has_qop && old.nonce == "b");
    }
}
