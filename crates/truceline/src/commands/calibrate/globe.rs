//! `truceline calibrate` on what a global network heard of known events: the
//! performance of each array first, then the map from evidence to probability.

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use associate::globe::{GLOBE_FEATURES, GlobeEvent, Known, fit};
use simulate::score::{Rules, same_on_globe};

use super::{CalibrateArgs, write_model, write_preliminary};
use crate::commands::associate::globe::Set;
use crate::commands::associate::read::{Csv, Quarantine, TIME_MAX, number, text};

use super::judged::{self, Judged, Preliminary};
use crate::commands::truth::in_errors;
use crate::{Outcome, output};

pub(super) fn calibrate(args: &CalibrateArgs) -> Result<Outcome> {
    let [data] = args.data.as_slice() else {
        bail!(
            "{} sets: the performance of a global network is fitted on one set; put all that it \
             heard into one arrivals.csv",
            args.data.len()
        );
    };
    if let Some(model) = &args.model {
        bail!(
            "--model {}: the performance of a global network is fitted from the ground up",
            model.display()
        );
    }
    let mut quarantine = Quarantine::create(None)?;
    let set = Set::read(data, false, &mut quarantine)?;
    let events = known(data, &set, &mut quarantine)?;
    let aside = quarantine.finish()?;
    let arrivals: usize = events.iter().map(|event| event.arrivals.len()).sum();
    output::line(&format!(
        "{}: {} events with {arrivals} arrivals, {} false alarms, {aside} rows set aside",
        data.display(),
        events.len(),
        set.arrivals.len() - arrivals
    ))?;
    if arrivals < 50 {
        bail!("{arrivals} arrivals of known events are too few to fit a performance");
    }
    let mut performance =
        fit(&set.network.stations, &set.curve, &set.windows, &set.arrivals, &events, &args.version);
    let found = set.run(&performance, None).events;
    let least = Rules::GLOBE.min_det as usize;
    let truth: Vec<_> = events
        .iter()
        .filter(|event| event.arrivals.len() >= least)
        .map(|event| (event.t_s, event.lat, event.lon))
        .collect();
    let judge = |found: &[GlobeEvent]| -> Vec<Judged> {
        let places: Vec<_> = found.iter().map(|event| (event.t_s, event.lat, event.lon)).collect();
        let same = same_on_globe(&truth, &places).into_iter().zip(found);
        same.map(|(same, e)| Judged {
            features: e.features,
            weight: 1.0,
            off: same.map(|off| in_errors(off, e.covariance)),
        })
        .collect()
    };
    let judged = judge(&found);
    let soon = judge(&set.preliminary(&performance));
    let fitted = judged::fit(&judged, &args.data, GLOBE_FEATURES.len());
    performance.calibration = fitted.calibration;
    performance.inflation = fitted.inflation;
    let soon = Preliminary::fit(&soon, &args.data, GLOBE_FEATURES.len());
    performance.preliminary = Some(soon.calibration);
    let real = |stated: &[(f64, bool)]| stated.iter().filter(|one| one.1).count();
    output::line(&format!(
        "{} events found, {} of them real; {} preliminary ones, {} of them real",
        fitted.stated.len(),
        real(&fitted.stated),
        soon.stated.len(),
        real(&soon.stated)
    ))?;
    write_model(&args.out, &performance, fitted.stated)?;
    write_preliminary(&args.out, soon.stated)?;
    Ok(Outcome::Fine)
}

/// The events of a set that are known, with what was heard of each.
fn known(data: &Path, set: &Set, quarantine: &mut Quarantine) -> Result<Vec<Known>> {
    let mut csv = Csv::open(&data.join("truth.csv"), true)
        .context("the performance is fitted on a set of which it is known what took place")?;
    let columns = ["event", "t_s", "lat", "lon", "magnitude"].map(|name| csv.column(name));
    let [id, t, lat, lon, magnitude] = columns;
    let (id, t, lat, lon, magnitude) = (id?, t?, lat?, lon?, magnitude?);
    let mut events: Vec<Known> = Vec::new();
    let mut number_of: HashMap<Vec<u8>, usize> = HashMap::new();
    csv.rows(quarantine, |f| {
        let event = Known {
            t_s: number(f, t, "t_s", -TIME_MAX, TIME_MAX)?,
            lat: number(f, lat, "lat", -90.0, 90.0)?,
            lon: number(f, lon, "lon", -180.0, 180.0)?,
            magnitude: number(f, magnitude, "magnitude", -5.0, 12.0)?,
            arrivals: Vec::new(),
        };
        number_of.insert(text(f, id).to_vec(), events.len());
        events.push(event);
        Ok(())
    })?;
    let index: HashMap<&[u8], usize> =
        set.rows.iter().enumerate().map(|(i, (name, _))| (name.as_bytes(), i)).collect();
    let mut csv = Csv::open(&data.join("truth_assoc.csv"), true)?;
    let (det, event) = (csv.column("det")?, csv.column("event")?);
    csv.rows(quarantine, |f| {
        if let (Some(arrival), Some(event)) =
            (index.get(text(f, det)), number_of.get(text(f, event)))
        {
            events[*event].arrivals.push(*arrival);
        }
        Ok(())
    })?;
    Ok(events)
}
