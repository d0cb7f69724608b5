//! What goes in, as plain values.

/// A sensor with a fixed place.
#[derive(Clone, Debug, PartialEq)]
pub struct Station {
    /// Its name in the files.
    pub name: String,
    /// Degrees north.
    pub lat: f64,
    /// Degrees east.
    pub lon: f64,
    /// Metres above the ellipsoid.
    pub elev_m: f64,
}

/// An arrival picked at a station.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Detection {
    /// Index into the stations.
    pub station: u32,
    /// Time of arrival by the station's clock, seconds since the zero of the set.
    pub t_s: f64,
    /// Level, dB.
    pub amp_db: f32,
    /// Level over the noise of the moment, dB.
    pub snr_db: f32,
    /// Direction that it came from, if the station is an array.
    pub from: Option<BackAzimuth>,
    /// Number of the row, for the caller to know it again.
    pub row: u32,
}

/// The direction that an arrival came from, as an array found it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BackAzimuth {
    /// Degrees from true north to the east, from the station to the source.
    pub deg: f32,
    /// Standard deviation, degrees; none takes that of the model.
    pub sigma_deg: Option<f32>,
}

/// Forecast of the air at a place and time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MetNode {
    /// Seconds since the zero of the set.
    pub t_s: f64,
    /// Degrees north.
    pub lat: f64,
    /// Degrees east.
    pub lon: f64,
    /// Wind towards the east, m/s.
    pub wind_e: f64,
    /// Wind towards the north, m/s.
    pub wind_n: f64,
    /// Temperature, degrees Celsius.
    pub temp_c: f64,
}

/// A time in which a station is known to have been down.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outage {
    /// Index into the stations.
    pub station: u32,
    /// Seconds since the zero of the set.
    pub start_s: f64,
    /// Seconds since the zero of the set.
    pub end_s: f64,
}
