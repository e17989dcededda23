//! Passes over all classes of a crowd, column by column: who is in the view at all, how many know each level, and
//! what each class could at most support.

use super::Crowd;
use super::prices::Prices;
use crate::rules::Rules;
use tearline_model::candidates::Candidates;

/// One kind of rule over one crowd. Where knowledge is uncertain, counting looks at who surely knows and the
/// posterior share at who possibly does: two different sets, so two of these.
#[derive(Clone, Debug)]
pub(super) struct Face<'a> {
    pub(super) crowd: &'a Crowd<'a>,
    /// The rules that this face answers for.
    pub(super) rules: Rules,
    /// Whether membership is by `possible` instead of `sure`.
    pub(super) possible: bool,
    /// No set of fewer candidates can meet the rules.
    pub(super) least: u64,
}

impl<'a> Face<'a> {
    /// The faces of a crowd: one, unless a share rule meets uncertain knowledge.
    pub(super) fn of(crowd: &'a Crowd<'a>) -> Vec<Self> {
        let uncertain = !crowd.candidates.possible.is_empty();
        let rules = &crowd.rules;
        let diverse = rules.diversity.iter().map(|&(_, least)| u64::from(least)).max().unwrap_or(0);
        // The heaviest has at least the mean: after the Γ are gone, 1/τ candidates are left or its share is above τ.
        let spread = rules.share_ppm.map_or(0, |ppm| 1_000_000_u64.div_ceil(u64::from(ppm.max(1))));
        let counted = rules.k.max(diverse).max(1);
        if uncertain && rules.share_ppm.is_some() {
            let count = Rules { share_ppm: None, ..rules.clone() };
            let share = Rules { k: 0, diversity: Vec::new(), ..rules.clone() };
            return vec![
                Self { crowd, rules: count, possible: false, least: counted.saturating_add(rules.robust) },
                Self {
                    crowd,
                    rules: share,
                    possible: true,
                    least: spread.max(1).saturating_add(rules.robust),
                },
            ];
        }
        let least = counted.max(spread).saturating_add(rules.robust);
        vec![Self { crowd, rules: rules.clone(), possible: false, least }]
    }

    pub(super) fn candidates(&self) -> &'a Candidates {
        self.crowd.candidates
    }

    /// The level vectors that decide membership, per detail; `None` where the detail narrows nothing.
    pub(super) fn column(&self, detail: usize) -> Option<&'a [u8]> {
        if !self.crowd.details[detail] {
            return None;
        }
        let columns = if self.possible { &self.candidates().possible } else { &self.candidates().sure };
        Some(&columns[detail])
    }

    /// Classes consistent with what the view holds anyway.
    pub(super) fn in_view(&self, floor: &[u8]) -> Vec<bool> {
        let mut inside = vec![true; self.candidates().classes()];
        for (detail, &floor) in floor.iter().enumerate() {
            let least = floor.max(self.crowd.base[detail]);
            if let (1.., Some(column)) = (least, self.column(detail)) {
                for (inside, &level) in inside.iter_mut().zip(column) {
                    *inside &= level >= least;
                }
            }
        }
        for &fact in &self.crowd.linked {
            for (inside, &known) in inside.iter_mut().zip(&self.candidates().linked[fact]) {
                *inside &= known;
            }
        }
        inside
    }

    /// Lowers the ceiling of every detail to the highest level that enough candidates in view know.
    pub(super) fn lower_ceiling(&self, inside: &[bool], ceiling: &mut [u8]) {
        for (detail, ceiling) in ceiling.iter_mut().enumerate() {
            let Some(column) = self.column(detail) else { continue };
            let mut knowing = [0_u64; 256];
            for ((&level, &count), &inside) in column.iter().zip(&self.candidates().count).zip(inside) {
                knowing[usize::from(level)] += if inside { count } else { 0 };
            }
            let mut at_least = 0;
            let highest = (0..=255_u8).rev().find(|&level| {
                at_least += knowing[usize::from(level)];
                at_least >= self.least
            });
            *ceiling = (*ceiling).min(highest.unwrap_or(0));
        }
    }

    /// Per class: the price of everything it knows under the ceiling; 0 outside the view.
    pub(super) fn worth(&self, inside: &[bool], ceiling: &[u8], prices: &Prices) -> Vec<u64> {
        let mut constant = 0;
        let mut worth = vec![0_u64; inside.len()];
        for (detail, &ceiling) in ceiling.iter().enumerate() {
            let Some(column) = self.column(detail) else {
                constant += prices.at(detail, ceiling);
                continue;
            };
            let mut capped = [0_u64; 256];
            for (level, price) in (0..=u8::MAX).zip(capped.iter_mut()) {
                *price = prices.at(detail, level.min(ceiling));
            }
            for (worth, &level) in worth.iter_mut().zip(column) {
                *worth += capped[usize::from(level)];
            }
        }
        for (worth, &inside) in worth.iter_mut().zip(inside) {
            *worth = if inside { *worth + constant } else { 0 };
        }
        worth
    }

    /// Posterior mass of each single candidate of a class under `levels` (joined with the view's own).
    pub(super) fn mass(&self, class: usize, levels: &[u8]) -> f64 {
        mass(self.crowd, class, levels)
    }

    /// The group values of a class, in the order of the candidates' group columns.
    pub(super) fn groups(&self, class: usize) -> Vec<u32> {
        self.candidates().groups.iter().map(|column| column.of[class]).collect()
    }
}

/// Posterior mass of one candidate of a class: prior weight times the probability of knowing all that is said.
pub(super) fn mass(crowd: &Crowd<'_>, class: usize, levels: &[u8]) -> f64 {
    let candidates = crowd.candidates;
    #[expect(clippy::cast_precision_loss, reason = "weights are at most 10^9")]
    let mut mass = candidates.weight[class] as f64;
    for odds in &candidates.odds {
        let said = levels[odds.detail].max(crowd.base[odds.detail]);
        if crowd.details[odds.detail] && odds.level == said {
            mass *= f64::from(odds.permille[class]) / 1000.0;
        }
    }
    mass
}
