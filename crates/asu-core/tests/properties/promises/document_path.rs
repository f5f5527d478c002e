//! What holds of every path that names a document.

use asu_core::DocumentPath;

/// A path that is taken has no part that leads elsewhere, and is the only path of its document.
pub(crate) fn check(path: &str) {
    let Some(document) = DocumentPath::parse(path) else { return };
    assert!(path.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.,+-/".contains(&b)), "{path:?}");
    assert!(path.split('/').all(|part| !matches!(part, "" | "." | "..")), "{path:?}");
    let (version, name, rest) = match &document {
        DocumentPath::Profile { version, target, profile } => {
            (version, profile.as_str(), format!("targets/{target}/{profile}.json"))
        }
        DocumentPath::TargetIndex { version, target } => (version, "index", format!("targets/{target}/index.json")),
        DocumentPath::ArchIndex { version, arch } => (version, arch.as_str(), format!("packages/{arch}-index.json")),
    };
    assert!(!matches!(name, "." | ".."), "{path:?}");
    let directory = match version.as_str() {
        "SNAPSHOT" => "snapshots".to_owned(),
        version => format!("releases/{version}"),
    };
    assert_eq!(format!("{directory}/{rest}"), path);
}
