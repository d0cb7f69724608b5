//! How fast a FIRMS file becomes observations, beside the csv crate merely
//! reading the same bytes. Run with `cargo bench -p intake`.
//!
//! The file is generated: `TRUCELINE_BENCH_ROWS` rows (default 1,000,000).

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use intake::{Context, Item, Mapping, Stream};

fn firms(rows: u64) -> String {
    let mut text = String::from(
        "latitude,longitude,brightness,scan,track,acq_date,acq_time,satellite,instrument,confidence,version,bright_t31,frp,daynight\n",
    );
    for row in 0..rows {
        // A plain congruential sequence: the content does not matter, its shape does.
        let noise =
            row.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407)
                >> 33;
        let (lat, lon) =
            (44.0 + (noise % 800_000) as f64 / 1e5, 22.0 + (noise % 1_800_000) as f64 / 1e5);
        // Sorted by date, as the service delivers it.
        let (minute, day) = (noise % 1440, 1 + row * 28 / rows);
        writeln!(
            text,
            "{lat:.5},{lon:.5},{:.2},1.{:02},1.0{},2025-04-{day:02},{},N,VIIRS,n,2.0NRT,2{:02}.{:02},{:.2},D",
            300.0 + (noise % 6000) as f64 / 100.0,
            noise % 100,
            noise % 10,
            minute / 60 * 100 + minute % 60,
            noise % 100,
            noise % 97,
            (noise % 9000) as f64 / 100.0,
        )
        .expect("writing to a string");
    }
    text
}

/// Best of five: the machine may be busy, the work does not change.
fn best(mut work: impl FnMut() -> u64) -> (Duration, u64) {
    (0..5)
        .map(|_| {
            let start = Instant::now();
            let rows = work();
            (start.elapsed(), rows)
        })
        .min()
        .expect("five runs")
}

fn main() {
    let rows = std::env::var("TRUCELINE_BENCH_ROWS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(1_000_000);
    let text = firms(rows);
    let file = strict::Text::new("firms", intake::catalogue::mapping("firms").expect("built in"));
    let mapping = Mapping::parse(&file).expect("sound");
    let zone = domain::Zone::utc();

    let (peer, peer_rows) = best(|| {
        let mut reader = csv::ReaderBuilder::new().from_reader(text.as_bytes());
        let mut record = csv::ByteRecord::new();
        let mut count = 0;
        while reader.read_byte_record(&mut record).expect("a table") {
            count += 1;
        }
        count
    });
    let read = |keep: bool| {
        best(|| {
            let context = Context { file_name: "bench.csv", zone: &zone, area: None };
            let mut stream =
                Stream::open(&mapping, context, text.as_bytes()).expect("a FIRMS file");
            let (mut count, mut bytes) = (0, 0);
            while let Some((_, item)) = stream.next().expect("in memory") {
                let Item::Observation(observation) = item else {
                    panic!("a generated row was refused: {item:?}")
                };
                if keep {
                    bytes += observation.to_line().len();
                }
                count += 1;
            }
            std::hint::black_box(bytes);
            count
        })
    };
    let (parsed, parsed_rows) = read(false);
    let (written, _) = read(true);
    assert_eq!((peer_rows, parsed_rows), (rows, rows));

    let line = |what: &str, took: Duration| {
        println!(
            "{what:<44} {:>10.0} rows/s {:>7.0} MB/s   {:>5.2} x the time of csv",
            rows as f64 / took.as_secs_f64(),
            text.len() as f64 / 1e6 / took.as_secs_f64(),
            took.as_secs_f64() / peer.as_secs_f64(),
        );
    };
    println!("{rows} rows, {:.0} MB, best of five, one thread", text.len() as f64 / 1e6);
    line("csv crate, ByteRecord, nothing else", peer);
    line("intake: observations", parsed);
    line("intake: observations, written as record lines", written);
    println!("target: observations in at most 3.00 x the time of csv");
}
