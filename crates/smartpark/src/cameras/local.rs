//! The way from the spool to the database of the same process: what a server over HTTP would
//! answer, without HTTP and keys.

use smartpark_client::{Request, Transport, sender::Answer};
use tokio::runtime::Handle;

use crate::{SmartPark, http};

/// Records the events of this server's own cameras.
#[derive(Debug)]
pub(crate) struct Local {
    park: SmartPark,
    runtime: Handle,
}

impl Local {
    /// A way to this database. Call it from within the runtime that the server runs in.
    pub(crate) fn new(park: SmartPark) -> Self {
        Self { park, runtime: Handle::current() }
    }
}

impl Transport for Local {
    fn send(&mut self, request: &Request) -> Answer {
        let answer = async {
            match &request.body {
                Some(body) => http::own::record(&self.park, body.as_bytes()).await,
                None if request.path.starts_with("/floors") => http::own::floors(&self.park).await,
                // Digests find out what an older backup lacks; the spool and this database share
                // a machine and are backed up together.
                None => (404, Vec::new()),
            }
        };
        let (status, body) = self.runtime.block_on(answer);
        Answer::Response { status, retry_after: None, body }
    }
}
