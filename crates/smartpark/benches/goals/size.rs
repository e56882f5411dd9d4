//! How large it is: the program on disk, and a server that has nothing to do.

use std::{fs, time::Duration};

use crate::{
    Found, load,
    options::Options,
    report::{Goal, Line, Side, Unit},
    servers::{PROGRAM, Server, sqlite},
};

/// How long a server has had nothing to do when it is looked at.
const REST: Duration = Duration::from_millis(500);

pub(crate) fn measure(options: &Options) -> Found {
    let size = fs::metadata(PROGRAM).expect("cargo has built it").len();
    let size = Side::of("SmartPark", Unit::Megabytes, size as f64 / 1e6);
    let folder = options.folder();
    let mut memory = Side::new("SmartPark", Unit::Megabytes);
    for round in 0..options.rounds {
        let server = Server::smartpark(&sqlite(folder.path(), &format!("idle{round}"))).ready();
        for path in ["/floors", "/statistics?hours=24", "/events"] {
            load::get(server.address, path).expect("the server answers");
        }
        std::thread::sleep(REST);
        memory.rounds.push(server.memory("VmRSS") / 1e6);
        server.stop();
    }
    let build = "a cold release build is measured by hand: docs/performance.md says how";
    let lines = vec![
        Line::figure("program", size, Goal::AtMost(25.0)).note(build),
        Line::figure("idle memory", memory, Goal::AtMost(25.0)),
    ];
    Found { lines, skipped: Vec::new() }
}
