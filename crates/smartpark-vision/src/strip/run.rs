//! A run of covered columns through time.

use crate::seg::Planes;

/// The largest shift between two frames that is looked for, in pixels of the strip.
const LARGEST_SHIFT: i32 = 9;
/// Shifts are measured against a frame that is this old if the last step is under a pixel.
const SLOW_S: f64 = 0.2;
/// A run whose travel is under this many cars has not crossed.
const LEAST_TRAVEL: f32 = 0.45;
/// Travel of this many cars decides the direction even if the halves say otherwise.
const SURE_TRAVEL: f32 = 0.8;

/// One run.
#[derive(Debug, Clone)]
pub(super) struct Run {
    pub(super) id: u64,
    span: (usize, usize),
    pub(super) born: f64,
    pub(super) seen: f64,
    /// Covered pixels above and below the line at the beginning and at the end.
    origin: (usize, usize),
    goal: (usize, usize),
    /// The travel at each moment: positive is downwards, to the right of the line.
    path: Vec<(f64, f32)>,
    widths: Vec<f32>,
    reference: (f64, Vec<f32>),
}

/// What a run was.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Outcome {
    /// Whether it went to the right of the line.
    pub(super) to_right: bool,
    /// When its middle was on the line.
    pub(super) t: f64,
    /// The column of its middle.
    pub(super) column: f32,
    /// Whether halves and travel agree.
    pub(super) certain: bool,
}

impl Run {
    pub(super) fn new(id: u64, span: (usize, usize), planes: &Planes, mask: &[u8], t: f64) -> Run {
        let halves = halves(span, planes, mask);
        Run {
            id,
            span,
            born: t,
            seen: t,
            origin: halves,
            goal: halves,
            path: vec![(t, 0.0)],
            widths: Vec::new(),
            reference: (t, planes.y.clone()),
        }
    }

    /// The spans that lie on this run's columns.
    pub(super) fn claim(&self, spans: &[(usize, usize)]) -> Vec<usize> {
        let on = |s: &(usize, usize)| s.0 <= self.span.1 && s.1 >= self.span.0;
        (0..spans.len()).filter(|&i| on(&spans[i])).collect()
    }

    /// The next frame: `None` when the line is free.
    pub(super) fn step(
        &mut self,
        span: Option<(usize, usize)>,
        planes: &Planes,
        mask: &[u8],
        t: f64,
    ) {
        let Some(span) = span else {
            // The goal is the half that is still covered when the line becomes free.
            self.goal = halves(self.span, planes, mask);
            return;
        };
        self.span = span;
        self.seen = t;
        self.goal = halves(span, planes, mask);
        self.widths.push((span.1 - span.0 + 1) as f32);
        let step = shift(&self.reference.1, planes, mask, span);
        let (last, travel) = self.path.last().copied().unwrap_or((t, 0.0));
        if step.abs() >= 1.0 || t - self.reference.0 >= SLOW_S {
            self.path.push((t, travel + step));
            self.reference = (t, planes.y.clone());
        } else if last < t {
            self.path.push((t, travel));
        }
    }

    /// The travel over the whole run, in pixels of the strip.
    pub(super) fn travel(&self) -> f32 {
        self.path.last().map_or(0.0, |p| p.1)
    }

    /// The median width in pixels of the strip.
    pub(super) fn width(&self) -> f32 {
        crate::blob::median(self.widths.iter().copied())
    }

    /// What it was; `None` if it did not cross.
    pub(super) fn outcome(&self, car: f32, at_end: bool) -> Option<Outcome> {
        let from = side(self.origin);
        let to = side(self.goal);
        let travel = self.travel() / car;
        let by_travel = (travel.abs() >= LEAST_TRAVEL).then_some(travel > 0.0);
        let by_halves = match (from, to) {
            (Some(from), Some(to)) if from != to => Some(to),
            _ => None,
        };
        let backed_out = from.is_some() && from == to && !at_end;
        let to_right = match (by_travel, by_halves) {
            (Some(a), Some(b)) if a == b => a,
            (Some(a), _) if travel.abs() >= SURE_TRAVEL => a,
            (Some(a), None) if !backed_out => a,
            (_, Some(b)) => b,
            _ => return None,
        };
        let half = self.travel() * 0.5;
        let middle = self.path.iter().find(|p| p.1.abs() >= half.abs()).map_or(self.born, |p| p.0);
        Some(Outcome {
            to_right,
            t: middle,
            column: (self.span.0 + self.span.1) as f32 * 0.5,
            certain: by_travel == by_halves,
        })
    }
}

/// Which half is covered more: `Some(true)` for the lower one.
fn side((above, below): (usize, usize)) -> Option<bool> {
    let (least, most) = (above.min(below), above.max(below));
    (most > 4 && most * 2 > least * 3).then_some(below > above)
}

/// Covered pixels above and below the line in some columns.
fn halves(span: (usize, usize), planes: &Planes, mask: &[u8]) -> (usize, usize) {
    let (width, height) = (planes.width, planes.height);
    let count = |rows: std::ops::Range<usize>| {
        rows.map(|y| mask[y * width + span.0..=y * width + span.1].iter().map(|&m| usize::from(m)))
            .map(Iterator::sum::<usize>)
            .sum()
    };
    (count(0..height / 2 - 1), count(height / 2 + 2..height))
}

/// The shift of some columns against an older frame, with the best match below a pixel.
fn shift(before: &[f32], now: &Planes, mask: &[u8], span: (usize, usize)) -> f32 {
    let (width, height) = (now.width as i32, now.height as i32);
    let cost = |step: i32| -> f32 {
        let (mut sum, mut count) = (0.0, 0);
        for y in 0..height {
            let from = y - step;
            if !(0..height).contains(&from) {
                continue;
            }
            for x in span.0 as i32..=span.1 as i32 {
                let (to, from) = ((y * width + x) as usize, (from * width + x) as usize);
                if mask[to] == 1 {
                    sum += (now.y[to] - before[from]).abs();
                    count += 1;
                }
            }
        }
        if count < 8 { f32::MAX } else { sum / count as f32 }
    };
    let largest = LARGEST_SHIFT.min(height / 2 - 1);
    let costs: Vec<f32> = (-largest..=largest).map(cost).collect();
    let best = (0..costs.len())
        .min_by(|&a, &b| {
            let near = |i: usize| (i as i32 - largest).abs();
            costs[a].total_cmp(&costs[b]).then(near(a).cmp(&near(b)))
        })
        .unwrap_or(largest as usize);
    let mut step = best as f32 - largest as f32;
    if best > 0 && best + 1 < costs.len() {
        let (a, b, c) = (costs[best - 1], costs[best], costs[best + 1]);
        let curve = a - 2.0 * b + c;
        if curve.is_finite() && curve > 1e-3 {
            step += (0.5 * (a - c) / curve).clamp(-0.5, 0.5);
        }
    }
    step
}
