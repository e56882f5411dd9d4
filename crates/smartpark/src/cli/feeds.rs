//! The check of what feeds tell others.

use std::{process::ExitCode, sync::Arc};

use clap::Subcommand;
use serde::Serialize;
use smartpark_exchange::Sites;
use smartpark_formats::{
    config::Connections,
    feed::{self, Lack, NgsiForm, SiteView},
};

use super::{Context, Outcome, Usage, config_check::listed, output::table};
use crate::{Timestamp, config::ConfigFile};

/// Check what cities, maps and journey planners read
///
/// Example:
///   smartpark feeds check
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Args {
    #[command(subcommand)]
    command: FeedsCommand,
}

#[derive(Debug, Subcommand)]
enum FeedsCommand {
    /// Write each feed as a reader would get it now, and name what readers will miss
    ///
    /// Reads the configuration file and the database, and sends nothing. Exits with 1 if a feed
    /// leaves the site out or a reader will miss something
    ///
    /// Examples:
    ///   smartpark feeds check
    ///   smartpark feeds check --json
    #[command(verbatim_doc_comment)]
    Check,
}

/// What a check found, as programs read it.
#[derive(Serialize)]
struct Checked {
    feeds: Vec<FeedView>,
    missing: Vec<MissingView>,
}

/// A feed.
#[derive(Serialize)]
struct FeedView {
    feed: &'static str,
    /// Whether the site stands in it.
    shows_site: bool,
    bytes: usize,
}

/// Something that readers will miss.
#[derive(Serialize)]
struct MissingView {
    what: &'static str,
    consequence: &'static str,
}

pub(super) async fn run(args: Args, context: &Context) -> Outcome {
    let FeedsCommand::Check = args.command;
    let connections = match ConfigFile::read(context.config.as_deref())? {
        Some(file) => file.connections().map_err(|faults| Usage(listed(&file.path, &faults)))?,
        None => Connections::default(),
    };
    let park = context.connect().await?;
    let levels = connections.feeds.levels;
    let name = context.settings.site_name.as_deref();
    let sites = Sites::new(park.clone(), Arc::new(connections), name).views().await?;
    let checked = checked(&sites, levels, park.now());
    park.close().await;
    context.out.print(&checked, || checked.text())?;
    let is_whole = checked.missing.is_empty() && checked.feeds.iter().all(|feed| feed.shows_site);
    Ok(if is_whole { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn checked(sites: &[SiteView], levels: bool, now: Timestamp) -> Checked {
    let documents = [
        ("datex2-light", feed::datex2_light(sites, levels, now)),
        ("parkapi-v1", sites.iter().flat_map(|site| feed::parkapi_v1_city(site, now)).collect()),
        ("parkapi-v3", feed::parkapi_v3(sites)),
        ("siri-fm", feed::siri_fm(sites, now)),
        ("ngsi-ld", feed::ngsi(sites, NgsiForm::Normalized)),
        ("ngsi-v2", feed::ngsi(sites, NgsiForm::V2)),
        ("geojson", feed::geojson(sites)),
    ];
    let names: Vec<&str> = sites
        .iter()
        .flat_map(|site| [Some(site.id.as_str()), site.facility_ref.as_deref()])
        .flatten()
        .collect();
    let view = |(feed, bytes): (&'static str, Vec<u8>)| {
        let text = String::from_utf8_lossy(&bytes);
        let shows_site = names.iter().any(|name| text.contains(name));
        FeedView { feed, shows_site, bytes: bytes.len() }
    };
    let missing = |Lack { what, consequence, .. }: Lack| MissingView { what, consequence };
    Checked {
        feeds: documents.into_iter().map(view).collect(),
        missing: feed::lacks(sites).into_iter().map(missing).collect(),
    }
}

impl Checked {
    fn text(&self) -> String {
        let feed = |feed: &FeedView| {
            let shows = if feed.shows_site { "shows the site" } else { "leaves the site out" };
            [feed.feed.to_owned(), shows.to_owned(), feed.bytes.to_string()]
        };
        let feeds = table(&["Feed", "Now", "Bytes"], self.feeds.iter().map(feed));
        if self.missing.is_empty() {
            return format!("{feeds}\nReaders miss nothing");
        }
        let missing = |it: &MissingView| [it.what.to_owned(), it.consequence.to_owned()];
        let missing = table(&["Missing", "What follows"], self.missing.iter().map(missing));
        format!("{feeds}\n{missing}")
    }
}
