//! What an observation is worth: a sighting of something that happened, or set
//! aside with the reason.

use std::fmt;

use domain::event::Wave;
use domain::place::Precision;
use domain::{
    Class, ClassShare, ControlHistory, Event, Family, Id, Located, Observation, Occurrence,
    Particulars, Probability, RecordPosition, Signature, Source, SourceKind, Value,
};
use jiff::Timestamp;

use crate::background::{Climatology, LandUse, Usual};
use crate::lexicon::{first_sentence, folded};
use crate::places::Places;
use crate::prior::Priors;

/// An observation as it stands in the record.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// Content-derived id.
    pub id: Id,
    /// Where it stands.
    pub at: RecordPosition,
    /// What was observed.
    pub observation: Observation,
}

/// Everything that observations are held against.
#[derive(Debug)]
pub struct Reference {
    /// Names and boundaries.
    pub places: Places,
    /// Who holds which ground.
    pub control: ControlHistory,
    /// Peacetime fires.
    pub climatology: Climatology,
    /// Land use.
    pub land_use: LandUse,
    /// What is presumed, and what a report is worth.
    pub priors: Priors,
}

/// What makes two observations one: the same words, or the same overpass.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum OriginKey {
    /// The observation itself.
    Own(Id),
    /// A text, folded and without punctuation.
    Text(String),
    /// One look of one instrument: source and moment.
    Look(String, Timestamp),
}

/// Something that happened, as one observation tells it.
#[derive(Clone, Debug)]
pub struct Sighting {
    /// The observation.
    pub observation: Id,
    /// Where it stands in the record.
    pub at: RecordPosition,
    /// Id of its source.
    pub source: String,
    /// Independence group of its source.
    pub group: String,
    /// Kind of its source.
    pub kind: SourceKind,
    /// What it goes back to.
    pub origin: OriginKey,
    /// Whether it can open an incident, or only join one.
    pub opens: bool,
    /// When.
    pub when: Occurrence,
    /// Where.
    pub place: Located,
    /// What was observed.
    pub signature: Signature,
    /// Classes that it speaks for; never empty.
    pub classes: Vec<Class>,
    /// How its vote is split between them, if not alike.
    pub shares: Vec<f64>,
    /// Innocent causes that an engine thinks possible, and how likely.
    pub innocent: Vec<ClassShare>,
    /// Protected objects it mentions.
    pub objects: Vec<String>,
    /// How many, if it counts.
    pub count: Option<f64>,
    /// What peacetime says, for a hot spot.
    pub usual: Option<Usual>,
    /// P(there was an occurrence), if an engine has weighed it already.
    pub certainty: Option<Probability>,
    /// The waves that such an engine inferred it from.
    pub wave: Option<Wave>,
    /// Weapon, height and notification, where it tells them.
    pub particulars: Particulars,
    /// Doubts about it.
    pub remarks: Vec<String>,
}

/// Why an observation takes no part in incidents.
#[derive(Clone, Debug, PartialEq)]
pub enum SetAside {
    /// It goes along with other things and is no act itself.
    Context,
    /// A fire that peacetime explains.
    Background(Usual),
    /// The text is about something else.
    OtherSubject,
    /// The text gives totals of a day or of a front.
    Summary,
    /// The text reports words, and no incident fits it.
    Statement,
    /// It cannot be placed.
    NoPlace(String),
    /// Waves in the ground whose source was too deep for anything but an
    /// earthquake.
    Earthquake {
        /// P(it was one).
        probability: Probability,
    },
    /// An unexplained fire far from the line, with nothing to join.
    FarFromLine {
        /// Distance to the line of contact, metres.
        distance_m: f64,
    },
}

impl SetAside {
    /// Short code, for counting.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Context => "context",
            Self::Background(_) => "peacetime_fire",
            Self::OtherSubject => "other_subject",
            Self::Summary => "summary",
            Self::Statement => "statement",
            Self::NoPlace(_) => "no_place",
            Self::Earthquake { .. } => "earthquake",
            Self::FarFromLine { .. } => "far_from_line",
        }
    }
}

impl fmt::Display for SetAside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Context => f.write_str(
                "it goes along with other things and is no act by itself (an alert is a warning)",
            ),
            Self::Background(usual) => write!(f, "peacetime explains it: {usual}"),
            Self::OtherSubject => f.write_str("the text is not about an act of force"),
            Self::Summary => {
                f.write_str("the text gives totals of a day or of a front, not one occurrence")
            }
            Self::Statement => f.write_str(
                "the text reports words or an aftermath, and no single incident fits it",
            ),
            Self::NoPlace(why) => write!(f, "it cannot be placed: {why}"),
            Self::Earthquake { probability } => {
                write!(f, "its depth makes it an earthquake with P {:.2}", probability.get())
            }
            Self::FarFromLine { distance_m } => write!(
                f,
                "an unexplained fire {:.0} km from the line of contact, with no report to join",
                distance_m / 1000.0
            ),
        }
    }
}

/// What an observation is worth.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// It tells of something that happened.
    Sighting(Box<Sighting>),
    /// It does not.
    SetAside(SetAside),
}

/// Bounds that decide results. Part of the engine's version: a change here is a
/// change of the engine.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// How long before an overpass a fire may have been lit, seconds.
    pub fire_lead_s: f64,
    /// Distance from the line of contact within which an unexplained fire opens
    /// an incident by itself, metres.
    pub fire_opens_within_m: f64,
    /// Beyond this gap between their times two sightings are not even compared,
    /// seconds: the tails of the longest times end there.
    pub gap_s: f64,
    /// Two coarse reports are told apart unless their times overlap by at least
    /// this share of the shorter one.
    pub coarse_overlap: f64,
    /// Beyond this distance between their places two sightings are not even
    /// compared, metres: some three standard deviations.
    pub slack_m: f64,
    /// The same words count as the same report for so long, seconds.
    pub same_text_s: f64,
    /// Sightings less exact in place than this are kept apart from exact ones,
    /// metres.
    pub coarse_m: f64,
    /// Sightings less exact in time than this are kept apart, seconds.
    pub coarse_s: f64,
}

impl Rules {
    /// The rules of this version of the engine.
    pub const fn current() -> Self {
        Self {
            // A building or a depot burns for hours after it is hit.
            fire_lead_s: 6.0 * 3600.0,
            // Tube artillery from behind either side reaches about that far.
            fire_opens_within_m: 15_000.0,
            gap_s: 6.0 * 3600.0,
            coarse_overlap: 0.7,
            slack_m: 12_000.0,
            // Aggregators list an article again on the next day.
            same_text_s: 48.0 * 3600.0,
            coarse_m: 20_000.0,
            // A bare date and half a day of publication delay are 36 hours.
            coarse_s: 36.5 * 3600.0,
        }
    }
}

/// Weighs one observation of a source.
pub fn interpret(
    recorded: &Recorded,
    source: &Source,
    reference: &Reference,
    rules: &Rules,
) -> Verdict {
    let observation = &recorded.observation;
    if observation.signature.family() == Family::Context {
        return Verdict::SetAside(SetAside::Context);
    }
    if observation.signature == Signature::ThermalAnomaly && source.kind == SourceKind::Satellite {
        return fire(recorded, source, reference, rules);
    }
    let words = observation.text.as_deref().map(|text| folded(first_sentence(text)));
    let reading = words
        .as_deref()
        .zip(reference.places.lexicon())
        .filter(|_| source.kind == SourceKind::Press)
        .map(|(words, lexicon)| lexicon.read(words));
    let mut opens = true;
    if let Some(reading) = &reading {
        if reading.vetoes > 0 || reading.events == 0 {
            return Verdict::SetAside(SetAside::OtherSubject);
        }
        if reading.summaries > 0 {
            return Verdict::SetAside(SetAside::Summary);
        }
        // Words about an act can support an incident but not make one.
        opens = reading.statements == 0;
    } else if observation.signature == Signature::Unspecified {
        let reason =
            if observation.text.is_some() { SetAside::Statement } else { SetAside::OtherSubject };
        return Verdict::SetAside(reason);
    }
    let text = words.as_deref().zip(reading.as_ref());
    let placing = reference.places.locate(&observation.place, text);
    if placing.place == Located::Unknown {
        return Verdict::SetAside(SetAside::NoPlace(placing.remark));
    }
    let mut remarks: Vec<String> =
        [placing.remark].into_iter().filter(|remark| !remark.is_empty()).collect();
    let (signature, classes) =
        classify(observation, reading.as_ref().map(|reading| reading.classes.as_slice()));
    if reading.as_ref().is_some_and(|reading| reading.truce) {
        remarks.push("the report speaks of the truce".to_owned());
    }
    if let domain::When::During { end_assumed: true, .. } = observation.when {
        remarks.push("its end was not seen and is assumed".to_owned());
    }
    Verdict::Sighting(Box::new(Sighting {
        observation: recorded.id,
        at: recorded.at,
        source: source.id.clone(),
        group: source.independence_group.clone(),
        kind: source.kind,
        origin: match (source.kind, words) {
            (SourceKind::Press, Some(words)) => OriginKey::Text(without_punctuation(&words)),
            _ => OriginKey::Own(recorded.id),
        },
        opens,
        when: observation.occurrence(),
        place: placing.place,
        signature,
        classes,
        shares: Vec::new(),
        innocent: Vec::new(),
        objects: reading.map_or_else(|| objects_named(observation, reference), |read| read.objects),
        count: observation.count,
        usual: None,
        certainty: None,
        wave: None,
        particulars: Particulars::of(&observation.measures),
        remarks,
    }))
}

/// The protected objects that a text names which is not read as press: a
/// party's claim, a patrol's remark.
fn objects_named(observation: &Observation, reference: &Reference) -> Vec<String> {
    observation
        .text
        .as_deref()
        .zip(reference.places.lexicon())
        .map(|(text, lexicon)| lexicon.read(&folded(text)).objects)
        .unwrap_or_default()
}

/// Where the words can be read, they name the class and the publisher's labels
/// do not: those are often wrong. What remains is the class to assume for the
/// signature.
fn classify(observation: &Observation, words: Option<&[Class]>) -> (Signature, Vec<Class>) {
    let mut signature = observation.signature;
    let classes = words.unwrap_or(&observation.classes);
    // Effects on people and things are not what was used.
    let mut used: Vec<Class> =
        classes.iter().copied().filter(|class| class.group() != 'F').collect();
    // "Undetermined" gives way where something better is named.
    if used.iter().any(|class| *class != Class::A13) {
        used.retain(|class| *class != Class::A13);
    }
    if signature == Signature::Unspecified || words.is_some() {
        signature = match used.first() {
            Some(Class::C1) => Signature::Movement,
            Some(Class::A9) => Signature::Uav,
            Some(Class::A1 | Class::A5) => Signature::Fighting,
            _ => Signature::Explosion,
        };
    }
    let classes = match (used.is_empty(), signature.family()) {
        (true, _) => vec![signature.default_class()],
        // A line that moved was fought over; the fighting is another matter.
        (false, Family::Movement) if used.contains(&Class::C1) => vec![Class::C1],
        (false, _) => used,
    };
    (signature, classes)
}

fn without_punctuation(words: &str) -> String {
    let kept: String = words.chars().map(|c| if c.is_alphanumeric() { c } else { ' ' }).collect();
    kept.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A hot spot: held against peacetime first, then against the distance from
/// the line.
fn fire(recorded: &Recorded, source: &Source, reference: &Reference, rules: &Rules) -> Verdict {
    let observation = &recorded.observation;
    let Some(at) = observation.place.representative() else {
        return Verdict::SetAside(SetAside::NoPlace("the pixel has no position".to_owned()));
    };
    let look = observation.when.interval();
    let date = domain::Zone::utc().date(look.from);
    let by_day =
        !matches!(observation.measures.get("daynight"), Some(Value::Text(text)) if text == "N");
    let usual = reference.climatology.usual(at, date, by_day, &reference.land_use);
    if let Some(usual) = usual
        && usual.explains
    {
        return Verdict::SetAside(SetAside::Background(usual));
    }
    let mut remarks = Vec::new();
    let opens = match reference.control.at(look.from) {
        Some(state) => state.contact_distance_m(at) <= rules.fire_opens_within_m,
        None => true,
    };
    if usual.is_none() {
        remarks.push("no peacetime years to hold this fire against here".to_owned());
    }
    // What burns at the overpass was lit some time before.
    let mut when = observation.occurrence();
    when.span = when.span.widened(rules.fire_lead_s, when.sigma_s);
    when.sigma_s = 0.0;
    when.extent = domain::Extent::Once;
    let placing = reference.places.locate(&observation.place, None);
    Verdict::Sighting(Box::new(Sighting {
        observation: recorded.id,
        at: recorded.at,
        source: source.id.clone(),
        group: source.independence_group.clone(),
        kind: source.kind,
        origin: OriginKey::Look(source.id.clone(), look.from),
        opens,
        when,
        place: placing.place,
        signature: Signature::ThermalAnomaly,
        classes: vec![Class::A13],
        shares: Vec::new(),
        innocent: Vec::new(),
        objects: Vec::new(),
        count: None,
        usual,
        certainty: None,
        wave: None,
        particulars: Particulars::default(),
        remarks,
    }))
}

/// A class that an engine thinks less likely than this is not spoken for.
const NAMED_MIN: f64 = 0.1;
/// An event that is an earthquake with at least this probability is set aside, as
/// a fire is that peacetime explains.
const EARTHQUAKE_MIN: f64 = 0.95;

impl Sighting {
    /// An event that an engine inferred from the arrivals at a network; `source`
    /// is the network. An event of little probability is kept: gates are for
    /// publication. What its depth makes an earthquake is none that a mission
    /// looks for; if it may be one, that lowers the probability of an occurrence.
    pub fn of_event(event: &Event, source: &Source) -> Verdict {
        let (innocent, used): (Vec<ClassShare>, Vec<ClassShare>) =
            event.classes.iter().partition(|share| share.class.group() == 'Z');
        let named = || used.iter().filter(|share| share.share.get() >= NAMED_MIN);
        let (classes, shares) = if named().count() == 0 {
            (vec![Class::A13], Vec::new())
        } else {
            (named().map(|s| s.class).collect(), named().map(|s| s.share.get()).collect())
        };
        let quake = innocent.iter().find(|share| share.class == Class::Z8);
        let quake = quake.map_or(0.0, |share| share.share.get());
        if quake >= EARTHQUAKE_MIN {
            let probability = Probability::new(quake);
            return Verdict::SetAside(SetAside::Earthquake { probability });
        }
        let remarks = if quake >= NAMED_MIN {
            vec![format!(
                "by the depth of what {} picked alone, an earthquake with P {quake:.2}",
                source.id
            )]
        } else {
            Vec::new()
        };
        Verdict::Sighting(Box::new(Self {
            observation: event.id,
            at: event.arrivals.first().map_or(RecordPosition { entry: 0, line: 0 }, |one| one.at),
            source: source.id.clone(),
            group: source.independence_group.clone(),
            kind: source.kind,
            origin: OriginKey::Own(event.id),
            opens: true,
            when: event.when,
            place: event.place.clone(),
            signature: Signature::Explosion,
            classes,
            shares,
            innocent,
            objects: Vec::new(),
            count: None,
            usual: None,
            certainty: Some(Probability::new(event.probability.get() * (1.0 - quake))),
            wave: Some(event.wave),
            particulars: Particulars::default(),
            remarks,
        }))
    }

    /// How it votes on the class: a share for each, one in all.
    pub fn votes(&self) -> Vec<(Class, f64)> {
        let sum: f64 = self.shares.iter().sum();
        let alike = 1.0 / self.classes.len() as f64;
        let share = |at: usize| self.shares.get(at).map_or(alike, |share| share / sum);
        self.classes.iter().enumerate().map(|(at, class)| (*class, share(at))).collect()
    }

    /// Whether it is exact enough to tell neighbouring occurrences apart.
    pub fn is_exact(&self, rules: &Rules) -> bool {
        self.place.precision() < Precision::Region
            && self.place.radius_m() <= rules.coarse_m
            && self.when.span.seconds() <= rules.coarse_s
    }

    /// Distance from the line of contact at its time, metres.
    pub fn line_distance_m(&self, control: &ControlHistory) -> f64 {
        match (self.place.centre(), control.at(self.when.span.from)) {
            (Some(at), Some(state)) => state.contact_distance_m(at),
            _ => f64::INFINITY,
        }
    }
}
