//! TLS: the certificate, and taking up a new one without dropping anybody.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};

use rustls::{
    ServerConfig, ServerConnection,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::sleep,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use smartpark_ledger::limits::{CERTIFICATE_INTERVAL, MAX_CERTIFICATE_BYTES, MAX_SEND_BYTES};

/// The files, in PEM, that a server shows itself with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate, and those of the authorities between it and one that clients know.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// What is in the files.
#[derive(PartialEq, Eq)]
struct Written {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

/// The certificate that connections begin with. Those that have begun keep theirs.
pub(super) struct Certificate {
    files: TlsFiles,
    /// What was read last, fitting or not.
    seen: RwLock<Written>,
    current: RwLock<Arc<ServerConfig>>,
}

impl TlsFiles {
    /// Whether the files can be read and fit together.
    ///
    /// # Errors
    /// Names the file that cannot be read, or says why they do not fit.
    pub fn check(&self) -> io::Result<()> {
        self.read()?.config().map(drop)
    }

    fn read(&self) -> io::Result<Written> {
        Ok(Written { certificate: read(&self.certificate)?, key: read(&self.key)? })
    }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let named = |fault: io::Error| {
        io::Error::new(fault.kind(), format!("{} cannot be read: {fault}", path.display()))
    };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(named)?;
    file.take(MAX_CERTIFICATE_BYTES).read_to_end(&mut bytes).map_err(named)?;
    Ok(bytes)
}

impl Written {
    fn config(&self) -> io::Result<ServerConfig> {
        let unfit = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
        let chain =
            CertificateDer::pem_slice_iter(&self.certificate).collect::<Result<Vec<_>, _>>();
        let chain = chain.ok().filter(|chain| !chain.is_empty());
        let chain = chain.ok_or_else(|| unfit("the file of the certificate holds none in PEM"))?;
        let key = PrivateKeyDer::from_pem_slice(&self.key);
        let key = key.map_err(|_| unfit("the file of the certificate's key holds none in PEM"))?;
        let mut config = ServerConfig::builder_with_provider(ring::default_provider().into())
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(|fault| unfit(&format!("the certificate and its key do not fit: {fault}")))?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(config)
    }
}

impl Certificate {
    /// Reads the files.
    pub(super) fn load(files: &TlsFiles) -> io::Result<Self> {
        let seen = files.read()?;
        let current = RwLock::new(Arc::new(seen.config()?));
        Ok(Self { files: files.clone(), seen: RwLock::new(seen), current })
    }

    /// Begins a connection with the certificate of now.
    ///
    /// # Errors
    /// Those of the stream, and where what comes is not TLS.
    pub(super) async fn begin<S>(&self, stream: S) -> io::Result<TlsStream<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let current = Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner));
        // What is encrypted and not taken is kept beside what is not encrypted yet.
        let bound = |session: &mut ServerConnection| session.set_buffer_limit(Some(MAX_SEND_BYTES));
        TlsAcceptor::from(current).accept_with(stream, bound).await
    }

    /// Looks at the files again and again, and takes up what is new and fits, for as long as it is
    /// polled. Until then the old one holds: files are seldom replaced both at once.
    pub(super) async fn keep_current(self: Arc<Self>) {
        loop {
            sleep(CERTIFICATE_INTERVAL).await;
            let certificate = Arc::clone(&self);
            let look = tokio::task::spawn_blocking(move || certificate.look());
            match look.await {
                Ok(Ok(false)) => {}
                Ok(Ok(true)) => tracing::info!("the new certificate holds from now on"),
                Ok(Err(fault)) => tracing::warn!("the old certificate still holds: {fault}"),
                Err(fault) => tracing::error!("looking for a new certificate failed: {fault}"),
            }
        }
    }

    /// Takes up what is new; tells whether anything was.
    fn look(&self) -> io::Result<bool> {
        let written = self.files.read()?;
        if *self.seen.read().unwrap_or_else(PoisonError::into_inner) == written {
            return Ok(false);
        }
        let config = written.config();
        // What does not fit is told once, not at every look.
        *self.seen.write().unwrap_or_else(PoisonError::into_inner) = written;
        let config = Arc::new(config?);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = config;
        Ok(true)
    }
}
