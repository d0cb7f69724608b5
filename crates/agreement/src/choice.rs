//! Readings of several fields at once. A reading is a position that a party
//! takes: fields that know it by the same name move together, fields with
//! other names vary freely.

use std::collections::{BTreeMap, BTreeSet};

use crate::reading::Contested;

/// One reading for each contested field.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Choice(BTreeMap<String, String>);

impl Choice {
    /// The reading chosen for a field; empty if the field is not contested.
    pub fn of(&self, field: &str) -> &str {
        self.0.get(field).map_or("", String::as_str)
    }

    /// The name under which findings are made: the different names, joined.
    pub fn name(&self) -> String {
        let mut names: Vec<&str> = Vec::new();
        for name in self.0.values() {
            if !name.is_empty() && !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
        names.join(" + ")
    }

    /// Contested fields and the readings chosen.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(field, name)| (field.as_str(), name.as_str()))
    }
}

/// Names of the readings of fields, gathered before the choices are made.
#[derive(Clone, Debug, Default)]
pub struct Fields(Vec<(String, Vec<String>)>);

impl Fields {
    /// Adds a field if it is contested.
    pub fn add<T>(&mut self, field: &str, contested: &Contested<T>) {
        if contested.is_contested() {
            self.add_names(field, contested.readings().iter().map(|reading| reading.name.clone()));
        }
    }

    /// Adds a field by the names of its readings; one reading is no contest.
    pub fn add_names(&mut self, field: &str, names: impl IntoIterator<Item = String>) {
        let mut known = BTreeSet::new();
        let names: Vec<String> =
            names.into_iter().filter(|name| known.insert(name.clone())).collect();
        if names.len() > 1 {
            self.0.push((field.to_owned(), names));
        }
    }

    /// All consistent choices, in the order of the package; one empty choice
    /// if nothing is contested.
    pub fn choices(&self) -> Vec<Choice> {
        let mut choices = vec![Choice::default()];
        for (field, names) in &self.0 {
            let mut longer = Vec::new();
            for choice in &choices {
                for name in names {
                    if self.fits(choice, names, name) {
                        let mut next = choice.clone();
                        next.0.insert(field.clone(), name.clone());
                        longer.push(next);
                    }
                }
            }
            choices = longer;
        }
        choices
    }

    /// Whether a reading goes with what was chosen for the fields before.
    fn fits(&self, choice: &Choice, names: &[String], name: &String) -> bool {
        choice.0.iter().all(|(before, chosen)| {
            let theirs = &self.0.iter().find(|(field, _)| field == before).expect("it was added").1;
            let shared = |word: &String| theirs.contains(word) && names.contains(word);
            !(shared(name) || shared(chosen)) || chosen == name
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(fields: &Fields) -> Vec<String> {
        fields.choices().iter().map(Choice::name).collect()
    }

    #[test]
    fn fields_with_the_same_names_move_together_and_others_freely() {
        let mut fields = Fields::default();
        assert_eq!(names(&fields), [""]);
        let words =
            |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        fields.add_names("time", words(&["north", "south"]));
        fields.add_names("zone", words(&["north", "south"]));
        assert_eq!(names(&fields), ["north", "south"]);
        fields.add_names("object", words(&["list", "no list"]));
        assert_eq!(
            names(&fields),
            ["list + north", "no list + north", "list + south", "no list + south"]
        );
        fields.add_names("anchor", words(&["only one"]));
        assert_eq!(fields.choices().len(), 4);
    }
}
