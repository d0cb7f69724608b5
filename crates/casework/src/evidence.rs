//! Independent lines of evidence from a dependence graph, and what they come
//! to. Fifty copies of one claim are one line.

use std::collections::{BTreeMap, BTreeSet};

use domain::incident::{Incident, Member};
use domain::{Finding, Id, Probability, Source, SourceKind};

use crate::act::Flaw;
use crate::rules::{Rules, family, likelihood_ratio};

/// What the fold must know of the rest of the record.
pub trait Ground {
    /// A finding with its incident.
    fn finding(&self, id: Id) -> Option<(&Finding, &Incident)>;

    /// A source.
    fn source(&self, id: &str) -> Option<&Source>;

    /// Root of the record at a size, in base64; none if it was never so large.
    fn root_at(&self, size: u64) -> Option<String>;
}

/// What is known of observations besides what they say.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Doubts {
    /// Flaws by observation, each with the entry that says so.
    pub flaws: BTreeMap<Id, BTreeMap<Flaw, u64>>,
    /// Groups of observations that go back to one origin.
    pub links: Vec<(u64, Vec<Id>)>,
}

impl Doubts {
    /// Whether an observation may fill a slot of the structure rule.
    fn fills(&self, observation: Id) -> bool {
        self.flaws.get(&observation).is_none_or(BTreeMap::is_empty)
    }

    /// The entry by which the position of an observation is in doubt.
    pub(crate) fn position(&self, observation: Id) -> Option<u64> {
        self.flaws.get(&observation)?.get(&Flaw::Position).copied()
    }
}

/// Evidence that shares no origin with any other line.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Strongest kind among its sources.
    pub kind: SourceKind,
    /// Sources.
    pub sources: BTreeSet<String>,
    /// Observations, flawed ones included.
    pub observations: Vec<Id>,
    /// Entries in which they stand.
    pub entries: BTreeSet<u64>,
    /// Whether any unflawed observation is in it; a line without one weighs nothing.
    pub sound: bool,
}

impl Line {
    /// In words: `patrol: patrols (2 observations)`.
    pub fn words(&self) -> String {
        let sources: Vec<&str> = self.sources.iter().map(String::as_str).collect();
        let many = self.observations.len();
        format!(
            "{}: {} ({}{})",
            self.kind.code(),
            sources.join(", "),
            if many == 1 { "1 observation".to_owned() } else { format!("{many} observations") },
            if self.sound { "" } else { ", all flawed" }
        )
    }
}

/// Draws the lines of an incident: members of one origin, of one independence
/// group, or linked by an analyst, hang together. Only members that stood in
/// the record before entry `before` count.
pub fn lines(incident: &Incident, ground: &dyn Ground, doubts: &Doubts, before: u64) -> Vec<Line> {
    let members: Vec<&Member> =
        incident.members.iter().filter(|member| member.at.entry < before).collect();
    let mut graph = Forest::new(members.len());
    let mut by_key: BTreeMap<String, usize> = BTreeMap::new();
    for (index, member) in members.iter().enumerate() {
        let group = ground
            .source(&member.source)
            .map_or(member.source.as_str(), |source| source.independence_group.as_str());
        for key in [format!("origin {}", member.origin), format!("group {group}")] {
            let first = *by_key.entry(key).or_insert(index);
            graph.join(first, index);
        }
    }
    for (_, linked) in &doubts.links {
        let mut there = members
            .iter()
            .enumerate()
            .filter(|(_, member)| linked.contains(&member.observation))
            .map(|(index, _)| index);
        if let Some(first) = there.next() {
            there.for_each(|index| graph.join(first, index));
        }
    }
    let mut lines: BTreeMap<usize, Line> = BTreeMap::new();
    for (index, member) in members.iter().enumerate() {
        let kind =
            ground.source(&member.source).map_or(SourceKind::Reference, |source| source.kind);
        let sound = doubts.fills(member.observation);
        let line = lines.entry(graph.root(index)).or_insert_with(|| Line {
            kind: SourceKind::Reference,
            sources: BTreeSet::new(),
            observations: Vec::new(),
            entries: BTreeSet::new(),
            sound: false,
        });
        let stronger = likelihood_ratio(kind) > likelihood_ratio(line.kind);
        // A sound member speaks before any flawed one, whatever their kinds.
        if (sound, line.sound) == (true, false) || (sound == line.sound && stronger) {
            line.kind = kind;
        }
        line.sound |= sound;
        line.sources.insert(member.source.clone());
        line.observations.push(member.observation);
        line.entries.insert(member.at.entry);
    }
    lines.into_values().collect()
}

/// P(event) from independent lines: prior odds times one weight per line.
pub fn probability(lines: &[Line], rules: &Rules) -> Probability {
    let log_odds = lines
        .iter()
        .filter(|line| line.sound)
        .fold(rules.prior_log_odds, |sum, line| sum + libm::log(likelihood_ratio(line.kind)));
    Probability::new(1.0 / (1.0 + libm::exp(-log_odds)))
}

/// How the structure rule is satisfied (VERIFICATION E5, check 2).
#[derive(Clone, Debug, PartialEq)]
pub enum Structure {
    /// Two independent physical families.
    TwoFamilies(Vec<&'static str>),
    /// One physical family and a direct observation by the mission.
    FamilyAndPatrol(&'static str),
    /// The object itself was seen by the mission, and a second qualified
    /// reader confirmed it; entry of that reading.
    Direct(u64),
}

/// Tries the three ways. `readings` are the entries in which a technical expert
/// confirmed observations by the mission.
pub fn structure(lines: &[Line], readings: &[(u64, Vec<Id>)]) -> Option<Structure> {
    let sound = || lines.iter().filter(|line| line.sound);
    let families: BTreeSet<&'static str> = sound().filter_map(|line| family(line.kind)).collect();
    if families.len() >= 2 {
        return Some(Structure::TwoFamilies(families.into_iter().collect()));
    }
    let patrols = || sound().filter(|line| line.kind == SourceKind::Patrol);
    if let Some(family) = families.first()
        && patrols().next().is_some()
    {
        return Some(Structure::FamilyAndPatrol(family));
    }
    readings
        .iter()
        .find(|(_, read)| {
            patrols().any(|line| line.observations.iter().any(|one| read.contains(one)))
        })
        .map(|(entry, _)| Structure::Direct(*entry))
}

impl std::fmt::Display for Structure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TwoFamilies(families) => {
                write!(f, "independent physical families: {}", families.join(", "))
            }
            Self::FamilyAndPatrol(family) => {
                write!(f, "{family} sensor and direct observation by the mission")
            }
            Self::Direct(_) => f.write_str("object seen by the mission, read a second time"),
        }
    }
}

/// Sets that grow together.
struct Forest {
    parent: Vec<usize>,
}

impl Forest {
    fn new(size: usize) -> Self {
        Self { parent: (0..size).collect() }
    }

    fn root(&mut self, mut at: usize) -> usize {
        while self.parent[at] != at {
            self.parent[at] = self.parent[self.parent[at]];
            at = self.parent[at];
        }
        at
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        // The smaller index leads, so that the order of lines is that of the record.
        self.parent[a.max(b)] = a.min(b);
    }
}
