//! How far the tables may be wrong before a protection falls.

use crate::plan::Rule;
use crate::rules::{Member, Rules, assess};

/// How one set stands up to errors.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tolerance {
    /// Share of the counted candidates that may be wrongly counted, whichever they are.
    pub(super) withstands: f64,
    /// What falls when one more is.
    pub(super) falls: Option<Rule>,
}

/// Finds by bisection how many candidates beyond Γ may be excluded, whichever they are: the worst case over excluded
/// candidates is what Γ means, and the rules only get harder as it grows.
pub(super) fn tolerance(rules: &Rules, members: &[Member<'_>], columns: &[String]) -> Tolerance {
    let counted: u64 = members.iter().map(|member| member.count).sum();
    let with = |more: u64| Rules { robust: rules.robust.saturating_add(more), ..rules.clone() };
    if counted == 0 || !assess(rules, members).holds {
        return Tolerance { withstands: 0.0, falls: broken(rules, members, columns).into_iter().next() };
    }
    let (mut safe, mut unsafe_from) = (0, counted + 1);
    while unsafe_from - safe > 1 {
        let middle = safe.midpoint(unsafe_from);
        if assess(&with(middle), members).holds {
            safe = middle;
        } else {
            unsafe_from = middle;
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "a share for display")]
    let withstands = safe as f64 / counted as f64;
    Tolerance { withstands, falls: broken(&with(unsafe_from), members, columns).into_iter().next() }
}

/// The rules that a set breaks.
pub(super) fn broken(rules: &Rules, members: &[Member<'_>], columns: &[String]) -> Vec<Rule> {
    let standing = assess(rules, members);
    let mut broken = Vec::new();
    if standing.candidates < rules.k.saturating_add(rules.robust) {
        broken.push(Rule::Candidates);
    }
    if rules.share_ppm.is_some_and(|ppm| standing.largest_share > f64::from(ppm) / 1e6) {
        broken.push(Rule::Share);
    }
    for (&(column, least), &left) in rules.diversity.iter().zip(&standing.diversity) {
        if left < least {
            broken.push(Rule::Diversity { column: columns[column].clone() });
        }
    }
    broken
}
