//! Travel times behind one trait: sound in moving air, P and S waves in a
//! uniform or layered earth, and a table of any of these.
//!
//! The acoustic engine works with the formula of [`Air`] written out in its
//! inner loops; a test holds the two together. The phase engine works with a
//! [`Table`], made from whichever model the network has.

mod air;
mod layers;
mod table;

pub use air::Air;
pub use layers::{Layer, Layers, NotLayers};
pub use table::Table;
pub(crate) use table::{HALVINGS, slab};

/// Which wave a pick is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Compression: the first to come.
    P,
    /// Shear: the second.
    S,
}

impl Phase {
    /// Both, in the order of their index.
    pub const ALL: [Self; 2] = [Self::P, Self::S];

    /// 0 or 1.
    #[inline]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The phase of a pick by its common name; first arrivals, direct or
    /// refracted, count alike. None if the name is not known.
    pub const fn named(name: &[u8]) -> Option<Self> {
        match name {
            b"P" | b"p" | b"Pg" | b"Pb" | b"Pn" => Some(Self::P),
            b"S" | b"s" | b"Sg" | b"Sb" | b"Sn" => Some(Self::S),
            _ => None,
        }
    }

    /// Its letter.
    pub const fn letter(self) -> char {
        match self {
            Self::P => 'P',
            Self::S => 'S',
        }
    }
}

/// The way from a source to a receiver, km.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Way {
    /// Receiver east of the source.
    pub east_km: f64,
    /// Receiver north of the source.
    pub north_km: f64,
    /// Source below the level that depths count from; negative in the air.
    pub depth_km: f64,
    /// Receiver above that level.
    pub height_km: f64,
}

impl Way {
    /// Horizontal distance, km.
    #[inline]
    pub fn distance_km(&self) -> f64 {
        (self.east_km * self.east_km + self.north_km * self.north_km).sqrt()
    }
}

/// A first arrival.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Arrival {
    /// Travel time, s.
    pub time_s: f64,
    /// Change of the time as the source moves east, north and down, s/km.
    pub slope: [f64; 3],
}

/// A model of travel times.
pub trait Travel {
    /// First arrival of a phase. Every model is total: any finite way has a
    /// finite, non-negative time.
    fn arrival(&self, phase: Phase, way: &Way) -> Arrival;
}

/// One speed for each phase everywhere, straight rays.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Uniform {
    /// Speed of P, km/s.
    pub vp_km_s: f64,
    /// Speed of S, km/s.
    pub vs_km_s: f64,
}

impl Travel for Uniform {
    fn arrival(&self, phase: Phase, way: &Way) -> Arrival {
        let speed = match phase {
            Phase::P => self.vp_km_s,
            Phase::S => self.vs_km_s,
        };
        let down = way.depth_km + way.height_km;
        let far = way.distance_km();
        let d = (far * far + down * down).sqrt();
        let per = 1.0 / (d.max(1e-9) * speed);
        Arrival { time_s: d / speed, slope: [-way.east_km * per, -way.north_km * per, down * per] }
    }
}

#[cfg(test)]
mod tests {
    use super::{Layer, Layers};

    /// A crust of five layers, for the tests of what is built on layers.
    pub(super) fn crust() -> Layers {
        let layer =
            |(depth_km, vp_km_s): (f64, f64)| Layer { depth_km, vp_km_s, vs_km_s: vp_km_s / 1.75 };
        Layers::new(
            [(0.0, 5.6), (4.0, 6.0), (15.0, 6.4), (28.0, 6.9), (42.0, 8.0)].map(layer).into(),
        )
        .unwrap()
    }
}
