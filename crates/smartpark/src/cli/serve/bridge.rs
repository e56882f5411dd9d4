//! What connects the server with devices and other systems: the tables of the configuration file,
//! and the tasks that run beside the server.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Context as _;
use smartpark_bridge::{MqttBridge, PushTask, StreamTask, WebhookTask};
use smartpark_exchange::{Inputs, Signs, Sites};
use smartpark_formats::{
    config::{Camera, Connections, Floor, Input, Push, PushTarget, Webhook},
    feed::WebhookSecret,
};
use tokio::{sync::watch, task::JoinHandle, time::interval};

use crate::{
    SmartPark,
    cli::{Usage, config_check::listed},
    config::{ConfigFile, DEFAULT_FILE},
    limits::FORGET_STATES_INTERVAL,
};

/// The tables of the configuration file that connect other systems; none without a file.
pub(super) fn connections(named: Option<&Path>) -> anyhow::Result<Connections> {
    let Some(file) = ConfigFile::read(named)? else { return Ok(Connections::default()) };
    let connections = file.connections();
    connections.map_err(|faults| Usage(listed(&file.path, &faults)).into())
}

/// Passwords that the tasks need, from the files that the configuration names.
pub(super) struct Passwords {
    broker: Option<String>,
    /// Of each push in its turn.
    pushes: Vec<Option<String>>,
    /// Of each camera in its turn.
    cameras: Vec<Option<String>>,
    /// Of each webhook in its turn.
    webhooks: Vec<Vec<WebhookSecret>>,
}

/// The path of a file that the configuration names: one that is not absolute begins at the folder
/// of the configuration file.
fn path_of(file: &str, named: Option<&Path>) -> PathBuf {
    named.unwrap_or(Path::new(DEFAULT_FILE)).parent().unwrap_or(Path::new("")).join(file)
}

/// The secrets of a webhook.
///
/// # Errors
/// Names the file that cannot be read or holds no secret.
pub(in crate::cli) fn secrets(
    webhook: &Webhook,
    named: Option<&Path>,
) -> anyhow::Result<Vec<WebhookSecret>> {
    let path = path_of(&webhook.secret_file, named);
    let text = std::fs::read_to_string(&path)
        .with_context(|| format!("the secret {} cannot be read", path.display()))?;
    WebhookSecret::parse_file(&text).map_err(|fault| {
        Usage(format!("webhook {}: {}: {fault}", webhook.name, path.display())).into()
    })
}

impl Passwords {
    /// Reads the files. A path that is not absolute begins at the folder of the configuration file.
    ///
    /// # Errors
    /// Names the file that cannot be read.
    pub(super) fn read(connections: &Connections, named: Option<&Path>) -> anyhow::Result<Self> {
        let read = |file: Option<&str>| {
            let Some(path) = file.map(|file| path_of(file, named)) else { return Ok(None) };
            let text = std::fs::read_to_string(&path);
            let text =
                text.with_context(|| format!("the password {} cannot be read", path.display()))?;
            anyhow::Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned()))
        };
        let of_push = |push: &Push| match &push.target {
            PushTarget::ParkApiV3 { password_file, .. } => read(Some(password_file)),
            PushTarget::NgsiLd { .. } | PushTarget::NgsiV2 { .. } => Ok(None),
        };
        let of_camera = |camera: &Camera| match &camera.input {
            Input::Dahua(dahua) => read(dahua.access.password_file.as_deref()),
            _ => Ok(None),
        };
        let mqtt = connections.mqtt.as_ref();
        Ok(Self {
            broker: read(mqtt.and_then(|mqtt| mqtt.password_file.as_deref()))?,
            cameras: connections.cameras.iter().map(of_camera).collect::<anyhow::Result<_>>()?,
            pushes: connections.pushes.iter().map(of_push).collect::<anyhow::Result<_>>()?,
            webhooks: connections
                .webhooks
                .iter()
                .map(|webhook| secrets(webhook, named))
                .collect::<anyhow::Result<_>>()?,
        })
    }
}

/// Refuses to start with a camera or a webhook whose floor does not exist: none of the camera's
/// vehicles would count, and the webhook would tell nothing.
pub(super) async fn require_floors(
    park: &SmartPark,
    connections: &Connections,
) -> anyhow::Result<()> {
    let floors = park.floors().get_all_floors().await?;
    let is_known = |named: &&Floor| match named {
        Floor::Id(id) => floors.iter().any(|floor| floor.id == *id),
        Floor::Name(name) => floors.iter().any(|floor| floor.name == *name),
    };
    let mut faults = Vec::new();
    for camera in &connections.cameras {
        let named = [Some(&camera.floor), camera.from.as_ref()].into_iter().flatten();
        for floor in named.filter(|floor| !is_known(floor)) {
            faults.push(format!("camera {}: there is no floor {floor}", camera.id));
        }
    }
    for webhook in &connections.webhooks {
        for floor in webhook.floors.iter().filter(|floor| !is_known(floor)) {
            faults.push(format!("webhook {}: there is no floor {floor}", webhook.name));
        }
    }
    if faults.is_empty() {
        return Ok(());
    }
    let known: Vec<&str> = floors.iter().map(|floor| floor.name.as_str()).collect();
    faults.push(format!("there are: {}; `smartpark floors add` adds a floor", known.join(", ")));
    Err(Usage(faults.join("\n")).into())
}

/// The tasks beside the server.
pub(super) struct Tasks {
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Tasks {
    /// Ends them. What was not recorded yet was not acknowledged, and comes again.
    pub(super) async fn stop(self) {
        self.stop.send_replace(true);
        for task in self.tasks {
            // A task that panicked has said so.
            drop(task.await);
        }
    }
}

/// Starts the tasks that the configuration asks for.
pub(super) fn start(
    park: &SmartPark,
    connections: &Arc<Connections>,
    site_name: Option<&str>,
    passwords: Passwords,
) -> Tasks {
    let (stop, stopping) = watch::channel(false);
    let mut tasks = vec![tokio::spawn(forget_states(park.clone(), stopping.clone()))];
    let sites = Sites::new(park.clone(), Arc::clone(connections), site_name);
    for (push, password) in connections.pushes.iter().zip(passwords.pushes) {
        let task = PushTask::new(park.clone(), sites.clone(), push.clone(), password);
        tasks.push(tokio::spawn(task.run(stopping.clone())));
    }
    for (webhook, secrets) in connections.webhooks.iter().zip(passwords.webhooks) {
        let site = sites.id().to_owned();
        let task = WebhookTask::new(park.clone(), site, webhook.clone(), secrets);
        tasks.push(tokio::spawn(task.run(stopping.clone())));
    }
    let signs = Arc::<Signs>::default();
    let inputs = Arc::new(Inputs::new(park.clone(), Arc::clone(connections), signs));
    for (camera, password) in connections.cameras.iter().zip(passwords.cameras) {
        let task = StreamTask::of(park, &inputs, camera, password);
        tasks.extend(task.map(|task| tokio::spawn(task.run(stopping.clone()))));
    }
    if let Some(mqtt) = &connections.mqtt {
        let bridge = MqttBridge::new(park.clone(), inputs, sites, mqtt.clone(), passwords.broker);
        tasks.push(tokio::spawn(async move {
            if let Err(fault) = bridge.run(stopping).await {
                tracing::error!("the bridge to the broker has ended: {fault}");
            }
        }));
    }
    Tasks { stop, tasks }
}

/// Deletes states of adapters whose time is over, now and then.
async fn forget_states(park: SmartPark, mut stopping: watch::Receiver<bool>) {
    let mut tick = interval(FORGET_STATES_INTERVAL);
    loop {
        tokio::select! {
            biased;
            _ = stopping.wait_for(|stopping| *stopping) => return,
            _ = tick.tick() => {}
        }
        if let Err(error) = park.events().forget_states().await {
            tracing::debug!("old states of adapters stay for now: {error}");
        }
    }
}
