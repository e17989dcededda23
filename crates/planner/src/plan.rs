//! What planning answers: for each audience the chosen levels, how the anonymity sets stand, and why not more.
//!
//! This is what `tearline plan` prints, as text or with `--json` as it stands here. The JSON is documented in
//! `docs/formats/plan.md` and by the schema beside it. It is for the originator's eyes: it names audiences,
//! details and the words of levels that are not released. Sources appear by their number only.

use serde::{Deserialize, Serialize};
use tearline_model::utility::Utility;

/// The version of the JSON form.
pub const VERSION: u32 = 1;

/// The answer to one report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Version of this form: [`VERSION`].
    #[serde(rename = "tearline-plan")]
    pub version: u32,
    /// The originator's reference for the report.
    pub report: String,
    /// How the choice is kept from being itself an observation.
    pub mode: Mode,
    /// Why it is this mode, in a sentence.
    pub mode_reason: String,
    /// What the guarantee assumes beyond the declared tables, a sentence each: defaults that were taken, and what
    /// nobody can check.
    pub assumptions: Vec<String>,
    /// The protected sets, to which the parts below refer by their place in this list.
    pub sets: Vec<ProtectedSet>,
    /// The audiences in the order in which they were planned.
    pub audiences: Vec<AudiencePlan>,
}

/// How the choice of a plan is kept from being itself an observation; see `docs/guarantee.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Optimised for this report.
    Nominal,
    /// Nominal, then counted by simulation who would have led to the same release.
    Audited,
    /// Chosen by a policy made from the population before and without the report.
    SelectionSafe,
}

impl From<tearline_model::report::Mode> for Mode {
    fn from(mode: tearline_model::report::Mode) -> Self {
        match mode {
            tearline_model::report::Mode::Nominal => Self::Nominal,
            tearline_model::report::Mode::Audited => Self::Audited,
            tearline_model::report::Mode::SelectionSafe => Self::SelectionSafe,
        }
    }
}

/// A source among the candidates of one population.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProtectedSet {
    /// The source's place in the report file, from 1. Never its name.
    pub source: u32,
    /// The population's name in the report file.
    pub population: String,
}

/// The plan for one audience.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AudiencePlan {
    /// Its name in the report file.
    pub id: String,
    /// Its display name.
    pub name: String,
    /// The other audiences whose releases count as known to it: those it sees, those it is assumed to pool with,
    /// and those whom these see. Names in the report file, in the order of the file.
    pub view: Vec<String>,
    /// What came out.
    pub outcome: Outcome,
}

/// A release, or that there is none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Outcome {
    /// What to release.
    Release(Release),
    /// Nothing can be released safely. An answer, not an error.
    NoSafePlan(NoSafePlan),
}

/// What to release to one audience.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// One entry per detail of the report, in its order.
    pub details: Vec<DetailPlan>,
    /// Pairs of next levels of which each alone would be safe and both together are not.
    pub dangerous_together: Vec<DangerousPair>,
    /// How each set that is protected against this audience stands under all that it then knows.
    pub sets: Vec<SetStanding>,
    /// Utility of the levels to this audience, in the report's units.
    pub utility: f64,
    /// No safe levels have more utility than this, in the report's units.
    pub bound: f64,
    /// Whether the levels are proven best.
    pub optimal: bool,
    /// What is not proven, as a share of the bound: (bound − utility) / bound; 0 when optimal.
    pub gap: f64,
    /// Nodes of the search.
    pub nodes: u64,
    /// How far the declared predicates may be wrong.
    pub margin: Margin,
    /// The policy that the levels were read from; absent in modes that have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<PolicyUse>,
}

/// Where levels were read from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyUse {
    /// SHA-256 of the policy file, in lower-case hexadecimal: what is published before the policy is used.
    pub sha256: String,
    /// Number of the policy's output for this report.
    pub output: u32,
}

/// One detail for one audience.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DetailPlan {
    /// The detail's name in the report file.
    pub id: String,
    /// The level to release; 0 is silence.
    pub level: u8,
    /// How many levels the report has.
    pub levels: u8,
    /// The words of the level; absent for silence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub words: Option<String>,
    /// Utility of the level to this audience, in the report's units.
    pub utility: f64,
    /// The level that this audience was told before; 0 for nothing.
    pub told: u8,
    /// The level that counts as known to it: the highest of what it gets, sees, pools and was told.
    pub known: u8,
    /// What one level more would do; absent when the exact level is released.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<NextLevel>,
}

/// What releasing one level more would do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NextLevel {
    /// The level.
    pub level: u8,
    /// Its words.
    pub words: String,
    /// Utility that it would add, in the report's units.
    pub gain: f64,
    /// Whether it alone would break no protection. It may still not be released: something worth more was chosen
    /// instead, or the mode forbids to decide by this report.
    pub safe: bool,
    /// What it would leave of each set that it narrows, for each audience that would then know it.
    pub leaves: Vec<Leaves>,
}

/// What a step would leave of one set against one audience.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Leaves {
    /// Place of the set in [`Plan::sets`].
    pub set: usize,
    /// The audience against whom it is protected: its name in the report file.
    pub audience: String,
    /// Candidates now.
    pub now: u64,
    /// Candidates after the step.
    pub left: u64,
    /// Candidates needed: k, Γ and headroom together.
    pub needed: u64,
    /// Largest posterior share of one candidate after the step, 0 to 1.
    pub largest_share: f64,
    /// The rules that would then be broken; none when the step is safe here.
    pub broken: Vec<Rule>,
}

/// One kind of rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "rule", rename_all = "kebab-case")]
pub enum Rule {
    /// Too few candidates.
    Candidates,
    /// One candidate's posterior share is too large.
    Share,
    /// Too few different values of a column.
    Diversity {
        /// The column (SQL expression) as written in the report.
        column: String,
    },
    /// The least levels that make a release usable cannot be reached.
    Minimum,
}

/// Two steps that are safe alone and not together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DangerousPair {
    /// One step.
    pub first: Step,
    /// The other.
    pub second: Step,
    /// What both would leave of the sets that would no longer hold.
    pub leaves: Vec<Leaves>,
}

/// A detail taken to a level.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// The detail's name in the report file.
    pub detail: String,
    /// The level.
    pub level: u8,
}

/// How one set stands against what it needs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetStanding {
    /// Place of the set in [`Plan::sets`].
    pub set: usize,
    /// Candidates in it.
    pub candidates: u64,
    /// Largest posterior share of one candidate, 0 to 1, in the worst case over Γ excluded ones.
    pub largest_share: f64,
    /// Different values of each column that a rule looks at, in the worst case over Γ excluded candidates.
    pub diversity: Vec<DiversityStanding>,
    /// What must hold.
    pub needed: Needed,
    /// Whether it holds (headroom left aside).
    pub holds: bool,
    /// How many candidates are left for a reader who also knows how the plan was chosen; absent where it was not
    /// counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selection_aware: Option<SelectionAware>,
}

/// Different values of one column in a set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DiversityStanding {
    /// The column (SQL expression) as written in the report.
    pub column: String,
    /// Values left.
    pub values: u32,
    /// Values needed.
    pub needed: u32,
}

/// What must hold of one set against one audience: the strictest of each of the protections that cover it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Needed {
    /// k: at least this many candidates.
    pub candidates: u64,
    /// Γ: all must still hold when a reader excludes any so many.
    pub robust: u64,
    /// Candidates that this plan keeps free for later releases, beyond k and Γ.
    pub headroom: u64,
    /// Largest share that one candidate may have, 0 to 1; absent where none is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<f64>,
}

/// Who is left for a reader who knows how the plan was chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SelectionAware {
    /// Candidates who could have led to this same release.
    pub candidates: u64,
    /// How the number was obtained.
    pub how: Counted,
}

/// How a selection-aware count was obtained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Counted {
    /// The choice is the same in all consistent worlds, because no predicate depends on a value: the set itself.
    Constant,
    /// The planner was run for every world that agrees with the release.
    Simulated,
    /// The planner was run for some of those worlds: a lower bound on who is left.
    Sampled,
    /// The leaf of the policy: everybody whose reports fall into it.
    Policy,
}

/// How far the declared predicates may be wrong: candidates that a predicate counts and that a reader could in
/// truth exclude.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Margin {
    /// The share of the counted candidates of any one set, 0 to 1, that may be wrongly counted, whichever they are,
    /// before a protection falls.
    pub withstands: f64,
    /// The share that was asked for.
    pub asked: f64,
    /// Whether every protection holds at the share asked for.
    pub holds: bool,
    /// The set whose protection falls first, as its place in [`Plan::sets`], if any can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<usize>,
    /// The rule that falls first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<Rule>,
}

/// Why nothing can be released safely to an audience. Evidence for a waiver.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoSafePlan {
    /// Whether that is proven, or only that the search ended without finding one.
    pub proven: bool,
    /// The audience whose protection stands in the way: its name in the report file. Often not the one that would
    /// get the release, but one that sees it or pools with it.
    pub protects_against: String,
    /// The set that cannot be kept, as its place in [`Plan::sets`].
    pub set: usize,
    /// The rule that cannot be met.
    pub rule: Rule,
    /// Candidates in that set under the least that could be released.
    pub candidates: u64,
    /// Candidates needed: k, Γ and headroom together.
    pub needed: u64,
    /// Why, in a sentence.
    pub why: String,
}

/// Utility in the report's units, as written in the JSON: thousandths, so three decimals.
pub fn units(thousandths: u64) -> f64 {
    Utility(thousandths).units()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_says_its_kind_beside_its_fields_and_reads_back() {
        let outcome = Outcome::NoSafePlan(NoSafePlan {
            proven: true,
            protects_against: "partner".into(),
            set: 0,
            rule: Rule::Diversity { column: "agency".into() },
            candidates: 3,
            needed: 20,
            why: "What the partner was told before leaves 3 candidates.".into(),
        });
        let json = serde_json::to_value(&outcome).expect("plain data");
        assert_eq!(json["kind"], "no-safe-plan");
        assert_eq!(json["rule"]["rule"], "diversity");
        assert_eq!(serde_json::from_value::<Outcome>(json).expect("its own form"), outcome);
    }
}
