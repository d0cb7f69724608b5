//! Why a source of infrasound is believed: what each array adds, where else its
//! detections cross, who else wants them, and what one more would change.

use crate::account::{self, Account, Elsewhere, More, Noise, Rival, Says, Sum, Testimony, noisy};
use crate::math;

use super::source::{
    Array, BUSY_S, FARTHEST_KM, Heard, LN_RATE, Source, chance, data, listen, parts, usual_travel,
};
use super::sphere::apart;
use super::{
    ARRAY_FEATURES, ARRAYS_MIN, ArrayDetection, ArrayModel, Candidate, RANGES, climb, features,
    heard_at, only, posterior,
};

/// Celerity with which other places along a back azimuth are tried, km/s.
const CELERITY: f64 = 0.28;
/// A place closer than this, in errors of the event and in km, is the same.
const SAME_ERRORS: f64 = 4.0;
const SAME_KM: f64 = 50.0;
/// Other places that are looked at closely: tops in the order of their height.
const PLACES: usize = 3;
/// Detections within so long, s, and so far to either side, degrees, of one that
/// belongs to the source are of its storm.
const STORM_S: f64 = 900.0;
const STORM_DEG: f64 = 20.0;
/// A source of less evidence explains nothing away, nats.
const DOUBTFUL: f64 = 2.0;

/// What a source is weighed with.
struct Court<'a> {
    model: &'a ArrayModel,
    arrays: &'a [Array],
    detections: &'a [ArrayDetection],
    sources: &'a [Candidate],
    at: usize,
    own: &'a Candidate,
    /// What is not its own counts as taken.
    taken: Vec<bool>,
}

/// Accounts for one of the sources, about to be released under a number.
pub(crate) fn of(
    model: &ArrayModel,
    arrays: &[Array],
    detections: &[ArrayDetection],
    sources: &[Candidate],
    at: usize,
    number: u32,
) -> Account {
    let own = &sources[at];
    let taken = only(&own.hits, detections.len());
    let court = Court { model, arrays, detections, sources, at, own, taken };
    // As the engine weighed it, less how rare a source is: that is told apart.
    let heard = data(arrays, &court.taken, &own.source, None) - LN_RATE;
    let features = features(arrays, &own.hits, own.score, own.covariance);
    let sum = Sum {
        event: number,
        // How rare sources are, and the volume of places and times that agree.
        rarity: own.score - heard,
        size_fit: 0.0,
        evidence: own.score,
        map: account::map(&ARRAY_FEATURES, &features, &model.calibration.weights),
        probability: model.calibration.probability(&features),
    };
    sum.account(&court)
}

impl account::Court for Court<'_> {
    fn testimonies(&self) -> Vec<(Testimony, (f64, f64))> {
        self.arrays.iter().flat_map(|array| self.array(array)).collect()
    }

    /// Of an array, what came from about the same direction: a storm has one.
    fn noise(&self) -> Vec<Noise> {
        let explained = |index: usize| {
            let of = |source: &Candidate| source.score >= DOUBTFUL && source.hits.contains(&index);
            self.own.hits.contains(&index) || self.sources.iter().any(of)
        };
        let one = |array: &Array| {
            let own: Vec<&Heard> =
                array.heard.iter().filter(|h| self.own.hits.contains(&h.index)).collect();
            let first = own.first()?;
            let open = || array.heard.iter().filter(|h| !explained(h.index));
            let beside = |h: &&Heard| apart(h.azimuth, first.azimuth).abs() <= STORM_DEG;
            let others = noisy(open().filter(beside).map(|h| h.t), first.t, STORM_S);
            let about = noisy(open().map(|h| h.t), first.t, BUSY_S) + own.len() as u32;
            let known_s = BUSY_S + (array.heard_to - first.t).clamp(0.0, BUSY_S);
            Some(Noise {
                own: own.len() as u32,
                others,
                span_s: 2.0 * STORM_S,
                usual: f64::from(about) / known_s * (2.0 * STORM_DEG / 360.0),
                ln_assumed: own.iter().map(|h| h.ln_rate).sum(),
                ln_width: math::ln(2.0 * STORM_DEG),
            })
        };
        self.arrays.iter().filter_map(one).collect()
    }

    fn elsewhere(&self) -> Vec<Elsewhere> {
        self.other_places()
    }

    fn rivals(&self) -> Vec<Rival> {
        self.others_that_want(self.sources, self.at)
    }

    fn more(&self, quiet: &Testimony) -> Option<More> {
        self.one_more(quiet)
    }
}

impl Court<'_> {
    /// Probability and error of the place, km, as arrays have it about the source.
    fn weigh(&self, arrays: &[Array], taken: &[bool]) -> Option<(f64, f64)> {
        let (score, mean, covariance, _) = posterior(arrays, taken, &self.own.source)?;
        let mut hits = Vec::new();
        data(arrays, taken, &mean, Some(&mut hits));
        let features = features(arrays, &hits, score, covariance);
        let probability = self.model.calibration.probability(&features);
        Some((probability, (covariance[0] + covariance[2]).max(0.0).sqrt() / 1e3))
    }

    /// What an array says, detection by detection, and where it lies, metres east
    /// and north of the source.
    fn array(&self, array: &Array) -> Vec<(Testimony, (f64, f64))> {
        let source = &self.own.source;
        let (km, azimuth) = array.spot.way(source.spot);
        if km > FARTHEST_KM {
            return Vec::new();
        }
        let (_, from_source) = source.spot.way(array.spot);
        let turn = from_source.to_radians();
        let at = (km * 1e3 * libm::sin(turn), km * 1e3 * libm::cos(turn));
        let (usual_s, sigma_s) = usual_travel(km);
        let word = listen(array, &self.taken, source, (km, azimuth), &mut Vec::new());
        let others: Vec<Array> =
            self.arrays.iter().filter(|other| other.station != array.station).cloned().collect();
        let without = self.weigh(&others, &self.taken).map_or(0.0, |(p, _)| p);
        let testimony = |says, nats| Testimony {
            station: array.station,
            phase: None,
            distance_m: km * 1e3,
            due_s: source.t + usual_s,
            chance: chance(km),
            says,
            nats,
            without,
        };
        if word.hits.is_empty() {
            let says = if word.down { Says::Down } else { Says::Silent };
            return vec![(testimony(says, word.nats), at)];
        }
        let heard = |index: usize| array.heard.iter().find(|heard| heard.index == index);
        word.hits
            .iter()
            .filter_map(|(index, nats)| {
                let heard = heard(*index)?;
                let (time, direction) = parts(heard, source, km, azimuth);
                let says = Says::Heard {
                    row: self.detections[*index].row,
                    residual_s: heard.t - source.t - usual_s,
                    sigma_s,
                    louder_db: None,
                    turned_deg: Some(apart(heard.azimuth, azimuth)),
                    own: None,
                    parts: vec![
                        ("time", time),
                        ("direction", direction),
                        ("detection", nats - (time + direction - heard.ln_rate)),
                    ],
                    ln_false: heard.ln_rate,
                };
                Some((testimony(says, *nats), at))
            })
            .collect()
    }

    /// Other places along the back azimuths where its detections agree.
    fn other_places(&self) -> Vec<Elsewhere> {
        let own = self.own;
        let error = (own.covariance[0] + own.covariance[2]).max(0.0).sqrt() / 1e3;
        let same = (SAME_ERRORS * error).max(SAME_KM);
        let mut tops: Vec<(f64, Source)> = Vec::new();
        for hit in &own.hits {
            let d = &self.detections[*hit];
            let Some(array) = self.arrays.iter().find(|a| a.station == d.station) else { continue };
            let mut km = RANGES.0;
            while km < FARTHEST_KM {
                let spot = array.spot.at(km, d.azimuth_deg);
                let start = Source { t: d.t_s - km / CELERITY, spot };
                let top = climb(self.arrays, &self.taken, start);
                let known = |other: &Source| other.spot.way(top.spot).0 < same;
                if !known(&own.source) && !tops.iter().any(|(_, other)| known(other)) {
                    tops.push((data(self.arrays, &self.taken, &top, None), top));
                }
                // A coarse row: hills are broad.
                km *= RANGES.1 * RANGES.1 * RANGES.1;
            }
        }
        tops.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.t.total_cmp(&b.1.t)));
        tops.into_iter().filter_map(|(_, top)| self.other(&top, same)).take(PLACES).collect()
    }

    /// A top as another place, unless the middle of its posterior is `same` km from
    /// the source or less.
    fn other(&self, top: &Source, same: f64) -> Option<Elsewhere> {
        let mut hits = Vec::new();
        data(self.arrays, &self.taken, top, Some(&mut hits));
        if heard_at(self.arrays, &hits) < ARRAYS_MIN {
            return None;
        }
        let (score, mean, ..) = posterior(self.arrays, &only(&hits, self.taken.len()), top)?;
        let (km, azimuth) = self.own.source.spot.way(mean.spot);
        if km < same {
            return None;
        }
        let turn = azimuth.to_radians();
        Some(Elsewhere {
            t_s: mean.t,
            lat: mean.spot.lat,
            lon: mean.spot.lon,
            depth_km: None,
            distance_m: km * 1e3,
            offset_m: (km * 1e3 * libm::sin(turn), km * 1e3 * libm::cos(turn)),
            hits: hits.len(),
            shared: hits.len(),
            behind: score - self.own.score,
        })
    }

    /// Sources that would take detections of this one.
    fn others_that_want(&self, sources: &[Candidate], at: usize) -> Vec<Rival> {
        let count = self.taken.len();
        let mut rivals: Vec<Rival> = Vec::new();
        for (_, other) in sources.iter().enumerate().filter(|(other, _)| *other != at) {
            let both: Vec<usize> = other.hits.iter().chain(&self.own.hits).copied().collect();
            let mut hits = Vec::new();
            let with = data(self.arrays, &only(&both, count), &other.source, Some(&mut hits));
            let alone = data(self.arrays, &only(&other.hits, count), &other.source, None);
            let wants = hits.iter().filter(|hit| self.own.hits.contains(hit)).count();
            if wants > 0 && with > alone {
                let (km, _) = self.own.source.spot.way(other.source.spot);
                let (t_s, distance_m) = (other.source.t, km * 1e3);
                rivals.push(Rival { t_s, distance_m, wants, gain: with - alone });
            }
        }
        rivals
    }

    /// What it would change if an array that said nothing had detected the source.
    fn one_more(&self, s: &Testimony) -> Option<More> {
        let mut arrays = self.arrays.to_vec();
        let array = arrays.iter_mut().find(|array| array.station == s.station)?;
        let (_, azimuth) = array.spot.way(self.own.source.spot);
        let was_down = array.is_down(self.own.source.t, s.distance_m / 1e3);
        array.down.clear();
        let listening = arrays.clone();
        let array = arrays.iter_mut().find(|array| array.station == s.station)?;
        // As busy as an array is that has one detection in the span of a rate.
        let ln_rate = math::ln(1.0 / BUSY_S / 2.0 / 360.0);
        let index = self.taken.len();
        array.heard.push(Heard { t: s.due_s, azimuth, ln_rate, index });
        array.heard.sort_by(|a, b| a.t.total_cmp(&b.t).then(a.index.cmp(&b.index)));
        let mut taken = self.taken.clone();
        taken.push(false);
        let (before, error) = self.weigh(self.arrays, &self.taken)?;
        let (heard, with) = self.weigh(&arrays, &taken)?;
        let silent = || self.weigh(&listening, &self.taken).map_or(before, |(p, _)| p);
        Some(More {
            station: s.station,
            phase: None,
            heard,
            silent: was_down.then(silent),
            error: with / error.max(1e-9),
        })
    }
}
