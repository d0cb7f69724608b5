//! How far an incident is believed, step by step: what was presumed, what every
//! independent origin adds, what the silence of those who looked takes away, and
//! what is known of how such incidents turned out.

use std::collections::BTreeSet;

use domain::incident::{Belief, Reason};
use domain::probability::rounded;
use domain::sun::share_dark;
use domain::{Effort, Footprint, Precision, Probability, SourceKind};

use crate::calibration::Calibration;
use crate::group::{Draft, Membership};
use crate::likelihood::{place_overlap, time_overlap};
use crate::origin::Entry;
use crate::sighting::Reference;

/// Who was looking: a source with its effort.
#[derive(Clone, Debug)]
pub struct Watch {
    /// Id of the source.
    pub source: String,
    /// Its kind.
    pub kind: SourceKind,
    /// When and where it looked. Empty if nothing is known of that: then its
    /// silence says nothing.
    pub efforts: Vec<Effort>,
    /// Whether it works in the dark: if not, its silence by night says nothing.
    pub night: bool,
}

/// Believes a draft as far as its members and the silences allow.
pub(crate) fn believe(
    draft: &Draft,
    entries: &[Entry],
    reference: &Reference,
    watches: &[Watch],
    rests_on: &[SourceKind],
) -> Belief {
    let founder = &draft.members[0];
    let mut reasons = Vec::new();
    let regime = presume(&entries[founder.entry], reference, &mut reasons);
    corroborate(draft, entries, reference, &mut reasons);
    silences(draft, entries, reference, watches, &mut reasons);
    let calibrated_on = calibrate(&reference.priors.calibration, rests_on, &mut reasons);
    let log_odds: f64 = reasons.iter().map(|reason| reason.log_odds).sum();
    Belief {
        probability: Probability::new(1.0 / (1.0 + libm::exp(-log_odds))),
        distinct: Probability::new(draft.distinct()),
        priors: reference.priors.version.clone(),
        regime,
        reasons,
        calibrated_on,
    }
}

fn reason(what: String, log_odds: f64) -> Reason {
    Reason { what, log_odds: rounded(log_odds, 3) }
}

/// What was presumed before, and what the report that opened the incident adds.
/// Gives the title of the regime.
fn presume(founder: &Entry, reference: &Reference, reasons: &mut Vec<Reason>) -> String {
    let (sighting, priors) = (&founder.sighting, &reference.priors);
    let Some(model) = priors.model(sighting.kind) else { return String::new() };
    let line_m = sighting.line_distance_m(&reference.control);
    let density = priors.density(sighting, model, line_m);
    let regime = priors.regime(density).title.clone();
    // The ground and time that the report leaves open: the inverse of how
    // densely it falls together with itself.
    let squares = model.place_error_m * model.place_error_m + priors.spread_m * priors.spread_m;
    let tail_s = priors.lasting_s + model.time_error_s;
    let overlap =
        place_overlap(&sighting.place, &sighting.place, squares.sqrt(), &reference.places)
            * time_overlap(&sighting.when, &sighting.when, tail_s);
    let expected = density.truth / overlap.max(f64::MIN_POSITIVE);
    reasons.push(reason(
        format!("presumed: {expected:.2e} such occurrences where and when the first report leaves it open ({regime})"),
        libm::log(expected),
    ));
    reasons.push(reason(
        format!("{}, {}: it opened the incident", sighting.source, sighting.kind.code()),
        libm::log(model.reports * overlap / density.falsehood),
    ));
    regime
}

/// Every further origin counts once, and less if it may share its error with
/// one that counts already.
fn corroborate(draft: &Draft, entries: &[Entry], reference: &Reference, reasons: &mut Vec<Reason>) {
    let founder = &entries[draft.members[0].entry];
    let mut origins = BTreeSet::from([founder.origin]);
    let mut groups = BTreeSet::from([founder.sighting.group.as_str()]);
    let mut rest: Vec<(&Membership, &Entry)> = draft.members[1..]
        .iter()
        .map(|member| (member, &entries[member.entry]))
        .filter(|(_, entry)| entry.repeats.is_none())
        .collect();
    // The strongest of an origin speaks for it, in an order that is always the same.
    rest.sort_by(|a, b| {
        let ratio = |one: &Membership| one.ratio.unwrap_or(0.0);
        ratio(b.0).total_cmp(&ratio(a.0)).then(a.1.sighting.at.cmp(&b.1.sighting.at))
    });
    for (member, entry) in rest {
        let sighting = &entry.sighting;
        let (Some(ratio), Some(model)) = (member.ratio, reference.priors.model(sighting.kind))
        else {
            continue;
        };
        if !origins.insert(entry.origin) {
            continue;
        }
        let (exponent, how) = if groups.insert(sighting.group.as_str()) {
            (1.0, "independent of those before")
        } else {
            (model.again, "of a group that spoke already")
        };
        reasons.push(reason(
            format!("{}, {}: {how}", sighting.source, sighting.kind.code()),
            exponent * libm::log(1.0 + ratio),
        ));
    }
}

/// Those who looked there and then and said nothing take away by the declared
/// ratio, and by nothing else.
fn silences(
    draft: &Draft,
    entries: &[Entry],
    reference: &Reference,
    watches: &[Watch],
    reasons: &mut Vec<Reason>,
) {
    // In a region nobody can be said to have looked at the spot.
    if draft.place.precision() >= Precision::Region {
        return;
    }
    let spoke: BTreeSet<&str> =
        draft.members.iter().map(|member| entries[member.entry].sighting.source.as_str()).collect();
    for watch in watches.iter().filter(|watch| !spoke.contains(watch.source.as_str())) {
        let sees = reference.priors.model(watch.kind).map_or(0.0, |model| model.sees);
        let covered = covered(draft, watch);
        if sees * covered > 0.0 {
            reasons.push(reason(
                format!(
                    "{}, {}: looked {:.0} % of that time and told of nothing",
                    watch.source,
                    watch.kind.code(),
                    100.0 * covered
                ),
                libm::log(1.0 - sees * covered),
            ));
        }
    }
}

/// What is known of how incidents of this rest turned out is one more reason.
/// Gives what that was fitted on; empty if nothing is known.
fn calibrate(
    calibration: &Calibration,
    rests_on: &[SourceKind],
    reasons: &mut Vec<Reason>,
) -> String {
    let Some(group) = calibration.of(rests_on) else { return String::new() };
    let added_up: f64 = reasons.iter().map(|reason| reason.log_odds).sum();
    let kinds: Vec<&str> = rests_on.iter().map(|kind| kind.code()).collect();
    let fitted_on = format!("{} ({})", group.fitted_on(), calibration.missions_in_short());
    reasons.push(reason(
        format!("calibration of what rests on {}: fitted on {fitted_on}", kinds.join(" + ")),
        group.adds(added_up),
    ));
    fitted_on
}

/// Share of the possible times in which the place was looked at.
fn covered(draft: &Draft, watch: &Watch) -> f64 {
    let Some(centre) = draft.place.centre() else { return 0.0 };
    let span = draft.when.span.widened(draft.when.sigma_s.max(1.0), draft.when.sigma_s.max(1.0));
    let seconds: f64 = watch
        .efforts
        .iter()
        .filter(|effort| match &effort.footprint {
            Footprint::Everywhere => true,
            Footprint::Box(bounds) => bounds.contains(centre),
            Footprint::Circle { at, radius_m } => at.distance_m(centre) <= *radius_m,
            // Its ground would have to be known; silence then says nothing.
            Footprint::Admin { .. } => false,
        })
        .filter_map(|effort| {
            let common = effort.interval.intersection(&span)?;
            let light = if watch.night { 1.0 } else { 1.0 - share_dark(centre, &common) };
            Some(common.seconds() * effort.state.weight() * light)
        })
        .sum();
    (seconds / span.seconds()).min(1.0)
}
