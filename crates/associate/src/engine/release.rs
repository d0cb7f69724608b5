//! The end of an event: looked at once more together with its neighbours, averaged
//! over associations, located, given its probability, and learned from.

use crate::account::{self, Asked};
use crate::kind;
use crate::live::Live;
use crate::locate;
use crate::posterior::{self, Features};
use crate::ring::FREE;
use crate::score::View;

use super::{BLOCK_S, COMPETE_S, Engine, Event, Stage, at_work};

/// Mean squared residual up to which an event tells of the air. One whose detections
/// are mixed up with others' has more; so has every event where the forecast or the
/// scatter of the sensors is worse than the model says, and there most of all the air
/// has to be learned.
const CLEAN: f64 = 2.5;

impl Engine {
    /// Joint moves of what will be released now or next, and the neighbours of what
    /// changed by them sorted out.
    fn join(&mut self, end: f64, horizon: f64) {
        let soon = end - self.pace.final_s + BLOCK_S;
        let close = |id: &u32| {
            let e = self.events.get(*id);
            e.alive && !e.done && e.loc.t < soon
        };
        let mut ids: Vec<u32> = self.events.ids().filter(close).collect();
        ids.sort_by(|a, b| {
            let (a_t, b_t) = (self.events.get(*a).loc.t, self.events.get(*b).loc.t);
            a_t.total_cmp(&b_t).then(a.cmp(b))
        });
        let changed = self.work(horizon).0.join(&ids);
        let ids = self.about(&changed, |e| at_work(e, end));
        self.sweep(horizon, &ids, Stage::Closing);
    }

    pub(super) fn release(&mut self, end: f64, horizon: f64, out: &mut Vec<Event>) {
        self.sort_out(end, horizon, Stage::Closing);
        self.join(end, horizon);
        let mut ids: Vec<u32> = self
            .events
            .ids()
            .filter(|id| {
                let e = self.events.get(*id);
                e.alive && !e.done && e.loc.t < end - self.pace.final_s
            })
            .collect();
        ids.sort_by(|a, b| {
            self.events.get(*a).loc.t.total_cmp(&self.events.get(*b).loc.t).then(a.cmp(b))
        });
        self.average(end, horizon, &ids);
        for id in ids {
            let event = self.finalise(id, horizon);
            let live = self.events.get_mut(id);
            live.done = true;
            out.push(event);
        }
    }

    /// Averages over the associations of events that will be released, beside those
    /// that compete with them.
    fn average(&mut self, end: f64, horizon: f64, released: &[u32]) {
        if released.is_empty() {
            return;
        }
        let mut others = self.about(released, |e| e.alive);
        others.retain(|id| !released.contains(id));
        // Those long before will not be asked for their ways again.
        let before = end - self.pace.final_s - BLOCK_S - COMPETE_S;
        for id in self.events.ids() {
            let e = self.events.get_mut(id);
            if e.done && e.loc.t < before {
                e.roads.close();
                e.wishes.close();
            }
        }
        let view =
            View { net: &self.net, rings: &self.rings, physics: &self.physics, horizon, me: FREE };
        self.ties.average(&view, &mut self.events, released, &others);
    }

    fn finalise(&mut self, id: u32, horizon: f64) -> Event {
        let fix = {
            let view = View {
                net: &self.net,
                rings: &self.rings,
                physics: &self.physics,
                horizon,
                me: id,
            };
            locate::fix(&view, self.events.get(id), &self.wind)
        };
        let view =
            View { net: &self.net, rings: &self.rings, physics: &self.physics, horizon, me: id };
        let e = self.events.get(id);
        let rows: Vec<u32> = e
            .hits
            .iter()
            .map(|hit| {
                let ring = &self.rings[hit.station as usize];
                ring.picks[ring.index(hit.position)].row
            })
            .collect();
        let (hits, w) = (e.hits.len() as f64, e.weighed);
        let louder = louder(&view, e);
        let raw = posterior::raw(&view, &self.events, id, &e.hits, &w);
        let (crowd, features) = (raw.crowd, Features::from(raw));
        let mapped = self.physics.model.calibration.probability(&features);
        let replay = self.replays.look(&e.hits, &self.rings, fix.loc.t);
        let probability = mapped * (1.0 - replay.map_or(0.0, |replay| replay.probability));
        let asked = self.asked.is_some_and(|asked| match asked {
            Asked::Number(number) => number == self.released + 1,
            Asked::Row(row) => rows.contains(&row),
        });
        if asked {
            let number = self.released + 1;
            let mut account = account::of(view, &self.events, id, number, mapped);
            account.repeat(replay);
            self.account = Some(account);
        }
        if probability > 0.8 && hits >= 6.0 {
            // Time, place and air were fitted.
            let share = hits / (hits - 4.0);
            for (station, residual, var) in &fix.residuals {
                self.net.tick(*station, *residual, *var, share);
            }
            for (station, off) in louder {
                self.net.gauge(station, off);
            }
            // Only what is beyond doubt tells of the air: a wrong place would
            // bend the paths of all that follow.
            let sure = probability > 0.98 && w.chi2 < CLEAN * hits && crowd < 0.3;
            if hits >= 8.0 && sure {
                self.wind.learn(&fix);
            }
        }
        let spacing_s = self.events.spacing(id);
        let (lat, lon) = self.net.plane.inverse(fix.loc.x, fix.loc.y);
        self.released += 1;
        let inflation = self.physics.model.spread.factor(&features);
        Event {
            number: self.released,
            t_s: fix.loc.t,
            lat,
            lon,
            probability,
            replay,
            covariance: fix.covariance.map(|c| c * inflation),
            var_t: fix.var_t * inflation,
            level_db: w.level,
            spacing_s,
            kinds: kind::posterior(&self.physics.model.kinds, w.level, spacing_s),
            evidence: w.score,
            chi2: w.chi2,
            rows,
            own: e.tie.own.clone(),
            features,
            t_emit: horizon,
        }
    }
}

/// How much louder than expected stations heard an event, dB, those that would
/// have heard it anyway: among the others only the loud ones did.
fn louder(view: &View, event: &Live) -> Vec<(u32, f64)> {
    let model = &view.physics.model;
    event
        .hits
        .iter()
        .filter_map(|hit| {
            let ring = &view.rings[hit.station as usize];
            let amp = f64::from(ring.picks[ring.index(hit.position)].amp);
            let path = view.path(event.loc.x, event.loc.y, event.home, hit.station);
            let level = event.weighed.level - path.loss;
            let noise = view.net.habit[hit.station as usize].noise;
            let over = level - noise - model.threshold_db;
            (over > model.threshold_width_db).then_some((hit.station, amp - level))
        })
        .collect()
}
