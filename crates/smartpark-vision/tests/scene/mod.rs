//! A small renderer: a road with texture, and boxes with windows that move over it.

mod watch;

use smartpark_vision::counter::{Counter, Method};
use smartpark_vision::seg::WarmUp;
use smartpark_vision::{Crossing, Direction, Frame, Line, Point, StateChange};

pub(crate) const WIDTH: usize = 200;
pub(crate) const HEIGHT: usize = 180;
pub(crate) const FPS: f64 = 12.5;

/// A box that moves: its middle at a moment, or `None` while it is away.
pub(crate) struct Actor {
    pub(crate) size: (f32, f32),
    pub(crate) colour: [u8; 3],
    pub(crate) path: Box<dyn Fn(f64) -> Option<(f32, f32)>>,
}

/// A vehicle of the size of the car box that drives down (`speed > 0`) or up from `begin` on.
pub(crate) fn car(x: f32, begin: f64, speed: f32, colour: [u8; 3]) -> Actor {
    let from = if speed > 0.0 { -30.0 } else { HEIGHT as f32 + 30.0 };
    let path = move |t: f64| (t >= begin).then_some((x, from + speed * (t - begin) as f32));
    Actor { size: (40.0, 50.0), colour, path: Box::new(path) }
}

/// A horizontal line over the road; downwards is an entry.
pub(crate) fn line() -> Line {
    Line {
        id: "L1".into(),
        p1: Point::new(10.0, 90.0),
        p2: Point::new(190.0, 90.0),
        car_box: [40.0, 50.0],
        swap: false,
    }
}

/// The picture at a moment.
pub(crate) fn picture(actors: &[Actor], t: f64) -> Frame {
    let mut frame = Frame::filled(WIDTH, HEIGHT, t, [0; 3]);
    let moment = (t * 1000.0) as u64;
    for y in 0..HEIGHT {
        for x in 0..WIDTH {
            let texture = noise((x * 7919 + y * 104_729) as u64) % 17;
            let grain = noise((x + y * WIDTH) as u64 ^ (moment << 20)) % 5;
            let paint = if x < 6 || y < 6 { 90 } else { 0 };
            let level = (90 + texture + grain + paint) as u8;
            frame.set(x as i64, y as i64, [level, level, level + 2]);
        }
    }
    for actor in actors {
        let Some((x, y)) = (actor.path)(t) else { continue };
        let (w, h) = actor.size;
        let (left, top) = (x - w * 0.5, y - h * 0.5);
        for row in 0..h as i64 {
            for column in 0..w as i64 {
                let part = row as f32 / h;
                let side = column as f32 / w;
                let window = (0.2..0.4).contains(&part) && (0.1..0.9).contains(&side);
                let roof = (0.4..0.7).contains(&part);
                let shade = |c: u8| match (window, roof) {
                    (true, _) => c / 4,
                    (_, true) => c,
                    _ => (u32::from(c) * 4 / 5) as u8,
                };
                frame.set(left as i64 + column, top as i64 + row, actor.colour.map(shade));
            }
        }
    }
    frame
}

/// A well mixed number.
fn noise(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (z ^ (z >> 31)) >> 8
}

/// Counts a scene; gives the crossings and the changes of state.
pub(crate) fn count(
    method: Method,
    line: Line,
    actors: &[Actor],
    seconds: f64,
) -> (Vec<Crossing>, Vec<StateChange>) {
    count_frames(method, line, seconds, |t| picture(actors, t))
}

/// Counts frames that a function draws. The road is empty during the warm-up.
pub(crate) fn count_frames(
    method: Method,
    line: Line,
    seconds: f64,
    frame: impl Fn(f64) -> Frame,
) -> (Vec<Crossing>, Vec<StateChange>) {
    let mut warm_up = WarmUp::default();
    for i in 0..20 {
        warm_up.add(picture(&[], 1000.0 + f64::from(i)));
    }
    let mut counter = Counter::new(line, method, &warm_up, &[], None).expect("a counter");
    let (mut crossings, mut changes) = (Vec::new(), Vec::new());
    for number in 0..(seconds * FPS) as u32 {
        let step = counter.push(&frame(f64::from(number) / FPS)).expect("a step");
        crossings.extend(step.crossings);
        changes.extend(step.change);
    }
    crossings.extend(counter.finish());
    crossings.sort_by(|a, b| a.t.total_cmp(&b.t));
    (crossings, changes)
}

/// Directions in the order of the crossings.
pub(crate) fn directions(crossings: &[Crossing]) -> Vec<Direction> {
    crossings.iter().map(|c| c.direction).collect()
}
