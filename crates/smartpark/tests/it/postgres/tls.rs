//! TLS to PostgreSQL: who is believed and who is not.

use smartpark::{Error, SmartPark};

use super::cluster::Cluster;

#[tokio::test]
async fn a_server_is_believed_where_its_certificate_says_so() {
    let cluster = Cluster::start();
    let plain = Cluster::start();
    cluster.make("secure");
    let by_name = cluster.url.replace("127.0.0.1", "localhost");
    let authority = cluster.folder().join("ca.pem").display().to_string();
    let another = cluster.folder().join("server.pem").display().to_string();
    for mode in ["require", "verify-ca", "verify-full"] {
        let url = format!("{by_name}?sslmode={mode}&sslrootcert={authority}");
        SmartPark::open(&url).await.unwrap().close().await;
    }
    let refusals = [
        (format!("{by_name}?sslmode=require&sslrootcert={another}"), "cannot be trusted"),
        (format!("{by_name}?sslmode=verify-full"), "certificate"),
        (format!("{}?sslmode=require&sslrootcert={authority}", cluster.url), "cannot be trusted"),
        (format!("{}?sslmode=require&sslrootcert={authority}", plain.url), "does not support TLS"),
        (format!("{by_name}?sslmode=prefer&sslrootcert={authority}"), "sslmode"),
        (format!("{by_name}?sslrootcert={authority}"), "does not ask for TLS"),
        (format!("{by_name}?sslmode=require&sslrootcert={authority}.gone"), "sslrootcert"),
        (format!("{by_name}?sslmode=disable"), "refuses"),
        (by_name.clone(), "refuses"),
    ];
    for (url, told) in refusals {
        // Not "unavailable": trying again does not help, and nobody waits for that.
        let refused = SmartPark::open(&url).await.unwrap_err();
        let fits = matches!(&refused, Error::Unusable(text) if text.contains(told));
        assert!(fits, "{url}: {refused}");
    }
}
