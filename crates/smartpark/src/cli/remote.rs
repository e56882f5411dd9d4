//! A running server, reached over HTTP by the client's transport.

pub(super) mod pace;
mod summary;

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use serde::Deserialize;
use smartpark_client::{Http, Request, ServerConfig, Transport, sender::Answer};

use super::{Usage, output::note};
pub(super) use summary::{FloorLine, Summary};

/// The server where none is named: the one that `serve` starts.
const DEFAULT_SERVER: &str = "http://127.0.0.1:8000";

/// Which server, and how to get in.
#[derive(Debug, clap::Args)]
pub(super) struct ServerArgs {
    /// The address of the server
    #[arg(long, value_name = "URL", default_value = DEFAULT_SERVER)]
    server: String,
    /// The file that holds the API key [default: the key in SMARTPARK_KEY, if it is set]
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// The certificates (PEM) to trust instead of those of the system
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
}

/// A floor, as the server describes it.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct RemoteFloor {
    pub(super) id: i64,
    pub(super) name: String,
    pub(super) total_slots: u32,
    pub(super) current_vehicles: i64,
    pub(super) is_active: bool,
}

#[derive(Deserialize)]
struct FloorList {
    floors: Vec<RemoteFloor>,
}

/// What a problem document says to a person.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Detail {
    title: String,
    detail: String,
}

/// Asks one server, one request at a time.
pub(super) struct Remote {
    http: Arc<Mutex<Http>>,
    pub(super) url: String,
}

impl Remote {
    /// Prepares to ask. Does not connect yet.
    pub(super) fn new(args: ServerArgs) -> anyhow::Result<Self> {
        let key = std::env::var("SMARTPARK_KEY").ok().filter(|key| !key.is_empty());
        let config = ServerConfig {
            url: args.server.clone(),
            key,
            key_file: args.key_file,
            ca_file: args.ca_file,
        };
        let http = Http::new(config).map_err(|fault| Usage(fault.to_string()))?;
        Ok(Self { http: Arc::new(Mutex::new(http)), url: args.server })
    }

    /// Sends a request in a thread of its own and waits for the answer.
    async fn ask(&self, request: Request) -> anyhow::Result<Answer> {
        let http = Arc::clone(&self.http);
        let send = move || http.lock().unwrap_or_else(PoisonError::into_inner).send(&request);
        Ok(tokio::task::spawn_blocking(send).await?)
    }

    /// All floors of the server by their ids, those that are not active included.
    pub(super) async fn floors(&self) -> anyhow::Result<Vec<RemoteFloor>> {
        let path = "/floors?include_inactive=true".to_owned();
        let answer = self.ask(Request { path, body: None, is_backlog: false }).await?;
        let (status, body) = match answer {
            Answer::None { reason, .. } => anyhow::bail!(
                "{reason}; start a server with `smartpark serve`, or name another one with --server"
            ),
            Answer::Response { status, body, .. } => (status, body),
        };
        if status != 200 {
            return Err(self.refused(status, &body));
        }
        let list: FloorList = serde_json::from_slice(&body).map_err(|_| {
            anyhow::anyhow!("{} is no SmartPark server; check the address", self.url)
        })?;
        let mut floors = list.floors;
        floors.sort_by_key(|floor| floor.id);
        Ok(floors)
    }

    /// The floors again in the end. If the server went away there are none, and a note says why.
    pub(super) async fn floors_after(&self) -> Vec<RemoteFloor> {
        self.floors().await.unwrap_or_else(|fault| {
            note(&format!("error: the floors cannot be read again: {fault:#}"));
            Vec::new()
        })
    }

    fn refused(&self, status: u16, body: &[u8]) -> anyhow::Error {
        let told: Detail = serde_json::from_slice(body).unwrap_or_default();
        let told = [told.detail, told.title].into_iter().find(|text| !text.is_empty());
        let told = told.map_or_else(String::new, |text| format!(": {text}"));
        let advice = match status {
            401 | 403 => "; give an operator's key with --key-file or in SMARTPARK_KEY",
            _ => "",
        };
        anyhow::anyhow!("the server at {} answered {status}{told}{advice}", self.url)
    }
}
