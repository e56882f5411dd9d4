//! The `ffmpeg` child: decoding, scaling and the choice of frames happen there, so this process
//! holds no codec.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use super::stamps::{self, Stamp};
use super::{CaptureOptions, Source};
use crate::error::{Error, Result};
use crate::limits::{CHILD_WORD_BYTES, CHILD_WORDS};

/// The last lines of the child that are not stamps: they tell why it ended.
type Words = Arc<Mutex<VecDeque<String>>>;

/// A running child. Dropping it kills and reaps the process.
#[derive(Debug)]
pub(super) struct DecoderChild {
    process: Child,
    words: Words,
    log_reader: Option<JoinHandle<()>>,
}

impl DecoderChild {
    /// Starts the child; gives the pipe of raw frames and the stamps that belong to them.
    pub(super) fn start(
        source: &Source,
        options: &CaptureOptions,
    ) -> Result<(DecoderChild, ChildStdout, Receiver<Stamp>)> {
        let mut process = Command::new(&options.program)
            .args(arguments(source, options))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|cause| Error::Start { program: options.program.clone(), cause })?;
        let pipe = process.stdout.take();
        let log = process.stderr.take();
        let words = Words::default();
        let (stamp_sender, stamp_receiver) = channel();
        let log_reader = log.map(|log| {
            let (words, source) = (Arc::clone(&words), source.clone());
            std::thread::spawn(move || read_log(log, &source, &words, &stamp_sender))
        });
        let child = DecoderChild { process, words, log_reader };
        let pipe = pipe.ok_or_else(|| Error::Source {
            source_name: source.to_string(),
            reason: "its output is closed".into(),
        })?;
        Ok((child, pipe, stamp_receiver))
    }

    /// Ends the child if it still runs, and waits until it is gone.
    pub(super) fn end(&mut self) {
        // Both fail only if the process is already reaped.
        let _ = self.process.kill();
        let _ = self.process.wait();
        if let Some(reader) = self.log_reader.take() {
            let _ = reader.join();
        }
    }

    /// Waits for the end of the child and tells whether it ended well.
    pub(super) fn finish(&mut self) -> bool {
        let ended_well = self.process.wait().is_ok_and(|status| status.success());
        if let Some(reader) = self.log_reader.take() {
            let _ = reader.join();
        }
        ended_well
    }

    /// The last words of the child, for an error text.
    pub(super) fn last_words(&self) -> String {
        let words = self.words.lock().unwrap_or_else(PoisonError::into_inner);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        if words.is_empty() { "ffmpeg gave no reason".into() } else { words.join("; ") }
    }

    /// The process id, for tests and health.
    pub(super) fn id(&self) -> u32 {
        self.process.id()
    }
}

impl Drop for DecoderChild {
    fn drop(&mut self) {
        self.end();
    }
}

/// The whole command line behind the program's name.
fn arguments(source: &Source, options: &CaptureOptions) -> Vec<String> {
    let mut all: Vec<String> =
        ["-hide_banner", "-nostdin", "-nostats", "-v", "info"].map(str::to_owned).into();
    if options.start > 0.0 {
        all.extend(["-ss".into(), format!("{:.3}", options.start)]);
    }
    if let Some(seconds) = options.seconds {
        all.extend(["-t".into(), format!("{seconds:.3}")]);
    }
    all.extend(source.input_arguments());
    // `passthrough` keeps one output frame for each input frame: plain `ffmpeg` fills a file of
    // variable rate up to the rate that its header claims.
    all.extend(["-map", "0:v:0", "-an", "-fps_mode", "passthrough", "-vf"].map(str::to_owned));
    all.push(filters(options));
    all.extend(["-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:1"].map(str::to_owned));
    all
}

/// The filter graph: choose frames, report the size of the source, scale, report each frame.
fn filters(options: &CaptureOptions) -> String {
    let mut graph = String::new();
    if let Some(fps) = options.fps {
        let step = 0.999 / fps;
        graph = format!("select=isnan(prev_selected_t)+gte(t-prev_selected_t\\,{step:.6}),");
    }
    let width = options.width;
    graph
        + "showinfo@in=checksum=0,"
        + &format!("scale=w=min({width}\\,iw):h=-2:flags=area,format=rgb24,")
        + "showinfo@out=checksum=0"
}

/// Reads the log to its end: stamps go to the reader of frames, other lines are kept.
fn read_log(log: impl Read, source: &Source, words: &Words, stamps: &Sender<Stamp>) {
    let mut log = BufReader::new(log);
    let mut line = Vec::new();
    loop {
        line.clear();
        // A line without end must not take the memory of the machine.
        let mut part = (&mut log).take(CHILD_WORD_BYTES);
        match part.read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        let text = String::from_utf8_lossy(&line);
        if let Some(stamp) = stamps::parse(&text) {
            // The reader of frames may have gone first.
            let _ = stamps.send(stamp);
        } else if is_worth_keeping(&text) {
            let mut words = words.lock().unwrap_or_else(PoisonError::into_inner);
            words.push_back(source.redact(text.trim()));
            if words.len() > CHILD_WORDS {
                words.pop_front();
            }
        }
    }
}

/// Whether a log line says something about a failure, rather than about a stream.
fn is_worth_keeping(line: &str) -> bool {
    let chatter = [
        " ",
        "[showinfo",
        "[Parsed_",
        "frame=",
        "video:",
        "[swscaler",
        "[out#",
        "[vost#",
        "Input #",
        "Output #",
        "Stream mapping",
        "Press [q]",
    ];
    !line.trim().is_empty() && !chatter.iter().any(|c| line.starts_with(c))
}
