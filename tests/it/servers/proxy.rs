//! A way to PostgreSQL that breaks off in the middle of commits: it reads what clients send,
//! message by message, and cuts the connection where one says COMMIT.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, BufReader, BufWriter, Result},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    runtime::Runtime,
};

/// Every so manyth commit is cut.
const EVERY: usize = 8;
/// The answer to a commit ends with this: ready, and no longer in a transaction.
const READY: [u8; 6] = [b'Z', 0, 0, 0, 5, b'I'];

/// Where a connection is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// All has gone to the server but the commit: it rolls back.
    Before,
    /// The commit has just been sent: nobody can know what becomes of it.
    Sent,
    /// The server has committed and answered: its answer does not arrive.
    Answered,
}

impl Cut {
    const ALL: [Self; 3] = [Self::Before, Self::Sent, Self::Answered];
}

/// The proxy; it ends when it is dropped.
pub(super) struct Proxy {
    pub(super) port: u16,
    commits: Arc<Commits>,
    _runtime: Runtime,
}

/// The commits that were seen.
#[derive(Default)]
struct Commits {
    cutting: AtomicBool,
    seen: AtomicUsize,
    cut: [AtomicUsize; Cut::ALL.len()],
}

impl Proxy {
    /// One that passes everything on to this port of loopback.
    pub(super) fn start(port: u16) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let own_port = listener.local_addr().unwrap().port();
        let commits = Arc::new(Commits::default());
        let seen = Arc::clone(&commits);
        runtime.spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let commits = Arc::clone(&seen);
                tokio::spawn(async move {
                    let server = TcpStream::connect(("127.0.0.1", port)).await?;
                    carry(client, server, &commits).await
                });
            }
        });
        Self { port: own_port, commits, _runtime: runtime }
    }

    /// Cuts from now on.
    pub(super) fn begin(&self) {
        self.commits.cutting.store(true, Ordering::SeqCst);
    }

    /// How many connections were cut, by place.
    pub(super) fn cuts(&self) -> [(Cut, usize); Cut::ALL.len()] {
        Cut::ALL.map(|cut| (cut, self.commits.cut[cut as usize].load(Ordering::SeqCst)))
    }
}

impl Commits {
    /// What is done with the next commit.
    fn next(&self) -> Option<Cut> {
        if !self.cutting.load(Ordering::SeqCst) {
            return None;
        }
        let seen = self.seen.fetch_add(1, Ordering::SeqCst);
        let cut = Cut::ALL[seen / EVERY % Cut::ALL.len()];
        if !seen.is_multiple_of(EVERY) {
            return None;
        }
        self.cut[cut as usize].fetch_add(1, Ordering::SeqCst);
        Some(cut)
    }
}

/// Carries bytes both ways until one side ends, or the connection is cut: both are dropped then.
async fn carry(client: TcpStream, server: TcpStream, commits: &Commits) -> Result<()> {
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let held = AtomicBool::new(false);
    tokio::select! {
        sent = requests(from_client, to_server, commits, &held) => sent,
        told = answers(from_server, to_client, &held) => told,
    }
}

/// What the client sends, up to where it is cut.
async fn requests(
    from: OwnedReadHalf,
    to: OwnedWriteHalf,
    commits: &Commits,
    held: &AtomicBool,
) -> Result<()> {
    let (mut from, mut to) = (BufReader::new(from), BufWriter::new(to));
    // The first message has no type.
    let mut body = body(&mut from).await?;
    to.write_all(&body).await?;
    to.flush().await?;
    loop {
        let kind = from.read_u8().await?;
        body = self::body(&mut from).await?;
        let commit = kind == b'Q' && body[4..].starts_with(b"COMMIT");
        let cut = if commit { commits.next() } else { None };
        if cut == Some(Cut::Before) {
            return to.flush().await;
        }
        // Before the answer can come.
        held.store(cut == Some(Cut::Answered), Ordering::SeqCst);
        to.write_u8(kind).await?;
        to.write_all(&body).await?;
        if from.buffer().is_empty() || cut.is_some() {
            to.flush().await?;
        }
        match cut {
            Some(Cut::Sent) => return Ok(()),
            // The other direction ends it.
            Some(Cut::Answered) => std::future::pending().await,
            Some(Cut::Before) | None => {}
        }
    }
}

/// The length of a message, which counts itself, and the rest of it.
async fn body(from: &mut BufReader<OwnedReadHalf>) -> Result<Vec<u8>> {
    let length = from.read_u32().await?;
    let mut body = length.to_be_bytes().to_vec();
    body.resize(usize::try_from(length).unwrap(), 0);
    from.read_exact(&mut body[4..]).await?;
    Ok(body)
}

/// What the server answers, unless it is held back.
async fn answers(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, held: &AtomicBool) -> Result<()> {
    let mut bytes = vec![0; 64 * 1024];
    let mut tail = Vec::new();
    loop {
        let count = from.read(&mut bytes).await?;
        if count == 0 {
            return Ok(());
        }
        if held.load(Ordering::SeqCst) {
            tail.extend_from_slice(&bytes[..count]);
            if tail.ends_with(&READY) {
                return Ok(());
            }
        } else {
            to.write_all(&bytes[..count]).await?;
        }
    }
}
