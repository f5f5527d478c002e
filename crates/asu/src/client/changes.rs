//! A change of the package list in words.

use asu_core::{ChangeKind, PackageChange};
use serde::Deserialize;
use serde_json::Value;

use crate::output::{Output, Style, harmless};

/// `auc → owut  (auc was replaced by owut)`; a change of a kind that this client does not know is shown as it came.
pub(crate) fn sentence_of(change: &Value, output: &Output) -> String {
    let Ok(PackageChange { kind, reason, automatic: _ }) = PackageChange::deserialize(change) else {
        return harmless(&change.to_string());
    };
    let what = match kind {
        ChangeKind::Migration { action: _, from_package, to_package } => format!("{from_package} → {to_package}"),
        ChangeKind::Addition { action: _, package } => format!("+ {package}"),
        ChangeKind::Removal { action: _, package } => format!("- {package}"),
    };
    let reason = harmless(&reason);
    if reason.is_empty() {
        return output.paint(Style::Bold, &what);
    }
    format!("{}  {}", output.paint(Style::Bold, &what), output.paint(Style::Faint, &format!("({reason})")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_kind_of_change_is_told() {
        let output = Output::new(false, true);
        let migration = json!({"type": "migration", "action": "replace", "from_package": "auc", "to_package": "owut",
            "reason": "renamed", "automatic": true, "new_key": 1});
        let addition = json!({"type": "addition", "action": "add", "package": "a", "reason": "", "automatic": true});
        let removal =
            json!({"type": "removal", "action": "remove", "package": "b", "reason": "gone", "automatic": true});
        for (change, words) in [
            (migration, "auc → owut  (renamed)"),
            (addition, "+ a"),
            (removal, "- b  (gone)"),
            (json!({"type": "split"}), r#"{"type":"split"}"#),
        ] {
            assert_eq!(sentence_of(&change, &output), words);
        }
    }
}
