//! Why an event of the globe is believed: what each array adds, where else its
//! detections agree, who else wants them, and what one more would change.

use crate::account::{self, Account, Elsewhere, More, Noise, Rival, Says, Sum, Testimony, noisy};
use crate::math;

use super::moves::settled;
use super::net::{METRES, Net, Site, Spot, View, apart};
use super::performance::Performance;
use super::posterior::{Summed, elsewhere, state, sum};
use super::weigh::{Heard, Scene, Scratch, Trial, probe};
use super::{GLOBE_FEATURES, GlobeEvent};

/// Events farther apart in time do not want the same detections, s.
const RIVAL_S: f64 = 2_000.0;
/// Detections within so long of an arrival are of its storm, s.
const STORM_S: f64 = 300.0;
/// Other places that are looked for.
const PLACES: usize = 3;
/// How far off a detection may be that a rival wants, s.
const REACH_S: f64 = 25.0;

/// What an event is weighed with.
struct Court<'a> {
    net: &'a Net,
    scene: Scene<'a>,
    performance: &'a Performance,
    trials: &'a [Trial],
    own: &'a Trial,
    summed: Summed,
    /// The event as it is stated.
    stated: GlobeEvent,
    views: Vec<View>,
    /// Numbers of the stations by array.
    station_of: Vec<u32>,
}

/// Accounts for an event of a stretch of the record.
pub(super) fn of(
    net: &Net,
    post_of: &[Option<usize>],
    heard: &[Heard],
    performance: &Performance,
    event: &GlobeEvent,
) -> Option<Account> {
    let (scene, trials, _) = settled(net, heard);
    let rows = |trial: &Trial| trial.hits.iter().all(|hit| event.rows.contains(&heard[*hit].row));
    let at = trials.iter().position(|trial| trial.hits.len() == event.rows.len() && rows(trial))?;
    let own = &trials[at];
    let summed = sum(&scene, own)?;
    let mut views = Vec::new();
    net.look(&summed.u, &mut views);
    let mut station_of = vec![0; net.posts.len()];
    for (station, post) in (0..).zip(post_of) {
        if let Some(post) = post {
            station_of[*post] = station;
        }
    }
    let stated = state(&scene, own, &summed, performance);
    let trials = &trials;
    let court = Court { net, scene, performance, trials, own, summed, stated, views, station_of };
    Some(court.account(event))
}

impl Court<'_> {
    fn account(&self, event: &GlobeEvent) -> Account {
        let said: f64 = (0..self.net.posts.len()).map(|post| self.testimony(post).nats).sum();
        let size_fit = self.net.ln_magnitude(self.summed.magnitude);
        let weights = &self.performance.calibration.weights;
        let sum = Sum {
            event: event.number,
            // How rare events are, and the volume of places, times and magnitudes that agree.
            rarity: event.evidence - said - size_fit,
            size_fit,
            evidence: event.evidence,
            map: account::map(&GLOBE_FEATURES, &event.features, weights),
            probability: event.probability,
        };
        sum.account(self)
    }

    /// Probability, and error of the place in metres, on another network and with
    /// other detections.
    fn weigh(&self, net: &Net, heard: &[Heard], hits: Vec<usize>) -> (f64, f64) {
        let scene = Scene::new(net, heard);
        let trial = Trial { hits, ..self.own.clone() };
        let Some(summed) = sum(&scene, &trial).filter(|_| trial.hits.len() >= 2) else {
            return (0.0, f64::INFINITY);
        };
        let stated = state(&scene, &trial, &summed, self.performance);
        (stated.probability, (stated.covariance[0] + stated.covariance[2]).max(0.0).sqrt())
    }

    /// A network in which one array never listened, or always did.
    fn with(&self, post: usize, mute: bool) -> Net {
        let mut net = self.net.clone();
        net.posts[post].mute(mute);
        net
    }

    fn testimony(&self, post: usize) -> Testimony {
        let (own, view) = (&self.net.posts[post], &self.views[post]);
        let (t, magnitude) = (self.summed.t, self.summed.magnitude);
        let due_s = t + view.travel;
        let heard = self.scene.heard;
        let hit = self.own.hits.iter().copied().find(|hit| heard[*hit].post == post);
        let miss = own.miss(view.deg, magnitude);
        let others = self.own.hits.iter().copied().filter(|h| Some(*h) != hit).collect();
        let (without, _) = self.weigh(&self.with(post, true), heard, others);
        let (says, nats) = match hit {
            Some(hit) => {
                let h = &heard[hit];
                let (late, turned) = (h.t - due_s, apart(h.azimuth, view.azimuth()));
                let time = -late.abs() * own.per_time;
                let direction = -turned.abs() * own.per_azimuth;
                let slowness = -(h.slowness - view.slowness).abs() * own.per_slowness;
                let [a, b, c] = own.of_magnitude(view.deg, h.level);
                let level = a + magnitude * (b + magnitude * c) + miss;
                let parts = vec![
                    ("detection", h.worth),
                    ("time", time),
                    ("direction", direction),
                    ("slowness", slowness),
                    ("amplitude", level),
                ];
                let nats = parts.iter().map(|p| p.1).sum();
                let says = Says::Heard {
                    row: h.row,
                    residual_s: late,
                    // The standard deviation of a Laplace law.
                    sigma_s: own.own.time_s * std::f64::consts::SQRT_2,
                    louder_db: None,
                    turned_deg: Some(turned),
                    own: None,
                    parts,
                    ln_false: math::ln(own.own.false_per_s),
                };
                (says, nats)
            }
            None if !self.net.listens(post, due_s) => (Says::Down, 0.0),
            None => (Says::Silent, miss),
        };
        Testimony {
            station: self.station_of[post],
            phase: None,
            distance_m: view.deg * METRES,
            due_s,
            chance: 1.0 - math::exp(miss),
            says,
            nats,
            without,
        }
    }
}

impl account::Court for Court<'_> {
    fn testimonies(&self) -> Vec<(Testimony, (f64, f64))> {
        let site = Site::at(&self.summed.u);
        let one = |post: usize| {
            let (east, north) = site.offset(&self.net.posts[post].site.up);
            (self.testimony(post), (east * METRES, north * METRES))
        };
        (0..self.net.posts.len()).map(one).collect()
    }

    fn noise(&self) -> Vec<Noise> {
        let heard = self.scene.heard;
        let taken = |index: usize| self.trials.iter().any(|trial| trial.hits.contains(&index));
        let one = |hit: &usize| {
            let own = &heard[*hit];
            let open = (0..heard.len())
                .filter(|index| heard[*index].post == own.post && !taken(*index))
                .map(|index| heard[index].t);
            let usual = self.net.posts[own.post].own.false_per_s;
            Noise {
                own: 1,
                others: noisy(open, own.t, STORM_S),
                span_s: 2.0 * STORM_S,
                usual,
                ln_assumed: math::ln(usual),
                ln_width: 0.0,
            }
        };
        self.own.hits.iter().map(one).collect()
    }

    fn elsewhere(&self) -> Vec<Elsewhere> {
        let site = Site::at(&self.summed.u);
        let hits = self.own.hits.len();
        elsewhere(&self.scene, self.own, &self.summed, PLACES)
            .into_iter()
            .map(|(u, t_s, behind)| {
                let (spot, (east, north)) = (Spot::of(&u), site.offset(&u));
                Elsewhere {
                    t_s,
                    lat: spot.lat,
                    lon: spot.lon,
                    depth_km: None,
                    distance_m: (east * east + north * north).sqrt() * METRES,
                    offset_m: (east * METRES, north * METRES),
                    hits,
                    shared: hits,
                    behind,
                }
            })
            .collect()
    }

    fn rivals(&self) -> Vec<Rival> {
        let mut scratch = Scratch::default();
        let site = Site::at(&self.summed.u);
        let mut rivals: Vec<Rival> = Vec::new();
        for other in self.trials {
            if std::ptr::eq(other, self.own) || (other.t - self.own.t).abs() > RIVAL_S {
                continue;
            }
            let mut score = |both: bool| {
                let free = |index: usize| {
                    other.hits.contains(&index) || (both && self.own.hits.contains(&index))
                };
                probe(&self.scene, &free, &other.u, other.t, 0.0, REACH_S, &mut scratch)
            };
            let (alone, with) = (score(false), score(true));
            let wants = with.hits.iter().filter(|hit| self.own.hits.contains(hit)).count();
            if wants > 0 && with.score > alone.score {
                let (deg, _) = site.way(&other.u);
                let (t_s, gain) = (other.t, with.score - alone.score);
                rivals.push(Rival { t_s, distance_m: deg * METRES, wants, gain });
            }
        }
        rivals
    }

    /// On time, from the right direction and as loud as expected.
    fn more(&self, s: &Testimony) -> Option<More> {
        let error = (self.stated.covariance[0] + self.stated.covariance[2]).max(0.0).sqrt();
        let post = self.station_of.iter().position(|station| *station == s.station)?;
        let (own, view) = (&self.net.posts[post], &self.views[post]);
        let [a0, a1, a2] = own.own.amplitude;
        let level = a0 + a1 * self.summed.magnitude + a2 * view.deg;
        let net = self.with(post, false);
        let mut heard = self.scene.heard.to_vec();
        let mut hits = self.own.hits.clone();
        let silent = matches!(s.says, Says::Down).then(|| self.weigh(&net, &heard, hits.clone()).0);
        hits.push(heard.len());
        heard.push(Heard {
            post,
            t: s.due_s,
            azimuth: view.azimuth(),
            slowness: view.slowness,
            level,
            worth: net.worth(post, s.due_s, level),
            row: u32::MAX,
        });
        let (p, with) = self.weigh(&net, &heard, hits);
        let error = with / error.max(1e-9);
        Some(More { station: s.station, phase: None, heard: p, silent, error })
    }
}
