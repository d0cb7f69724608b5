//! Wind and temperature as they are, and as they were forecast.

use chance::Chance;

use crate::land::Line;
use crate::plane::Spot;
use crate::scenario::Front;
use crate::sheet;

/// Wind to the east and to the north, m/s, and temperature, C.
pub(crate) type Air = [f64; 3];

/// Values at places along the line and at full hours.
#[derive(Clone, Debug)]
pub(crate) struct Medium {
    /// Where, from south to north.
    pub(crate) nodes: Vec<Spot>,
    /// Number of hours, from the beginning.
    pub(crate) hours: usize,
    /// As it is: node by node, hour by hour.
    truth: Vec<Air>,
    /// As it was forecast.
    forecast: Vec<Air>,
}

/// Distance between nodes, km, about.
const SPACING_KM: f64 = 50.0;
/// Correlation of what changes about the mean from one hour to the next, and
/// over [`SPACING_KM`].
const WEATHER: (f64, f64) = (0.8, 0.7);
/// The same for the error of the forecast.
const ERROR: (f64, f64) = (0.7, 0.6);
/// Change of the wind about its mean, and of temperature, standard deviations.
const CHANGE: Air = [1.5, 1.5, 0.5];
/// Half of the difference between noon and night, K.
const DAY_K: f64 = 5.0;

impl Medium {
    /// The air over a front.
    pub(crate) fn new(front: &Front, line: &Line, seed: u64) -> Self {
        let mut chance = Chance::new(seed, "medium");
        let count = (libm::round(front.front_km / SPACING_KM) as usize).max(2) + 1;
        let step_km = front.front_km / (count - 1) as f64;
        let nodes: Vec<Spot> = (0..count)
            .map(|index| {
                let y_km = -front.front_km / 2.0 + index as f64 * step_km;
                Spot { x_km: line.x_km(y_km), y_km }
            })
            .collect();
        let hours = libm::ceil(front.hours) as usize + 2;
        let mean: Air = [
            front.wind * 0.8 * chance.normal(),
            front.wind * 0.8 * chance.normal(),
            5.0 + 4.0 * chance.normal(),
        ];
        let weather = field(count, hours, WEATHER, &mut chance);
        let error = field(count, hours, ERROR, &mut chance);
        let error_sd: Air = [front.wind_err, front.wind_err, front.temp_err];
        let mut truth = Vec::with_capacity(count * hours);
        let mut forecast = Vec::with_capacity(count * hours);
        for index in 0..count * hours {
            let hour = (index % hours) as f64;
            // Coldest at three in the morning.
            let day_k = -DAY_K * libm::cos(std::f64::consts::TAU * (hour - 3.0) / 24.0);
            let mut air: Air = std::array::from_fn(|i| mean[i] + CHANGE[i] * weather[index][i]);
            air[2] += day_k + DAY_K / 2.0;
            truth.push(air);
            forecast.push(std::array::from_fn(|i| air[i] + error_sd[i] * error[index][i]));
        }
        Self { nodes, hours, truth, forecast }
    }

    /// The air at a northing and a time.
    pub(crate) fn truth(&self, y_km: f64, t_s: f64) -> Air {
        let (first, last) = (self.nodes[0].y_km, self.nodes[self.nodes.len() - 1].y_km);
        let along = (y_km - first) / (last - first) * (self.nodes.len() - 1) as f64;
        let along = along.clamp(0.0, (self.nodes.len() - 1) as f64);
        let hour = (t_s / 3600.0).clamp(0.0, (self.hours - 1) as f64);
        let (node, a) = split(along, self.nodes.len());
        let (whole, b) = split(hour, self.hours);
        let at = |node: usize, hour: usize| &self.truth[node * self.hours + hour];
        let corners =
            [at(node, whole), at(node, whole + 1), at(node + 1, whole), at(node + 1, whole + 1)];
        std::array::from_fn(|i| {
            (1.0 - a) * ((1.0 - b) * corners[0][i] + b * corners[1][i])
                + a * ((1.0 - b) * corners[2][i] + b * corners[3][i])
        })
    }

    /// The forecast at a node and a full hour.
    pub(crate) fn forecast(&self, node: usize, hour: usize) -> Air {
        self.forecast[node * self.hours + hour]
    }
}

/// The cell of a coordinate in a row of so many points, and how far into it.
fn split(along: f64, count: usize) -> (usize, f64) {
    let cell = (along as usize).min(count - 2);
    (cell, along - cell as f64)
}

/// Standard normal values with a correlation between hours and between nodes.
fn field(
    count: usize,
    hours: usize,
    (by_hour, by_node): (f64, f64),
    chance: &mut Chance,
) -> Vec<Air> {
    let mut all = vec![[0.0; 3]; count * hours];
    let fresh = |correlation: f64| (1.0 - correlation * correlation).sqrt();
    for hour in 0..hours {
        let mut innovation = [0.0; 3];
        for node in 0..count {
            for value in &mut innovation {
                let draw = chance.normal();
                *value = if node == 0 { draw } else { by_node * *value + fresh(by_node) * draw };
            }
            all[node * hours + hour] = if hour == 0 {
                innovation
            } else {
                let before = all[node * hours + hour - 1];
                std::array::from_fn(|i| by_hour * before[i] + fresh(by_hour) * innovation[i])
            };
        }
    }
    all
}

/// How fast sound goes along a path: speed in still air plus the wind along a
/// unit vector (east, north).
pub(crate) fn speed_m_s(air: Air, along: (f64, f64)) -> (f64, f64) {
    let wind = air[0] * along.0 + air[1] * along.1;
    (sheet::sound_m_s(air[2]), wind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_have_unit_scatter_and_the_correlation_asked_for() {
        let mut chance = Chance::new(3, "field");
        let (count, hours) = (40, 400);
        let all = field(count, hours, (0.7, 0.6), &mut chance);
        let at = |node: usize, hour: usize| all[node * hours + hour][0];
        let mean = |f: &dyn Fn(usize, usize) -> f64| {
            let mut sum = 0.0;
            for node in 0..count - 1 {
                for hour in 0..hours - 1 {
                    sum += f(node, hour);
                }
            }
            sum / ((count - 1) * (hours - 1)) as f64
        };
        let variance = mean(&|n, h| at(n, h) * at(n, h));
        let in_time = mean(&|n, h| at(n, h) * at(n, h + 1)) / variance;
        let in_space = mean(&|n, h| at(n, h) * at(n + 1, h)) / variance;
        assert!((variance - 1.0).abs() < 0.1, "{variance}");
        assert!(
            (in_time - 0.7).abs() < 0.05 && (in_space - 0.6).abs() < 0.05,
            "{in_time} {in_space}"
        );
    }
}
