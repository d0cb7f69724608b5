//! Conditions on events and incidents: what activates a commitment, what voids
//! it, what lets a ban snap back. The answer is three-valued, carries a
//! probability, the reasons, and the incidents that it rests on.

use std::collections::BTreeSet;

use domain::time::shifted;
use domain::{ClassPattern, Interval, Probability};
use jiff::Timestamp;
use serde::Deserialize;

use crate::choice::{Choice, Fields};
use crate::citation::{Citation, Localised};
use crate::clock::Length;
use crate::reading::Contested;
use crate::standard::{Severity, Standard};
use crate::timeline::{Happening, Timeline, from, probability_before};
use crate::truth::Truth;

/// A condition, as a tree.
///
/// ```
/// use agreement::Condition;
/// #[derive(serde::Deserialize)]
/// struct Commitment { activation: Condition }
/// let text = strict::Text::new("c", r#"
///     activation = { all = [{ event = "ceasefire" }, { breach = { acts = ["A"], severity_at_least = "S3" } }] }
/// "#);
/// assert!(matches!(text.parse::<Commitment>().unwrap().activation, Condition::All(parts) if parts.len() == 2));
/// ```
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Condition {
    /// Every one.
    All(Vec<Condition>),
    /// At least one.
    Any(Vec<Condition>),
    /// Not that one.
    Not(Box<Condition>),
    /// A declared event has taken place.
    Event(String),
    /// So much time has passed since a declared event.
    Elapsed(Elapsed),
    /// A condition of the agreement, by its id.
    Named(String),
    /// Incidents of a kind have taken place.
    Breach(Box<Breach>),
    /// The text does not define it: open, with the reason, whatever happens.
    Undefined(String),
}

/// Time since an event.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Elapsed {
    /// The event.
    pub event: String,
    /// How much.
    pub span: Length,
}

/// Incidents of a kind. Every field narrows; nothing stated, nothing asked.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Breach {
    /// What they were.
    #[serde(default)]
    pub acts: Vec<ClassPattern>,
    /// Provisions that they breach (any of them); `*` for any provision at all.
    #[serde(default)]
    pub provisions: Vec<String>,
    /// Who did it, by a published attribution (any of them).
    #[serde(default)]
    pub by: Vec<String>,
    /// Where: a zone of the agreement.
    pub zone: Option<String>,
    /// How grave at least.
    pub severity_at_least: Option<Severity>,
    /// How sure at least.
    pub standard_at_least: Option<Standard>,
    /// After this declared event.
    pub after: Option<String>,
    /// How many at least.
    #[serde(default = "one")]
    pub count: u32,
    /// Inside how long; without it, at any distance of time.
    pub within: Option<Length>,
    /// In how many different sectors at least.
    pub sectors: Option<u32>,
    /// Only if nothing of the kind took place for so long before: what makes
    /// an attack a *renewed* one.
    pub after_quiet: Option<Length>,
    /// Only if none of the others did anything of the kind for so long before.
    pub unprovoked_for: Option<Length>,
}

const fn one() -> u32 {
    1
}

/// A condition with a name and its wording.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamedCondition {
    /// Short name.
    pub id: String,
    /// The wording in our words.
    pub title: Localised,
    /// The rule, under each reading.
    pub test: Contested<Condition>,
    /// Where the wording stands.
    #[serde(default)]
    pub citation: Citation,
    /// What a reader must know.
    #[serde(default)]
    pub note: String,
}

/// What a condition comes to.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// How far it holds.
    pub truth: Truth,
    /// Why, step by step.
    pub because: Vec<String>,
    /// Ids of the incidents that it rests on.
    pub relied_on: BTreeSet<String>,
}

impl Answer {
    fn bare(truth: Truth, because: String) -> Self {
        Self { truth, because: vec![because], relied_on: BTreeSet::new() }
    }

    fn joined(parts: Vec<Self>, join: fn(Truth, Truth) -> Truth, start: Truth) -> Self {
        let mut all = Self { truth: start, because: Vec::new(), relied_on: BTreeSet::new() };
        for part in parts {
            all.truth = join(all.truth, part.truth);
            all.because.extend(part.because);
            all.relied_on.extend(part.relied_on);
        }
        all
    }
}

/// What is needed to evaluate conditions.
#[derive(Clone, Copy, Debug)]
pub struct Evaluation<'a> {
    /// Conditions that others refer to.
    pub named: &'a [NamedCondition],
    /// What took place.
    pub timeline: &'a Timeline,
    /// The reading of every contested named condition.
    pub choice: &'a Choice,
}

/// Adds the contested named conditions that a condition reaches.
pub fn contested_names(condition: &Condition, named: &[NamedCondition], fields: &mut Fields) {
    let mut reached = BTreeSet::new();
    collect(condition, named, &mut reached);
    for id in reached {
        if let Some(found) = named.iter().find(|named| named.id == id) {
            fields.add(&format!("condition {id}"), &found.test);
        }
    }
}

fn collect(condition: &Condition, named: &[NamedCondition], reached: &mut BTreeSet<String>) {
    condition.visit(&mut |part| {
        if let Condition::Named(id) = part
            && reached.insert(id.clone())
            && let Some(found) = named.iter().find(|named| named.id == *id)
        {
            for reading in found.test.readings() {
                collect(&reading.value, named, reached);
            }
        }
    });
}

impl Condition {
    /// Calls something on this condition and on all of its parts.
    pub fn visit(&self, see: &mut impl FnMut(&Self)) {
        see(self);
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|part| part.visit(see)),
            Self::Not(part) => part.visit(see),
            _ => {}
        }
    }

    /// Evaluates it.
    pub fn evaluate(&self, around: Evaluation<'_>) -> Answer {
        self.at_depth(around, 0)
    }

    fn at_depth(&self, around: Evaluation<'_>, depth: usize) -> Answer {
        /// Named conditions that refer to one another in a circle end here.
        const DEPTH_MAX: usize = 32;
        if depth > DEPTH_MAX {
            let because = "conditions refer to one another in a circle".to_owned();
            return Answer::bare(Truth::unknown(because.clone()), because);
        }
        let inner = |parts: &[Self]| -> Vec<Answer> {
            parts.iter().map(|part| part.at_depth(around, depth + 1)).collect()
        };
        match self {
            Self::All(parts) => Answer::joined(inner(parts), Truth::and, Truth::met()),
            Self::Any(parts) => Answer::joined(inner(parts), Truth::or, Truth::not_met()),
            Self::Not(part) => {
                let answer = part.at_depth(around, depth + 1);
                Answer { truth: answer.truth.negated(), ..answer }
            }
            Self::Event(event) => match around.timeline.events.get(event) {
                Some(at) if *at <= around.timeline.as_of => {
                    Answer::bare(Truth::met(), format!("{event} took place at {at}"))
                }
                Some(at) => Answer::bare(Truth::not_met(), format!("{event} is due at {at}")),
                None => Answer::bare(Truth::not_met(), format!("{event} has not taken place")),
            },
            Self::Elapsed(Elapsed { event, span }) => match around.timeline.events.get(event) {
                Some(at) => {
                    let since = domain::Zone::utc().later(*at, &span.0);
                    let truth = if since <= around.timeline.as_of {
                        Truth::met()
                    } else {
                        Truth::not_met()
                    };
                    Answer::bare(truth, format!("{span} from {event} end at {since}"))
                }
                None => Answer::bare(Truth::not_met(), format!("{event} has not taken place")),
            },
            Self::Named(id) => {
                let field = format!("condition {id}");
                let chosen = around
                    .named
                    .iter()
                    .find(|named| named.id == *id)
                    .and_then(|named| named.test.under(around.choice.of(&field)));
                if let Some(reading) = chosen {
                    return reading.value.at_depth(around, depth + 1);
                }
                let because = format!("no reading of the condition {id} is at hand");
                Answer::bare(Truth::unknown(because.clone()), because)
            }
            Self::Breach(breach) => breach.evaluate(around.timeline),
            Self::Undefined(because) => {
                Answer::bare(Truth::unknown(because.clone()), because.clone())
            }
        }
    }
}

impl Breach {
    /// Whether one incident is of the kind, leaving out what concerns several.
    fn one(&self, happening: &Happening, timeline: &Timeline) -> Truth {
        let mut parts = vec![Truth::probably(happening.when.probability_within(&Interval {
            from: Timestamp::MIN,
            to: shifted(timeline.as_of, 1e-6),
        }))];
        parts.push(self.kind(happening));
        if !self.by.is_empty() {
            parts.push(self.attributed(happening));
        }
        if let Some(least) = self.severity_at_least {
            parts.push(match happening.severity {
                Some(severity) if severity >= least => Truth::met(),
                Some(_) => Truth::not_met(),
                None => Truth::unknown(format!("the severity of {} is not assessed", happening.id)),
            });
        }
        if let Some(least) = self.standard_at_least {
            parts.push(if happening.standard >= least { Truth::met() } else { Truth::not_met() });
        }
        if let Some(event) = &self.after {
            parts.push(match timeline.events.get(event) {
                Some(at) => Truth::probably(happening.when.probability_within(&from(*at))),
                None => Truth::not_met(),
            });
        }
        Truth::all(parts)
    }

    /// Acts, provisions and zone: what is asked of whoever did it.
    fn kind(&self, happening: &Happening) -> Truth {
        let mut parts = vec![self.acts_of(happening)];
        if !self.provisions.is_empty() {
            let most = happening
                .breaches
                .iter()
                .filter(|(id, _)| self.provisions.iter().any(|asked| asked == "*" || asked == *id))
                .map(|(_, p)| p.get())
                .fold(0.0, f64::max);
            parts.push(Truth::probably(Probability::new(most)));
        }
        if let Some(zone) = &self.zone {
            parts.push(match happening.zones.get(zone) {
                Some(p) => Truth::probably(*p),
                None => Truth::unknown(format!("whether {} lies in {zone} is open", happening.id)),
            });
        }
        Truth::all(parts)
    }

    fn acts_of(&self, happening: &Happening) -> Truth {
        if self.acts.is_empty() {
            return Truth::met();
        }
        let share: f64 = happening
            .classes
            .iter()
            .filter(|share| self.acts.iter().any(|act| act.matches(share.class)))
            .map(|share| share.share.get())
            .sum();
        Truth::probably(Probability::new(share))
    }

    /// That one of those named did it.
    fn attributed(&self, happening: &Happening) -> Truth {
        match &happening.by {
            Some((by, p)) if self.by.contains(by) => Truth::probably(*p),
            Some((_, p)) => Truth::probably(*p).negated(),
            None => Truth::unknown(format!("{} is not attributed", happening.id)),
        }
    }

    /// That nothing of the kind took place for so long before: by the same, or
    /// by others. Where clocks do not tell which came first, that is a
    /// probability.
    fn quiet(
        &self,
        happening: &Happening,
        timeline: &Timeline,
        others_only: bool,
        length: Length,
    ) -> Truth {
        let since = from(shifted(happening.when.span.from, -length.seconds()));
        let disturbed =
            timeline.happenings.iter().filter(|other| other.id != happening.id).map(|other| {
                let there = Truth::probably(other.when.probability_within(&since))
                    .and(Truth::probably(probability_before(&other.when, &happening.when)));
                let who = if others_only {
                    match (&other.by, &happening.by) {
                        (Some((theirs, p)), Some((ours, _))) if theirs != ours => {
                            Truth::probably(*p)
                        }
                        (Some(_), Some(_)) => Truth::not_met(),
                        _ => Truth::unknown(format!("{} is not attributed", other.id)),
                    }
                } else if self.by.is_empty() {
                    Truth::met()
                } else {
                    self.attributed(other)
                };
                // What provokes need not lie where the answer to it is forbidden.
                let kind = if others_only { self.acts_of(other) } else { self.kind(other) };
                there.and(who).and(kind)
            });
        Truth::any(disturbed).negated()
    }

    fn evaluate(&self, timeline: &Timeline) -> Answer {
        let mut found: Vec<(&Happening, Truth)> = timeline
            .happenings
            .iter()
            .map(|happening| {
                let mut truth = self.one(happening, timeline);
                if let Some(length) = self.after_quiet {
                    truth = truth.and(self.quiet(happening, timeline, false, length));
                }
                if let Some(length) = self.unprovoked_for {
                    truth = truth.and(self.quiet(happening, timeline, true, length));
                }
                (happening, truth)
            })
            .filter(|(_, truth)| truth.high() > Probability::ZERO)
            .collect();
        found.sort_by(|a, b| (a.0.when.span.from, &a.0.id).cmp(&(b.0.when.span.from, &b.0.id)));
        let mut answer = Answer {
            truth: Truth::not_met(),
            because: Vec::new(),
            relied_on: found.iter().map(|(happening, _)| happening.id.clone()).collect(),
        };
        if found.is_empty() {
            answer.because.push(format!("nothing in the record is {}", self.in_words()));
            return answer;
        }
        for (happening, truth) in &found {
            answer.because.push(format!(
                "{} is {} with probability {}",
                happening.id,
                self.one_in_words(),
                range(truth)
            ));
        }
        if self.count > 1 || self.sectors.is_some() {
            answer.because.push(format!("asked for: {}", self.in_words()));
        }
        if self.count <= 1 && self.sectors.is_none() {
            answer.truth = Truth::any(found.into_iter().map(|(_, truth)| truth));
            return answer;
        }
        let mut best: Option<Truth> = None;
        for (last, (happening, _)) in found.iter().enumerate() {
            let stretch = self.within.map(|within| Interval {
                from: shifted(happening.when.span.from, -within.seconds()),
                to: shifted(happening.when.span.from, 1e-6),
            });
            let inside: Vec<&(&Happening, Truth)> = found[..=last]
                .iter()
                .filter(|(other, _)| {
                    stretch.is_none_or(|stretch| stretch.contains(other.when.span.from))
                })
                .collect();
            let mut truth = at_least(self.count, inside.iter().map(|(_, truth)| truth.clone()));
            if let Some(sectors) = self.sectors {
                truth = truth.and(in_sectors(sectors, &inside));
            }
            if best
                .as_ref()
                .is_none_or(|best| (truth.low(), truth.high()) > (best.low(), best.high()))
            {
                best = Some(truth);
            }
        }
        answer.truth = best.unwrap_or_else(Truth::not_met);
        answer
    }

    /// The kind, in words.
    pub fn in_words(&self) -> String {
        let mut words = vec![self.one_in_words()];
        if self.count > 1 {
            words.push(format!("at least {} times", self.count));
        }
        if let Some(length) = self.within {
            words.push(format!("within {length}"));
        }
        if let Some(sectors) = self.sectors {
            words.push(format!("in at least {sectors} sectors"));
        }
        words.join(" ")
    }

    /// One of the kind, in words.
    fn one_in_words(&self) -> String {
        let mut words = Vec::new();
        if !self.acts.is_empty() {
            let acts: Vec<String> = self.acts.iter().map(ToString::to_string).collect();
            words.push(format!("an act of class {}", acts.join(", ")));
        }
        if self.provisions.iter().any(|asked| asked == "*") {
            words.push("a breach of a provision".to_owned());
        } else if !self.provisions.is_empty() {
            words.push(format!("a breach of {}", self.provisions.join(", ")));
        }
        if words.is_empty() {
            words.push("an incident".to_owned());
        }
        if !self.by.is_empty() {
            words.push(format!("attributed to {}", self.by.join(" or ")));
        }
        if let Some(zone) = &self.zone {
            words.push(format!("in {zone}"));
        }
        if let Some(least) = self.severity_at_least {
            words.push(format!("of severity {least:?} or more"));
        }
        if let Some(least) = self.standard_at_least {
            words.push(format!("proved to {least:?}"));
        }
        if let Some(event) = &self.after {
            words.push(format!("after {event}"));
        }
        if let Some(length) = self.after_quiet {
            words.push(format!("after {length} of quiet"));
        }
        if let Some(length) = self.unprovoked_for {
            words.push(format!("with nothing of the other side for {length} before"));
        }
        words.join(" ")
    }
}

/// P(at least so many of them), each independent: the lower and upper ends of
/// their ranges give the ends of the answer.
fn at_least(count: u32, truths: impl Iterator<Item = Truth>) -> Truth {
    let truths: Vec<Truth> = truths.collect();
    let tail = |end: fn(&Truth) -> Probability| {
        let mut chances = vec![1.0];
        for truth in &truths {
            let p = end(truth).get();
            let mut next = vec![0.0; chances.len() + 1];
            for (n, chance) in chances.iter().enumerate() {
                next[n] += chance * (1.0 - p);
                next[n + 1] += chance * p;
            }
            chances = next;
        }
        Probability::new(chances.iter().skip(count as usize).sum())
    };
    let (low, high) = (tail(Truth::low), tail(Truth::high));
    if low == high {
        return Truth::probably(low);
    }
    let open: Vec<String> = truths.iter().flat_map(|truth| truth.open().to_vec()).collect();
    Truth::between(low, high, open)
}

fn in_sectors(sectors: u32, inside: &[&(&Happening, Truth)]) -> Truth {
    let mut names: Vec<&str> =
        inside.iter().filter_map(|(happening, _)| happening.sector.as_deref()).collect();
    names.sort_unstable();
    names.dedup();
    let by_sector = names.iter().map(|name| {
        Truth::any(
            inside
                .iter()
                .filter(|(happening, _)| happening.sector.as_deref() == Some(name))
                .map(|(_, truth)| truth.clone()),
        )
    });
    let known = at_least(sectors, by_sector);
    match inside.iter().find(|(happening, _)| happening.sector.is_none()) {
        Some((happening, _)) if known.low() < Probability::ONE => {
            known.or(Truth::unknown(format!("the sector of {} is not known", happening.id)))
        }
        _ => known,
    }
}

fn range(truth: &Truth) -> String {
    if truth.is_open() {
        format!(
            "{:.2} to {:.2} ({})",
            truth.low().get(),
            truth.high().get(),
            truth.open().join("; ")
        )
    } else {
        format!("{:.2}", truth.low().get())
    }
}
