//! How metrics are written: the text format of Prometheus, version 0.0.4.

use std::fmt::{Display, Write};

use smartpark_ledger::metrics::Counted;

/// What a number means to those who compute with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    /// It only rises, from 0 when the process begins.
    Counter,
    /// It goes up and down.
    Gauge,
    /// Counts up to bounds.
    Histogram,
}

/// Metrics, one family after the other.
#[derive(Debug, Default)]
pub(super) struct Exposition(String);

/// A family: all that follows has this name.
pub(super) struct Family<'e> {
    text: &'e mut String,
    name: &'static str,
}

/// Names and values that tell the series of a family apart.
pub(super) type Labels<'l> = [(&'static str, &'l str)];

impl Exposition {
    /// Begins a family.
    pub(super) fn family(
        &mut self,
        name: &'static str,
        kind: Type,
        help: &'static str,
    ) -> Family<'_> {
        let kind = match kind {
            Type::Counter => "counter",
            Type::Gauge => "gauge",
            Type::Histogram => "histogram",
        };
        // Writing to a string cannot fail.
        writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}").unwrap_or_default();
        Family { text: &mut self.0, name }
    }

    /// A counter that is one series.
    pub(super) fn counter(&mut self, name: &'static str, help: &'static str, value: impl Display) {
        self.family(name, Type::Counter, help).value(&[], value);
    }

    /// A gauge that is one series.
    pub(super) fn gauge(&mut self, name: &'static str, help: &'static str, value: impl Display) {
        self.family(name, Type::Gauge, help).value(&[], value);
    }

    /// All of it.
    pub(super) fn into_text(self) -> String {
        self.0
    }
}

impl Family<'_> {
    /// Writes a series.
    pub(super) fn value(&mut self, labels: &Labels<'_>, value: impl Display) {
        self.line("", labels, None, value);
    }

    /// Writes a histogram; so many units of its values are one of what is told.
    pub(super) fn histogram(&mut self, labels: &Labels<'_>, counted: &Counted, units: f64) {
        let told = |value: u64| value as f64 / units;
        for (bound, count) in &counted.at_most {
            self.line("_bucket", labels, Some(&told(*bound).to_string()), count);
        }
        self.line("_bucket", labels, Some("+Inf"), counted.all);
        self.line("_sum", labels, None, told(counted.sum));
        self.line("_count", labels, None, counted.all);
    }

    fn line(&mut self, end: &str, labels: &Labels<'_>, at_most: Option<&str>, value: impl Display) {
        self.text.push_str(self.name);
        self.text.push_str(end);
        let mut before = '{';
        for (name, value) in labels.iter().copied().chain(at_most.map(|bound| ("le", bound))) {
            self.text.push(before);
            self.text.push_str(name);
            self.text.push_str("=\"");
            escape(self.text, value);
            self.text.push('"');
            before = ',';
        }
        if before == ',' {
            self.text.push('}');
        }
        // Writing to a string cannot fail.
        writeln!(self.text, " {value}").unwrap_or_default();
    }
}

/// Adds a label's value: nothing in it ends the value or the line. The format knows no way to write
/// other control characters; where they stood is shown.
fn escape(text: &mut String, value: &str) {
    for c in value.chars() {
        match c {
            '\\' => text.push_str("\\\\"),
            '"' => text.push_str("\\\""),
            '\n' => text.push_str("\\n"),
            _ if c.is_control() => text.push('\u{fffd}'),
            _ => text.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use smartpark_ledger::metrics::Histogram;

    #[test]
    fn series_are_written_as_the_format_wants_them() {
        let mut exposition = Exposition::default();
        exposition.counter("cars_total", "Cars.", 7);
        let mut family = exposition.family("floor_free", Type::Gauge, "Free.");
        family.value(&[("floor", "A \"B\" \\C\nD\r\u{1b}[2J é")], 3);
        let histogram = Histogram::new(&[500_000, 10_000_000_000]);
        histogram.add(1_500_000_000);
        let mut family = exposition.family("took_seconds", Type::Histogram, "Took.");
        family.histogram(&[("of", "x")], &histogram.counted(), 1e9);
        let expected = "# HELP cars_total Cars.\n# TYPE cars_total counter\ncars_total 7\n\
            # HELP floor_free Free.\n# TYPE floor_free gauge\n\
            floor_free{floor=\"A \\\"B\\\" \\\\C\\nD\u{fffd}\u{fffd}[2J é\"} 3\n\
            # HELP took_seconds Took.\n# TYPE took_seconds histogram\n\
            took_seconds_bucket{of=\"x\",le=\"0.0005\"} 0\n\
            took_seconds_bucket{of=\"x\",le=\"10\"} 1\n\
            took_seconds_bucket{of=\"x\",le=\"+Inf\"} 1\n\
            took_seconds_sum{of=\"x\"} 1.5\ntook_seconds_count{of=\"x\"} 1\n";
        assert_eq!(exposition.into_text(), expected);
    }
}
