//! Taking facts back on the command line.

use super::Folder;

#[test]
fn a_recount_is_taken_back_and_counts_again() {
    let folder = Folder::with_floors(&[("Ground", 50)]);
    folder.run(&["floors", "recount", "Ground", "12", "--reason", "round"]).ok();
    let changes = folder.run(&["changes", "--json"]).ok().json();
    let id = changes["changes"][0]["id"].to_string();
    let preview = folder.run(&["withdraw", "--change", &id, "--preview"]).ok().out;
    assert!(preview.contains("would change by -12 to 0"), "{preview}");
    let args = ["withdraw", "--change", &id, "--reason", "typing error", "--key", "k1", "--json"];
    let done = folder.run(&args).ok().json();
    assert_eq!(folder.run(&args).ok().json(), done, "the same again is the same");
    assert_eq!((&done["changes"], &done["floors"][0]["vehicles"]), (&1.into(), &0.into()));
    let listed = folder.run(&["withdraw", "--list"]).ok().out;
    assert!(listed.contains("typing error"), "{listed}");
    let id = done["id"].to_string();
    let back = folder.run(&["withdraw", "--withdrawal", &id, "--reason", "it was right"]).ok().out;
    assert!(back.contains("changed by +12 to 12"), "{back}");
}
