//! Arrivals as JSON objects, one a line, in the order of their reception.

use std::collections::HashSet;
use std::path::Path;

use anyhow::Result;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::read::{Csv, Fault, Network, Quarantine, TIME_MAX, fault};

/// Names and lines of rows, by number.
pub(crate) type Rows = Vec<(String, u64)>;

/// What every arrival says, and what those of one kind say of their own.
#[derive(Deserialize)]
struct Object<O> {
    kind: String,
    recv: Option<f64>,
    id: Option<String>,
    station: Option<String>,
    t: Option<f64>,
    #[serde(flatten)]
    own: O,
}

/// An arrival as far as all say the same.
pub(super) struct Common {
    pub station: u32,
    /// To the microsecond, as times are kept.
    pub t_s: f64,
    pub row: u32,
}

/// When each line was received, with its arrival if it has one.
pub(super) type Received<H> = Vec<(f64, Option<H>)>;

/// A time to the microsecond, as times are kept.
pub(super) fn to_microseconds(t_s: f64) -> f64 {
    (t_s * 1e6).round() / 1e6
}

/// A number between others.
pub(super) fn within(value: f64, field: &'static str, min: f64, max: f64) -> Result<f64, Fault> {
    let fits = (min..=max).contains(&value);
    fits.then_some(value).ok_or_else(|| fault(field, format!("{value} is outside {min} to {max}")))
}

/// A field that must be there.
pub(super) fn needed<T>(value: Option<T>, field: &'static str) -> Result<T, Fault> {
    value.ok_or_else(|| fault(field, "is missing"))
}

/// Reads arrivals of a kind; of other objects only `recv` counts.
pub(super) fn read<O: DeserializeOwned, H>(
    path: &Path,
    file: &'static str,
    kind: &str,
    network: &Network,
    quarantine: &mut Quarantine,
    mut arrival: impl FnMut(Common, O) -> Result<H, Fault>,
) -> Result<(Received<H>, Rows)> {
    let mut lines = Csv::open(path, false)?;
    let (mut received, mut names) = (Vec::new(), Rows::new());
    let mut known = HashSet::new();
    let mut now = f64::NEG_INFINITY;
    while lines.read_line()? {
        let row = names.len() as u32;
        let one = object::<O>(&lines.buffer, &mut now).and_then(|o| {
            if o.kind != kind {
                return Ok(None);
            }
            let id = needed(o.id.filter(|id| !id.is_empty()), "id")?;
            let station = network.station(needed(o.station, "station")?.as_bytes())?;
            let t_s = within(needed(o.t, "t")?, "t", -TIME_MAX, TIME_MAX)?;
            if o.recv.is_some_and(|recv| t_s > recv + 1.0) {
                return Err(fault("t", "later than its reception: the station's clock has jumped"));
            }
            let heard = arrival(Common { station, t_s: to_microseconds(t_s), row }, o.own)?;
            if !known.insert(id.clone()) {
                return Err(fault("id", format!("`{id}` is the name of an earlier row")));
            }
            Ok(Some((id, heard)))
        });
        match one {
            Ok(None) => received.push((now, None)),
            Ok(Some((id, heard))) => {
                names.push((id, lines.line));
                received.push((now, Some(heard)));
            }
            Err(fault) => quarantine.row(file, lines.line, fault.field, &fault.reason)?,
        }
    }
    Ok((received, names))
}

/// The object in a line; `now` is when the newest line was received.
fn object<O: DeserializeOwned>(line: &[u8], now: &mut f64) -> Result<Object<O>, Fault> {
    let o: Object<O> =
        serde_json::from_slice(line).map_err(|why| fault("line", why.to_string()))?;
    if let Some(recv) = o.recv.or(o.t) {
        *now = now.max(within(recv, "recv", -TIME_MAX, TIME_MAX)?);
    }
    Ok(o)
}
