//! P: the public system of the design, in `benches/peer`. Its packages are installed into a
//! folder of their own under the target folder, once.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use crate::{load, machine::cores, servers::Server};

const APP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/peer");

/// Starts the peer on a new database in `folder`, with a worker for each core.
///
/// # Errors
/// Why it is not there, in words for the table.
pub(crate) fn start(folder: &Path) -> Result<Server, String> {
    let python = install()?;
    let database = folder.join("peer.sqlite");
    let command = |arguments: &[&str]| {
        let mut command = Command::new(&python);
        command.args(arguments).current_dir(APP).env("PEER_DATABASE", &database);
        // Nothing of it is to lie among the sources.
        command.env("PYTHONDONTWRITEBYTECODE", "1");
        command
    };
    succeed(command(&["app.py"]).output())?;
    let workers = cores().to_string();
    Ok(Server::start(command(&[
        "-m",
        "uvicorn",
        "app:app",
        "--port=0",
        "--no-access-log",
        "--loop=uvloop",
        "--http=httptools",
        "--workers",
        &workers,
    ]))
    .ready())
}

/// How many events it holds.
pub(crate) fn rows(peer: &Server) -> u64 {
    let rows = load::get(peer.address, "/rows").expect("the peer answers");
    String::from_utf8_lossy(&rows).trim().parse().expect("it is a number")
}

/// The interpreter of an environment that has what the peer needs.
fn install() -> Result<PathBuf, String> {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("peer");
    let (python, wanted) = (home.join("bin/python"), Path::new(APP).join("requirements.txt"));
    let (done, wants) = (home.join("installed.txt"), fs::read(&wanted).unwrap_or_default());
    if fs::read(&done).is_ok_and(|has| has == wants) {
        return Ok(python);
    }
    eprintln!("installing the packages of the peer into {}", home.display());
    succeed(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&home).output())?;
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip", "install", "--quiet", "-r"]).arg(&wanted);
    succeed(pip.output())?;
    fs::write(done, wants).map_err(|error| error.to_string())?;
    Ok(python)
}

fn succeed(ran: std::io::Result<Output>) -> Result<(), String> {
    let missing = |error| format!("the peer needs python3 with venv: {error}");
    let output = ran.map_err(missing)?;
    if output.status.success() {
        return Ok(());
    }
    let complaint = String::from_utf8_lossy(&output.stderr);
    let last = complaint.lines().next_back().unwrap_or("no word");
    Err(format!("the peer could not be set up (it needs PyPI once): {last}"))
}
