//! Measures what the design promises, each figure beside what it is compared with in the same run.
//!
//! `cargo bench -p record`. Environment: `RECORD_BENCH_ENTRIES` (of the log for proofs, default
//! 10,000,000), `RECORD_BENCH_FOLDER` (where it is made, default a folder below the build folder).

use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use record::{
    Disk, Folders, Hash, Medium, PrivateKey, Reader, Writer, bundle, leaf_hash, verify,
    verify_consistency, verify_inclusion,
};
use sha2::{Digest as _, Sha256};

const COMMIT_ENTRIES: u64 = 10_000;

fn main() {
    // `cargo test --all-targets` and programs that list tests start this too: nothing to do then.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let size = std::env::var("RECORD_BENCH_ENTRIES")
        .map_or(10_000_000, |text| text.parse().expect("RECORD_BENCH_ENTRIES is a number"));
    let folder = std::env::var_os("RECORD_BENCH_FOLDER")
        .map_or_else(|| Path::new(env!("CARGO_TARGET_TMPDIR")).join("record-bench"), PathBuf::from);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder to work in");

    println!(
        "(a) append of 200-byte entries, a commit per {COMMIT_ENTRIES}; target 200,000 a second"
    );
    append(&folder.join("a1"), Cadence::AtTheEnd);
    append(&folder.join("a2"), Cadence::Every(100_000));

    println!("(b) proofs from a log of {size} entries; target p99 below 1 ms");
    let log = folder.join("b");
    let started = Instant::now();
    build(&log, size, 200, Cadence::Every(1_000_000));
    println!("    built in {:.1} s", started.elapsed().as_secs_f64());
    proofs(&log);

    println!("(c) verification; target at most 2.0 times bare SHA-256 over the same entry bytes");
    verification(&log, "200-byte entries");
    let log = folder.join("c");
    build(&log, 10_000, 60_000, Cadence::AtTheEnd);
    verification(&log, "60,000-byte entries");
    let _ = fs::remove_dir_all(&folder);
}

#[derive(Clone, Copy)]
enum Cadence {
    AtTheEnd,
    Every(u64),
}

fn key() -> PrivateKey {
    PrivateKey::from_seed("ledger.example/bench", &[9; 32]).expect("a good name")
}

/// Entries that differ and that no file system can compress away.
struct Entries {
    state: u64,
    entry: Vec<u8>,
}

impl Entries {
    fn new(length: usize) -> Self {
        Self { state: 1, entry: vec![0; length] }
    }

    fn next(&mut self) -> &[u8] {
        for chunk in self.entry.chunks_exact_mut(8) {
            // SplitMix64
            self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = self.state;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            chunk.copy_from_slice(&(z ^ (z >> 27)).to_le_bytes());
        }
        &self.entry
    }
}

fn build(log: &Path, size: u64, length: usize, cadence: Cadence) {
    let folders = Folders::of_mission(log);
    let mut writer = Writer::create(&folders, key()).expect("creates");
    let mut entries = Entries::new(length);
    let commit = if length > 1000 { 100 } else { COMMIT_ENTRIES };
    for index in 1..=size {
        writer.append(entries.next()).expect("appends");
        if index % commit == 0 {
            writer.commit().expect("commits");
        }
        if let Cadence::Every(count) = cadence
            && index % count == 0
        {
            writer.checkpoint().expect("publishes");
        }
    }
    writer.close().expect("closes");
}

fn append(log: &Path, cadence: Cadence) {
    let size = 2_000_000;
    let started = Instant::now();
    build(log, size, 200, cadence);
    let took = started.elapsed();
    // The floor: the same bytes in the same pieces to one file, with the same number of syncs.
    let file = log.join("floor");
    let mut entries = Entries::new(200);
    let started = Instant::now();
    let mut tail = Disk.create(&file).expect("creates");
    let mut piece = Vec::new();
    for index in 1..=size {
        piece.extend_from_slice(&200_u16.to_be_bytes());
        piece.extend_from_slice(entries.next());
        if index % COMMIT_ENTRIES == 0 {
            record::medium::Tail::append(&mut tail, &piece).expect("appends");
            record::medium::Tail::sync(&mut tail).expect("synchronises");
            piece.clear();
        }
    }
    let floor = started.elapsed();
    let name = match cadence {
        Cadence::AtTheEnd => "one checkpoint at the end".to_owned(),
        Cadence::Every(count) => format!("a checkpoint per {count}"),
    };
    println!(
        "    {name:<28} {:>9.0} entries/s    (plain file with the same syncs {:>9.0} entries/s)",
        size as f64 / took.as_secs_f64(),
        size as f64 / floor.as_secs_f64(),
    );
    let _ = fs::remove_dir_all(log);
}

fn proofs(log: &Path) {
    let key = key();
    let reader = Reader::open(Folders::of_mission(log).record, key.public()).expect("opens");
    let size = reader.size();
    let mut random = Entries::new(8);
    let mut below = |bound: u64| {
        let bytes = random.next().try_into().expect("eight bytes");
        u64::from_le_bytes(bytes) % bound
    };
    let (root, mut checked) = (reader.root(), 0);
    let mut times = Vec::new();
    for _ in 0..20_000 {
        let index = below(size);
        let started = Instant::now();
        let proof = reader.inclusion_proof(index, size).expect("proves");
        times.push(started.elapsed());
        if times.len() % 100 == 0 {
            let leaf = leaf_hash(&reader.entry(index).expect("reads"));
            verify_inclusion(index, size, &leaf, &proof, &root).expect("holds");
            checked += 1;
        }
    }
    quantiles("inclusion, checked by the root", times);
    let mut times = Vec::new();
    for _ in 0..20_000 {
        let index = below(size);
        let started = Instant::now();
        black_box(reader.inclusion_proof(index, 1 + index + below(size - index)).expect("proves"));
        times.push(started.elapsed());
    }
    quantiles("inclusion at an older size", times);
    let mut times = Vec::new();
    for _ in 0..20_000 {
        let old = 1 + below(size);
        let started = Instant::now();
        let proof = reader.consistency_proof(old, size).expect("proves");
        times.push(started.elapsed());
        if times.len() % 100 == 0 {
            let old_root = reader.root_at(old).expect("a root");
            verify_consistency(old, &old_root, size, &root, &proof).expect("holds");
            checked += 1;
        }
    }
    quantiles("consistency to the present", times);
    let mut times = Vec::new();
    for _ in 0..5_000 {
        let index = below(size);
        let started = Instant::now();
        black_box(reader.proof_text(index).expect("proves"));
        times.push(started.elapsed());
    }
    quantiles("proof text, with its entry", times);
    println!("    {checked} of them were verified");
}

fn quantiles(name: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    println!(
        "    {name:<32} p50 {:.3} ms   p99 {:.3} ms   max {:.3} ms   of {}",
        at(0.5),
        at(0.99),
        at(1.0),
        times.len()
    );
}

/// The shortest of several runs, so that a busy machine harms both sides alike.
fn shortest(mut work: impl FnMut()) -> f64 {
    let time = |work: &mut dyn FnMut()| {
        let started = Instant::now();
        work();
        started.elapsed().as_secs_f64()
    };
    (0..5).map(|_| time(&mut work)).fold(f64::INFINITY, f64::min)
}

fn verification(log: &Path, name: &str) {
    let folders = Folders::of_mission(log);
    let key = key();
    let reader = Reader::open(&folders.record, key.public()).expect("opens");
    let mut bytes = 0;
    let full = shortest(|| {
        let report = verify::verify(&folders, key.public(), |_, _| (), |_| ()).expect("sound");
        bytes = report.entry_bytes;
    });
    // Bare SHA-256, one stream over the entry bytes. First with nothing else: the bytes of some
    // bundles, again and again from memory, without their length prefixes.
    let sample = 64.min(reader.size() / 256);
    let mut memory = Vec::new();
    let mut entries = reader.entries(0..sample * 256).expect("within");
    while let Some((_, entry)) = entries.advance().expect("reads") {
        memory.extend_from_slice(entry);
    }
    let from_memory = shortest(|| {
        let mut hasher = Sha256::new();
        let mut left = bytes;
        while left > 0 {
            let piece = left.min(memory.len() as u64);
            hasher.update(&memory[..piece as usize]);
            left -= piece;
        }
        black_box(hasher.finalize());
    });
    // Then reading the bundles from the same files, which no one can be spared.
    let paths: Vec<PathBuf> = (0..reader.size() / 256)
        .map(|index| {
            let tile = record::Tile::full(record::Content::Entries, index);
            folders.record.join(tile.path())
        })
        .collect();
    let mut file = Vec::new();
    let from_files = shortest(|| {
        let mut hasher = Sha256::new();
        for path in &paths {
            Disk.read(path, &mut file).expect("reads");
            for entry in bundle::decode(&file).expect("a bundle") {
                hasher.update(entry);
            }
        }
        black_box(hasher.finalize());
    });
    // And each entry by itself, as a plain list of hashes would need it.
    let each = shortest(|| {
        for path in &paths {
            Disk.read(path, &mut file).expect("reads");
            for entry in bundle::decode(&file).expect("a bundle") {
                black_box(Hash::of(entry));
            }
        }
    });
    println!(
        "    {name}: {:.2} GB, one thread each\n\
         \x20     full verification           {full:.3} s\n\
         \x20     bare SHA-256 from memory    {from_memory:.3} s   ratio {:.2}\n\
         \x20     bare SHA-256 from the files {from_files:.3} s   ratio {:.2}\n\
         \x20     each entry by itself        {each:.3} s   ratio {:.2}",
        bytes as f64 / 1e9,
        full / from_memory,
        full / from_files,
        full / each,
    );
}
