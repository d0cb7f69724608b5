//! The red team on the level of incidents: evidence of what never took place as
//! told, taken through the real rules of verification and guarantees, to
//! measure how often a false proposal comes out.
//!
//! Everything that people would have to notice happens with a declared chance;
//! whatever they do not notice they sign, and verifiers always rule `verified`.
//! What is measured is therefore what the rules stop, not what people stop.

use std::collections::BTreeMap;

use agreement::Agreement;
use casework::act::Flaw;
use casework::position::{Fix, compare};
use casework::{Casework, Ground, Item, Rules, fold};
use chance::{Chance, Streams};
use domain::finding::{Element, Met};
use domain::incident::{Belief, ClassShare, Member, Status};
use domain::state::{Facts, Window};
use domain::{
    Class, Covariance, EffortBasis, Extent, Finding, Id, IdKind, Incident, Interval, LatLon,
    Located, Occurrence, Probability, RecordPosition, Signature, Source, SourceKind, State, Zone,
};
use guarantees::{Cause, propose};
use jiff::{SignedDuration, Timestamp};

use crate::people::{Conduct, Stage, officers, work_on};

/// What the red team tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trick {
    /// One claim in many copies and several languages.
    Duplicated,
    /// One sensor that errs, and a party that says the same.
    SingleSource,
    /// A real event outside the zone, moved into it by a spoofed aircraft.
    Spoofed,
    /// A detonation that a party set off itself.
    Staged,
    /// Made-up media and a field fire at the same place.
    Synthetic,
}

impl Trick {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Duplicated, Self::SingleSource, Self::Spoofed, Self::Staged, Self::Synthetic];

    /// In words.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Duplicated => "one claim in many copies",
            Self::SingleSource => "one sensor that errs and a party's word",
            Self::Spoofed => "moved into the zone by a spoofed aircraft",
            Self::Staged => "set off by the party that reports it",
            Self::Synthetic => "made-up media and a field fire",
        }
    }
}

/// Chances that people notice, and that chance helps the red team. Declared, not
/// measured: the result is worth what they are worth.
#[derive(Clone, Copy, Debug)]
pub struct Assumptions {
    /// P(an aircraft has a second fix that does not use satellite navigation).
    pub second_fix: f64,
    /// P(an analyst holds a staged detonation more likely than 1 to 9).
    pub staging_noticed: f64,
    /// P(a sensor of another family errs at the same place and time).
    pub coincidence: f64,
    /// P(a patrol takes the word of those whom it meets for what it heard).
    pub patrol_misled: f64,
}

impl Assumptions {
    /// Officers who look.
    pub const DILIGENT: Self =
        Self { second_fix: 0.7, staging_noticed: 0.8, coincidence: 0.02, patrol_misled: 0.02 };
    /// Officers who sign whatever lies before them: only the rules are left.
    pub const BLIND: Self =
        Self { second_fix: 0.0, staging_noticed: 0.0, coincidence: 0.02, patrol_misled: 0.02 };
}

/// What came of the cases of one trick.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Cases.
    pub cases: u64,
    /// Verified, and false.
    pub verified: u64,
    /// Cases that came to a proposal to any guarantor.
    pub proposals: u64,
}

/// A share with its 95 % interval after Wilson (1927), which is never empty,
/// not even for no hit at all.
pub fn wilson(hits: u64, cases: u64) -> (f64, f64, f64) {
    const Z: f64 = 1.959_963_984_540_054;
    let (hits, cases) = (hits as f64, cases.max(1) as f64);
    let share = hits / cases;
    let middle = share + Z * Z / (2.0 * cases);
    let spread = Z * libm::sqrt(share * (1.0 - share) / cases + Z * Z / (4.0 * cases * cases));
    let scale = 1.0 + Z * Z / cases;
    (share, ((middle - spread) / scale).max(0.0), ((middle + spread) / scale).min(1.0))
}

/// Runs so many cases of every trick.
pub fn run(it: &Agreement, seed: u64, cases: u64, about: Assumptions) -> BTreeMap<Trick, Tally> {
    Trick::ALL
        .into_iter()
        .map(|trick| {
            let streams = Streams::new(seed, trick.title());
            let mut tally = Tally::default();
            for number in 0..cases {
                let (verified, proposed) = one(it, trick, &mut streams.nth(number), about);
                tally.cases += 1;
                tally.verified += u64::from(verified);
                tally.proposals += u64::from(proposed);
            }
            (trick, tally)
        })
        .collect()
}

/// Name by which the statements of a case name their mission.
const MISSION: &str = "red team";

/// One case: whether it was verified, and whether anything was proposed.
fn one(it: &Agreement, trick: Trick, chance: &mut Chance, about: Assumptions) -> (bool, bool) {
    let mut set = Set::default();
    let conduct = set.lay(trick, chance, about);
    let (incident, finding) = set.incident(chance);
    let rules = Rules::proposed(it.parties.iter().map(|party| party.id.clone()).collect());
    let mut stage = InMemory { next: incident.members.len() as u64, filed: Vec::new() };
    let officers = officers(0);
    stage.next += officers.len() as u64;
    match work_on(&mut stage, MISSION, &finding, &incident, &conduct) {
        Ok(()) => {}
        Err(never) => match never {},
    }
    let declared = (incident.members.len() as u64..).zip(officers.iter().map(Item::Officer));
    let filed = stage
        .filed
        .iter()
        .map(|(entry, received, envelope)| (*entry, Item::Act { received: *received, envelope }));
    let scenery = Scenery { finding: &finding, incident: &incident, sources: &set.sources };
    let casework = fold(declared.chain(filed), MISSION, &rules, &scenery, None);
    let verified = casework.cases.iter().any(domain::Case::is_verified);
    let state = state_of(&casework, incident, finding);
    let as_of = casework.clock.unwrap_or(Timestamp::UNIX_EPOCH);
    (verified, !propose(it, &Cause::all(&state), &[], as_of).is_empty())
}

/// A record that is nothing but a list.
struct InMemory {
    next: u64,
    filed: Vec<(u64, Timestamp, Vec<u8>)>,
}

impl Stage for InMemory {
    type Error = std::convert::Infallible;

    fn file(&mut self, received: Timestamp, envelope: &[u8]) -> Result<u64, Self::Error> {
        self.next += 1;
        self.filed.push((self.next - 1, received, envelope.to_vec()));
        Ok(self.next - 1)
    }

    fn root(&self) -> Result<(u64, String), Self::Error> {
        Ok((self.next, "root".to_owned()))
    }
}

struct Scenery<'a> {
    finding: &'a Finding,
    incident: &'a Incident,
    sources: &'a BTreeMap<String, Source>,
}

impl Ground for Scenery<'_> {
    fn finding(&self, id: Id) -> Option<(&Finding, &Incident)> {
        (id == self.finding.id).then_some((self.finding, self.incident))
    }

    fn source(&self, id: &str) -> Option<&Source> {
        self.sources.get(id)
    }

    fn root_at(&self, _: u64) -> Option<String> {
        Some("root".to_owned())
    }
}

/// The evidence that the red team lays out.
#[derive(Default)]
struct Set {
    sources: BTreeMap<String, Source>,
    members: Vec<Member>,
}

impl Set {
    fn add(&mut self, source: &str, kind: SourceKind, group: &str, origin: &str) -> Id {
        let number = self.members.len() as u64;
        let observation = Id::of(IdKind::Observation, &[source.as_bytes(), &number.to_be_bytes()]);
        self.members.push(Member {
            observation,
            at: RecordPosition { entry: number, line: 0 },
            source: source.to_owned(),
            origin: Id::of(IdKind::Origin, &[origin.as_bytes()]),
            signature: Signature::Explosion,
            repeat: false,
            weight: Probability::ONE,
            because: String::new(),
        });
        self.sources.entry(source.to_owned()).or_insert_with(|| Source {
            id: source.to_owned(),
            name: source.to_owned(),
            operator: "made up".to_owned(),
            independence_group: group.to_owned(),
            kind,
            model: String::new(),
            effort: EffortBasis::Rows,
            citation: "made up".to_owned(),
            licence: "CC0".to_owned(),
            night: None,
            reliability: None,
        });
        observation
    }

    /// Lays the evidence of a trick out; returns what officers make of it.
    fn lay(&mut self, trick: Trick, chance: &mut Chance, about: Assumptions) -> Conduct {
        let mut conduct = Conduct { objections: Vec::new(), staged: 0.02, attribute: true };
        match trick {
            Trick::Duplicated => {
                for copy in 0..5 + chance.below(46) {
                    // Some copies are reworded so well that nothing links them.
                    let linked = chance.happens(0.8);
                    let origin = if linked { "claim".to_owned() } else { format!("copy {copy}") };
                    let outlet = format!("outlet {}", chance.below(8));
                    self.add(&outlet, SourceKind::Press, &outlet, &origin);
                }
                self.add("claims", SourceKind::Party, "north", "claim");
            }
            Trick::SingleSource => {
                let kinds = [SourceKind::Acoustic, SourceKind::Satellite, SourceKind::Camera];
                let kind = *chance.one_of(&kinds);
                self.add("sensor", kind, "sensor", "false alarm");
                self.add("claims", SourceKind::Party, "south", "claim");
                if chance.happens(about.coincidence) {
                    self.add("seismic", SourceKind::Seismic, "seismic", "coincidence");
                }
                if chance.happens(about.patrol_misled) {
                    self.add("patrol", SourceKind::Patrol, "patrols", "told at the road");
                }
            }
            Trick::Spoofed => {
                self.add("microphones", SourceKind::Acoustic, "acoustic", "sound");
                let aircraft = self.add("aircraft", SourceKind::Uav, "aircraft", "track");
                if chance.happens(about.second_fix) && spoofing_shows(chance) {
                    conduct.objections.push((aircraft, Flaw::Position));
                }
            }
            Trick::Staged => {
                self.add("microphones", SourceKind::Acoustic, "acoustic", "sound");
                self.add("patrol", SourceKind::Patrol, "patrols", "heard");
                self.add("claims", SourceKind::Party, "south", "claim");
                if chance.happens(about.staging_noticed) {
                    conduct.staged = 0.3;
                }
            }
            Trick::Synthetic => {
                let video = (0..=chance.below(20)).map(|copy| format!("channel {}", copy % 5));
                for channel in video.collect::<Vec<_>>() {
                    self.add(&channel, SourceKind::Press, &channel, &channel);
                }
                self.add("hot spots", SourceKind::Satellite, "space", "field fire");
                if chance.happens(about.coincidence) {
                    self.add("microphones", SourceKind::Acoustic, "acoustic", "thunder");
                }
            }
        }
        conduct
    }

    /// The incident, as fusion would hand it on: believed to the full, because
    /// the red team is not stopped there.
    fn incident(&self, chance: &mut Chance) -> (Incident, Finding) {
        let first: Timestamp = "2031-06-12T00:00:00Z".parse().expect("a moment");
        let at = first + SignedDuration::from_secs_f64(60.0 * chance.below(4 * 24 * 60) as f64);
        let kinds: std::collections::BTreeSet<SourceKind> =
            self.sources.values().map(|source| source.kind).collect();
        let incident = Incident {
            id: Id::of(IdKind::Incident, &[b"red team"]),
            status: Status::Reported,
            when: Occurrence { span: Interval::at(at), sigma_s: 5.0, extent: Extent::Once },
            place: Located::Normal {
                at: LatLon::new(46.0, -34.0).expect("a place"),
                covariance: Covariance::circular(200.0),
            },
            place_name: "made up".to_owned(),
            classes: vec![ClassShare { class: Class::A4, share: Probability::ONE }],
            signatures: BTreeMap::new(),
            claimed_count: None,
            objects: Vec::new(),
            members: self.members.clone(),
            origins: self.members.len() as u32,
            groups: Vec::new(),
            kinds: kinds.into_iter().collect(),
            alternatives: Vec::new(),
            belief: Belief {
                probability: Probability::new(0.999),
                distinct: Probability::ONE,
                priors: "red team".to_owned(),
                regime: "red team".to_owned(),
                reasons: Vec::new(),
                calibrated_on: String::new(),
            },
            particulars: domain::Particulars::default(),
            may_be_same_as: Vec::new(),
            remarks: Vec::new(),
        };
        let met =
            |name: &str| Element { name: name.to_owned(), met: Met::Probably(Probability::ONE) };
        let finding = Finding {
            id: Id::of(IdKind::Finding, &[b"red team"]),
            incident: incident.id,
            agreement: "red team".to_owned(),
            provision: "4".to_owned(),
            reading: String::new(),
            status: Status::Reported,
            in_force: Probability::ONE,
            in_zone: Some(Probability::new(0.99)),
            elements: vec![met("act"), met("zone"), met("time")],
            fit: Probability::new(0.99),
            incomplete: false,
        };
        (incident, finding)
    }
}

/// Whether an aircraft's two fixes contradict one another, by the test of the
/// product, when it is displaced by one to ten kilometres.
fn spoofing_shows(chance: &mut Chance) -> bool {
    /// Metres in a degree of latitude, near enough for a displacement.
    const DEGREE_M: f64 = 111_200.0;
    let true_at = LatLon::new(46.0, -34.0).expect("a place");
    let displaced_m = chance.between(1000.0, 10_000.0);
    let (navigation_m, independent_m) = (10.0, 300.0);
    let error_m = independent_m * chance.normal();
    let moved = |metres: f64| LatLon::new(46.0 + metres / DEGREE_M, -34.0).expect("a place");
    debug_assert!(true_at.distance_m(moved(displaced_m)) > 900.0, "it is displaced");
    let navigation = Fix { at: moved(displaced_m), sigma_m: navigation_m };
    let independent = Fix { at: moved(error_m), sigma_m: independent_m };
    compare(navigation, independent).spoofed
}

/// A state with nothing but the case.
fn state_of(casework: &Casework, incident: Incident, finding: Finding) -> State {
    let at = |text: &str| text.parse().expect("a moment");
    let span = |from: &str, to: &str| Interval { from: at(from), to: at(to) };
    State {
        facts: Facts {
            engine: 0,
            entries: 0,
            known_by: None,
            case: MISSION.to_owned(),
            title: MISSION.to_owned(),
            note: String::new(),
            exercise: true,
            agreement: String::new(),
            zone: Zone::utc(),
            window: Window {
                baseline: span("2031-06-01T00:00:00Z", "2031-06-11T06:00:00Z"),
                truce: span("2031-06-11T06:00:00Z", "2031-06-21T06:00:00Z"),
                after: span("2031-06-21T06:00:00Z", "2031-06-25T00:00:00Z"),
            },
            report_days: (jiff::civil::date(2031, 6, 11), jiff::civil::date(2031, 6, 21)),
        },
        sources: Vec::new(),
        maps: Vec::new(),
        sectors: Vec::new(),
        events: Vec::new(),
        incidents: vec![incident],
        findings: vec![finding],
        cases: casework.cases.clone(),
        steps: casework.steps.clone(),
        obligations: Vec::new(),
    }
}

/// The agreement of the exercise.
pub fn agreement() -> Agreement {
    let package = crate::files(1)
        .into_iter()
        .filter_map(|(path, bytes)| Some((path.strip_prefix("case/agreement/")?.to_owned(), bytes)))
        .collect();
    agreement::package::parse(&package).expect("the agreement of the exercise is sound")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d18_d19_copies_and_media_alone_are_never_verified() {
        let all = run(&agreement(), 3, 25, Assumptions::BLIND);
        let of = |trick| all[&trick];
        assert_eq!((of(Trick::Duplicated).verified, of(Trick::Duplicated).proposals), (0, 0));
        // With two physical families compromised and nobody looking, the rules
        // alone stop nothing: the figure would be a lie if it were zero.
        assert_eq!(of(Trick::Staged).verified, 25);
        assert_eq!(of(Trick::Staged).proposals, 25);
        assert_eq!(of(Trick::Spoofed).verified, 25);
        let looked = run(&agreement(), 3, 25, Assumptions::DILIGENT);
        assert!(looked[&Trick::Staged].verified < 15, "{looked:?}");
        assert!(looked[&Trick::Spoofed].verified < 20, "{looked:?}");
    }

    #[test]
    fn the_same_seed_gives_the_same_figures() {
        let it = agreement();
        let one = run(&it, 5, 6, Assumptions::DILIGENT);
        assert_eq!(one, run(&it, 5, 6, Assumptions::DILIGENT));
    }

    #[test]
    fn wilson_intervals_are_those_of_the_textbook() {
        // Newcombe (1998), table I: 81/263 gives 0.2553 to 0.3662; 0/20 gives 0 to 0.1611.
        let (_, low, high) = wilson(81, 263);
        assert!((low - 0.2553).abs() < 5e-5 && (high - 0.3662).abs() < 5e-5, "{low} {high}");
        let (_, low, high) = wilson(0, 20);
        assert!(low.abs() < 1e-12 && (high - 0.1611).abs() < 5e-5, "{low} {high}");
    }
}
