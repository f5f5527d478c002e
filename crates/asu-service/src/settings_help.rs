//! All settings as the end of `--help`: the annotated defaults themselves, with the name of each environment variable.

use asu_config::DEFAULTS;

/// Every key with its default, its comment and its environment variable, rendered from the embedded defaults.
pub fn settings_help() -> String {
    let lines = DEFAULTS.lines().map(|line| match key_of(line) {
        Some(key) => format!("{line}  [env: {}]", key.to_ascii_uppercase()),
        None => line.to_owned(),
    });
    let lines: Vec<String> = lines.collect();
    format!(
        "Settings, by file (--config FILE, or asu.toml in the working directory) and environment:\n\n{}",
        lines.join("\n")
    )
}

/// The key of a line `key = value`; continuation lines, comments and tables have none.
fn key_of(line: &str) -> Option<&str> {
    let (key, _) = line.split_once(" = ")?;
    let plain = !key.is_empty() && key.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    plain.then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_listed_with_its_default_and_variable() {
        let help = settings_help();
        let keys: Vec<&str> = DEFAULTS.lines().filter_map(key_of).collect();
        assert!(keys.len() > 20, "{keys:?}");
        assert!(help.contains("\nlog_level = \"INFO\"  [env: LOG_LEVEL]\n"), "{help}");
        for key in keys {
            assert!(help.contains(&format!("[env: {}]", key.to_ascii_uppercase())), "{key}");
        }
    }
}
