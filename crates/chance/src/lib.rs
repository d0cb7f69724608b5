//! # chance: randomness that is the same for the same seed on every machine
//!
//! What this is: a stream cipher as the generator, and `libm` for what goes
//! beyond multiplying. What is made up - exercises, simulated networks - draws
//! from here, one stream for each purpose.
//!
//! What it may touch: nothing. It knows no source of randomness but its seed.
//!
//! Entry points: [`Chance::new`] for one stream, [`Streams`] for many.
//!
//! ```
//! use chance::{Chance, Streams};
//! let draw = |seed| Chance::new(seed, "weather").between(0.0, 1.0);
//! assert_eq!(draw(7), draw(7));
//! assert_ne!(draw(7), draw(8));
//! let rounds = Streams::new(7, "rounds");
//! assert_ne!(rounds.nth(1).normal(), rounds.nth(2).normal());
//! ```

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// A generator for one purpose.
#[derive(Clone, Debug)]
pub struct Chance(ChaCha8Rng);

/// A numbered family of generators for one purpose: what happens to one thing
/// does not depend on how much was drawn for the others.
#[derive(Clone, Debug)]
pub struct Streams(ChaCha8Rng);

impl Streams {
    /// The family for this purpose.
    pub fn new(seed: u64, purpose: &str) -> Self {
        Self(Chance::new(seed, purpose).0)
    }

    /// The generator with this number.
    pub fn nth(&self, number: u64) -> Chance {
        let mut generator = self.0.clone();
        generator.set_stream(number + 1);
        Chance(generator)
    }
}

impl Chance {
    /// Each purpose draws from a stream of its own, so that a change in one
    /// source leaves the others as they were.
    pub fn new(seed: u64, purpose: &str) -> Self {
        let id = domain::Id::of(domain::IdKind::Origin, &[&seed.to_be_bytes(), purpose.as_bytes()]);
        Self(ChaCha8Rng::seed_from_u64(id.short()))
    }

    /// Even over `[from, to)`.
    pub fn between(&mut self, from: f64, to: f64) -> f64 {
        from + (to - from) * self.0.random::<f64>()
    }

    /// True with probability `p`.
    pub fn happens(&mut self, p: f64) -> bool {
        self.0.random::<f64>() < p
    }

    /// An index below `count`.
    pub fn below(&mut self, count: usize) -> usize {
        self.0.random_range(0..count as u64) as usize
    }

    /// One of several.
    pub fn one_of<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }

    /// One of several by weight.
    pub fn weighted<T: Copy>(&mut self, items: &[(T, f64)]) -> T {
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
    pub fn normal(&mut self) -> f64 {
        let radius = libm::sqrt(-2.0 * libm::log(1.0 - self.0.random::<f64>()));
        radius * libm::cos(std::f64::consts::TAU * self.0.random::<f64>())
    }

    /// Exponential with this mean.
    pub fn exponential(&mut self, mean: f64) -> f64 {
        -mean * libm::log(1.0 - self.0.random::<f64>())
    }

    /// Laplace about zero: exponential to either side, with this mean.
    pub fn laplace(&mut self, scale: f64) -> f64 {
        let side = if self.happens(0.5) { 1.0 } else { -1.0 };
        side * self.exponential(scale)
    }

    /// Gamma with scale 1, for shapes of 1 and more (Marsaglia and Tsang, 2000).
    pub fn gamma(&mut self, shape: f64) -> f64 {
        let d = shape - 1.0 / 3.0;
        let c = 1.0 / libm::sqrt(9.0 * d);
        loop {
            let x = self.normal();
            let v = 1.0 + c * x;
            let cube = v * v * v;
            let u = 1.0 - self.0.random::<f64>();
            if v > 0.0 && libm::log(u) < 0.5 * x * x + d * (1.0 - cube + libm::log(cube)) {
                return d * cube;
            }
        }
    }

    /// Poisson for any mean: a sum of Poisson numbers of at most 200 each.
    pub fn poisson_large(&mut self, mean: f64) -> usize {
        let mut left = mean;
        let mut count = 0;
        while left > 200.0 {
            count += self.poisson(200.0);
            left -= 200.0;
        }
        count + self.poisson(left)
    }

    /// Poisson, by multiplying (Knuth): for means up to some hundreds.
    pub fn poisson(&mut self, mean: f64) -> usize {
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
    fn streams_of_a_family_differ_and_repeat() {
        let family = Streams::new(1, "test");
        let first = |number| family.nth(number).between(0.0, 1.0);
        assert_eq!(first(3), first(3));
        let mut all: Vec<u64> = (0..1000).map(|number| first(number).to_bits()).collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 1000);
    }

    #[test]
    fn large_means_are_as_asked_for() {
        let mut chance = Chance::new(1, "large");
        let total: usize = (0..50).map(|_| chance.poisson_large(1000.0)).sum();
        // Standard deviation of the sum: sqrt(50,000) = 224.
        assert!((total as f64 - 50_000.0).abs() < 1000.0, "{total}");
    }

    #[test]
    fn means_are_as_asked_for() {
        let mut chance = Chance::new(1, "test");
        let n = 4000;
        let mean = |values: Vec<f64>| values.iter().sum::<f64>() / f64::from(n);
        let poisson = mean((0..n).map(|_| chance.poisson(3.0) as f64).collect());
        let normal = mean((0..n).map(|_| chance.normal()).collect());
        assert!((poisson - 3.0).abs() < 0.15 && normal.abs() < 0.08, "{poisson} {normal}");
        let gamma = mean((0..n).map(|_| chance.gamma(6.7)).collect());
        let laplace = mean((0..n).map(|_| chance.laplace(2.0).abs()).collect());
        // Standard deviations of the means: 0.041 and 0.032.
        assert!((gamma - 6.7).abs() < 0.16 && (laplace - 2.0).abs() < 0.13, "{gamma} {laplace}");
    }
}
