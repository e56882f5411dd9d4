//! Webhooks: how they stand, a test, and telling again.

use std::process::ExitCode;

use clap::Subcommand;
use serde::Serialize;
use serde_json::json;
use smartpark_bridge::{WebhookState, replay_webhook, test_webhook, webhook_state};
use smartpark_exchange::Sites;
use smartpark_formats::{
    config::{Connections, Webhook},
    feed::WebhookSecret,
};

use super::{Context, Outcome, Usage, output::table, serve::bridge::secrets};
use crate::{Position, Timestamp};

/// Show, test and replay webhooks
///
/// A webhook is a table [[webhook]] of smartpark.toml: a receiver that the server tells when floors
/// fill and cameras fall silent
///
/// Examples:
///   smartpark webhooks list
///   smartpark webhooks secret > ops.whsec
///   smartpark webhooks test ops.example
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Args {
    #[command(subcommand)]
    command: WebhooksCommand,
}

#[derive(Debug, Subcommand)]
enum WebhooksCommand {
    /// Show each webhook: its position, and whether its receiver takes messages
    List,
    /// Print a new secret, for the file that secret_file names
    ///
    /// To change a secret without losing a message put the new one on the line above the old one
    /// and restart the server: both sign. Give the receiver the new one, then take the old one out
    ///
    /// Example:
    ///   smartpark webhooks secret > ops.whsec
    #[command(verbatim_doc_comment)]
    Secret,
    /// Send a message of type webhook.test now, and say how the receiver answered
    ///
    /// Example:
    ///   smartpark webhooks test ops.example
    #[command(verbatim_doc_comment)]
    Test {
        /// The name of the webhook
        name: String,
    },
    /// Tell a receiver again what happened, from a position on
    ///
    /// Messages that it got before have the same webhook-id again. Without --from it goes on where
    /// it stands: at once if it waits, and also after the receiver has switched it off by 410. A
    /// running server begins within seconds
    ///
    /// Examples:
    ///   smartpark webhooks replay ops.example --from 1001.0
    ///   smartpark webhooks replay ops.example
    #[command(verbatim_doc_comment)]
    Replay {
        /// The name of the webhook
        name: String,
        /// An earlier position: data.position of a message, or one that `list` showed
        #[arg(long, value_name = "POSITION")]
        from: Option<String>,
    },
}

/// A webhook, as programs read it.
#[derive(Serialize)]
struct View {
    name: String,
    events: Vec<String>,
    state: &'static str,
    position: Option<String>,
    failures: u32,
    failing_since: Option<Timestamp>,
    next_attempt: Option<Timestamp>,
    why: Option<String>,
    last_taken: Option<Timestamp>,
    given_up: u64,
}

pub(super) async fn run(args: Args, context: &Context) -> Outcome {
    match args.command {
        WebhooksCommand::Secret => secret(context),
        WebhooksCommand::List => list(context).await,
        WebhooksCommand::Test { name } => test(&name, context).await,
        WebhooksCommand::Replay { name, from } => replay(&name, from.as_deref(), context).await,
    }
}

fn secret(context: &Context) -> Outcome {
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(|fault| anyhow::anyhow!("no random numbers: {fault}"))?;
    let secret = WebhookSecret::written(&key);
    context.out.print(&json!({ "secret": secret }), || secret.clone())?;
    Ok(ExitCode::SUCCESS)
}

async fn list(context: &Context) -> Outcome {
    let connections = context.connections()?.unwrap_or_default();
    let park = context.connect().await?;
    let mut views = Vec::new();
    for webhook in &connections.webhooks {
        views.push(view(webhook, webhook_state(&park, &webhook.name).await?));
    }
    park.close().await;
    context.out.print(&json!({ "webhooks": views }), || text(&views))?;
    Ok(ExitCode::SUCCESS)
}

async fn test(name: &str, context: &Context) -> Outcome {
    let connections = context.connections()?.unwrap_or_default();
    let webhook = find(&connections, name)?.clone();
    let secrets = secrets(&webhook, context.config.as_deref())?;
    let park = context.connect().await?;
    let sites = Sites::new(park.clone(), std::sync::Arc::new(connections), None);
    let tested = test_webhook(sites.id(), &webhook, &secrets, park.now()).await;
    park.close().await;
    let (is_taken, why) = (tested.is_ok(), tested.err());
    context.out.print(
        &json!({ "webhook": name, "taken": is_taken, "why": why }),
        || match &why {
            None => format!("{name} took the message"),
            Some(why) => format!("{name} did not take the message: {why}"),
        },
    )?;
    Ok(if is_taken { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn replay(name: &str, from: Option<&str>, context: &Context) -> Outcome {
    let connections = context.connections()?.unwrap_or_default();
    find(&connections, name)?;
    let read = |text: &str| {
        let told = || Usage("--from must be a position such as 1001.0".to_owned());
        text.parse::<Position>().map_err(|_| told())
    };
    let from = from.map(read).transpose()?;
    let park = context.connect().await?;
    let position = replay_webhook(&park, name, from).await?.to_string();
    park.close().await;
    context.out.print(&json!({ "webhook": name, "position": position }), || {
        format!("{name} tells what was recorded after {position}")
    })?;
    Ok(ExitCode::SUCCESS)
}

fn find<'a>(connections: &'a Connections, name: &str) -> Result<&'a Webhook, Usage> {
    let found = connections.webhooks.iter().find(|webhook| webhook.name == name);
    found.ok_or_else(|| {
        let known: Vec<&str> = connections.webhooks.iter().map(|it| it.name.as_str()).collect();
        Usage(format!("there is no webhook {name}; there are: {}", known.join(", ")))
    })
}

fn view(webhook: &Webhook, state: Option<WebhookState>) -> View {
    let word = match &state {
        None => "new",
        Some(state) if state.is_off => "off",
        Some(state) if state.failures > 0 => "failing",
        Some(_) => "ok",
    };
    let times = |of: fn(&WebhookState) -> Option<Timestamp>| state.as_ref().and_then(of);
    View {
        name: webhook.name.clone(),
        events: webhook.events.clone(),
        state: word,
        position: state.as_ref().map(|state| state.position.to_string()),
        failures: state.as_ref().map_or(0, |state| state.failures),
        failing_since: times(|state| state.failing_since),
        next_attempt: times(|state| state.next_at),
        last_taken: times(|state| state.taken_at),
        given_up: state.as_ref().map_or(0, |state| state.given_up),
        why: state.and_then(|state| state.why),
    }
}

fn text(views: &[View]) -> String {
    if views.is_empty() {
        return "There are no webhooks: [[webhook]] in smartpark.toml makes one".to_owned();
    }
    let row = |view: &View| {
        let time = |at: Option<Timestamp>| at.map(|at| at.to_string()).unwrap_or_default();
        [
            view.name.clone(),
            view.state.to_owned(),
            view.position.clone().unwrap_or_default(),
            time(view.last_taken),
            time(view.next_attempt),
            view.given_up.to_string(),
            view.why.clone().unwrap_or_default(),
        ]
    };
    let titles = ["Webhook", "State", "Position", "Last taken", "Next try", ">Given up", "Why"];
    table(&titles, views.iter().map(row))
}
