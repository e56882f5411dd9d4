//! Which cameras an MQTT message is for.

use super::{
    Finding, Message, own_events,
    refusal::{NotCounted, Reason},
    translate,
};
use crate::config::{Camera, Connections};

/// What a message gives one camera.
#[derive(Clone, Debug, PartialEq)]
pub struct Routed<'a> {
    /// The camera; `None` for SmartPark's own events, which name theirs, and for a message that is
    /// no camera's.
    pub camera: Option<&'a Camera>,
    /// What stands in the message.
    pub findings: Vec<Finding>,
}

/// Translates an MQTT message for every camera that subscribes to its topic. Several cameras may
/// share a topic; a camera that does not know the message's words stays silent if another one
/// does.
#[must_use]
pub fn route<'a>(connections: &'a Connections, message: &Message<'_>) -> Vec<Routed<'a>> {
    let topic = message.topic.unwrap_or_default();
    let mut routed = Vec::new();
    let own = connections.mqtt.iter().flat_map(|mqtt| &mqtt.events);
    if own.into_iter().any(|filter| matches(filter, topic)) {
        routed.push(Routed { camera: None, findings: own_events(message) });
    }
    for camera in &connections.cameras {
        if camera.input.topics().any(|filter| matches(filter, topic)) {
            routed.push(Routed { camera: Some(camera), findings: translate(camera, message) });
        }
    }
    if routed.is_empty() {
        let refusal = NotCounted::new(Reason::NotSubscribed, "topic is not subscribed to");
        return vec![Routed { camera: None, findings: vec![Finding::NotCounted(refusal)] }];
    }
    without_strangers(routed)
}

/// Leaves out the cameras that only say that they do not know the message, if one knows it.
fn without_strangers(routed: Vec<Routed<'_>>) -> Vec<Routed<'_>> {
    let (strangers, friends): (Vec<_>, Vec<_>) = routed.into_iter().partition(is_stranger);
    if !friends.is_empty() {
        return friends;
    }
    let mut strangers = strangers;
    // Nobody's camera: the message is no camera's, so it is told once.
    if strangers.iter().all(|routed| names_no_camera(&routed.findings)) {
        strangers.truncate(1);
        strangers.iter_mut().for_each(|routed| routed.camera = None);
    }
    strangers
}

fn is_stranger(routed: &Routed<'_>) -> bool {
    let unknown = |finding: &Finding| match finding {
        Finding::NotCounted(refusal) => refusal.reason == Reason::NotConfigured,
        _ => false,
    };
    !routed.findings.is_empty() && routed.findings.iter().all(unknown)
}

/// Whether a message of a shared topic is one of a device that no camera names.
fn names_no_camera(findings: &[Finding]) -> bool {
    let nobody = |finding: &Finding| {
        matches!(finding, Finding::NotCounted(refusal)
            if refusal.detail.starts_with("no camera is configured"))
    };
    findings.iter().all(nobody)
}

/// Whether an MQTT topic fits a filter with `+` and `#`.
#[must_use]
pub fn matches(filter: &str, topic: &str) -> bool {
    if topic.starts_with('$') != filter.starts_with('$') {
        return false;
    }
    let mut levels = topic.split('/');
    for wanted in filter.split('/') {
        match (wanted, levels.next()) {
            ("#", _) => return true,
            ("+", Some(_)) => {}
            (wanted, Some(level)) if wanted == level => {}
            _ => return false,
        }
    }
    levels.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_fit_filters_as_mqtt_says() {
        let table = [
            ("a/b", "a/b", true),
            ("a/+/c", "a/b/c", true),
            ("a/#", "a/b/c", true),
            ("a/#", "a", true),
            ("#", "a/b", true),
            ("#", "$SYS/uptime", false),
            ("+/b", "$SYS/b", false),
            ("a/+", "a/b/c", false),
            ("a/+", "a", false),
            ("a/b/c", "a/b", false),
        ];
        for (filter, topic, fits) in table {
            assert_eq!(matches(filter, topic), fits, "{filter} {topic}");
        }
    }
}
