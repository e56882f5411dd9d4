//! Devices that are asked, instead of devices that send: today the event stream of Dahua cameras
//! and recorders.

mod digest;
mod http;

use std::{sync::Arc, time::Duration};

use smartpark_exchange::Inputs;
use smartpark_formats::{
    config::{Access, Camera, Input},
    input::{DahuaPart, DahuaStream, Message},
};
use smartpark_ledger::SmartPark;
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};

use crate::limits::{DEVICE_FIRST_PAUSE, DEVICE_LONGEST_PAUSE, DEVICE_SILENCE, RECORD_RETRY};
use http::Device;

/// Asks for the events of crossed lines; the device says every five seconds that it is alive.
const DAHUA_EVENTS: &str =
    "/cgi-bin/eventManager.cgi?action=attach&codes=%5BCrossLineDetection%5D&heartbeat=5";

/// The task that reads the event stream of one camera.
#[derive(Debug)]
pub struct StreamTask {
    park: SmartPark,
    inputs: Arc<Inputs>,
    camera: Camera,
    device: Device,
}

impl StreamTask {
    /// The task of a camera whose events are read from the device; `None` for all others.
    /// `password` is what stands in the file that the configuration names.
    #[must_use]
    pub fn of(
        park: &SmartPark,
        inputs: &Arc<Inputs>,
        camera: &Camera,
        password: Option<String>,
    ) -> Option<Self> {
        let Input::Dahua(dahua) = &camera.input else { return None };
        let Access { url, username, .. } = &dahua.access;
        let device = Device { url: url.clone()?, user: username.clone().zip(password) };
        let (park, inputs) = (park.clone(), Arc::clone(inputs));
        Some(Self { park, inputs, camera: camera.clone(), device })
    }

    /// Runs until `stopping` becomes true. A device that is away is tried again and again.
    pub async fn run(self, mut stopping: watch::Receiver<bool>) {
        tokio::select! {
            () = self.read_on() => {}
            _ = stopping.wait_for(|stopping| *stopping) => {}
        }
    }

    async fn read_on(&self) {
        let mut pause = DEVICE_FIRST_PAUSE;
        loop {
            let mut has_come = false;
            let why = match self.read(&mut has_come).await {
                Ok(()) => "the device ended the stream".to_owned(),
                Err(why) => why,
            };
            if has_come {
                pause = DEVICE_FIRST_PAUSE;
            }
            let detail = format!("the event stream cannot be read: {why}");
            tracing::warn!("camera {}: {detail}", self.camera.id);
            self.park.events().note_not_counted(Some(&self.camera.id), "unreachable", &detail);
            sleep(pause).await;
            pause = (2 * pause).min(DEVICE_LONGEST_PAUSE);
        }
    }

    /// Reads one stream to its end.
    async fn read(&self, has_come: &mut bool) -> Result<(), String> {
        let mut answer = self.device.get(DAHUA_EVENTS).await?;
        let mut stream = DahuaStream::new(answer.content_type().as_deref());
        loop {
            let silence = |_| format!("it said nothing for {} s", DEVICE_SILENCE.as_secs());
            let next = timeout(DEVICE_SILENCE, answer.next()).await.map_err(silence)?;
            let Some(bytes) = next else { break };
            *has_come = true;
            for part in stream.push(&bytes?) {
                self.receive(part).await;
            }
        }
        if let Some(part) = stream.finish() {
            self.receive(part).await;
        }
        Ok(())
    }

    /// Records one part. While the database is away the device waits.
    async fn receive(&self, part: DahuaPart) {
        let DahuaPart::Content(body) = part else {
            let detail = "a part of the stream is larger than a message may be";
            self.park.events().note_not_counted(Some(&self.camera.id), "too_large", detail);
            return;
        };
        let arrived = self.park.now();
        let message = Message {
            topic: None,
            retained: false,
            content_type: None,
            file_name: None,
            body: &body,
            arrived,
        };
        while let Err(error) = self.inputs.receive(&self.camera, &message).await {
            tracing::debug!("an event of {} waits: {error}", self.camera.id);
            sleep(RECORD_RETRY).await;
        }
    }
}

/// The device speaks every five seconds.
const _: () = assert!(DEVICE_SILENCE.as_secs() > Duration::from_secs(10).as_secs());
