//! The forecast of the air over the stations.

use crate::input::MetNode;
use crate::plane::Plane;

/// Air over a station at the present moment of the record.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Air {
    /// Speed of sound, m/s.
    pub c: f64,
    /// Wind, m/s.
    pub east: f64,
    pub north: f64,
}

/// Forecast nodes by place, and which of them each station takes.
pub(crate) struct Met {
    series: Vec<Vec<MetNode>>,
    /// Two nodes and the weight of the first, for each station.
    of_station: Vec<(u32, u32, f64)>,
}

impl Met {
    pub(crate) fn new(nodes: &[MetNode], plane: &Plane, x: &[f64], y: &[f64]) -> Self {
        let mut sorted = nodes.to_vec();
        sorted.sort_by(|a, b| {
            a.lat.total_cmp(&b.lat).then(a.lon.total_cmp(&b.lon)).then(a.t_s.total_cmp(&b.t_s))
        });
        let mut series: Vec<Vec<MetNode>> = Vec::new();
        for node in sorted {
            match series.last_mut() {
                Some(last) if last[0].lat == node.lat && last[0].lon == node.lon => last.push(node),
                _ => series.push(vec![node]),
            }
        }
        let places: Vec<_> = series.iter().map(|s| plane.forward(s[0].lat, s[0].lon)).collect();
        let of_station = (0..x.len()).map(|k| {
            let mut best = [(f64::INFINITY, 0_u32); 2];
            for (i, place) in places.iter().enumerate() {
                let (dx, dy) = (place.0 - x[k], place.1 - y[k]);
                let d2 = dx * dx + dy * dy;
                if d2 < best[0].0 {
                    best = [(d2, i as u32), best[0]];
                } else if d2 < best[1].0 {
                    best[1] = (d2, i as u32);
                }
            }
            if places.len() < 2 {
                return (best[0].1, best[0].1, 1.0);
            }
            // Along the line between the two nodes.
            let (a, b) = (places[best[0].1 as usize], places[best[1].1 as usize]);
            let (ux, uy) = (b.0 - a.0, b.1 - a.1);
            let share = ((x[k] - a.0) * ux + (y[k] - a.1) * uy) / (ux * ux + uy * uy).max(1.0);
            (best[0].1, best[1].1, 1.0 - share.clamp(0.0, 0.5))
        });
        Self { of_station: of_station.collect(), series }
    }

    /// Still air at 10 degrees where there is no forecast.
    pub(crate) fn at(&self, k: usize, t: f64) -> Air {
        if self.series.is_empty() {
            return air_of(0.0, 0.0, 10.0);
        }
        let (i, j, share) = self.of_station[k];
        let (a, b) = (in_time(&self.series[i as usize], t), in_time(&self.series[j as usize], t));
        let mix = |p: f64, q: f64| p * share + q * (1.0 - share);
        air_of(mix(a[0], b[0]), mix(a[1], b[1]), mix(a[2], b[2]))
    }
}

fn in_time(series: &[MetNode], t: f64) -> [f64; 3] {
    let next = series.partition_point(|node| node.t_s <= t);
    let value = |node: &MetNode| [node.wind_e, node.wind_n, node.temp_c];
    if next == 0 {
        return value(&series[0]);
    }
    if next == series.len() {
        return value(&series[next - 1]);
    }
    let (a, b) = (&series[next - 1], &series[next]);
    let share = (t - a.t_s) / (b.t_s - a.t_s);
    let (p, q) = (value(a), value(b));
    std::array::from_fn(|i| p[i] + (q[i] - p[i]) * share)
}

/// Speed of sound in dry air of a temperature (Cramer 1993 rounds to the same
/// within 0.2 m/s between -30 and 40 degrees).
fn air_of(east: f64, north: f64, temp_c: f64) -> Air {
    let warmth = (1.0 + temp_c / 273.15).max(0.5);
    Air { c: 331.3 * libm::sqrt(warmth), east, north }
}
