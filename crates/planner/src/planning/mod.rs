//! From a report and its candidates to a plan for every audience.
//!
//! Audiences are planned one after the other, in the order of their priority and of who sees whom. Each gets the
//! best levels that keep the protections of everybody who would come to know them: of the audience itself, of those
//! who see it and of those who pool with it.

mod audit;
mod chain;
mod explain;
mod margin;
mod mode;
mod nominal;
mod selection_safe;
mod views;
mod what_if;

pub use audit::{Audit, audit, candidates_of, plan_audited};
pub use chain::{Chain, Failure, policies};
pub use mode::{Choice, choose_mode};
pub(crate) use nominal::utilities;
pub use nominal::{Options, Planned, Stage, plan_nominal};
pub use selection_safe::plan_selection_safe;
pub(crate) use views::rules;
pub use views::{Knower, Views, order};
pub use what_if::{Answer, Repair, Stand, WhatIf};
