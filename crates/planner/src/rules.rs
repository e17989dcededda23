//! What must hold of one anonymity set, and how it stands.

/// The protections of one protected set, taken together (the strictest of each).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rules {
    /// At least this many candidates.
    pub k: u64,
    /// Γ: everything must still hold after a reader excludes any so many candidates.
    pub robust: u64,
    /// No candidate's posterior share above so many millionths.
    pub share_ppm: Option<u32>,
    /// (index into the groups of the candidates, least number of different values).
    pub diversity: Vec<(usize, u32)>,
}

/// A class of candidates that are in the set.
#[derive(Clone, Copy, Debug)]
pub struct Member<'a> {
    /// How many candidates count as knowers (0: only a suspect for the posterior).
    pub count: u64,
    /// How many candidates carry posterior mass (`count`, or more where knowledge is uncertain).
    pub suspects: u64,
    /// Posterior mass of each single one of them, before normalising.
    pub mass: f64,
    /// Value number per group column; `u32::MAX` for null.
    pub groups: &'a [u32],
}

/// How a set stands against its rules.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    /// Candidates in the set.
    pub candidates: u64,
    /// Largest posterior share of one candidate, 0 to 1; 1 for an empty set.
    pub largest_share: f64,
    /// Per diversity rule: different values left in the worst case.
    pub diversity: Vec<u32>,
    /// Whether all rules hold.
    pub holds: bool,
}

/// Weighs a set against the rules, in the worst case over the Γ candidates that a reader may exclude.
pub fn assess(rules: &Rules, members: &[Member<'_>]) -> Standing {
    let candidates: u64 = members.iter().map(|m| m.count).sum();
    let mut holds = candidates >= rules.k.saturating_add(rules.robust);
    let largest_share = largest_share(rules.robust, members);
    if let Some(ppm) = rules.share_ppm {
        holds &= largest_share <= f64::from(ppm) / 1e6;
    }
    let diversity: Vec<u32> =
        rules.diversity.iter().map(|&(column, _)| surviving_values(rules.robust, column, members)).collect();
    holds &= rules.diversity.iter().zip(&diversity).all(|(&(_, least), &left)| left >= least);
    Standing { candidates, largest_share, diversity, holds }
}

/// The heaviest candidate's share when the `robust` next heaviest are excluded.
fn largest_share(robust: u64, members: &[Member<'_>]) -> f64 {
    let total: f64 = members.iter().map(|m| to_f64(m.suspects) * m.mass).sum();
    let mut heaviest: Vec<(f64, u64)> =
        members.iter().filter(|m| m.suspects > 0 && m.mass > 0.0).map(|m| (m.mass, m.suspects)).collect();
    let keep = usize::try_from(robust.saturating_add(1)).unwrap_or(usize::MAX).min(heaviest.len());
    if keep == 0 {
        return 1.0;
    }
    if keep < heaviest.len() {
        heaviest.select_nth_unstable_by(keep - 1, |a, b| b.0.total_cmp(&a.0));
        heaviest.truncate(keep);
    }
    heaviest.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
    let top = heaviest[0].0;
    heaviest[0].1 -= 1;
    let (mut left, mut excluded) = (robust, 0.0);
    for (mass, suspects) in heaviest {
        let gone = suspects.min(left);
        excluded += to_f64(gone) * mass;
        left -= gone;
    }
    (top / (total - excluded).max(top)).min(1.0)
}

/// How many different group values are left when a reader excludes `robust` candidates of the rarest ones.
fn surviving_values(robust: u64, column: usize, members: &[Member<'_>]) -> u32 {
    let mut sizes = std::collections::HashMap::<u32, u64>::new();
    for member in members.iter().filter(|m| m.count > 0) {
        match member.groups[column] {
            u32::MAX => {}
            value => *sizes.entry(value).or_default() += member.count,
        }
    }
    let mut sizes: Vec<u64> = sizes.into_values().collect();
    sizes.sort_unstable();
    let mut left = robust;
    let killed = sizes
        .iter()
        .take_while(|&&size| {
            size <= left && {
                left -= size;
                true
            }
        })
        .count();
    u32::try_from(sizes.len() - killed).unwrap_or(u32::MAX)
}

#[expect(clippy::cast_precision_loss, reason = "counts stay below 2^53")]
fn to_f64(count: u64) -> f64 {
    count as f64
}
