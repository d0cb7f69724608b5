//! A file of observations or efforts, read from front to back in bounded memory.

use std::io::Read;

use domain::{Effort, Observation};

use crate::mapping::{Kind, Mapping};
use crate::plan::{Context, EffortPlan, ObservationPlan};
use crate::problem::{Quarantined, Refused};
use crate::rows::Rows;

/// What a row turned out to be.
#[derive(Debug)]
pub enum Item<'s> {
    /// An observation; the next one takes its place.
    Observation(&'s Observation),
    /// An effort.
    Effort(Effort),
    /// A row that cannot be used.
    Bad(Quarantined),
}

/// Reads the rows of one file by one mapping.
pub struct Stream<'m, R> {
    plan: Plan<'m>,
    rows: Rows<'m, R>,
}

enum Plan<'m> {
    Observations(Box<ObservationPlan<'m>>),
    Effort(Box<EffortPlan<'m>>),
}

impl<R> std::fmt::Debug for Stream<'_, R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Stream")
    }
}

impl<'m, R: Read + 'm> Stream<'m, R> {
    /// Opens a file: checks that it is text, reads its header and binds the
    /// mapping to it.
    pub fn open(mapping: &'m Mapping, context: Context<'m>, input: R) -> Result<Self, Refused> {
        let (rows, header) = Rows::open(mapping, input)?;
        let plan = match mapping.kind {
            Kind::Observations => {
                Plan::Observations(Box::new(ObservationPlan::bind(mapping, &header, context)?))
            }
            Kind::Effort => Plan::Effort(Box::new(EffortPlan::bind(mapping, &header, context)?)),
            _ => {
                let reason = format!("the mapping {} reads reference tables, not rows", mapping.id);
                return Err(Refused::Content(reason));
            }
        };
        Ok(Self { plan, rows })
    }

    /// Bytes taken from the file so far, for a progress display.
    pub fn bytes_read(&self) -> u64 {
        self.rows.bytes_read()
    }

    /// The next row with the line (or, in a feature collection, the number) on
    /// which it begins, from 1; `None` at the end of the file.
    #[allow(clippy::should_implement_trait)] // it lends, and stops at a read error
    pub fn next(&mut self) -> Result<Option<(u64, Item<'_>)>, Refused> {
        let plan = &mut self.plan;
        let next = self.rows.next(|_, row, geometry| match plan {
            Plan::Observations(plan) => plan.observe(row, geometry).map(Item::Observation),
            Plan::Effort(plan) => plan.effort(row).map(Item::Effort),
        })?;
        Ok(next.map(|(line, item)| (line, item.unwrap_or_else(Item::Bad))))
    }
}
