//! What the settings say that means nothing. That they do not contradict each other is checked where they are loaded.

use asu_config::Settings;

use crate::doctor::finding::Finding;

/// One warning per thing, or one line that all is well.
pub(super) fn check_settings(settings: &Settings) -> Vec<Finding> {
    let warnings = settings.warnings();
    if warnings.is_empty() {
        return vec![Finding::ok("settings", "understood, without contradictions")];
    }
    let remedy = "correct the name or remove it; `asu serve --help` lists all settings";
    warnings.iter().map(|warning| Finding::warning("settings", warning, remedy)).collect()
}
