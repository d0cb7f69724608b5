//! Quotations: spans of documents that only the user has. A package points
//! into them; what stands there is cut out of the user's own copy, and only if
//! that copy is, byte for byte, the one that the package means.

use serde_json::Value;
use strict::Text;

/// A citation that points into a declared document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quotation {
    /// The kind of record that it stands in: `provision`, `commitment`, ...
    pub kind: String,
    /// The record's id; empty if it has none.
    pub id: String,
    /// The field, with the indices on the way to it: `in_force.0.citation`.
    pub field: String,
    /// Id of the document.
    pub document: String,
    /// First Unicode code point and the one after the last; none if it points
    /// at the document as a whole.
    pub span: Option<(usize, usize)>,
}

/// All quotations of a package, in the order of its kinds and records. Empty
/// for a manifest that cannot be read.
pub fn quotations(manifest: &Text) -> Vec<Quotation> {
    let mut found = Vec::new();
    let Ok(Value::Object(kinds)) = manifest.parse::<Value>() else { return found };
    for (kind, records) in &kinds {
        match records {
            Value::Array(records) => {
                for record in records {
                    let id = record.get("id").and_then(Value::as_str).unwrap_or_default();
                    walk(record, (kind, id), &mut Vec::new(), &mut found);
                }
            }
            record => walk(record, (kind, ""), &mut Vec::new(), &mut found),
        }
    }
    found
}

fn walk(
    value: &Value,
    (kind, id): (&str, &str),
    way: &mut Vec<String>,
    found: &mut Vec<Quotation>,
) {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(fields) => {
            if let Some(document) = fields.get("document").and_then(Value::as_str) {
                let number = |index: usize| {
                    let number = fields.get("span")?.get(index)?.as_u64()?;
                    usize::try_from(number).ok()
                };
                found.push(Quotation {
                    kind: kind.to_owned(),
                    id: id.to_owned(),
                    field: way.join("."),
                    document: document.to_owned(),
                    span: number(0).zip(number(1)),
                });
                return;
            }
            fields.iter().map(|(name, child)| (name.clone(), child)).collect()
        }
        Value::Array(items) => {
            items.iter().enumerate().map(|(index, child)| (index.to_string(), child)).collect()
        }
        _ => return,
    };
    for (name, child) in children {
        way.push(name);
        walk(child, (kind, id), way, found);
        way.pop();
    }
}

/// The words of a span.
///
/// # Errors
/// Why they cannot be cut out, in words.
pub fn cut(bytes: &[u8], (from, to): (usize, usize)) -> Result<String, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        format!("the document is no UTF-8 text (byte {} is not)", error.valid_up_to())
    })?;
    let words: String = text.chars().skip(from).take(to.saturating_sub(from)).collect();
    if words.chars().count() < to.saturating_sub(from) {
        return Err(format!(
            "the document ends after {} characters, before the span does",
            text.chars().count()
        ));
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_citation_into_a_document_is_found_with_its_place() {
        let text = Text::new(
            "a",
            r#"
[mechanism]
citation = { document = "d", span = [1, 4] }
[[provision]]
id = "1"
citation = "in words only"
[[provision.in_force]]
from = 2030-01-01T00:00:00Z
citation = { document = "d", text = "para 2" }
"#,
        );
        let found = quotations(&text);
        let told: Vec<_> = found
            .iter()
            .map(|one| (one.kind.as_str(), one.id.as_str(), one.field.as_str(), one.span))
            .collect();
        assert_eq!(
            told,
            [
                ("mechanism", "", "citation", Some((1, 4))),
                ("provision", "1", "in_force.0.citation", None)
            ]
        );
    }

    #[test]
    fn spans_count_characters_and_never_run_over_the_end() {
        let text = "Перемир’я триває".as_bytes();
        assert_eq!(cut(text, (0, 9)).unwrap(), "Перемир’я");
        assert!(cut(text, (10, 99)).unwrap_err().contains("ends after 16 characters"));
        assert!(cut(&[0xff, 0xfe], (0, 1)).unwrap_err().contains("no UTF-8"));
    }
}
