//! Runs simulated car parks through the ledger and asks it for estimates, as a server would.
//!
//! `scripts/quality` makes the inputs, runs this program on each engine and scores its answers.
//!
//!   quality drift SIMULATIONS OUT.csv URL [SCENARIO ...]
//!
//! URL: `sqlite://FOLDER`, in which each scenario gets a file of its own, or a database on
//! PostgreSQL, in which the floors of all scenarios stand beside each other.

use std::{collections::BTreeMap, fs, path::Path, process::ExitCode};

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use smartpark_ledger::{
    Clock, Direction, Floor, NewEvent, NewFloor, Options, SmartPark, VehicleType,
    limits::{MAX_BATCH_ROWS, MAX_DRIFT_STEPS},
};

/// Any failure ends the program with its message.
type Failure = Box<dyn std::error::Error>;

/// The car parks behind the simulations stand near it.
const ZONE: &str = "PST8PDT,M3.2.0,M11.1.0";
const HOUR: i64 = 3_600;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let ["drift", sims, out, url, scenarios @ ..] = arguments.as_slice() else {
        eprintln!("usage: quality drift SIMULATIONS OUT.csv URL [SCENARIO ...]");
        return ExitCode::FAILURE;
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let done = runtime.map_err(Failure::from).and_then(|runtime| {
        runtime.block_on(drift(Path::new(sims), Path::new(out), url, scenarios))
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("quality: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// Answers each hour of each floor of the scenarios (all if none is named).
async fn drift(sims: &Path, out: &Path, url: &str, scenarios: &[&str]) -> Result<(), Failure> {
    let mut file = csv::Writer::from_path(out)?;
    let columns = ["scenario", "floor", "hour_utc", "count", "estimate", "low", "high", "net_loss"];
    file.write_record(columns)?;
    let mut folders: Vec<_> =
        fs::read_dir(sims)?.map(|entry| Ok(entry?.path())).collect::<Result<_, Failure>>()?;
    folders.sort();
    for folder in folders.iter().filter(|folder| folder.is_dir()) {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().to_string();
        if scenarios.is_empty() || scenarios.contains(&name.as_str()) {
            eprintln!("{name}");
            let url = match url.strip_prefix("sqlite://") {
                Some(folder) => format!("sqlite://{folder}/{name}.db"),
                None => url.to_owned(),
            };
            scenario(folder, &name, &url, &mut file).await?;
        }
    }
    file.flush()?;
    Ok(())
}

async fn scenario(
    folder: &Path,
    name: &str,
    url: &str,
    out: &mut csv::Writer<fs::File>,
) -> Result<(), Failure> {
    let clock = Clock::fixed(Timestamp::UNIX_EPOCH);
    let time_zone = TimeZone::posix(ZONE)?;
    let options = Options { clock: clock.clone(), time_zone, ..Options::default() };
    let park = SmartPark::open_with(url, options).await?;
    let floors = record(&park, &clock, folder, name).await?;
    for (id, (floor, hours)) in floors {
        let step = SignedDuration::from_secs(HOUR * i64::from(MAX_DRIFT_STEPS));
        let (mut from, end) = hours;
        while from < end {
            let until = (from + step).min(end);
            // A month is answered as of its end, from the facts before each hour.
            clock.set(until);
            let window = (from, until);
            let told = park.estimates().get_drift_history(floor.id, window, 3_600).await?;
            for step in told.steps {
                out.write_record([
                    name,
                    &id,
                    &step.at.to_string(),
                    &step.count.to_string(),
                    &step.estimate.to_string(),
                    &step.low.to_string(),
                    &step.high.to_string(),
                    "0",
                ])?;
            }
            from = until;
        }
    }
    park.close().await;
    Ok(())
}

/// Each floor, and the hours that are asked for: after the first, up to the second.
type Floors = BTreeMap<String, (Floor, (Timestamp, Timestamp))>;

/// Records the events and recounts of a scenario, recounts at their own time.
async fn record(
    park: &SmartPark,
    clock: &Clock,
    folder: &Path,
    name: &str,
) -> Result<Floors, Failure> {
    let mut hours: BTreeMap<String, (Timestamp, Timestamp)> = BTreeMap::new();
    for row in csv::Reader::from_path(folder.join("truth.csv"))?.deserialize() {
        let (hour, floor, _): (Timestamp, String, i64) = row?;
        let before = hour - SignedDuration::from_secs(HOUR);
        let known = hours.entry(floor).or_insert((before, hour));
        *known = (known.0.min(before), known.1.max(hour));
    }
    let mut floors = Floors::new();
    for row in csv::Reader::from_path(folder.join("floors.csv"))?.deserialize() {
        let (id, slots): (String, i64) = row?;
        let floor = park.floors().add_floor(NewFloor::new(format!("{name} {id}"), slots)).await?;
        let hours = hours.remove(&id).ok_or("a floor without hours")?;
        floors.insert(id, (floor, hours));
    }
    let known = |id: &str| floors.get(id).map(|found| &found.0).ok_or("an unknown floor");
    for row in csv::Reader::from_path(folder.join("recounts.csv"))?.deserialize() {
        let (id, at, found): (String, Timestamp, i64) = row?;
        clock.set(at);
        park.floors().recount(known(&id)?.id, found, "simulated", None).await?;
    }
    clock.set(floors.values().map(|floor| floor.1.1).max().unwrap_or(Timestamp::UNIX_EPOCH));
    let mut events = Vec::new();
    for row in csv::Reader::from_path(folder.join("events.csv"))?.records() {
        let row = row?;
        let direction = if &row[4] == "entry" { Direction::Entry } else { Direction::Exit };
        let (camera, track) = (format!("{name} {}", &row[0]), row[2].to_owned());
        let event = NewEvent::new(camera, known(&row[1])?.id, track, VehicleType::Car, direction);
        events.push(event.at(row[6].parse()?));
        if events.len() == MAX_BATCH_ROWS {
            send(park, &mut events).await?;
        }
    }
    send(park, &mut events).await?;
    Ok(floors)
}

async fn send(park: &SmartPark, events: &mut Vec<NewEvent>) -> Result<(), Failure> {
    for result in park.events().record_events(std::mem::take(events)).await? {
        result?;
    }
    Ok(())
}
