//! The goals of the project, measured: every workload beside its limit in interleaved rounds.
//!
//! `cargo bench --bench goals` prints the whole table; `-- --help` what can be chosen. What a limit
//! is says the module that makes it: [`limit`] for the HTTP stack, [`raw`] for SQLite, [`plain`]
//! for PostgreSQL, [`peer`] for the public system. Each group proves in the end that its databases
//! hold what was sent, each event once.

mod bulk;
mod chart;
mod cleanup;
mod fold;
mod limit;
mod load;
mod machine;
mod options;
mod peer;
mod plain;
mod postgres;
mod posts;
mod raw;
mod reads;
mod report;
mod servers;
mod size;
mod stored;
mod traffic;
mod watchers;

use std::{fs, process::ExitCode};

use machine::Machine;
use options::Options;
use report::{Group, Line};

// As the program's: an allocator is part of the stack.
#[global_allocator]
static GLOBAL: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What a group of workloads came to.
#[derive(Debug, Default)]
struct Found {
    lines: Vec<Line>,
    /// Rows that are not there, and why.
    skipped: Vec<String>,
}

/// A group of workloads that share what they stand on.
type Measure = fn(&Options) -> Found;

/// In the order of the table.
const GROUPS: [(&str, Measure); 10] = [
    ("posts", posts::measure),
    ("batches", bulk::batches),
    ("import", bulk::import),
    ("fold", fold::measure),
    ("reads", reads::measure),
    ("stored", stored::measure),
    ("cleanup", cleanup::measure),
    ("watchers", watchers::measure),
    ("postgres", postgres::measure),
    ("size", size::measure),
];

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() == Some(limit::ARGUMENT) {
        limit::serve(arguments.collect());
        return ExitCode::SUCCESS;
    }
    let options = match Options::read(&GROUPS.map(|(name, _)| name)) {
        Ok(options) => options,
        Err(complaint) => {
            eprintln!("{complaint}");
            return ExitCode::FAILURE;
        }
    };
    let results = options.results();
    fs::create_dir_all(&results).expect("the target folder can be written");
    if !options.print_only {
        run(&options);
    }
    let groups = stored_results(&options);
    if options.quick {
        let lines: usize = groups.iter().map(|group| group.lines.len()).sum();
        println!(
            "{lines} comparisons ran, and what was sent is stored; such a look has no figures"
        );
    } else {
        println!("{}", report::table(&groups));
    }
    fs::write(results.join("goals.svg"), chart::draw(&groups)).expect("the folder was made");
    if options.docs {
        publish(&groups);
    }
    ExitCode::SUCCESS
}

/// Runs the chosen groups and keeps what they come to.
fn run(options: &Options) {
    let machine = Machine::look(options.folder().path());
    eprintln!("{}", machine.text());
    for (name, measure) in GROUPS {
        if !options.only.is_empty() && !options.only.iter().any(|only| only == name) {
            continue;
        }
        eprintln!("measuring: {name}");
        let Found { lines, mut skipped } = measure(options);
        // What the kernel of this machine does not tell.
        let (lines, unknown): (Vec<_>, Vec<_>) = lines.into_iter().partition(Line::is_known);
        skipped.extend(unknown.into_iter().map(|line| line.workload));
        let group = Group {
            name: name.to_owned(),
            machine: machine.clone(),
            rounds: options.rounds,
            seconds: options.seconds,
            rows: options.rows,
            lines,
            skipped,
        };
        if !options.quick {
            eprint!("{}", report::table(std::slice::from_ref(&group)));
        }
        let text = serde_json::to_string_pretty(&group).expect("they are numbers and texts");
        let path = options.results().join(format!("{name}.json"));
        fs::write(path, text).expect("the target folder can be written");
    }
}

/// The results that lie there, of this and of earlier runs.
fn stored_results(options: &Options) -> Vec<Group> {
    let chosen =
        |name: &&str| options.only.is_empty() || options.only.iter().any(|only| only == name);
    let names = GROUPS.iter().map(|(name, _)| *name).filter(chosen);
    let read = |name| fs::read(options.results().join(format!("{name}.json"))).ok();
    names.filter_map(read).filter_map(|text| serde_json::from_slice(&text).ok()).collect()
}

/// Puts the table and the chart into the documents.
fn publish(groups: &[Group]) {
    const BEGIN: &str = "<!-- goals: begin -->\n";
    const END: &str = "<!-- goals: end -->";
    let docs = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs");
    let path = format!("{docs}/performance.md");
    let page = fs::read_to_string(&path).expect("the page is there");
    let (before, rest) = page.split_once(BEGIN).expect("the page has a place for the table");
    let (_, after) = rest.split_once(END).expect("the place ends");
    let table = report::markdown(groups);
    fs::write(&path, format!("{before}{BEGIN}\n{table}\n{END}{after}")).expect("it is a file");
    let chart = format!("{docs}/performance.svg");
    fs::write(chart, chart::draw(groups)).expect("the folder is there");
}
