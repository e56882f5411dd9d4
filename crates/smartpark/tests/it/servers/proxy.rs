//! A way to PostgreSQL that breaks off in the middle of commits: it reads what clients send,
//! message by message, and cuts the connection where one says COMMIT.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, BufReader, BufWriter, Result},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    runtime::Runtime,
    sync::watch,
};

/// Every so manyth commit is cut.
const EVERY: usize = 8;
/// Where a connection is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// All is answered but the commit, which was not passed on: the server rolls back.
    Before,
    /// The commit has just been sent: nobody can know what becomes of it.
    Sent,
    /// The server has committed and answered: only this answer does not arrive.
    Answered,
}

impl Cut {
    const ALL: [Self; 3] = [Self::Before, Self::Sent, Self::Answered];
}

/// The proxy; it ends when it is dropped.
pub(crate) struct Proxy {
    pub(crate) port: u16,
    commits: Arc<Commits>,
    _runtime: Runtime,
}

/// The commits that were seen.
#[derive(Default)]
struct Commits {
    cutting: AtomicBool,
    /// Where to cut the next one, whatever else is cut.
    next: Mutex<Option<Cut>>,
    /// What a message contains that is held back for ever, and whether one is held.
    hold: Mutex<Option<&'static str>>,
    holds: AtomicBool,
    /// Whether nothing is passed on any more, as if all behind it stood still.
    is_frozen: AtomicBool,
    seen: AtomicUsize,
    cut: [AtomicUsize; Cut::ALL.len()],
}

impl Proxy {
    /// One that passes everything on to this port of loopback.
    pub(crate) fn start(port: u16) -> Self {
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
                    commits.stand_still().await;
                    let server = TcpStream::connect(("127.0.0.1", port)).await?;
                    carry(client, server, &commits).await
                });
            }
        });
        Self { port: own_port, commits, _runtime: runtime }
    }

    /// Cuts from now on.
    pub(crate) fn begin(&self) {
        self.commits.cutting.store(true, Ordering::SeqCst);
    }

    /// Cuts the next commit, here.
    pub(crate) fn cut_next(&self, cut: Cut) {
        *self.commits.next.lock().unwrap() = Some(cut);
    }

    /// Holds the next simple message with this text back, and all after it on its connection, as if
    /// the client had been frozen before it sent it.
    pub(crate) fn hold_next(&self, text: &'static str) {
        *self.commits.hold.lock().unwrap() = Some(text);
    }

    /// Passes nothing on from now on, and takes connections all the same.
    pub(crate) fn freeze(&self) {
        self.commits.is_frozen.store(true, Ordering::SeqCst);
    }

    /// Whether a message is being held back, or was.
    pub(crate) fn holds(&self) -> bool {
        self.commits.holds.load(Ordering::SeqCst)
    }

    /// How many connections were cut, by place.
    pub(crate) fn cuts(&self) -> [(Cut, usize); Cut::ALL.len()] {
        Cut::ALL.map(|cut| (cut, self.commits.cut[cut as usize].load(Ordering::SeqCst)))
    }
}

impl Commits {
    /// Waits for ever, if all stands still.
    async fn stand_still(&self) {
        if self.is_frozen.load(Ordering::SeqCst) {
            std::future::pending().await
        }
    }

    /// Whether this message is the one to be held back.
    fn holds_back(&self, message: &[u8]) -> bool {
        let message = String::from_utf8_lossy(message);
        self.hold.lock().unwrap().take_if(|text| message.contains(*text)).is_some()
    }

    /// What is done with the next commit.
    fn next(&self) -> Option<Cut> {
        if let Some(cut) = self.next.lock().unwrap().take() {
            return Some(cut);
        }
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

/// Carries messages both ways until one side ends, or the connection is cut: both are dropped then.
async fn carry(client: TcpStream, server: TcpStream, commits: &Commits) -> Result<()> {
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let (answered, told) = watch::channel(0);
    let last = AtomicUsize::new(usize::MAX);
    tokio::select! {
        sent = requests(from_client, to_server, commits, (told, &last)) => sent,
        told = answers(from_server, to_client, (answered, &last)) => told,
    }
}

/// What the client sends, up to where it is cut. The server says that it is ready once after the
/// beginning and once after each message that asks for it: `answered` counts that, and what comes
/// after the `last` time is held back.
async fn requests(
    from: OwnedReadHalf,
    to: OwnedWriteHalf,
    commits: &Commits,
    (mut answered, last): (watch::Receiver<usize>, &AtomicUsize),
) -> Result<()> {
    let (mut from, mut to) = (BufReader::new(from), BufWriter::new(to));
    // The first message has no type.
    to.write_all(&body(&mut from).await?).await?;
    to.flush().await?;
    let mut asked = 1;
    loop {
        let kind = from.read_u8().await?;
        let body = body(&mut from).await?;
        commits.stand_still().await;
        let commit = kind == b'Q' && body[4..].starts_with(b"COMMIT");
        if kind == b'Q' && commits.holds_back(&body[4..]) {
            to.flush().await?;
            commits.holds.store(true, Ordering::SeqCst);
            // It ends where the server ends the connection.
            return std::future::pending().await;
        }
        let cut = if commit { commits.next() } else { None };
        if cut == Some(Cut::Before) {
            to.flush().await?;
            break;
        }
        if cut == Some(Cut::Answered) {
            last.store(asked, Ordering::SeqCst);
        }
        asked += usize::from(kind == b'Q' || kind == b'S');
        to.write_u8(kind).await?;
        to.write_all(&body).await?;
        if from.buffer().is_empty() || cut.is_some() {
            to.flush().await?;
        }
        match cut {
            Some(Cut::Sent) => return Ok(()),
            Some(Cut::Answered) => break,
            Some(Cut::Before) | None => {}
        }
    }
    // Where the connection has ended by itself there is nothing to wait for.
    let _ = answered.wait_for(|answered| *answered == asked).await;
    Ok(())
}

/// What the server answers, unless it is held back.
async fn answers(
    from: OwnedReadHalf,
    to: OwnedWriteHalf,
    (answered, last): (watch::Sender<usize>, &AtomicUsize),
) -> Result<()> {
    let (mut from, mut to) = (BufReader::new(from), BufWriter::new(to));
    loop {
        let kind = from.read_u8().await?;
        let body = body(&mut from).await?;
        if *answered.borrow() < last.load(Ordering::SeqCst) {
            to.write_u8(kind).await?;
            to.write_all(&body).await?;
        }
        let ready = kind == b'Z';
        if ready || from.buffer().is_empty() {
            to.flush().await?;
        }
        if ready {
            answered.send_modify(|answered| *answered += 1);
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
