//! Travel times of first arrivals in a layered crust.

/// Layers: top, km; speed of P and of S, km/s. A crust as it is found on many
/// continents (after Christensen and Mooney 1995, J. Geophys. Res. 100,
/// figure 9, rounded), with S a factor 1.73 slower.
pub(crate) const LAYERS: [(f64, f64, f64); 5] =
    [(0.0, 5.6, 3.24), (4.0, 6.0, 3.47), (15.0, 6.4, 3.70), (28.0, 6.9, 3.99), (42.0, 8.0, 4.62)];

/// Which wave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// The first to come.
    P,
    /// The second.
    S,
}

impl Phase {
    /// Its letter.
    pub(crate) const fn letter(self) -> char {
        match self {
            Self::P => 'P',
            Self::S => 'S',
        }
    }
}

fn speed(layer: usize, phase: Phase) -> f64 {
    match phase {
        Phase::P => LAYERS[layer].1,
        Phase::S => LAYERS[layer].2,
    }
}

/// Time of the first arrival at the surface, s, from a depth and a horizontal
/// distance, km: the direct wave or a head wave, whichever comes first (Lay and
/// Wallace 1995, *Modern Global Seismology*, 3.2).
pub(crate) fn first_arrival_s(distance_km: f64, depth_km: f64, phase: Phase) -> f64 {
    let layer = LAYERS.iter().rposition(|(top, _, _)| *top <= depth_km).unwrap_or(0);
    // Thickness and speed of what lies between the source and the surface.
    let above: Vec<(f64, f64)> = (0..=layer)
        .map(|i| {
            let bottom = if i == layer { depth_km } else { LAYERS[i + 1].0 };
            (bottom - LAYERS[i].0, speed(i, phase))
        })
        .collect();
    let mut first = direct_s(&above, distance_km);
    for refractor in layer + 1..LAYERS.len() {
        let fast = speed(refractor, phase);
        let (mut time, mut reach) = (0.0, 0.0);
        let mut leg = |thickness: f64, slow: f64| {
            let sin = slow / fast;
            let cos = (1.0 - sin * sin).sqrt();
            time += thickness * cos / slow;
            reach += thickness * sin / cos;
        };
        for i in 0..refractor {
            let (top, bottom) = (LAYERS[i].0, LAYERS[i + 1].0);
            leg(bottom - top, speed(i, phase));
            if bottom > depth_km {
                leg(bottom - top.max(depth_km), speed(i, phase));
            }
        }
        if reach <= distance_km {
            first = first.min(time + distance_km / fast);
        }
    }
    first
}

/// The direct wave: the ray parameter that reaches this far, by bisection.
fn direct_s(above: &[(f64, f64)], distance_km: f64) -> f64 {
    let depth: f64 = above.iter().map(|(thickness, _)| thickness).sum();
    let fastest = above.iter().map(|(_, speed)| *speed).fold(0.0, f64::max);
    if depth < 1e-6 {
        return distance_km / fastest;
    }
    let reach = |p: f64| -> f64 {
        above.iter().map(|(h, v)| h * p * v / (1.0 - p * p * v * v).max(1e-15).sqrt()).sum()
    };
    let (mut low, mut high) = (0.0, 1.0 / fastest);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if reach(middle) < distance_km { low = middle } else { high = middle }
    }
    let p = low;
    let down: f64 =
        above.iter().map(|(h, v)| h / (v * (1.0 - p * p * v * v).max(1e-15).sqrt())).sum();
    // What bisection leaves of the distance is run at the ray's own slowness.
    down + p * (distance_km - reach(p))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn within_one_layer_the_ray_is_straight() {
        let found = first_arrival_s(3.0, 2.0, Phase::P);
        let expected = libm::hypot(3.0, 2.0) / 5.6;
        assert!((found - expected).abs() < 1e-9, "{found} {expected}");
    }

    #[test]
    fn straight_up_is_the_sum_of_the_layers() {
        let found = first_arrival_s(0.0, 20.0, Phase::S);
        let expected = 4.0 / 3.24 + 11.0 / 3.47 + 5.0 / 3.70;
        assert!((found - expected).abs() < 1e-9, "{found} {expected}");
    }

    #[test]
    fn far_away_the_mantle_is_faster_and_time_never_falls_with_distance() {
        let mut before = 0.0;
        for km in 0..400 {
            let found = first_arrival_s(f64::from(km), 10.0, Phase::P);
            assert!(found >= before, "{km}: {found} {before}");
            before = found;
        }
        let slope = before - first_arrival_s(389.0, 10.0, Phase::P);
        assert!((slope - 10.0 / 8.0).abs() < 1e-9, "{slope}");
    }
}
