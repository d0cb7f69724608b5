//! The monitoring and verification mechanism: who leads it, who sits in it,
//! what it may do, and how sure it is that any of this is agreed.

use serde::{Deserialize, Serialize};

use crate::citation::{Citation, Localised};
use crate::guarantor::Modality;
use crate::reading::Contested;

/// What a mechanism or a body of it may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mandate {
    /// Look.
    Observe,
    /// Tell.
    Report,
    /// Go and see after an allegation.
    Investigate,
    /// Confirm or refute.
    Verify,
    /// Take up breaches.
    AddressBreaches,
    /// Say who is responsible.
    Attribute,
    /// Say what is to be done.
    Remedy,
    /// Bring parties together.
    Facilitate,
    /// Receive what the parties report.
    ReceiveReports,
}

impl Mandate {
    /// In words.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Observe => "observe",
            Self::Report => "report",
            Self::Investigate => "investigate",
            Self::Verify => "verify",
            Self::AddressBreaches => "address breaches",
            Self::Attribute => "attribute responsibility",
            Self::Remedy => "determine remedies",
            Self::Facilitate => "facilitate",
            Self::ReceiveReports => "receive reports of the parties",
        }
    }
}

/// By what means it looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Means {
    /// Satellites.
    Satellite,
    /// Uncrewed aircraft.
    Uav,
    /// Cameras on the ground.
    Camera,
    /// Acoustic and seismic sensors.
    Acoustic,
    /// Radar.
    Radar,
    /// People on the ground.
    Patrol,
    /// Liaison with the parties.
    Liaison,
    /// Documents of the parties: inventories, notifications.
    Document,
}

impl Means {
    /// In words.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Satellite => "satellites",
            Self::Uav => "uncrewed aircraft",
            Self::Camera => "cameras",
            Self::Acoustic => "acoustic and seismic sensors",
            Self::Radar => "radar",
            Self::Patrol => "patrols",
            Self::Liaison => "liaison with the parties",
            Self::Document => "documents of the parties",
        }
    }
}

/// The mechanism.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mechanism {
    /// Name.
    pub name: Localised,
    /// Who leads it; ids of guarantors or parties. Contested or undecided leads
    /// are readings.
    pub lead: Contested<Vec<String>>,
    /// Who takes part.
    #[serde(default)]
    pub members: Vec<String>,
    /// What it may do.
    pub mandate: Contested<Vec<Mandate>>,
    /// By what means.
    #[serde(default)]
    pub means: Vec<Means>,
    /// With what force it was said.
    pub modality: Contested<Modality>,
    /// Who says so.
    pub asserted_by: String,
    /// Its bodies.
    #[serde(default)]
    pub body: Vec<Body>,
    /// Who does what in it.
    #[serde(default)]
    pub role: Vec<Role>,
    /// Where it is laid down.
    #[serde(default)]
    pub citation: Citation,
    /// What a reader must know.
    #[serde(default)]
    pub note: String,
}

/// A commission, a centre, a cell.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Body {
    /// Short name.
    pub id: String,
    /// Name.
    pub name: Localised,
    /// Who chairs it, if stated.
    pub chair: Option<String>,
    /// Who sits in it, as far as named.
    #[serde(default)]
    pub seats: Vec<String>,
    /// What it may do.
    pub mandate: Contested<Vec<Mandate>>,
    /// Where it is laid down.
    #[serde(default)]
    pub citation: Citation,
    /// What a reader must know.
    #[serde(default)]
    pub note: String,
}

/// An actor's role, with its own modality.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Role {
    /// Who.
    pub actor: String,
    /// Does what.
    pub does: Vec<Mandate>,
    /// With what force it was said.
    pub modality: Modality,
    /// Who says so.
    pub asserted_by: String,
    /// Where.
    #[serde(default)]
    pub citation: Citation,
}
