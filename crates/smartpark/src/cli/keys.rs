//! The commands on API keys: add, list, rotate, revoke.

use std::process::ExitCode;

use clap::Subcommand;
use serde::Serialize;

use super::{
    Context, Outcome,
    floors::find,
    output::{note, table},
};
use crate::{ApiKey, IssuedKey, NewKey, Role, SmartPark, limits::KEYS_MAX_AGE};

/// Make the keys that a server asks for, list them, replace or end them
///
/// As soon as there is one key, a server asks everybody for one. A key is shown once, when it is
/// made: the database keeps only what it can be recognised by
///
/// Examples:
///   smartpark key add "front desk" --role admin
///   smartpark key add "north gate" --role camera --camera cam_001 --floor "Ground Floor"
///   smartpark key list
///   smartpark key revoke "north gate"
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Args {
    #[command(subcommand)]
    command: KeyCommand,
}

#[derive(Debug, Subcommand)]
enum KeyCommand {
    /// Make a key, and print it
    ///
    /// Only the key goes to standard output. Send it as `Authorization: Bearer KEY` or as
    /// `X-API-Key: KEY`. Servers take it within five seconds
    ///
    /// Example:
    ///   smartpark key add "north gate" --role camera --camera cam_001 --floor 1 > north-gate.key
    #[command(verbatim_doc_comment)]
    Add(AddArgs),
    /// List the keys that hold
    ///
    /// Example:
    ///   smartpark key list --all
    #[command(verbatim_doc_comment)]
    List {
        /// List the revoked ones, too
        #[arg(long)]
        all: bool,
    },
    /// Give a key a new secret, and print it
    ///
    /// The old one ends on every server within five seconds, with the sessions begun with it. To
    /// change over without a break, add a second key and revoke the first one later
    ///
    /// Example:
    ///   smartpark key rotate "north gate"
    #[command(verbatim_doc_comment)]
    Rotate {
        /// The key's name, or what it begins with
        key: String,
    },
    /// End a key
    ///
    /// It ends on every server within five seconds, with the sessions and live streams begun with
    /// it within ten. A server that had a key goes on asking for one, also where none is left
    ///
    /// Example:
    ///   smartpark key revoke sp_1a2b3c4d
    #[command(verbatim_doc_comment)]
    Revoke {
        /// The key's name, or what it begins with
        key: String,
    },
}

#[derive(Debug, clap::Args)]
struct AddArgs {
    /// Its name, 1 to 100 characters: it is kept with the recounts that are made with it
    name: String,
    /// What its holder may do: viewer (read), camera (post events), admin (all)
    #[arg(long, value_parser = super::words::role())]
    role: Role,
    /// A camera that it may speak for; may be repeated [default: all]
    #[arg(long, value_name = "ID")]
    camera: Vec<String>,
    /// A floor that it may speak for, by its id or name; may be repeated [default: all]
    #[arg(long, allow_hyphen_values = true)]
    floor: Vec<String>,
}

#[derive(Serialize)]
struct IssuedView<'a> {
    #[serde(flatten)]
    known: &'a ApiKey,
    key: &'a str,
}

#[derive(Serialize)]
struct KeysView<'a> {
    keys: &'a [ApiKey],
}

pub(super) async fn run(args: Args, context: &Context) -> Outcome {
    let park = context.connect().await?;
    match args.command {
        KeyCommand::Add(args) => add(args, &park, context).await?,
        KeyCommand::List { all } => list(all, &park, context).await?,
        KeyCommand::Rotate { key } => {
            let issued = park.keys().rotate_key(&key).await.map_err(unknown)?;
            show(&issued, context)?;
        }
        KeyCommand::Revoke { key } => {
            let revoked = park.keys().revoke_key(&key).await.map_err(unknown)?;
            let view = serde_json::json!({ "revoked": &revoked });
            context.out.print(&view, || {
                format!("revoked {} ({})\n{}", revoked.name, revoked.prefix, within())
            })?;
        }
    }
    park.close().await;
    Ok(ExitCode::SUCCESS)
}

async fn add(args: AddArgs, park: &SmartPark, context: &Context) -> anyhow::Result<()> {
    let mut floors = Vec::with_capacity(args.floor.len());
    for named in &args.floor {
        floors.push(find(park, named).await?.id);
    }
    let new = NewKey { cameras: args.camera, floors, ..NewKey::new(args.name, args.role) };
    show(&park.keys().add_key(new).await?, context)
}

/// Prints a key, this once: alone, so that a script can take it as it is.
fn show(issued: &IssuedKey, context: &Context) -> anyhow::Result<()> {
    let IssuedKey { key, secret } = issued;
    let view = IssuedView { known: key, key: secret.expose() };
    context.out.print(&view, || secret.expose().to_owned())?;
    if !context.out.json {
        let role = key.role.as_str();
        note(&format!("This is the {role} key {}. It is not shown again.\n{}", key.name, within()));
    }
    Ok(())
}

fn within() -> String {
    format!("Servers know within {} seconds.", KEYS_MAX_AGE.as_secs())
}

async fn list(all: bool, park: &SmartPark, context: &Context) -> anyhow::Result<()> {
    let mut keys = park.keys().get_all_keys().await?;
    keys.retain(|key| all || key.revoked_at.is_none());
    context.out.print(&KeysView { keys: &keys }, || {
        if keys.is_empty() {
            "There is no key: smartpark key add NAME --role ROLE".to_owned()
        } else {
            keys_table(&keys)
        }
    })
}

fn keys_table(keys: &[ApiKey]) -> String {
    let bound = |items: Vec<String>| {
        if items.is_empty() { "all".to_owned() } else { items.join("\n") }
    };
    table(
        &["Name", "Role", "Begins with", "Cameras", "Floors", "Since", "Revoked"],
        keys.iter().map(|key| {
            [
                key.name.clone(),
                key.role.as_str().to_owned(),
                key.prefix.clone(),
                bound(key.cameras.clone()),
                bound(key.floors.iter().map(ToString::to_string).collect()),
                key.rotated_at.unwrap_or(key.created_at).to_string(),
                key.revoked_at.map_or_else(String::new, |at| at.to_string()),
            ]
        }),
    )
}

/// What to do where no key is found.
fn unknown(fault: crate::Error) -> anyhow::Error {
    match fault {
        crate::Error::NotFound(_) => {
            anyhow::anyhow!("no key that holds has this name; `smartpark key list` lists them")
        }
        other => other.into(),
    }
}
