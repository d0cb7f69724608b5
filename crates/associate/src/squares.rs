//! Stations by square of ground, so that those about a place are found at once.

/// Side of a square, metres.
const SQUARE: f64 = 8_000.0;
/// Where a search for the nearest station ends, metres.
const FARTHEST: f64 = 4e6;

/// Stations by square of ground, in sorted arrays.
pub(crate) struct Squares {
    x0: f64,
    y0: f64,
    columns: i64,
    rows: i64,
    start: Vec<u32>,
    stations: Vec<u32>,
    /// Where they are, in the same order.
    places: Vec<(f64, f64)>,
}

impl Squares {
    pub(crate) fn new(x: &[f64], y: &[f64]) -> Self {
        let min = |v: &[f64]| v.iter().copied().fold(f64::INFINITY, f64::min);
        let max = |v: &[f64]| v.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let (x0, y0) = if x.is_empty() { (0.0, 0.0) } else { (min(x), min(y)) };
        let count = |v: &[f64], from: f64| {
            if v.is_empty() { 1 } else { ((max(v) - from) / SQUARE) as i64 + 1 }
        };
        let (columns, rows) = (count(x, x0), count(y, y0));
        let square =
            |k: usize| ((y[k] - y0) / SQUARE) as i64 * columns + ((x[k] - x0) / SQUARE) as i64;
        let mut order: Vec<u32> = (0..x.len() as u32).collect();
        order.sort_by_key(|k| (square(*k as usize), *k));
        let mut start = vec![0_u32; (columns * rows) as usize + 1];
        for &k in &order {
            start[square(k as usize) as usize + 1] += 1;
        }
        for i in 1..start.len() {
            start[i] += start[i - 1];
        }
        let places = order.iter().map(|k| (x[*k as usize], y[*k as usize])).collect();
        Self { x0, y0, columns, rows, start, stations: order, places }
    }

    /// Calls `f` for every station within a distance of a place, in a fixed order,
    /// with the square of its distance.
    #[inline]
    pub(crate) fn within(&self, x: f64, y: f64, radius: f64, mut f: impl FnMut(u32, f64)) {
        let (c0, c1) = Self::span(x - self.x0, radius, self.columns);
        let (r0, r1) = Self::span(y - self.y0, radius, self.rows);
        let limit = radius * radius;
        for r in r0..=r1 {
            let first = self.start[(r * self.columns + c0) as usize] as usize;
            let last = self.start[(r * self.columns + c1 + 1) as usize] as usize;
            for (k, place) in self.stations[first..last].iter().zip(&self.places[first..last]) {
                let (dx, dy) = (place.0 - x, place.1 - y);
                let d2 = dx * dx + dy * dy;
                if d2 <= limit {
                    f(*k, d2);
                }
            }
        }
    }

    /// The station nearest to a place, if one is within reach.
    pub(crate) fn nearest(&self, x: f64, y: f64) -> Option<u32> {
        let mut radius = SQUARE;
        while radius < FARTHEST {
            let mut best: Option<(f64, u32)> = None;
            self.within(x, y, radius, |k, d2| {
                if best.is_none_or(|b| d2 < b.0 || (d2 == b.0 && k < b.1)) {
                    best = Some((d2, k));
                }
            });
            if best.is_some() {
                return best.map(|b| b.1);
            }
            radius *= 2.0;
        }
        None
    }

    /// The stations nearest to one at a place, without itself: square of the
    /// distance and number, nearest first.
    pub(crate) fn neighbours(&self, k: u32, (x, y): (f64, f64), count: usize) -> Vec<(f64, u32)> {
        let farthest = SQUARE * (self.columns + self.rows) as f64 * 1.5 + SQUARE;
        let mut found = Vec::new();
        let mut radius = SQUARE;
        loop {
            found.clear();
            self.within(x, y, radius, |other, d2| {
                if other != k {
                    found.push((d2, other));
                }
            });
            if found.len() >= count || radius > farthest {
                break;
            }
            radius *= 2.0;
        }
        found.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        found.truncate(count);
        found
    }

    #[inline]
    fn span(offset: f64, radius: f64, count: i64) -> (i64, i64) {
        let from = libm::floor((offset - radius) / SQUARE).clamp(0.0, (count - 1) as f64);
        let to = libm::floor((offset + radius) / SQUARE).clamp(0.0, (count - 1) as f64);
        (from as i64, to as i64)
    }
}
