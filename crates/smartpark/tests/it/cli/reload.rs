//! SIGHUP: what holds at once, what needs a restart, and what a fault of the file does.

use super::program::{Folder, Server};

/// Asks a server to read its file again; returns what it logged until it said this.
fn reload(server: &Server, folder: &Folder, text: &str, until: &str) -> String {
    let before = server.log().len();
    folder.file("smartpark.toml", format!("database = {:?}\n{text}", folder.url()));
    server.signal("HUP");
    loop {
        let log = server.log()[before..].to_owned();
        if log.contains(until) {
            return log;
        }
        std::thread::yield_now();
    }
}

#[test]
fn a_server_reads_its_configuration_again() {
    let folder = Folder::with_floors(&[("A", 9)]);
    folder.file("smartpark.toml", format!("database = {:?}\n", folder.url()));
    folder.run(&["key", "add", "boss", "--role", "admin"]).ok();
    let server = Server::start(&folder, &[]);
    let feed = "/feeds/geojson.json";
    assert_eq!(server.get(feed).0, 401);
    reload(&server, &folder, "[feeds]\nopen = ['geojson']\n", "the configuration holds");
    assert_eq!(server.get(feed).0, 200);
    reload(&server, &folder, "", "the configuration holds");
    assert_eq!(server.get(feed).0, 401);
    let told = reload(&server, &folder, "log_level = 'debug'\n", "the configuration holds");
    assert!(told.contains("log_level is Debug"), "{told}");
    let changed = "log_level = 'debug'\nretention_days = 9\n[backup]\nfolder = 'x'\n";
    let told = reload(&server, &folder, changed, "need a restart");
    assert!(told.contains("server: retention_days, [backup]"), "{told}");
    let told = reload(&server, &folder, "[feeds]\nopen = ['all']\n", "stays as it was");
    assert!(told.contains("line 3") && told.contains("smartpark config check"), "{told}");
    assert_eq!(server.get(feed).0, 401);
    assert_eq!(server.stop().0, Some(0));
}
