//! A report as a table: for the site and each floor a row for the whole period and one for each
//! day.

use smartpark_core::{
    csv_cells::defuse,
    report::{Figures, FloorReport, Report, ReportDrift, ReportRecount},
};

const TITLES: &str = "floor_id,floor,period,entries,exits,mean,highest,slots,full_minutes,\
    entries_while_full,mean_stay_minutes,recounts,differences,low,high\r\n";

/// The table (RFC 4180). The rows of the site have no floor; recounts, the differences that they
/// found, and the bounds of the true number at the end stand in the rows of the whole period.
#[must_use]
pub fn csv(report: &Report) -> String {
    let mut text = TITLES.to_owned();
    let all: Vec<&ReportRecount> = report.floors.iter().flat_map(|it| &it.recounts).collect();
    let whole = (report.period.as_str(), &report.figures);
    row(&mut text, None, whole, Some((&all, report.drift)));
    for day in &report.days {
        row(&mut text, None, (&day.date.to_string(), &day.figures), None);
    }
    for floor in &report.floors {
        let recounts: Vec<&ReportRecount> = floor.recounts.iter().collect();
        let whole = (report.period.as_str(), &floor.figures);
        row(&mut text, Some(floor), whole, Some((&recounts, floor.drift)));
        for day in &floor.days {
            row(&mut text, Some(floor), (&day.date.to_string(), &day.figures), None);
        }
    }
    text
}

fn row(
    text: &mut String,
    floor: Option<&FloorReport>,
    (period, figures): (&str, &Figures),
    evidence: Option<(&[&ReportRecount], Option<ReportDrift>)>,
) {
    let recounts = evidence.map(|(recounts, _)| recounts);
    let drift = evidence.and_then(|(_, drift)| drift);
    let differences = recounts.unwrap_or_default().iter();
    let differences: Vec<String> = differences.map(|it| it.difference.to_string()).collect();
    let or_empty = |value: Option<String>| value.unwrap_or_default();
    let cells = [
        or_empty(floor.map(|floor| floor.floor_id.to_string())),
        or_empty(floor.map(|floor| defuse(&floor.floor).into_owned())),
        period.to_owned(),
        figures.entries.to_string(),
        figures.exits.to_string(),
        format!("{:.2}", figures.mean),
        figures.highest.to_string(),
        figures.slots.to_string(),
        figures.full_minutes.to_string(),
        figures.entries_while_full.to_string(),
        or_empty(figures.mean_stay_minutes.map(|minutes| format!("{minutes:.0}"))),
        or_empty(recounts.map(|recounts| recounts.len().to_string())),
        // With a blank first a list is neither a formula nor a number.
        or_empty((!differences.is_empty()).then(|| format!(" {}", differences.join(" ")))),
        or_empty(drift.map(|drift| drift.low.to_string())),
        or_empty(drift.map(|drift| drift.high.to_string())),
    ];
    let quoted = cells.map(|cell| match cell.contains([',', '"', '\r', '\n']) {
        true => format!("\"{}\"", cell.replace('"', "\"\"")),
        false => cell,
    });
    text.push_str(&quoted.join(","));
    text.push_str("\r\n");
}
