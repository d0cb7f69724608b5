//! How likely detections are of a source: celerity, direction and silence.

use crate::input::{Outage, Station};
use crate::math;

use super::ArrayDetection;
use super::sphere::{Spot, apart};

/// Reciprocal celerities of the tropospheric, stratospheric and thermospheric
/// duct: share, mean and spread, s/km. The canonical model of Blom, Marcillo and
/// Arrowsmith 2015 (Geophys. J. Int. 203, 1682-1693, BISL), with the values of its
/// implementation in `InfraPy`; Modrak, Arrowsmith and Anderson 2010 (Geophys. J.
/// Int. 181, 399-405) take 0.22 to 0.34 km/s.
const DUCTS: [(f64, f64, f64); 3] =
    [(0.0539, 1.0 / 0.327, 0.066), (0.0899, 1.0 / 0.293, 0.08), (0.8562, 1.0 / 0.26, 0.33)];
/// Celerities outside of these are not of the source, km/s.
pub(crate) const CELERITY: (f64, f64) = (0.2, 0.36);
/// The celerity by which it is judged whether an array was down, km/s.
const USUAL_CELERITY: f64 = 0.29;
/// Spread of back azimuths about the way to the source, degrees: error of the
/// array, and wind across the path.
const AZIMUTH_DEG: f64 = 4.0;
/// Share of back azimuths that have nothing to do with the source.
const STRAY: f64 = 0.05;
/// Chance that an array near by detects a source, and distance over which it
/// falls off, km.
const DETECT: (f64, f64) = (0.6, 2_500.0);
/// No source is sought farther off, km.
pub(crate) const FARTHEST_KM: f64 = 4_000.0;
/// Other detections of an array count by half: errors along one path are shared.
const MORE: f64 = 0.5;
/// What another detection must gain to be of the source, nats.
const MORE_MIN: f64 = 1.0;
/// Detections of an array within so long tell how busy it is, s.
pub(crate) const BUSY_S: f64 = 3.0 * 3_600.0;
/// Logarithm of the sources per square kilometre and second: one in a million
/// square kilometres and a day.
pub(crate) const LN_RATE: f64 = -25.182_253_5;

/// An array with its detections in order of time.
#[derive(Clone, Debug)]
pub(crate) struct Array {
    /// Its index.
    pub station: u32,
    pub spot: Spot,
    /// Time, back azimuth, log of the rate of others per s and degree, index.
    pub heard: Vec<Heard>,
    /// When it was down, s.
    pub down: Vec<(f64, f64)>,
    /// Everything up to here is in, s.
    pub heard_to: f64,
}

impl Array {
    /// Whether an arrival from so far off would have come while it was down, or may
    /// still come in.
    pub(crate) fn is_down(&self, t: f64, km: f64) -> bool {
        let due = t + km / USUAL_CELERITY;
        t + km / CELERITY.0 > self.heard_to
            || self.down.iter().any(|(from, to)| due >= *from && due <= *to)
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Heard {
    pub t: f64,
    pub azimuth: f64,
    pub ln_rate: f64,
    /// Of the detection among all.
    pub index: usize,
}

/// A time and place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Source {
    pub t: f64,
    pub spot: Spot,
}

/// The arrays with their detections, all up to a moment; one whose place is none on
/// earth has none.
pub(crate) fn arrays(
    stations: &[Station],
    outages: &[Outage],
    detections: &[ArrayDetection],
    heard_to: f64,
) -> Vec<Array> {
    let mut order: Vec<usize> = (0..detections.len()).collect();
    order.sort_by(|a, b| {
        let (a, b) = (&detections[*a], &detections[*b]);
        let what = a.t_s.total_cmp(&b.t_s).then(a.azimuth_deg.total_cmp(&b.azimuth_deg));
        a.station.cmp(&b.station).then(what).then(a.row.cmp(&b.row))
    });
    let array = |(station, s): (u32, &Station)| Array {
        station,
        spot: Spot { lat: s.lat, lon: s.lon },
        heard: Vec::new(),
        down: outages
            .iter()
            .filter(|outage| outage.station == station)
            .map(|outage| (outage.start_s, outage.end_s))
            .collect(),
        heard_to,
    };
    let mut out: Vec<Array> = (0..).zip(stations).map(array).collect();
    for index in order {
        let d = &detections[index];
        let heard = Heard { t: d.t_s, azimuth: d.azimuth_deg, ln_rate: 0.0, index };
        out[d.station as usize].heard.push(heard);
    }
    out.retain(|array| array.spot.lat.abs() <= 90.0 && array.spot.lon.is_finite());
    for array in &mut out {
        let times: Vec<f64> = array.heard.iter().map(|h| h.t).collect();
        for heard in &mut array.heard {
            let since = times.partition_point(|t| *t < heard.t - BUSY_S);
            let until = times.partition_point(|t| *t <= heard.t + BUSY_S);
            let known_s = BUSY_S + (heard_to - heard.t).clamp(0.0, BUSY_S);
            let rate = (until - since) as f64 / known_s;
            heard.ln_rate = math::ln(rate / 360.0);
        }
    }
    out
}

/// Log-likelihood of a travel time over a distance.
fn ln_time(travel_s: f64, km: f64) -> f64 {
    let km = km.max(1.0);
    let slow = travel_s / km;
    let density: f64 = DUCTS
        .iter()
        .map(|(share, mean, spread)| {
            let z = (slow - mean) / spread;
            share / spread * math::exp(-0.5 * z * z)
        })
        .sum();
    math::ln(density.max(1e-30) / (2.506_628_274_631 * km))
}

/// Log-likelihood of a back azimuth, per degree.
fn ln_azimuth(off_deg: f64) -> f64 {
    let z = off_deg / AZIMUTH_DEG;
    let near = (1.0 - STRAY) / (2.506_628_274_631 * AZIMUTH_DEG) * math::exp(-0.5 * z * z);
    math::ln(near + STRAY / 360.0)
}

/// Mean travel time over a distance, and its spread, s.
pub(crate) fn usual_travel(km: f64) -> (f64, f64) {
    let mean: f64 = DUCTS.iter().map(|(share, mean, _)| share * mean).sum();
    let square: f64 =
        DUCTS.iter().map(|(share, mean, spread)| share * (mean * mean + spread * spread)).sum();
    (mean * km, (square - mean * mean).max(0.0).sqrt() * km)
}

/// Chance that an array so far off detects a source.
pub(crate) fn chance(km: f64) -> f64 {
    let far = km / DETECT.1;
    DETECT.0 * math::exp(-far * far)
}

/// What a detection of an array adds if it is of a source: its time and its
/// direction, nats.
pub(crate) fn parts(heard: &Heard, source: &Source, km: f64, azimuth: f64) -> (f64, f64) {
    (ln_time(heard.t - source.t, km), ln_azimuth(apart(heard.azimuth, azimuth)))
}

/// What one array says of a source.
pub(crate) struct Word {
    /// What it adds, nats.
    pub nats: f64,
    /// Its detections of the source, best first, and what each adds.
    pub hits: Vec<(usize, f64)>,
    /// Whether it was down.
    pub down: bool,
}

/// Asks one array, so far off and in that direction from the source.
pub(crate) fn listen(
    array: &Array,
    taken: &[bool],
    source: &Source,
    (km, azimuth): (f64, f64),
    gains: &mut Vec<(f64, usize)>,
) -> Word {
    let p = chance(km);
    let (first, last) = (source.t + km / CELERITY.1, source.t + km / CELERITY.0);
    let from = array.heard.partition_point(|h| h.t < first);
    gains.clear();
    for heard in array.heard[from..].iter().take_while(|h| h.t <= last) {
        if !taken[heard.index] {
            let (time, direction) = parts(heard, source, km, azimuth);
            gains.push((time + direction - heard.ln_rate, heard.index));
        }
    }
    gains.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let silent = math::ln(1.0 - p);
    let Some(best) = gains.first().filter(|g| g.0 + math::ln(p.max(1e-12)) > silent) else {
        let down = array.is_down(source.t, km);
        return Word { nats: if down { 0.0 } else { silent }, hits: Vec::new(), down };
    };
    let mut hits = vec![(best.1, best.0 + math::ln(p))];
    let more = gains[1..].iter().take_while(|g| g.0 > MORE_MIN);
    hits.extend(more.map(|g| (g.1, MORE * (g.0 - MORE_MIN))));
    Word { nats: hits.iter().map(|hit| hit.1).sum(), hits, down: false }
}

/// What all arrays say of a source: the log-likelihood of what they heard, and
/// did not, over that without the source. `hits` is given the detections of it.
pub(crate) fn data(
    arrays: &[Array],
    taken: &[bool],
    source: &Source,
    hits: Option<&mut Vec<usize>>,
) -> f64 {
    data_over(arrays, &ways(arrays, source.spot), taken, source, hits)
}

/// Length and direction of the ways from all arrays to a place, km and degrees.
pub(crate) fn ways(arrays: &[Array], spot: Spot) -> Vec<(f64, f64)> {
    arrays.iter().map(|array| array.spot.way(spot)).collect()
}

/// [`data`] of a source whose place has been looked at before.
pub(crate) fn data_over(
    arrays: &[Array],
    ways: &[(f64, f64)],
    taken: &[bool],
    source: &Source,
    mut hits: Option<&mut Vec<usize>>,
) -> f64 {
    let mut sum = 0.0;
    let mut gains: Vec<(f64, usize)> = Vec::new();
    if let Some(hits) = &mut hits {
        hits.clear();
    }
    for (array, &way) in arrays.iter().zip(ways) {
        if way.0 > FARTHEST_KM {
            continue;
        }
        let word = listen(array, taken, source, way, &mut gains);
        sum += word.nats;
        if let Some(hits) = &mut hits {
            hits.extend(word.hits.iter().map(|hit| hit.0));
        }
    }
    sum + LN_RATE
}
