//! The settings as one table: what the defaults say, what the file says instead, what the environment says instead of both.

use std::{collections::BTreeSet, fs, io, path::Path};

use serde::de::DeserializeOwned;
use toml::{Table, Value};

use crate::error::SettingsError;

/// Every key with its default, as operators read it.
pub const DEFAULTS: &str = include_str!("../../../asu.example.toml");

/// The settings file that is read when none is named and it exists.
const DEFAULT_FILE: &str = "asu.toml";

/// Keys that only the reference server knows: accepted, so that its `asu.toml` can be kept.
const OF_THE_REFERENCE: [&str; 2] = ["async_queue", "branches_file"];

/// All settings of a process.
#[derive(Debug, Clone)]
pub struct Settings {
    table: Table,
    chosen: BTreeSet<String>,
    warnings: Vec<String>,
}

impl Settings {
    /// The defaults alone.
    pub fn defaults() -> Self {
        let table = DEFAULTS.parse().expect("the embedded settings are valid TOML, a test reads them");
        Self { table, chosen: BTreeSet::new(), warnings: Vec::new() }
    }

    /// Defaults, then the file (`asu.toml` in the working directory if it is there and none is named), then `variables`.
    ///
    /// # Errors
    /// An unreadable file, one that is no TOML, or an environment variable that does not fit its setting.
    pub fn load(
        file: Option<&Path>,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, SettingsError> {
        let mut settings = Self::defaults();
        if let Some(table) = read_file(file)? {
            settings.merge_file(table);
        }
        settings.merge_environment(variables)?;
        Ok(settings)
    }

    /// Overrides one key; for command-line flags and tests.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.choose(key.to_owned(), value.into());
        self
    }

    /// True if the file, the environment or a flag set this key, be it to the default.
    pub fn is_chosen(&self, key: &str) -> bool {
        self.chosen.contains(key)
    }

    /// The settings that a crate owns.
    ///
    /// # Errors
    /// A value of the wrong type or form; the error names the key.
    pub fn section<T: DeserializeOwned>(&self) -> Result<T, SettingsError> {
        self.table.clone().try_into().map_err(|source| SettingsError::Invalid(Box::new(source)))
    }

    /// One line per thing in the file or the environment that means nothing here.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    fn choose(&mut self, key: String, value: Value) {
        self.chosen.insert(key.clone());
        self.table.insert(key, value);
    }

    fn merge_file(&mut self, table: Table) {
        let (known, unknown): (Vec<_>, Vec<_>) = table.into_iter().partition(|(key, _)| self.table.contains_key(key));
        let (reference, unknown): (Vec<_>, Vec<_>) =
            unknown.into_iter().map(|(key, _)| key).partition(|key| OF_THE_REFERENCE.contains(&key.as_str()));
        for (key, value) in known {
            self.choose(key, value);
        }
        if !reference.is_empty() {
            self.warnings
                .push(format!("settings of the reference server without a meaning here: {}", reference.join(", ")));
        }
        if !unknown.is_empty() {
            self.warnings.push(format!("unknown settings: {}", unknown.join(", ")));
        }
    }

    /// Variables are named as the keys, in upper case.
    fn merge_environment(
        &mut self,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<(), SettingsError> {
        for (name, text) in variables {
            let key = name.to_ascii_lowercase();
            if name == key.to_ascii_uppercase()
                && let Some(default) = self.table.get(&key)
            {
                let value = parse_variable(default, &text)
                    .map_err(|expected| SettingsError::Environment { name: name.clone(), expected })?;
                self.choose(key, value);
            }
        }
        Ok(())
    }
}

fn read_file(file: Option<&Path>) -> Result<Option<Table>, SettingsError> {
    let path = file.unwrap_or(Path::new(DEFAULT_FILE));
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if file.is_none() && error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(SettingsError::Read { path: path.to_owned(), source }),
    };
    match text.parse() {
        Ok(table) => Ok(Some(table)),
        Err(source) => Err(SettingsError::Syntax { path: path.to_owned(), source: Box::new(source) }),
    }
}

/// Reads a variable as the type that the setting's default has; lists and tables are JSON.
fn parse_variable(default: &Value, text: &str) -> Result<Value, &'static str> {
    match default {
        // Texts also hold durations and sizes, which may be plain numbers too.
        Value::String(_) | Value::Datetime(_) => Ok(Value::String(text.to_owned())),
        Value::Integer(_) => text.trim().parse().map(Value::Integer).map_err(|_| "a whole number"),
        Value::Float(_) => text.trim().parse().map(Value::Float).map_err(|_| "a number"),
        Value::Boolean(_) => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Ok(Value::Boolean(true)),
            "false" | "0" | "no" | "off" | "" => Ok(Value::Boolean(false)),
            _ => Err("true or false"),
        },
        Value::Array(_) => serde_json::from_str::<Vec<Value>>(text).map(Value::Array).map_err(|_| "a JSON list"),
        Value::Table(_) => serde_json::from_str::<Table>(text).map(Value::Table).map_err(|_| "a JSON object"),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    struct Section {
        allow_defaults: bool,
        max_defaults_length: u64,
        repository_allow_list: Vec<String>,
        upstream_url: String,
    }

    fn variables(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn file(text: &str) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        file
    }

    #[test]
    fn the_environment_wins_over_the_file_and_the_file_over_the_defaults() {
        let file = file("allow_defaults = true\nmax_defaults_length = 7\n");
        let environment = variables(&[
            ("MAX_DEFAULTS_LENGTH", "9"),
            ("REPOSITORY_ALLOW_LIST", r#"["https://a.example/"]"#),
            ("Allow_Defaults", "0"),
            ("PATH", "/bin"),
        ]);
        let settings = Settings::load(Some(file.path()), environment).unwrap();
        let expected = Section {
            allow_defaults: true,
            max_defaults_length: 9,
            repository_allow_list: vec!["https://a.example/".to_owned()],
            upstream_url: "https://downloads.openwrt.org".to_owned(),
        };
        assert_eq!(settings.section::<Section>().unwrap(), expected);
        assert!(settings.warnings().is_empty());
        assert!(settings.is_chosen("max_defaults_length") && !settings.is_chosen("upstream_url"));
    }

    #[test]
    fn unknown_keys_are_named_in_one_line() {
        let file = file(
            "async_queue = true\nmax_pending_job = 3\nfoo = 1\n[branches.\"24.10\"]\nenabled = false\n[distro.x]\n",
        );
        let settings = Settings::load(Some(file.path()), []).unwrap();
        assert_eq!(
            settings.warnings(),
            [
                "settings of the reference server without a meaning here: async_queue",
                "unknown settings: distro, foo, max_pending_job"
            ]
        );
    }

    #[test]
    fn bad_values_name_their_key() {
        let error = Settings::load(None, variables(&[("ALLOW_DEFAULTS", "maybe")])).unwrap_err();
        assert_eq!(error.to_string(), "the environment variable ALLOW_DEFAULTS must be true or false");
        let file = file("allow_defaults = 3\n");
        let error = Settings::load(Some(file.path()), []).unwrap().section::<Section>().unwrap_err();
        assert!(format!("{:?}", std::error::Error::source(&error)).contains("allow_defaults"), "{error:?}");
        assert!(matches!(Settings::load(Some(Path::new("/nonexistent.toml")), []), Err(SettingsError::Read { .. })));
    }
}
