//! Spoofed positions (VERIFICATION D3): a track that says one thing by
//! satellite navigation and another without keeps both, and is flagged when
//! they cannot both be right.

use domain::LatLon;

/// A position with its error, by one method.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fix {
    /// Where.
    pub at: LatLon,
    /// One standard deviation per axis, metres.
    pub sigma_m: f64,
}

/// Two fixes of one platform at one moment: both are kept.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Compared {
    /// By satellite navigation.
    pub navigation: Fix,
    /// Solved without it: visual, inertial or by multilateration.
    pub independent: Fix,
    /// Distance between them, metres.
    pub apart_m: f64,
    /// True if they contradict one another.
    pub spoofed: bool,
}

/// Chi-square with two degrees of freedom passes this once in a thousand.
const CHI_SQUARE_LIMIT: f64 = 13.815_510_557_964_274;

/// Holds two fixes against one another.
pub fn compare(navigation: Fix, independent: Fix) -> Compared {
    let apart_m = navigation.at.distance_m(independent.at);
    let variance =
        navigation.sigma_m * navigation.sigma_m + independent.sigma_m * independent.sigma_m;
    let spoofed = apart_m * apart_m > CHI_SQUARE_LIMIT * variance.max(1.0);
    Compared { navigation, independent, apart_m, spoofed }
}

/// Whether any of several pairs of fixes along a track is spoofed; then the
/// whole track may not carry a zone decision.
pub fn track_is_spoofed(pairs: &[(Fix, Fix)]) -> bool {
    pairs.iter().any(|(navigation, independent)| compare(*navigation, *independent).spoofed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d3_a_track_displaced_by_five_kilometres_is_flagged() {
        let fix = |lat, lon, sigma_m| Fix { at: LatLon::new(lat, lon).unwrap(), sigma_m };
        // 0.045 degrees of latitude are 5.0 km.
        let spoofed: Vec<_> = (0..5)
            .map(|step| {
                let lon = 37.0 + f64::from(step) * 0.01;
                (fix(48.045, lon, 10.0), fix(48.0, lon, 400.0))
            })
            .collect();
        assert!(track_is_spoofed(&spoofed));
        let honest: Vec<_> =
            (0..5).map(|_| (fix(48.002, 37.0, 10.0), fix(48.0, 37.0, 400.0))).collect();
        assert!(!track_is_spoofed(&honest));
        let compared = compare(spoofed[0].0, spoofed[0].1);
        assert!((compared.apart_m - 5000.0).abs() < 20.0, "{}", compared.apart_m);
        assert_eq!(compared.navigation, spoofed[0].0, "both values are kept");
    }
}
