//! The data sheet: what a sensor of the network hears, and how rounds are
//! fired.
//!
//! The numbers were read off the project's training sets (see
//! `docs/simulation.md`, which compares sets made here with those); where a
//! number has another source, it says so.

use chance::Chance;

/// What makes a noise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// Gun or howitzer.
    Artillery,
    /// Mortar.
    Mortar,
    /// Rocket salvo.
    Rocket,
    /// Bomb or missile; impact only.
    AirStrike,
    /// Heavy machine gun, grenade launcher; muzzle only.
    SmallArms,
    /// A clap of thunder.
    Thunder,
    /// A blast in a quarry.
    Quarry,
    /// Mines or duds destroyed on purpose.
    ControlledBlast,
}

/// Which end of a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    /// Where it is fired.
    Muzzle,
    /// Where it lands.
    Impact,
    /// No round at all.
    Innocent,
}

/// How rounds of a kind are fired.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fire {
    /// Which kind.
    pub(crate) kind: Kind,
    /// Share among volleys.
    pub(crate) share: f64,
    /// Mean source levels of muzzle and impact, dB at 1 km; `None` if it has none.
    pub(crate) muzzle_db: Option<f64>,
    /// As above.
    pub(crate) impact_db: Option<f64>,
    /// Rounds of a volley.
    pub(crate) rounds: Rounds,
    /// Time between rounds: least and most, s.
    pub(crate) spacing_s: (f64, f64),
    /// Speed over ground that gives the time of flight, km/s.
    pub(crate) speed_km_s: f64,
    /// How far behind its own line it is fired from, or, if it has no muzzle,
    /// how far from the line to either side it lands, km.
    pub(crate) behind_km: (f64, f64),
    /// How far behind the other line it lands, km.
    pub(crate) beyond_km: (f64, f64),
    /// Scatter of the aim along the front, km.
    pub(crate) aside_km: f64,
    /// Scatter of the tubes (muzzle) or of the bombs (impact only), km.
    pub(crate) position_km: f64,
}

/// The number of rounds of a volley.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Rounds {
    /// Poisson with this mean, and at least so many.
    Poisson(f64, usize),
    /// Any number from one to the other, alike.
    Even(usize, usize),
}

impl Rounds {
    /// Draws a number.
    pub(crate) fn draw(self, chance: &mut Chance) -> usize {
        match self {
            Self::Poisson(mean, least) => chance.poisson(mean).max(least),
            Self::Even(least, most) => least + chance.below(most - least + 1),
        }
    }

    /// The expected number.
    pub(crate) fn mean(self) -> f64 {
        match self {
            // What `max` adds is a few per mille at the means used here.
            Self::Poisson(mean, _) => mean,
            Self::Even(least, most) => (least + most) as f64 / 2.0,
        }
    }
}

/// The five kinds of fire.
pub(crate) const FIRE: [Fire; 5] = [
    Fire {
        kind: Kind::Artillery,
        share: 0.45,
        muzzle_db: Some(114.0),
        impact_db: Some(116.0),
        rounds: Rounds::Poisson(6.0, 2),
        spacing_s: (2.0, 5.0),
        speed_km_s: 0.35,
        behind_km: (3.0, 13.0),
        beyond_km: (0.0, 9.0),
        aside_km: 4.0,
        position_km: 0.06,
    },
    Fire {
        kind: Kind::Mortar,
        share: 0.30,
        muzzle_db: Some(104.0),
        impact_db: Some(108.0),
        rounds: Rounds::Poisson(4.0, 1),
        spacing_s: (3.0, 8.0),
        speed_km_s: 0.2,
        behind_km: (1.0, 4.0),
        beyond_km: (0.5, 2.5),
        aside_km: 2.4,
        position_km: 0.06,
    },
    Fire {
        kind: Kind::Rocket,
        share: 0.05,
        muzzle_db: Some(112.0),
        impact_db: Some(115.0),
        rounds: Rounds::Even(10, 40),
        spacing_s: (0.5, 1.0),
        speed_km_s: 0.45,
        behind_km: (5.0, 15.0),
        beyond_km: (0.0, 7.0),
        aside_km: 4.0,
        position_km: 0.06,
    },
    Fire {
        kind: Kind::AirStrike,
        share: 0.05,
        muzzle_db: None,
        impact_db: Some(126.0),
        rounds: Rounds::Even(1, 4),
        spacing_s: (5.0, 20.0),
        speed_km_s: 0.3,
        behind_km: (0.0, 12.0),
        beyond_km: (0.0, 0.0),
        aside_km: 0.0,
        position_km: 0.12,
    },
    Fire {
        kind: Kind::SmallArms,
        share: 0.15,
        muzzle_db: Some(92.0),
        impact_db: None,
        rounds: Rounds::Even(1, 3),
        spacing_s: (1.0, 4.0),
        speed_km_s: 0.8,
        behind_km: (0.0, 4.0),
        beyond_km: (0.0, 0.0),
        aside_km: 0.0,
        position_km: 0.06,
    },
];

/// Scatter of the source level from round to round, dB.
pub const LEVEL_SD_DB: f64 = 3.0;
/// Scatter of impacts about the point of aim, each axis, km.
pub(crate) const DISPERSION_KM: f64 = 0.12;
/// Scatter of the time of flight, as a part of it.
pub(crate) const FLIGHT_SD: f64 = 0.01;
/// Tubes of a battery; they fire in turn.
pub(crate) const TUBES: usize = 6;

/// Loss in the air, dB per km, beside the spreading of 20 log10 of distance.
pub(crate) const LOSS_DB_KM: f64 = 0.6;
/// Scatter of the level at a sensor, dB.
pub const SCATTER_DB: f64 = 4.0;
/// Gain per m/s of wind along the path, dB; less nearer than [`WIND_FULL_KM`].
pub(crate) const WIND_DB: f64 = 1.15;
/// Distance from which on the wind has its full effect on the level, km.
pub(crate) const WIND_FULL_KM: f64 = 5.0;
/// The most that the wind gives or takes, dB.
pub(crate) const WIND_DB_MAX: f64 = 7.0;
/// Noise floor of sensors: mean and scatter from sensor to sensor, dB.
pub const FLOOR_DB: (f64, f64) = (76.0, 4.0);
/// Scatter of the noise from moment to moment, dB.
pub const FLUTTER_DB: f64 = 1.0;
/// Signal-to-noise ratio that is detected half the times, dB, and the scale of
/// the logistic curve.
pub(crate) const THRESHOLD_DB: (f64, f64) = (8.0, 3.0);
/// Pick noise: least and most, s.
pub(crate) const PICK_S: (f64, f64) = (0.025, 0.15);
/// Signal-to-noise ratio below which pick noise is at its most, dB. Above, it
/// falls as one over the amplitude.
pub(crate) const PICK_WORST_DB: f64 = 5.4;
/// Mean of what late arrivals add, s.
pub const LATE_S: f64 = 0.5;
/// Error of a good clock and of a bad one, standard deviations, s.
pub(crate) const CLOCK_S: (f64, f64) = (0.015, 0.2);
/// Heights of sensors above the ellipsoid, m, and that of sources: on the
/// ground between them. Measured on the published training sets, where arrivals
/// close by are not late.
pub(crate) const HEIGHT_M: (f64, f64) = (50.0, 250.0);
pub(crate) const GROUND_M: f64 = 150.0;
/// Back-azimuth: standard deviation of good ones, degrees, and share of wild ones.
pub(crate) const AZIMUTH: (f64, f64) = (4.0, 0.05);
/// Scatter of the false-alarm rate from sensor to sensor: standard deviation of
/// its logarithm.
pub(crate) const ALARM_RATE_LOG_SD: f64 = 0.5;
/// Share of false alarms that come in bursts, of this many, so far apart on
/// average, s.
pub(crate) const BURST: (f64, (usize, usize), f64) = (0.3, (2, 6), 2.0);
/// Signal-to-noise ratio of false alarms: least, and mean above it, dB.
pub const ALARM_SNR_DB: (f64, f64) = (8.0, 4.0);

/// One sort of alarm storm. Ranges are drawn from evenly.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Storm {
    /// Its name in data sets.
    pub(crate) name: &'static str,
    /// How long it lasts, s.
    pub(crate) lasts_s: (f64, f64),
    /// How far it reaches about its middle, km.
    pub(crate) radius_km: (f64, f64),
    /// How fast the middle moves, km/s, and whether along the line of contact.
    pub(crate) km_s: (f64, f64),
    pub(crate) along_line: bool,
    /// Mean time between two alarms of a sensor, s.
    pub(crate) every_s: (f64, f64),
    /// How many a sensor raises at once.
    pub(crate) at_once: (usize, usize),
    /// All sensors at one moment.
    pub(crate) together: bool,
}

/// Mean time between the alarms of one gust, s.
pub(crate) const GUST_S: f64 = 1.0;

/// Hail, rain, gusts of wind, a convoy and jamming. Made up: nobody published how
/// often such sensors raise false alarms in which weather.
pub(crate) const STORMS: [Storm; 5] = [
    Storm {
        name: "hail",
        lasts_s: (60.0, 240.0),
        radius_km: (4.0, 12.0),
        km_s: (0.005, 0.015),
        along_line: false,
        every_s: (1.5, 5.0),
        at_once: (1, 1),
        together: false,
    },
    Storm {
        name: "rain",
        lasts_s: (900.0, 3600.0),
        radius_km: (8.0, 25.0),
        km_s: (0.005, 0.015),
        along_line: false,
        every_s: (10.0, 60.0),
        at_once: (1, 1),
        together: false,
    },
    Storm {
        name: "gusts",
        lasts_s: (300.0, 1800.0),
        radius_km: (8.0, 20.0),
        km_s: (0.005, 0.02),
        along_line: false,
        every_s: (5.0, 20.0),
        at_once: (2, 8),
        together: false,
    },
    Storm {
        name: "convoy",
        lasts_s: (180.0, 900.0),
        radius_km: (2.0, 3.5),
        km_s: (0.005, 0.015),
        along_line: true,
        every_s: (2.0, 8.0),
        at_once: (1, 1),
        together: false,
    },
    Storm {
        name: "jamming",
        lasts_s: (30.0, 300.0),
        radius_km: (6.0, 20.0),
        km_s: (0.0, 0.0),
        along_line: false,
        every_s: (1.0, 10.0),
        at_once: (1, 1),
        together: true,
    },
];
/// Share of sensors that are down once in a set, and how long at most, s.
pub(crate) const OUTAGE: (f64, f64) = (0.05, 12_000.0);
/// Delivery: least delay, mean of what comes on top, s.
pub(crate) const DELIVERY_S: (f64, f64) = (0.3, 1.2);
/// Share of detections that are delivered late, and by how much, s.
pub(crate) const DELIVERY_LATE: (f64, (f64, f64)) = (0.01, (60.0, 3600.0));

impl Kind {
    /// Its name in data sets.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Artillery => "artillery",
            Self::Mortar => "mortar",
            Self::Rocket => "rocket",
            Self::AirStrike => "airstrike",
            Self::SmallArms => "small_arms",
            Self::Thunder => "thunder",
            Self::Quarry => "quarry",
            Self::ControlledBlast => "controlled_blast",
        }
    }
}

impl Role {
    /// Its name in data sets.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Muzzle => "muzzle",
            Self::Impact => "impact",
            Self::Innocent => "innocent",
        }
    }
}

/// Standard deviation of a pick at a signal-to-noise ratio, s.
pub fn pick_sd_s(snr_db: f64) -> f64 {
    let falling = PICK_S.1 * libm::exp10((PICK_WORST_DB - snr_db) / 20.0);
    falling.clamp(PICK_S.0, PICK_S.1)
}

/// Probability that an arrival of this signal-to-noise ratio is detected.
pub fn detection_probability(snr_db: f64) -> f64 {
    1.0 / (1.0 + libm::exp((THRESHOLD_DB.0 - snr_db) / THRESHOLD_DB.1))
}

/// Level of a source at a distance in still air, relative to 1 km, dB.
pub fn level_at_db(distance_km: f64) -> f64 {
    -20.0 * libm::log10(distance_km) - LOSS_DB_KM * distance_km
}

/// What wind along the path adds, dB.
pub fn wind_term_db(along_m_s: f64, distance_km: f64) -> f64 {
    let share = (distance_km / WIND_FULL_KM).min(1.0);
    (WIND_DB * along_m_s * share).clamp(-WIND_DB_MAX, WIND_DB_MAX)
}

/// Speed of sound in dry air, m/s (Bohn 1988, *Environmental effects on the
/// speed of sound*: 331.3 m/s at the ice point, square root of temperature).
pub fn sound_m_s(temp_c: f64) -> f64 {
    331.3 * (1.0 + temp_c / 273.15).max(0.0).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The distance at which a mean source is detected half the times in still
    /// air by a mean sensor.
    fn half_km(source_db: f64) -> f64 {
        let mut km = 0.1;
        while source_db + level_at_db(km) - FLOOR_DB.0 > THRESHOLD_DB.0 {
            km += 0.05;
        }
        km
    }

    #[test]
    fn half_detection_ranges_are_those_of_the_sheet() {
        for (source_db, km) in [(92.0, 2.0), (104.0, 6.0), (114.0, 12.0), (126.0, 24.0)] {
            let found = half_km(source_db);
            assert!((found / km - 1.0).abs() < 0.15, "{source_db} dB: {found} km, not {km}");
        }
    }

    #[test]
    fn shares_add_up_to_one() {
        let sum: f64 = FIRE.iter().map(|fire| fire.share).sum();
        assert!((sum - 1.0).abs() < 1e-12);
    }
}
