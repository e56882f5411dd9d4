//! How judgements of cameras look in JSON.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use smartpark_ledger::{
    CameraJudgement, CameraQuality,
    estimate::cameras::{Direction, Miss, Part, Verdict},
};

/// What the balance of floors tells of the cameras.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CameraQuality)]
pub struct CameraQualityView {
    /// The quiet hour at which the window begins.
    #[schema(value_type = String, format = DateTime)]
    start: Timestamp,
    /// The last quiet hour, at which the window ends.
    #[schema(value_type = String, format = DateTime)]
    end: Timestamp,
    /// Days between them.
    days: usize,
    /// The probability that no camera errs.
    nothing_wrong: f64,
    /// Each line of each camera that sent events in the window, by the camera's id.
    cameras: Vec<CameraJudgementView>,
    /// The balance of each floor, by its id.
    parts: Vec<PartView>,
}

/// What is known of one line of a camera.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CameraJudgement)]
struct CameraJudgementView {
    camera_id: String,
    /// The floor that an entry leaves; null: the vehicle comes from outside.
    from_floor_id: Option<i64>,
    /// The floor that an entry enters.
    floor_id: i64,
    #[schema(minimum = 0)]
    entries: u64,
    #[schema(minimum = 0)]
    exits: u64,
    /// The probability that this camera errs.
    #[schema(minimum = 0, maximum = 1)]
    probability: f64,
    loss: LossView,
    verdict: VerdictView,
    /// The other cameras of which this one or one of them errs.
    one_of: Vec<String>,
    /// What a second camera on the same line tells.
    twin: Option<TwinView>,
    /// What a camera that is named does wrong, as an English sentence.
    text: Option<String>,
}

/// The share of crossings in the likelier direction that is lost; below 0 if vehicles are counted
/// twice. Totals cannot tell missed entries from exits that are counted twice.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CameraLoss)]
struct LossView {
    direction: DirectionView,
    share: f64,
    /// Lower bound of the 95 % interval.
    low: f64,
    /// Upper bound of it.
    high: f64,
}

/// A direction of a line.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CameraLossDirection)]
#[serde(rename_all = "snake_case")]
enum DirectionView {
    Entry,
    Exit,
}

/// What is known of a camera.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CameraVerdict)]
#[serde(rename_all = "snake_case")]
enum VerdictView {
    /// It errs, with a probability above 0.9.
    Named,
    /// One of several cameras errs, and this is one of them.
    OneOf,
    /// It is probably sound.
    Fine,
    /// There are too few days or crossings to tell.
    Unknown,
}

/// The share of vehicles that a camera misses of those that its twin sees.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CameraTwin)]
struct TwinView {
    /// The other camera.
    of: String,
    miss_share: f64,
    /// Lower bound of the 95 % interval.
    low: f64,
    /// Upper bound of it.
    high: f64,
}

/// The balance of a floor.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FloorBalance)]
struct PartView {
    floors: Vec<i64>,
    /// The cameras around it.
    lines: Vec<String>,
    /// Vehicles seen to come minus vehicles seen to go.
    imbalance: i64,
    /// The same by the day.
    per_day: f64,
}

/// A probability or a share, to four decimals.
fn rounded(number: f64) -> f64 {
    (number * 10_000.0).round() / 10_000.0
}

impl CameraQualityView {
    /// The view.
    #[must_use]
    pub fn new(told: &CameraQuality) -> Self {
        Self {
            start: told.start,
            end: told.end,
            days: told.days,
            nothing_wrong: rounded(told.nothing_wrong),
            cameras: told.cameras.iter().map(camera).collect(),
            parts: told.parts.iter().map(|it| part(it, told.days)).collect(),
        }
    }
}

fn camera(told: &CameraJudgement) -> CameraJudgementView {
    let judged = &told.judged;
    let loss = judged.flow.loss;
    CameraJudgementView {
        camera_id: judged.camera_id.clone(),
        from_floor_id: judged.from,
        floor_id: judged.to,
        entries: judged.entries,
        exits: judged.exits,
        probability: rounded(judged.probability),
        loss: LossView {
            direction: match judged.flow.direction {
                Direction::Entry => DirectionView::Entry,
                Direction::Exit => DirectionView::Exit,
            },
            share: rounded(loss.share),
            low: rounded(loss.low),
            high: rounded(loss.high),
        },
        verdict: match judged.verdict {
            Verdict::Named => VerdictView::Named,
            Verdict::OneOf => VerdictView::OneOf,
            Verdict::Fine => VerdictView::Fine,
            Verdict::Unknown => VerdictView::Unknown,
        },
        one_of: told.one_of.clone(),
        twin: told.twin.as_ref().map(twin),
        text: (judged.verdict == Verdict::Named).then(|| judged.words()),
    }
}

fn twin((of, miss): &(String, Miss)) -> TwinView {
    TwinView {
        of: of.clone(),
        miss_share: rounded(miss.share),
        low: rounded(miss.low),
        high: rounded(miss.high),
    }
}

fn part(part: &Part, days: usize) -> PartView {
    PartView {
        floors: vec![part.floor_id],
        lines: part.cameras.clone(),
        imbalance: part.imbalance,
        per_day: (part.imbalance as f64 / days.max(1) as f64 * 10.0).round() / 10.0,
    }
}
