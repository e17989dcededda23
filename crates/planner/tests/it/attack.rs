//! An attacker that knows the algorithm, the population, the utilities and the release: it runs the planner over
//! every world that it holds possible and keeps those that lead to what it saw.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::AtomicBool;

use crate::chance::Chance;
use tearline_model::candidates::Groups;
use tearline_model::worlds::{WorldDetail, Worlds};
use tearline_planner::policy::{
    Effort, NoPolicy, NotPossible, Placed, Policy, PolicyInput, ProtectedSet, Query, Reader, build,
};
use tearline_planner::rules::{Member, Rules, assess};

const LEVELS: usize = 2;

/// What the attacker may see of a placed report: levels and the values that they say.
type Seen = Vec<(u8, Vec<String>)>;

fn seen(placed: &Placed, query: &Query) -> Seen {
    let said =
        |(&level, values): (&u8, &Vec<String>)| (level, values.iter().take(level.into()).cloned().collect());
    placed.levels.iter().zip(&query.values).map(said).collect()
}

fn text(level: usize, code: u64) -> String {
    format!("{level}/{code}")
}

/// A detail with values 0..9 under regions 0..3; some candidates cannot say it exactly.
fn valued(dice: &mut Chance, rows: usize) -> WorldDetail {
    let exact: Vec<u64> = (0..rows).map(|_| dice.skewed(9)).collect();
    let null: Vec<bool> = (0..rows).map(|_| dice.below(12) == 0).collect();
    let code = |v: u64| u32::try_from(v).expect("small");
    let coarse = exact.iter().map(|v| code(v / 3)).collect();
    let fine = exact.iter().zip(&null).map(|(&v, &null)| if null { u32::MAX } else { code(v) }).collect();
    let values = vec![(0..3).map(|c| text(1, c)).collect(), (0..9).map(|c| text(2, c)).collect()];
    WorldDetail::Valued { codes: vec![coarse, fine], values, report: vec![None; LEVELS] }
}

fn fixed(dice: &mut Chance, rows: usize) -> WorldDetail {
    WorldDetail::Fixed((0..rows).map(|_| u8::try_from(dice.below(3)).expect("small")).collect())
}

/// Every candidate could have reported some of six values under two regions.
fn many(dice: &mut Chance, rows: usize) -> WorldDetail {
    let known = (0..rows).map(|_| vec![(1 << dice.skewed(6)) | dice.below(64)]).collect();
    let ancestors = (0..6).map(|v| vec![v / 3, v]).collect();
    let values = vec![(0..2).map(|c| text(1, c)).collect(), (0..6).map(|c| text(2, c)).collect()];
    WorldDetail::Many { ancestors, values, known, report: vec![None; LEVELS] }
}

fn worlds(dice: &mut Chance, rows: usize, kinds: &[fn(&mut Chance, usize) -> WorldDetail]) -> Worlds {
    let count = (0..rows).map(|_| if dice.below(4) == 0 { 1 + dice.below(3) } else { 1 }).collect();
    let weight = (0..rows).map(|_| 1000 * (1 + dice.skewed(4))).collect();
    let of = (0..rows).map(|_| u32::try_from(dice.below(4)).expect("small")).collect();
    let groups = vec![Groups { column: "unit".into(), of, values: 4 }];
    Worlds { details: kinds.iter().map(|kind| kind(dice, rows)).collect(), count, weight, groups }
}

fn utility(dice: &mut Chance, details: usize) -> Vec<Vec<u64>> {
    (0..details)
        .map(|_| {
            let first = 100 + dice.below(900);
            vec![0, first, first + 100 + dice.below(900)]
        })
        .collect()
}

/// Every report that candidate class `row` could have made: values and precision on each detail that is its own,
/// nothing on the others.
fn reports(worlds: &Worlds, owned: &[bool], row: usize) -> Vec<Query> {
    let details = worlds.details.len();
    let mut all = vec![Query { values: vec![Vec::new(); details], precision: vec![0; details] }];
    for (d, detail) in worlds.details.iter().enumerate().filter(|&(d, _)| owned[d]) {
        let texts = |codes: &[u32], values: &[Vec<String>]| -> Vec<String> {
            let said = codes.iter().take_while(|&&c| c != u32::MAX);
            said.zip(values).map(|(&c, values)| values[c as usize].clone()).collect()
        };
        let options: Vec<(Vec<String>, u8)> = match detail {
            WorldDetail::Fixed(known) => (0..=known[row]).map(|r| (Vec::new(), r)).collect(),
            WorldDetail::Valued { codes, values, .. } => {
                let codes: Vec<u32> = codes.iter().map(|level| level[row]).collect();
                vec![(texts(&codes, values), 0)]
            }
            WorldDetail::Many { ancestors, values, known, .. } => ancestors
                .iter()
                .enumerate()
                .filter(|(v, _)| known[row][0] >> v & 1 == 1)
                .map(|(_, codes)| (texts(codes, values), 0))
                .collect(),
        };
        let extend = |query: &Query| -> Vec<Query> {
            let with = |(values, precision): &(Vec<String>, u8)| {
                let mut query = query.clone();
                query.values[d].clone_from(values);
                query.precision[d] = *precision;
                query
            };
            options.iter().map(with).collect()
        };
        all = all.iter().flat_map(extend).collect();
    }
    all
}

fn holds(worlds: &Worlds, rules: &Rules, rows: &BTreeSet<usize>) -> bool {
    let groups: Vec<[u32; 1]> = rows.iter().map(|&row| [worlds.groups[0].of[row]]).collect();
    let members: Vec<Member<'_>> = rows
        .iter()
        .zip(&groups)
        .map(|(&row, groups)| Member {
            count: worlds.count[row],
            suspects: worlds.count[row],
            mass: f64::from(u32::try_from(worlds.weight[row]).expect("small")),
            groups,
        })
        .collect();
    assess(rules, &members).holds
}

fn size(worlds: &Worlds, rows: &BTreeSet<usize>) -> u64 {
    rows.iter().map(|&row| worlds.count[row]).sum()
}

fn input(sets: Vec<ProtectedSet<'_>>, utility: Vec<Vec<u64>>) -> PolicyInput<'_> {
    let ceilings = vec![2; utility.len()];
    let effort = Effort::for_rows(100, 1);
    PolicyInput {
        sets,
        utility,
        ceilings,
        held: Vec::new(),
        refine: Vec::new(),
        plain_tree: false,
        silent: false,
        effort,
    }
}

fn built(input: &PolicyInput<'_>) -> Result<Policy, NoPolicy> {
    build(input, &AtomicBool::new(false), &mut |_, _| {})
}

fn random_rules(dice: &mut Chance) -> Rules {
    Rules {
        k: 2 + dice.below(5),
        robust: dice.below(2),
        share_ppm: (dice.below(3) == 0).then(|| u32::try_from(300_000 + dice.below(300_000)).expect("small")),
        diversity: if dice.below(3) == 0 { vec![(0, 2)] } else { Vec::new() },
    }
}

/// The nominal planner: the richest levels that enough candidates could have known, ties to the first in order.
fn nominal(worlds: &Worlds, utility: &[Vec<u64>], k: u64, query: &Query) -> Option<Seen> {
    let all: Vec<usize> = (0..worlds.count.len()).collect();
    let mut best: Option<(u64, Seen)> = None;
    let options = 3_usize.pow(u32::try_from(worlds.details.len()).expect("few"));
    for number in 0..options {
        let (mut rest, mut worth, mut said, mut left) = (number, 0, Seen::new(), all.clone());
        let mut possible = true;
        for (d, detail) in worlds.details.iter().enumerate() {
            let level = rest % 3;
            rest /= 3;
            worth += utility[d][level];
            said.push((
                u8::try_from(level).expect("small"),
                query.values[d].iter().take(level).cloned().collect(),
            ));
            match detail {
                WorldDetail::Fixed(known) => {
                    possible &= usize::from(query.precision[d]) >= level;
                    left.retain(|&row| usize::from(known[row]) >= level);
                }
                WorldDetail::Valued { codes, values, .. } => {
                    possible &= query.values[d].len() >= level;
                    left.retain(|&row| {
                        (0..level).all(|l| {
                            let code = codes[l][row];
                            code != u32::MAX && query.values[d].get(l) == Some(&values[l][code as usize])
                        })
                    });
                }
                WorldDetail::Many { .. } => unreachable!("not used with the nominal planner"),
            }
        }
        let safe = possible && left.iter().map(|&row| worlds.count[row]).sum::<u64>() >= k;
        if safe && best.as_ref().is_none_or(|(w, _)| worth > *w) {
            best = Some((worth, said));
        }
    }
    best.map(|(_, said)| said)
}

/// Who could have led to each thing that may be seen, by a planner.
fn attack(
    worlds: &Worlds,
    owned: &[bool],
    mut planner: impl FnMut(&Query) -> Option<Seen>,
) -> BTreeMap<Seen, BTreeSet<usize>> {
    let mut suspects: BTreeMap<Seen, BTreeSet<usize>> = BTreeMap::new();
    for row in 0..worlds.count.len() {
        for query in reports(worlds, owned, row) {
            if let Some(seen) = planner(&query) {
                suspects.entry(seen).or_default().insert(row);
            }
        }
    }
    suspects
}

fn by_policy(policy: &Policy) -> impl FnMut(&Query) -> Option<Seen> + '_ {
    let reader = Reader::new(policy);
    move |query| Some(seen(&reader.place(query, None).expect("every possible world has its release"), query))
}

#[test]
fn attacker_sees_through_the_nominal_planner_but_not_through_the_policy() {
    let mut dice = Chance(1);
    let (mut below, mut all) = (0, 0);
    for _ in 0..150 {
        let worlds = worlds(&mut dice, 60, &[valued, valued, valued]);
        let (utility, k) = (utility(&mut dice, 3), 4);
        let suspects = attack(&worlds, &[true; 3], |query| nominal(&worlds, &utility, k, query));
        for rows in suspects.values() {
            all += rows.len();
            below += if size(&worlds, rows) < k { rows.len() } else { 0 };
        }
        let rules = Rules { k, ..Rules::default() };
        let set = ProtectedSet { worlds: &worlds, details: vec![true; 3], rules: rules.clone() };
        let policy = built(&input(vec![set], utility)).expect("60 candidates can hide");
        for rows in attack(&worlds, &[true; 3], by_policy(&policy)).values() {
            assert!(size(&worlds, rows) >= k);
        }
    }
    // A fifth of all worlds is far more than chance; the experiment of bench/policy has the exact shares.
    assert!(below * 5 > all, "the attacker must bite where it should: {below} of {all} worlds");
}

#[test]
fn no_output_of_a_policy_leaves_its_suspects_unprotected() {
    let mut dice = Chance(2);
    let kinds: [fn(&mut Chance, usize) -> WorldDetail; 2] = [valued, fixed];
    let (mut policies, mut refused) = (0, 0);
    for _ in 0..2500 {
        let rows = 4 + dice.index(60);
        let kinds: Vec<_> = (0..=dice.below(4)).map(|_| kinds[dice.index(2)]).collect();
        let worlds = worlds(&mut dice, rows, &kinds);
        let rules = random_rules(&mut dice);
        let owned = vec![true; kinds.len()];
        let set = ProtectedSet { worlds: &worlds, details: owned.clone(), rules: rules.clone() };
        let input = input(vec![set], utility(&mut dice, kinds.len()));
        if let Ok(policy) = built(&input) {
            policies += 1;
            for (seen, rows) in attack(&worlds, &owned, by_policy(&policy)) {
                assert!(holds(&worlds, &rules, &rows), "{rules:?} {seen:?}: {} left", size(&worlds, &rows));
            }
            assert!(policy.smallest_group() >= Some(rules.k + rules.robust));
        } else {
            refused += 1;
            assert!(!holds(&worlds, &rules, &(0..rows).collect()), "silence was safe");
        }
    }
    assert!(policies > 1500 && refused > 20, "both cases occur: {policies} policies, {refused} refused");
}

#[test]
fn candidates_with_several_possible_values_stay_hidden() {
    let mut dice = Chance(3);
    let kinds: [fn(&mut Chance, usize) -> WorldDetail; 3] = [valued, fixed, many];
    let mut policies = 0;
    for _ in 0..600 {
        let rows = 10 + dice.index(40);
        let mut kinds: Vec<_> = (0..=dice.below(2)).map(|_| kinds[dice.index(3)]).collect();
        kinds.push(many);
        let worlds = worlds(&mut dice, rows, &kinds);
        let rules = random_rules(&mut dice);
        let owned = vec![true; kinds.len()];
        let set = ProtectedSet { worlds: &worlds, details: owned.clone(), rules: rules.clone() };
        if let Ok(policy) = built(&input(vec![set], utility(&mut dice, kinds.len()))) {
            policies += 1;
            for (seen, rows) in attack(&worlds, &owned, by_policy(&policy)) {
                assert!(holds(&worlds, &rules, &rows), "{rules:?} {seen:?}");
            }
        }
    }
    assert!(policies > 300, "{policies}");
}

/// Two sources with details of their own: the attacker holds every pair of candidates possible.
#[test]
fn two_sources_stay_hidden_at_once() {
    let mut dice = Chance(4);
    let mut policies = 0;
    for _ in 0..300 {
        let first = worlds(&mut dice, 25, &[valued, fixed, valued, fixed]);
        let second = worlds(&mut dice, 20, &[valued, fixed, valued, many]);
        let owned = [vec![true, true, false, false], vec![false, false, true, true]];
        let rules = [random_rules(&mut dice), random_rules(&mut dice)];
        let set =
            |worlds, i: usize| ProtectedSet { worlds, details: owned[i].clone(), rules: rules[i].clone() };
        let Ok(policy) = built(&input(vec![set(&first, 0), set(&second, 1)], utility(&mut dice, 4))) else {
            continue;
        };
        policies += 1;
        let reader = Reader::new(&policy);
        let mut suspects: BTreeMap<Seen, [BTreeSet<usize>; 2]> = BTreeMap::new();
        let theirs: Vec<Vec<Query>> = (0..20).map(|row| reports(&second, &owned[1], row)).collect();
        for a in 0..25 {
            for one in reports(&first, &owned[0], a) {
                for (b, other) in
                    theirs.iter().enumerate().flat_map(|(b, all)| all.iter().map(move |q| (b, q)))
                {
                    let mut query = one.clone();
                    query.values[2..].clone_from_slice(&other.values[2..]);
                    query.precision[2..].clone_from_slice(&other.precision[2..]);
                    let placed = reader.place(&query, None).expect("every possible world has its release");
                    let suspects = suspects.entry(seen(&placed, &query)).or_default();
                    suspects[0].insert(a);
                    suspects[1].insert(b);
                }
            }
        }
        for [a, b] in suspects.values() {
            assert!(holds(&first, &rules[0], a) && holds(&second, &rules[1], b));
        }
    }
    assert!(policies > 150, "{policies}");
}

/// The partner sees the public release too: its view is the pair.
#[test]
fn a_partner_who_sees_the_public_release_learns_no_more_than_its_rules_allow() {
    let mut dice = Chance(5);
    let kinds: [fn(&mut Chance, usize) -> WorldDetail; 3] = [valued, fixed, many];
    let mut finer = 0;
    for round in 0..800 {
        let plain_tree = round % 2 == 0;
        let rows = 30 + dice.index(60);
        let number = if plain_tree { 3 } else { 2 };
        let kinds: Vec<_> = (0..3).map(|_| kinds[dice.index(number)]).collect();
        let worlds = worlds(&mut dice, rows, &kinds);
        let strict = Rules { k: 8, ..random_rules(&mut dice) };
        let loose = Rules { k: 3, share_ppm: None, ..strict.clone() };
        let utility = utility(&mut dice, 3);
        let set =
            |rules: &Rules| ProtectedSet { worlds: &worlds, details: vec![true; 3], rules: rules.clone() };
        let mut public = input(vec![set(&strict)], utility.clone());
        public.plain_tree = plain_tree;
        let Ok(public) = built(&public) else { continue };
        let mut partner = input(vec![set(&loose)], utility);
        (partner.plain_tree, partner.refine) = (plain_tree, vec![&public]);
        let partner = built(&partner).expect("looser rules hold wherever the stricter ones do");
        let (first, second) = (Reader::new(&public), Reader::new(&partner));
        let view = |query: &Query| {
            let seen_by_all = first.place(query, None).expect("possible");
            let told = second.place(query, Some(&seen_by_all)).expect("possible");
            assert!(told.levels.iter().zip(&seen_by_all.levels).all(|(a, b)| a >= b), "nothing is unsaid");
            finer += usize::from(told.levels != seen_by_all.levels);
            Some([seen(&seen_by_all, query), seen(&told, query)].concat())
        };
        for rows in attack(&worlds, &[true; 3], view).values() {
            assert!(holds(&worlds, &loose, rows));
        }
    }
    assert!(finer > 1000, "the partner is told more than the public: {finer} times");
}

#[test]
fn what_was_told_before_is_told_apart_first() {
    let mut dice = Chance(6);
    let mut violated = 0;
    for round in 0..300 {
        let worlds = worlds(&mut dice, 40, &[valued, valued, fixed]);
        let rules = Rules { k: 5, ..Rules::default() };
        let set = ProtectedSet { worlds: &worlds, details: vec![true; 3], rules: rules.clone() };
        let mut input = input(vec![set], utility(&mut dice, 3));
        input.held = vec![(0, 1), (2, 1)];
        input.plain_tree = round % 2 == 0;
        let Ok(policy) = built(&input) else { continue };
        let reader = Reader::new(&policy);
        let mut suspects: BTreeMap<Seen, BTreeSet<usize>> = BTreeMap::new();
        for row in 0..40 {
            for query in reports(&worlds, &[true; 3], row).into_iter().filter(|q| q.precision[2] >= 1) {
                match reader.place(&query, None) {
                    Ok(placed) => {
                        assert!(placed.levels[0] >= 1 && placed.levels[2] >= 1);
                        suspects.entry(seen(&placed, &query)).or_default().insert(row);
                    }
                    Err(NotPossible::AlreadyViolated { candidates, .. }) => {
                        violated += 1;
                        assert!(candidates[0] < 5);
                    }
                    Err(other) => panic!("{other}"),
                }
            }
        }
        assert!(suspects.values().all(|rows| holds(&worlds, &rules, rows)));
    }
    assert!(violated > 0, "some earlier disclosures went too far");
}

#[test]
fn a_policy_is_the_same_with_two_threads_and_survives_its_text() {
    let mut dice = Chance(7);
    for round in 0..20 {
        let worlds = worlds(&mut dice, 400, &[valued, valued, valued, fixed]);
        let set = ProtectedSet {
            worlds: &worlds,
            details: vec![true; 4],
            rules: Rules { k: 3, ..Rules::default() },
        };
        let mut input = input(vec![set], utility(&mut dice, 4));
        input.plain_tree = round % 4 == 0;
        input.effort = Effort { node_rows: 50, blocks: 3, seed_step: 2, both_slopes: true, threads: 1 };
        let one = built(&input).expect("400 candidates can hide");
        input.effort.threads = 2;
        let two = built(&input).expect("400 candidates can hide");
        assert_eq!(one.hash(), two.hash());
        assert_eq!(Policy::from_text(&one.to_text()), Ok(one));
    }
}

#[test]
fn a_report_that_nobody_could_have_made_gets_no_release() {
    let mut dice = Chance(8);
    let mut worlds = worlds(&mut dice, 40, &[valued, valued]);
    let WorldDetail::Valued { codes, report, .. } = &mut worlds.details[0] else { unreachable!("made so") };
    let present = codes.iter().map(|level| Some(level[0])).collect::<Vec<_>>();
    report.clone_from(&present);
    let absent = |worlds: &Worlds| Query::of_report(&[(worlds, &[true, true])]);
    assert_eq!(absent(&worlds), Err(NotPossible::NoCandidate), "the second detail has no value in the table");
    let WorldDetail::Valued { codes, report, .. } = &mut worlds.details[1] else { unreachable!("made so") };
    *report = codes.iter().map(|level| Some(level[0])).collect();
    assert!(absent(&worlds).is_ok(), "the first candidate's own values");
}

#[test]
fn damaged_policies_are_refused() {
    let mut dice = Chance(9);
    let worlds = worlds(&mut dice, 60, &[valued, fixed]);
    let set =
        ProtectedSet { worlds: &worlds, details: vec![true; 2], rules: Rules { k: 3, ..Rules::default() } };
    let text = built(&input(vec![set], utility(&mut dice, 2))).expect("60 candidates can hide").to_text();
    for line in 0..text.lines().count() {
        let without: String =
            text.lines().enumerate().filter(|&(i, _)| i != line).flat_map(|(_, l)| [l, "\n"]).collect();
        assert!(Policy::from_text(&without).is_err(), "without line {}", line + 1);
    }
    assert!(Policy::from_text(&format!("{text}\n")).is_err());
    assert!(Policy::from_text(&text.replace("fixed 0", "fixed 00")).is_err());
}
