//! The page at /docs: whole, from this server alone, and without inline code.

use crate::server::TestServer;

#[test]
fn a_stroke_too_many_leads_to_the_docs() {
    let answer = TestServer::start().get("/docs/");
    assert_eq!((answer.status, answer.header("location")), (308, "../docs"));
}

#[test]
fn the_page_loads_only_what_this_server_has() {
    let server = TestServer::start();
    let page = server.get("/docs");
    assert_eq!(page.status, 200);
    let policy = page.header("content-security-policy");
    assert!(policy.contains("default-src 'none'") && policy.contains("script-src 'self';"));
    let html = String::from_utf8(page.bytes.clone()).unwrap();
    assert!(!html.contains("http:") && !html.contains("https:") && !html.contains("<script>"));
    let is_link = |part: &&str| part.starts_with("docs/") || part.ends_with(".json");
    let links: Vec<&str> = html.split('"').filter(is_link).collect();
    assert_eq!(links.len(), 4, "{links:?}");
    assert!(!html.contains("=\"/"), "a proxy may publish it under another path");
    for link in links {
        assert_eq!(server.get(&format!("/{link}")).status, 200, "{link}");
    }
}

#[test]
fn scripts_are_gzipped_for_those_that_take_it() {
    let server = TestServer::start();
    for path in ["/docs/swagger-ui-bundle.js", "/docs/swagger-ui.css"] {
        let plain = server.get(path);
        assert_eq!(plain.header("content-encoding"), "");
        assert!(plain.bytes.len() > 100_000);
        let packed = server.send("GET", path, &[("accept-encoding", "br, gzip")], b"");
        assert_eq!(packed.header("content-encoding"), "gzip", "{path}");
        assert_eq!(packed.header("vary"), "accept-encoding");
        assert!(packed.bytes.len() < plain.bytes.len() / 3);
        let mut unpacked = Vec::new();
        let mut reader = flate2::read::GzDecoder::new(packed.bytes.as_slice());
        std::io::Read::read_to_end(&mut reader, &mut unpacked).unwrap();
        assert!(unpacked == plain.bytes, "{path}");
        let known = [("if-none-match", plain.header("etag"))];
        let answer = server.send("GET", path, &known, b"");
        assert_eq!((answer.status, answer.bytes.len()), (304, 0));
        let other = [("if-none-match", "\"other\"")];
        assert_eq!(server.send("GET", path, &other, b"").status, 200);
    }
}

#[test]
fn health_is_told() {
    let server = TestServer::start();
    for path in ["/health/live", "/health/ready"] {
        assert_eq!(server.get(path).expect(200), serde_json::json!({"status": "ok"}));
    }
}

#[test]
fn head_works_where_get_does() {
    let server = TestServer::start();
    let data = ["/floors", "/floors/1", "/events", "/statistics"];
    for path in data.into_iter().chain(["/", "/display", "/openapi.json", "/docs"]) {
        let get = server.get(path);
        let head = server.send("HEAD", path, &[], b"");
        assert_eq!((head.status, head.bytes.len()), (get.status, 0), "{path}");
        assert_eq!(head.header("content-length"), get.header("content-length"), "{path}");
    }
    assert_eq!(server.send("HEAD", "/floors/99", &[], b"").status, 404);
}
