//! Cameras with `video` in the configuration: each is watched by a thread of its own, and its
//! crossings go through one spool to the server.

mod delivery;
mod local;
mod plan;
mod told;

use std::{
    fs::File,
    path::{Path, PathBuf},
    sync::Arc,
    thread::JoinHandle,
    time::Duration,
};

use smartpark_client::{Client, Clock, Transport};
use smartpark_vision::{Error, LiveCamera, Report, State, StopSignal, VehicleType};

use delivery::Delivery;
pub(crate) use local::Local;
pub(crate) use plan::{CameraPlan, Plan};

/// How long a stopping program waits for the crossings that are on their way to the spool, and
/// for the request that is under way.
const STOP_WAIT: Duration = Duration::from_secs(5);

/// Cameras that are being watched.
pub(crate) struct Cameras {
    stop: Arc<StopSignal>,
    threads: Vec<JoinHandle<bool>>,
    delivery: Delivery,
    _only_watcher: File,
}

impl Cameras {
    /// Starts to watch the cameras of a plan. Their events go to the server behind `transport`.
    ///
    /// # Errors
    /// Says which camera or file does not fit.
    pub(crate) fn start(plan: Plan, transport: impl Transport + 'static) -> anyhow::Result<Self> {
        let only_watcher = lock(&plan.spool)?;
        let client = Client::builder(&plan.spool).start_with(transport)?;
        let delivery = Delivery::start(client)?;
        let stop = Arc::new(StopSignal::default());
        let mut threads = Vec::new();
        for camera in plan.cameras {
            let (stop, sink) = (Arc::clone(&stop), delivery.sink());
            let thread = std::thread::Builder::new().name(format!("camera {}", camera.id));
            threads.push(thread.spawn(move || run(camera, &stop, &sink))?);
        }
        Ok(Self { stop, threads, delivery, _only_watcher: only_watcher })
    }

    /// Waits until every film is at its end. Live cameras have none.
    pub(crate) fn wait(&mut self) -> bool {
        let mut is_good = true;
        for thread in self.threads.drain(..) {
            is_good &= thread.join().unwrap_or(false);
        }
        is_good
    }

    /// Tells all cameras to stop; [`wait`](Self::wait) then returns soon.
    pub(crate) fn stop_signal(&self) -> Arc<StopSignal> {
        Arc::clone(&self.stop)
    }

    /// Stops: every crossing that was seen is in the spool afterwards, and what the server took
    /// in time is sent.
    pub(crate) fn stop(mut self) {
        self.stop.set();
        self.wait();
        self.delivery.stop(STOP_WAIT);
    }
}

/// One process watches the cameras of a spool: two would count each vehicle twice.
fn lock(spool: &Path) -> anyhow::Result<File> {
    let mut path = spool.as_os_str().to_owned();
    path.push("-cameras");
    let path = PathBuf::from(path);
    let shown = path.display();
    let file = File::options().create(true).append(true).open(&path);
    let file = file.map_err(|fault| anyhow::anyhow!("cannot write {shown}: {fault}"))?;
    file.try_lock().map_err(|_| {
        anyhow::anyhow!(
            "another smartpark watches these cameras already (it holds {shown}); stop it first, \
             or every vehicle would be counted twice"
        )
    })?;
    Ok(file)
}

/// Watches one camera. Returns whether it went well; a live camera never fails.
fn run(camera: CameraPlan, stop: &StopSignal, sink: &delivery::Sink) -> bool {
    let id = camera.id.clone();
    let clock = Clock::system();
    let lines: Vec<String> = camera.watch.lines.iter().map(|line| line.id.clone()).collect();
    let events = camera.events;
    let live = LiveCamera {
        source: camera.source,
        capture: camera.capture,
        watch: camera.watch,
        speed: camera.speed,
        random,
    };
    let mut last_trouble = String::new();
    let shown = live.source.to_string();
    tracing::info!(camera = id, "watching {shown}");
    let ended = smartpark_vision::watch(live, stop, |report| match report {
        Report::Sighting { sighting, age } => {
            let now = clock.now();
            let at = now.checked_sub(seconds(age)).unwrap_or(now);
            match sighting {
                smartpark_vision::Sighting::Crossing { run, crossing, .. } => {
                    if let Some(crossing) = events.crossing(&id, &run, &crossing, at) {
                        sink.put(crossing);
                    }
                }
                smartpark_vision::Sighting::Change { line, change } => {
                    if change.state == State::Counting {
                        last_trouble.clear();
                    }
                    let line = (lines.len() > 1).then(|| lines[line].as_str());
                    told::state(&id, line, &change, at);
                }
            }
        }
        Report::Trouble { reason, wait } => {
            told::trouble(&id, &mut last_trouble, &reason, wait);
        }
        Report::Numbers(numbers) => told::numbers(&id, numbers),
    });
    match ended {
        Ok(numbers) => {
            tracing::info!(camera = id, frames = numbers.counted, "no longer watched");
            true
        }
        Err(Error::Stopped) => true,
        Err(error) => {
            tracing::error!(camera = id, "cannot be watched: {error}");
            false
        }
    }
}

/// A length of time from seconds.
fn seconds(seconds: f64) -> jiff::SignedDuration {
    jiff::SignedDuration::try_from_secs_f64(seconds).unwrap_or_default()
}

/// A random number from 0 to 1.
fn random() -> f64 {
    // Without randomness of the system all cameras wait for the same time: a pity, no more.
    getrandom::u32().map_or(0.5, |number| f64::from(number) / f64::from(u32::MAX))
}

/// The word of a type as devices say it.
fn word(vehicle_type: VehicleType) -> &'static str {
    match vehicle_type {
        VehicleType::Car => "car",
        VehicleType::Truck => "truck",
        VehicleType::Motorcycle => "motorcycle",
    }
}
