//! What the statistics remember of a build that failed.

use asu_core::BuildFailure;
use serde::Deserialize;

use crate::UnixMillis;

/// The longest text of a failure that is remembered, in characters.
const MAX_DETAIL: usize = 400;

/// A build that failed, without anything that says whose it was. The texts hold names that clients sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailureNote {
    /// When it failed.
    pub at: UnixMillis,
    /// The version that was to be built.
    pub version: String,
    /// The target.
    pub target: String,
    /// The profile.
    pub profile: String,
    /// [`BuildFailure::kind`]
    pub kind: String,
    /// Why it failed, in the words that its client was told; the beginning of them if they are long.
    pub detail: String,
}

/// As `counting.lua` writes it: a build that is given up fails without anybody who knows the words.
#[derive(Deserialize)]
struct Written {
    at: u64,
    version: String,
    target: String,
    profile: String,
    kind: String,
    #[serde(default)]
    detail: String,
    attempts: Option<u32>,
}

impl FailureNote {
    /// `None` if this version cannot read it.
    pub(crate) fn parse(json: &str) -> Option<Self> {
        let Written { at, version, target, profile, kind, detail, attempts } = serde_json::from_str(json).ok()?;
        let detail = attempts.map_or(detail, |attempts| BuildFailure::GaveUp { attempts }.to_string());
        Some(Self { at: UnixMillis::new(at), version, target, profile, kind, detail })
    }
}

/// The words of a failure, cut to a length that is remembered.
pub(crate) fn render_detail(failure: &BuildFailure) -> String {
    let detail = failure.to_string();
    match detail.char_indices().nth(MAX_DETAIL) {
        Some((end, _)) => format!("{}…", &detail[..end]),
        None => detail,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_between_characters() {
        let conflicts = vec!["ä".repeat(1000)];
        let detail = render_detail(&BuildFailure::ImpossiblePackages { missing: Vec::new(), conflicts });
        assert_eq!(detail.chars().count(), MAX_DETAIL + 1);
        assert!(detail.ends_with("ä…"), "{detail}");
        assert_eq!(render_detail(&BuildFailure::NoJson), "Error: No JSON file found");
    }

    #[test]
    fn a_build_that_was_given_up_gets_its_words_when_it_is_read() {
        let json = r#"{"at":1.7e12,"version":"24.10.4","target":"x86/64","profile":"p","kind":"gave_up","attempts":3}"#;
        assert_eq!(FailureNote::parse(json), None, "no number of milliseconds");
        let note = FailureNote::parse(&json.replace("1.7e12", "1700000000000")).unwrap();
        assert_eq!(note.detail, BuildFailure::GaveUp { attempts: 3 }.to_string());
        assert_eq!(note.at.get(), 1_700_000_000_000);
    }
}
