//! The raster of time on which picks and detections of arrays are worked on: block
//! after block, each as soon as everything that may belong to it is in. Where nothing
//! was heard no block is worked on.

/// How far the work is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Blocks {
    /// Length of a block, s.
    length_s: f64,
    /// What comes so long after a block may belong to it, s.
    pub ahead_s: f64,
    /// Everything before was worked on.
    pub now: f64,
    /// Everything before is in.
    watermark: f64,
}

impl Blocks {
    pub(crate) fn new(length_s: f64, ahead_s: f64) -> Self {
        Self { length_s, ahead_s, now: f64::NEG_INFINITY, watermark: f64::NEG_INFINITY }
    }

    /// Everything up to a moment is in.
    pub(crate) fn let_in_to(&mut self, watermark: f64) {
        self.watermark = self.watermark.max(watermark);
    }

    /// End of the next block, if it is complete; `next` is when the first of what was
    /// not worked on was heard, infinity if there is none.
    pub(crate) fn next(&mut self, next: f64) -> Option<f64> {
        if next == f64::INFINITY {
            return None;
        }
        if next > self.now + self.length_s {
            self.now = libm::floor(next / self.length_s) * self.length_s;
        }
        let end = self.now + self.length_s;
        (end + self.ahead_s < self.watermark).then_some(end)
    }

    /// All events before this moment are out, if none begins more than so long before
    /// it is heard, s.
    pub(crate) fn settled_to(&self, next: f64, reach_s: f64) -> f64 {
        let idle = self.watermark - self.ahead_s - self.length_s;
        next.min(idle).max(self.now) - reach_s.min(self.ahead_s)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_waits_for_what_may_belong_to_it() {
        let mut blocks = Blocks::new(10.0, 4.0);
        blocks.let_in_to(24.0);
        assert_eq!(blocks.next(12.0), None, "up to 24 s exactly is not enough");
        blocks.let_in_to(25.0);
        blocks.let_in_to(20.0);
        assert_eq!(blocks.next(12.0), Some(20.0));
        blocks.now = 20.0;
        assert_eq!(blocks.next(f64::INFINITY), None);
        assert_eq!(blocks.settled_to(21.0, 3.0), 17.0);
        assert_eq!(blocks.settled_to(f64::INFINITY, 9.0), 16.0);
    }
}
