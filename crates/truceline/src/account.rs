//! Why an event is believed, for people and for programs: what each station
//! adds, what else was considered, and what one more observation would change.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use associate::account::{Account, Says, Testimony};
use associate::travel::Phase;
use domain::Probability;
use domain::event::Wave;
use publish::svg::event::{Did, EventPicture, Mark};
use publish::words;
use serde_json::{Value, json};

/// A detection that is an event's own with more is not remarked on.
const SURE: f64 = 0.95;

/// An account with the names that its readers know.
pub(crate) struct Told<'a> {
    /// What the engine says.
    pub(crate) account: &'a Account,
    /// Name of the event.
    pub(crate) event: String,
    /// Degrees north and east.
    pub(crate) at: (f64, f64),
    /// Covariance of the place, m^2: east-east, east-north, north-north.
    pub(crate) covariance: [f64; 3],
    /// Source level, dB at 1 km, if its waves tell it.
    pub(crate) level_db: Option<f64>,
    /// Magnitude, if its waves tell it.
    pub(crate) magnitude: Option<f64>,
    /// Depth and its error, km, if its waves tell it.
    pub(crate) depth_km: Option<(f64, f64)>,
    /// The waves that it was inferred from.
    pub(crate) wave: Wave,
    /// What may have made it, with shares, likeliest first.
    pub(crate) made_by: Vec<(String, f64)>,
    /// Seconds since the zero of the account, and their error.
    pub(crate) t_s: (f64, f64),
    /// Name of a station by its number.
    pub(crate) station: &'a dyn Fn(u32) -> String,
    /// Name of a detection by its row.
    pub(crate) detection: &'a dyn Fn(u32) -> String,
    /// A moment in words.
    pub(crate) moment: &'a dyn Fn(f64) -> String,
}

impl Told<'_> {
    /// For people.
    pub(crate) fn text(&self) -> String {
        let account = self.account;
        let mut text = String::new();
        let (lat, lon) = self.at;
        let (t, sigma) = self.t_s;
        let heard = account.rows().count();
        let _ = writeln!(text, "event      {}", self.event);
        let _ = writeln!(text, "when       {}, error {sigma:.3} s", (self.moment)(t));
        let [ee, _, nn] = self.covariance;
        let _ = writeln!(
            text,
            "where      {lat:.5} {lon:.5}, error {} east and {} north",
            length(ee.max(0.0).sqrt()),
            length(nn.max(0.0).sqrt())
        );
        if let Some((depth, error)) = self.depth_km {
            let _ = writeln!(text, "depth      {depth:.1} km, error {error:.1} km");
        }
        if let Some(level) = self.level_db {
            let _ = writeln!(text, "level      {level:.0} dB at 1 km");
        }
        if let Some(magnitude) = self.magnitude {
            let _ = writeln!(text, "magnitude  {magnitude:.1}");
        }
        if !self.made_by.is_empty() {
            let made_by: Vec<String> =
                self.made_by.iter().map(|(what, share)| format!("{what} {share:.2}")).collect();
            let _ = writeln!(
                text,
                "made by    {} (if it is real; {})",
                made_by.join(", "),
                match self.wave {
                    Wave::Sound => "by its level and its neighbours in time",
                    Wave::Seismic if self.depth_km.is_none() => {
                        "presumed: no depth is known, which would tell"
                    }
                    Wave::Seismic => "by its depth; nothing else was looked at",
                    Wave::Infrasound => "nothing tells them apart, so all alike",
                }
            );
        }
        let _ = writeln!(
            text,
            "believed   {} after calibration, from {heard} arrivals\n",
            words::probability(Probability::new(account.probability)),
        );
        if let Some(replay) = &account.replay {
            let _ = writeln!(
                text,
                "           every P here is less by {:.3}, that it was put in again\n",
                replay.probability
            );
        }
        let _ = writeln!(
            text,
            "   nats  what it rests on                                                 P without it"
        );
        let _ = writeln!(
            text,
            "{:+7.2}  how rare such an event is here, and how closely its arrivals agree on a place",
            account.rarity
        );
        let size = match self.wave {
            Wave::Sound => Some("how usual its level is"),
            Wave::Seismic if self.magnitude.is_some() => Some("how usual its magnitude is"),
            Wave::Seismic => Some("how far it could be picked is not known beforehand"),
            Wave::Infrasound => None,
        };
        if let Some(size) = size {
            let _ = writeln!(text, "{:+7.2}  {size}", account.size_fit);
        }
        for station in &account.stations {
            self.station_line(&mut text, station);
        }
        if account.since.abs() >= 0.005 {
            let _ = writeln!(
                text,
                "{:+7.2}  what changed about it after it was last weighed",
                account.since
            );
        }
        let _ = writeln!(text, "{:+7.2}  evidence, against false alarms only", account.evidence);
        text.push_str("\nFrom evidence to probability, by the calibration map (log-odds):\n");
        for weight in account.map.iter().filter(|weight| weight.log_odds.abs() >= 0.005) {
            let _ = writeln!(
                text,
                "{:+7.2}  {} ({:.2})",
                weight.log_odds, weight.feature, weight.value
            );
        }
        if let Some(replay) = &account.replay {
            let _ = writeln!(
                text,
                "  of that P {:.3} was not put in again, which leaves {:.3}",
                1.0 - replay.probability,
                account.probability
            );
        }
        self.alternatives(&mut text);
        self.more(&mut text);
        text
    }

    /// A station, and which of its waves.
    fn name(&self, station: u32, phase: Option<Phase>) -> String {
        let name = (self.station)(station);
        phase.map_or(name.clone(), |phase| format!("{name} {}", phase.letter()))
    }

    fn station_line(&self, text: &mut String, s: &Testimony) {
        let name = self.name(s.station, s.phase);
        let km = s.distance_m / 1000.0;
        let heard = if s.phase.is_some() { "picked" } else { "heard" };
        let said = match &s.says {
            Says::Heard { row, residual_s, sigma_s, louder_db, turned_deg, own, .. } => format!(
                "{name} at {km:.1} km {heard} {} {} s {} (error {}){}{}{}",
                (self.detection)(*row),
                seconds(residual_s.abs()),
                if *residual_s < 0.0 { "early" } else { "late" },
                seconds(*sigma_s),
                louder_db.map_or(String::new(), |db| format!(
                    ", {:.0} dB {} than expected",
                    db.abs(),
                    if db < 0.0 { "fainter" } else { "louder" }
                )),
                turned_deg.map_or(String::new(), |deg| format!(
                    ", from {:.0}° to the {}",
                    deg.abs(),
                    if deg < 0.0 { "left" } else { "right" }
                )),
                own.filter(|own| *own < SURE)
                    .map_or(String::new(), |own| format!(", its own with {own:.2}"))
            ),
            Says::Silent if s.chance < 0.005 && s.nats > -0.005 => return,
            Says::Silent => format!(
                "{name} at {km:.1} km was silent; would have {heard} it with {:.2}",
                s.chance
            ),
            Says::Down => format!("{name} at {km:.1} km was down; its silence says nothing"),
        };
        let without =
            if matches!(s.says, Says::Down) { String::new() } else { format!("{:.3}", s.without) };
        let _ = writeln!(text, "{:+7.2}  {said:<73} {without}", s.nats);
    }

    fn alternatives(&self, text: &mut String) {
        let account = self.account;
        text.push_str("\nRejected:\n");
        let _ = writeln!(
            text,
            "  all of it false alarms                     {:.1} nats behind",
            account.evidence
        );
        if let Some(storm) = &account.storm {
            let _ = writeln!(
                text,
                "  an alarm storm (wind, rain, machinery)     {:.1} nats {}: {} more detections that nothing explains at its stations within {} s, {:.1} are usual; P that a storm was on {:.2}",
                storm.behind.abs(),
                if storm.behind <= 0.0 { "behind" } else { "ahead" },
                storm.others,
                storm.span_s / 2.0,
                storm.usual,
                storm.probability
            );
        }
        if let Some(replay) = &account.replay {
            let _ = writeln!(
                text,
                "  not heard, but put in again: {} of its {} arrivals are those of the event at {} to the digit, {:.3} s later; P {:.3}",
                replay.repeated,
                account.rows().count(),
                (self.moment)(replay.of_s),
                replay.later_s,
                replay.probability
            );
        }
        for other in &account.elsewhere {
            let _ = writeln!(
                text,
                "  another place, {:.1} km off at {:.4} {:.4}{}, {}: {} arrivals, {} of them these; {:.1} nats {}",
                other.distance_m / 1000.0,
                other.lat,
                other.lon,
                other.depth_km.map_or(String::new(), |depth| format!(", {depth:.0} km deep")),
                (self.moment)(other.t_s),
                other.hits,
                other.shared,
                other.behind.abs(),
                if other.behind <= 0.0 { "behind" } else { "ahead" }
            );
        }
        for rival in &account.rivals {
            let _ = writeln!(
                text,
                "  the event {:.1} km off at {} would take {} of its arrivals and gain {:.1} nats",
                rival.distance_m / 1000.0,
                (self.moment)(rival.t_s),
                rival.wants,
                rival.gain
            );
        }
    }

    fn more(&self, text: &mut String) {
        if self.account.more.is_empty() {
            return;
        }
        text.push_str("\nWhat one more observation would change:\n");
        for more in &self.account.more {
            let silent =
                more.silent.map_or(String::new(), |p| format!("; had it been silent, {p:.3}"));
            let _ = writeln!(
                text,
                "  {}: had it {} the event, P {:.3} and {:.2} of the error of place{silent}",
                self.name(more.station, more.phase),
                if more.phase.is_some() { "picked" } else { "heard" },
                more.heard,
                more.error
            );
        }
    }

    /// For programs.
    pub(crate) fn json(&self) -> Value {
        let account = self.account;
        let stations: Vec<Value> = account.stations.iter().map(|s| self.station_json(s)).collect();
        let [ee, en, nn] = self.covariance;
        json!({
            "event": self.event,
            "t": (self.moment)(self.t_s.0),
            "t_sigma_s": self.t_s.1,
            "lat": self.at.0,
            "lon": self.at.1,
            "covariance_m2": { "ee": ee, "en": en, "nn": nn },
            "wave": self.wave.code(),
            "level_db": self.level_db,
            "magnitude": self.magnitude,
            "depth_km": self.depth_km.map(|depth| depth.0),
            "depth_sigma_km": self.depth_km.map(|depth| depth.1),
            "made_by": self.made_by.iter().map(|(what, share)| json!({
                "what": what, "share": share,
            })).collect::<Vec<_>>(),
            "probability": account.probability,
            "replay": account.replay.map(|r| json!({
                "of": (self.moment)(r.of_s), "later_s": r.later_s, "repeated": r.repeated,
                "probability": r.probability,
            })),
            "storm": account.storm.map(|s| json!({
                "within_s": s.span_s / 2.0, "unexplained": s.others, "usual": s.usual,
                "probability": s.probability, "behind": -s.behind,
            })),
            "evidence": account.evidence,
            "rarity": account.rarity,
            "size_fit": account.size_fit,
            "since": account.since,
            "stations": stations,
            "calibration": account.map.iter().map(|w| json!({
                "feature": w.feature, "value": w.value, "log_odds": w.log_odds,
            })).collect::<Vec<_>>(),
            "elsewhere": account.elsewhere.iter().map(|o| json!({
                "t": (self.moment)(o.t_s), "lat": o.lat, "lon": o.lon, "depth_km": o.depth_km, "distance_m": o.distance_m,
                "arrivals": o.hits, "shared": o.shared, "behind": -o.behind,
            })).collect::<Vec<_>>(),
            "rivals": account.rivals.iter().map(|r| json!({
                "t": (self.moment)(r.t_s), "distance_m": r.distance_m, "wants": r.wants, "gain": r.gain,
            })).collect::<Vec<_>>(),
            "one_more": account.more.iter().map(|m| json!({
                "station": (self.station)(m.station), "phase": m.phase.map(Phase::letter), "if_heard": m.heard, "if_silent": m.silent,
                "error_ratio": m.error,
            })).collect::<Vec<_>>(),
        })
    }

    fn station_json(&self, s: &Testimony) -> Value {
        let mut value = json!({
            "station": (self.station)(s.station),
            "phase": s.phase.map(Phase::letter),
            "distance_m": s.distance_m,
            "due": (self.moment)(s.due_s),
            "chance": s.chance,
            "nats": s.nats,
            "probability_without": s.without,
        });
        let says = match &s.says {
            Says::Heard {
                row,
                residual_s,
                sigma_s,
                louder_db,
                turned_deg,
                own,
                parts,
                ln_false,
            } => {
                let mut heard = json!({
                    "heard": (self.detection)(*row),
                    "residual_s": residual_s,
                    "sigma_s": sigma_s,
                    "louder_db": louder_db,
                    "turned_deg": turned_deg,
                    "own": own,
                    "false_alarm": ln_false,
                });
                for (part, nats) in parts {
                    heard[part] = json!(nats);
                }
                heard
            }
            Says::Silent => json!({ "heard": null }),
            Says::Down => json!({ "down": true }),
        };
        if let (Value::Object(value), Value::Object(says)) = (&mut value, says) {
            value.extend(says);
        }
        value
    }

    /// The picture.
    pub(crate) fn svg(&self) -> String {
        let account = self.account;
        let plan = account.stations.iter().zip(&account.plan);
        let stations = plan
            .map(|(s, at)| Mark {
                name: (self.station)(s.station),
                wave: s.phase.map(|phase| phase.letter().to_string()).unwrap_or_default(),
                at: *at,
                from_deg: came_from(s, *at),
                chance: s.chance,
                nats: s.nats,
                did: match s.says {
                    Says::Heard { residual_s, sigma_s, .. } => Did::Hear { residual_s, sigma_s },
                    Says::Silent => Did::Nothing,
                    Says::Down => Did::Down,
                },
            })
            .collect();
        let probability = words::probability(Probability::new(account.probability));
        EventPicture {
            title: format!("Event {}: {probability}", self.event),
            description: format!(
                "{}: {} arrivals at {} of {} stations in reach; evidence {:.1} nats",
                (self.moment)(self.t_s.0),
                account.rows().count(),
                stations_of(account, |says| matches!(says, Says::Heard { .. })),
                stations_of(account, |_| true),
                account.evidence
            ),
            stations,
            elsewhere: account.elsewhere.iter().map(|o| o.offset_m).collect(),
            covariance: self.covariance,
        }
        .svg()
    }
}

/// A length in metres, or in kilometres if it is long.
fn length(metres: f64) -> String {
    if metres < 9_999.5 { format!("{metres:.0} m") } else { format!("{:.1} km", metres / 1e3) }
}

/// Seconds, to the millisecond unless they are many.
fn seconds(s: f64) -> String {
    if s < 100.0 { format!("{s:.3}") } else { format!("{s:.0}") }
}

/// How many stations say something.
fn stations_of(account: &Account, says: impl Fn(&Says) -> bool) -> usize {
    let stations = account.stations.iter().filter(|s| says(&s.says)).map(|s| s.station);
    stations.collect::<BTreeSet<u32>>().len()
}

/// The direction from which an array heard the event, degrees from north by east;
/// `at` is where it lies as seen from the event.
fn came_from(s: &Testimony, at: (f64, f64)) -> Option<f64> {
    let Says::Heard { turned_deg: Some(turned), .. } = s.says else { return None };
    Some(libm::atan2(-at.0, -at.1).to_degrees() + turned)
}
