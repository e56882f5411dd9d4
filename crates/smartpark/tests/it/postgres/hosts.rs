//! A URL of several hosts, of which one takes connections and says nothing: PostgreSQL, or its
//! disk, stands still on a machine that is well otherwise.

use std::net::TcpListener;

use smartpark::{Direction, Error, NewEvent, NewFloor, SmartPark, VehicleType};
use tokio::runtime::Builder;

use super::{Schema, port};
use crate::servers::proxy::Proxy;

/// How often a server may fail before it records on the other host: what it has begun waits for as
/// long as a request may.
const ATTEMPTS: usize = 4;

/// The URL of a schema by way of these ports of loopback, in this order.
fn url(schema: &Schema, ports: [u16; 2]) -> String {
    let url = schema.url();
    let own = format!("{}:{}", host(&url), port(&url));
    let hosts = ports.map(|port| format!("127.0.0.1:{port}")).join(",");
    assert!(url.contains(&own), "{url}");
    url.replacen(&own, &hosts, 1)
}

fn host(url: &str) -> String {
    let config: tokio_postgres::Config = url.parse().unwrap();
    match &config.get_hosts()[0] {
        tokio_postgres::config::Host::Tcp(name) => name.clone(),
        other => panic!("{other:?}"),
    }
}

/// Does something until it is done, a few times at most.
async fn until_done<T>(attempt: impl AsyncFn() -> smartpark::Result<T>) -> T {
    let mut told = None;
    for _ in 0..ATTEMPTS {
        match attempt().await {
            Ok(done) => return done,
            Err(error) => {
                assert!(matches!(error, Error::Unavailable(_)), "{error}");
                told = Some(error);
            }
        }
    }
    panic!("it does not find the other host: {told:?}");
}

#[tokio::test]
async fn a_host_that_says_nothing_leaves_the_next_its_turn() {
    let schema = Schema::new();
    // The kernel takes connections for it; nobody answers.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let ports = [silent.local_addr().unwrap().port(), port(&schema.url())];
    let park = SmartPark::open(&url(&schema, ports)).await.unwrap();
    let floor = park.floors().add_floor(NewFloor::new("One", 9)).await.unwrap();
    let car = NewEvent::new("cam", floor.id, "t", VehicleType::Car, Direction::Entry);
    assert!(!park.events().record_event(car).await.unwrap().duplicate);
    park.close().await;
}

#[test]
fn a_primary_that_stands_still_is_left_for_the_next_one() {
    let schema = Schema::new();
    let proxy = Proxy::start(port(&schema.url()));
    let url = url(&schema, [proxy.port, port(&schema.url())]);
    // The proxy has a runtime of its own.
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let park = SmartPark::open(&url).await.unwrap();
        let floor = park.floors().add_floor(NewFloor::new("One", 9)).await.unwrap();
        let car = |track: &str| {
            NewEvent::new("cam", floor.id, track, VehicleType::Car, Direction::Entry)
                .at("2026-02-12T10:30:45Z".parse().unwrap())
        };
        park.events().record_event(car("before")).await.unwrap();
        park.events().get_event_statistics(1).await.unwrap();
        proxy.freeze();
        until_done(async || park.events().record_event(car("after")).await).await;
        until_done(async || park.events().get_event_statistics(1).await).await;
        let floors = until_done(async || park.floors().get_all_floors().await).await;
        assert_eq!(floors[0].current_vehicles, 2);
        until_done(async || park.ready().await).await;
        park.close().await;
    });
}
