//! What the server says would become of a request.

use serde_json::{Map, Value};

use crate::{
    client::{answer::Answer, changes::sentence_of},
    output::{Output, Style, harmless},
};

/// The answer to `POST /api/v1/build/prepare`.
#[derive(Debug)]
pub(crate) struct Prepared {
    /// The hash of the build that the prepared request asks for.
    pub(crate) request_hash: Option<String>,
    /// Each change of the package list.
    pub(crate) changes: Vec<Value>,
    /// The request that is ready to be built.
    pub(crate) request: Value,
    requested: Vec<String>,
    resolved: Vec<String>,
    remarks: Vec<String>,
}

impl Prepared {
    /// Reads a 200; nothing if it holds no prepared request.
    pub(crate) fn of(answer: &Answer) -> Option<Self> {
        let request: Map<String, Value> = answer.get("prepared_request")?;
        let remarks = ["problems", "warnings"].into_iter().filter_map(|key| answer.get::<Vec<Value>>(key)).flatten();
        Some(Self {
            request_hash: answer.request_hash(),
            changes: answer.get("changes").unwrap_or_default(),
            request: request.into(),
            requested: answer.get("original_packages").unwrap_or_default(),
            resolved: answer.get("resolved_packages").unwrap_or_default(),
            remarks: remarks.map(|remark| words_of(&remark)).collect(),
        })
    }

    /// Everything, as the result of `asu prepare`.
    pub(crate) fn print(&self, output: &Output) {
        output.say(&format!("requested  {}", list(&self.requested)));
        output.say(&format!("resolved   {}", list(&self.resolved)));
        self.print_changes(output);
        if let Some(hash) = &self.request_hash {
            output.say(&format!("hash       {hash}"));
        }
    }

    /// What differs from what was asked for, for somebody who decides about it.
    pub(crate) fn print_changes(&self, output: &Output) {
        if self.changes.is_empty() {
            output.say("changes    none");
        }
        for (number, change) in self.changes.iter().enumerate() {
            let label = if number == 0 { "changes    " } else { "           " };
            output.say(&format!("{label}{}", sentence_of(change, output)));
        }
        for remark in &self.remarks {
            output.say(&format!("{}    {}", output.paint(Style::Odd, "warning"), harmless(remark)));
        }
    }
}

fn list(packages: &[String]) -> String {
    if packages.is_empty() { "(none)".to_owned() } else { harmless(&packages.join(" ")) }
}

fn words_of(remark: &Value) -> String {
    let keys = ["detail", "message", "msg", "reason"];
    let words = remark.as_str().or_else(|| keys.into_iter().find_map(|key| remark.get(key)?.as_str()));
    words.map_or_else(|| remark.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_without_a_prepared_request_is_none() {
        let answer = Answer::new(200, None, r#"{"status":"prepared"}"#);
        assert!(Prepared::of(&answer).is_none());
    }

    #[test]
    fn remarks_of_any_form_are_told() {
        let body =
            r#"{"prepared_request":{},"warnings":["a",{"detail":"b"},{"x":1}],"problems":[{"message":"c"}],"new":1}"#;
        let prepared = Prepared::of(&Answer::new(200, None, body)).unwrap();
        assert_eq!(prepared.remarks, ["c", "a", "b", r#"{"x":1}"#]);
    }
}
