//! The same answers as an independent implementation in Python (numpy), from which `reference.csv`
//! comes: three floors over 48 days, one of them new and once blind, one with a holiday.

use jiff::tz::TimeZone;

use super::*;

/// Numbers that both sides can make: the upper 31 bits of a linear congruential generator.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> i64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        i64::try_from(self.0 >> 33).unwrap_or(0)
    }
}

fn known(floor: usize, quarter: i64) -> bool {
    let blind = 30 * 96 + 20..31 * 96 + 40;
    floor != 2 || (quarter >= 9 * 96 && !blind.contains(&quarter))
}

fn floors() -> Vec<Series> {
    let mut noise = Noise(1);
    let floor = |floor: usize| {
        let mut series = Series::new(TimeZone::UTC, FIRST);
        let mut state = 0_i64;
        for quarter in 0..48 * 96 {
            let (day, of_day) = (quarter / 96, quarter % 96);
            let peak = match (floor, day % 7) {
                (1, _) if day == 24 => 5,
                (_, 5 | 6) => 20,
                _ => [60, 75, 40][floor],
            };
            let far = of_day - [50, 54, 46][floor];
            let base = 5 + (peak - peak * far * far / 900).max(0);
            state = (state * 9).div_euclid(10) + noise.next() % 9 - 4;
            let vehicles = (base + state).clamp(0, 100);
            if known(floor, quarter) {
                series.set(Reading { at: at(&series, quarter), vehicles, slots: 100 });
            }
        }
        series
    };
    (0..3).map(floor).collect()
}

#[test]
fn answers_agree_with_the_reference_to_a_millionth() {
    let floors = floors();
    let known: Vec<FloorSeries<'_>> =
        (0..).zip(&floors).map(|(floor_id, series)| FloorSeries { floor_id, series }).collect();
    let mut rows = csv::Reader::from_reader(include_str!("reference.csv").as_bytes());
    let mut models = std::collections::HashMap::new();
    let mut seen = 0;
    for row in rows.deserialize() {
        let (floor, quarter, minutes, mean, low, high): (usize, i64, i64, f64, f64, f64) =
            row.expect("a row of the reference");
        let series = &floors[floor];
        let midnight = series.calendar().local(quarter).date();
        let vehicles = (series.rate(quarter) * 100.0).round() as i64;
        let now = Reading { at: at(series, quarter), vehicles, slots: 100 };
        let then = now.at + SignedDuration::from_mins(minutes);
        let trained =
            models.entry(midnight).or_insert_with(|| train(&known, midnight, HISTORY_WEEKS));
        let told = trained[floor].forecast(series, now, &[then]).steps[0];
        let what = format!("floor {floor}, quarter {quarter}, {minutes} min");
        assert!((told.vehicles / 100.0 - mean).abs() < 1e-6, "{what}: {told:?}, {mean}");
        assert_eq!(told.low, (low * 100.0).floor() as i64, "{what}: {told:?}, {low}");
        assert_eq!(told.high, (high * 100.0).ceil() as i64, "{what}: {told:?}, {high}");
        seen += 1;
    }
    assert_eq!(seen, 112);
}
