//! # record: the append-only, tamper-evident log
//!
//! What this is: a log whose entries are bytes; it knows nothing of what they mean. It keeps them in
//! the order in which they came, as static files that any web server can serve (C2SP tlog-tiles),
//! under a signed checkpoint (C2SP tlog-checkpoint) over a Merkle tree (RFC 6962), so that anyone
//! with the public key can check, with tools that others wrote, that nothing was altered, removed or
//! slipped in.
//!
//! What it may touch: the file system, and only through [`Medium`]. Architecture invariants: it has
//! no clock, no randomness (a key comes from a seed that the caller brings), no network, no threads
//! and no `unsafe`, and it does not know what a ceasefire is.
//!
//! Entry points:
//!
//! - [`Writer`]: [`append`](Writer::append), [`commit`](Writer::commit) (durable, acknowledged),
//!   [`checkpoint`](Writer::checkpoint) (published); [`Writer::blobs`] for large payloads;
//! - [`Reader`]: entries, proofs, [`proof_text`](Reader::proof_text);
//! - [`verify::verify`] and [`blob::verify`]: everything on the disk, or the first fault;
//! - [`PrivateKey`], [`PublicKey`], [`Note`], [`Checkpoint`], [`ProofText`], [`dsse::Envelope`]: the
//!   texts, to be written and to be checked.
//!
//! ```
//! use record::{Folders, PrivateKey, ProofText, Reader, Writer, verify};
//!
//! let mission = tempfile::tempdir()?;
//! let folders = Folders::of_mission(mission.path());
//! let key = PrivateKey::from_seed("ledger.example/ceasefire", &[7; 32])?; // not a seed to use
//! let public = key.public().clone();
//!
//! let mut writer = Writer::create(&folders, key)?;
//! let index = writer.append(b"02:14 two explosions heard from post 7")?;
//! writer.commit()?; // from here on the entry survives a power failure
//! writer.close()?; // publishes a checkpoint
//!
//! let reader = Reader::open(&folders.record, &public)?;
//! assert_eq!(reader.size(), 1);
//! let entry = reader.entry(index)?;
//! let proof = reader.proof_text(index)?.to_text(); // a file to give away
//! ProofText::parse(proof.as_bytes())?.verify(&public, &entry)?;
//!
//! let report = verify::verify(&folders, &public, |_, _| (), |_| ())?;
//! assert_eq!(report.entries, 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod blob;
pub mod bundle;
mod checkpoint;
pub mod dsse;
mod error;
mod folders;
mod hash;
mod journal;
mod key;
pub mod limits;
pub mod medium;
mod merkle;
mod note;
mod proof;
mod reader;
mod tile;
pub mod verify;
mod writer;

pub use blob::{BlobReader, BlobWriter};
pub use checkpoint::{Checkpoint, SignedCheckpoint};
pub use error::{AppendError, Error, Fatal, Refused};
pub use folders::Folders;
pub use hash::{Hash, leaf_hash, node_hash};
pub use key::{KeyId, PrivateKey, PublicKey};
pub use medium::{Disk, Medium};
pub use merkle::{tree_root, verify_consistency, verify_inclusion};
pub use note::{Note, SignatureLine};
pub use proof::{Extra, ProofText};
pub use reader::{Entries, Reader};
pub use tile::{Content, Tile, TileOfSize};
pub use writer::{Cadence, Waiting, Writer};
