//! Why an event is believed, as a picture: the stations that heard it, the
//! silent ones and those that were down, the place with its ellipse, and how
//! late or early each arrival came.

use std::fmt::Write as _;

use super::{escaped, px};

/// A station in the picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Mark {
    /// Name.
    pub name: String,
    /// Which of its waves is spoken of, `P` or `S`; empty if it tells none apart.
    pub wave: String,
    /// From the event, metres east and north.
    pub at: (f64, f64),
    /// The direction that an array heard it from, degrees from north by east.
    pub from_deg: Option<f64>,
    /// Probability that it would have heard the event.
    pub chance: f64,
    /// What it adds to the evidence, nats.
    pub nats: f64,
    /// What it did.
    pub did: Did,
}

/// What a station did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Did {
    /// It heard an arrival, so many seconds late, with that standard deviation.
    Hear {
        /// Residual, s.
        residual_s: f64,
        /// Standard deviation, s.
        sigma_s: f64,
    },
    /// It was listening and heard nothing.
    Nothing,
    /// It was down.
    Down,
}

/// An event and its stations.
#[derive(Clone, Debug, PartialEq)]
pub struct EventPicture {
    /// Title.
    pub title: String,
    /// What it shows, in a sentence.
    pub description: String,
    /// Stations, nearest first.
    pub stations: Vec<Mark>,
    /// Other places that were considered, metres east and north.
    pub elsewhere: Vec<(f64, f64)>,
    /// Covariance of the place, m^2: east-east, east-north, north-north.
    pub covariance: [f64; 3],
}

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 560.0;
/// The map: left, top, side.
const MAP: (f64, f64, f64) = (16.0, 56.0, 470.0);
/// The residuals: left, top, width.
const BARS: (f64, f64, f64) = (620.0, 84.0, 250.0);
/// Arrivals that get a row of their own.
const ROWS: usize = 24;
/// A silent station is drawn if it would have heard the event this likely.
const WORTH: f64 = 0.02;
/// Squared radius in errors that 90 % of a normal law in the plane stay within.
const NINETY: f64 = 4.605;

/// Colours that stay apart for the colour-blind (Okabe and Ito).
const HEARD: &str = "#0072b2";
const SILENT: &str = "#8a8a8a";
const PLACE: &str = "#d55e00";

/// Half axes and turn (degrees, of the first axis from east to north) of the 90 % ellipse.
fn ellipse([ee, en, nn]: [f64; 3]) -> (f64, f64, f64) {
    let middle = f64::midpoint(ee, nn);
    let off = libm::hypot((ee - nn) / 2.0, en);
    let axis = |v: f64| (NINETY * v.max(0.0)).sqrt();
    let turn = 0.5 * libm::atan2(2.0 * en, ee - nn).to_degrees();
    (axis(middle + off), axis(middle - off), turn)
}

/// The largest of 1, 2 and 5 times a power of ten that is at most `value`.
fn round_down(value: f64) -> f64 {
    let power = libm::pow(10.0, libm::floor(libm::log10(value.max(1e-9))));
    [5.0, 2.0, 1.0].map(|f| f * power).into_iter().find(|v| *v <= value).unwrap_or(power)
}

fn length(metres: f64) -> String {
    if metres >= 1000.0 { format!("{} km", metres / 1000.0) } else { format!("{metres} m") }
}

impl Mark {
    /// Its name in the list of arrivals.
    fn row(&self) -> String {
        format!("{} {}", self.name, self.wave)
    }
}

impl EventPicture {
    /// The picture, as a file of its own.
    pub fn svg(&self) -> String {
        let mut svg = String::new();
        let _ = write!(
            svg,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" role=\"img\" aria-labelledby=\"t d\" \
             font-family=\"sans-serif\" font-size=\"12\" fill=\"#222\">\n<title id=\"t\">{}</title><desc id=\"d\">{}</desc>\n\
             <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
             <text x=\"16\" y=\"24\" font-size=\"16\" font-weight=\"bold\">{}</text>\n\
             <text x=\"16\" y=\"43\">{}</text>\n",
            px(WIDTH),
            px(HEIGHT),
            escaped(&self.title),
            escaped(&self.description),
            escaped(&self.title),
            escaped(&self.description),
        );
        self.map(&mut svg);
        self.residuals(&mut svg);
        svg.push_str("</svg>\n");
        svg
    }

    fn drawn(&self) -> impl Iterator<Item = &Mark> {
        self.stations.iter().filter(|s| matches!(s.did, Did::Hear { .. }) || s.chance > WORTH)
    }

    fn map(&self, svg: &mut String) {
        let (left, top, side) = MAP;
        let farthest = self.drawn().map(|s| s.at.0.abs().max(s.at.1.abs())).fold(1_000.0, f64::max);
        let scale = side / 2.0 / (farthest * 1.12);
        let (cx, cy) = (left + side / 2.0, top + side / 2.0);
        let at = |(x, y): (f64, f64)| (cx + x * scale, cy - y * scale);
        let _ = writeln!(
            svg,
            "<clipPath id=\"map\"><rect x=\"{left}\" y=\"{top}\" width=\"{side}\" height=\"{side}\"/></clipPath>\
             <rect x=\"{left}\" y=\"{top}\" width=\"{side}\" height=\"{side}\" fill=\"#f7f7f5\" stroke=\"#ccc\"/><g clip-path=\"url(#map)\">"
        );
        let ring = round_down(farthest / 1.5);
        for n in 1..=3 {
            let radius = ring * f64::from(n);
            let _ = writeln!(
                svg,
                "<circle cx=\"{0}\" cy=\"{1}\" r=\"{2}\" fill=\"none\" stroke=\"#ddd\"/>\
                 <text x=\"{0}\" y=\"{3}\" font-size=\"10\" fill=\"#999\" text-anchor=\"middle\">{4}</text>",
                px(cx),
                px(cy),
                px(radius * scale),
                px(cy - radius * scale - 3.0),
                length(radius)
            );
        }
        let whole = side * std::f64::consts::SQRT_2;
        for s in self.drawn() {
            Self::mark(svg, s, (cx, cy), at(s.at), whole);
        }
        self.names(svg, at);
        for place in &self.elsewhere {
            let (x, y) = at(*place);
            let _ = writeln!(
                svg,
                "<path d=\"M{0} {1}m-6 0l6 -6l6 6l-6 6z\" fill=\"none\" stroke=\"{PLACE}\" stroke-dasharray=\"2 2\"><title>another place that was considered</title></path>",
                px(x),
                px(y)
            );
        }
        let (a, b, turn) = ellipse(self.covariance);
        let _ = writeln!(
            svg,
            "<ellipse cx=\"{0}\" cy=\"{1}\" rx=\"{2}\" ry=\"{3}\" transform=\"rotate({4} {0} {1})\" fill=\"{PLACE}\" fill-opacity=\"0.35\" stroke=\"{PLACE}\"/>\
             <path d=\"M{0} {1}m-7 0h14m-7 -7v14\" stroke=\"{PLACE}\" stroke-width=\"1.5\"/></g>",
            px(cx),
            px(cy),
            px(a * scale),
            px(b * scale),
            px(-turn)
        );
        self.inset(svg, self.emptiest(farthest * 1.12));
        let y = top + side + 18.0;
        let _ = writeln!(
            svg,
            "<circle cx=\"{0}\" cy=\"{1}\" r=\"5\" fill=\"{HEARD}\"/><text x=\"{2}\" y=\"{3}\">heard it</text>\
             <circle cx=\"{4}\" cy=\"{1}\" r=\"5\" fill=\"none\" stroke=\"{SILENT}\" stroke-width=\"2\"/><text x=\"{5}\" y=\"{3}\">silent; the larger, the more surprising</text>\
             <path d=\"M{6} {1}m-4 -4l8 8m-8 0l8 -8\" stroke=\"{SILENT}\" stroke-width=\"2\"/><text x=\"{7}\" y=\"{3}\">down</text>",
            px(left + 6.0),
            px(y - 4.0),
            px(left + 16.0),
            px(y),
            px(left + 92.0),
            px(left + 102.0),
            px(left + 340.0),
            px(left + 350.0)
        );
        if self.stations.iter().any(|s| s.from_deg.is_some()) {
            let _ = writeln!(
                svg,
                "<path d=\"M{0} {1}h22\" stroke=\"{HEARD}\" stroke-dasharray=\"5 3\"/><text x=\"{2}\" y=\"{3}\">from there</text>",
                px(left + 396.0),
                px(y - 4.0),
                px(left + 422.0),
                px(y)
            );
        }
    }

    /// The corner of the map with the fewest stations, the lower right of equals:
    /// whether it is right and whether it is low. `reach` is half the side of the
    /// map, metres.
    fn emptiest(&self, reach: f64) -> (bool, bool) {
        // The inset takes a quarter of the side and a margin.
        let from = reach * 0.42;
        let within = |right: bool, low: bool| {
            let far = |v: f64, wanted: bool| if wanted { v > from } else { v < -from };
            self.drawn().filter(|s| far(s.at.0, right) && far(s.at.1, !low)).count()
        };
        let corners = [(true, true), (true, false), (false, true), (false, false)];
        corners.into_iter().min_by_key(|(right, low)| within(*right, *low)).unwrap_or((true, true))
    }

    /// Names of the stations that heard it, nearest first, each beside its own where
    /// there is room; the others are named when pointed at and in the list of arrivals.
    fn names(&self, svg: &mut String, at: impl Fn((f64, f64)) -> (f64, f64)) {
        let heard = || self.drawn().filter(|s| matches!(s.did, Did::Hear { .. }));
        // Left, top, right and bottom of what is taken.
        let dot = |s: &Mark| {
            let (x, y) = at(s.at);
            (x - 4.0, y - 4.0, x + 4.0, y + 4.0)
        };
        let mut taken: Vec<(f64, f64, f64, f64)> = heard().map(dot).collect();
        let mut named = None;
        for s in heard() {
            // A station that heard each of its waves is named once.
            if named.replace(s.at) == Some(s.at) {
                continue;
            }
            let (x, y) = at(s.at);
            let wide = 6.0 * s.name.chars().count() as f64;
            let right = ("start", x + 7.0, (x + 7.0, y - 5.0, x + 7.0 + wide, y + 5.0));
            let left = ("end", x - 7.0, (x - 7.0 - wide, y - 5.0, x - 7.0, y + 5.0));
            let free = |(_, _, a): &(&str, f64, (f64, f64, f64, f64))| {
                taken.iter().all(|b| a.2 < b.0 || b.2 < a.0 || a.3 < b.1 || b.3 < a.1)
            };
            let Some((anchor, x, place)) = [right, left].into_iter().find(free) else { continue };
            taken.push(place);
            let _ = writeln!(
                svg,
                "<text x=\"{}\" y=\"{}\" font-size=\"10\" text-anchor=\"{anchor}\">{}</text>",
                px(x),
                px(y + 4.0),
                escaped(&s.name)
            );
        }
    }

    /// A station on the map; a ray of `whole` leads where an array heard it from.
    fn mark(svg: &mut String, s: &Mark, centre: (f64, f64), (x, y): (f64, f64), whole: f64) {
        let name = escaped(s.row().trim());
        if let Some(turn) = s.from_deg.map(f64::to_radians) {
            let _ = writeln!(
                svg,
                "<line x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\" stroke=\"{HEARD}\" stroke-dasharray=\"5 3\"><title>{name}: where it heard it from</title></line>",
                px(x),
                px(y),
                px(x + whole * libm::sin(turn)),
                px(y - whole * libm::cos(turn))
            );
        }
        let _ = match s.did {
            Did::Hear { residual_s, .. } => writeln!(
                svg,
                "<line x1=\"{}\" y1=\"{}\" x2=\"{2}\" y2=\"{3}\" stroke=\"{HEARD}\" stroke-opacity=\"0.3\"/>\
                 <circle cx=\"{2}\" cy=\"{3}\" r=\"5\" fill=\"{HEARD}\"><title>{name}: heard it {residual_s:+.3} s late, {4:+.1}</title></circle>",
                px(centre.0),
                px(centre.1),
                px(x),
                px(y),
                s.nats
            ),
            Did::Nothing => writeln!(
                svg,
                "<circle cx=\"{}\" cy=\"{}\" r=\"{}\" fill=\"none\" stroke=\"{SILENT}\" stroke-width=\"2\"><title>{name}: silent; would have heard it with {:.2}, {:+.1}</title></circle>",
                px(x),
                px(y),
                px(2.5 + 6.0 * s.chance),
                s.chance,
                s.nats
            ),
            Did::Down => writeln!(
                svg,
                "<path d=\"M{} {}m-4 -4l8 8m-8 0l8 -8\" stroke=\"{SILENT}\" stroke-width=\"2\"><title>{name}: down</title></path>",
                px(x),
                px(y)
            ),
        };
    }

    /// The ellipse, large enough to be seen.
    fn inset(&self, svg: &mut String, (right, low): (bool, bool)) {
        let side = 120.0;
        let edge = |far: bool| if far { MAP.2 - side - 8.0 } else { 8.0 };
        let (left, top) = (MAP.0 + edge(right), MAP.1 + edge(low));
        let (a, b, turn) = ellipse(self.covariance);
        let scale = 0.34 * side / a.max(1.0);
        let bar = round_down(0.6 * side / scale);
        let (cx, cy) = (left + side / 2.0, top + side / 2.0 - 4.0);
        let _ = writeln!(
            svg,
            "<rect x=\"{left}\" y=\"{top}\" width=\"{side}\" height=\"{side}\" fill=\"#fff\" stroke=\"#999\"/>\
             <ellipse cx=\"{0}\" cy=\"{1}\" rx=\"{2}\" ry=\"{3}\" transform=\"rotate({4} {0} {1})\" fill=\"{PLACE}\" fill-opacity=\"0.35\" stroke=\"{PLACE}\"/>\
             <path d=\"M{5} {6}h{7}\" stroke=\"#222\" stroke-width=\"2\"/><text x=\"{5}\" y=\"{8}\" font-size=\"10\">{9}</text>\
             <text x=\"{5}\" y=\"{10}\" font-size=\"10\">90 % ellipse</text>",
            px(cx),
            px(cy),
            px(a * scale),
            px(b * scale),
            px(-turn),
            px(left + 8.0),
            px(top + side - 8.0),
            px(bar * scale),
            px(top + side - 12.0),
            length(bar),
            px(top + 13.0)
        );
    }

    fn residuals(&self, svg: &mut String) {
        let (left, top, width) = BARS;
        let heard: Vec<(&Mark, f64, f64)> = self
            .stations
            .iter()
            .filter_map(|s| match s.did {
                Did::Hear { residual_s, sigma_s } => Some((s, residual_s, sigma_s)),
                Did::Nothing | Did::Down => None,
            })
            .collect();
        let limit = heard.iter().map(|(_, r, s)| r.abs().max(2.0 * s)).fold(0.05, f64::max) * 1.1;
        let x = |s: f64| left + width / 2.0 * (1.0 + s / limit);
        let step = ((HEIGHT - top - 60.0) / heard.len().clamp(1, ROWS) as f64).min(22.0);
        let shown = heard.len().min(ROWS);
        let bottom = top + step * shown as f64;
        let _ = writeln!(
            svg,
            "<text x=\"{0}\" y=\"{1}\" font-weight=\"bold\">Arrivals, nearest first: how late, s</text>\
             <line x1=\"{2}\" x2=\"{2}\" y1=\"{top}\" y2=\"{3}\" stroke=\"#999\"/>\
             <text x=\"{4}\" y=\"{1}\" text-anchor=\"end\">nats</text>",
            px(left - 100.0),
            px(top - 14.0),
            px(x(0.0)),
            px(bottom),
            px(WIDTH - 16.0)
        );
        for (row, (s, residual, sigma)) in heard.iter().take(ROWS).enumerate() {
            let y = top + step * (row as f64 + 0.5);
            let (from, to) = if *residual < 0.0 { (*residual, 0.0) } else { (0.0, *residual) };
            let (early, late) = (px(x(-2.0 * sigma)), px(x(2.0 * sigma)));
            let (middle, base) = (px(y), px(y + 4.0));
            let (thick, thin) = (px((step * 0.7).max(2.0)), px((step * 0.3).max(1.5)));
            let (start, long) = (px(x(from)), px((x(to) - x(from)).max(1.0)));
            let (bar_top, name_x, nats_x) = (px(y - step * 0.15), px(left - 8.0), px(WIDTH - 16.0));
            let (name, nats) = (escaped(s.row().trim()), s.nats);
            let _ = writeln!(
                svg,
                "<text x=\"{name_x}\" y=\"{base}\" text-anchor=\"end\" font-size=\"11\">{name}</text>\
                 <line x1=\"{early}\" x2=\"{late}\" y1=\"{middle}\" y2=\"{middle}\" stroke=\"#ddd\" stroke-width=\"{thick}\"><title>two standard deviations</title></line>\
                 <rect x=\"{start}\" y=\"{bar_top}\" width=\"{long}\" height=\"{thin}\" fill=\"{HEARD}\"/>\
                 <text x=\"{nats_x}\" y=\"{base}\" text-anchor=\"end\" font-size=\"11\">{nats:+.1}</text>"
            );
        }
        for tick in [-1.0, 1.0].map(|sign| sign * round_down(limit)) {
            let _ = writeln!(
                svg,
                "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\" font-size=\"10\" fill=\"#777\">{tick:+}</text>",
                px(x(tick)),
                px(bottom + 14.0)
            );
        }
        let rest = heard.len().saturating_sub(ROWS);
        if rest > 0 {
            let _ = writeln!(
                svg,
                "<text x=\"{}\" y=\"{}\" font-size=\"11\">and {rest} more, farther away</text>",
                px(left - 100.0),
                px(bottom + 32.0)
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(name: &str, at: (f64, f64)) -> Mark {
        let did = Did::Hear { residual_s: 0.01, sigma_s: 0.05 };
        let name = name.to_owned();
        Mark { name, wave: String::new(), at, from_deg: None, chance: 0.9, nats: 9.0, did }
    }

    #[test]
    fn names_do_not_cover_each_other_and_none_is_lost() {
        let picture = EventPicture {
            title: "Event".to_owned(),
            description: "three of one village, and one apart".to_owned(),
            stations: vec![
                heard("Alpha", (4_000.0, 0.0)),
                heard("Bravo", (4_010.0, 5.0)),
                heard("Charlie", (4_020.0, 10.0)),
                heard("Delta", (-9_000.0, 9_000.0)),
            ],
            elsewhere: Vec::new(),
            covariance: [100.0, 0.0, 100.0],
        };
        let svg = picture.svg();
        let beside = |name: &str| svg.contains(&format!("\">{name}</text>\n"));
        // Right of them and left of them there is room for one name each.
        assert!(beside("Alpha") && beside("Bravo") && beside("Delta"), "{svg}");
        assert!(!beside("Charlie"), "{svg}");
        assert!(svg.contains("<title>Charlie: heard it"), "{svg}");
    }
}
