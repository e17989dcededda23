//! Selection-safe planning: a public policy that maps every possible world to a release.
//!
//! The planner's choice is itself an observation. A policy is made from the population and the form of the report,
//! before and without its values, so that a reader who knows everything but the source can work out exactly whose
//! reports would have led to the same release; the policy keeps that set within the rules. `docs/guarantee.md` has
//! the statement and the proof, `docs/formats/policy.md` the file format.

mod build;
mod carve;
mod claims;
mod judge;
mod log2;
mod place;
mod product;
mod recode;
mod rows;
mod text;

pub use build::{NoPolicy, PolicyInput, ProtectedSet, build};
pub use place::{NotPossible, Placed, Query, Reader};
pub use recode::Effort;
pub use text::BadPolicy;

use sha2::{Digest, Sha256};

/// A finished policy: worlds are walked through it to their output (see [`Reader::place`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Per detail of the report's form.
    pub details: Vec<Form>,
    /// Hash of the policy that this one refines, if any.
    pub refines: Option<[u8; 32]>,
    /// One; or, when refining, one per output of the refined policy.
    pub sections: Vec<Section>,
    /// All outputs, in the order of the lists that use them.
    pub outputs: Vec<Output>,
    /// Sum over the worlds of the first set of the worth of their release, in thousandths of the unit of utility,
    /// rounded down; a report is taken to be as precise on fixed details as the policy asks.
    pub worth: u64,
    /// The number of worlds in that sum.
    pub worlds: u64,
}

/// How the policy treats one detail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Form {
    /// No protected source is behind it: always released at this level.
    Free {
        /// The level released.
        level: u8,
    },
    /// Released up to a level that depends on the other details' values; at least at `floor`.
    Fixed {
        /// Known to the audience already.
        floor: u8,
    },
    /// Released as far as the world's cell says.
    Valued {
        /// The values that conditions name: node *i* is `values[i - 1]`; node 0 is silence.
        values: Vec<ValueNode>,
    },
}

/// One value of a detail at one level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueNode {
    /// Node of the value one level coarser, 0 at level 1; smaller than this node's own number.
    pub parent: u32,
    /// Level, 1 or more.
    pub level: u8,
    /// The value.
    pub text: String,
}

/// A world's value of a detail: it holds for a world whose values up to the node's level are the node's and its
/// ancestors'.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Condition {
    /// Index of the detail.
    pub detail: u16,
    /// Number of the node, 1 or more.
    pub node: u32,
}

/// Blocks are tried in order; a world that matches nothing in one goes on to the next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Section {
    /// In the order in which they are tried.
    pub blocks: Vec<Block>,
}

/// A guard tree over decision lists.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Block {
    /// Node 0 is the root.
    pub guards: Vec<Guard>,
}

/// One node of a guard tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// Goes on at `yes` or `no` (both larger than the node's own number).
    Test {
        /// What is tested.
        condition: Condition,
        /// Next node where it holds.
        yes: u32,
        /// Next node where it does not.
        no: u32,
    },
    /// Outputs `first..first + count`, tried in order: the first whose conditions all hold.
    List {
        /// Index of the first output.
        first: u32,
        /// How many.
        count: u32,
    },
}

/// What is released: the values that the conditions name, and levels of fixed details.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// At most one per detail, by ascending detail.
    pub conditions: Vec<Condition>,
    /// (detail, level) by ascending detail, where above the floor. A report less precise than any of these gets
    /// every fixed detail at its floor instead.
    pub fixed: Vec<(u16, u8)>,
    /// Per protected set: the distinct candidates whose worlds lead to this output.
    pub candidates: Vec<u64>,
    /// Whether the rules hold. Where they do not, what is known already is too much: nothing may be added.
    pub safe: bool,
}

impl Policy {
    /// SHA-256 of the canonical text: what is published before the policy is used.
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.to_text().as_bytes()).into()
    }

    /// Mean worth of a release over the worlds, in thousandths.
    #[expect(clippy::cast_precision_loss, reason = "a mean for display")]
    pub fn expected_worth(&self) -> f64 {
        self.worth as f64 / self.worlds.max(1) as f64
    }

    /// The fewest candidates behind any safe output, over all sets.
    pub fn smallest_group(&self) -> Option<u64> {
        self.outputs.iter().filter(|o| o.safe).flat_map(|o| o.candidates.iter().copied()).min()
    }
}
