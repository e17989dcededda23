//! Who could have known a detail: `known_to`, `value_of`, `same_for_any_value`, `policy_level`, `domain`.

use super::details::{Context, Rung};
use super::domains;
use super::limits;
use super::names::Names;
use super::reader::{Item, Section, quoted};
use crate::report::{Domain, Knowledge, Sql};

/// A field that says the same for all populations, or something for each.
enum Each<T> {
    Absent,
    All(T),
    Per(Vec<Option<T>>),
    Wrong,
}

impl<T> Each<T> {
    fn of(&self, population: usize) -> Option<&T> {
        match self {
            Self::All(value) => Some(value),
            Self::Per(values) => values[population].as_ref(),
            Self::Absent | Self::Wrong => None,
        }
    }

    fn is_given_for(&self, population: usize) -> bool {
        match self {
            Self::All(_) | Self::Wrong => true,
            Self::Per(values) => values[population].is_some(),
            Self::Absent => false,
        }
    }
}

/// Reads a field that is either one value or a table of one value per population. `involved` are the populations
/// that may be named; `None` if that is not known.
fn each<'a, T>(
    item: Option<&Item<'a>>,
    populations: &Names,
    involved: Option<&[usize]>,
    read: impl Fn(&Item<'a>) -> Option<T>,
) -> Each<T> {
    let Some(item) = item else { return Each::Absent };
    if !item.is_table() {
        return read(item).map_or(Each::Wrong, Each::All);
    }
    let Some(entries) = item.named("one value, or one per population") else { return Each::Wrong };
    let mut values: Vec<Option<T>> = (0..populations.len()).map(|_| None).collect();
    let mut good = true;
    for (name, item) in entries {
        let value = read(&item);
        let Some(population) = populations.find(&name, &item) else {
            good = false;
            continue;
        };
        if involved.is_some_and(|involved| !involved.contains(&population)) {
            item.problem(
                format!("none of the sources hides in {}", quoted(&name)),
                "Remove this entry, or add the population to the source that hides there.",
            );
            good = false;
        }
        good &= value.is_some();
        values[population] = value;
    }
    if good { Each::Per(values) } else { Each::Wrong }
}

/// What `known_to` says of a linked report: one expression per population.
pub(super) fn linked(
    section: &Section<'_>,
    populations: &Names,
    involved: Option<&[usize]>,
) -> Option<Vec<Option<Sql>>> {
    let known_to = each(section.get("known_to").as_ref(), populations, involved, Item::sql);
    let mut good = !matches!(known_to, Each::Wrong);
    for &population in involved? {
        if good && known_to.of(population).is_none() {
            section.problem("known_to", missing(populations, &[population]), REMEDY);
            good = false;
        }
    }
    let involved = involved?;
    let of =
        |population| if involved.contains(&population) { known_to.of(population).cloned() } else { None };
    good.then(|| (0..populations.len()).map(of).collect())
}

const REMEDY: &str =
    "Write an SQL predicate over its columns; say known_to = \"true\" if everyone could know it.";

fn missing(populations: &Names, which: &[usize]) -> String {
    let names: Vec<String> = which.iter().map(|&p| quoted(populations.name(p))).collect();
    format!("nothing says who in {} could have known this", names.join(", "))
}

/// One entry per population; `None` after a problem.
pub(super) fn read(
    section: &Section<'_>,
    rungs: &[Rung<'_>],
    context: &Context<'_>,
    involved: Option<&[usize]>,
) -> Option<Vec<Option<Knowledge>>> {
    let populations = context.populations;
    let same_item = section.get("same_for_any_value");
    let same = same_item.as_ref().map_or(Some(false), Item::boolean);
    let policy_item = section.get("policy_level");
    let policy_level = policy_item.as_ref().map_or(Some(0), |item| {
        let most = i64::try_from(rungs.len()).unwrap_or(i64::MAX);
        item.integer(0, most).and_then(|level| u8::try_from(level).ok())
    });
    let domain_item = section.get("domain");
    let domain = domain_item.as_ref().and_then(|item| domains::read(item, rungs));
    let columns_item = section.get("value_of");
    let columns = each(columns_item.as_ref(), populations, involved, |item| columns(item, rungs.len()));
    let known_to: Vec<Each<Sql>> = rungs
        .iter()
        .map(|rung| each(rung.section.get("known_to").as_ref(), populations, involved, Item::sql))
        .collect();
    if rungs.is_empty() {
        return None;
    }

    let mut reader = Reader {
        section,
        rungs,
        same: same?,
        same_item: same_item.as_ref(),
        policy_level: policy_level?,
        domain_given: domain_item.is_some(),
        domain: domain.as_ref(),
        good: true,
        used: Used::default(),
    };
    let involved = involved?;
    reader.report_missing(populations, involved, &columns, &known_to);
    let knowledge: Vec<Option<Knowledge>> = (0..populations.len())
        .map(|p| if involved.contains(&p) { reader.one(p, &columns, &known_to) } else { None })
        .collect();
    if reader.good {
        reader.report_unused(domain_item.as_ref(), policy_item.as_ref());
    }
    let complete = involved.iter().all(|&population| knowledge[population].is_some());
    (reader.good && complete).then_some(knowledge)
}

/// A list of expressions, one per level.
fn columns(item: &Item<'_>, levels: usize) -> Option<Vec<Sql>> {
    let items = item.list_or_one(limits::LEVELS)?;
    if levels > 0 && items.len() != levels {
        item.problem(
            format!("the detail has {levels} levels, this list {} expressions", items.len()),
            "Give one expression per level, from coarse to exact.",
        );
        return None;
    }
    let expressions: Vec<Option<Sql>> = items.iter().map(Item::sql).collect();
    expressions.into_iter().collect()
}

#[derive(Default)]
struct Used {
    domain: bool,
    policy: bool,
}

struct Reader<'r, 'a> {
    section: &'r Section<'a>,
    rungs: &'r [Rung<'a>],
    same: bool,
    same_item: Option<&'r Item<'a>>,
    policy_level: u8,
    domain_given: bool,
    /// `None` also where it was wrong.
    domain: Option<&'r Domain>,
    good: bool,
    used: Used,
}

impl Reader<'_, '_> {
    /// Levels for which nothing is said in some population: one problem per level.
    fn report_missing(
        &mut self,
        populations: &Names,
        involved: &[usize],
        columns: &Each<Vec<Sql>>,
        known_to: &[Each<Sql>],
    ) {
        for (rung, known_to) in self.rungs.iter().zip(known_to) {
            let silent: Vec<usize> = involved
                .iter()
                .copied()
                .filter(|&p| !columns.is_given_for(p) && !known_to.is_given_for(p))
                .collect();
            if !silent.is_empty() {
                rung.section.problem("known_to", missing(populations, &silent), REMEDY);
                self.good = false;
            }
        }
    }

    /// What is known in one population; `None` after a problem.
    fn one(
        &mut self,
        population: usize,
        columns: &Each<Vec<Sql>>,
        known_to: &[Each<Sql>],
    ) -> Option<Knowledge> {
        if columns.is_given_for(population) {
            return self.column(population, columns, known_to);
        }
        let predicates: Vec<Sql> =
            known_to.iter().map(|k| k.of(population).cloned()).collect::<Option<_>>()?;
        let parameterised = predicates.iter().any(Sql::takes_value);
        if self.same {
            if parameterised {
                self.fail("a predicate uses :value, so it is not the same for any value");
                return None;
            }
            return Some(Knowledge::Fixed(predicates));
        }
        if !parameterised {
            self.used.policy = true;
            return Some(Knowledge::Opaque { predicates, policy_level: self.policy_level });
        }
        self.used.domain = true;
        if !self.domain_given {
            self.section.problem(
                "domain",
                "predicates use :value, but nothing says which values there could be",
                "Add domain = [[coarse, …, exact], …], the path of a CSV file, or, for times and numbers, a range.",
            );
            self.good = false;
        }
        Some(Knowledge::Domain { predicates, domain: self.domain?.clone() })
    }

    fn column(
        &mut self,
        population: usize,
        columns: &Each<Vec<Sql>>,
        known_to: &[Each<Sql>],
    ) -> Option<Knowledge> {
        for (rung, known_to) in self.rungs.iter().zip(known_to) {
            let twice = match known_to {
                Each::All(_) => matches!(columns, Each::All(_)),
                Each::Per(values) => values[population].is_some(),
                Each::Absent | Each::Wrong => false,
            };
            if twice {
                rung.section.problem(
                    "known_to",
                    "both value_of and known_to say who could have known this",
                    "Keep value_of if a column holds the value, else known_to.",
                );
                self.good = false;
            }
        }
        if self.same {
            self.fail("value_of compares with the value, so it is not the same for any value");
            return None;
        }
        let expressions = columns.of(population)?;
        if let Some(level) = expressions.iter().position(Sql::takes_value) {
            self.section.problem(
                "value_of",
                format!("the expression of level {} uses :value", level + 1),
                "value_of says what the value would have been; use :value in known_to.",
            );
            self.good = false;
        }
        Some(Knowledge::Column(expressions.clone()))
    }

    fn fail(&mut self, what: &str) {
        if let Some(item) = self.same_item {
            item.problem(
                what,
                "Remove same_for_any_value, or write predicates that do not look at the value.",
            );
        }
        self.good = false;
    }

    /// Fields that have no effect beside the others say something that its writer did not mean.
    fn report_unused(&mut self, domain: Option<&Item<'_>>, policy: Option<&Item<'_>>) {
        if let Some(item) = domain.filter(|_| !self.used.domain) {
            item.problem(
                "a domain, but no predicate uses :value",
                "Use :value in known_to, or remove the domain.",
            );
            self.good = false;
        }
        if let Some(item) = policy.filter(|_| !self.used.policy) {
            item.problem(
                "a policy level, but the planner knows who could have known other values",
                "Remove it: it is for predicates that name the report's own value.",
            );
            self.good = false;
        }
    }
}
