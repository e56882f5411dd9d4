//! The log: lines on standard error, as text or as JSON.
//!
//! Invariant: one event, one line. What a client sent may stand in an event; line breaks and
//! other control characters in it are written escaped, so that no client forges a line. A line
//! about a request carries its name as `request_id`.

use std::io::{self, Write};

use smartpark_server::request_id::RequestId;
use tracing_subscriber::{
    Layer,
    filter::{LevelFilter, Targets},
    fmt::MakeWriter,
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

use crate::config::{LogFormat, LogLevel};

/// Starts logging for the process. Does nothing where that has happened already.
pub(crate) fn start(level: LogLevel, format: LogFormat) {
    let level = match level {
        LogLevel::Off => LevelFilter::OFF,
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    // What the libraries below say in detail is of use to nobody who runs a car park.
    let targets =
        Targets::new().with_target("smartpark", level).with_default(level.min(LevelFilter::WARN));
    let writer = OneLine { make: io::stderr, format };
    let lines = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(writer);
    let lines = match format {
        LogFormat::Text => lines.with_target(false).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    // A second start in one process keeps the first log.
    let _ = tracing_subscriber::registry().with(lines.with_filter(targets)).try_init();
}

/// Makes writers that write each event as one line.
struct OneLine<M> {
    make: M,
    format: LogFormat,
}

impl<'a, M: MakeWriter<'a>> MakeWriter<'a> for OneLine<M> {
    type Writer = OneLineWriter<M::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        OneLineWriter { writer: self.make.make_writer(), format: self.format }
    }
}

/// Writes what it gets in one call as one line.
struct OneLineWriter<W> {
    writer: W,
    format: LogFormat,
}

impl<W: Write> Write for OneLineWriter<W> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let mut line = escaped(&text);
        // The event is written where it happens, so the request it belongs to is the current one.
        // A span would say the same, but be made and written for every request, with or without
        // a line.
        if let Some(id) = RequestId::current() {
            name(&mut line, &id, self.format);
        }
        self.writer.write_all(line.as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

/// `text` with all that breaks or controls a line escaped, and one line break at its end.
fn escaped(text: &str) -> String {
    let text = text.strip_suffix('\n').unwrap_or(text);
    let mut line = String::with_capacity(text.len() + 1);
    for c in text.chars() {
        if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') {
            line.extend(c.escape_default());
        } else {
            line.push(c);
        }
    }
    line.push('\n');
    line
}

/// Adds the name of the request to a line. It holds nothing that would have to be escaped.
fn name(line: &mut String, id: &RequestId, format: LogFormat) {
    let id = id.as_str();
    match format {
        LogFormat::Text => line.insert_str(line.trim_end().len(), &format!(" request_id={id}")),
        LogFormat::Json if line.starts_with('{') => {
            line.insert_str(1, &format!("\"request_id\":\"{id}\","));
        }
        LogFormat::Json => {}
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_a_client_sent_stays_on_its_line() {
        let kept = Kept::default();
        let writer = kept.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_writer(OneLine { make: move || writer.clone(), format: LogFormat::Text })
            .finish();
        let camera = "cam\n2026 INFO forged\r\u{1b}[2J\u{2028}x";
        tracing::subscriber::with_default(subscriber, || {
            tracing::warn!(camera = %camera, "refused from {camera}");
        });
        let text = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
        assert_eq!(text.matches('\n').count(), 1, "{text:?}");
        assert!(text.ends_with('\n'));
        assert!(!text.contains(['\r', '\u{1b}', '\u{2028}']), "{text:?}");
        assert!(text.contains(r"cam\n2026 INFO forged\r\u{1b}[2J\u{2028}x"), "{text:?}");
    }
}
