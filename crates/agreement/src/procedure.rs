//! Procedures: what must have happened, in which order, before something is
//! permitted. A permission to return fire that depends on a failed procedure is
//! a state machine, not a rule.

use std::collections::BTreeSet;

use domain::{Occurrence, Probability};
use serde::Deserialize;

use crate::citation::{Citation, Localised};
use crate::clock::Length;
use crate::timeline::probability_before;
use crate::truth::Truth;

/// A procedure.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Procedure {
    /// Short name.
    pub id: String,
    /// Name.
    pub name: Localised,
    /// The state in which it begins.
    pub start: String,
    /// The states in which it permits.
    pub permits: Vec<String>,
    /// Its steps.
    pub step: Vec<Step>,
    /// Where it is laid down.
    #[serde(default)]
    pub citation: Citation,
}

/// A way from one state to another.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// State before.
    pub from: String,
    /// What takes place: a word that records use.
    pub on: String,
    /// State after.
    pub to: String,
    /// Not later than so long after the step before; without it, at any time.
    pub within: Option<Length>,
}

/// A step that is in the record.
#[derive(Clone, Debug, PartialEq)]
pub struct Taken {
    /// What took place.
    pub on: String,
    /// When.
    pub when: Occurrence,
}

/// How far a procedure had come when something was done.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress {
    /// Whether it was permitted then.
    pub permitted: Truth,
    /// The state that the record leads to.
    pub state: String,
    /// Step by step.
    pub because: Vec<String>,
}

impl Procedure {
    /// All states.
    pub fn states(&self) -> BTreeSet<&str> {
        self.step
            .iter()
            .flat_map(|step| [step.from.as_str(), step.to.as_str()])
            .chain(std::iter::once(self.start.as_str()))
            .collect()
    }

    /// States that no way from the start leads to.
    pub fn unreachable(&self) -> Vec<&str> {
        let mut reached = BTreeSet::from([self.start.as_str()]);
        loop {
            let before = reached.len();
            for step in &self.step {
                if reached.contains(step.from.as_str()) {
                    reached.insert(&step.to);
                }
            }
            if reached.len() == before {
                break;
            }
        }
        self.states().into_iter().filter(|state| !reached.contains(state)).collect()
    }

    /// Whether something done at `act` was permitted, given the steps in the
    /// record. `complete`: the record would hold a step if it had been taken;
    /// otherwise a missing step leaves the answer open.
    ///
    /// The record is followed in the order of its times. Every transition must
    /// come after the one before and before the act; where clocks do not tell,
    /// the probability of that order is a factor.
    pub fn progress(&self, taken: &[Taken], act: &Occurrence, complete: bool) -> Progress {
        let mut left: Vec<&Taken> = taken.iter().collect();
        left.sort_by(|a, b| (a.when.span.middle(), &a.on).cmp(&(b.when.span.middle(), &b.on)));
        let mut state = self.start.clone();
        let mut p = 1.0;
        let mut because = Vec::new();
        let mut last: Option<&Taken> = None;
        for step_taken in left {
            let before_act = probability_before(&step_taken.when, act).get();
            if before_act <= 1e-9 {
                because.push(format!("{} came after the act", step_taken.on));
                continue;
            }
            let Some(step) =
                self.step.iter().find(|step| step.from == state && step.on == step_taken.on)
            else {
                continue;
            };
            if let (Some(within), Some(last)) = (step.within, last) {
                let gap_s = domain::time::seconds_between(
                    last.when.span.middle(),
                    step_taken.when.span.middle(),
                );
                if gap_s > within.seconds() {
                    because.push(format!("{} came later than {within} after {}", step.on, last.on));
                    continue;
                }
            }
            let after_last =
                last.map_or(1.0, |last| probability_before(&last.when, &step_taken.when).get());
            p *= after_last * before_act;
            because.push(format!("{}: {} -> {}", step.on, step.from, step.to));
            state.clone_from(&step.to);
            last = Some(step_taken);
        }
        let permitted = if self.permits.contains(&state) {
            Truth::probably(Probability::new(p))
        } else {
            let next: Vec<&str> = self
                .step
                .iter()
                .filter(|step| step.from == state)
                .map(|step| step.on.as_str())
                .collect();
            let missing = format!(
                "the record holds no {} before the act (the procedure stands at {state})",
                next.join(" or ")
            );
            because.push(missing.clone());
            if complete { Truth::not_met() } else { Truth::unknown(missing) }
        };
        Progress { permitted, state, because }
    }
}

#[cfg(test)]
mod tests {
    use domain::{Extent, Interval};

    use super::*;
    use crate::truth::Verdict;

    fn procedure() -> Procedure {
        strict::Text::new(
            "p",
            r#"
            id = "return-fire"
            name = "Return fire"
            start = "quiet"
            permits = ["permitted"]
            [[step]]
            from = "quiet"
            on = "offensive-action"
            to = "attacked"
            [[step]]
            from = "attacked"
            on = "mechanism-failed"
            to = "failed"
            [[step]]
            from = "failed"
            on = "order-given"
            to = "permitted"
            within = "PT6H"
            "#,
        )
        .parse()
        .unwrap()
    }

    fn at(minute: i64, sigma_s: f64) -> Occurrence {
        let moment = jiff::Timestamp::from_second(1_600_000_000 + minute * 60).unwrap();
        Occurrence { span: Interval::at(moment), sigma_s, extent: Extent::Once }
    }

    fn taken(steps: &[(&str, i64)]) -> Vec<Taken> {
        steps
            .iter()
            .map(|(on, minute)| Taken { on: (*on).to_owned(), when: at(*minute, 0.0) })
            .collect()
    }

    const FULL: [(&str, i64); 3] =
        [("offensive-action", 0), ("mechanism-failed", 30), ("order-given", 40)];

    #[test]
    fn d22_return_fire_is_permitted_only_after_the_whole_procedure() {
        let procedure = procedure();
        let verdict = |steps: &[(&str, i64)], minute: i64, complete: bool| {
            procedure
                .progress(&taken(steps), &at(minute, 0.0), complete)
                .permitted
                .verdict(Probability::new(0.95))
        };
        assert_eq!(verdict(&FULL, 50, true), Verdict::Met);
        // Each step left out: not permitted, or open if the record may have a hole.
        for left_out in 0..FULL.len() {
            let mut steps = FULL.to_vec();
            steps.remove(left_out);
            assert_eq!(verdict(&steps, 50, true), Verdict::NotMet, "{left_out}");
            assert_eq!(verdict(&steps, 50, false), Verdict::Open, "{left_out}");
        }
        // The order came after the fire.
        assert_eq!(verdict(&FULL, 35, true), Verdict::NotMet);
        // Steps in the wrong order do not count.
        let wrong = [("mechanism-failed", 0), ("offensive-action", 10), ("order-given", 20)];
        assert_eq!(verdict(&wrong, 30, true), Verdict::NotMet);
        // The order came too late after the failure.
        let late = [("offensive-action", 0), ("mechanism-failed", 30), ("order-given", 400)];
        assert_eq!(verdict(&late, 500, true), Verdict::NotMet);
    }

    #[test]
    fn d22_clocks_that_do_not_tell_the_order_leave_a_probability() {
        let act = at(41, 60.0);
        let progress = procedure().progress(&taken(&FULL), &act, true);
        // The order at minute 40, the fire 60 s later, known to 60 s: Phi(1) = 0.8413.
        assert!((progress.permitted.low().get() - 0.8413).abs() < 1e-3, "{progress:?}");
    }

    #[test]
    fn states_that_nothing_leads_to_are_found() {
        let mut procedure = procedure();
        assert!(procedure.unreachable().is_empty());
        procedure.step[0].to = "elsewhere".into();
        assert_eq!(procedure.unreachable(), ["attacked", "failed", "permitted"]);
    }
}
