//! How texts that are checked by a pattern are described in OpenAPI documents.

use utoipa::openapi::{ObjectBuilder, RefOr, Schema, schema::Type};

/// A text of a pattern as it stands in our errors: `\w` is ASCII, and the whole text must match.
pub(crate) fn describe(description: &str, pattern: &str, example: &str) -> RefOr<Schema> {
    let object = ObjectBuilder::new().schema_type(Type::String).description(Some(description));
    object.pattern(Some(spelt_out(pattern))).examples([example]).build().into()
}

/// Not every reader of a pattern takes `\w` for ASCII.
fn spelt_out(pattern: &str) -> String {
    const WORD: &str = "A-Za-z0-9_";
    let in_class = pattern.replace("[\\w", &format!("[{WORD}"));
    format!("^(?:{})$", in_class.replace("\\w", &format!("[{WORD}]")))
}

/// Describes a type that is a checked text.
macro_rules! text_schema {
    ($name:ident, $pattern:expr, $example:literal, $description:expr) => {
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                crate::text_schema::describe($description, $pattern, $example)
            }
        }

        impl utoipa::ToSchema for $name {}
    };
}

pub(crate) use text_schema;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn patterns_are_whole_and_ascii() {
        let schema = json!(describe("A name.", "[\\w.-]+", "a-1"));
        let expected = json!({"type": "string", "description": "A name.", "pattern": "^(?:[A-Za-z0-9_.-]+)$", "examples": ["a-1"]});
        assert_eq!(schema, expected);
        assert_eq!(spelt_out(r"\w*/\w*"), "^(?:[A-Za-z0-9_]*/[A-Za-z0-9_]*)$");
    }
}
