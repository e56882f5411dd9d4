//! The files that people write in this repository, as the rules read them.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// A file: its path from the root, with `/`, and its text.
pub(super) struct File {
    pub(super) path: String,
    pub(super) text: String,
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every text file that people write here: not what is built, and not what others wrote.
pub(super) fn repository() -> Vec<File> {
    let folders = [
        "clients",
        "crates",
        "tests",
        "examples",
        "scripts",
        "docs",
        ".ci",
        ".config",
        "fuzz/src",
        "fuzz/fuzz_targets",
    ];
    let mut paths: Vec<PathBuf> = read_folder(&root());
    paths.retain(|path| path.is_file());
    let mut open: Vec<PathBuf> = folders.iter().map(|folder| root().join(folder)).collect();
    while let Some(folder) = open.pop() {
        let (folders, files): (Vec<_>, Vec<_>) =
            read_folder(&folder).into_iter().partition(|path| path.is_dir());
        open.extend(folders);
        paths.extend(files);
    }
    let files = paths.iter().filter_map(|path| {
        let name = path.strip_prefix(root()).ok()?.to_str()?.replace('\\', "/");
        let text = if is_ours(&name) { fs::read_to_string(path).ok()? } else { String::new() };
        Some(File { path: name, text })
    });
    files.collect()
}

fn is_ours(path: &str) -> bool {
    let endings = [".rs", ".md", ".toml", ".sql", ".sh", ".yml", ".html", ".css", ".js", ".mjs"];
    let script = [".ci/", "scripts/"].iter().any(|folder| path.starts_with(folder));
    let written = script || endings.iter().any(|ending| path.ends_with(ending));
    let theirs = ["/vendor/", "/node_modules/", ".min."];
    written && !theirs.iter().any(|mark| path.contains(mark))
}

fn read_folder(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    entries.filter_map(Result::ok).map(|entry| entry.path()).collect()
}

impl File {
    /// Whether the name ends in `.` and this.
    pub(super) fn is(&self, ending: &str) -> bool {
        Path::new(&self.path).extension().is_some_and(|found| found == ending)
    }

    /// The lines that are `wrong`, each with the `fault`.
    pub(super) fn lines_where(
        &self,
        wrong: impl Fn(&str) -> bool,
        fault: &str,
    ) -> Vec<(usize, String)> {
        let lines = self.text.lines().enumerate();
        lines
            .filter(|(_, line)| wrong(line))
            .map(|(i, line)| (i + 1, format!("{fault}: {}", line.trim())))
            .collect()
    }

    /// The lines that hold one of the `marks`, each with the `fault`.
    pub(super) fn lines_with(&self, marks: &[&str], fault: &str) -> Vec<(usize, String)> {
        let marked = |line: &str| marks.iter().any(|mark| line.contains(mark));
        self.lines_where(marked, fault)
    }
}
