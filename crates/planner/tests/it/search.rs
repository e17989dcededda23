//! The search against brute force: thousands of small problems with every kind of rule.

use crate::chance::Chance;
use tearline_model::candidates::Candidates;
use tearline_planner::rules::{Member, Rules, assess};
use tearline_planner::search::{Crowd, Limits, Problem, Solution, solve};

/// Whether the rules hold, straight from the definition.
fn safe(crowd: &Crowd<'_>, levels: &[u8]) -> bool {
    let candidates = crowd.candidates;
    let knows = |columns: &[Vec<u8>], class: usize| {
        (0..levels.len()).all(|detail| {
            !crowd.details[detail] || columns[detail][class] >= levels[detail].max(crowd.base[detail])
        }) && crowd.linked.iter().all(|&fact| candidates.linked[fact][class])
    };
    let possible = if candidates.possible.is_empty() { &candidates.sure } else { &candidates.possible };
    let mut rows = Vec::new();
    for class in 0..candidates.classes() {
        if !knows(possible, class) {
            continue;
        }
        #[expect(clippy::cast_precision_loss, reason = "small weights")]
        let mut mass = candidates.weight[class] as f64;
        for odds in &candidates.odds {
            if crowd.details[odds.detail] && odds.level == levels[odds.detail].max(crowd.base[odds.detail]) {
                mass *= f64::from(odds.permille[class]) / 1000.0;
            }
        }
        let groups: Vec<u32> = candidates.groups.iter().map(|groups| groups.of[class]).collect();
        rows.push((class, knows(&candidates.sure, class), mass, groups));
    }
    let members: Vec<Member<'_>> = rows
        .iter()
        .map(|(class, sure, mass, groups)| Member {
            count: if *sure { candidates.count[*class] } else { 0 },
            suspects: candidates.count[*class],
            mass: *mass,
            groups,
        })
        .collect();
    assess(&crowd.rules, &members).holds
}

fn utility(problem: &Problem<'_>, levels: &[u8]) -> u64 {
    problem.utility.iter().zip(levels).map(|(of, &level)| of[usize::from(level)]).sum()
}

/// The greatest utility of all safe levels, by looking at all of them.
fn brute_force(problem: &Problem<'_>) -> Option<u64> {
    let mut levels = problem.floor.clone();
    let mut best = None;
    loop {
        if problem.crowds.iter().all(|crowd| safe(crowd, &levels)) {
            best = best.max(Some(utility(problem, &levels)));
        }
        let Some(detail) = (0..levels.len()).find(|&detail| levels[detail] < problem.ceiling[detail]) else {
            return best;
        };
        levels[detail] += 1;
        levels[..detail].copy_from_slice(&problem.floor[..detail]);
    }
}

/// A random problem: up to 6 details of up to 4 levels, one to three sets.
fn problem<'a>(chance: &mut Chance, tops: &[u8], tables: &'a [Candidates], rules: &[Rules]) -> Problem<'a> {
    let details = tops.len();
    let utility = tops
        .iter()
        .map(|&top| {
            let mut sum = 0;
            let rises = (0..top).map(|_| {
                sum += chance.in_range(0, 9);
                sum
            });
            std::iter::once(0).chain(rises.collect::<Vec<_>>()).collect()
        })
        .collect();
    let crowds = tables
        .iter()
        .zip(rules)
        .map(|(candidates, rules)| Crowd {
            candidates,
            details: (0..details).map(|_| !chance.once_in(5)).collect(),
            base: tops.iter().map(|&top| if chance.once_in(8) { u8::from(top > 0) } else { 0 }).collect(),
            linked: if chance.once_in(4) { vec![0] } else { vec![] },
            rules: rules.clone(),
        })
        .collect();
    let floor = tops.iter().map(|_| u8::from(chance.once_in(9))).collect();
    Problem { utility, floor, ceiling: tops.to_vec(), crowds }
}

fn agrees(seed: u64, share: bool, diversity: bool, uncertain: bool) {
    let mut chance = Chance(seed);
    let tops: Vec<u8> =
        (0..chance.in_range(1, 6)).map(|_| u8::try_from(chance.in_range(1, 4)).expect("a level")).collect();
    let sets = chance.in_range(1, 3);
    let mut tables = Vec::new();
    let mut rules = Vec::new();
    for _ in 0..sets {
        let classes = usize::try_from(chance.in_range(1, 40)).expect("small");
        tables.push(chance.candidates(&tops, classes, share, uncertain));
        rules.push(chance.rules(share, diversity));
    }
    let problem = problem(&mut chance, &tops, &tables, &rules);
    let expected = brute_force(&problem);
    let found = solve(&problem, Limits::default(), &mut |_| true);
    assert!(found.optimal, "seed {seed}: a search without limits ends with a proof");
    assert_eq!(found.levels.as_ref().map(|_| found.utility), expected, "seed {seed}: {problem:?}");
    if let Some(levels) = &found.levels {
        assert_eq!(utility(&problem, levels), found.utility, "seed {seed}");
        assert!(problem.crowds.iter().all(|crowd| safe(crowd, levels)), "seed {seed}: unsafe levels");
        assert!(levels.iter().zip(&problem.floor).all(|(level, floor)| level >= floor), "seed {seed}");
    }
    let two = solve(&problem, Limits { threads: 2, ..Limits::default() }, &mut |_| true);
    assert_eq!(two, found, "seed {seed}: two threads give the same answer as one");
    the_choice_does_not_depend_on_hidden_precision(&mut chance, &problem, &found, seed);
}

/// With less to say in the report (lower ceilings that still allow what was chosen), the same is chosen: this is
/// what the selection guarantee of the nominal mode rests on.
fn the_choice_does_not_depend_on_hidden_precision(
    chance: &mut Chance,
    problem: &Problem<'_>,
    found: &Solution,
    seed: u64,
) {
    let Some(levels) = &found.levels else { return };
    let mut less = problem.clone();
    for (ceiling, &level) in less.ceiling.iter_mut().zip(levels) {
        *ceiling = u8::try_from(chance.in_range(u64::from(level), u64::from(*ceiling))).expect("a level");
    }
    let again = solve(&less, Limits::default(), &mut |_| true);
    assert_eq!(again.levels, found.levels, "seed {seed}: the choice gives away what was not said");
}

#[test]
fn k_alone_agrees_with_brute_force() {
    (0..1500).for_each(|seed| agrees(seed, false, false, false));
}

#[test]
fn shares_agree_with_brute_force() {
    (10_000..11_500).for_each(|seed| agrees(seed, true, false, false));
}

#[test]
fn diversity_agrees_with_brute_force() {
    (20_000..21_000).for_each(|seed| agrees(seed, false, true, false));
}

#[test]
fn all_rules_with_uncertain_knowledge_agree_with_brute_force() {
    (30_000..31_500).for_each(|seed| agrees(seed, true, true, true));
}

#[test]
fn a_stopped_search_is_safe_and_says_that_it_is_not_proven() {
    let mut stopped_early = 0;
    for seed in 50_000..50_040 {
        let mut chance = Chance(seed);
        let tops = vec![4; 14];
        let tables = [chance.candidates(&tops, 400, false, false)];
        let rules = [Rules { k: 12, ..Rules::default() }];
        let mut problem = problem(&mut chance, &tops, &tables, &rules);
        problem.floor.fill(0);
        let limited = solve(&problem, Limits { nodes: 1, threads: 1 }, &mut |_| true);
        let full = solve(&problem, Limits::default(), &mut |_| true);
        let levels = limited.levels.expect("silence is safe here, so something is found");
        assert!(problem.crowds.iter().all(|crowd| safe(crowd, &levels)));
        assert!(limited.utility <= full.utility && full.utility <= limited.bound);
        stopped_early += u32::from(!limited.optimal);
    }
    assert!(stopped_early > 0, "the limit must bite for this test to mean anything");
}
