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
    /// Most gain of the predictions so far with the first so many detections.
    best: Vec<f64>,
    rows: Vec<Row>,
    choices: Vec<Choice>,
    /// Lowest detection of this pair and all after it.
    least: Vec<u32>,
}

/// Where the most gain of the first rows and columns comes from.
#[derive(Clone, Copy, PartialEq)]
enum Choice {
    /// Without the last row.
    Above,
    /// Without the last column.
    Left,
    /// With both matched.
    Both,
}

/// What one prediction added. A row differs from the one above it only in a
/// stretch of columns that begins at its first detection.
struct Row {
    prediction: u32,
    /// First column of the stretch, and where its choices are.
    from: usize,
    choices: std::ops::Range<usize>,
    /// Columns that this and earlier predictions reach; beyond them all is as
    /// at the last.
    reach: usize,
    /// True if the gain at the last column is more than above.
    rose: bool,
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
        self.best.clear();
        self.best.push(0.0);
        self.rows.clear();
        self.choices.clear();
        for group in pairs.chunk_by(|a, b| a.prediction == b.prediction) {
            self.row(group, lowest);
        }
        let mut column = (highest - lowest + 1) as usize;
        for row in self.rows.iter().rev() {
            if column > row.reach {
                if !row.rose {
                    continue;
                }
                column = row.reach;
            }
            while let Some(at) = column.checked_sub(row.from)
                && let Some(choice) = self.choices[row.choices.clone()].get(at)
                && *choice != Choice::Above
            {
                column -= 1;
                if *choice == Choice::Both {
                    take(row.prediction, lowest + column as u32);
                    break;
                }
            }
        }
    }

    /// Adds the row of a prediction; column `c` is that of detection `lowest + c - 1`.
    fn row(&mut self, group: &[Pair], lowest: u32) {
        let column = |p: &Pair| (p.index - lowest) as usize + 1;
        let (from, last) = (column(&group[0]), column(&group[group.len() - 1]));
        let reach = last.max(self.best.len() - 1);
        self.best.resize(reach + 1, self.best[self.best.len() - 1]);
        let begin = self.choices.len();
        let (mut left, mut diagonal) = (self.best[from - 1], self.best[from - 1]);
        let mut own = group.iter().peekable();
        let mut rose = false;
        for c in from..=reach {
            let above = self.best[c];
            let pair = own.next_if(|p| column(p) == c);
            let both = pair.map_or(f64::NEG_INFINITY, |p| diagonal + p.gain);
            let (value, choice) = if both > above && both > left {
                (both, Choice::Both)
            } else if above >= left {
                (above, Choice::Above)
            } else {
                (left, Choice::Left)
            };
            // Gains never fall from left to right: all that follows is as above.
            if c > last && choice == Choice::Above {
                rose = false;
                break;
            }
            self.best[c] = value;
            self.choices.push(choice);
            rose = choice != Choice::Above;
            (left, diagonal) = (value, above);
        }
        let (prediction, choices) = (group[0].prediction, begin..self.choices.len());
        self.rows.push(Row { prediction, from, choices, reach, rose });
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

    /// The whole table, cell by cell.
    fn most(pairs: &[Pair]) -> f64 {
        let mut best = [0.0_f64; 32];
        for group in pairs.chunk_by(|a, b| a.prediction == b.prediction) {
            let above = best;
            for c in 1..32 {
                let own = group.iter().find(|p| p.index as usize + 1 == c);
                let both = own.map_or(0.0, |p| above[c - 1] + p.gain);
                best[c] = above[c].max(best[c - 1]).max(both);
            }
        }
        best[31]
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
            let gain = |t: &(u32, u32)| {
                pairs.iter().find(|p| (p.prediction, p.index) == *t).map_or(0.0, |p| p.gain)
            };
            prop_assert!((taken.iter().map(gain).sum::<f64>() - most(&pairs)).abs() < 1e-9);
            for (i, a) in taken.iter().enumerate() {
                prop_assert!(pairs.iter().any(|p| (p.prediction, p.index) == *a));
                prop_assert!(taken[..i].iter().all(|b| b.0 != a.0 && b.1 != a.1));
            }
        }
    }
}
