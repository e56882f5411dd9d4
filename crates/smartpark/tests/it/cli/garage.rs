//! Two busy weeks of a real garage (tests/data/jpl-garage) and variations of them.

use std::{collections::BTreeMap, fmt::Write as _, io::Write as _};

use jiff::{SignedDuration, Timestamp};

use super::program::Folder;

const EVENTS: &str = include_str!("../../../../../tests/data/jpl-garage/events.csv");
const TRUTH: &str = include_str!("../../../../../tests/data/jpl-garage/hourly_truth.csv");

/// The floors and their slots.
pub(crate) const FLOORS: [(&str, u32); 3] = [("1F", 14), ("3F", 19), ("4F", 19)];

/// A stretch of the garage's history: events, and what the counts must be at every hour.
pub(crate) struct Garage {
    /// The names of the columns.
    pub(crate) header: &'static str,
    /// The events, in time order until they are shuffled.
    pub(crate) lines: Vec<String>,
    truth: String,
}

impl Garage {
    /// The two weeks as they were.
    pub(crate) fn weeks() -> Self {
        Self::repeated(1)
    }

    /// The two weeks so many times, each time two weeks earlier: they begin and end empty.
    pub(crate) fn repeated(times: i64) -> Self {
        let (header, _) = EVENTS.split_once('\n').unwrap();
        let (truth_header, _) = TRUTH.split_once('\n').unwrap();
        let (mut lines, mut truth) = (Vec::new(), format!("{truth_header}\n"));
        for back in (0..times).rev() {
            for line in EVENTS.lines().skip(1) {
                let (rest, at) = line.rsplit_once(',').unwrap();
                lines.push(format!("{rest},{}", earlier(at, back)));
            }
            // The last hour of one is the first hour of the next.
            let hours = TRUTH.lines().skip(if back + 1 == times { 1 } else { 4 });
            for line in hours {
                let (at, rest) = line.split_once(',').unwrap();
                writeln!(truth, "{},{rest}", earlier(at, back)).unwrap();
            }
        }
        Self { header, lines, truth }
    }

    /// The events as a CSV file.
    pub(crate) fn csv(&self) -> String {
        format!("{}\n{}\n", self.header, self.lines.join("\n"))
    }

    /// The events as objects line by line.
    pub(crate) fn ndjson(&self) -> String {
        let mut text = String::new();
        for line in &self.lines {
            let cells: Vec<&str> = line.split(',').collect();
            let mut object: BTreeMap<&str, serde_json::Value> = BTreeMap::new();
            for (name, cell) in self.header.split(',').zip(cells) {
                let value = match name {
                    "confidence" => cell.parse::<f64>().unwrap().into(),
                    _ => cell.into(),
                };
                object.insert(name, value);
            }
            writeln!(text, "{}", serde_json::to_string(&object).unwrap()).unwrap();
        }
        text
    }

    /// The same events in an order that has nothing to do with time.
    pub(crate) fn shuffled(mut self, seed: u64) -> Self {
        let mut random = Random(seed);
        for i in (1..self.lines.len()).rev() {
            self.lines.swap(i, random.below(i + 1));
        }
        self
    }

    /// The same events, each line twice, the second ones after all the first ones.
    pub(crate) fn twice(mut self) -> Self {
        self.lines.extend(self.lines.clone());
        self
    }

    /// The counts of every floor at every hour, as rows (hour, floor, count).
    pub(crate) fn truth(&self) -> Vec<(&str, &str, i64)> {
        let rows = self.truth.lines().skip(1).map(|line| {
            let mut cells = line.split(',');
            let mut next = || cells.next().unwrap();
            (next(), next(), next().parse().unwrap())
        });
        rows.collect()
    }

    /// The counts that must be, as a file for `check --truth`.
    pub(crate) fn truth_csv(&self) -> &str {
        &self.truth
    }

    /// Asserts that the database there has the right count at every floor-hour, and no fault.
    #[track_caller]
    pub(crate) fn assert_true(&self, folder: &Folder) {
        folder.file("truth.csv", &self.truth);
        let checked = folder.run(&["check", "--truth", "truth.csv", "--json"]).ok().json();
        let rows = self.truth().len();
        assert_eq!(checked["truth"]["matches"], rows, "{checked}");
        assert_eq!(checked["truth"]["mismatches"], 0, "{checked}");
        assert_eq!(checked["clean"], true, "{checked}");
        assert_eq!(checked["floors"], FLOORS.len(), "{checked}");
        // The garage closes empty.
        let floors = folder.run(&["floors", "--json"]).ok().json();
        assert_eq!(floors["current_vehicles"], 0, "{floors}");
    }
}

/// Makes of each function two tests, one for each engine. It is given what makes a folder with
/// floors there.
macro_rules! in_every_database {
    ($(fn $name:ident($with_floors:ident) $body:block)*) => {
        $(fn $name($with_floors: fn(&[(&str, u32)]) -> $crate::cli::Folder) $body

        mod $name {
            #[test]
            fn sqlite() {
                super::$name($crate::cli::Folder::with_floors);
            }

            #[test]
            fn postgres() {
                super::$name($crate::cli::Folder::with_floors_in_postgres);
            }
        })*
    };
}
pub(crate) use in_every_database;

/// An instant so many times two weeks earlier.
fn earlier(at: &str, times: i64) -> Timestamp {
    at.parse::<Timestamp>().unwrap() - SignedDuration::from_hours(14 * 24 * times)
}

/// What gzip makes of it.
pub(crate) fn packed(text: &str) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(text.as_bytes()).unwrap();
    packer.finish().unwrap()
}

/// Numbers that look random and are the same in every run (xorshift64*).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        usize::try_from(number).unwrap() % bound
    }
}
