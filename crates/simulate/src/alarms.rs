//! False alarms: single ones, bursts, and sensors that are stuck.

use chance::{Chance, Streams};

use crate::hearing::{Arrival, Source};
use crate::land::Sensor;
use crate::sheet;

/// The false alarms of all sensors, in order of time.
pub(crate) struct Alarms {
    each: Vec<Own>,
}

/// Those of one sensor.
struct Own {
    chance: Chance,
    /// When the next single alarm or burst begins.
    next_s: f64,
    /// Mean time between them.
    mean_s: f64,
    /// When a stuck sensor next repeats itself.
    stuck_s: f64,
    stuck_snr_db: f64,
}

/// Share of alarms that begin a burst, and mean number per beginning.
fn bursts() -> (f64, f64) {
    let (share, (least, most), _) = sheet::BURST;
    let size = (least + most) as f64 / 2.0;
    // share = p size / (p size + 1 - p)
    let p = share / (size - share * (size - 1.0));
    (p, p * size + 1.0 - p)
}

impl Alarms {
    /// From the beginning of a set.
    pub(crate) fn new(sensors: &[Sensor], seed: u64) -> Self {
        let own = Streams::new(seed, "alarms");
        let per_beginning = bursts().1;
        let each = sensors
            .iter()
            .enumerate()
            .map(|(index, sensor)| {
                let mut chance = own.nth(index as u64);
                let mean_s = if sensor.alarms_per_hour > 0.0 {
                    3600.0 * per_beginning / sensor.alarms_per_hour
                } else {
                    f64::INFINITY
                };
                let first_s = chance.exponential(1.0) * mean_s;
                Own {
                    next_s: if first_s.is_nan() { f64::INFINITY } else { first_s },
                    mean_s,
                    stuck_s: sensor.fault.stuck.map_or(f64::INFINITY, |(_, from, _)| from),
                    stuck_snr_db: chance.between(9.0, 20.0),
                    chance,
                }
            })
            .collect();
        Self { each }
    }

    /// All that begin before a time and have not been taken yet.
    pub(crate) fn until(&mut self, sensors: &[Sensor], end_s: f64, mut taken: impl FnMut(Arrival)) {
        let (p_burst, _) = bursts();
        let (_, (least, most), apart_s) = sheet::BURST;
        for (index, (own, sensor)) in self.each.iter_mut().zip(sensors).enumerate() {
            while own.next_s < end_s {
                let chance = &mut own.chance;
                let size = if chance.happens(p_burst) {
                    least + chance.below(most - least + 1)
                } else {
                    1
                };
                let mut t_s = own.next_s;
                for nth in 0..size {
                    if nth > 0 {
                        t_s += chance.exponential(apart_s);
                    }
                    let snr_db = sheet::ALARM_SNR_DB.0 + chance.exponential(sheet::ALARM_SNR_DB.1);
                    let azimuth_deg = sensor.array.then(|| chance.between(0.0, 360.0));
                    if !sensor.is_down(t_s) {
                        taken(alarm(index, sensor, t_s, snr_db, azimuth_deg));
                    }
                }
                own.next_s += chance.exponential(own.mean_s);
            }
            while own.stuck_s < end_s {
                let Some((beat_s, _, to)) = sensor.fault.stuck else { break };
                if !sensor.is_down(own.stuck_s) {
                    let azimuth_deg = sensor.array.then_some(0.0);
                    taken(alarm(index, sensor, own.stuck_s, own.stuck_snr_db, azimuth_deg));
                }
                own.stuck_s += beat_s;
                if own.stuck_s >= to {
                    own.stuck_s = f64::INFINITY;
                }
            }
        }
    }
}

/// An alarm of a sensor at a time.
pub(crate) fn alarm(
    index: usize,
    sensor: &Sensor,
    t_s: f64,
    snr_db: f64,
    azimuth_deg: Option<f64>,
) -> Arrival {
    Arrival {
        t_s,
        sensor: index as u32,
        level_db: sensor.floor_db + snr_db + sensor.fault.reading_db,
        snr_db,
        azimuth_deg,
        source: Source::Alarm,
        path: None,
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_third_of_the_alarms_come_in_bursts() {
        let (p, mean) = super::bursts();
        assert!((4.0 * p / mean - 0.3).abs() < 1e-12);
    }
}
