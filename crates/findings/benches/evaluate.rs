//! How fast incidents are held against an agreement: 10^5 incidents, 200
//! provisions, 3 readings, on one core; and one place against a line of 5,000
//! vertices. Run with `cargo bench -p findings`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use agreement::package::{Files, parse};
use domain::area::Rings;
use domain::incident::{Belief, ClassShare};
use domain::line::LineIndex;
use domain::{
    Area, Class, ControlState, Covariance, Extent, Id, IdKind, Incident, Interval, LatLon, Located,
    Occurrence, Probability, Status,
};
use findings::{Evaluator, Ground};
use jiff::Timestamp;

const INCIDENTS: u64 = 100_000;
const PROVISIONS: u64 = 200;

/// A plain congruential sequence: what it holds does not matter, its spread does.
fn noise(seed: u64) -> f64 {
    let mixed =
        seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    ((mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 11) as f64 / (1u64 << 53) as f64
}

fn vertex(index: u32) -> LatLon {
    let along = f64::from(index) / 5_000.0;
    let wave = 0.02 * libm::sin(f64::from(index) * 0.7);
    LatLon::new(46.0 + 5.0 * along + wave, 30.5 + 16.2 * along).expect("on the globe")
}

fn line() -> Vec<LatLon> {
    (0..5_000).map(vertex).collect()
}

/// Half of the provisions apply everywhere, a third near the long line, the
/// rest in boxes; each has three readings of its time in force.
fn agreement() -> agreement::Agreement {
    let coordinates: Vec<String> =
        line().iter().map(|at| format!("[{},{}]", at.lon(), at.lat())).collect();
    let shape = format!("{{\"type\":\"LineString\",\"coordinates\":[{}]}}", coordinates.join(","));
    let mut files = Files::from([("line.geojson".to_owned(), shape.into_bytes())]);
    let mut text = String::from(
        "[agreement]\nid = \"bench\"\nversion = 1\ntitle = \"B\"\n[[line]]\nid = \"line\"\nname = \"l\"\nfile = \"line.geojson\"\naccuracy_m = 300\n\
         [[zone]]\nid = \"all\"\nname = \"all\"\nkind = \"everywhere\"\n[[zone]]\nid = \"belt\"\nname = \"belt\"\nkind = \"near_line\"\nline = \"line\"\nwithin_m = 15000\naccuracy_m = 300\n",
    );
    for number in 0..20 {
        let (south, west) = (46.0 + 0.25 * f64::from(number), 30.5 + 0.8 * f64::from(number));
        let (north, east) = (south + 0.2, west + 0.3);
        let ring = format!(
            "{{\"type\":\"Polygon\",\"coordinates\":[[[{west},{south}],[{east},{south}],[{east},{north}],[{west},{north}],[{west},{south}]]]}}"
        );
        files.insert(format!("{number}.geojson"), ring.into_bytes());
        let _ = write!(
            text,
            "[[zone]]\nid = \"box-{number}\"\nname = \"b\"\nkind = \"polygon\"\nfile = \"{number}.geojson\"\naccuracy_m = 200\n"
        );
    }
    for number in 0..PROVISIONS {
        let zone = match number % 6 {
            0..=2 => "all".to_owned(),
            3 | 4 => "belt".to_owned(),
            _ => format!("box-{}", number % 20),
        };
        let class = Class::ALL[(number as usize * 7) % 55];
        let _ = write!(
            text,
            "[[provision]]\nid = \"{number}\"\ntitle = \"p\"\nacts = [\"{class}\"]\nzone = \"{zone}\"\n"
        );
        for (reading, day) in [("a", 1), ("b", 5), ("c", 9)] {
            let _ = write!(
                text,
                "[[provision.in_force]]\nreading = \"{reading}\"\nfrom = 2026-03-0{day}T00:00:00Z\n"
            );
        }
    }
    files.insert("agreement.toml".to_owned(), text.into_bytes());
    parse(&files).expect("it is sound")
}

fn incident(number: u64) -> Incident {
    let draw = |what: u64| noise(number * 8 + what);
    let at = vertex((draw(0) * 4_999.0) as u32)
        .offset(draw(1) * 40_000.0 - 20_000.0, draw(2) * 40_000.0 - 20_000.0);
    let moment =
        domain::time::shifted("2026-03-01T00:00:00Z".parse().expect("a moment"), draw(3) * 2.6e6);
    let share = |class: f64, share: f64| ClassShare {
        class: Class::ALL[(class * 55.0) as usize],
        share: Probability::new(share),
    };
    Incident {
        id: Id::of(IdKind::Incident, &[&number.to_be_bytes()]),
        status: Status::Reported,
        when: Occurrence { span: Interval::at(moment), sigma_s: 60.0, extent: Extent::Once },
        place: Located::Normal { at, covariance: Covariance::circular(500.0) },
        place_name: String::new(),
        classes: vec![share(draw(4), 0.7), share(draw(5), 0.3)],
        signatures: BTreeMap::new(),
        claimed_count: None,
        objects: vec![],
        members: vec![],
        origins: 1,
        groups: vec![],
        kinds: vec![],
        alternatives: vec![],
        particulars: domain::Particulars::default(),
        may_be_same_as: vec![],
        remarks: vec![],
        belief: Belief {
            probability: Probability::ONE,
            distinct: Probability::ONE,
            priors: String::new(),
            regime: String::new(),
            calibrated_on: String::new(),
            reasons: vec![],
        },
    }
}

struct NoMaps;

impl Ground for NoMaps {
    fn samples(&self, _: &str) -> Vec<LatLon> {
        Vec::new()
    }

    fn control(&self, _: &str, _: Timestamp) -> Option<&ControlState> {
        None
    }
}

/// Seconds of processor that this process has used, where the system tells it
/// (Linux, in ticks of 10 ms): on a busy machine the clock on the wall tells of
/// the other jobs.
fn processor_s() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // After the name in brackets: state, then eleven fields, then user and system time.
    let fields: Vec<&str> = stat.rsplit(')').next()?.split_whitespace().collect();
    let ticks = |at: usize| fields.get(at)?.parse::<f64>().ok();
    Some((ticks(11)? + ticks(12)?) / 100.0)
}

/// Best of three: the machine may be busy, the work does not change.
fn best(mut work: impl FnMut() -> u64) -> (Duration, u64) {
    (0..3)
        .map(|_| {
            let start = Instant::now();
            let result = work();
            (start.elapsed(), result)
        })
        .min()
        .expect("three runs")
}

fn main() {
    let agreement = agreement();
    let incidents: Vec<Incident> = (0..INCIDENTS).map(incident).collect();
    let evaluator = Evaluator::new(&agreement);
    let before = processor_s();
    let (time, found) = best(|| {
        incidents.iter().map(|incident| evaluator.evaluate(incident, &NoMaps).len() as u64).sum()
    });
    println!(
        "{INCIDENTS} incidents x {PROVISIONS} provisions x 3 readings: {:.2} s on one core, {found} findings",
        time.as_secs_f64()
    );
    if let (Some(before), Some(after)) = (before, processor_s()) {
        println!("    mean of three runs, time of processor: {:.2} s", (after - before) / 3.0);
    }
    let places: Vec<LatLon> = (0..1_000_000u64)
        .map(|number| {
            vertex((noise(number) * 4_999.0) as u32).offset(
                noise(number + 1) * 40_000.0 - 20_000.0,
                noise(number + 2) * 40_000.0 - 20_000.0,
            )
        })
        .collect();
    let index = LineIndex::new([line().as_slice()]);
    let (time, _) = best(|| places.iter().map(|at| index.distance_m(*at) as u64).sum());
    println!("distance to a line of 5,000 vertices: {:.2} us", time.as_secs_f64() * 1e6 / 1e6);
    let mut ring = line();
    ring.push(LatLon::new(51.5, 30.0).expect("on the globe"));
    ring.push(ring[0]);
    let rings: Rings = vec![ring];
    let area = Area::new(&[rings], 200.0);
    let (time, _) = best(|| places.iter().filter(|at| area.contains(**at)).count() as u64);
    println!("point in a polygon of 5,000 vertices: {:.2} us", time.as_secs_f64() * 1e6 / 1e6);
}
