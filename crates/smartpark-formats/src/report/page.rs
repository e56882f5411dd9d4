//! A report as a page that prints on A4: one HTML file that needs nothing else.

use std::fmt::Write as _;

use smartpark_core::report::{DayFigures, Figures, FloorReport, Report, ReportDrift};

use super::words::{change_of, differences, escaped, grouped, hours, sentence};

/// The style of the page. A server that sends the page allows it by its hash.
pub const STYLE: &str = include_str!("page.css");

const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
/// The width of a chart, and the height of its longest bar.
const WIDTH: f64 = 690.0;
const HEIGHT: f64 = 70.0;
/// More days than this have no numbers above their bars.
const MAX_NUMBERED_DAYS: usize = 31;

/// The page.
#[must_use]
pub fn page(report: &Report) -> String {
    let Report { site, period, time_zone, made_at, figures, .. } = report;
    let (site, slots) = (escaped(site), grouped(figures.slots.unsigned_abs()));
    let made = made_at.strftime("%Y-%m-%d %H:%M UTC");
    let so_far = if report.is_complete { "" } else { " · not over yet" };
    let mut text = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
         content=\"width=device-width\">\n<title>{site}, {period}</title>\n<style>{STYLE}</style>\n\
         <main>\n<header><span class=\"logo\">P</span><div><h1>{site}, {period}</h1>\n\
         <p class=\"s\">{slots} slots on {} · local time, {} · made {made}{so_far}</p></div>\
         </header>\n<p class=\"lead\">{}</p>\n",
        floors(report),
        escaped(time_zone),
        sentence(report),
    );
    text.push_str(&tiles(report));
    if report.days.len() > 1 {
        let full = |day: &DayFigures| day.figures.full_minutes as f64 / 60.0;
        let cars = |day: &DayFigures| day.figures.entries as f64;
        text.push_str(&chart("Hours full, day by day", "full", &report.days, full, 1));
        text.push_str(&chart("Cars in, day by day", "cars", &report.days, cars, 0));
    }
    text.push_str(&heat(report));
    text.push_str(&floor_table(&report.floors));
    text.push_str(&recounts(&report.floors));
    text.push_str(
        "<footer>Full: no slot was free for a whole minute. Mean stay: the mean number of vehicles \
         divided by the cars in and out in that time. Counts right within: the 95 % interval of \
         the true number at the end. Cars whose events come late change a report that is made \
         again. · SmartPark</footer>\n</main>\n</html>\n",
    );
    text
}

fn floors(report: &Report) -> String {
    match report.floors.iter().filter(|floor| floor.is_active).count() {
        1 => "one floor".to_owned(),
        number => format!("{number} floors"),
    }
}

/// The figures against the period before.
fn tiles(report: &Report) -> String {
    let Figures { entries, exits, mean, highest, full_minutes, .. } = report.figures;
    let before = report.before.as_ref();
    let against = |now: u64, of: fn(&Figures) -> u64, written: fn(u64) -> String| {
        before.map_or_else(String::new, |it| change_of(now, of(&it.figures), &it.period, written))
    };
    let minutes = |figures: &Figures| figures.mean_stay_minutes.map(|it| it.round() as u64);
    let stay = minutes(&report.figures);
    let counted: usize = report.floors.iter().map(|floor| floor.recounts.len()).sum();
    let tiles = [
        ("Full", hours(full_minutes), against(full_minutes, |it| it.full_minutes, hours)),
        ("Cars in", grouped(entries), against(entries, |it| it.entries, grouped)),
        ("Cars out", grouped(exits), against(exits, |it| it.exits, grouped)),
        ("Vehicles at once", format!("{mean:.1}"), format!("mean; at most {highest}")),
        (
            "Mean stay",
            stay.map_or_else(|| "–".to_owned(), hours),
            stay.map_or_else(
                || "too few cars to tell".to_owned(),
                |now| match before.and_then(|before| minutes(&before.figures)) {
                    Some(then) => {
                        let name = before.map_or("", |before| before.period.as_str());
                        change_of(now, then, name, hours)
                    }
                    None => String::new(),
                },
            ),
        ),
        ("Counts right within", margin(report.drift), format!("{counted} counts by people")),
    ];
    let mut text = "<dl>".to_owned();
    for (name, value, small) in tiles {
        let (value, small) = (escaped(&value), escaped(&small));
        push(
            &mut text,
            format_args!("<div><dt>{name}</dt><dd>{value}<small>{small}</small></dd></div>\n"),
        );
    }
    text + "</dl>\n"
}

/// A bar for each day, in its own scale.
fn chart(
    title: &str,
    class: &str,
    days: &[DayFigures],
    value: impl Fn(&DayFigures) -> f64,
    digits: usize,
) -> String {
    let highest = days.iter().map(&value).fold(0.0, f64::max);
    let slot = WIDTH / days.len() as f64;
    let base = HEIGHT + 14.0;
    let mut text = format!(
        "<section><h2>{title}</h2>\n<svg viewBox=\"0 0 {WIDTH} {}\" role=\"img\" \
         aria-label=\"{title}\">\n",
        base + 16.0
    );
    for (place, day) in days.iter().enumerate() {
        let (left, value) = (place as f64 * slot, value(day));
        let height = if highest > 0.0 { value / highest * HEIGHT } else { 0.0 };
        let middle = left + slot / 2.0;
        if day.date.weekday().to_monday_zero_offset() > 4 {
            push(
                &mut text,
                format_args!(
                    "<rect class=\"free\" x=\"{left:.1}\" y=\"0\" width=\"{slot:.1}\" \
                 height=\"{base:.1}\"/>"
                ),
            );
        }
        push(
            &mut text,
            format_args!(
                "<rect class=\"{class}\" x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" \
             height=\"{height:.1}\"/>",
                left + slot * 0.15,
                base - height,
                slot * 0.7,
            ),
        );
        if days.len() <= MAX_NUMBERED_DAYS {
            if value > 0.0 {
                let above = base - height - 4.0;
                push(
                    &mut text,
                    format_args!(
                        "<text x=\"{middle:.1}\" y=\"{above:.1}\">{value:.digits$}</text>"
                    ),
                );
            }
            let (below, number) = (base + 12.0, day.date.day());
            push(
                &mut text,
                format_args!("<text x=\"{middle:.1}\" y=\"{below:.1}\">{number}</text>"),
            );
        }
        text.push('\n');
    }
    let axis = format!("M0 {base}H{WIDTH}");
    text.push_str(&format!("<path class=\"axis\" d=\"{axis}\"/></svg></section>\n"));
    text
}

/// How full it was by weekday and hour: shades that also print in grey, each with its number.
fn heat(report: &Report) -> String {
    let mut text =
        "<section><h2>How full, per cent of slots</h2>\n<table class=\"heat\"><tr><th>".to_owned();
    for hour in 0..24 {
        push(&mut text, format_args!("<th>{hour:02}"));
    }
    for (name, hours) in WEEKDAYS.iter().zip(&report.heat) {
        push(&mut text, format_args!("\n<tr><th>{name}"));
        for share in hours {
            let Some(share) = share else {
                text.push_str("<td>");
                continue;
            };
            let percent = (share * 100.0).round();
            let class = match percent {
                ..10.0 => 0,
                10.0..35.0 => 1,
                35.0..65.0 => 2,
                65.0..95.0 => 3,
                _ => 4,
            };
            push(&mut text, format_args!("<td class=\"h{class}\">{percent:.0}"));
        }
    }
    text + "</table></section>\n"
}

fn floor_table(floors: &[FloorReport]) -> String {
    let mut text = "<section><h2>Floors</h2>\n<table><thead><tr><th>Floor<th class=\"n\">Slots\
        <th class=\"n\">In<th class=\"n\">Out<th class=\"n\">Full<th class=\"n\">Mean\
        <th class=\"n\">Most<th class=\"n\">Counted<th class=\"n\">Right within</thead>\n"
        .to_owned();
    for floor in floors {
        let figures = &floor.figures;
        let closed = if floor.is_active { "" } else { " (closed)" };
        push(
            &mut text,
            format_args!(
                "<tr><td><b>{}</b>{closed}<td class=\"n\">{}<td class=\"n\">{}<td class=\"n\">{}\
             <td class=\"n\">{}<td class=\"n\">{:.1}<td class=\"n\">{}<td class=\"n\">{}\
             <td class=\"n\">{}\n",
                escaped(&floor.floor),
                figures.slots,
                grouped(figures.entries),
                grouped(figures.exits),
                hours(figures.full_minutes),
                figures.mean,
                figures.highest,
                floor.recounts.len(),
                margin(floor.drift),
            ),
        );
    }
    text + "</table></section>\n"
}

/// How far a count may be off.
fn margin(drift: Option<ReportDrift>) -> String {
    drift.map_or_else(|| "–".to_owned(), |drift| format!("± {}", drift.margin()))
}

/// What counts by people found.
fn recounts(floors: &[FloorReport]) -> String {
    let counted: Vec<&FloorReport> =
        floors.iter().filter(|floor| !floor.recounts.is_empty()).collect();
    let mut text = "<section><h2>What people counted</h2>\n".to_owned();
    if counted.is_empty() {
        text.push_str("<p class=\"s\">Nobody counted the vehicles in this time.</p>");
    }
    for floor in counted {
        let (name, found) = (escaped(&floor.floor), differences(&floor.recounts));
        let mut people: Vec<&str> =
            floor.recounts.iter().filter_map(|it| it.author.as_deref()).collect();
        people.sort_unstable();
        people.dedup();
        let people = escaped(&people.join(", "));
        let by = if people.is_empty() { String::new() } else { format!(" · counted by {people}") };
        push(
            &mut text,
            format_args!("<p class=\"s\"><b>{name}</b>: the count was off by {found}{by}</p>\n"),
        );
    }
    text + "</section>\n"
}

fn push(text: &mut String, piece: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    text.write_fmt(piece).unwrap_or_default();
}
