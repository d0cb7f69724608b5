//! What took place, held against a provision, element by element, under one
//! choice of readings. Pure: the same facts give the same answer.

use std::collections::BTreeMap;

use domain::incident::ClassShare;
use domain::line::LineIndex;
use domain::place::step;
use domain::time::Interval;
use domain::{Area, Class, ControlState, LatLon, Located, Occurrence, Probability};
use jiff::Timestamp;

use crate::choice::Choice;
use crate::model::{Agreement, EventTimes};
use crate::procedure::Taken;
use crate::provision::Provision;
use crate::truth::Truth;
use crate::weapon::WeaponSeen;
use crate::zone::{Course, Geometry, Side, Zone};

/// What findings need to know of the ground.
pub trait Ground {
    /// Points of equal weight over an administrative unit.
    fn samples(&self, unit: &str) -> Vec<LatLon>;

    /// The map of a source that holds at a moment.
    fn control(&self, source: &str, moment: Timestamp) -> Option<&ControlState>;
}

/// What is known of something that took place. What is not known is `None`:
/// it leaves elements open, it never decides them.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// When.
    pub when: &'a Occurrence,
    /// Where.
    pub place: &'a Located,
    /// What it was, with shares that add up to 1.
    pub classes: &'a [ClassShare],
    /// Tags of protected objects that the evidence names.
    pub objects: &'a [String],
    /// The weapon.
    pub weapon: Option<&'a WeaponSeen>,
    /// Height above ground and its error, one standard deviation, metres.
    pub height_m: Option<(f64, f64)>,
    /// Whose forces, as a hypothesis: zones that differ by party are then
    /// taken as drawn for that party. Never an attribution.
    pub party: Option<&'a str>,
    /// Whether it was notified as the exceptions ask.
    pub notified: Option<bool>,
    /// Steps of procedures in the record, and whether the record would hold
    /// every step that was taken.
    pub procedure: Option<(&'a [Taken], bool)>,
}

/// How well facts fit a provision under one choice.
#[derive(Clone, Debug)]
pub struct Evaluated {
    /// The name of the reading, with the line from which the zone is measured
    /// where that differs by party. It names no party.
    pub reading: String,
    /// P(in force).
    pub in_force: Truth,
    /// P(in the zone); none if the place is not known.
    pub in_zone: Option<Probability>,
    /// Element by element, in this order: act, object, weapon, zone, height,
    /// time, window, exceptions; only those that the provision has.
    pub elements: Vec<(&'static str, Truth)>,
}

impl Evaluated {
    /// All elements together, as if independent.
    pub fn together(&self) -> Truth {
        Truth::all(self.elements.iter().map(|(_, truth)| truth.clone()))
    }
}

/// A provision under one choice of readings, made out once so that many
/// incidents can be held against it.
#[derive(Clone, Debug)]
pub struct Rule<'a> {
    /// The provision.
    pub provision: &'a Provision,
    /// The reading of every contested field.
    pub choice: Choice,
    /// The name of the choice.
    name: String,
    /// The time in force, or why it is not known.
    time: Result<Interval, String>,
    /// Its index among the different times of the evaluator.
    time_index: usize,
    /// A bit for every class that it is about.
    classes: u128,
    objects: &'a [String],
    weapons: &'a [String],
    /// Rows of its zone under this choice, by index into the agreement's zones.
    rows: Vec<usize>,
}

/// Classes as a set, for [`Rule::touches`].
pub fn bits(classes: &[ClassShare]) -> u128 {
    classes.iter().fold(0, |bits, share| bits | bit(share.class))
}

const fn bit(class: Class) -> u128 {
    1 << (class as u32)
}

impl<'a> Rule<'a> {
    fn new(
        it: &'a Agreement,
        provision: &'a Provision,
        choice: Choice,
        assumed: &EventTimes,
    ) -> Self {
        const CHOSEN: &str = "chosen from it";
        let term = &provision.in_force.under(choice.of("in_force")).expect(CHOSEN).value;
        let acts = &provision.acts.under(choice.of("acts")).expect(CHOSEN).value;
        let zone = &provision.zone.under(choice.of("zone")).expect(CHOSEN).value;
        let reading = choice.of(&format!("zone {zone}")).to_owned();
        let rows = it.zones.iter().enumerate().filter(|(_, row)| {
            row.id == *zone && (row.reading.is_empty() || row.reading == reading)
        });
        Self {
            name: choice.name(),
            time: it.interval(term, &choice, assumed),
            time_index: 0,
            classes: Class::ALL
                .iter()
                .filter(|class| acts.iter().any(|act| act.matches(**class)))
                .fold(0, |bits, class| bits | bit(*class)),
            objects: &provision.objects.under(choice.of("objects")).expect(CHOSEN).value,
            weapons: &provision.weapons.under(choice.of("weapons")).expect(CHOSEN).value,
            rows: rows.map(|(index, _)| index).collect(),
            provision,
            choice,
        }
    }

    /// P(in force).
    pub fn in_force(&self, when: &Occurrence) -> Truth {
        match &self.time {
            Ok(interval) => Truth::probably(when.probability_within(interval)),
            Err(because) => Truth::unknown(because.clone()),
        }
    }

    /// As [`Self::in_force`], worked out once for all rules of that time.
    pub fn in_force_with<'k>(&self, when: &Occurrence, known: &'k mut Known) -> &'k Truth {
        slot(&mut known.times, self.time_index).get_or_insert_with(|| self.in_force(when))
    }

    /// Whether it is about any of the classes, given as by [`bits`].
    pub const fn touches(&self, classes: u128) -> bool {
        self.classes & classes != 0
    }

    /// The share of the classes that it is about.
    pub fn act(&self, classes: &[ClassShare]) -> Probability {
        let about = |share: &&ClassShare| self.classes & bit(share.class) != 0;
        Probability::new(classes.iter().filter(about).map(|share| share.share.get()).sum())
    }

    /// Whether the evidence names an object that it protects; `None` if it
    /// does not depend on the object.
    pub fn object(&self, objects: &[String]) -> Option<bool> {
        (!self.objects.is_empty())
            .then(|| objects.iter().any(|object| self.objects.contains(object)))
    }
}

/// P(in the zone), or none where it cannot be told.
type InZone = Option<Probability>;

/// What was worked out already for the same facts: what two rules share is
/// worked out once.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// P(in the zone) by index into the agreement's zones.
    zones: Vec<Option<InZone>>,
    /// P(in force) by index into the evaluator's times.
    times: Vec<Option<Truth>>,
    /// A probability of being in a zone that is surely lower than this one is
    /// given as 0.
    least: f64,
}

impl Known {
    /// Nothing yet. Who drops what is less likely to be in a zone than `least`
    /// saves the work of telling how much less.
    pub fn above(least: f64) -> Self {
        Self { least, ..Self::default() }
    }
}

/// The place of a list, which grows to hold it.
fn slot<T>(list: &mut Vec<Option<T>>, index: usize) -> &mut Option<T> {
    while list.len() <= index {
        list.push(None);
    }
    &mut list[index]
}

/// An agreement with its zones and lines indexed.
#[derive(Debug)]
pub struct Evaluator<'a> {
    agreement: &'a Agreement,
    assumed: EventTimes,
    /// By index into the agreement's provisions.
    rules: Vec<Vec<Rule<'a>>>,
    /// By index into the agreement's zones.
    areas: BTreeMap<usize, Area>,
    /// By index into the agreement's lines.
    lines: BTreeMap<usize, LineIndex>,
}

impl<'a> Evaluator<'a> {
    /// Indexes zones and lines.
    pub fn new(agreement: &'a Agreement) -> Self {
        Self::assuming(agreement, EventTimes::new())
    }

    /// As [`Self::new`], taking declared events to be at these moments,
    /// whatever the package says.
    pub fn assuming(agreement: &'a Agreement, assumed: EventTimes) -> Self {
        let areas = agreement
            .zones
            .iter()
            .enumerate()
            .filter_map(|(index, zone)| match &zone.geometry {
                Geometry::Polygons { polygons, accuracy_m, .. } => {
                    Some((index, Area::new(polygons, *accuracy_m)))
                }
                _ => None,
            })
            .collect();
        let lines = agreement
            .lines
            .iter()
            .enumerate()
            .filter_map(|(index, line)| match &line.course {
                Course::Drawn(lines) => {
                    Some((index, LineIndex::new(lines.iter().map(Vec::as_slice))))
                }
                Course::OfTheDay { .. } => None,
            })
            .collect();
        let mut times: Vec<Result<Interval, String>> = Vec::new();
        let rules = agreement
            .provisions
            .iter()
            .map(|provision| {
                let choices = agreement.fields_of(provision).choices();
                let rule = |choice| {
                    let mut rule = Rule::new(agreement, provision, choice, &assumed);
                    let same = times.iter().position(|time| *time == rule.time);
                    rule.time_index = same.unwrap_or(times.len());
                    if same.is_none() {
                        times.push(rule.time.clone());
                    }
                    rule
                };
                choices.into_iter().map(rule).collect()
            })
            .collect();
        Self { agreement, assumed, rules, areas, lines }
    }

    /// The agreement.
    pub const fn agreement(&self) -> &'a Agreement {
        self.agreement
    }

    /// Moments of events that are assumed.
    pub const fn assumed(&self) -> &EventTimes {
        &self.assumed
    }

    /// Provisions, each with a rule for every choice of its readings.
    pub fn rules(&self) -> impl Iterator<Item = (&'a Provision, &[Rule<'a>])> {
        self.agreement.provisions.iter().zip(self.rules.iter().map(Vec::as_slice))
    }

    /// The rows of the rule's zone that hold at a moment: one, or one for each
    /// way of drawing it where that differs by party. With a party, the one
    /// drawn for its forces.
    fn rows(
        &self,
        rule: &Rule<'_>,
        moment: Timestamp,
        party: Option<&str>,
    ) -> Vec<(usize, &'a Zone)> {
        let mut rows: Vec<(usize, &Zone)> = Vec::new();
        for index in &rule.rows {
            let zone = &self.agreement.zones[*index];
            let holds = zone.valid.contains(moment) && party.is_none_or(|party| zone.is_for(party));
            // The first row for the same parties counts, as in a list of amendments.
            if holds && !rows.iter().any(|(_, before)| before.parties == zone.parties) {
                rows.push((*index, zone));
            }
        }
        if party.is_some() {
            // A row for this party comes before one for everybody.
            rows.sort_by_key(|(index, zone)| (zone.parties.is_empty(), *index));
            rows.truncate(1);
        }
        rows
    }

    /// Every evaluation of facts under a rule: one, or one for each way of
    /// drawing the zone where that differs by party.
    pub fn evaluate(
        &self,
        rule: &Rule<'_>,
        facts: &Facts<'_>,
        ground: &impl Ground,
    ) -> Vec<Evaluated> {
        self.evaluate_with(rule, facts, ground, &mut Known::default())
    }

    /// As [`Self::evaluate`], for many rules and the same facts: what was worked
    /// out for a zone under one rule is not worked out again.
    pub fn evaluate_with(
        &self,
        rule: &Rule<'_>,
        facts: &Facts<'_>,
        ground: &impl Ground,
        known: &mut Known,
    ) -> Vec<Evaluated> {
        let in_force = rule.in_force_with(facts.when, known).clone();
        let moment = facts.when.span.middle();
        let rows = self.rows(rule, moment, facts.party);
        let several = rows.len() > 1;
        let least = known.least;
        let mut under = |row: Option<(usize, &Zone)>| {
            let in_zone = row.and_then(|(index, zone)| {
                *slot(&mut known.zones, index)
                    .get_or_insert_with(|| self.in_zone_above(index, zone, facts, ground, least))
            });
            let mut reading = rule.name.clone();
            if let (true, Some((_, zone))) = (several, row) {
                if !reading.is_empty() {
                    reading.push_str(" + ");
                }
                reading.push_str(zone.name.get("en"));
            }
            let zone = row.map(|(_, zone)| zone);
            let elements = self.elements(rule, facts, &in_force, in_zone, zone);
            Evaluated { reading, in_force: in_force.clone(), in_zone, elements }
        };
        if rows.is_empty() {
            vec![under(None)]
        } else {
            rows.into_iter().map(|row| under(Some(row))).collect()
        }
    }

    fn elements(
        &self,
        rule: &Rule<'_>,
        facts: &Facts<'_>,
        in_force: &Truth,
        in_zone: Option<Probability>,
        zone: Option<&Zone>,
    ) -> Vec<(&'static str, Truth)> {
        let provision = rule.provision;
        let mut elements = Vec::with_capacity(8);
        elements.push(("act", Truth::probably(rule.act(facts.classes))));
        if let Some(named) = rule.object(facts.objects) {
            elements.push(("object", if named { Truth::met() } else { Truth::not_met() }));
        }
        if !rule.weapons.is_empty() {
            let all = &self.agreement.weapons;
            let covered = all
                .iter()
                .filter(|class| rule.weapons.contains(&class.id))
                .map(|class| class.covers(facts.weapon, all));
            elements.push(("weapon", Truth::any(covered)));
        }
        elements.push((
            "zone",
            match (in_zone, zone) {
                (Some(p), _) => Truth::probably(p),
                (None, None) => Truth::unknown("no version of the zone holds at that time"),
                (None, Some(_)) if matches!(facts.place, Located::Unknown) => {
                    Truth::unknown("the place is not known")
                }
                (None, Some(_)) => Truth::unknown("the line of that day is not known"),
            },
        ));
        if let Some(zone) = zone
            && (zone.floor_m.is_some() || zone.ceiling_m.is_some())
        {
            elements.push(("height", height(zone, facts.height_m)));
        }
        elements.push(("time", in_force.clone()));
        if !provision.windows.is_empty() {
            let windows =
                self.agreement.windows.iter().filter(|w| provision.windows.contains(&w.id));
            let inside = windows.map(|window| Truth::probably(window.probability(facts.when)));
            elements.push(("window", Truth::any(inside)));
        }
        if !provision.exceptions.is_empty() {
            elements.push(("exceptions", self.exceptions(provision, facts)));
        }
        elements
    }

    /// That no exception applies.
    fn exceptions(&self, provision: &Provision, facts: &Facts<'_>) -> Truth {
        const NOTHING: &str = "the record holds no notifications or permissions to check against";
        let applies = provision.exceptions.iter().map(|exception| match &exception.procedure {
            Some(id) => {
                let procedure = self.agreement.procedures.iter().find(|one| one.id == *id);
                match (procedure, facts.procedure) {
                    (Some(procedure), Some((taken, complete))) => {
                        procedure.progress(taken, facts.when, complete).permitted
                    }
                    _ => Truth::unknown(NOTHING),
                }
            }
            None => match facts.notified {
                Some(true) => Truth::met(),
                Some(false) => Truth::not_met(),
                None => Truth::unknown(NOTHING),
            },
        });
        Truth::any(applies).negated()
    }

    /// P(the place lies in a row of a zone), with the map that holds in the
    /// middle of its time; none if that cannot be told.
    pub fn in_zone(
        &self,
        index: usize,
        zone: &Zone,
        facts: &Facts<'_>,
        ground: &impl Ground,
    ) -> Option<Probability> {
        self.in_zone_above(index, zone, facts, ground, 0.0)
    }

    /// As [`Self::in_zone`]; what is surely below `least` may be given as 0.
    fn in_zone_above(
        &self,
        index: usize,
        zone: &Zone,
        facts: &Facts<'_>,
        ground: &impl Ground,
        least: f64,
    ) -> Option<Probability> {
        let samples = |unit: &str| ground.samples(unit);
        match &zone.geometry {
            Geometry::Everywhere => Some(Probability::ONE),
            Geometry::Polygons { grow_m, accuracy_m, .. } => {
                let area = &self.areas[&index];
                if *grow_m == 0.0 {
                    return area.probability_of(facts.place, samples, least);
                }
                let sigma_m = quadrature(*accuracy_m, facts.place.blur_m());
                facts.place.mean_over_margin(
                    samples,
                    least,
                    |at| area.depth_m(at) + grow_m,
                    |depth_m| step(depth_m, sigma_m),
                )
            }
            Geometry::Band { line, side, from_m, to_m, accuracy_m } => {
                let moment = facts.when.span.middle();
                let (drawn, source) = self.line(line, moment);
                let sigma_m = quadrature(*accuracy_m, facts.place.blur_m());
                let share = |x_m: f64| {
                    let beyond = if *side == Side::Both && *from_m == 0.0 {
                        1.0
                    } else {
                        step(x_m - from_m, sigma_m)
                    };
                    let short = if to_m.is_infinite() { 1.0 } else { step(to_m - x_m, sigma_m) };
                    (beyond + short - 1.0).max(0.0)
                };
                if let Some(drawn) = drawn {
                    if *side == Side::Both && *from_m == 0.0 && to_m.is_finite() {
                        if drawn.is_empty() {
                            return facts.place.mean_over(samples, |_| 0.0);
                        }
                        // Once the centre is known, no point is farther away than this.
                        let mut less_m = f64::INFINITY;
                        if let (Some(at), Some(reach_m)) =
                            (facts.place.centre(), facts.place.reach_m())
                        {
                            less_m = drawn.distance_m(at) + reach_m + 1.0;
                        }
                        return facts.place.mean_over_margin(
                            samples,
                            least,
                            |at| to_m - drawn.distance_within_m(at, less_m),
                            // As `share` rounds it.
                            |margin_m| (1.0 + step(margin_m, sigma_m) - 1.0).max(0.0),
                        );
                    }
                    return facts.place.mean_over(samples, |at| match (side, drawn.side(at)) {
                        (Side::Both, Some((away, _))) => share(away),
                        (Side::Left | Side::Outside, Some((away, left))) => {
                            share(if left { away } else { -away })
                        }
                        (_, Some((away, left))) => share(if left { -away } else { away }),
                        (_, None) => 0.0,
                    });
                }
                let control = ground.control(source, moment)?;
                if *side == Side::Both && *from_m == 0.0 {
                    return control.probability_near(facts.place, *to_m, *accuracy_m, samples);
                }
                if control.contact().is_empty() {
                    return None;
                }
                facts.place.mean_over(samples, |at| {
                    let away = control.contact_distance_m(at);
                    let inside = control.area().contains(at);
                    share(match side {
                        Side::Both => away,
                        Side::Inside | Side::Right => {
                            if inside {
                                away
                            } else {
                                -away
                            }
                        }
                        Side::Outside | Side::Left => {
                            if inside {
                                -away
                            } else {
                                away
                            }
                        }
                    })
                })
            }
        }
    }

    /// The drawn line of that name that holds at a moment, or the source whose
    /// map gives it.
    fn line<'l>(&'l self, id: &'l str, moment: Timestamp) -> (Option<&'l LineIndex>, &'l str) {
        let found = self
            .agreement
            .lines
            .iter()
            .enumerate()
            .find(|(_, line)| line.id == id && line.valid.contains(moment));
        match found {
            Some((index, line)) => match &line.course {
                Course::Drawn(_) => (self.lines.get(&index), id),
                Course::OfTheDay { source } => (None, source),
            },
            None => (None, id),
        }
    }

    /// Zones of the agreement in which facts lie, with the probability; only
    /// those for which it can be told. Rows for different parties or readings:
    /// the greatest.
    pub fn zones(&self, facts: &Facts<'_>, ground: &impl Ground) -> BTreeMap<String, Probability> {
        let moment = facts.when.span.middle();
        let mut zones: BTreeMap<String, Probability> = BTreeMap::new();
        for (index, zone) in self.agreement.zones.iter().enumerate() {
            if zone.valid.contains(moment)
                && let Some(p) = self.in_zone(index, zone, facts, ground)
            {
                let most = zones.entry(zone.id.clone()).or_insert(p);
                if p > *most {
                    *most = p;
                }
            }
        }
        zones
    }

    /// Provisions that cannot be evaluated because their time in force is not
    /// known under some reading, with the reason.
    pub fn dormant(&self) -> Vec<(&'a Provision, String)> {
        let mut dormant = Vec::new();
        for (provision, rules) in self.rules() {
            if let Some(because) = rules.iter().find_map(|rule| rule.time.clone().err()) {
                dormant.push((provision, because));
            }
        }
        dormant
    }
}

fn quadrature(a: f64, b: f64) -> f64 {
    (a * a + b * b).sqrt()
}

fn height(zone: &Zone, height_m: Option<(f64, f64)>) -> Truth {
    let Some((height_m, sigma_m)) = height_m else {
        return Truth::unknown("the evidence gives no height");
    };
    let above = zone.floor_m.map_or(1.0, |floor| step(height_m - floor, sigma_m));
    let below = zone.ceiling_m.map_or(1.0, |ceiling| step(ceiling - height_m, sigma_m));
    Truth::probably(Probability::new((above + below - 1.0).max(0.0)))
}
