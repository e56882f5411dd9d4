//! What is known of the car park: its name, its time zone, and what feeds tell of it.

use std::{path::PathBuf, process::ExitCode};

use serde_json::{Map, Value};

use super::{Context, Outcome, Usage, output::table};
use crate::{SiteRecord, config::ConfigFile};

/// Show or set what is known of the car park
///
/// Its time zone decides when days, weeks and months begin, and in what time tables show events.
/// The table [site] of smartpark.toml is read once, when the database is created; after that only
/// `sites set` changes the site
///
/// Examples:
///   smartpark sites
///   smartpark sites set name="North Garage" time_zone=Europe/Berlin
///   smartpark sites set --from /etc/smartpark.toml
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Option<SitesCommand>,
}

#[derive(Debug, clap::Subcommand)]
enum SitesCommand {
    /// Show what is known
    List,
    /// Change it
    ///
    /// The members are slug, name, time_zone, latitude, longitude, address, operator, website,
    /// opening_hours, kind (garage, underground, lot, street), language, max_height_cm,
    /// reserved_slots and licence. An empty value takes an optional one out
    ///
    /// Example:
    ///   smartpark sites set time_zone=Europe/Berlin operator=
    #[command(verbatim_doc_comment)]
    Set(SetArgs),
}

#[derive(Debug, clap::Args)]
struct SetArgs {
    /// Take the table [site] of this configuration file
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
    /// What is to change
    #[arg(value_name = "MEMBER=VALUE")]
    members: Vec<String>,
}

pub(super) async fn run(args: Args, context: &Context) -> Outcome {
    let park = context.connect().await?;
    let site = match args.command {
        None | Some(SitesCommand::List) => park.site().await?,
        Some(SitesCommand::Set(args)) => park.change_site(&patch(&args)?).await?,
    };
    context.out.print(&serde_json::json!({ "sites": [site] }), || text(&site))?;
    park.close().await;
    Ok(ExitCode::SUCCESS)
}

fn patch(args: &SetArgs) -> anyhow::Result<Map<String, Value>> {
    let mut patch = Map::new();
    if let Some(path) = &args.from {
        let file = ConfigFile::read(Some(path))?;
        let site = file.map(|file| file.site()).transpose()?.flatten();
        let told = || Usage(format!("{} has no table [site]", path.display()));
        patch = site.ok_or_else(told)?;
    }
    for member in &args.members {
        let told = || Usage("must be MEMBER=VALUE, for example name=\"North Garage\"".to_owned());
        let (name, value) = member.split_once('=').ok_or_else(told)?;
        patch.insert(name.trim().to_owned(), value_of(name.trim(), value));
    }
    if patch.is_empty() {
        let told = "nothing to change: give MEMBER=VALUE or --from FILE";
        return Err(Usage(told.to_owned()).into());
    }
    Ok(patch)
}

/// A value as the site takes it: a number for members that are numbers.
fn value_of(name: &str, text: &str) -> Value {
    const NUMBERS: [&str; 4] = ["latitude", "longitude", "max_height_cm", "reserved_slots"];
    if text.is_empty() {
        return Value::Null;
    }
    let number = serde_json::from_str(text).ok().filter(Value::is_number);
    number.filter(|_| NUMBERS.contains(&name)).unwrap_or_else(|| Value::String(text.to_owned()))
}

fn text(site: &SiteRecord) -> String {
    let value = serde_json::to_value(site).unwrap_or_default();
    let members = value.as_object().cloned().unwrap_or_default();
    let known = members.into_iter().filter(|(_, value)| !value.is_null());
    table(&["Member", "Value"], known.map(|(name, value)| [name, shown(&value)]))
}

fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
