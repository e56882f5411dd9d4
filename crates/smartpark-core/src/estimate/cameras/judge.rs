//! Weighs up, from the nightly balance of each floor, which camera loses vehicles.
//!
//! Source: comparison of Gaussian hypotheses by their Bayes factors. "This flow loses about 3 %"
//! is held against "all flows lose about 0.3 %"; both are linear in the flow's crossings.

use std::collections::BTreeMap;

use super::{
    balance::{Balance, Column},
    linear::{Factor, dot},
    split::split,
};

/// Standard deviation of the loss of a flow that errs, and of a sound one.
const LOSS: (f64, f64) = (0.03, 0.003);
/// The probability that a flow errs, before anything is known.
const FAULT: f64 = 0.05;
/// Random misses per crossing.
const MISSES: f64 = 0.01;
/// A camera is named above this probability; something is wrong below one minus it.
const NAMED: f64 = 0.9;
/// Cameras above this probability belong to "one of these".
const SUSPECT: f64 = 0.05;
/// At most so many cameras are named at once.
const MOST_FAULTS: usize = 3;
/// A camera is called sound only if its loss is known to this standard deviation.
const KNOWN: f64 = 0.01;

/// A camera's line between two floors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The camera.
    pub camera_id: String,
    /// The floor that an entry leaves; `None`: outside.
    pub from: Option<i64>,
    /// The floor that an entry enters.
    pub to: i64,
    /// Entries seen from one quiet hour to the next, one number a day.
    pub entries: Vec<u32>,
    /// Exits, likewise.
    pub exits: Vec<u32>,
}

impl Line {
    /// What lines are sorted by, so that their order changes nothing.
    pub(super) fn order(&self) -> (&str, i64, Option<i64>) {
        (&self.camera_id, self.to, self.from)
    }
}

/// What is known of a car park over a window of days (84 at most are useful).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Window {
    /// Days; each line has so many entries and exits.
    pub days: usize,
    /// Each line once.
    pub lines: Vec<Line>,
    /// Recounts: `(floor, day, vehicles found)`, as of the quiet hour that ends the day. If a
    /// person counts at another time, move the number there by the entries and exits in between.
    pub recounts: Vec<(i64, usize, i64)>,
}

/// One direction of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From `from` to `to`.
    Entry,
    /// Back.
    Exit,
}

/// A direction of a camera and the share of its crossings that is lost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Flow {
    /// The direction.
    pub direction: Direction,
    /// The loss.
    pub loss: Loss,
}

/// A share of crossings that is lost: above 0 if vehicles are missed, below 0 if they are counted
/// twice.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Loss {
    /// The estimate.
    pub share: f64,
    /// Lower bound of the 95 % interval.
    pub low: f64,
    /// Upper bound of the 95 % interval.
    pub high: f64,
}

/// What is known of one camera.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It errs, with a probability above 0.9.
    Named,
    /// Something errs, and this camera is one of those that may.
    OneOf,
    /// It is probably sound.
    Fine,
    /// There are too few days or crossings to tell.
    Unknown,
}

/// One camera's judgement.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// The camera.
    pub camera_id: String,
    /// The floor that an entry leaves; `None`: outside.
    pub from: Option<i64>,
    /// The floor that an entry enters.
    pub to: i64,
    /// Entries seen in the window.
    pub entries: u64,
    /// Exits seen in the window.
    pub exits: u64,
    /// The probability that it errs.
    pub probability: f64,
    /// What that means.
    pub verdict: Verdict,
    /// The direction that explains the balance better. Totals cannot tell lost entries from exits
    /// counted twice.
    pub flow: Flow,
}

impl Judged {
    /// What the likelier direction of the camera does, as an English sentence.
    #[must_use]
    pub fn words(&self) -> String {
        let Flow { direction, loss } = self.flow;
        let (way, other) = match direction {
            Direction::Entry => ("entries", "exits"),
            Direction::Exit => ("exits", "entries"),
        };
        let bounds = [loss.low.abs(), loss.high.abs()].map(|bound| bound * 100.0);
        let (low, high) = (bounds[0].min(bounds[1]), bounds[0].max(bounds[1]));
        let (camera, share) = (&self.camera_id, loss.share.abs() * 100.0);
        if loss.share < 0.0 {
            format!(
                "{camera} counts {share:.1} % of {way} twice ({low:.1} to {high:.1} %), or misses \
                 as many {other}."
            )
        } else {
            format!(
                "{camera} misses {share:.1} % of {way} ({low:.1} to {high:.1} %), or counts as \
                 many {other} twice."
            )
        }
    }
}

/// What is known of all cameras.
#[derive(Clone, Debug, PartialEq)]
pub struct Cameras {
    /// The probability that nothing errs.
    pub nothing_wrong: f64,
    /// Each camera, in the order of their ids; a camera with several lines once for each.
    pub cameras: Vec<Judged>,
    /// Sets of cameras: of each set one errs, though nobody can say which.
    pub one_of: Vec<Vec<String>>,
}

/// A part of the car park that hangs on its lines, and what its balance says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its floor.
    pub floor_id: i64,
    /// The cameras around it.
    pub cameras: Vec<String>,
    /// Vehicles seen to come minus vehicles seen to go, since the window began.
    pub imbalance: i64,
}

/// Probabilities by flow, and that of no fault.
struct Weighed {
    flows: Vec<f64>,
    nothing: f64,
    /// Estimate and standard deviation of each flow's loss.
    losses: Vec<(f64, f64)>,
}

/// A camera that was named, and what was known of it then.
struct Named {
    camera: usize,
    probability: f64,
    flow: Flow,
}

/// Judges the cameras of a car park. The order of lines and recounts changes nothing.
///
/// Floors that no ramp joins are judged apart: a camera's loss moves no balance of another part.
/// Of each part the likeliest camera is named if its probability is above 0.9; then its loss is
/// taken as given and the others are judged again, up to three times.
#[must_use]
pub fn judge(window: &Window) -> Cameras {
    let mut told = Cameras { nothing_wrong: 1.0, cameras: Vec::new(), one_of: Vec::new() };
    for part in split(window) {
        let of_part = judge_part(&part);
        told.nothing_wrong *= of_part.nothing_wrong;
        told.cameras.extend(of_part.cameras);
        told.one_of.extend(of_part.one_of);
    }
    told.cameras.sort_by(|a, b| (&a.camera_id, a.to).cmp(&(&b.camera_id, b.to)));
    told.one_of.sort_unstable();
    told
}

fn judge_part(window: &Window) -> Cameras {
    let balance = Balance::of(window);
    if balance.rows.is_empty() {
        return unknown(&balance.lines);
    }
    let cameras = balance.lines.len();
    let mut noise = balance.noise(MISSES, LOSS.1);
    let mut named: Vec<Named> = Vec::new();
    let mut nothing_wrong = None;
    loop {
        let free: Vec<&Column> = balance
            .columns
            .iter()
            .filter(|column| !named.iter().any(|other| other.camera == column.camera))
            .collect();
        let weighed = weigh(&noise.clone().cholesky(), &balance, &free);
        let nothing = *nothing_wrong.get_or_insert(weighed.nothing);
        let probabilities = by_camera(&weighed, &free, cameras);
        let worst = (0..cameras).max_by(|a, b| probabilities[*a].total_cmp(&probabilities[*b]));
        let worst = worst.filter(|camera| probabilities[*camera] > NAMED);
        let Some(camera) = worst.filter(|_| named.len() < MOST_FAULTS) else {
            return tell(&balance.lines, &free, &named, &weighed, nothing);
        };
        let (flow, _) = likelier(&free, &weighed, camera);
        named.push(Named { camera, probability: probabilities[camera], flow });
        for column in free.iter().filter(|column| column.camera == camera) {
            noise.add_product(&column.effect, LOSS.0 * LOSS.0);
        }
    }
}

fn unknown(lines: &[&Line]) -> Cameras {
    let loss = Loss { share: 0.0, low: -2.0 * LOSS.0, high: 2.0 * LOSS.0 };
    let flow = Flow { direction: Direction::Entry, loss };
    let cameras = lines.iter().map(|line| judged(line, 0.0, Verdict::Unknown, flow)).collect();
    Cameras { nothing_wrong: 1.0, cameras, one_of: Vec::new() }
}

fn judged(line: &Line, probability: f64, verdict: Verdict, flow: Flow) -> Judged {
    let sum = |seen: &[u32]| seen.iter().map(|count| u64::from(*count)).sum();
    Judged {
        camera_id: line.camera_id.clone(),
        from: line.from,
        to: line.to,
        entries: sum(&line.entries),
        exits: sum(&line.exits),
        probability,
        verdict,
        flow,
    }
}

fn weigh(factor: &Factor, balance: &Balance<'_>, columns: &[&Column]) -> Weighed {
    let values: Vec<f64> = balance.rows.iter().map(|row| row.value).collect();
    let white = factor.whiten(&values);
    let square = LOSS.0 * LOSS.0;
    let (mut logs, mut losses) = (vec![0.0], Vec::new());
    for column in columns {
        let effect = factor.whiten(&column.effect);
        let (g, h) = (dot(&effect, &white), dot(&effect, &effect));
        let known = 1.0 + square * h;
        logs.push((FAULT / (1.0 - FAULT)).ln() - 0.5 * known.ln() + 0.5 * square * g * g / known);
        losses.push((square * g / known, LOSS.0 / known.sqrt()));
    }
    let most = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let weights: Vec<f64> = logs.iter().map(|log| (log - most).exp()).collect();
    let sum: f64 = weights.iter().sum();
    let flows = weights[1..].iter().map(|weight| weight / sum).collect();
    Weighed { flows, nothing: weights[0] / sum, losses }
}

fn by_camera(weighed: &Weighed, columns: &[&Column], cameras: usize) -> Vec<f64> {
    let mut sums = vec![0.0; cameras];
    for (column, probability) in columns.iter().zip(&weighed.flows) {
        sums[column.camera] += probability;
    }
    sums
}

/// Puts the rounds together: named cameras as they were named, the others as of the last round.
fn tell(
    lines: &[&Line],
    columns: &[&Column],
    named: &[Named],
    last: &Weighed,
    nothing_wrong: f64,
) -> Cameras {
    let probabilities = by_camera(last, columns, lines.len());
    let wrong = last.nothing < 1.0 - NAMED;
    let of_line = |(camera, line): (usize, &&Line)| {
        if let Some(known) = named.iter().find(|known| known.camera == camera) {
            return judged(line, known.probability, Verdict::Named, known.flow);
        }
        let (flow, deviation) = likelier(columns, last, camera);
        let probability = probabilities[camera];
        let verdict = match (wrong && probability > SUSPECT, deviation < KNOWN) {
            (true, _) => Verdict::OneOf,
            (false, true) => Verdict::Fine,
            (false, false) => Verdict::Unknown,
        };
        judged(line, probability, verdict, flow)
    };
    let cameras: Vec<Judged> = lines.iter().enumerate().map(of_line).collect();
    let one_of = cameras.iter().filter(|camera| camera.verdict == Verdict::OneOf);
    let one_of: Vec<String> = one_of.map(|camera| camera.camera_id.clone()).collect();
    let one_of = if one_of.is_empty() { Vec::new() } else { vec![one_of] };
    Cameras { nothing_wrong, cameras, one_of }
}

/// The likelier direction of a camera, and the standard deviation of its loss.
fn likelier(columns: &[&Column], weighed: &Weighed, camera: usize) -> (Flow, f64) {
    let mut best = (0.0, Direction::Entry, (0.0, LOSS.0));
    for (number, column) in columns.iter().enumerate() {
        let probability = weighed.flows[number];
        if column.camera == camera && probability >= best.0 {
            best = (probability, column.direction, weighed.losses[number]);
        }
    }
    let (_, direction, (share, deviation)) = best;
    let reach = 1.96 * deviation;
    let loss = Loss { share, low: share - reach, high: share + reach };
    (Flow { direction, loss }, deviation)
}

/// The balance of each floor over the window, with the cameras around it.
#[must_use]
pub fn parts(window: &Window) -> Vec<Part> {
    let mut lines: Vec<&Line> = window.lines.iter().collect();
    lines.sort_by(|a, b| a.order().cmp(&b.order()));
    let mut parts: BTreeMap<i64, Part> = BTreeMap::new();
    for line in lines {
        let sum = |seen: &[u32]| seen.iter().map(|count| i64::from(*count)).sum::<i64>();
        let net = sum(&line.entries) - sum(&line.exits);
        for (floor_id, sign) in line.from.map(|from| (from, -1)).into_iter().chain([(line.to, 1)]) {
            let empty = || Part { floor_id, cameras: Vec::new(), imbalance: 0 };
            let part = parts.entry(floor_id).or_insert_with(empty);
            part.imbalance += sign * net;
            part.cameras.push(line.camera_id.clone());
        }
    }
    parts.into_values().collect()
}
