//! How estimates of drift look in JSON, and the sentences in them.

use jiff::{Timestamp, tz::TimeZone};
use serde::Serialize;
use utoipa::ToSchema;

use smartpark_ledger::{
    DriftHistory, FloorDrift, SiteDrift,
    estimate::drift::{Caution, Drift, Evidence, Reason, Suggestion},
};

/// The share of true numbers that an interval shall hold.
const LEVEL: f64 = 0.95;

/// How far a floor's count may be off.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Drift)]
pub struct DriftView {
    floor_id: i64,
    /// The floor's name.
    floor: String,
    /// The instant.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// The count at that instant.
    #[schema(minimum = 0)]
    count: i64,
    /// The most likely true number of vehicles.
    #[schema(minimum = 0)]
    estimate: i64,
    /// Lower bound of the interval.
    #[schema(minimum = 0)]
    low: i64,
    /// Upper bound of the interval.
    #[schema(minimum = 0)]
    high: i64,
    /// The share of true numbers that the interval shall hold.
    level: f64,
    /// The slots at that instant.
    #[schema(minimum = 0)]
    total_slots: i64,
    net_loss_per_1000: NetLossView,
    last_recount: Option<LastRecountView>,
    evidence: EvidenceView,
    /// Why the interval may hold the truth less often than it promises.
    caution: Option<CautionView>,
    /// Whether and when a person should count.
    suggested_recount: Option<SuggestionView>,
}

/// Vehicles per 1000 events by which the count falls behind the truth: above 0 if the cameras miss
/// more entries than exits.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = NetLoss)]
struct NetLossView {
    estimate: f64,
    /// Lower bound of the 95 % interval.
    low: f64,
    /// Upper bound of it.
    high: f64,
}

/// The last recount.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LastRecount)]
struct LastRecountView {
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// The count just before.
    counted_before: i64,
    /// What the person found.
    found: i64,
    /// Found minus counted.
    difference: i64,
}

/// What an estimate rests on: at most the last 120 days.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DriftEvidence)]
struct EvidenceView {
    recounts: u32,
    /// Entries into the full floor.
    at_limit_full: u32,
    /// Exits from the empty floor.
    at_limit_empty: u32,
    /// Nights that were compared.
    nights: u32,
    /// Hours in which a camera was probably blind, counted for each camera.
    blind_hours: u32,
    /// The same as an English sentence.
    text: String,
}

/// Why an interval may not hold what it promises.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DriftCaution)]
struct CautionView {
    kind: CautionKind,
    /// The traffic of a week as a share of the weeks before, in per cent.
    percent: Option<u32>,
    /// What it means, as an English sentence.
    text: String,
}

/// A kind of caution.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum CautionKind {
    /// A large floor that nobody ever counted.
    NeverRecounted,
    /// A large floor whose traffic changed since it was last counted.
    TrafficMoved,
}

/// A recount that would help.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SuggestedRecount)]
struct SuggestionView {
    reason: ReasonKind,
    /// Why, and when it is easiest, as an English sentence.
    text: String,
    /// The end of the next quiet hour.
    #[schema(value_type = String, format = DateTime)]
    best_at: Timestamp,
}

/// Why a person should count.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum ReasonKind {
    /// The interval is wide.
    Interval,
    /// The count has lain outside the interval for a day.
    CountOutside,
    /// Ten or more events found the floor full or empty.
    AtLimit,
    /// The interval may not be trusted.
    Caution,
}

fn tenths(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}

impl DriftView {
    /// The view; sentences tell local times of `zone`.
    pub fn new(told: &FloorDrift, zone: &TimeZone) -> Self {
        let drift = &told.drift;
        let loss = drift.net_loss_per_1000;
        Self {
            floor_id: told.floor.id,
            floor: told.floor.name.clone(),
            at: told.at,
            count: told.count,
            estimate: drift.estimate,
            low: drift.low,
            high: drift.high,
            level: LEVEL,
            total_slots: told.total_slots,
            net_loss_per_1000: NetLossView {
                estimate: tenths(loss.estimate),
                low: tenths(loss.low),
                high: tenths(loss.high),
            },
            last_recount: drift.last_recount.map(|last| LastRecountView {
                at: last.at,
                counted_before: last.before,
                found: last.found,
                difference: last.difference,
            }),
            evidence: evidence(drift.evidence),
            caution: drift.caution.map(caution),
            suggested_recount: drift.suggested_recount.map(|it| suggestion(it, drift, zone)),
        }
    }
}

fn plural(number: u32, one: &str, many: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {many}") }
}

fn evidence(seen: Evidence) -> EvidenceView {
    let Evidence { recounts, at_limit_full, at_limit_empty, nights, blind_hours } = seen;
    let parts = [
        plural(recounts, "recount", "recounts"),
        plural(nights, "night", "nights"),
        plural(at_limit_full, "entry into a full floor", "entries into a full floor"),
        plural(at_limit_empty, "exit from an empty floor", "exits from an empty floor"),
        plural(blind_hours, "hour of a blind camera", "hours of blind cameras"),
    ];
    let text = format!("It rests on {}.", parts.join(", "));
    EvidenceView { recounts, at_limit_full, at_limit_empty, nights, blind_hours, text }
}

fn caution(caution: Caution) -> CautionView {
    match caution {
        Caution::NeverRecounted => CautionView {
            kind: CautionKind::NeverRecounted,
            percent: None,
            text: "Nobody has counted this large floor yet, so the interval may be too narrow."
                .to_owned(),
        },
        Caution::TrafficMoved { percent } => CautionView {
            kind: CautionKind::TrafficMoved,
            percent: Some(percent),
            text: format!(
                "Traffic fell or rose to {percent} % of what it was, and nobody has counted this \
                 large floor since, so the interval may be too narrow."
            ),
        },
    }
}

/// The local time of day, as people say it.
pub fn time_of_day(at: Timestamp, zone: &TimeZone) -> String {
    let local = zone.to_datetime(at);
    format!("{:02}:{:02}", local.hour(), local.minute())
}

/// Why and when to count, as an English sentence.
pub fn why_count(suggestion: &Suggestion, drift: &Drift, zone: &TimeZone) -> String {
    let why = match suggestion.reason {
        Reason::CountOutside { hours } => format!(
            "For {hours} hours the count has been outside of what is likely ({} to {}).",
            drift.low, drift.high
        ),
        Reason::AtLimit { events } => format!(
            "{events} vehicles entered a full floor or left an empty one since the last recount."
        ),
        Reason::Caution(reason) => caution(reason).text,
        Reason::Interval { .. } => {
            format!("The true number may be anything from {} to {}.", drift.low, drift.high)
        }
    };
    format!("{why} Count the vehicles, best at about {}.", time_of_day(suggestion.best_at, zone))
}

fn suggestion(told: Suggestion, drift: &Drift, zone: &TimeZone) -> SuggestionView {
    let reason = match told.reason {
        Reason::CountOutside { .. } => ReasonKind::CountOutside,
        Reason::AtLimit { .. } => ReasonKind::AtLimit,
        Reason::Caution(_) => ReasonKind::Caution,
        Reason::Interval { .. } => ReasonKind::Interval,
    };
    SuggestionView { reason, text: why_count(&told, drift, zone), best_at: told.best_at }
}

/// How far the counts of the active floors may be off, together and one by one.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SiteDrift)]
pub struct SiteDriftView {
    /// The instant.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// The sum of the counts.
    #[schema(minimum = 0)]
    count: i64,
    /// The most likely sum of the true numbers.
    #[schema(minimum = 0)]
    estimate: i64,
    /// Lower bound of the interval of that sum.
    #[schema(minimum = 0)]
    low: i64,
    /// Upper bound of it.
    #[schema(minimum = 0)]
    high: i64,
    /// The share of true numbers that an interval shall hold.
    level: f64,
    /// The sum of the slots.
    #[schema(minimum = 0)]
    total_slots: i64,
    /// Each active floor, by its id.
    floors: Vec<DriftView>,
}

impl SiteDriftView {
    /// The view; sentences tell local times of `zone`.
    pub fn new(told: &SiteDrift, zone: &TimeZone) -> Self {
        let floors = told.floors.iter().map(|floor| DriftView::new(floor, zone)).collect();
        let SiteDrift { at, count, estimate, low, high, total_slots, .. } = *told;
        Self { at, count, estimate, low, high, level: LEVEL, total_slots, floors }
    }
}

/// How far a floor's count was off over time.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DriftHistory)]
pub struct DriftHistoryView {
    floor_id: i64,
    /// The length of a step in seconds.
    #[schema(minimum = 3_600, maximum = 2_678_400)]
    step: u32,
    #[schema(max_items = 750)]
    steps: Vec<DriftStepView>,
}

/// What was known at an instant.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DriftStep)]
struct DriftStepView {
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    #[schema(minimum = 0)]
    count: i64,
    #[schema(minimum = 0)]
    estimate: i64,
    #[schema(minimum = 0)]
    low: i64,
    #[schema(minimum = 0)]
    high: i64,
}

impl From<DriftHistory> for DriftHistoryView {
    fn from(told: DriftHistory) -> Self {
        let view = |step: &smartpark_ledger::DriftStep| DriftStepView {
            at: step.at,
            count: step.count,
            estimate: step.estimate,
            low: step.low,
            high: step.high,
        };
        let steps = told.steps.iter().map(view).collect();
        Self { floor_id: told.floor_id, step: told.step, steps }
    }
}
