//! The command that tells which camera errs.

use std::process::ExitCode;

use smartpark_formats::config::{Camera, Floor};

use super::{Context, Outcome, output::table};
use crate::{
    CameraJudgement, CameraLine, CameraQuality, FloorName, estimate::cameras::Verdict,
    http::camera_views::CameraQualityView, limits::DEFAULT_QUALITY_DAYS,
};

/// Tell which camera misses vehicles or counts them twice
///
/// Example:
///   smartpark cameras quality
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Args {
    #[command(subcommand)]
    command: CamerasCommand,
}

#[derive(Debug, clap::Subcommand)]
enum CamerasCommand {
    /// Judge the cameras by the balance of floors
    ///
    /// What comes onto a floor must leave it. A camera is named only if it errs with a probability
    /// above 0.9. "one of" means that one of these cameras errs, and the balance cannot tell which
    ///
    /// Example:
    ///   smartpark cameras quality --days 56
    #[command(verbatim_doc_comment)]
    Quality(QualityArgs),
}

#[derive(Debug, clap::Args)]
struct QualityArgs {
    /// How many days before the last quiet hour to look at, 1 to 84
    #[arg(long, default_value_t = DEFAULT_QUALITY_DAYS)]
    days: u32,
}

pub(super) async fn run(args: Args, context: &Context) -> Outcome {
    let CamerasCommand::Quality(args) = args.command;
    let park = context.connect().await?;
    let told = park.estimates().get_camera_quality(args.days).await?;
    context.out.print(&CameraQualityView::new(&told), || text(&told))?;
    park.close().await;
    Ok(ExitCode::SUCCESS)
}

/// Where a camera of the configuration is.
pub(super) fn line(camera: &Camera) -> CameraLine {
    let named = |floor: &Floor| match floor {
        Floor::Id(id) => FloorName::Id(*id),
        Floor::Name(name) => FloorName::Name(name.clone()),
    };
    CameraLine {
        camera_id: camera.id.clone(),
        floor: named(&camera.floor),
        from: camera.from.as_ref().map(named),
        twin_of: camera.twin_of.clone(),
    }
}

fn text(told: &CameraQuality) -> String {
    if told.cameras.is_empty() {
        return "No camera sent an event in these days".to_owned();
    }
    let row = |camera: &CameraJudgement| {
        let judged = &camera.judged;
        let what = match judged.verdict {
            Verdict::Named => judged.words(),
            Verdict::OneOf if camera.one_of.is_empty() => "may err".to_owned(),
            Verdict::OneOf => format!("one of these errs: this, {}", camera.one_of.join(", ")),
            Verdict::Fine => "fine".to_owned(),
            Verdict::Unknown => "too little is known".to_owned(),
        };
        let twin = camera.twin.as_ref().map_or_else(String::new, |(of, miss)| {
            format!("{:.1} % of what {of} sees", miss.share * 100.0)
        });
        [
            judged.camera_id.clone(),
            judged.entries.to_string(),
            judged.exits.to_string(),
            format!("{:.0} %", judged.probability * 100.0),
            what,
            twin,
        ]
    };
    let titles = ["Camera", ">Entries", ">Exits", ">Errs", "What is known", "Misses"];
    table(&titles, told.cameras.iter().map(row))
}
