//! Who takes which detection at a station, where several events want the same:
//! within a knot of predictions the order of arrivals is the order of predictions
//! (the best matching of points on a line), found by dynamic programming.

/// A detection that an event could take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pair {
    pub prediction: u32,
    pub index: u32,
    pub gain: f64,
}

/// Order-preserving matching of the most gain.
#[derive(Default)]
pub(crate) struct Table {
    best: Vec<f64>,
    choice: Vec<u8>,
    gains: Vec<f64>,
    /// Lowest detection of this pair and all after it.
    least: Vec<u32>,
}

impl Table {
    /// Pairs come grouped by prediction, in order of predicted time.
    pub(crate) fn solve(&mut self, pairs: &[Pair], mut take: impl FnMut(u32, u32)) {
        self.least.clear();
        self.least.resize(pairs.len(), u32::MAX);
        let mut least = u32::MAX;
        for (i, p) in pairs.iter().enumerate().rev() {
            least = least.min(p.index);
            self.least[i] = least;
        }
        let mut from = 0;
        while from < pairs.len() {
            // A knot: groups whose detections overlap with what came before, or
            // with a later group that looks farther back.
            let (mut lowest, mut highest) = (pairs[from].index, pairs[from].index);
            let mut to = from;
            while to < pairs.len() {
                let group = pairs[to].prediction;
                let end = to + pairs[to..].iter().take_while(|p| p.prediction == group).count();
                if to > from && self.least[to] > highest {
                    break;
                }
                for p in &pairs[to..end] {
                    highest = highest.max(p.index);
                    lowest = lowest.min(p.index);
                }
                to = end;
            }
            self.knot(&pairs[from..to], lowest, highest, &mut take);
            from = to;
        }
    }

    fn knot(&mut self, pairs: &[Pair], lowest: u32, highest: u32, take: &mut impl FnMut(u32, u32)) {
        let first = pairs[0].prediction;
        if pairs[pairs.len() - 1].prediction == first {
            // One event alone takes what suits it best.
            let mut best = 0;
            for (i, p) in pairs.iter().enumerate() {
                if p.gain > pairs[best].gain {
                    best = i;
                }
            }
            take(first, pairs[best].index);
            return;
        }
        let rows = (pairs[pairs.len() - 1].prediction - first + 1) as usize;
        let columns = (highest - lowest + 1) as usize;
        self.gains.clear();
        self.gains.resize(rows * columns, f64::NEG_INFINITY);
        for p in pairs {
            self.gains[(p.prediction - first) as usize * columns + (p.index - lowest) as usize] =
                p.gain;
        }
        let width = columns + 1;
        self.best.clear();
        self.best.resize((rows + 1) * width, 0.0);
        self.choice.clear();
        self.choice.resize((rows + 1) * width, 0);
        for r in 1..=rows {
            for c in 1..=columns {
                let skip_row = self.best[(r - 1) * width + c];
                let skip_column = self.best[r * width + c - 1];
                let both =
                    self.best[(r - 1) * width + c - 1] + self.gains[(r - 1) * columns + c - 1];
                let (value, choice) = if both > skip_row && both > skip_column {
                    (both, 2)
                } else if skip_row >= skip_column {
                    (skip_row, 0)
                } else {
                    (skip_column, 1)
                };
                self.best[r * width + c] = value;
                self.choice[r * width + c] = choice;
            }
        }
        let (mut r, mut c) = (rows, columns);
        while r > 0 && c > 0 {
            match self.choice[r * width + c] {
                2 => {
                    take(first + r as u32 - 1, lowest + c as u32 - 1);
                    r -= 1;
                    c -= 1;
                }
                0 => r -= 1,
                _ => c -= 1,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The third prediction is the least sure of its time and reaches back behind the second.
    #[test]
    fn a_detection_is_dealt_once() {
        let pair = |prediction, index, gain| Pair { prediction, index, gain };
        let pairs = [pair(0, 3, 5.0), pair(1, 5, 5.0), pair(2, 3, 4.0), pair(2, 5, 1.0)];
        let mut taken = [None; 3];
        Table::default().solve(&pairs, |number, index| taken[number as usize] = Some(index));
        assert_eq!(taken, [Some(3), Some(5), None]);
    }

    proptest! {
        /// Predictions may look farther back than those before them: still
        /// nobody gets what another has.
        #[test]
        fn no_detection_is_dealt_twice(
            windows in proptest::collection::vec((0_u32..12, 1_u32..6), 1..8),
            gains in proptest::collection::vec(0.1..9.0_f64, 48)
        ) {
            let mut pairs = Vec::new();
            for (number, (from, count)) in (0_u32..).zip(&windows) {
                for index in *from..from + count {
                    let gain = gains[(number as usize * 7 + index as usize * 3) % gains.len()];
                    pairs.push(Pair { prediction: number, index, gain });
                }
            }
            let mut taken: Vec<(u32, u32)> = Vec::new();
            Table::default().solve(&pairs, |number, index| taken.push((number, index)));
            for (i, a) in taken.iter().enumerate() {
                prop_assert!(pairs.iter().any(|p| (p.prediction, p.index) == *a));
                prop_assert!(taken[..i].iter().all(|b| b.0 != a.0 && b.1 != a.1));
            }
        }
    }
}
