//! The page and the board, as files: whole, from this server alone, light, and kept by browsers
//! for as long as they are the same. What they do is tested in a browser (`tests/browser`).

use std::{collections::BTreeSet, fs, path::PathBuf};

use smartpark::http::HttpConfig;

use crate::server::{Answer, TestServer};

/// Largest first load, in bytes as they are sent.
const FIRST_LOAD: usize = 300 * 1024;

fn text(answer: &Answer) -> String {
    String::from_utf8(answer.bytes.clone()).unwrap()
}

/// The addresses in a page, which are relative to it.
fn links(html: &str) -> BTreeSet<String> {
    let parts = html.split(['"', '=', '>', ' ']);
    parts.filter(|part| part.starts_with("page/")).map(|part| format!("/{part}")).collect()
}

/// What a module imports, as addresses, where it lies at `address`.
fn imports(address: &str, module: &str) -> Vec<String> {
    let imported = |quoted: &str| -> Option<String> {
        let path = quoted.split(['\'', '"']).next()?;
        let mut folder: Vec<&str> = address.split('/').collect();
        folder.pop();
        for part in path.split('/') {
            match part {
                "." => {}
                ".." => drop(folder.pop()),
                part => folder.push(part),
            }
        }
        Some(folder.join("/"))
    };
    ["from './", "from '../", "from\"./"]
        .iter()
        .flat_map(|opening| module.split(opening).skip(1).map(move |rest| (opening, rest)))
        .filter_map(|(opening, rest)| {
            let dots = opening.trim_start_matches("from").trim_matches([' ', '\'', '"', '/']);
            imported(&format!("{dots}/{rest}"))
        })
        .collect()
}

#[test]
fn the_pages_load_only_what_this_server_has() {
    let server = TestServer::start();
    for path in ["/", "/display"] {
        let page = server.get(path);
        assert_eq!((page.status, page.header("cache-control")), (200, "no-cache"));
        let policy = page.header("content-security-policy");
        for directive in ["default-src 'none'", "script-src 'self'", "style-src 'self'"] {
            assert!(policy.split("; ").any(|part| part == directive), "{directive} in {policy}");
        }
        let html = text(&page);
        assert!(!html.contains("http:") && !html.contains("https:"), "{html}");
        assert!(!html.contains("=\"/"), "a proxy may publish it under another path: {html}");
        assert!(!html.contains("<script>") && !html.contains("<style") && !html.contains('{'));
        let mut open: Vec<String> = links(&html).into_iter().collect();
        assert!(!open.is_empty());
        let mut seen = BTreeSet::new();
        while let Some(link) = open.pop() {
            if !seen.insert(link.clone()) {
                continue;
            }
            let file = server.get(&link);
            assert_eq!(file.status, 200, "{link}");
            assert_eq!(file.header("x-content-type-options"), "nosniff");
            assert!(file.header("cache-control").contains("immutable"), "{link}");
            if link.ends_with(".js") {
                assert_eq!(file.header("content-type"), "text/javascript; charset=utf-8");
                open.extend(imports(&link, &text(&file)));
            }
        }
        assert!(seen.iter().any(|link| link.ends_with("/vendor/preact.js")), "{path}: {seen:?}");
    }
}

#[test]
fn the_site_has_its_name_and_a_name_is_text() {
    let named = |name: &str| {
        let site_name = Some(name.to_owned());
        let server = TestServer::with(HttpConfig { site_name, ..HttpConfig::default() });
        [text(&server.get("/")), text(&server.get("/display"))]
    };
    let told = "<title>Q &amp; &quot;A&quot; &lt;b&gt; {files}</title>";
    for page in named("Q & \"A\" <b> {files}") {
        assert!(page.contains(told), "{page}");
        assert!(!page.contains("<b>"), "{page}");
    }
    assert!(text(&TestServer::start().get("/")).contains("<title>SmartPark</title>"));
}

#[test]
fn what_the_page_will_import_is_named_ahead() {
    let server = TestServer::start();
    let named = links(&text(&server.get("/")));
    for link in named.iter().filter(|link| link.ends_with(".js")) {
        for imported in imports(link, &text(&server.get(link))) {
            assert!(named.contains(&imported), "{link} imports {imported}");
        }
    }
}

#[test]
fn the_first_load_is_light() {
    let server = TestServer::start();
    let gzip = [("accept-encoding", "gzip")];
    let load = |path: &str| {
        let file = server.send("GET", path, &gzip, b"");
        assert_eq!(file.header("content-encoding"), "gzip", "{path}");
        file.bytes.len()
    };
    let files: usize = links(&text(&server.get("/"))).iter().map(|link| load(link)).sum();
    let total = load("/") + files;
    println!("{total} bytes");
    assert!(total < FIRST_LOAD, "{total} bytes");
}

#[test]
fn every_file_of_the_page_is_in_the_binary() {
    let folder =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../smartpark-server/src/dashboard");
    let server = TestServer::start();
    let html = text(&server.get("/"));
    let some = links(&html).into_iter().next().unwrap();
    let version = some.split('/').nth(2).unwrap().to_owned();
    let mut open = vec![folder.clone()];
    let mut files = 0;
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
            continue;
        }
        let name = path.strip_prefix(&folder).unwrap().to_str().unwrap().replace('\\', "/");
        // The pages themselves, and what only the type checker reads.
        if ["index.html", "display.html"].contains(&name.as_str()) || name.ends_with(".d.ts") {
            continue;
        }
        files += 1;
        let served = server.get(&format!("/page/{version}/{name}"));
        assert_eq!(
            served.status, 200,
            "{name} is not listed in crates/smartpark-server/src/dashboard.rs"
        );
        assert!(served.bytes == fs::read(&path).unwrap(), "{name}");
    }
    assert!(files > 40, "{files}");
}

#[test]
fn every_kind_that_the_interface_tells_has_words() {
    let document = serde_json::to_value(smartpark::http::openapi()).unwrap();
    let kinds = |schema: &str| -> Vec<String> {
        let words = document["components"]["schemas"][schema]["enum"].as_array();
        let words = words.unwrap_or_else(|| panic!("no list of words in {schema}"));
        words.iter().map(|word| word.as_str().unwrap().to_owned()).collect()
    };
    let changes = kinds("ChangeKind").into_iter().map(|kind| format!("'change.kind.{kind}'"));
    // Full is a state of the floors' cards, no notice. What devices say is told as they say it.
    let untold = ["floor_full", "floor_nearly_full", "not_counted"];
    let needs = kinds("AttentionKind").into_iter().filter(|kind| !untold.contains(&kind.as_str()));
    let needs = needs.map(|kind| format!("'need.{kind}."));
    let wanted: Vec<String> = changes.chain(needs).collect();
    let folder =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../smartpark-server/src/dashboard/texts");
    for language in ["en.js", "de.js"] {
        let texts = fs::read_to_string(folder.join(language)).unwrap();
        let missing: Vec<&String> = wanted.iter().filter(|key| !texts.contains(*key)).collect();
        assert!(missing.is_empty(), "{language} has no words for {missing:?}");
    }
}

#[test]
fn a_page_from_before_an_update_gets_the_files_of_now_and_does_not_keep_them() {
    let server = TestServer::start();
    let old = server.get("/page/0123456789abcdef/app.js");
    assert_eq!((old.status, old.header("cache-control")), (200, "no-cache"));
    let known = [("if-none-match", old.header("etag"))];
    let again = server.send("GET", "/page/0123456789abcdef/app.js", &known, b"");
    assert_eq!((again.status, again.bytes.len()), (304, 0));
    assert_eq!(server.get("/page/0123456789abcdef/none.js").status, 404);
}
