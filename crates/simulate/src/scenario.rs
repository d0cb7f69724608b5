//! What to make: a network, a front, and how they depart from the data sheet.

use serde::{Deserialize, Serialize};
use strict::{Diagnostic, Text};

/// A front with a network of sensors, a seismic network, or a global one.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What it is for, in one line.
    pub title: String,
    /// An acoustic front.
    pub front: Option<Front>,
    /// Departures of the sensors and of the medium from the data sheet.
    #[serde(default)]
    pub departures: Departures,
    /// What else makes a noise or a fire and breaks no truce.
    #[serde(default)]
    pub innocent: Innocent,
    /// What is done to deceive.
    #[serde(default)]
    pub deception: Deception,
    /// Alarm storms.
    #[serde(default)]
    pub storms: Storms,
    /// A network that picks P and S, in place of a front.
    pub seismic: Option<Seismic>,
    /// Arrays of infrasound, in place of a front.
    pub infrasound: Option<Infrasound>,
    /// A global network of arrays, in place of a front.
    pub globe: Option<Globe>,
}

/// Size, rates and errors of an acoustic front. The names are those of
/// `meta.json`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Front {
    /// Number of sensors.
    pub stations: usize,
    /// Length of the front along the meridian, km.
    pub front_km: f64,
    /// Sensors stand within this distance of the line, km.
    pub belt_km: f64,
    /// Expected rounds (muzzle and impact counted apart) in a day.
    pub events_per_day: f64,
    /// Length of the set, hours.
    pub hours: f64,
    /// Mean false alarms of a sensor in an hour.
    pub fa_per_hour: f64,
    /// Share of sensors that are arrays and give a back-azimuth.
    pub array_frac: f64,
    /// Standard deviation of the travel time along one path, as a part of it.
    pub path_err: f64,
    /// Scale of the wind, m/s.
    pub wind: f64,
    /// Standard deviation of the forecast's error, each wind component, m/s.
    pub wind_err: f64,
    /// Standard deviation of the forecast's error of temperature, K.
    pub temp_err: f64,
    /// Share of sensors whose clock is off by a few tenths of a second.
    pub bad_clock_frac: f64,
    /// A sensor cannot tell arrivals apart that are closer than this, s.
    pub dead_s: f64,
    /// Share of arrivals that come by a longer way.
    pub late_frac: f64,
    /// Single shots and no impacts, in place of volleys.
    pub single: bool,
    /// Origin of the plane, degrees.
    pub lat0: f64,
    /// Origin of the plane, degrees.
    pub lon0: f64,
    /// Shares of artillery, mortar, rocket, air strike and small arms among the
    /// volleys; the data sheet's if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mix: Option<[f64; 5]>,
}

/// Departures from the data sheet; nothing departs unless it is said.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Departures {
    /// Share of sensors that repeat one level at a steady beat for some hours.
    pub stuck_frac: f64,
    /// Share of sensors whose clock drifts by 5 to 50 ppm.
    pub drift_frac: f64,
    /// Share of sensors whose clock jumps by up to 20 s for some hours.
    pub jump_frac: f64,
    /// Share of sensors that are 20 dB less sensitive than they say.
    pub deaf_frac: f64,
    /// Share of sensors whose levels read 15 dB too high.
    pub loud_frac: f64,
    /// Share of sensors that stand up to 150 m from where they say.
    pub misplaced_frac: f64,
    /// Share of sensors with down-times that no list names.
    pub silent_outage_frac: f64,
    /// Share of detections that arrive a second time under a new number.
    pub repeated_frac: f64,
    /// Standard deviation of the level about the law, dB, if not 4.
    pub level_scatter_db: Option<f64>,
    /// Factor on the sheet's pick noise.
    pub pick_noise_factor: Option<f64>,
}

/// Sounds and fires without a violation; rates in a day.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Innocent {
    /// Claps of thunder, in storms of about 30.
    pub thunder_per_day: f64,
    /// Quarry blasts, at a few sites, by day.
    pub quarry_per_day: f64,
    /// Blasts by which mines and duds are destroyed, announced or not.
    pub controlled_blast_per_day: f64,
    /// Fires of stubble and rubbish that a satellite sees.
    pub harvest_fire_per_day: f64,
}

/// Attacks on the network; numbers in a day. None of them is an event: what
/// they add counts as false.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Deception {
    /// Detections put in at some sensors with the times, but not the levels, of
    /// a made-up round.
    pub spoofed_per_day: f64,
    /// The same with levels, silence at neighbours left as it is.
    pub fitted_per_day: f64,
    /// Real detections of a volley put in again some time later.
    pub replayed_per_day: f64,
    /// A made-up volley at one sensor alone.
    pub single_sensor_per_day: f64,
    /// A made-up event in reports alone, spread by up to six wires.
    pub staged_report_per_day: f64,
    /// Share of the sensors within reach of a made-up round that the attacker
    /// holds.
    pub held_frac: f64,
}

/// Alarm storms: sensors of a whole stretch that raise false alarms every few
/// seconds. Numbers in a day, on the whole front.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Storms {
    /// Hail: a minute to four, within 4 to 12 km, an alarm every 1.5 to 5 s.
    pub hail_per_day: f64,
    /// Rain: a quarter of an hour to an hour, 8 to 25 km, every 10 to 60 s.
    pub rain_per_day: f64,
    /// Gusts of wind: 5 to 30 minutes, 8 to 20 km, several at once.
    pub gusts_per_day: f64,
    /// A convoy along the line: 3 to 15 minutes, 2 to 3.5 km, every 2 to 8 s.
    pub convoy_per_day: f64,
    /// Jamming: half a minute to five, 6 to 20 km, all sensors at one moment.
    pub jamming_per_day: f64,
    /// Share of them that is laid over a volley.
    pub over_fire_frac: f64,
}

impl Storms {
    /// True if there are none.
    pub(crate) fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

/// A seismic network that gives P and S picks, after the sets on which phase
/// associators are compared (Münchmeyer 2024, Seismica 3(1)).
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Seismic {
    /// Stations along each side of a square grid.
    pub grid: usize,
    /// Side of the square, km.
    pub side_km: f64,
    /// Number of events.
    pub events: usize,
    /// Length of the set, hours.
    pub hours: f64,
    /// Deepest event, km.
    pub depth_km_max: f64,
    /// False picks for each true one.
    pub noise: f64,
    /// Least standard deviation of a pick, s.
    pub pick_s: f64,
    /// Standard deviation as a part of the travel time, where that is more.
    pub path_err: f64,
    /// Origin of the plane, degrees.
    pub lat0: f64,
    /// Origin of the plane, degrees.
    pub lon0: f64,
}

/// Arrays of infrasound over hundreds of kilometres.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Infrasound {
    /// Arrays.
    pub arrays: usize,
    /// Side of the square in which arrays and explosions lie, km.
    pub side_km: f64,
    /// Explosions that two arrays or more detect.
    pub events: usize,
    /// Length of the set, hours.
    pub hours: f64,
    /// False detections of an array in a day.
    pub false_per_day: f64,
    /// Share of them that comes from the sea, which lies on one side.
    pub sea_share: f64,
    /// Standard deviation of what wind across a way turns a direction by, degrees.
    pub azimuth_deg: f64,
    /// Chance that an array near by detects an explosion.
    pub detect: f64,
    /// Distance over which that falls off, km.
    pub reach_km: f64,
    /// Origin of the plane, degrees.
    pub lat0: f64,
    /// Origin of the plane, degrees.
    pub lon0: f64,
}

/// A global network of seismic arrays that hear events on a sphere, after
/// seismic-2d, the public simplification of NET-VISA (Arora, Russell and
/// Sudderth 2013, BSSA 103(2A), 709-729). What the world is like is drawn with
/// the seed, once for both parts.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Globe {
    /// Hours of listening in the labelled part, each apart from the next.
    pub training_episodes: usize,
    /// Hours of listening in the part to be solved.
    pub episodes: usize,
}

/// The scenarios that come with the program: name and text.
const SHIPPED: [(&str, &str); 18] = [
    ("iso", include_str!("../scenarios/iso.toml")),
    ("S", include_str!("../scenarios/S.toml")),
    ("S-fa01", include_str!("../scenarios/S-fa01.toml")),
    ("S-fa10", include_str!("../scenarios/S-fa10.toml")),
    ("S-e2000", include_str!("../scenarios/S-e2000.toml")),
    ("S-e5000", include_str!("../scenarios/S-e5000.toml")),
    ("M", include_str!("../scenarios/M.toml")),
    ("L1h", include_str!("../scenarios/L1h.toml")),
    ("L", include_str!("../scenarios/L.toml")),
    ("sparse", include_str!("../scenarios/sparse.toml")),
    ("no-salvo", include_str!("../scenarios/no-salvo.toml")),
    ("rockets", include_str!("../scenarios/rockets.toml")),
    ("hard", include_str!("../scenarios/hard.toml")),
    ("storm", include_str!("../scenarios/storm.toml")),
    ("red-team", include_str!("../scenarios/red-team.toml")),
    ("shallow-500", include_str!("../scenarios/shallow-500.toml")),
    ("infrasound", include_str!("../scenarios/infrasound.toml")),
    ("seismic-2d", include_str!("../scenarios/seismic-2d.toml")),
];

/// The longest front, km: the plane is true to a few parts in ten thousand.
const FRONT_KM_MAX: f64 = 1500.0;
/// The longest set, hours.
const HOURS_MAX: f64 = 24.0 * 31.0;
/// The most sensors: station ids have five digits.
const STATIONS_MAX: usize = 100_000;

/// Names of the shipped scenarios with their titles.
pub fn shipped() -> impl Iterator<Item = (&'static str, String)> {
    SHIPPED.iter().map(|(name, text)| {
        let scenario = parse(&Text::new(*name, *text)).expect("shipped scenarios are sound");
        (*name, scenario.title)
    })
}

/// The text of a shipped scenario.
pub fn shipped_text(name: &str) -> Option<&'static str> {
    SHIPPED.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

/// Reads a scenario and checks that its numbers are possible.
pub fn parse(text: &Text) -> Result<Scenario, Diagnostic> {
    let scenario: Scenario = text.parse()?;
    let wrong = |message: String, help: &str| Err(text.error(0..1, message, help));
    let networks = [
        scenario.front.is_some(),
        scenario.seismic.is_some(),
        scenario.infrasound.is_some(),
        scenario.globe.is_some(),
    ];
    if networks.into_iter().filter(|given| *given).count() != 1 {
        return wrong(
            "a scenario has a [front], a [seismic] or [globe] network or arrays of [infrasound]"
                .to_owned(),
            "give one of the four tables",
        );
    }
    for (name, value, low, high) in bounds(&scenario) {
        if !(low..=high).contains(&value) {
            return wrong(
                format!("`{name}` is {value}; it must be within {low} and {high}"),
                "change the number",
            );
        }
    }
    Ok(scenario)
}

impl Scenario {
    /// The same for another length.
    ///
    /// # Errors
    /// A length that cannot be.
    pub fn with_hours(mut self, hours: f64) -> Result<Self, String> {
        if !(0.01..=HOURS_MAX).contains(&hours) {
            return Err(format!("{hours} hours; the length must be within 0.01 and {HOURS_MAX}"));
        }
        if let Some(front) = &mut self.front {
            front.hours = hours;
        }
        if let Some(seismic) = &mut self.seismic {
            seismic.hours = hours;
        }
        if let Some(infrasound) = &mut self.infrasound {
            infrasound.hours = hours;
        }
        if let Some(globe) = &mut self.globe {
            // An episode is an hour.
            globe.episodes = libm::ceil(hours) as usize;
        }
        Ok(self)
    }
}

/// Every number with its range.
fn bounds(scenario: &Scenario) -> Vec<(&'static str, f64, f64, f64)> {
    let mut all = Vec::new();
    if let Some(f) = &scenario.front {
        all.extend([
            ("stations", f.stations as f64, 1.0, STATIONS_MAX as f64),
            ("front_km", f.front_km, 1.0, FRONT_KM_MAX),
            ("belt_km", f.belt_km, 0.1, 100.0),
            ("events_per_day", f.events_per_day, 0.0, 1e6),
            ("hours", f.hours, 0.01, HOURS_MAX),
            ("fa_per_hour", f.fa_per_hour, 0.0, 1e4),
            ("array_frac", f.array_frac, 0.0, 1.0),
            ("path_err", f.path_err, 0.0, 0.1),
            ("wind", f.wind, 0.0, 30.0),
            ("wind_err", f.wind_err, 0.0, 20.0),
            ("temp_err", f.temp_err, 0.0, 20.0),
            ("bad_clock_frac", f.bad_clock_frac, 0.0, 1.0),
            ("dead_s", f.dead_s, 0.0, 10.0),
            ("late_frac", f.late_frac, 0.0, 1.0),
            ("lat0", f.lat0, -80.0, 80.0),
            ("lon0", f.lon0, -180.0, 180.0),
        ]);
        all.extend(f.mix.iter().flatten().map(|share| ("mix", *share, 0.0, 1e6)));
    }
    if let Some(s) = &scenario.seismic {
        all.extend([
            ("grid", s.grid as f64, 2.0, 300.0),
            ("side_km", s.side_km, 1.0, FRONT_KM_MAX),
            ("hours", s.hours, 0.01, HOURS_MAX),
            ("events", s.events as f64, 0.0, 1e6),
            ("depth_km_max", s.depth_km_max, 0.0, 45.0),
            ("noise", s.noise, 0.0, 100.0),
            ("pick_s", s.pick_s, 0.0, 10.0),
            ("path_err", s.path_err, 0.0, 0.5),
            ("lat0", s.lat0, -80.0, 80.0),
            ("lon0", s.lon0, -180.0, 180.0),
        ]);
    }
    if let Some(i) = &scenario.infrasound {
        all.extend([
            ("arrays", i.arrays as f64, 2.0, 100.0),
            ("side_km", i.side_km, 100.0, FRONT_KM_MAX),
            ("events", i.events as f64, 0.0, 1e5),
            // All within a month.
            ("hours", i.hours, 0.01, 24.0 * 28.0),
            ("false_per_day", i.false_per_day, 0.0, 1e4),
            ("sea_share", i.sea_share, 0.0, 1.0),
            ("azimuth_deg", i.azimuth_deg, 0.0, 30.0),
            ("detect", i.detect, 0.1, 1.0),
            ("reach_km", i.reach_km, 100.0, 10_000.0),
            ("lat0", i.lat0, -80.0, 80.0),
            ("lon0", i.lon0, -180.0, 180.0),
        ]);
    }
    if let Some(g) = &scenario.globe {
        all.extend([
            ("training_episodes", g.training_episodes as f64, 1.0, 1e5),
            ("episodes", g.episodes as f64, 1.0, 1e5),
        ]);
    }
    let d = &scenario.departures;
    all.extend([
        ("stuck_frac", d.stuck_frac, 0.0, 1.0),
        ("drift_frac", d.drift_frac, 0.0, 1.0),
        ("jump_frac", d.jump_frac, 0.0, 1.0),
        ("deaf_frac", d.deaf_frac, 0.0, 1.0),
        ("loud_frac", d.loud_frac, 0.0, 1.0),
        ("misplaced_frac", d.misplaced_frac, 0.0, 1.0),
        ("silent_outage_frac", d.silent_outage_frac, 0.0, 1.0),
        ("repeated_frac", d.repeated_frac, 0.0, 1.0),
        ("level_scatter_db", d.level_scatter_db.unwrap_or(0.0), 0.0, 30.0),
        ("pick_noise_factor", d.pick_noise_factor.unwrap_or(1.0), 0.0, 20.0),
    ]);
    let i = &scenario.innocent;
    all.extend([
        ("thunder_per_day", i.thunder_per_day, 0.0, 1e5),
        ("quarry_per_day", i.quarry_per_day, 0.0, 1e4),
        ("controlled_blast_per_day", i.controlled_blast_per_day, 0.0, 1e4),
        ("harvest_fire_per_day", i.harvest_fire_per_day, 0.0, 1e4),
    ]);
    let s = &scenario.storms;
    all.extend([
        ("hail_per_day", s.hail_per_day, 0.0, 1e4),
        ("rain_per_day", s.rain_per_day, 0.0, 1e4),
        ("gusts_per_day", s.gusts_per_day, 0.0, 1e4),
        ("convoy_per_day", s.convoy_per_day, 0.0, 1e4),
        ("jamming_per_day", s.jamming_per_day, 0.0, 1e4),
        ("over_fire_frac", s.over_fire_frac, 0.0, 1.0),
    ]);
    let a = &scenario.deception;
    all.extend([
        ("spoofed_per_day", a.spoofed_per_day, 0.0, 1e5),
        ("fitted_per_day", a.fitted_per_day, 0.0, 1e5),
        ("replayed_per_day", a.replayed_per_day, 0.0, 1e5),
        ("single_sensor_per_day", a.single_sensor_per_day, 0.0, 1e5),
        ("staged_report_per_day", a.staged_report_per_day, 0.0, 1e4),
        ("held_frac", a.held_frac, 0.0, 1.0),
    ]);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_scenario_can_be_read() {
        assert_eq!(shipped().count(), SHIPPED.len());
    }

    #[test]
    fn a_wrong_scenario_says_where_and_what() {
        let text = shipped_text("S").unwrap().replace("hours = 24.0", "hours = nan");
        let error = parse(&Text::new("s.toml", text)).unwrap_err().to_string();
        assert!(error.contains("`hours`") && error.contains("NaN"), "{error}");
        let text = shipped_text("S").unwrap().replace("hours", "ours");
        let error = parse(&Text::new("s.toml", text)).unwrap_err().to_string();
        assert!(error.contains("did you mean `hours`?"), "{error}");
    }
}
