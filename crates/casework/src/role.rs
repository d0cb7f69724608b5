//! Roles and what each may do (VERIFICATION E1). One table, read by the fold.

use serde::{Deserialize, Serialize};

macro_rules! roles {
    ($($variant:ident = $code:literal, $title:literal;)+) => {
        /// What a person of the mission, a party or a guarantor is there for.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[allow(missing_docs)] // each variant's meaning is its title
        pub enum Role { $($variant,)+ }

        impl Role {
            /// All roles.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The code used in files and on the command line.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)+ }
            }

            /// In words.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)+ }
            }
        }
    };
}

roles! {
    SensorCustodian = "sensor_custodian", "sensor custodian";
    FieldMonitor = "field_monitor", "field monitor";
    IntakeOfficer = "intake_officer", "intake officer";
    Analyst = "analyst", "analyst";
    Verifier = "verifier", "verifier";
    TechnicalExpert = "technical_expert", "military-technical expert";
    LegalAdviser = "legal_adviser", "legal adviser";
    PanelMember = "panel_member", "member of the attribution panel";
    PanelChair = "panel_chair", "chair of the attribution panel";
    LiaisonOfficer = "liaison_officer", "liaison officer";
    ReplyAgent = "reply_agent", "reply agent of a party";
    HeadOfMission = "head_of_mission", "head of mission";
    CommissionMember = "commission_member", "member of the Special Commission";
    WatchOfficer = "watch_officer", "watch officer of a guarantor";
    WitnessOperator = "witness_operator", "witness operator";
    Publisher = "publisher", "publisher";
    DataProtection = "data_protection", "data-protection officer";
    Auditor = "auditor", "auditor";
    ContingentHead = "contingent_head", "head of a contingent";
}

impl std::str::FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wanted = text.replace('-', "_");
        Self::ALL.iter().copied().find(|role| role.code() == wanted).ok_or_else(|| {
            let known: Vec<&str> = Self::ALL.iter().map(|role| role.code()).collect();
            format!("`{text}` is not a role; known: {}", known.join(", "))
        })
    }
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code())
    }
}

/// The roles that may do an act, by its code. An act that is not in the table
/// nobody may do.
pub fn may(act: &str) -> &'static [Role] {
    use Role::{
        Analyst, CommissionMember, ContingentHead, DataProtection, FieldMonitor, HeadOfMission,
        IntakeOfficer, LegalAdviser, LiaisonOfficer, PanelChair, PanelMember, Publisher,
        ReplyAgent, SensorCustodian, TechnicalExpert, Verifier, WatchOfficer, WitnessOperator,
    };
    match act {
        "lease" | "triage" | "grade" => &[IntakeOfficer, Analyst],
        "task" => &[IntakeOfficer, Analyst, HeadOfMission],
        "corroborate" => &[Analyst, TechnicalExpert],
        "assess" | "link" | "calibrate" => &[Analyst],
        "flag" => &[Analyst, SensorCustodian, TechnicalExpert],
        "elements" | "answer_points" => &[LegalAdviser],
        "notice" => &[LiaisonOfficer],
        "reply" => &[ReplyAgent],
        "seal" | "rule" => &[Verifier],
        "attribute" => &[PanelChair],
        "endorse" => &[Analyst, Verifier, PanelMember],
        "approve" => &[HeadOfMission],
        "publish" | "correct" => &[Publisher],
        "veto" => &[DataProtection],
        "retract" => &[HeadOfMission, Verifier],
        "ask" | "outcome" | "archive" => &[CommissionMember],
        "field_report" | "restriction" => &[FieldMonitor],
        "edit_report" => &[FieldMonitor, Analyst, Publisher],
        "allegation" => &[ReplyAgent, LiaisonOfficer],
        "witness" => &[WitnessOperator],
        "obligation" => &[WatchOfficer],
        "countersign" => &[ContingentHead],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_role_reads_back() {
        for role in Role::ALL {
            assert_eq!(role.code().parse::<Role>().unwrap(), *role);
        }
        assert!("captain".parse::<Role>().unwrap_err().contains("known: sensor_custodian"));
    }

    #[test]
    fn an_auditor_may_write_nothing() {
        for act in crate::act::CODES {
            assert!(!may(act).contains(&Role::Auditor), "{act}");
            assert!(!may(act).is_empty(), "nobody may {act}");
        }
    }
}
