//! What the directions that an array found say together of where rounds come
//! from, before it is known which of its detections are theirs: a table by
//! direction, asked for many places.

use crate::bearing::Bearing;
use crate::math;

/// Directions told apart.
const TURNS: usize = 128;
/// Share of an array's detections that are of the rounds.
const OF_THEM: f64 = 0.5;
/// Directions off by more, half squared standard deviations, add nothing.
const FAR: f64 = 10.0;

/// Log-likelihood ratio of rounds from a direction to rounds from anywhere, by direction.
pub(crate) struct Rose([f32; TURNS]);

impl Rose {
    /// Of detections of one array, if any has a direction. `stray` is the share of
    /// directions that are wrong, `weight` that of the sum.
    pub(crate) fn new(heard: &[Bearing], stray: f64, weight: f64) -> Option<Self> {
        let heard: Vec<&Bearing> = heard.iter().filter(|b| b.is_some()).collect();
        if heard.is_empty() {
            return None;
        }
        let of =
            |density: f64| math::ln(1.0 - OF_THEM + OF_THEM * (stray + (1.0 - stray) * density));
        let least = of(0.0);
        let mut table = [0.0; TURNS];
        for (i, value) in table.iter_mut().enumerate() {
            let (dx, dy) = direction((i as f64 + 0.5) * 4.0 / TURNS as f64);
            let length = (dx * dx + dy * dy).sqrt();
            let (ux, uy) = (dx / length, dy / length);
            let mut sum = least * heard.len() as f64;
            for b in &heard {
                let off = b.off2(ux, uy);
                if off < FAR {
                    sum += of(b.density(off)) - least;
                }
            }
            *value = (weight * sum) as f32;
        }
        Some(Self(table))
    }

    /// What it says of a source in a direction, of any length.
    #[inline]
    pub(crate) fn toward(&self, dx: f32, dy: f32) -> f32 {
        let turn = turn(dx, dy) * (TURNS as f32 / 4.0);
        self.0[(turn as usize).min(TURNS - 1)]
    }
}

/// Direction of a place on the square that stands on its corner, from 0 to 4: as
/// good as an angle to tell directions apart, and made of the four operations.
#[inline]
fn turn(dx: f32, dy: f32) -> f32 {
    let across = dy / (dx.abs() + dy.abs()).max(1e-6);
    if dx >= 0.0 { 1.0 + across } else { 3.0 - across }
}

/// A vector with that direction.
fn direction(turn: f64) -> (f64, f64) {
    if turn < 2.0 {
        (1.0 - (turn - 1.0).abs(), turn - 1.0)
    } else {
        ((turn - 3.0).abs() - 1.0, 3.0 - turn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_and_directions_are_each_others_inverse() {
        for i in 0..40 {
            let t = (f64::from(i) + 0.5) / 10.0;
            let (dx, dy) = direction(t);
            assert!((f64::from(turn(dx as f32, dy as f32)) - t).abs() < 1e-5, "{t}");
        }
    }

    /// Two thirds come from the south-east, the others from anywhere.
    #[test]
    fn what_most_detections_point_to_is_the_likeliest() {
        let heard: Vec<Bearing> = (0..30)
            .map(|i| {
                let deg = if i % 3 == 0 { f64::from(i) * 37.0 } else { 135.0 + f64::from(i % 7) };
                Bearing::new(deg, 5.0, (0.0, 1.0))
            })
            .collect();
        let rose = Rose::new(&heard, 0.05, 1.0).expect("arrays have directions");
        let at = |deg: f64| {
            let (sin, cos) = (deg.to_radians().sin(), deg.to_radians().cos());
            rose.toward(sin as f32, cos as f32)
        };
        let best =
            (0..72).max_by(|a, b| at(f64::from(*a) * 5.0).total_cmp(&at(f64::from(*b) * 5.0)));
        assert!(matches!(best, Some(27 | 28)), "{best:?} times five degrees");
        assert!(at(138.0) > 10.0 && at(300.0) < 0.0);
        assert!(Rose::new(&[Bearing::default()], 0.05, 1.0).is_none());
    }
}
