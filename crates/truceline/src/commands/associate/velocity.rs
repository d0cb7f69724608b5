//! Reads velocity models: how fast P and S waves are, by depth.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, anyhow, bail};
use associate::travel::{Layer, Layers, NotLayers, Table, Uniform};
use serde::Deserialize;
use strict::{Step, Text, Weight};

use super::read::{Csv, Quarantine, number};

/// Deepest sources where a model does not say, km.
const DEEPEST_KM: f64 = 60.0;

/// A velocity model as a file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    deepest_km: Option<f64>,
    uniform: Option<Speeds>,
    #[serde(default)]
    layer: Vec<FileLayer>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Speeds {
    vp_km_s: f64,
    vs_km_s: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileLayer {
    depth_km: f64,
    vp_km_s: f64,
    vs_km_s: f64,
}

/// A table of travel times, and what it was made from.
pub(crate) struct Velocity {
    pub table: Table,
    /// For people.
    pub name: String,
}

/// The model that was asked for, or that lies in the folder, or the built-in one.
pub(crate) fn velocity(asked: Option<&Path>, data: &Path) -> Result<Velocity> {
    let in_folder = |name: &str| Some(data.join(name)).filter(|path| path.is_file());
    let path = asked
        .map(Path::to_path_buf)
        .or_else(|| in_folder("velocity.toml"))
        .or_else(|| in_folder("velocity.csv"));
    let Some(path) = path else {
        return Ok(Velocity {
            table: Table::new(&Layers::iasp91(), DEEPEST_KM),
            name: format!("iasp91 layers, built in, sources down to {DEEPEST_KM} km"),
        });
    };
    if path.extension().is_some_and(|e| e == "csv") { csv(&path) } else { toml(&path) }
}

fn called(path: &Path, what: &str, deepest: f64) -> String {
    let name = path.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
    format!("{name}, {what}, sources down to {deepest} km")
}

fn toml(path: &Path) -> Result<Velocity> {
    let bytes = fs::read(path).with_context(|| format!("reading {}", path.display()))?;
    let text = Text::from_bytes(path.display().to_string(), bytes)?;
    let file: File = text.parse()?;
    let wrong = |way: &[Step<'_>], message: String, help: &str| {
        anyhow!(text.diagnostic(Weight::Error, way, message, help))
    };
    let deepest = file.deepest_km.unwrap_or(DEEPEST_KM);
    if !(1.0..=800.0).contains(&deepest) {
        let message = format!("`deepest_km` is {deepest}");
        return Err(wrong(&[Step::Key("deepest_km")], message, "give a depth from 1 to 800 km"));
    }
    let layers = |layers: Vec<Layer>| Layers::new(layers);
    match (file.uniform, file.layer.is_empty()) {
        (Some(speeds), true) => {
            let Speeds { vp_km_s, vs_km_s } = speeds;
            let one = Layer { depth_km: 0.0, vp_km_s, vs_km_s };
            layers(vec![one]).map_err(|why: NotLayers| {
                let way = [Step::Key("uniform"), Step::Key(why.field)];
                wrong(&way, format!("`{}` {}", why.field, why.reason), "")
            })?;
            Ok(Velocity {
                table: Table::new(&Uniform { vp_km_s, vs_km_s }, deepest),
                name: called(path, "uniform", deepest),
            })
        }
        (None, false) => {
            let of = |l: &FileLayer| Layer {
                depth_km: l.depth_km,
                vp_km_s: l.vp_km_s,
                vs_km_s: l.vs_km_s,
            };
            let model = layers(file.layer.iter().map(of).collect()).map_err(|why| {
                let way = [
                    Step::Key("layer"),
                    Step::At(why.number.saturating_sub(1)),
                    Step::Key(why.field),
                ];
                wrong(&way, format!("`{}` {}", why.field, why.reason), "")
            })?;
            let count = model.layers().len();
            Ok(Velocity {
                table: Table::new(&model, deepest),
                name: called(path, &format!("{count} layers"), deepest),
            })
        }
        _ => Err(anyhow!(text.error_anywhere(
            "a velocity model has either a table [uniform] or tables [[layer]]",
            "see docs/formats.md, Velocity model"
        ))),
    }
}

/// As `truceline simulate` writes it beside its picks.
fn csv(path: &Path) -> Result<Velocity> {
    let mut csv = Csv::open(path, true)?;
    let (depth, p, s) = (csv.column("depth_km")?, csv.column("p_km_s")?, csv.column("s_km_s")?);
    let mut layers = Vec::new();
    let mut bad = None;
    let mut nowhere = Quarantine::create(None)?;
    csv.rows(&mut nowhere, |f| {
        let mut read = || {
            layers.push(Layer {
                depth_km: number(f, depth, "depth_km", 0.0, 1_000.0)?,
                vp_km_s: number(f, p, "p_km_s", 0.1, 20.0)?,
                vs_km_s: number(f, s, "s_km_s", 0.1, 20.0)?,
            });
            Ok(())
        };
        let read: Result<(), super::read::Fault> = read();
        if let Err(fault) = &read
            && bad.is_none()
        {
            bad = Some((layers.len() + 2, fault.field, fault.reason.clone()));
        }
        read
    })?;
    // A layer cannot be set aside: without it the others are another earth.
    if let Some((line, field, reason)) = bad {
        bail!("{}: line {line}: `{field}`: {reason}", path.display());
    }
    let model = Layers::new(layers).with_context(|| format!("reading {}", path.display()))?;
    let count = model.layers().len();
    Ok(Velocity {
        table: Table::new(&model, DEEPEST_KM),
        name: called(path, &format!("{count} layers"), DEEPEST_KM),
    })
}
