//! The numbers of the verification criterion. They belong into the agreement
//! and are published before entry into force; where the agreement is silent,
//! those of VERIFICATION E3 and E5 stand.

use std::collections::BTreeMap;

use domain::SourceKind;
use domain::case::Severity;
use domain::taxonomy::Class;

/// Thresholds of one class.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Thresholds {
    /// S2: P(event) for *corroborated*.
    pub corroborated: f64,
    /// S3: P(event) for *verified*.
    pub verified: f64,
    /// S4: P(actor) for a published attribution.
    pub actor: f64,
    /// S5: P(event) and P(actor).
    pub overwhelming: f64,
}

/// All numbers that the fold reads.
#[derive(Clone, Debug, PartialEq)]
pub struct Rules {
    /// Thresholds where no class has its own.
    pub thresholds: Thresholds,
    /// Thresholds of single classes.
    pub by_class: BTreeMap<Class, Thresholds>,
    /// Check 3: P(in the zone).
    pub place: f64,
    /// Check 4: P(in force).
    pub time: f64,
    /// Check 6: an alternative may be at most this likely against the finding.
    pub alternative_odds: f64,
    /// An alternative this likely refutes.
    pub refuting: f64,
    /// A calibration counts for so many days.
    pub calibration_days: i64,
    /// Largest expected calibration error.
    pub calibration_error: f64,
    /// Fewest cases of a calibration.
    pub calibration_cases: u32,
    /// Length of the reply window, seconds.
    pub reply_window_s: i64,
    /// Contingents whose witnesses make a quorum.
    pub witness_quorum: usize,
    /// Members of the attribution panel, the chair included.
    pub panel: usize,
    /// Contingents behind a published attribution.
    pub attribution_contingents: usize,
    /// Ids of the parties. An officer of such a contingent is of a party.
    pub parties: Vec<String>,
    /// Whether a key may sign only once the head of its contingent has
    /// countersigned it: the mission alone can then invent nobody.
    pub countersigned: bool,
    /// Log-odds of the event before any evidence.
    pub prior_log_odds: f64,
}

impl Rules {
    /// The numbers of VERIFICATION E3 and E5, for agreements that have none.
    pub fn proposed(parties: Vec<String>) -> Self {
        Self {
            thresholds: Thresholds {
                corroborated: 0.80,
                verified: 0.90,
                actor: 0.90,
                overwhelming: 0.97,
            },
            by_class: BTreeMap::new(),
            place: 0.95,
            time: 0.95,
            alternative_odds: 1.0 / 9.0,
            refuting: 0.80,
            calibration_days: 90,
            calibration_error: 0.05,
            calibration_cases: 30,
            reply_window_s: 24 * 3600,
            witness_quorum: 2,
            panel: 3,
            attribution_contingents: 3,
            parties,
            countersigned: false,
            prior_log_odds: PRIOR_LOG_ODDS,
        }
    }

    /// Thresholds of a class.
    pub fn of(&self, class: Class) -> Thresholds {
        self.by_class.get(&class).copied().unwrap_or(self.thresholds)
    }

    /// Whether a contingent is a party.
    pub fn is_party(&self, contingent: &str) -> bool {
        self.parties.iter().any(|party| party == contingent)
    }
}

/// ln(1/9): of ten reports of one source, one is of something that took place
/// as told. Our proposal, to be replaced by adjudicated records.
const PRIOR_LOG_ODDS: f64 = -2.197_224_577_336_219_6;

/// Weights, version 1: how much more likely an independent line of a kind is
/// if the event took place than if it did not. Declared and published, not
/// measured: our proposal until adjudicated records give better. Reports of
/// parties and press weigh little and fill no slot of the structure rule.
pub const fn likelihood_ratio(kind: SourceKind) -> f64 {
    match kind {
        SourceKind::Patrol | SourceKind::Camera | SourceKind::Uav => 60.0,
        SourceKind::Acoustic => 30.0,
        SourceKind::Seismic => 20.0,
        SourceKind::Satellite => 8.0,
        SourceKind::Authority | SourceKind::Press | SourceKind::Research => 4.0,
        SourceKind::Party => 1.5,
        SourceKind::ControlMap | SourceKind::Reference => 1.0,
    }
}

/// What one denial of access says about a weapon missing from storage (class
/// B3), and a hundred denials say no more: an anomaly, never a proof
/// (VERIFICATION D2). Our proposal, part of the weights.
pub const DENIAL_LIKELIHOOD_RATIO: f64 = 1.5;

/// The family of a physical sensor. Two of one family can err alike.
pub const fn family(kind: SourceKind) -> Option<&'static str> {
    match kind {
        SourceKind::Satellite => Some("thermal"),
        SourceKind::Acoustic => Some("acoustic"),
        SourceKind::Seismic => Some("seismic"),
        SourceKind::Camera | SourceKind::Uav => Some("optical"),
        _ => None,
    }
}

/// What a class could be instead, besides what fusion names. Every class can
/// be staged (VERIFICATION D19).
pub fn alternatives(class: Class) -> Vec<&'static str> {
    let named: &[&str] = match class.group() {
        'A' | 'F' | 'G' => &["Z2", "Z3", "Z4"],
        'B' | 'C' => &["Z1", "Z7"],
        'D' => &["Z7"],
        _ => &[],
    };
    named.iter().copied().chain(["staged"]).collect()
}

/// Seconds within which the parts of the work are due (VERIFICATION D10): fast
/// track and full track.
pub const fn service_levels(severity: Severity) -> &'static [(&'static str, i64)] {
    match severity {
        Severity::S0 | Severity::S1 | Severity::S2 => &[("spot report", 24 * 3600)],
        Severity::S3 | Severity::S4 => &[("spot report", 24 * 3600), ("full finding", 72 * 3600)],
    }
}

/// Days after a decision by which its consequence is due.
pub const CONSEQUENCE_DAYS: i64 = 14;

/// Seconds by which a signer's clock may be ahead of the mission's.
pub const CLOCK_AHEAD_S: i64 = 300;
