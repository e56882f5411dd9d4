//! Who the server lets in, and that nobody who should not be is reached by it.

use std::path::PathBuf;

use crate::{
    cli::{Context, Usage},
    config::{Layer, List, Rate, Settings},
    http::{Network, Origin, TlsFiles},
};

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Who gets in")]
pub(super) struct AccessArgs {
    /// Ask nobody for a key, wherever they come from [env: SMARTPARK_NO_AUTH]
    #[arg(long)]
    no_auth: bool,
    /// Encrypt with this certificate (PEM, with the chain); a new one in its place is taken up
    /// without a break [env: SMARTPARK_TLS_CERT]
    #[arg(long, value_name = "FILE")]
    tls_cert: Option<PathBuf>,
    /// The certificate's private key (PEM) [env: SMARTPARK_TLS_KEY]
    #[arg(long, value_name = "FILE")]
    tls_key: Option<PathBuf>,
    /// Proxies in front of the server, which encrypt: addresses or networks. Their X-Forwarded-For
    /// is believed, that of nobody else [env: SMARTPARK_BEHIND_PROXY]
    #[arg(long, value_name = "ADDRESS", value_delimiter = ',')]
    behind_proxy: Vec<Network>,
    /// Sites whose pages may use the interface from a browser, always with a key of their own
    /// [env: SMARTPARK_CORS_ORIGIN] [default: none]
    #[arg(long, value_name = "ORIGIN", value_delimiter = ',')]
    cors_origin: Vec<Origin>,
    /// Requests a second that each key may make; ten seconds' worth may come at once
    /// [env: SMARTPARK_RATE_LIMIT] [default: no bound]
    #[arg(long, value_name = "N")]
    rate_limit: Option<Rate>,
    /// The same for each address [env: SMARTPARK_ADDRESS_RATE_LIMIT] [default: no bound]
    #[arg(long, value_name = "N")]
    address_rate_limit: Option<Rate>,
}

impl AccessArgs {
    /// Adds what the flags say to a layer of settings.
    pub(super) fn fill(&self, flags: &mut Layer) {
        flags.no_auth = self.no_auth.then_some(true);
        flags.tls_cert.clone_from(&self.tls_cert);
        flags.tls_key.clone_from(&self.tls_key);
        flags.behind_proxy = given(&self.behind_proxy);
        flags.cors_origin = given(&self.cors_origin);
        flags.rate_limit = self.rate_limit;
        flags.address_rate_limit = self.address_rate_limit;
    }
}

fn given<T: Clone>(items: &[T]) -> Option<List<T>> {
    (!items.is_empty()).then(|| List(items.to_vec()))
}

/// The certificate to encrypt with, if there is to be one: looked at before a database is made.
pub(super) fn certificate(settings: &Settings) -> anyhow::Result<Option<TlsFiles>> {
    let files = match settings.tls.clone() {
        (None, None) => return Ok(None),
        (Some(certificate), Some(key)) => TlsFiles { certificate, key },
        _ => {
            let told = "a certificate and its key go together: give --tls-cert and --tls-key";
            return Err(Usage(told.to_owned()).into());
        }
    };
    files.check()?;
    Ok(Some(files))
}

/// Where others than those on this machine are served, they are asked for a key, and it goes over
/// no network in plain text; unless somebody says otherwise.
pub(super) async fn require_keys(context: &Context, has_tls: bool) -> anyhow::Result<()> {
    let settings = &context.settings;
    let (listen, has_proxy) = (settings.listen, !settings.proxies.is_empty());
    if settings.no_auth || (listen.ip().is_loopback() && !has_proxy) {
        return Ok(());
    }
    if !has_tls && !has_proxy {
        let told = format!(
            "{listen} can be reached from other machines, and keys must not go there in plain \
             text.\nEncrypt with --tls-cert and --tls-key, or name the proxy in front that does \
             with --behind-proxy.\nOr listen on 127.0.0.1; or say --no-auth to serve everybody, if \
             that is wanted."
        );
        return Err(Usage(told).into());
    }
    let park = context.connect().await?;
    let keys = park.keys().get_all_keys().await?;
    park.close().await;
    if keys.iter().any(|key| key.revoked_at.is_none()) {
        return Ok(());
    }
    let told = "other machines are to be served, and there is no key yet: anybody could change \
                counts.\nMake one with `smartpark key add NAME --role admin`, or say --no-auth to \
                serve everybody, if that is wanted.";
    Err(Usage(told.to_owned()).into())
}
