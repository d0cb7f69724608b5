//! One-to-one matching of true and proposed events: the most pairs, and among
//! those the least cost.

use crate::globe;

/// Mean radius of the earth, km (IUGG).
const RADIUS_KM: f64 = 6_371.0;

/// Where an event is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place {
    /// On a plane, km to the east and to the north.
    Plane(f64, f64),
    /// On a sphere, degrees north and east.
    Sphere(f64, f64),
}

impl Place {
    /// How far another place lies to the east and to the north, km.
    pub(crate) fn off(self, to: Self) -> (f64, f64) {
        match (self, to) {
            (Self::Plane(x, y), Self::Plane(to_x, to_y)) => (to_x - x, to_y - y),
            (Self::Sphere(lat, lon), Self::Sphere(to_lat, to_lon)) => {
                let (deg, azimuth) = globe::way((lat, lon), (to_lat, to_lon));
                let (km, azimuth) = (deg.to_radians() * RADIUS_KM, azimuth.to_radians());
                (km * libm::sin(azimuth), km * libm::cos(azimuth))
            }
            _ => (f64::NAN, f64::NAN),
        }
    }
}

/// Time and place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Point {
    pub(crate) t_s: f64,
    pub(crate) place: Place,
}

/// How far apart a pair may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tolerance {
    pub(crate) t_s: f64,
    pub(crate) x_km: f64,
}

impl Tolerance {
    /// Cost of a pair, 0 to 2; `None` if too far apart in time or in place.
    pub(crate) fn cost(self, a: Point, b: Point) -> Option<f64> {
        let time = libm::fabs(a.t_s - b.t_s) / self.t_s;
        if time > 1.0 {
            return None;
        }
        let (east, north) = a.place.off(b.place);
        let place = libm::hypot(east, north) / self.x_km;
        (place <= 1.0).then_some(time + place)
    }
}

/// What another pair is worth, in units of cost: more than any component of a
/// few hundred pairs can save by having one less.
const PAIR: f64 = 1e3;
/// The cost of what is no pair.
const NONE: f64 = 1e6;

/// Pairs of indices, first in `left`, then in `right`.
pub(crate) fn matched(
    left: &[Point],
    right: &[Point],
    tolerance: Tolerance,
) -> Vec<(usize, usize)> {
    let mut by_time: Vec<usize> = (0..right.len()).filter(|i| right[*i].t_s.is_finite()).collect();
    by_time.sort_by(|a, b| right[*a].t_s.total_cmp(&right[*b].t_s));
    let mut edges = Vec::new();
    for (i, point) in left.iter().enumerate() {
        let from = by_time.partition_point(|j| right[*j].t_s < point.t_s - tolerance.t_s * 1.0001);
        for j in &by_time[from..] {
            if right[*j].t_s > point.t_s + tolerance.t_s * 1.0001 {
                break;
            }
            if let Some(cost) = tolerance.cost(*point, right[*j]) {
                edges.push((i, *j, cost));
            }
        }
    }
    let mut pairs = Vec::new();
    for component in components(left.len(), right.len(), &edges) {
        if let [(i, j, _)] = component[..] {
            pairs.push((i, j));
            continue;
        }
        let mut rows: Vec<usize> = component.iter().map(|(i, _, _)| *i).collect();
        let mut columns: Vec<usize> = component.iter().map(|(_, j, _)| *j).collect();
        rows.sort_unstable();
        rows.dedup();
        columns.sort_unstable();
        columns.dedup();
        let mut costs = vec![vec![NONE; columns.len()]; rows.len()];
        for (i, j, cost) in component {
            let row = rows.binary_search(&i).expect("it was put there");
            let column = columns.binary_search(&j).expect("it was put there");
            costs[row][column] = cost - PAIR;
        }
        for (row, column) in assignment(&costs) {
            if costs[row][column] < NONE / 2.0 {
                pairs.push((rows[row], columns[column]));
            }
        }
    }
    pairs.sort_unstable();
    pairs
}

type Edge = (usize, usize, f64);

/// The representative of a component, with the way there halved.
fn root(parent: &mut [usize], mut of: usize) -> usize {
    while parent[of] != of {
        parent[of] = parent[parent[of]];
        of = parent[of];
    }
    of
}

/// Edges by connected component.
fn components(left: usize, right: usize, edges: &[Edge]) -> Vec<Vec<Edge>> {
    let mut parent: Vec<usize> = (0..left + right).collect();
    for (i, j, _) in edges {
        let (a, b) = (root(&mut parent, *i), root(&mut parent, left + j));
        parent[a] = b;
    }
    let mut groups: std::collections::BTreeMap<usize, Vec<Edge>> =
        std::collections::BTreeMap::new();
    for edge in edges {
        groups.entry(root(&mut parent, edge.0)).or_default().push(*edge);
    }
    groups.into_values().collect()
}

/// The cheapest assignment of all rows, or of all columns if there are fewer
/// (Kuhn-Munkres by shortest augmenting paths; Jonker and Volgenant 1987).
fn assignment(costs: &[Vec<f64>]) -> Vec<(usize, usize)> {
    let (n, m) = (costs.len(), costs[0].len());
    if n > m {
        let turned: Vec<Vec<f64>> =
            (0..m).map(|j| costs.iter().map(|row| row[j]).collect()).collect();
        return assignment(&turned).into_iter().map(|(j, i)| (i, j)).collect();
    }
    // Row and column 0 stand for "nothing yet".
    let mut row_price = vec![0.0; n + 1];
    let mut column_price = vec![0.0; m + 1];
    let mut row_of = vec![0usize; m + 1];
    for row in 1..=n {
        row_of[0] = row;
        let mut column = 0;
        let mut least = vec![f64::INFINITY; m + 1];
        let mut from = vec![0usize; m + 1];
        let mut done = vec![false; m + 1];
        loop {
            done[column] = true;
            let at = row_of[column];
            let (mut delta, mut next) = (f64::INFINITY, 0);
            for j in 1..=m {
                if done[j] {
                    continue;
                }
                let reduced = costs[at - 1][j - 1] - row_price[at] - column_price[j];
                if reduced < least[j] {
                    least[j] = reduced;
                    from[j] = column;
                }
                if least[j] < delta {
                    delta = least[j];
                    next = j;
                }
            }
            for j in 0..=m {
                if done[j] {
                    row_price[row_of[j]] += delta;
                    column_price[j] -= delta;
                } else {
                    least[j] -= delta;
                }
            }
            column = next;
            if row_of[column] == 0 {
                break;
            }
        }
        while column != 0 {
            row_of[column] = row_of[from[column]];
            column = from[column];
        }
    }
    (1..=m).filter(|j| row_of[*j] != 0).map(|j| (row_of[j] - 1, j - 1)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(t_s: f64) -> Point {
        Point { t_s, place: Place::Plane(0.0, 0.0) }
    }

    const TOLERANCE: Tolerance = Tolerance { t_s: 1.0, x_km: 1.5 };

    #[test]
    fn more_pairs_win_over_closer_ones() {
        // The middle one is nearest to the first, but then the second goes without.
        let left = [at(0.0), at(1.0)];
        let right = [at(0.4), at(-0.9)];
        assert_eq!(matched(&left, &right, TOLERANCE), [(0, 1), (1, 0)]);
    }

    #[test]
    fn too_far_in_time_or_in_place_is_no_pair() {
        assert!(matched(&[at(0.0)], &[at(1.01)], TOLERANCE).is_empty());
        let aside = Point { place: Place::Plane(1.51, 0.0), ..at(0.0) };
        assert!(matched(&[at(0.0)], &[aside], TOLERANCE).is_empty());
    }

    #[test]
    fn on_a_sphere_the_date_line_is_no_border() {
        let near = |lat, lon| Point { t_s: 0.0, place: Place::Sphere(lat, lon) };
        let tolerance = Tolerance { t_s: 1.0, x_km: 500.0 };
        assert_eq!(matched(&[near(10.0, 179.0)], &[near(11.0, -178.0)], tolerance), [(0, 0)]);
        assert!(matched(&[near(10.0, 179.0)], &[near(10.0, 174.0)], tolerance).is_empty());
    }

    #[test]
    fn the_assignment_is_the_best_of_all() {
        // Against every permutation, on made-up costs.
        let mut chance = chance::Chance::new(1, "assignment");
        for _ in 0..200 {
            let (n, m) = (1 + chance.below(4), 1 + chance.below(5));
            let costs: Vec<Vec<f64>> =
                (0..n).map(|_| (0..m).map(|_| chance.between(-5.0, 5.0)).collect()).collect();
            let found: f64 = assignment(&costs).iter().map(|(i, j)| costs[*i][*j]).sum();
            let best = best_of_all(&costs, 0, &mut vec![false; m], n.saturating_sub(m));
            assert!((found - best).abs() < 1e-9, "{found} {best}");
        }
    }

    fn best_of_all(costs: &[Vec<f64>], row: usize, used: &mut Vec<bool>, skips: usize) -> f64 {
        if row == costs.len() {
            return 0.0;
        }
        let mut best = f64::INFINITY;
        if skips > 0 {
            best = best_of_all(costs, row + 1, used, skips - 1);
        }
        for j in 0..used.len() {
            if !used[j] {
                used[j] = true;
                best = best.min(costs[row][j] + best_of_all(costs, row + 1, used, skips));
                used[j] = false;
            }
        }
        best
    }
}
