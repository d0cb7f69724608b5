//! Field reports: committed raw, edited in the open (VERIFICATION D5).

use jiff::Timestamp;
use similar::TextDiff;

/// A wording of a report.
#[derive(Clone, Debug, PartialEq)]
pub struct Wording {
    /// Its entry.
    pub entry: u64,
    /// When the mission took it in.
    pub received: Timestamp,
    /// Who wrote it.
    pub person: String,
    /// Why it differs from the one before; empty for the raw one.
    pub reason: String,
    /// The text.
    pub text: String,
}

/// A field report with all its wordings, the raw one first.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldReport {
    /// Name that the monitor gave it.
    pub name: String,
    /// When it was captured, by the monitor's clock.
    pub captured: Timestamp,
    /// Wordings; never empty.
    pub wordings: Vec<Wording>,
}

impl FieldReport {
    /// What an edit changed, line by line in the unified form, with author and
    /// reason; none for the raw wording.
    pub fn diff(&self, number: usize) -> Option<String> {
        let before = self.wordings.get(number.checked_sub(1)?)?;
        let after = self.wordings.get(number)?;
        let diff = TextDiff::from_lines(&before.text, &after.text);
        Some(format!(
            "report {} edited by {} in entry {}: {}\n{}",
            self.name,
            after.person,
            after.entry,
            after.reason,
            diff.unified_diff()
                .context_radius(1)
                .header(&format!("entry {}", before.entry), &format!("entry {}", after.entry))
        ))
    }
}
