//! Video sources: what the operator names, and how `ffmpeg` is asked for it.

mod capture;
mod child;
mod slot;
mod stamps;

use std::fmt;
use std::path::{Path, PathBuf};

pub use capture::{Capture, CaptureOptions};
pub use slot::{NewestFrame, SlotStats};

/// Where pictures come from.
///
/// `Display` and `Debug` never show a user name or a password of a URL.
#[derive(Clone, PartialEq, Eq)]
pub enum Source {
    /// A video file, read at full speed and without drops.
    File(PathBuf),
    /// A network camera: `rtsp://`, `rtsps://`, `http://` or `https://` (MJPEG or a stream).
    Network(String),
    /// A Video4Linux device such as `/dev/video0`.
    Device(PathBuf),
}

impl Source {
    /// Reads a source as it stands in the configuration.
    #[must_use]
    pub fn parse(text: &str) -> Source {
        let lower = text.to_ascii_lowercase();
        if ["rtsp://", "rtsps://", "http://", "https://"].iter().any(|s| lower.starts_with(s)) {
            Source::Network(text.to_owned())
        } else if Path::new(text).starts_with("/dev") {
            Source::Device(PathBuf::from(text))
        } else {
            Source::File(PathBuf::from(text.strip_prefix("file://").unwrap_or(text)))
        }
    }

    /// Whether pictures arrive in real time, so that old ones must be dropped.
    #[must_use]
    pub fn is_live(&self) -> bool {
        !matches!(self, Source::File(_))
    }

    /// The arguments of `ffmpeg` up to and including the input.
    fn input_arguments(&self) -> Vec<String> {
        let own = |words: &[&str]| words.iter().map(|&w| w.to_owned()).collect::<Vec<_>>();
        let mut arguments;
        match self {
            // The prefix keeps a file name such as `concat:a` or `-i` from being an instruction.
            Source::File(path) => {
                arguments = own(&["-i"]);
                arguments.push(format!("file:{}", path.display()));
            }
            Source::Device(path) => {
                arguments = own(&["-f", "v4l2", "-i"]);
                arguments.push(path.display().to_string());
            }
            Source::Network(url) => {
                let rtsp = url.to_ascii_lowercase().starts_with("rtsp");
                // Both options count microseconds: a silent peer ends the child after 5 s.
                arguments = if rtsp {
                    own(&["-rtsp_transport", "tcp", "-timeout", "5000000"])
                } else {
                    own(&["-rw_timeout", "5000000"])
                };
                arguments.extend(own(&["-fflags", "nobuffer", "-flags", "low_delay", "-i"]));
                arguments.push(url.clone());
            }
        }
        arguments
    }

    /// Takes the secrets of this source out of a text, for example of what `ffmpeg` said.
    #[must_use]
    pub fn redact(&self, text: &str) -> String {
        let Source::Network(url) = self else { return text.to_owned() };
        let mut clean = text.replace(url.as_str(), &self.to_string());
        if let Some((user_info, _)) = user_info(url) {
            let secrets = user_info.splitn(2, ':').chain([user_info]);
            for secret in secrets.filter(|s| s.len() > 2) {
                clean = clean.replace(secret, "***");
            }
        }
        clean
    }
}

/// The `user:password` of a URL and the place where it begins.
fn user_info(url: &str) -> Option<(&str, usize)> {
    let start = url.find("://")? + 3;
    let authority = &url[start..];
    let end = authority.find(['/', '?', '#']).unwrap_or(authority.len());
    // A password may contain `@`: the last one before the path ends the user information.
    let at = authority[..end].rfind('@').or_else(|| authority.rfind('@'))?;
    Some((&authority[..at], start))
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::File(path) | Source::Device(path) => write!(f, "{}", path.display()),
            Source::Network(url) => {
                // A query often carries `user=…&password=…`: it is not shown at all.
                let shown = match user_info(url) {
                    Some((secret, start)) => {
                        format!("{}***{}", &url[..start], &url[start + secret.len()..])
                    }
                    None => url.clone(),
                };
                match shown.split_once('?') {
                    Some((address, _)) => write!(f, "{address}?***"),
                    None => f.write_str(&shown),
                }
            }
        }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Source({self})")
    }
}
