//! Connections: slow and idle ones are closed, a stop answers what has begun.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use axum::{Router, routing::get};
use smartpark::http::{HttpConfig, Timeouts, serve_router};

use crate::server::{TestServer, entry, read_all};

fn impatient() -> TestServer {
    let short = Duration::from_millis(150);
    let timeouts = Timeouts { head: short, idle: short, ..Timeouts::default() };
    TestServer::with(HttpConfig { timeouts, ..HttpConfig::default() })
}

#[test]
fn clients_that_do_not_finish_their_head_are_let_go() {
    let server = impatient();
    let beginnings: [&[u8]; 4] =
        [b"", b"GET /floors HTTP/1.1\r\nHo", b"PRI * HTTP/2.0\r\n\r\nSM", b"P"];
    for beginning in beginnings {
        // What it is told, if anything, does not matter: that the connection ends does.
        let answer = server.raw(beginning);
        assert!(!answer.contains(" 200 "), "{answer}");
    }
    assert_eq!(server.get("/floors").status, 200);
}

#[test]
fn connections_are_kept_for_more_requests_and_closed_when_idle() {
    let server = impatient();
    let mut stream = server.connect();
    for _ in 0..3 {
        stream.write_all(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"{\"status\":\"ok\"}") {
            let mut byte = [0];
            assert_eq!(stream.read(&mut byte).unwrap(), 1);
            answer.extend(byte);
        }
    }
    assert_eq!(read_all(&mut stream), "");
}

#[test]
fn clients_that_take_no_answers_are_let_go() {
    let write = Duration::from_millis(150);
    let timeouts = Timeouts { write, ..Timeouts::default() };
    let server = TestServer::with(HttpConfig { timeouts, ..HttpConfig::default() });
    let mut stream = server.connect();
    stream.set_write_timeout(Some(Duration::from_secs(30))).unwrap();
    // Answers of almost 2 MB each soon fill every buffer; from then on only the server can end
    // this, by closing the connection under a client that still writes.
    let request =
        b"GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(1_000);
    let error = loop {
        if let Err(error) = stream.write_all(&request) {
            break error;
        }
    };
    let closed = [std::io::ErrorKind::ConnectionReset, std::io::ErrorKind::BrokenPipe];
    assert!(closed.contains(&error.kind()), "{error}");
    assert_eq!(server.get("/floors").status, 200);
}

#[test]
fn what_is_no_http_harms_nobody() {
    let server = TestServer::start();
    for nonsense in [&b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"[..], b"hello\r\n\r\n"]
    {
        let answer = server.raw(nonsense);
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400 "), "{answer}");
    }
    assert_eq!(server.get("/floors").status, 200);
}

#[test]
fn a_stop_answers_the_requests_that_have_begun_and_no_others() {
    let mut server = TestServer::start();
    let body = entry("t", 9).to_string();
    let (first, rest) = body.split_at(20);
    let head = format!(
        "POST /events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nExpect: 100-continue\r\n\r\n",
        body.len()
    );
    let mut begun = server.connect();
    begun.write_all(head.as_bytes()).unwrap();
    // The server asks for the body: the request has begun.
    let mut asked = [0; 25];
    begun.read_exact(&mut asked).unwrap();
    assert_eq!(&asked, b"HTTP/1.1 100 Continue\r\n\r\n");
    begun.write_all(first.as_bytes()).unwrap();
    let mut idle = server.connect();
    idle.write_all(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut start = [0; 12];
    idle.read_exact(&mut start).unwrap();
    assert_eq!(&start, b"HTTP/1.1 200");

    server.begin_stop();
    // The idle connection is closed at once; by then the listener is closed too.
    read_all(&mut idle);
    assert!(std::net::TcpStream::connect(server.address).is_err());
    begun.write_all(rest.as_bytes()).unwrap();
    let answer = read_all(&mut begun);
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    server.stopped();
    assert_eq!(server.floor(1).current_vehicles, 1);
}

#[test]
fn a_stop_does_not_wait_for_ever() {
    let stop = Duration::from_millis(100);
    let timeouts = Timeouts { stop, ..Timeouts::default() };
    let mut server = TestServer::with(HttpConfig { timeouts, ..HttpConfig::default() });
    let mut begun = server.connect();
    let head = b"POST /events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
        Content-Length: 9\r\nExpect: 100-continue\r\n\r\n";
    begun.write_all(head).unwrap();
    let mut asked = [0; 25];
    begun.read_exact(&mut asked).unwrap();
    server.begin_stop();
    server.stopped();
}

#[test]
fn a_stop_does_not_wait_for_who_has_not_said_anything_yet() {
    let long = Duration::from_secs(3_600);
    let timeouts = Timeouts { head: long, stop: long, ..Timeouts::default() };
    let mut server = TestServer::with(HttpConfig { timeouts, ..HttpConfig::default() });
    let beginnings: [&[u8]; 3] = [b"", b"P", b"PRI * HTTP/2.0\r\n\r\nSM"];
    let mut silent = beginnings.map(|beginning| {
        let mut stream = server.connect();
        stream.write_all(beginning).unwrap();
        stream
    });
    // Connections are taken in their order: the others were taken before.
    assert_eq!(server.get("/health/live").status, 200);
    server.begin_stop();
    for stream in &mut silent {
        let answer = read_all(stream);
        assert!(!answer.contains(" 200 "), "{answer}");
    }
    server.stopped();
}

#[test]
fn routes_of_ones_own_are_served_with_the_same_care() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let short = Duration::from_millis(150);
    let timeouts = Timeouts { head: short, idle: short, ..Timeouts::default() };
    let (address, served) = runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().route("/hello", get(async || "hello"));
        let until = async { stopped.await.unwrap_or(()) };
        (address, tokio::spawn(serve_router(router, listener, timeouts, until)))
    });
    let connect = || {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream
    };
    // Who says nothing is let go, who asks is answered and let go when there is nothing more.
    assert_eq!(read_all(&mut connect()), "");
    let mut asking = connect();
    asking.write_all(b"GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let answer = read_all(&mut asking);
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("hello"), "{answer}");
    stop.send(()).unwrap();
    runtime.block_on(served).unwrap().unwrap();
    assert!(TcpStream::connect(address).is_err());
}
