//! From a report to the list of expressions that an engine evaluates for every row of one population.

use std::collections::HashMap;

use tearline_model::report::{Cell, Domain, Knowledge, Population, Report, Sql, ToldWhat};

use crate::domain::{self, DomainValues};
use crate::error::{Fault, Kind};
use crate::sql::{self, Column, Dialect, Expression};
use crate::values::{WEIGHT_MAX, key_text};

/// How an expression's value becomes a number from 0 to 2^32 − 1.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Yields {
    /// A probability, in thousandths.
    Probability,
    /// A weight, in thousandths.
    Weight,
    /// A value: the number of its text in the expression's dictionary; `u32::MAX` for null.
    Text,
    /// The values of a domain that could have been known, as a bit set: its number in the expression's dictionary.
    Known(usize),
}

/// What an engine evaluates.
#[derive(Debug)]
pub(crate) struct Item {
    pub(crate) yields: Yields,
    /// One expression; for [`Yields::Known`] one per level.
    pub(crate) expressions: Vec<Expression>,
    /// As written for the engine; for [`Yields::Known`] with `:value` left in.
    pub(crate) sql: Vec<String>,
    /// The field of the report that it comes from; for [`Yields::Known`] one per level.
    pub(crate) fields: Vec<String>,
    /// Columns that it reads, ascending.
    pub(crate) columns: Vec<usize>,
}

/// How a detail's levels are told from the items.
#[derive(Clone, Debug)]
pub(crate) enum DetailPlan {
    /// None of its sources hides here: nobody is told apart by it.
    Elsewhere,
    /// One item per level.
    Levels(Vec<usize>),
    /// Items with the row's own values, and the keys they are compared with.
    Values { items: Vec<usize>, keys: Vec<Option<String>> },
    /// One item with the set of values that could have been known.
    Known(usize),
}

/// All items of one population, and what they are for.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) items: Vec<Item>,
    /// For the report as it is; empty where that is not asked for.
    pub(crate) details: Vec<DetailPlan>,
    /// For the reports that might have been; empty where they are not asked for.
    pub(crate) imagined: Vec<DetailPlan>,
    pub(crate) linked: Vec<Option<usize>>,
    pub(crate) groups: Vec<(String, usize)>,
    pub(crate) weight: Option<usize>,
    pub(crate) cleared: Option<usize>,
    pub(crate) domains: Vec<DomainValues>,
    pub(crate) certain: u32,
}

/// What the items are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Aim {
    /// The report as it is.
    Candidates,
    /// All reports that might have been.
    Worlds,
    /// Both, from one reading.
    Both,
}

pub(crate) struct Builder<'a> {
    pub(crate) report: &'a Report,
    pub(crate) population: usize,
    pub(crate) base: &'a std::path::Path,
    pub(crate) columns: &'a [Column],
    pub(crate) dialect: Dialect,
    pub(crate) aim: Aim,
}

impl Builder<'_> {
    pub(crate) fn build(&self) -> Result<Program, Fault> {
        let table: &Population = &self.report.populations[self.population];
        let mut list = List { builder: self, items: Vec::new(), index: HashMap::new() };
        let field = |name: &str| format!("population.{}.{name}", table.id);
        let weight = match &table.weight {
            Some(sql) => Some(list.plain(sql, Yields::Weight, field("weight"), None)?),
            None => None,
        };
        let cleared = match &table.cleared {
            Some(sql) => Some(list.plain(sql, Yields::Probability, field("cleared"), None)?),
            None => None,
        };
        let mut groups: Vec<(String, usize)> = Vec::new();
        for (index, protection) in self.report.protections.iter().enumerate() {
            if protection.population != self.population {
                continue;
            }
            for diversity in &protection.diversity {
                if groups.iter().all(|(column, _)| *column != diversity.column.0) {
                    let field = format!("protection[{}].diversity", index + 1);
                    let item = list.plain(&diversity.column, Yields::Text, field, None)?;
                    groups.push((diversity.column.0.clone(), item));
                }
            }
        }
        let mut linked = Vec::new();
        for (index, told) in self.report.told.iter().enumerate() {
            if let ToldWhat::Linked { known_to, .. } = &told.what {
                let field = format!("told[{}].known_to", index + 1);
                linked.push(match known_to.get(self.population).and_then(Option::as_ref) {
                    Some(sql) if self.aim != Aim::Worlds => {
                        Some(list.plain(sql, Yields::Probability, field, None)?)
                    }
                    _ => None,
                });
            }
        }
        let mut domains = Vec::new();
        let (mut details, mut imagined) = (Vec::new(), Vec::new());
        for detail in &self.report.details {
            let keys: Vec<&Cell> = detail.levels.iter().map(|level| &level.key).collect();
            let knowledge = detail.knowledge.get(self.population).and_then(Option::as_ref);
            let field = |level: usize| format!("detail.{}.level[{}].known_to", detail.id, level + 1);
            let plan = match knowledge {
                None => DetailPlan::Elsewhere,
                Some(Knowledge::Fixed(predicates) | Knowledge::Opaque { predicates, .. }) => {
                    DetailPlan::Levels(list.levels(predicates, &field, None)?)
                }
                Some(Knowledge::Column(expressions)) => {
                    let mut items = Vec::new();
                    for (level, sql) in expressions.iter().enumerate() {
                        let field = format!("detail.{}.value_of[{}]", detail.id, level + 1);
                        items.push(list.plain(sql, Yields::Text, field, None)?);
                    }
                    DetailPlan::Values { items, keys: keys.iter().map(|key| key_text(key)).collect() }
                }
                Some(Knowledge::Domain { predicates, domain }) => {
                    if self.aim == Aim::Candidates {
                        if let Domain::Csv(_) = domain {
                            // Read for its errors: the report's own value must be among its rows.
                            domain::load(domain, &keys, self.base, &detail.id)?;
                        }
                    } else {
                        domains.push(domain::load(domain, &keys, self.base, &detail.id)?);
                        imagined.push(DetailPlan::Known(list.known(
                            predicates,
                            &field,
                            domains.len() - 1,
                        )?));
                    }
                    if self.aim != Aim::Worlds {
                        details.push(DetailPlan::Levels(list.levels(predicates, &field, Some(&keys))?));
                    }
                    continue;
                }
            };
            if self.aim != Aim::Candidates {
                imagined.push(plan.clone());
            }
            if self.aim != Aim::Worlds {
                details.push(plan);
            }
        }
        Ok(Program {
            items: list.items,
            details,
            imagined,
            linked,
            groups,
            weight,
            cleared,
            domains,
            certain: u32::from(table.certain_permille),
        })
    }
}

/// The items so far. Equal expressions are evaluated once.
struct List<'b> {
    builder: &'b Builder<'b>,
    items: Vec<Item>,
    index: HashMap<(Yields, String), usize>,
}

impl List<'_> {
    fn parse(&self, sql: &Sql, field: &str, may_take_value: bool) -> Result<Expression, Fault> {
        sql::parse(&sql.0, self.builder.columns, may_take_value).map_err(|fault| fault.field(field))
    }

    fn plain(
        &mut self,
        sql: &Sql,
        yields: Yields,
        field: String,
        key: Option<&Cell>,
    ) -> Result<usize, Fault> {
        let dialect = self.builder.dialect;
        let expression = self.parse(sql, &field, key.is_some())?;
        let value = key.map(|key| sql::cell(dialect, key)).unwrap_or_default();
        let text = expression.write(dialect, self.builder.columns, &value);
        let known = (yields.clone(), text.clone());
        if let Some(&item) = self.index.get(&known) {
            return Ok(item);
        }
        self.items.push(Item {
            yields,
            columns: expression.columns.clone(),
            expressions: vec![expression],
            sql: vec![text],
            fields: vec![field],
        });
        self.index.insert(known, self.items.len() - 1);
        Ok(self.items.len() - 1)
    }

    fn levels(
        &mut self,
        predicates: &[Sql],
        field: &dyn Fn(usize) -> String,
        keys: Option<&[&Cell]>,
    ) -> Result<Vec<usize>, Fault> {
        let one = |(level, sql)| {
            self.plain(sql, Yields::Probability, field(level), keys.and_then(|keys| keys.get(level)).copied())
        };
        predicates.iter().enumerate().map(one).collect()
    }

    fn known(
        &mut self,
        predicates: &[Sql],
        field: &dyn Fn(usize) -> String,
        domain: usize,
    ) -> Result<usize, Fault> {
        let (mut expressions, mut texts, mut fields) = (Vec::new(), Vec::new(), Vec::new());
        for (level, sql) in predicates.iter().enumerate() {
            let expression = self.parse(sql, &field(level), true)?;
            texts.push(expression.write(self.builder.dialect, self.builder.columns, ":value"));
            expressions.push(expression);
            fields.push(field(level));
        }
        let mut columns: Vec<usize> = expressions.iter().flat_map(|e| e.columns.iter().copied()).collect();
        columns.sort_unstable();
        columns.dedup();
        self.items.push(Item { yields: Yields::Known(domain), expressions, sql: texts, fields, columns });
        Ok(self.items.len() - 1)
    }
}

/// The fault of an expression whose value is of no use.
pub(crate) fn useless(item: &Item, level: usize, kind: Kind, what: &str) -> Fault {
    let remedy = match kind {
        Kind::Weight => {
            format!("Weights are numbers from 0.001 to {WEIGHT_MAX}; write CASE or coalesce for the others.")
        }
        _ => "A predicate answers yes or no, or gives a probability from 0 to 1. A CSV column of true and false is \
              one of yes and no if it is declared: columns = { NAME = \"boolean\" }."
            .to_owned(),
    };
    Fault::new(kind, what, remedy).field(&item.fields[level])
}

/// The fault of values that are no probabilities or no weights, where the engine tells how many and not which.
#[cfg(any(feature = "postgres", feature = "datafusion"))]
pub(crate) fn out_of_range(item: &Item, level: usize, candidates: u64) -> Fault {
    let (kind, what) = match item.yields {
        Yields::Weight => {
            (Kind::Weight, format!("the weight of {candidates} candidates is null or out of range"))
        }
        _ => {
            (Kind::NotProbability, format!("for {candidates} candidates the expression gives no probability"))
        }
    };
    useless(item, level, kind, &what)
}
