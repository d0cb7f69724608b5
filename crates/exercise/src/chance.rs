//! Chance that is the same for the same seed on every machine: a stream cipher
//! as the generator, and `libm` for what goes beyond multiplying.

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// A generator for one purpose of one exercise.
pub(crate) struct Chance(ChaCha8Rng);

impl Chance {
    /// Each purpose draws from a stream of its own, so that a change in one
    /// source leaves the others as they were.
    pub(crate) fn new(seed: u64, purpose: &str) -> Self {
        let id = domain::Id::of(domain::IdKind::Origin, &[&seed.to_be_bytes(), purpose.as_bytes()]);
        Self(ChaCha8Rng::seed_from_u64(id.short()))
    }

    /// Even over `[from, to)`.
    pub(crate) fn between(&mut self, from: f64, to: f64) -> f64 {
        from + (to - from) * self.0.random::<f64>()
    }

    /// True with probability `p`.
    pub(crate) fn happens(&mut self, p: f64) -> bool {
        self.0.random::<f64>() < p
    }

    /// An index below `count`.
    pub(crate) fn below(&mut self, count: usize) -> usize {
        self.0.random_range(0..count as u64) as usize
    }

    /// One of several.
    pub(crate) fn one_of<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }

    /// One of several by weight.
    pub(crate) fn weighted<T: Copy>(&mut self, items: &[(T, f64)]) -> T {
        let mut left = self.between(0.0, items.iter().map(|(_, weight)| weight).sum());
        for (item, weight) in items {
            left -= weight;
            if left < 0.0 {
                return *item;
            }
        }
        items[items.len() - 1].0
    }

    /// Standard normal (Box and Muller, 1958).
    pub(crate) fn normal(&mut self) -> f64 {
        let radius = libm::sqrt(-2.0 * libm::log(1.0 - self.0.random::<f64>()));
        radius * libm::cos(std::f64::consts::TAU * self.0.random::<f64>())
    }

    /// Poisson, by multiplying (Knuth): for means up to some hundreds.
    pub(crate) fn poisson(&mut self, mean: f64) -> usize {
        let floor = libm::exp(-mean);
        let mut product = 1.0;
        let mut count = 0;
        loop {
            product *= self.0.random::<f64>();
            if product <= floor {
                return count;
            }
            count += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_are_as_asked_for() {
        let mut chance = Chance::new(1, "test");
        let n = 4000;
        let mean = |values: Vec<f64>| values.iter().sum::<f64>() / f64::from(n);
        let poisson = mean((0..n).map(|_| chance.poisson(3.0) as f64).collect());
        let normal = mean((0..n).map(|_| chance.normal()).collect());
        assert!((poisson - 3.0).abs() < 0.15 && normal.abs() < 0.08, "{poisson} {normal}");
    }
}
