//! Cameras of the configuration: watch them, play films as if they were cameras, look at each.

use std::{path::PathBuf, process::ExitCode};

use serde::Serialize;
use smartpark_client::{Http, ServerConfig};
use smartpark_formats::config::Connections;
use smartpark_vision::check;

use super::super::{Context, Outcome, Usage, output::table, signals::StopSignals};
use crate::cameras::{CameraPlan, Cameras, Plan};

/// How long `check` looks at each source, in seconds.
const LOOK_SECONDS: f64 = 5.0;

#[derive(Debug, clap::Args)]
pub(super) struct PlayArgs {
    /// How fast the films play: 1 is their own speed
    #[arg(long, value_name = "FACTOR", default_value = "1", value_parser = speed)]
    speed: f64,
}

/// How fast a film plays.
pub(in crate::cli) fn speed(text: &str) -> Result<f64, String> {
    let speed = text.parse().ok().filter(|speed| (0.1..=100.0).contains(speed));
    speed.ok_or_else(|| "must be a number from 0.1 to 100".to_owned())
}

/// The tables of the configuration file, which must exist, and its cameras with `video`.
pub(super) fn plan(context: &Context) -> anyhow::Result<(Connections, Plan)> {
    let connections = context.connections()?.ok_or_else(|| {
        Usage("there is no smartpark.toml here; name the configuration with --config".to_owned())
    })?;
    let plan = Plan::new(&connections)?;
    anyhow::ensure!(!plan.cameras.is_empty(), "the configuration has no [[camera]] with video");
    Ok((connections, plan))
}

/// Watches the cameras until a signal comes.
pub(super) async fn run(context: &Context) -> Outcome {
    let (connections, plan) = plan(context)?;
    deliver(&connections, plan.only(false)?).await
}

/// Plays the films once.
pub(super) async fn play(args: PlayArgs, context: &Context) -> Outcome {
    let (connections, plan) = plan(context)?;
    let mut plan = plan.only(true)?;
    plan.cameras.iter_mut().for_each(|camera| camera.speed = args.speed);
    deliver(&connections, plan).await
}

async fn deliver(connections: &Connections, plan: Plan) -> Outcome {
    let server = connections.server.as_ref().ok_or_else(|| {
        anyhow::anyhow!(
            "the configuration has no [server]: write url = \"https://…\" there, the address of \
             the server that takes the crossings; cameras beside a server are watched by \
             `smartpark serve` itself"
        )
    })?;
    let server = ServerConfig {
        url: server.url.clone(),
        key: None,
        key_file: server.key_file.clone().map(PathBuf::from),
        ca_file: server.ca_file.clone().map(PathBuf::from),
    };
    let mut signals = StopSignals::catch()?;
    let mut cameras = Cameras::start(plan, Http::new(server)?)?;
    let stop = cameras.stop_signal();
    let mut ended = tokio::task::spawn_blocking(move || {
        let is_good = cameras.wait();
        (cameras, is_good)
    });
    let (cameras, is_good) = tokio::select! {
        ended = &mut ended => ended?,
        signal = signals.wait() => {
            tracing::info!("{signal}: stopping");
            stop.set();
            ended.await?
        }
    };
    tokio::task::spawn_blocking(move || cameras.stop()).await?;
    tracing::info!("stopped");
    Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What came from a source, as programs read it.
#[derive(Serialize)]
struct Looked {
    camera: String,
    source: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    width: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    height: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fps: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_frame_s: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    longest_gap_s: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    brightness: Option<f64>,
}

/// Opens each source for some seconds and says what comes.
pub(super) fn check_all(context: &Context) -> Outcome {
    let (_, plan) = plan(context)?;
    let looked: Vec<Looked> = plan.cameras.iter().map(look).collect();
    context.out.print(&looked, || {
        let row = |it: &Looked| {
            let number =
                |number: Option<f64>| number.map_or(String::new(), |it| format!("{it:.1}"));
            let size = it.width.zip(it.height).map_or(String::new(), |(w, h)| format!("{w}x{h}"));
            let told = it.error.clone().unwrap_or_else(|| "good".to_owned());
            let (first, gap) = (number(it.first_frame_s), number(it.longest_gap_s));
            let (fps, brightness) = (number(it.fps), number(it.brightness));
            vec![it.camera.clone(), size, fps, first, gap, brightness, told]
        };
        let head =
            ["camera", "picture", "frames/s", "first after s", "gap s", "brightness", "found"];
        table(&head, looked.iter().map(row))
    })?;
    let is_good = looked.iter().all(|it| it.error.is_none());
    Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn look(camera: &CameraPlan) -> Looked {
    let (id, source) = (camera.id.clone(), camera.source.to_string());
    let empty = Looked {
        camera: id,
        source,
        error: None,
        width: None,
        height: None,
        fps: None,
        first_frame_s: None,
        longest_gap_s: None,
        brightness: None,
    };
    match check(&camera.source, &camera.capture, LOOK_SECONDS) {
        Err(error) => Looked { error: Some(error.to_string()), ..empty },
        Ok(report) => {
            let (width, height) = report.size;
            let mut lines = camera.watch.lines.iter();
            let fault = lines.find_map(|line| line.check(width, height).err());
            Looked {
                error: fault.map(|fault| fault.to_string()),
                width: Some(width),
                height: Some(height),
                fps: Some(report.fps),
                first_frame_s: Some(report.first_frame_s),
                longest_gap_s: Some(report.longest_gap_s),
                brightness: Some(report.brightness),
                ..empty
            }
        }
    }
}
