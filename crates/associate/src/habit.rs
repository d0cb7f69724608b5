//! What is learned of each station while the record goes by: its noise, its
//! false alarms, its clock, how loud it reads and how much its arrivals scatter.

use crate::model::Model;

/// Residuals that the model's scatter weighs as much as, those that are
/// remembered, and the largest factor that is believed.
const SCATTER_PRIOR: f64 = 30.0;
const SCATTER_LONG: f64 = 200.0;
const SCATTER_MOST: f64 = 4.0;
/// Levels that an ordinary reading weighs as much as, those that are
/// remembered, and the scatter of levels, dB.
const LOUD_PRIOR: f64 = 5.0;
const LOUD_LONG: f64 = 100.0;
const LOUD_SCATTER_DB: f64 = 5.0;

/// What is known of a station, as it is asked all the time: in one line of a cache.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub(crate) struct Habit {
    /// Noise floor, dB.
    pub noise: f64,
    /// Clock error, s, and its variance.
    pub clock: f64,
    pub clock_var: f64,
    /// How much its arrivals scatter beyond the model: factor on the variance.
    pub scatter: f64,
    /// How much louder it reads than others, dB; taken off its levels and noise.
    pub loud: f64,
    /// Rate of false alarms, per second, and its logarithm.
    pub false_rate: f64,
    pub ln_false: f64,
}

/// How much stands behind it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lessons {
    noise_weight: f64,
    /// Unexplained detections, and when the station was first heard of.
    alarms: f64,
    since: f64,
    loud_weight: f64,
    /// Squared residuals, in units of what the model says.
    squares: f64,
    squares_weight: f64,
}

impl Habit {
    /// Before anything was learned.
    pub(crate) fn new(model: &Model) -> Self {
        let prior = model.false_per_hour;
        Self {
            noise: 76.0,
            clock: 0.0,
            clock_var: model.clock_error_s * model.clock_error_s,
            scatter: 1.0,
            loud: 0.0,
            false_rate: prior / 3600.0,
            ln_false: libm::log(prior / 3600.0),
        }
    }
}

impl Default for Lessons {
    fn default() -> Self {
        Self {
            noise_weight: 0.5,
            alarms: 0.0,
            since: f64::INFINITY,
            loud_weight: LOUD_PRIOR,
            squares: SCATTER_PRIOR,
            squares_weight: SCATTER_PRIOR,
        }
    }
}

impl Lessons {
    /// The noise floor follows what detections state, within a day or so.
    pub(crate) fn hear(&mut self, h: &mut Habit, t: f64, noise: f64) {
        self.since = self.since.min(t);
        h.noise += (noise - h.noise) / (self.noise_weight + 1.0);
        self.noise_weight = (self.noise_weight + 1.0).min(30.0);
    }

    /// A level of a good event that is off by so much tells how loud the station reads.
    pub(crate) fn gauge(&mut self, h: &mut Habit, off: f64) {
        // Student-like, but a reading that is always off is believed in the end.
        let weight = 5.0 / (4.0 + (off / LOUD_SCATTER_DB) * (off / LOUD_SCATTER_DB));
        let step = weight.max(0.2) * off / (self.loud_weight + 1.0);
        self.loud_weight = (self.loud_weight + 1.0).min(LOUD_LONG);
        h.loud += step;
        h.noise -= step;
    }

    /// Counts detections that nothing explained. The prior, so many an hour, weighs
    /// as much as two false alarms.
    pub(crate) fn count_false(&mut self, h: &mut Habit, prior: f64, alarms: f64, now: f64) {
        self.alarms += alarms;
        let hours = ((now - self.since) / 3600.0).max(0.0);
        h.false_rate = (2.0 + self.alarms) / ((2.0 / prior + hours) * 3600.0);
        h.ln_false = libm::log(h.false_rate);
    }

    /// A residual of a good event tells of the station's clock, and of how much
    /// its arrivals scatter.
    pub(crate) fn tick(&mut self, h: &mut Habit, residual: f64, var: f64, share: f64) {
        let spread = h.clock_var + var;
        let surprise = residual * residual / spread;
        // Student-like: a far residual is the path's fault sooner than the clock's.
        let weight = 5.0 / (4.0 + surprise);
        let gain = h.clock_var * weight / spread;
        h.clock += gain * residual;
        h.clock_var = (h.clock_var * (1.0 - gain)).max(1e-6);
        // Like the clock, what the ground and the weather about it do to times
        // is learned as it goes, and slowly forgotten.
        // In units of what the model says, not of what was learned before.
        self.squares += (share * residual * residual * h.scatter / var).min(9.0 * h.scatter);
        self.squares_weight += 1.0;
        if self.squares_weight > SCATTER_LONG {
            let keep = SCATTER_LONG / self.squares_weight;
            self.squares *= keep;
            self.squares_weight *= keep;
        }
        h.scatter = (self.squares / self.squares_weight).clamp(1.0, SCATTER_MOST);
    }
}
