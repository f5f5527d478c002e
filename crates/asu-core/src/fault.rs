//! What is wrong with the form of a request: every fault of it, each with its place.

use std::fmt;

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// One fault of a request.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Fault {
    /// Where: `["body", "packages", 3]`; names that the client chose are shortened if they are long.
    pub loc: Vec<Value>,
    /// A name for scripts, `string_type`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// What was expected there, in words.
    pub msg: String,
    /// What was found there, shortened if it is long.
    pub input: Value,
}

/// The longest text of a client that is repeated to it, in characters.
const LONGEST_INPUT: usize = 200;

impl Fault {
    /// A fault at a place below the body.
    pub(crate) fn new(place: &[Value], kind: &'static str, msg: impl Into<String>, input: &Value) -> Self {
        let loc = [Value::from("body")].into_iter().chain(place.iter().map(shortened)).collect();
        Self { loc, kind, msg: msg.into(), input: shortened(input) }
    }

    /// `packages.3`, or `body` for the whole of it.
    fn place(&self) -> String {
        let names: Vec<_> = self.loc.iter().skip(1).map(plain).collect();
        if names.is_empty() { "body".to_owned() } else { names.join(".") }
    }
}

/// Every fault of a request; never empty.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Faults(Vec<Fault>);

impl Faults {
    /// Nothing to return if there is nothing wrong.
    pub(crate) fn from_list(faults: Vec<Fault>) -> Option<Self> {
        (!faults.is_empty()).then_some(Self(faults))
    }

    pub(crate) fn single(fault: Fault) -> Self {
        Self(vec![fault])
    }

    /// All of them, in the order of the fields.
    pub fn iter(&self) -> impl Iterator<Item = &Fault> {
        self.0.iter()
    }

    /// The value that the first fault is about, as a plain text.
    pub fn offending_value(&self) -> String {
        self.0.first().map(|fault| plain(&fault.input)).unwrap_or_default()
    }
}

/// The first fault, and how many more there are.
impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(fault) = self.0.first() {
            write!(f, "{}: {}", fault.place(), fault.msg)?;
        }
        match self.0.len() {
            0 | 1 => Ok(()),
            2 => f.write_str(" (and 1 more fault)"),
            count => write!(f, " (and {} more faults)", count - 1),
        }
    }
}

impl std::error::Error for Faults {}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}

/// What a client sent is shown to it in part: an answer must not grow with the request.
fn shortened(value: &Value) -> Value {
    let text = plain(value);
    if text.chars().count() <= LONGEST_INPUT {
        return value.clone();
    }
    let start: String = text.chars().take(LONGEST_INPUT).collect();
    Value::String(format!("{start}…"))
}
