//! Reads the fields of a JSON object one by one, in the forms that clients send them, and collects every fault.

use serde_json::{Map, Value};

use crate::fault::{Fault, Faults};

/// The fields of a request, read one by one.
pub(crate) struct Fields<'a> {
    object: &'a Map<String, Value>,
    faults: Vec<Fault>,
}

impl<'a> Fields<'a> {
    pub(crate) fn new(object: &'a Map<String, Value>) -> Self {
        Self { object, faults: Vec::new() }
    }

    /// The faults found so far, if any.
    pub(crate) fn into_faults(self) -> Option<Faults> {
        Faults::from_list(self.faults)
    }

    pub(crate) fn fault(&mut self, place: &[Value], kind: &'static str, msg: impl Into<String>, input: &Value) {
        /// More faults than this help nobody and make the answer long.
        const MOST_FAULTS: usize = 50;
        if self.faults.len() < MOST_FAULTS {
            self.faults.push(Fault::new(place, kind, msg, input));
        }
    }

    /// A field that must be there.
    pub(crate) fn required<T, E: std::fmt::Display>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        if !self.object.contains_key(name) {
            self.fault(&[name.into()], "missing", "field required", &Value::Null);
        }
        self.text(name, parse)
    }

    /// A text that may be absent, but not null.
    pub(crate) fn text<T, E: std::fmt::Display>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let value = self.object.get(name)?;
        self.parse_text(&[name.into()], value, parse)
    }

    /// A text that may be absent or null.
    pub(crate) fn nullable_text<T, E: std::fmt::Display>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        if self.object.get(name)?.is_null() { None } else { self.text(name, parse) }
    }

    /// Reads a value at any depth as a text of some type.
    pub(crate) fn parse_text<T, E: std::fmt::Display>(
        &mut self,
        place: &[Value],
        value: &Value,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let Some(text) = value.as_str() else {
            self.fault(place, "string_type", "expected a string", value);
            return None;
        };
        match parse(text) {
            Ok(parsed) => Some(parsed),
            Err(error) => {
                self.fault(place, "string_pattern_mismatch", error.to_string(), value);
                None
            }
        }
    }

    /// A list of at most `most` entries; an absent one is empty.
    pub(crate) fn list(&mut self, name: &str, what: &str, most: usize) -> &'a [Value] {
        let Some(value) = self.object.get(name) else { return &[] };
        let Some(list) = value.as_array() else {
            self.fault(&[name.into()], "list_type", format!("expected a list of {what}"), value);
            return &[];
        };
        if list.len() > most {
            let msg = format!("at most {most} {what} are allowed, not {}", list.len());
            self.fault(&[name.into()], "too_long", msg, value);
            return &[];
        }
        list
    }

    /// An object of at most `most` entries; an absent one is empty.
    pub(crate) fn object(
        &mut self,
        name: &str,
        most: usize,
    ) -> impl Iterator<Item = (&'a String, &'a Value)> + use<'a> {
        let entries = self.object.get(name).and_then(|value| match value.as_object() {
            Some(object) if object.len() <= most => Some(object),
            Some(object) => {
                let msg = format!("at most {most} entries are allowed, not {}", object.len());
                self.fault(&[name.into()], "too_long", msg, value);
                None
            }
            None => {
                self.fault(&[name.into()], "dict_type", "expected an object", value);
                None
            }
        });
        entries.into_iter().flatten()
    }

    /// True and false in every spelling that clients use; an absent one is false.
    pub(crate) fn flag(&mut self, name: &str) -> bool {
        let Some(value) = self.object.get(name) else { return false };
        let flag = match value {
            Value::Bool(flag) => Some(*flag),
            Value::Number(number) => match number.as_f64() {
                Some(1.0) => Some(true),
                Some(0.0) => Some(false),
                _ => None,
            },
            Value::String(word) => match word.to_ascii_lowercase().as_str() {
                "true" | "t" | "yes" | "y" | "on" | "1" => Some(true),
                "false" | "f" | "no" | "n" | "off" | "0" => Some(false),
                _ => None,
            },
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        };
        flag.unwrap_or_else(|| {
            self.fault(&[name.into()], "bool_parsing", "expected true or false", value);
            false
        })
    }

    /// A whole number of 1 to `most`: as an integer, a float without fraction or a text; absent or null for none.
    pub(crate) fn positive(&mut self, name: &str, most: u32) -> Option<u32> {
        let value = self.object.get(name)?;
        let number = match value {
            Value::Null => return None,
            Value::Number(number) => number.as_f64(),
            Value::String(text) => text.trim().parse::<u32>().ok().map(f64::from),
            Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        };
        match number {
            Some(number) if number.fract() == 0.0 && (1.0..=f64::from(most)).contains(&number) =>
            {
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "whole, and from 1 to a u32"
                )]
                Some(number as u32)
            }
            _ => {
                self.fault(&[name.into()], "int_parsing", format!("expected a whole number from 1 to {most}"), value);
                None
            }
        }
    }
}
