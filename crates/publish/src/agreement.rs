//! An agreement as a page.

use agreement::check::Problem;
use agreement::describe::{Fact, Item, Sheet};
use askama::Template;

#[derive(Template)]
#[template(path = "agreement.html")]
struct AgreementPage<'a> {
    sheet: &'a Sheet,
    warnings: &'a [Problem],
    language: &'a str,
    style: &'static str,
}

impl AgreementPage<'_> {
    /// An id for links: unique because zones, which may repeat, are not linked to.
    fn anchor(item: &Item) -> String {
        format!("{}-{}", item.kind, item.id).replace(' ', "-")
    }

    /// How many fields are contested.
    fn contested(&self) -> usize {
        self.sheet.items().flat_map(|item| &item.facts).filter(|fact| fact.is_contested()).count()
    }

    /// What lint says of an item, without what the page shows anyway.
    fn remarks(&self, item: &Item) -> Vec<&str> {
        let subject = format!("{} {}", item.kind, item.id);
        let by_title = format!("{} {}", item.kind, item.title);
        self.warnings
            .iter()
            .filter(|warning| warning.code != "contested")
            .filter(|warning| warning.subject == subject || warning.subject == by_title)
            .map(|warning| {
                let prefix = format!("{}: ", warning.subject);
                warning.message.strip_prefix(prefix.as_str()).unwrap_or(&warning.message)
            })
            .collect()
    }

    /// The name of a field for readers.
    fn name(fact: &Fact) -> String {
        match fact.name {
            "in_force" => "in force".to_owned(),
            other => other.replace('_', " "),
        }
    }

    fn paragraphs(text: &str) -> Vec<String> {
        text.split("\n\n")
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .map(str::to_owned)
            .collect()
    }

    fn direction(&self) -> &'static str {
        if matches!(self.language, "fa" | "ar" | "he") { "rtl" } else { "ltr" }
    }
}

/// The page. `warnings`: what lint says, printed beside the clauses.
pub fn page(sheet: &Sheet, warnings: &[Problem], language: &str) -> String {
    AgreementPage { sheet, warnings, language, style: include_str!("../templates/style.css") }
        .render()
        .expect("a template renders any text")
}
