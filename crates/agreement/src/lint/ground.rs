//! Zones, lines, inventories: overlaps, gaps, boundaries without an error.

use domain::{Area, Interval};
use jiff::Timestamp;
use strict::Weight::{Error, Warning};

use super::problem;
use crate::check::Problem;
use crate::model::Agreement;
use crate::provision::{Bound, Kind, Provision};
use crate::zone::{Geometry, Zone};

pub(super) fn lint(it: &Agreement, problems: &mut Vec<Problem>) {
    rows(it, problems);
    gaps(it, problems);
    conflicts(it, problems);
    for (index, inventory) in it.inventories.iter().enumerate() {
        let at = ("inventory", index, inventory.id.as_str());
        if inventory.supplied.is_none() {
            problems.push(problem(
                Warning,
                "no-inventory",
                at,
                None,
                "has not been supplied: the site cannot be shown as compliant",
                "its absence is itself a breach of the provision that asks for it",
            ));
        }
        if inventory.clock.is_none() {
            problems.push(problem(
                Warning,
                "no-clock",
                at,
                None,
                "nothing says by when it is due",
                "add clock = \"...\"",
            ));
        }
    }
}

fn rows(it: &Agreement, problems: &mut Vec<Problem>) {
    for (index, zone) in it.zones.iter().enumerate() {
        let at = ("zone", index, zone.id.as_str());
        let exact = match zone.geometry {
            Geometry::Everywhere => false,
            Geometry::Polygons { accuracy_m, .. } | Geometry::Band { accuracy_m, .. } => {
                accuracy_m == 0.0
            }
        };
        if exact {
            problems.push(problem(
                Warning,
                "no-accuracy",
                at,
                None,
                "its boundary is taken as exact",
                "give accuracy_m, one standard deviation; a line on paper is seldom better than 30 m",
            ));
        }
        let twin = it.zones[..index].iter().find(|other| {
            other.id == zone.id
                && other.parties == zone.parties
                && other.reading == zone.reading
                && overlap(&other.valid, &zone.valid)
        });
        if twin.is_some() {
            problems.push(problem(
                Error,
                "zone-twice",
                at,
                None,
                "two rows of the zone hold at the same time for the same forces under the same reading",
                "give each row its own from and to, party, or reading",
            ));
        }
    }
    for (index, line) in it.lines.iter().enumerate() {
        if line.citation.is_empty() {
            problems.push(problem(
                Warning,
                "no-source",
                ("line", index, &line.id),
                None,
                "nothing says where the line is laid down or who drew it",
                "add citation = \"...\"",
            ));
        }
    }
}

fn overlap(a: &Interval, b: &Interval) -> bool {
    a.from < b.to && b.from < a.to
}

/// Times in force for which a zone has no row, and belts around one line that
/// leave a strip between them.
fn gaps(it: &Agreement, problems: &mut Vec<Problem>) {
    for (index, provision) in it.provisions.iter().enumerate() {
        let at = ("provision", index, provision.id.as_str());
        for zone in provision.zone.readings().iter().map(|reading| &reading.value) {
            let whole = term(it, provision);
            let parts: Vec<Interval> =
                it.zones.iter().filter(|row| row.id == *zone).map(|row| row.valid).collect();
            if let Some(whole) = whole
                && let Some(gap) = uncovered(whole, parts)
            {
                problems.push(problem(
                    Warning,
                    "time-gap",
                    at,
                    Some("zone"),
                    format!("from {} to {} the zone {zone} has no row", gap.from, gap.to),
                    "add a row for that time, or end the provision with the zone",
                ));
            }
        }
    }
    let mut belts: Vec<(&Zone, usize, f64, f64)> = it
        .zones
        .iter()
        .enumerate()
        .filter_map(|(index, zone)| match &zone.geometry {
            Geometry::Band { from_m, to_m, .. } => Some((zone, index, *from_m, *to_m)),
            _ => None,
        })
        .collect();
    belts.sort_by(|a, b| a.2.total_cmp(&b.2));
    for (zone, index, from_m, _) in belts.iter().filter(|belt| belt.2 > 0.0) {
        let same = |other: &Zone| match (&other.geometry, &zone.geometry) {
            (Geometry::Band { line: a, side: s, .. }, Geometry::Band { line: b, side: t, .. }) => {
                a == b
                    && s == t
                    && other.parties == zone.parties
                    && overlap(&other.valid, &zone.valid)
            }
            _ => false,
        };
        let reached = belts
            .iter()
            .filter(|(other, _, from, _)| same(other) && from < from_m)
            .map(|belt| belt.3)
            .fold(f64::NEG_INFINITY, f64::max);
        if reached.is_finite() && reached < *from_m {
            problems.push(problem(
                Warning,
                "space-gap",
                ("zone", *index, &zone.id),
                None,
                format!("between {reached} m and {from_m} m from its line no zone applies"),
                "let the belts meet, or say that the strip is free",
            ));
        }
    }
}

/// The time in force if all its ends are moments.
fn term(it: &Agreement, provision: &Provision) -> Option<Interval> {
    let end = |bound: &Bound, open: Timestamp| match bound {
        Bound::Open => Some(open),
        Bound::At(at) => Some(*at),
        Bound::Event { event, .. } => it
            .events
            .iter()
            .find(|one| one.id == *event)
            .and_then(|one| one.at.as_ref()?.uncontested())
            .map(|at| at.0),
    };
    let spans: Vec<Interval> = provision
        .in_force
        .readings()
        .iter()
        .filter_map(|reading| {
            Interval::new(
                end(&reading.value.from, Timestamp::MIN)?,
                end(&reading.value.to, Timestamp::MAX)?,
            )
        })
        .collect();
    let from = spans.iter().map(|span| span.from).min()?;
    let to = spans.iter().map(|span| span.to).max()?;
    Some(Interval { from, to })
}

fn uncovered(whole: Interval, mut parts: Vec<Interval>) -> Option<Interval> {
    parts.sort_unstable();
    let mut reached = whole.from;
    for part in parts {
        if part.from > reached {
            return Some(Interval { from: reached, to: part.from.min(whole.to) });
        }
        reached = reached.max(part.to);
    }
    (reached < whole.to).then_some(Interval { from: reached, to: whole.to })
}

/// A ban and a permission of the same act, at the same time, on the same ground.
fn conflicts(it: &Agreement, problems: &mut Vec<Problem>) {
    for (index, permission) in it.provisions.iter().enumerate() {
        if permission.kind != Kind::Permission {
            continue;
        }
        for ban in it.provisions.iter().filter(|one| one.kind == Kind::Ban) {
            let acts = |provision: &Provision| -> Vec<domain::ClassPattern> {
                provision.acts.readings().iter().flat_map(|r| r.value.clone()).collect()
            };
            let permitted = acts(permission);
            let both = domain::Class::ALL.iter().any(|class| {
                permitted.iter().any(|act| act.matches(*class)) && ban.forbids(*class)
            });
            let excepted = ban.exceptions.iter().any(|exception| {
                permitted.contains(&exception.act) || exception.procedure.is_some()
            });
            let meet = match (term(it, permission), term(it, ban)) {
                (Some(a), Some(b)) => overlap(&a, &b),
                _ => true,
            };
            if both && !excepted && meet && ground_meets(it, permission, ban) {
                problems.push(problem(
                    Warning,
                    "conflict",
                    ("provision", index, permission.id.as_str()),
                    None,
                    format!("permits on the same ground what {} forbids", ban.id),
                    "make it an exception of the ban, or part the zones",
                ));
            }
        }
    }
}

fn ground_meets(it: &Agreement, a: &Provision, b: &Provision) -> bool {
    let rows = |provision: &Provision| -> Vec<&Zone> {
        let ids: Vec<&String> = provision.zone.readings().iter().map(|r| &r.value).collect();
        it.zones.iter().filter(|zone| ids.contains(&&zone.id)).collect()
    };
    rows(a).iter().any(|one| rows(b).iter().any(|other| zones_meet(one, other)))
}

/// Whether two zones can share ground. Bands of different lines and a band
/// with a polygon count as meeting: nothing rules it out.
fn zones_meet(a: &Zone, b: &Zone) -> bool {
    if !overlap(&a.valid, &b.valid) {
        return false;
    }
    match (&a.geometry, &b.geometry) {
        (
            Geometry::Polygons { polygons: p, grow_m: g, .. },
            Geometry::Polygons { polygons: q, grow_m: h, .. },
        ) => {
            let (first, second) = (Area::new(p, 0.0), Area::new(q, 0.0));
            let near = |area: &Area, grow: f64, others: &[domain::area::Rings]| {
                others.iter().flatten().flatten().any(|at| area.depth_m(*at) + grow > 0.0)
            };
            near(&first, g + h, q)
                || near(&second, g + h, p)
                || first.lattice(200).iter().any(|at| second.contains(*at))
        }
        (
            Geometry::Band { line: l, side: s, from_m: f, to_m: t, .. },
            Geometry::Band { line: m, side: u, from_m: g, to_m: v, .. },
        ) if l == m => {
            (s == u || *s == crate::Side::Both || *u == crate::Side::Both) && f < v && g < t
        }
        _ => true,
    }
}
