//! One connection to a server, and what it is answered.

use std::{io::Read as _, time::Duration};

use serde_json::Value;

/// A connection.
pub(crate) struct Client {
    agent: ureq::Agent,
    key: Option<String>,
}

/// What was answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) retry_after: bool,
    /// Text, where it is no JSON.
    pub(crate) body: Value,
}

impl Client {
    /// One that shows a key, where the server asks for any.
    pub(crate) fn new(key: Option<&str>) -> Self {
        let config = ureq::Agent::config_builder().http_status_as_error(false).proxy(None);
        let agent = config.timeout_global(Some(Duration::from_secs(60))).build().into();
        Self { agent, key: key.map(|key| format!("Bearer {key}")) }
    }

    /// The answer to a request with a body of this type, unless there was none or not all of it.
    pub(crate) fn send(
        &self,
        method: &str,
        url: &str,
        content: Option<(&str, String)>,
    ) -> Option<Answer> {
        let request = ureq::http::Request::builder().method(method).uri(url);
        let request = match &self.key {
            Some(key) => request.header("authorization", key),
            None => request,
        };
        let answer = match content {
            None => self.agent.run(request.body(()).unwrap()),
            Some((kind, text)) => {
                self.agent.run(request.header("content-type", kind).body(text).unwrap())
            }
        };
        let mut answer = answer.ok()?;
        let mut text = String::new();
        answer.body_mut().as_reader().read_to_string(&mut text).ok()?;
        let retry_after =
            answer.headers().get("retry-after").is_some_and(|value| !value.is_empty());
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Some(Answer { status: answer.status().as_u16(), retry_after, body })
    }

    /// The answer to a GET.
    pub(crate) fn get(&self, url: &str) -> Option<Answer> {
        self.send("GET", url, None)
    }
}
