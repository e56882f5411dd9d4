//! The server below a path of nginx: once with the path taken off, once with `--base-path`.

use std::{
    fs,
    net::TcpListener,
    process::{Child, Command, Stdio},
};

use super::program::{Folder, Server, agent};

/// nginx, ended when it is dropped.
struct Nginx(Child);

impl Drop for Nginx {
    fn drop(&mut self) {
        super::program::signal("TERM", &self.0);
        self.0.wait().unwrap();
    }
}

impl Nginx {
    /// nginx in front of two servers, and the address at which it listens.
    fn start(folder: &Folder, stripped: &str, whole: &str) -> (Self, String) {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let at = folder.path().display();
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!("{kind}_temp_path {at}/nginx-{kind};"))
            .join(" ");
        let proxied = "proxy_set_header Host $http_host; proxy_buffering off;";
        let text = format!(
            "daemon off; pid {at}/nginx.pid; error_log {at}/nginx.log;\nevents {{}}\nhttp {{\n\
             access_log off; {temporary}\nserver {{ listen {address};\n\
             location /stripped/ {{ proxy_pass {stripped}/; {proxied} }}\n\
             location /whole/ {{ proxy_pass {whole}; {proxied} }}\n}}\n}}\n"
        );
        let file = folder.file("nginx.conf", text);
        let mut command = Command::new("nginx");
        command.arg("-p").arg(folder.path()).arg("-e").arg(folder.path().join("nginx.log"));
        let child = command.arg("-c").arg(file).stdout(Stdio::null()).spawn();
        let nginx = Self(child.expect("nginx is installed by scripts/test"));
        while std::net::TcpStream::connect(address).is_err() {
            let log = fs::read_to_string(folder.path().join("nginx.log")).unwrap_or_default();
            assert!(!log.contains("[emerg]"), "{log}");
            std::thread::yield_now();
        }
        (nginx, format!("http://{address}"))
    }
}

#[test]
fn page_docs_cookies_and_events_work_below_a_path_of_nginx() {
    let (one, two) = (Folder::with_floors(&[("G", 9)]), Folder::with_floors(&[("G", 9)]));
    let key = |folder: &Folder| {
        let made = folder.run(&["key", "add", "boss", "--role", "admin"]).ok();
        made.out.trim().to_owned()
    };
    let keys = [key(&one), key(&two)];
    let stripped = Server::start(&one, &["--seed", "none"]);
    let whole = Server::start(&two, &["--seed", "none", "--base-path", "/whole/"]);
    let (_nginx, url) = Nginx::start(&one, &stripped.url, &whole.url);
    for (path, key) in ["/stripped/", "/whole/"].into_iter().zip(keys) {
        let base = format!("{url}{path}");
        let get = |address: &str| agent().get(format!("{base}{address}")).call().unwrap();
        let page = get("").body_mut().read_to_string().unwrap();
        let links: Vec<&str> = page.split('"').filter(|part| part.starts_with("page/")).collect();
        assert!(links.len() > 20, "{page}");
        for link in links {
            assert_eq!(get(link).status(), 200, "{path} {link}");
        }
        for file in ["display", "docs", "docs/start.js", "openapi.json", "health/live"] {
            assert_eq!(get(file).status(), 200, "{path} {file}");
        }
        let body = format!("{{\"key\":\"{key}\"}}");
        let session = agent()
            .post(format!("{base}session"))
            .header("content-type", "application/json")
            .send(body)
            .unwrap();
        assert_eq!(session.status(), 200, "{path}");
        let cookie = session.headers()["set-cookie"].to_str().unwrap().to_owned();
        let of = if path == "/whole/" { "Path=/whole/;" } else { "Path=/;" };
        assert!(cookie.contains(of), "{cookie}");
        let pair = cookie.split(';').next().unwrap();
        let floors = agent().get(format!("{base}floors")).header("cookie", pair).call().unwrap();
        assert_eq!(floors.status(), 200, "{path}");
        let stream = agent().get(format!("{base}stream")).header("cookie", pair).call().unwrap();
        assert_eq!(stream.headers()["content-type"], "text/event-stream");
        let event = "{\"camera_id\":\"c\",\"floor\":\"G\",\"track_id\":\"t\",\
            \"vehicle_type\":\"car\",\"direction\":\"entry\"}";
        let posted = agent()
            .post(format!("{base}events"))
            .header("content-type", "application/json")
            .header("x-api-key", &key)
            .send(event)
            .unwrap();
        assert_eq!(posted.status(), 201, "{path}");
        if path == "/whole/" {
            let place = posted.headers()["location"].to_str().unwrap();
            let there = agent().get(format!("{url}{place}")).header("x-api-key", &key).call();
            assert_eq!(there.unwrap().status(), 200, "{place}");
        }
    }
}
