//! A plane to work in: transverse Mercator about the middle of the network,
//! metres. Lengths in it are divided by the local scale, so that a network as
//! wide as a continent is measured as well as a small one.

use std::f64::consts::PI;

/// Half the larger axis of WGS 84, metres.
const A: f64 = 6_378_137.0;
/// Flattening of WGS 84.
const F: f64 = 1.0 / 298.257_223_563;
const RADIANS: f64 = PI / 180.0;

/// Transverse Mercator on WGS 84, scale 1 on its middle meridian. Series of
/// Krueger to n^4 (Karney 2011, J. Geod. 85, 475-485): below 1 mm within
/// 1,500 km of the meridian.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plane {
    lon0: f64,
    north0: f64,
    radius: f64,
    alpha: [f64; 4],
    beta: [f64; 4],
}

impl Plane {
    /// A plane with its origin at a position in degrees.
    pub fn new(lat0: f64, lon0: f64) -> Self {
        let n = F / (2.0 - F);
        let (n2, n3, n4) = (n * n, n * n * n, n * n * n * n);
        let mut plane = Self {
            lon0: lon0 * RADIANS,
            north0: 0.0,
            radius: A / (1.0 + n) * (1.0 + n2 / 4.0 + n4 / 64.0),
            alpha: [
                n / 2.0 - 2.0 * n2 / 3.0 + 5.0 * n3 / 16.0 + 41.0 * n4 / 180.0,
                13.0 * n2 / 48.0 - 3.0 * n3 / 5.0 + 557.0 * n4 / 1440.0,
                61.0 * n3 / 240.0 - 103.0 * n4 / 140.0,
                49561.0 * n4 / 161280.0,
            ],
            beta: [
                n / 2.0 - 2.0 * n2 / 3.0 + 37.0 * n3 / 96.0 - n4 / 360.0,
                n2 / 48.0 + n3 / 15.0 - 437.0 * n4 / 1440.0,
                17.0 * n3 / 480.0 - 37.0 * n4 / 840.0,
                4397.0 * n4 / 161280.0,
            ],
        };
        plane.north0 = plane.forward(lat0, lon0).1;
        plane
    }

    /// Degrees to metres east and north of the origin.
    pub fn forward(&self, lat: f64, lon: f64) -> (f64, f64) {
        let e = libm::sqrt(F * (2.0 - F));
        let sin = libm::sin(lat.clamp(-89.999, 89.999) * RADIANS);
        let mut l = lon * RADIANS - self.lon0;
        l -= 2.0 * PI * libm::round(l / (2.0 * PI));
        let l = l.clamp(-80.0 * RADIANS, 80.0 * RADIANS);
        let t = libm::sinh(libm::atanh(sin) - e * libm::atanh(e * sin));
        let xi = libm::atan2(t, libm::cos(l));
        let eta = libm::atanh(libm::sin(l) / libm::sqrt(1.0 + t * t));
        let (mut x, mut y) = (eta, xi);
        for (j, a) in self.alpha.iter().enumerate() {
            let k = 2.0 * (j + 1) as f64;
            x += a * libm::cos(k * xi) * libm::sinh(k * eta);
            y += a * libm::sin(k * xi) * libm::cosh(k * eta);
        }
        (self.radius * x, self.radius * y - self.north0)
    }

    /// Metres back to degrees: latitude, longitude.
    pub fn inverse(&self, x: f64, y: f64) -> (f64, f64) {
        let (xi, eta) = ((y + self.north0) / self.radius, x / self.radius);
        let (mut xp, mut ep) = (xi, eta);
        for (j, b) in self.beta.iter().enumerate() {
            let k = 2.0 * (j + 1) as f64;
            xp -= b * libm::sin(k * xi) * libm::cosh(k * eta);
            ep -= b * libm::cos(k * xi) * libm::sinh(k * eta);
        }
        let sinh = libm::sinh(ep);
        let cos = libm::cos(xp);
        let target = libm::sin(xp) / libm::sqrt(sinh * sinh + cos * cos);
        let e2 = F * (2.0 - F);
        let e = libm::sqrt(e2);
        let mut tau = target;
        for _ in 0..5 {
            let root = libm::sqrt(1.0 + tau * tau);
            let s = libm::sinh(e * libm::atanh(e * tau / root));
            let tp = tau * libm::sqrt(1.0 + s * s) - s * root;
            tau += (target - tp) / libm::sqrt(1.0 + tp * tp) * (1.0 + (1.0 - e2) * tau * tau)
                / ((1.0 - e2) * root);
        }
        let lon = (self.lon0 + libm::atan2(sinh, cos)) / RADIANS;
        (libm::atan(tau) / RADIANS, lon - 360.0 * libm::round(lon / 360.0))
    }

    /// Local scale of the plane at a place so far east, 1 on the meridian.
    pub fn scale(&self, x: f64) -> f64 {
        libm::cosh(x / self.radius)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let plane = Plane::new(49.0, 37.0);
        for (lat, lon) in [(49.0, 37.0), (44.1, 36.2), (54.0, 39.9), (48.2, 25.0)] {
            let (x, y) = plane.forward(lat, lon);
            let (a, b) = plane.inverse(x, y);
            assert!((a - lat).abs() < 1e-9 && (b - lon).abs() < 1e-9, "{lat} {lon}: {a} {b}");
        }
        // A station of a published training set: 48.4811187, 37.0295139.
        let (x, y) = plane.forward(48.481_118_7, 37.029_513_9);
        assert!((x - 2181.93).abs() < 0.02 && (y + 57701.62).abs() < 0.02, "{x} {y}");
    }
}
