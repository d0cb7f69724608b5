//! # strict: TOML with errors that a person can act on
//!
//! What this is: the one way in which agreement packages, cases and mappings
//! are read. Every key must be known; an error says what is wrong, in which
//! file, line and column, shows the line, and says what to do.
//!
//! What it may touch: nothing; text in, values or a [`Diagnostic`] out.
//!
//! Entry point: [`Text::parse`].
//!
//! ```
//! #[derive(serde::Deserialize, Debug)]
//! #[serde(deny_unknown_fields)]
//! struct Zone { width_km: f64 }
//!
//! let text = strict::Text::new("zone.toml", "widht_km = 15.0\n");
//! let error = text.parse::<Zone>().unwrap_err().to_string();
//! assert!(error.contains("zone.toml:1:1"));
//! assert!(error.contains("did you mean `width_km`?"));
//! ```

use std::fmt;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use serde::de::DeserializeOwned;
pub use toml::Spanned;
use toml::de::{DeTable, DeValue};

mod moment;

pub use moment::Moment;

/// A TOML text and the name under which errors speak of it.
#[derive(Clone, Debug)]
pub struct Text {
    name: String,
    content: String,
}

/// One step of the way to a value: `provision`, then 3, then `zone`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step<'a> {
    /// A key of a table.
    Key(&'a str),
    /// A place in an array, from 0.
    At(usize),
}

/// How much it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// It cannot stay.
    Error,
    /// It can, and somebody should look at it.
    Warning,
}

/// What is wrong, where, and what to do.
#[derive(Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// How much it matters.
    pub weight: Weight,
    /// The text's name.
    pub file: String,
    /// Line, from 1; 0 if the whole text is meant.
    pub line: usize,
    /// Column in characters, from 1; 0 if the whole text is meant.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What to do; may be empty.
    pub help: String,
    rendered: String,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rendered)
    }
}

impl fmt::Debug for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rendered)
    }
}

impl std::error::Error for Diagnostic {}

impl Text {
    /// Takes a text that was read elsewhere.
    pub fn new(name: impl Into<String>, content: impl Into<String>) -> Self {
        Self { name: name.into(), content: content.into() }
    }

    /// Takes bytes; anything but UTF-8 is refused with the place.
    pub fn from_bytes(name: impl Into<String>, bytes: Vec<u8>) -> Result<Self, Diagnostic> {
        let name = name.into();
        match String::from_utf8(bytes) {
            Ok(content) => Ok(Self { name, content }),
            Err(error) => {
                let good = error.utf8_error().valid_up_to();
                let content = String::from_utf8_lossy(error.as_bytes()).into_owned();
                let text = Self { name, content };
                Err(text.error(good..good + 1, "this is not UTF-8", "save the file as UTF-8"))
            }
        }
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The content.
    pub fn content(&self) -> &str {
        &self.content
    }

    /// Reads the text as `T`, whose structs should deny unknown fields.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, Diagnostic> {
        toml::from_str(&self.content).map_err(|error| {
            let (message, help) = explained(error.message());
            match error.span() {
                Some(span) => self.error(span, message, help),
                None => self.error_anywhere(message, help),
            }
        })
    }

    /// Where a value stands in the text. If the last steps lead nowhere (a key
    /// that is missing), the place of the innermost table that is there.
    pub fn span_of(&self, way: &[Step<'_>]) -> Option<Range<usize>> {
        let root = DeTable::parse(&self.content).ok()?;
        let mut span = None;
        let mut table = Some(root.get_ref());
        let mut array = None;
        for step in way {
            let next = match *step {
                Step::Key(key) => {
                    let Some((name, value)) = table
                        .and_then(|table| table.iter().find(|(name, _)| name.get_ref() == key))
                    else {
                        break;
                    };
                    // A table header is a better place than all that follows it.
                    let compound = matches!(value.get_ref(), DeValue::Table(_) | DeValue::Array(_));
                    span = Some(if compound { name.span() } else { value.span() });
                    value
                }
                Step::At(index) => {
                    let Some(value) =
                        array.and_then(|array: &toml::de::DeArray<'_>| array.get(index))
                    else {
                        break;
                    };
                    span = Some(value.span());
                    value
                }
            };
            table = next.get_ref().as_table();
            array = next.get_ref().as_array();
        }
        span
    }

    /// An error or a warning at the value to which the steps lead.
    pub fn diagnostic(
        &self,
        weight: Weight,
        way: &[Step<'_>],
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Diagnostic {
        match self.span_of(way) {
            Some(span) => self.at(weight, span, message, help),
            None => self.anywhere(weight, message, help),
        }
    }

    /// An error at a stretch of the text.
    pub fn error(
        &self,
        span: Range<usize>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Diagnostic {
        self.at(Weight::Error, span, message, help)
    }

    fn at(
        &self,
        weight: Weight,
        span: Range<usize>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Diagnostic {
        let start = floor_boundary(&self.content, span.start);
        let mut end = floor_boundary(&self.content, span.end).max(start);
        // Mark the first line only: a whole table would bury the message.
        if let Some(line_end) = self.content[start..end].find('\n') {
            end = start + line_end;
        }
        let before = &self.content[..start];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let (message, help) = (message.into(), help.into());
        let snippet = Snippet::source(self.content.as_str())
            .path(self.name.as_str())
            .annotation(AnnotationKind::Primary.span(start..end));
        let rendered = render(weight, &message, &help, Some(snippet));
        Diagnostic {
            weight,
            file: self.name.clone(),
            line: before.matches('\n').count() + 1,
            column: self.content[line_start..start].chars().count() + 1,
            message,
            help,
            rendered,
        }
    }

    /// An error at a value that was read with its span.
    pub fn error_at<T>(
        &self,
        value: &Spanned<T>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Diagnostic {
        self.error(value.span(), message, help)
    }

    /// An error that concerns the text as a whole.
    pub fn error_anywhere(
        &self,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Diagnostic {
        self.anywhere(Weight::Error, message, help)
    }

    fn anywhere(
        &self,
        weight: Weight,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Diagnostic {
        let (message, help) = (message.into(), help.into());
        let title = format!("{}: {message}", self.name);
        let rendered = render(weight, &title, &help, None);
        Diagnostic { weight, file: self.name.clone(), line: 0, column: 0, message, help, rendered }
    }
}

fn render(
    weight: Weight,
    message: &str,
    help: &str,
    snippet: Option<Snippet<'_, annotate_snippets::Annotation<'_>>>,
) -> String {
    let level = match weight {
        Weight::Error => Level::ERROR,
        Weight::Warning => Level::WARNING,
    };
    let title = level.primary_title(message);
    let mut group = match snippet {
        Some(snippet) => title.element(snippet),
        None => Group::with_title(title),
    };
    if !help.is_empty() {
        group = group.element(Level::HELP.message(help));
    }
    Renderer::plain().render(&[group])
}

fn floor_boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// Turns serde's wording into a message and a piece of advice.
fn explained(message: &str) -> (String, String) {
    let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    if let Some((given, known)) = quoted.split_first() {
        if message.starts_with("unknown field") {
            return (format!("unknown key `{given}`"), suggestion(given, known));
        }
        if message.starts_with("unknown variant") {
            return (format!("`{given}` is not allowed here"), suggestion(given, known));
        }
        if message.starts_with("missing field") {
            return (
                format!("the key `{given}` is missing"),
                format!("add `{given} = ...` to this table"),
            );
        }
    }
    (message.to_owned(), String::new())
}

/// "did you mean" with the nearest known word, then all of them.
pub fn suggestion(given: &str, known: &[&str]) -> String {
    if known.is_empty() {
        return "no key is known here".to_owned();
    }
    let all = format!("known here: {}", known.join(", "));
    match nearest(given, known) {
        Some(nearest) => format!("did you mean `{nearest}`? {all}"),
        None => all,
    }
}

/// The known word most like the given one, if any is alike at all.
pub fn nearest<'a>(given: &str, known: &[&'a str]) -> Option<&'a str> {
    known
        .iter()
        .map(|word| (strsim::damerau_levenshtein(given, word), *word))
        .filter(|(edits, word)| *edits <= 1 + word.len().min(given.len()) / 3)
        .min()
        .map(|(_, word)| word)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize, Debug)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct Package {
        id: Spanned<String>,
        #[serde(default)]
        provision: Vec<Provision>,
    }

    #[derive(Deserialize, Debug)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct Provision {
        title: String,
        kind: Kind,
    }

    #[derive(Deserialize, Debug)]
    #[serde(rename_all = "snake_case")]
    enum Kind {
        Ban,
        Duty,
    }

    fn fail(content: &str) -> Diagnostic {
        Text::new("a/package.toml", content).parse::<Package>().unwrap_err()
    }

    #[test]
    fn unknown_keys_have_a_line_and_a_suggestion() {
        let error = fail("id = \"x\"\n\n[[provision]]\ntitel = \"t\"\n");
        assert_eq!((error.line, error.column), (4, 1));
        assert_eq!(error.message, "unknown key `titel`");
        assert!(error.help.starts_with("did you mean `title`?"), "{}", error.help);
        assert!(error.to_string().contains("a/package.toml:4:1"), "{error}");
    }

    #[test]
    fn unknown_words_are_compared_with_the_allowed_ones() {
        let error = fail("id = \"x\"\n[[provision]]\ntitle = \"t\"\nkind = \"dutty\"\n");
        assert_eq!(error.line, 4);
        assert!(error.help.contains("did you mean `duty`?"), "{error}");
    }

    #[test]
    fn missing_keys_are_named() {
        let error = fail("[[provision]]\ntitle = \"t\"\nkind = \"ban\"\n");
        assert!(error.to_string().contains("the key `id` is missing"), "{error}");
    }

    #[test]
    fn syntax_errors_keep_their_place() {
        let error = fail("id = \"x\n");
        assert_eq!(error.line, 1);
    }

    #[test]
    fn bytes_that_are_not_utf8_are_refused_with_their_place() {
        let error = Text::from_bytes("x.toml", b"id = \"\xcf\xf0\"".to_vec()).unwrap_err();
        assert_eq!((error.line, error.column), (1, 7));
        assert!(error.to_string().contains("UTF-8"), "{error}");
    }

    #[test]
    fn a_value_is_found_by_the_way_to_it() {
        let text = Text::new("p.toml", "id = \"x\"\n\n[[p]]\na = 1\n\n[[p]]\nb = [\"u\", \"v\"]\n");
        let line = |way: &[Step<'_>]| text.diagnostic(Weight::Warning, way, "m", "h").line;
        let second = [Step::Key("p"), Step::At(1)];
        assert_eq!(line(&[second[0], second[1], Step::Key("b"), Step::At(1)]), 7);
        assert_eq!(line(&[second[0], second[1], Step::Key("missing")]), 6);
        assert_eq!(line(&[Step::Key("nowhere")]), 0);
        let shown = text.diagnostic(Weight::Warning, &second, "m", "h").to_string();
        assert!(shown.starts_with("warning: m"), "{shown}");
    }

    #[test]
    fn nothing_alike_gives_no_guess() {
        assert_eq!(nearest("zzzzzzzz", &["title", "kind"]), None);
    }

    #[test]
    fn a_value_read_with_its_span_can_be_pointed_at() {
        let text = Text::new("p.toml", "# comment ы\nid = \"x\"\n");
        let package: Package = text.parse().unwrap();
        let error = text.error_at(&package.id, "taken", "choose another");
        assert_eq!((error.line, error.column), (2, 6));
        assert!(error.to_string().contains("choose another"));
    }
}
