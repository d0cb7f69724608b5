//! Further rounds from the same place. The delays that an event showed at its
//! stations are a template: every free detection at its best stations proposes
//! a moment, and the moments are weighed without any search over place.

use crate::live::{Events, Live};
use crate::ring::FREE;
use crate::score::{Hit, Loc, View};
use crate::search::{Candidate, Scratch, polish};
use crate::work::Work;

/// How far before and after an event its fellow rounds are looked for, s.
const AROUND_S: f64 = 45.0;
/// Stations that propose.
const PROPOSERS: usize = 4;
/// Proposals weighed per event at most.
const PROPOSALS_MAX: usize = 64;

struct Proposal {
    t: f64,
    gain: f64,
}

impl Work<'_> {
    /// Finds fellow rounds of an event, best first, and takes them in. Returns
    /// their numbers.
    pub(crate) fn volley(&mut self, parent: u32, strict: f64) -> Vec<u32> {
        let mut born = Vec::new();
        loop {
            let Self { net, rings, physics, events, horizon, s, .. } = self;
            let view = View { net, rings, physics, horizon: *horizon, me: FREE };
            let Some(found) = best_round(&view, events, parent, strict, s) else { return born };
            born.push(events.add(Live::from(found), rings));
            if born.len() > 64 {
                return born;
            }
        }
    }
}

fn best_round(
    view: &View,
    events: &Events,
    parent: u32,
    strict: f64,
    s: &mut Scratch,
) -> Option<Candidate> {
    let event = events.get(parent);
    // Nearest stations see the clearest.
    let mut template: Vec<(f64, Hit, f64)> = event
        .hits
        .iter()
        .map(|hit| {
            let ring = &view.rings[hit.station as usize];
            let index = ring.index(hit.position);
            let path = view.path(event.loc.x, event.loc.y, event.home, hit.station);
            (path.tau, *hit, ring.t[index] - event.loc.t)
        })
        .collect();
    template.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.station.cmp(&b.1.station)));
    template.truncate(16);
    let mut proposals: Vec<Proposal> = Vec::new();
    for (tau, hit, delay) in template.iter().take(PROPOSERS) {
        let ring = &view.rings[hit.station as usize];
        let mut i = ring.from(event.loc.t - AROUND_S + tau);
        let until = (event.loc.t + AROUND_S + tau).min(view.horizon);
        while i < ring.t.len() && ring.t[i] <= until {
            if ring.owner[i] == FREE {
                let t = ring.t[i] - delay;
                let gain = template_gain(view, &template, t, None);
                if gain > 0.0 && proposals.len() < PROPOSALS_MAX {
                    proposals.push(Proposal { t, gain });
                }
            }
            i += 1;
        }
    }
    proposals.sort_by(|a, b| b.gain.total_cmp(&a.gain).then(a.t.total_cmp(&b.t)));
    let mut tried: Vec<f64> = Vec::new();
    for proposal in proposals.iter().take(8) {
        if tried.iter().any(|t| (t - proposal.t).abs() < 0.15) {
            continue;
        }
        tried.push(proposal.t);
        let mut loc = Loc { t: proposal.t, ..event.loc };
        s.hits.clear();
        template_gain(view, &template, loc.t, Some(&mut s.hits));
        if s.hits.len() >= 4 {
            let site = events.belief(view.physics, loc, FREE).site;
            view.settle(&mut loc, event.home, &s.hits, 3, site);
        }
        if let Some(found) =
            polish(view, events, &mut loc, &mut s.reached, &mut s.hits, true, false)
            && found.weighed.hits >= 4
            && found.weighed.score > 0.0
            && found.weighed.clear(strict)
        {
            return Some(found);
        }
    }
    None
}

/// Log-likelihood ratio of a round at a moment, by the template only.
fn template_gain(
    view: &View,
    template: &[(f64, Hit, f64)],
    t: f64,
    mut hits: Option<&mut Vec<Hit>>,
) -> f64 {
    let mut sum = -6.0;
    for (tau, hit, delay) in template {
        let ring = &view.rings[hit.station as usize];
        let predicted = t + delay;
        if predicted > view.horizon {
            continue;
        }
        let wide = 0.25 + 0.012 * tau;
        let mut i = ring.from(predicted - wide);
        let mut best = -1.0_f64;
        let mut at = None;
        while i < ring.t.len() && ring.t[i] <= predicted + wide {
            if ring.owner[i] == FREE {
                let pick = &ring.picks[i];
                let variance = view.variance(hit.station, pick.sigma, tau * 1.4);
                let gain = view.physics.time(ring.t[i] - predicted, variance)
                    - view.ln_crowd(hit.station, i);
                if gain > best {
                    best = gain;
                    at = Some(Hit { station: hit.station, position: ring.position(i) });
                }
            }
            i += 1;
        }
        sum += best;
        if let (Some(hits), Some(at)) = (hits.as_deref_mut(), at) {
            hits.push(at);
        }
    }
    sum
}

impl From<Candidate> for Live {
    fn from(c: Candidate) -> Self {
        Self::new(c.loc, c.home, c.weighed, c.var, c.hits)
    }
}
