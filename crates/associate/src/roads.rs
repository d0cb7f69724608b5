//! The ways from an event to the stations in reach of it. They depend on its
//! place and on the air only, and an event is asked of them again and again
//! while detections are dealt: so each event keeps its own.

use crate::score::{Loc, View};

/// Stations are kept that a level higher by this would ask, so that one that grows a
/// little finds its stations there, dB.
const MARGIN_DB: f64 = 1.0;
/// While an event moves by less than this, its ways are those from where they were
/// laid, each longer or shorter by its gradient, metres: at 1 km that is true to 2 ms.
const STEP_M: f64 = 30.0;

/// The way to one station.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Road {
    pub station: u32,
    /// Direction of the event from the station.
    pub toward: (f32, f32),
    pub tau: f64,
    /// Loss of level on the way, dB.
    pub loss: f64,
}

/// The ways from one place, in the order of the stations' squares of ground.
#[derive(Clone, Debug, Default)]
pub(crate) struct Roads {
    /// Station that lends scale and ground, and state of the air they hold for.
    under: Option<(u32, u32)>,
    /// Where they were laid, and how far from there the event has moved.
    from: (f64, f64),
    moved: (f64, f64),
    /// Level that all stations are kept for, dB at 1 km.
    level: f64,
    list: Vec<Road>,
}

impl Roads {
    /// Makes sure of the ways from a place to all stations that are asked about a level.
    pub(crate) fn lay(&mut self, view: &View, loc: Loc, home: u32, level: f64) {
        let under = Some((home, view.net.air_turn));
        let moved = (loc.x - self.from.0, loc.y - self.from.1);
        let near = moved.0 * moved.0 + moved.1 * moved.1 < STEP_M * STEP_M;
        if self.under == under && near && level <= self.level {
            self.moved = moved;
            return;
        }
        (self.under, self.from, self.moved) = (under, (loc.x, loc.y), (0.0, 0.0));
        self.level = level + MARGIN_DB;
        self.list.clear();
        view.net.within(loc.x, loc.y, view.reach(self.level, home), |k, _| {
            let path = view.path(loc.x, loc.y, home, k);
            if view.asks(k, self.level, path.loss) {
                let toward = path.toward();
                self.list.push(Road { station: k, toward, tau: path.tau, loss: path.loss });
            }
        });
    }

    /// Those laid: to all stations that are asked, and to some that are not quite.
    pub(crate) fn all(&self) -> impl Iterator<Item = Road> {
        let (dx, dy) = (self.moved.0 * 1e-3, self.moved.1 * 1e-3);
        self.list.iter().map(move |road| {
            let (gx, gy) = (f64::from(road.toward.0), f64::from(road.toward.1));
            Road { tau: road.tau + gx * dx + gy * dy, ..*road }
        })
    }

    /// Forgets them.
    pub(crate) fn close(&mut self) {
        *self = Self::default();
    }
}

/// Which of an event's hits is at a station: the hits at the stations' places,
/// so that a look needs no search.
#[derive(Default)]
pub(crate) struct Seats(Vec<u32>);

impl Seats {
    const EMPTY: u32 = u32::MAX;

    /// Seats the hits of an event for as long as `f` runs.
    pub(crate) fn with<R>(
        &mut self,
        stations: usize,
        hits: &[crate::score::Hit],
        f: impl FnOnce(&Self) -> R,
    ) -> R {
        self.0.resize(stations, Self::EMPTY);
        for (i, hit) in hits.iter().enumerate() {
            self.0[hit.station as usize] = i as u32;
        }
        let out = f(self);
        for hit in hits {
            self.0[hit.station as usize] = Self::EMPTY;
        }
        out
    }

    /// Number of the hit at a station.
    #[inline]
    pub(crate) fn hit(&self, station: u32) -> Option<usize> {
        let seat = self.0[station as usize];
        (seat != Self::EMPTY).then_some(seat as usize)
    }
}
