//! Event streams of cameras that are asked: a camera that wants Digest, and breaks off.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    net::TcpListener,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::cli::program::{Folder, Server};

/// A camera that sends this stream to everybody who knows the password, and then hangs up. Counts
/// the streams that it sent.
fn camera(stream: Vec<u8>) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let sent = Arc::<AtomicUsize>::default();
    let counter = Arc::clone(&sent);
    std::thread::spawn(move || {
        loop {
            let (mut socket, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(socket.try_clone().unwrap());
            let (mut head, mut line) = (String::new(), String::new());
            while reader.read_line(&mut line).is_ok_and(|bytes| bytes > 0) && line != "\r\n" {
                head.push_str(&line.to_lowercase());
                line.clear();
            }
            assert!(head.starts_with("get /cgi-bin/eventmanager.cgi?action=attach&"), "{head}");
            let knows = head.contains("authorization: digest username=\"smartpark\"")
                && head.contains("nonce=\"n1\"");
            if !knows {
                let refused = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\
                    WWW-Authenticate: Digest realm=\"cam\", qop=\"auth\", nonce=\"n1\"\r\n\r\n";
                socket.write_all(refused.as_bytes()).ok();
                continue;
            }
            let head = "HTTP/1.1 200 OK\r\nConnection: close\r\n\
                Content-Type: multipart/x-mixed-replace; boundary=myboundary\r\n\r\n";
            socket.write_all(head.as_bytes()).ok();
            // The network cuts where it likes.
            for piece in stream.chunks(700) {
                socket.write_all(piece).ok();
            }
            counter.fetch_add(1, Ordering::SeqCst);
        }
    });
    (port, sent)
}

#[test]
fn the_stream_of_a_dahua_camera_counts_each_car_once() {
    let payloads =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../smartpark-formats/tests/payloads");
    let expected = fs::read(payloads.join("dahua/stream.expected.json")).unwrap();
    let expected: Value = serde_json::from_slice(&expected).unwrap();
    let (port, sent) = camera(fs::read(payloads.join("dahua/stream.txt")).unwrap());
    let folder = Folder::with_floors(&[("Level 1", 200)]);
    folder.file("dahua.password", "secret\n");
    let text = format!(
        "[[camera]]\nid = 'dahua-ramp'\nfloor = 'Level 1'\ntypes = {{ NonMotor = 'motorcycle' }}\n\
         [camera.dahua]\nurl = 'http://127.0.0.1:{port}'\nusername = 'smartpark'\n\
         password_file = 'dahua.password'\nchannel = 0\nrule = 1\n\
         entry = ['LeftToRight']\nexit = ['RightToLeft']\n"
    );
    folder.file("smartpark.toml", text);
    let server = Server::start(&folder, &["--max-clock-skew", "8760h"]);
    // The stream breaks off, is read again, and tells the same events.
    let deadline = Instant::now() + Duration::from_secs(60);
    while sent.load(Ordering::SeqCst) < 3 {
        assert!(Instant::now() < deadline, "{}", server.log());
        std::thread::yield_now();
    }
    let events = server.get("/events").1["events"].as_array().unwrap().clone();
    let mut told: Vec<&str> = events.iter().map(|it| it["track_id"].as_str().unwrap()).collect();
    let mut wanted: Vec<&str> = expected["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["track_id"].as_str().unwrap())
        .collect();
    told.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(told, wanted);
    let attention = server.get("/attention").1["items"].to_string();
    assert!(attention.contains("the device ended the stream"), "{attention}");
    assert_eq!(server.stop().0, Some(0));
}
