//! How a report writes numbers.

use smartpark_core::report::{Report, ReportRecount};

/// A text as it stands in markup and in its attributes.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// `1,588`.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `85 h 55`, `0 h`.
pub(super) fn hours(minutes: u64) -> String {
    match (minutes / 60, minutes % 60) {
        (hours, 0) => format!("{} h", grouped(hours)),
        (hours, minutes) => format!("{} h {minutes:02}", grouped(hours)),
    }
}

/// `▲ 6 h 10 on 2026-10`, `as in 2026-10`.
pub(super) fn change_of(now: u64, before: u64, name: &str, written: fn(u64) -> String) -> String {
    match now.cmp(&before) {
        std::cmp::Ordering::Greater => format!("▲ {} on {name}", written(now - before)),
        std::cmp::Ordering::Less => format!("▼ {} on {name}", written(before - now)),
        std::cmp::Ordering::Equal => format!("as in {name}"),
    }
}

/// The differences that counts found: `−1, 0, +2`.
pub(super) fn differences(recounts: &[ReportRecount]) -> String {
    let one = |recount: &ReportRecount| match recount.difference {
        0 => "0".to_owned(),
        below if below < 0 => format!("−{}", below.unsigned_abs()),
        above => format!("+{above}"),
    };
    recounts.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// The report in a sentence.
pub(super) fn sentence(report: &Report) -> String {
    let days = report.days.len();
    let full = report.days.iter().filter(|day| day.figures.full_minutes > 0).count();
    let busiest = report.days.iter().max_by_key(|day| day.figures.entries);
    let busiest = busiest
        .filter(|day| day.figures.entries > 0)
        .map(|day| format!(" Most cars came on {}: {}.", day.date, grouped(day.figures.entries)));
    let when = match (full, days) {
        (0, 1) => "was never full.".to_owned(),
        (0, _) => format!("was full on none of {days} days."),
        (_, 1) => format!("was full for {}.", hours(report.figures.full_minutes)),
        _ => format!("was full on <b>{full} of {days} days</b>."),
    };
    format!("The car park {when}{}", busiest.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_for_people() {
        let table = [(0, "0"), (999, "999"), (1_588, "1,588"), (1_234_567, "1,234,567")];
        for (number, text) in table {
            assert_eq!(grouped(number), text);
        }
        assert_eq!(
            (hours(0), hours(65), hours(60 * 1_200)),
            ("0 h".into(), "1 h 05".into(), "1,200 h".into())
        );
        assert_eq!(change_of(5, 3, "2026-10", grouped), "▲ 2 on 2026-10");
        assert_eq!(change_of(3, 63, "2026-10", hours), "▼ 1 h on 2026-10");
        assert_eq!(change_of(3, 3, "2026-W40", hours), "as in 2026-W40");
    }
}
