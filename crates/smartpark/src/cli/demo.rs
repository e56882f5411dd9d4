//! A film that comes with the program, counted as if it were a camera, with the page beside it.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
};

use smartpark_formats::config::Connections;
use tokio::net::TcpListener;

use super::{Outcome, output::note, signals::StopSignals};
use crate::{
    NewFloor, Options, SmartPark,
    cameras::{Cameras, Local, Plan},
    http::{self, HttpConfig},
};

/// A street from an upper window: see demo/README.md for its origin and licence.
const FILM: &[u8] = include_bytes!("../../demo/traffic.mp4");
/// The line and the size of a car on it, in pixels of the film.
const LINE: &str = "lines = [{ p1 = [165, 37], p2 = [165, 115], car_box = [30, 55] }]";
/// The floor: its name, its slots, and the vehicles on it at the beginning.
const FLOOR: (&str, i64, i64) = ("Level 1", 12, 6);

/// See a film being counted, with the page open
///
/// Plays a film of a street that comes with the program, again and again, and counts the cars in it
/// into a database that is thrown away at the end. Nothing is read or changed but that. Needs
/// ffmpeg. Ctrl-C stops it
///
/// Example:
///   smartpark demo
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Args {
    /// Where the page is; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8000")]
    listen: SocketAddr,
    /// How fast the film plays
    #[arg(long, value_name = "FACTOR", default_value = "1", value_parser = super::vision::speed)]
    speed: f64,
    /// Play the film only once, and end
    #[arg(long)]
    once: bool,
    /// Do not open the page in a browser
    #[arg(long)]
    no_browser: bool,
}

/// A folder that goes with everything in it.
struct Scratch(PathBuf);

impl Scratch {
    fn make() -> std::io::Result<Self> {
        let name = format!("smartpark-demo-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder)?;
        Ok(Self(folder))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed is in a folder for temporary files.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub(super) async fn run(args: Args) -> Outcome {
    let mut signals = StopSignals::catch()?;
    let scratch = Scratch::make()?;
    std::fs::write(scratch.0.join("traffic.mp4"), FILM)?;
    let connections = configuration(&scratch.0)?;
    let url = format!("sqlite://{}", scratch.0.join("demo.db").display());
    let park = SmartPark::open_with(&url, Options::default()).await?;
    let (name, slots, vehicles) = FLOOR;
    let floor = park.floors().add_floor(NewFloor::new(name, slots)).await?;
    park.floors().recount(floor.id, vehicles, "the demo begins", None).await?;

    let listener = TcpListener::bind(args.listen).await.map_err(|fault| {
        let address = args.listen;
        anyhow::anyhow!("cannot listen on {address}: {fault}; choose another with --listen")
    })?;
    let address = listener.local_addr()?;
    let config = HttpConfig {
        listen: args.listen,
        site_name: Some("Demo".to_owned()),
        ..HttpConfig::default()
    };
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let until = async {
        // A sender that is gone stops it too.
        let _ = stopped.await;
    };
    let served = tokio::spawn(http::serve(park.clone(), listener, config, until));
    let page = format!("http://{address}/");
    note(&format!("the page is at {page}; the first car comes after 4 seconds; Ctrl-C stops"));
    if !args.no_browser {
        open_browser(&page);
    }
    let is_good = play(&args, &connections, &park, &mut signals).await?;
    drop(stop);
    served.await??;
    park.close().await;
    Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What the configuration file would say.
fn configuration(folder: &Path) -> anyhow::Result<Connections> {
    let shown = folder.display();
    let text = format!(
        "[vision]\nspool = '{shown}/spool.db'\n[[camera]]\nid = 'street'\nfloor = '{}'\n\
         video = {{ source = '{shown}/traffic.mp4', {LINE} }}\n",
        FLOOR.0
    );
    Connections::parse(&text, &[]).map_err(|faults| {
        let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
        anyhow::anyhow!("the folder for temporary files has an odd name: {}", faults.join("; "))
    })
}

/// Plays the film until a signal comes. Returns whether it could be played.
async fn play(
    args: &Args,
    connections: &Connections,
    park: &SmartPark,
    signals: &mut StopSignals,
) -> anyhow::Result<bool> {
    loop {
        let mut plan = Plan::new(connections)?;
        plan.cameras.iter_mut().for_each(|camera| camera.speed = args.speed);
        let mut cameras = Cameras::start(plan, Local::new(park.clone()))?;
        let stop = cameras.stop_signal();
        let mut ended = tokio::task::spawn_blocking(move || {
            let is_good = cameras.wait();
            (cameras, is_good)
        });
        let (has_signal, (cameras, is_good)) = tokio::select! {
            ended = &mut ended => (false, ended?),
            _ = signals.wait() => {
                stop.set();
                (true, ended.await?)
            }
        };
        tokio::task::spawn_blocking(move || cameras.stop()).await?;
        if has_signal || args.once || !is_good {
            return Ok(is_good);
        }
    }
}

/// Opens the page, if there is a screen. The note has said where it is.
fn open_browser(page: &str) {
    let has = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let program = match std::env::consts::OS {
        "macos" => "open",
        "windows" => "explorer",
        _ if has("DISPLAY") || has("WAYLAND_DISPLAY") => "xdg-open",
        _ => return,
    };
    let quiet = Command::new(program).arg(page).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    if let Err(fault) = quiet {
        tracing::debug!("{program} does not start: {fault}");
    }
}
