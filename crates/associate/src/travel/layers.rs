//! Flat layers of uniform speed: direct and head waves.

use super::{Arrival, Phase, Travel, Way};

/// Tangent of the angle of a ray that counts as horizontal.
const FLAT: f64 = 1e8;

/// One layer, down to the top of the next.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Layer {
    /// Depth of its top, km.
    pub depth_km: f64,
    /// Speed of P, km/s.
    pub vp_km_s: f64,
    /// Speed of S, km/s.
    pub vs_km_s: f64,
}

/// Layers from the surface down; the last has no bottom.
#[derive(Clone, Debug, PartialEq)]
pub struct Layers(Vec<Layer>);

/// Layers that cannot be.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("layer {number}: `{field}` {reason}")]
pub struct NotLayers {
    /// Which layer, from 1; 0 if there is none.
    pub number: usize,
    /// Which number of it.
    pub field: &'static str,
    /// What is wrong.
    pub reason: String,
}

impl Layers {
    /// Checks layers: the first begins at 0, depths grow, speeds are those of rock
    /// or water, and S is slower than P.
    pub fn new(layers: Vec<Layer>) -> Result<Self, NotLayers> {
        let wrong = |number, field, reason: String| Err(NotLayers { number, field, reason });
        if layers.is_empty() {
            return wrong(0, "depth_km", "is missing: at least one layer is needed".into());
        }
        if layers.len() > 200 {
            return wrong(201, "depth_km", "is one layer too many: at most 200".into());
        }
        let mut above = f64::NEG_INFINITY;
        for (i, layer) in layers.iter().enumerate() {
            let n = i + 1;
            if i == 0 && layer.depth_km != 0.0 {
                return wrong(
                    n,
                    "depth_km",
                    format!("is {}; the first layer begins at 0", layer.depth_km),
                );
            }
            if !(layer.depth_km > above && layer.depth_km <= 1_000.0) {
                return wrong(
                    n,
                    "depth_km",
                    format!("is {}; depths must grow, to 1000 km at most", layer.depth_km),
                );
            }
            if !(0.3..=15.0).contains(&layer.vp_km_s) {
                return wrong(
                    n,
                    "vp_km_s",
                    format!("is {}; it must lie in 0.3 to 15", layer.vp_km_s),
                );
            }
            if !(layer.vs_km_s >= 0.1 && layer.vs_km_s < layer.vp_km_s) {
                return wrong(
                    n,
                    "vs_km_s",
                    format!("is {}; it must lie between 0.1 and the speed of P", layer.vs_km_s),
                );
            }
            above = layer.depth_km;
        }
        Ok(Self(layers))
    }

    /// Crust and upper mantle of the average earth, iasp91 (Kennett and Engdahl
    /// 1991, Geophys. J. Int. 105, 429-465, table 2), its gradients in steps.
    pub fn iasp91() -> Self {
        let layer = |(depth_km, vp_km_s, vs_km_s)| Layer { depth_km, vp_km_s, vs_km_s };
        let layers = [
            (0.0, 5.8, 3.36),
            (20.0, 6.5, 3.75),
            (35.0, 8.04, 4.47),
            (71.0, 8.045, 4.49),
            (120.0, 8.11, 4.504),
            (165.0, 8.24, 4.513),
            (210.0, 8.39, 4.55),
            (260.0, 8.57, 4.63),
            (310.0, 8.75, 4.70),
            (360.0, 8.94, 4.79),
            (410.0, 9.5, 5.15),
            (660.0, 10.8, 5.97),
        ];
        Self(layers.map(layer).into())
    }

    /// The layers.
    pub fn layers(&self) -> &[Layer] {
        &self.0
    }

    fn speed(&self, layer: usize, phase: Phase) -> f64 {
        match phase {
            Phase::P => self.0[layer].vp_km_s,
            Phase::S => self.0[layer].vs_km_s,
        }
    }

    /// Time and slopes by distance and depth, for a receiver at the surface: the
    /// direct wave or a head wave, whichever comes first (Lay and Wallace 1995,
    /// Modern Global Seismology, 3.2).
    fn first(&self, phase: Phase, far: f64, depth: f64) -> (f64, f64, f64) {
        let depth = depth.max(0.0);
        let at = self.0.iter().rposition(|l| l.depth_km <= depth).unwrap_or(0);
        let v_at = self.speed(at, phase);
        let (time, p) = self.direct(phase, far, depth, at);
        let cosine = |v: f64, p: f64| (1.0 - v * v * p * p).max(0.0).sqrt();
        // The deeper the source, the longer its upward leg.
        let mut best = (time, p, cosine(v_at, p) / v_at);
        let mut fastest = (0..=at).map(|i| self.speed(i, phase)).fold(0.0, f64::max);
        for refractor in at + 1..self.0.len() {
            let v = self.speed(refractor, phase);
            if v <= fastest {
                continue;
            }
            fastest = v;
            let p = 1.0 / v;
            let (mut time, mut reach) = (p * far, 0.0);
            for i in 0..refractor {
                let (top, bottom) = (self.0[i].depth_km, self.0[i + 1].depth_km);
                let slow = self.speed(i, phase);
                let cos = cosine(slow, p);
                // Up to the receiver, and down from the source.
                let length = bottom - top + (bottom - top.max(depth)).max(0.0);
                time += length * cos / slow;
                reach += length * slow * p / cos;
            }
            if reach <= far && time < best.0 {
                best = (time, p, -cosine(v_at, p) / v_at);
            }
        }
        best
    }

    /// The ray straight from the source: time and horizontal slowness. Newton's
    /// method on the tangent of the angle in the fastest layer.
    fn direct(&self, phase: Phase, far: f64, depth: f64, at: usize) -> (f64, f64) {
        let thick = |i: usize| {
            let bottom = if i == at { depth } else { self.0[i + 1].depth_km };
            bottom - self.0[i].depth_km
        };
        let fastest = (0..=at).map(|i| self.speed(i, phase)).fold(0.0, f64::max);
        if depth < 1e-6 {
            return (far / self.speed(0, phase), 1.0 / self.speed(0, phase));
        }
        let slowness = |q: f64| q / (fastest * (1.0 + q * q).sqrt());
        // Cosine by the tangent: 1 - p^2 v^2 without loss where it is small.
        let cos2 = |v: f64, q: f64| {
            let ratio = v / fastest;
            (1.0 + q * q * (1.0 - ratio * ratio)) / (1.0 + q * q)
        };
        let mut q = far / depth;
        let (mut low, mut high) = (0.0, f64::INFINITY);
        for _ in 0..60 {
            let p = slowness(q);
            let (mut reach, mut growth) = (0.0, 0.0);
            for i in 0..=at {
                let (h, v) = (thick(i), self.speed(i, phase));
                let c2 = cos2(v, q);
                let c = c2.sqrt();
                reach += h * v * p / c;
                growth += h * v / (c2 * c);
            }
            let off = far - reach;
            // A source on top of a faster layer sends its ray along it: q has no end.
            if off.abs() < 1e-9 * (1.0 + far) || q >= FLAT {
                break;
            }
            if off > 0.0 {
                low = q;
            } else {
                high = q;
            }
            growth /= fastest * (1.0 + q * q) * (1.0 + q * q).sqrt();
            let next = q + off / growth;
            q = if next > low && next < high {
                next.min(FLAT)
            } else if high.is_finite() {
                0.5 * (low + high)
            } else {
                2.0 * q + 1.0
            };
        }
        let p = slowness(q);
        let delay: f64 = (0..=at)
            .map(|i| thick(i) * cos2(self.speed(i, phase), q).sqrt() / self.speed(i, phase))
            .sum();
        // Stationary in p: what the root is off enters squared.
        (delay + p * far, p)
    }
}

impl Travel for Layers {
    /// A receiver above the surface is reached through more of the first layer,
    /// straight up.
    fn arrival(&self, phase: Phase, way: &Way) -> Arrival {
        let far = way.distance_km();
        let (time, p, down) = self.first(phase, far, way.depth_km);
        let per = p / far.max(1e-9);
        Arrival {
            time_s: (time + way.height_km / self.speed(0, phase)).max(0.0),
            slope: [-way.east_km * per, -way.north_km * per, down],
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::travel::Uniform;
    use crate::travel::tests::crust;

    fn way(far: f64, depth: f64) -> Way {
        Way { east_km: far * 0.6, north_km: far * 0.8, depth_km: depth, height_km: 0.0 }
    }

    #[test]
    fn straight_up_is_the_sum_of_the_layers() {
        let found = crust().arrival(Phase::P, &way(0.0, 20.0)).time_s;
        assert!((found - (4.0 / 5.6 + 11.0 / 6.0 + 5.0 / 6.4)).abs() < 1e-9, "{found}");
    }

    #[test]
    fn far_away_the_mantle_is_first() {
        let arrival = crust().arrival(Phase::P, &way(400.0, 10.0));
        let p = (arrival.slope[0].powi(2) + arrival.slope[1].powi(2)).sqrt();
        assert!((p - 1.0 / 8.0).abs() < 1e-9, "{p}");
        assert!(arrival.slope[2] < 0.0, "deeper is nearer to the mantle");
    }

    #[test]
    fn impossible_layers_are_named() {
        let layer = |depth_km, vp_km_s, vs_km_s| Layer { depth_km, vp_km_s, vs_km_s };
        let wrong = |layers: Vec<Layer>| Layers::new(layers).unwrap_err().to_string();
        assert_eq!(
            wrong(vec![layer(1.0, 6.0, 3.5)]),
            "layer 1: `depth_km` is 1; the first layer begins at 0"
        );
        assert!(
            wrong(vec![layer(0.0, 6.0, 3.5), layer(0.0, 7.0, 4.0)])
                .starts_with("layer 2: `depth_km`")
        );
        assert!(wrong(vec![layer(0.0, f64::NAN, 3.5)]).starts_with("layer 1: `vp_km_s`"));
        assert!(wrong(vec![layer(0.0, 6.0, 6.0)]).starts_with("layer 1: `vs_km_s`"));
        assert!(wrong(vec![]).starts_with("layer 0"));
    }

    proptest! {
        #[test]
        fn one_layer_is_a_straight_ray(far in 0.0..600.0_f64, depth in 0.0..80.0_f64) {
            let speeds = Uniform { vp_km_s: 6.0, vs_km_s: 3.4 };
            let one = Layers::new(vec![Layer { depth_km: 0.0, vp_km_s: 6.0, vs_km_s: 3.4 }]).unwrap();
            for phase in Phase::ALL {
                let (a, b) = (one.arrival(phase, &way(far, depth)), speeds.arrival(phase, &way(far, depth)));
                prop_assert!((a.time_s - b.time_s).abs() < 1e-7, "{} {}", a.time_s, b.time_s);
            }
        }

        #[test]
        fn slopes_are_the_change_of_time(far in 1.0..300.0_f64, depth in 0.1..60.0_f64) {
            let crust = crust();
            for phase in Phase::ALL {
                let a = crust.arrival(phase, &way(far, depth));
                // A step across a kink has a slope between those of its sides.
                let (near, deep) = (crust.arrival(phase, &way(far - 1e-4, depth)), crust.arrival(phase, &way(far, depth + 1e-4)));
                let p = (a.slope[0].powi(2) + a.slope[1].powi(2)).sqrt();
                prop_assert!(((a.time_s - near.time_s) / 1e-4 - p).abs() < 2e-3 || near.slope != a.slope);
                let down = (deep.time_s - a.time_s) / 1e-4;
                prop_assert!((down - a.slope[2]).abs() < 2e-3 || (deep.slope[2] - a.slope[2]).abs() > 1e-3, "{down} {:?}", a.slope);
            }
        }

        #[test]
        fn time_grows_with_distance(far in 0.0..500.0_f64, more in 0.001..50.0_f64, depth in 0.0..100.0_f64) {
            let crust = crust();
            let (a, b) = (crust.arrival(Phase::S, &way(far, depth)), crust.arrival(Phase::S, &way(far + more, depth)));
            prop_assert!(b.time_s >= a.time_s);
        }
    }
}
