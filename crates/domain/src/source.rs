//! Who observes: a sensor, a satellite product, a patrol, an authority, a
//! publisher. Reports are never stronger than their source.

use serde::{Deserialize, Serialize};

/// What kind of observer it is. Decides which part its word may play: reports
/// by parties, press and public never fill a slot of the structure rule
/// (VERIFICATION E5, check 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceKind {
    /// Thermal or optical satellite product.
    Satellite,
    /// Microphone, array, infrasound.
    Acoustic,
    /// Seismometer.
    Seismic,
    /// Fixed camera.
    Camera,
    /// Patrol of the mission.
    Patrol,
    /// Uncrewed aircraft of the mission.
    Uav,
    /// A public service that reports its own acts, such as air-raid alerts.
    Authority,
    /// A party to the conflict, speaking about it.
    Party,
    /// Press, agencies, social media, and data sets made from them.
    Press,
    /// Data set curated by researchers.
    Research,
    /// Map of who holds which ground.
    ControlMap,
    /// Place names, boundaries, land use.
    Reference,
}

impl SourceKind {
    /// True for instruments: their detections are physical measurements.
    pub const fn is_physical(self) -> bool {
        matches!(self, Self::Satellite | Self::Acoustic | Self::Seismic | Self::Camera | Self::Uav)
    }

    /// True for the instruments and people that a mission has of its own.
    pub const fn is_of_mission(self) -> bool {
        matches!(self, Self::Acoustic | Self::Seismic | Self::Camera | Self::Patrol | Self::Uav)
    }

    /// Whether such a source works in the dark unless its declaration says
    /// otherwise: an optical camera does not, whoever listens does.
    pub const fn sees_in_the_dark(self) -> bool {
        !matches!(self, Self::Camera | Self::Uav)
    }

    /// The code used in files and shown to people.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Satellite => "satellite",
            Self::Acoustic => "acoustic",
            Self::Seismic => "seismic",
            Self::Camera => "camera",
            Self::Patrol => "patrol",
            Self::Uav => "uav",
            Self::Authority => "authority",
            Self::Party => "party",
            Self::Press => "press",
            Self::Research => "research",
            Self::ControlMap => "control_map",
            Self::Reference => "reference",
        }
    }
}

/// What is known of when a source was looking.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "basis", deny_unknown_fields)]
pub enum EffortBasis {
    /// The source delivers its own effort (overpasses, patrol logs, outages):
    /// what no effort entry covers was not observed.
    Logged,
    /// Somebody states that it was up throughout; `why` says on what ground.
    Stated {
        /// First moment.
        from: jiff::Timestamp,
        /// Moment after the last.
        to: jiff::Timestamp,
        /// The ground for the statement.
        why: String,
    },
    /// Nothing is known: a day counts as observed only if a row of that day
    /// shows that the source was alive; silence is "not observed".
    Rows,
}

/// A declared source.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Short name, unique in the mission, never reused.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// Who runs it.
    pub operator: String,
    /// Sources that share a group may share an error or an origin, and count
    /// as one line of evidence.
    pub independence_group: String,
    /// What it is.
    pub kind: SourceKind,
    /// Version of the model of how well it performs.
    pub model: String,
    /// When it was looking.
    pub effort: EffortBasis,
    /// Whether it works in the dark; if nothing is stated, as its kind does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub night: Option<bool>,
    /// Reliability by the Admiralty code, A to F, as declared; it stands until
    /// enough of its cases are decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reliability: Option<char>,
    /// Where the data come from, to be printed beside every figure.
    pub citation: String,
    /// Terms of use.
    pub licence: String,
}

impl Source {
    /// Whether it works in the dark.
    pub fn sees_in_the_dark(&self) -> bool {
        self.night.unwrap_or(self.kind.sees_in_the_dark())
    }
}
