//! The rules for names: those of migrations, and those that documents speak of.

use std::collections::BTreeSet;

use super::File;

/// The migrations that break the numbering from 0001, or the form of its names.
pub(super) fn misnumbered(names: &[String]) -> Vec<String> {
    let fits = |(i, name): &(usize, &String)| {
        let stem = name.strip_suffix(".sql").and_then(|stem| stem.split_once('_'));
        stem.is_some_and(|(number, words)| {
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            number == format!("{:04}", i + 1) && !words.is_empty() && words.chars().all(plain)
        })
    };
    let wrong = names.iter().enumerate().filter(|entry| !fits(entry));
    wrong.map(|(i, name)| format!("{name}: expected {:04}_lower_case_words.sql", i + 1)).collect()
}

/// The paths that `document` names, in backticks or in a code block, and that are not there.
pub(super) fn dead_paths(document: &File, known: &BTreeSet<&str>) -> Vec<String> {
    let mut faults = Vec::new();
    let mut in_block = false;
    for (i, line) in document.text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            in_block = !in_block;
            continue;
        }
        let words: Vec<&str> = if in_block {
            line.split_whitespace().map(|word| word.trim_end_matches([',', ';', ':'])).collect()
        } else {
            line.split('`').skip(1).step_by(2).collect()
        };
        for path in words.iter().filter(|word| is_path(word)).flat_map(|word| expand(word)) {
            if !exists(&path, known) {
                faults.push(format!("{}:{}: `{path}` does not exist", document.path, i + 1));
            }
        }
    }
    faults
}

/// Whether a word in a document means a file or folder of this repository.
fn is_path(word: &str) -> bool {
    const TOPS: [&str; 9] = [
        "src/",
        "tests/",
        "benches/",
        "examples/",
        "migrations/",
        "scripts/",
        "docs/",
        ".ci/",
        "fuzz/",
    ];
    const ENDINGS: [&str; 5] = [".rs", ".md", ".toml", ".sql", ".sh"];
    // The configuration file of those who run SmartPark.
    const THEIRS: [&str; 1] = ["smartpark.toml"];
    let word = word.trim_start_matches("./");
    let plain = !word.contains(char::is_whitespace) && !word.contains("://");
    let ours = TOPS.iter().any(|top| word.starts_with(top))
        || ENDINGS.iter().any(|end| word.len() > end.len() && word.ends_with(end));
    plain && ours && !word.starts_with('/') && !THEIRS.contains(&word)
}

/// `a/{b,c}.rs` is `a/b.rs` and `a/c.rs`.
fn expand(word: &str) -> Vec<String> {
    let word = word.trim_start_matches("./");
    let Some((before, rest)) = word.split_once('{') else {
        return vec![word.to_owned()];
    };
    let Some((choices, after)) = rest.split_once('}') else {
        return vec![word.to_owned()];
    };
    choices.split(',').map(|choice| format!("{before}{}{after}", choice.trim())).collect()
}

/// Whether a path is there: whole, as a folder, or as the end of one. `*` and `NNNN_name` stand
/// for any name.
fn exists(path: &str, known: &BTreeSet<&str>) -> bool {
    let wanted: Vec<&str> = path.trim_end_matches('/').split('/').collect();
    let fits = |(wanted, part): (&&str, &&str)| {
        wanted.contains('*') || wanted.starts_with("NNNN") || wanted == part
    };
    known.iter().any(|file| {
        let parts: Vec<&str> = file.split('/').collect();
        let mut stretches = parts.windows(wanted.len());
        stretches.any(|stretch| wanted.iter().zip(stretch).all(fits))
    })
}
