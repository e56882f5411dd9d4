//! The log lines of `ffmpeg`'s `showinfo` filter: size and time of each frame.
//!
//! Raw video on a pipe carries no times, and the header of a file may lie about its rate. The
//! filter prints one line a frame, in the order of the frames on the pipe:
//!
//! ```text
//! [out @ 0x55…] n:   0 pts: 167400 pts_time:1.86    pos: 2424 fmt:rgb24 sar:0/1 s:320x180 …
//! ```

/// One line of `showinfo`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Stamp {
    /// Whether the line is of the filter behind the scaler, so that it names a frame on the pipe.
    pub(super) scaled: bool,
    /// The presentation time in seconds, if the stream has one.
    pub(super) time: Option<f64>,
    /// Width and height.
    pub(super) size: (usize, usize),
}

/// Reads a log line; `None` for a line that is not of `showinfo` or not of a frame.
pub(super) fn parse(line: &str) -> Option<Stamp> {
    let scaled = match line.split_once(" @ ")?.0 {
        "[showinfo@out" => true,
        "[showinfo@in" => false,
        _ => return None,
    };
    if !line.contains("] n:") {
        return None;
    }
    let field = |name: &str| line.split_once(name)?.1.trim_start().split(' ').next();
    let (width, height) = field(" s:")?.split_once('x')?;
    Some(Stamp {
        scaled,
        time: field(" pts_time:").and_then(|t| t.parse().ok()),
        size: (width.parse().ok()?, height.parse().ok()?),
    })
}
