//! Sound in air that moves as one.

use super::{Arrival, Phase, Travel, Way};

/// Air of one temperature and one wind: the speed along a path is the speed of
/// sound and the wind along it, from source to receiver.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Air {
    /// Speed of sound, m/s.
    pub c_m_s: f64,
    /// Wind towards the east, m/s.
    pub east_m_s: f64,
    /// Wind towards the north, m/s.
    pub north_m_s: f64,
}

impl Travel for Air {
    /// There is one wave in air: the phase makes no difference. The slope leaves
    /// out how the wind's share turns with the source, as the engine does: a
    /// matter of wind over speed of sound.
    fn arrival(&self, _: Phase, way: &Way) -> Arrival {
        let up = way.height_km + way.depth_km;
        let far = way.distance_km();
        let d = (far * far + up * up).max(1e-4).sqrt();
        let along = (self.east_m_s * way.east_km + self.north_m_s * way.north_km) / d;
        let speed = (self.c_m_s + along).max(200.0) / 1e3;
        let per = 1.0 / (d * speed);
        Arrival { time_s: d / speed, slope: [-way.east_km * per, -way.north_km * per, up * per] }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::input::{MetNode, Station};
    use crate::model::Model;
    use crate::network::Network;
    use crate::ring::Ring;
    use crate::score::{Physics, View};

    proptest! {
        // The engine's inner loops and this trait say the same of every path.
        #[test]
        fn the_acoustic_engine_goes_by_this_formula(
            wind_e in -15.0..15.0_f64,
            wind_n in -15.0..15.0_f64,
            temp_c in -30.0..40.0_f64,
            x in -8_000.0..8_000.0_f64,
            y in -8_000.0..8_000.0_f64,
            height in 0.0..400.0_f64,
        ) {
            let station = |i: u32| Station {
                name: format!("S{i}"),
                lat: 49.0 + f64::from(i / 3) * 0.03,
                lon: 37.0 + f64::from(i % 3) * 0.04,
                elev_m: if i == 4 { 100.0 + height } else { 100.0 },
            };
            let stations: Vec<Station> = (0..9).map(station).collect();
            let met = [MetNode { t_s: 0.0, lat: 49.0, lon: 37.0, wind_e, wind_n, temp_c }];
            let model = Model::built_in();
            let mut net = Network::new(&stations, &met, &[], &model);
            net.set_air(0.0, |_, _| [0.0; 3]);
            let rings = vec![Ring::default(); net.len()];
            let physics = Physics::new(&model);
            let view = View { net: &net, rings: &rings, physics: &physics, horizon: 0.0, me: 0 };
            let home = net.nearest_to(x, y);
            for k in 0..9 {
                let path = view.path(x, y, home, k);
                let (h, k) = (home as usize, k as usize);
                let air = Air {
                    c_m_s: net.air[k].c,
                    east_m_s: net.air[k].east,
                    north_m_s: net.air[k].north,
                };
                let way = Way {
                    east_km: (net.x[k] - x) / net.scale[h] / 1e3,
                    north_km: (net.y[k] - y) / net.scale[h] / 1e3,
                    depth_km: -net.ground[h] / 1e3,
                    height_km: net.z[k] / 1e3,
                };
                let arrival = air.arrival(Phase::P, &way);
                prop_assert!((arrival.time_s - path.tau).abs() < 1e-9, "{} {}", arrival.time_s, path.tau);
                let gx = arrival.slope[0] / 1e3 / net.scale[h];
                let gy = arrival.slope[1] / 1e3 / net.scale[h];
                prop_assert!((gx - path.gx).abs() < 1e-10 && (gy - path.gy).abs() < 1e-10);
            }
        }
    }
}
