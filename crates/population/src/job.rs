//! What all engines are given: one population of one report, and how it is to be read.

use tearline_model::report::{Population, Report};

use crate::Options;
use crate::error::{Fault, Kind};
use crate::program::{Aim, Builder, Program};
use crate::reduce::Tuples;
use crate::sql::{Column, Dialect, find, unknown};

/// One population to be read.
pub(crate) struct Job<'r> {
    pub(crate) report: &'r Report,
    /// An index into the report's.
    pub(crate) population: usize,
    pub(crate) options: &'r Options<'r>,
    pub(crate) aim: Aim,
}

/// The expressions, once the columns are known.
pub(crate) struct Compiled {
    pub(crate) program: Program,
    /// The column that says for how many candidates a row stands.
    pub(crate) count: Option<usize>,
    /// The column that tells rows apart.
    pub(crate) id: Option<usize>,
}

/// What an engine answers: what was evaluated, and what came of it.
pub(crate) type Answer = (Program, Box<dyn Tuples>);

impl<'r> Job<'r> {
    pub(crate) fn table(&self) -> &'r Population {
        &self.report.populations[self.population]
    }

    /// Resolves all names and writes all expressions for an engine.
    pub(crate) fn compile(&self, columns: &[Column], dialect: Dialect) -> Result<Compiled, Fault> {
        let table = self.table();
        let count = self.named(columns, table.count_column.as_deref(), "count")?;
        let id = self.named(columns, table.id_column.as_deref(), "id")?;
        let builder = Builder {
            report: self.report,
            population: self.population,
            base: self.options.base,
            columns,
            dialect,
            aim: self.aim,
        };
        Ok(Compiled { program: builder.build()?, count, id })
    }

    fn named(&self, columns: &[Column], name: Option<&str>, field: &str) -> Result<Option<usize>, Fault> {
        let Some(name) = name else { return Ok(None) };
        let column = find(columns, name).ok_or_else(|| unknown(name, columns).field(&self.field(field)))?;
        Ok(Some(column))
    }

    /// A field of the population, as it stands in the report.
    pub(crate) fn field(&self, name: &str) -> String {
        format!("population.{}.{name}", self.table().id)
    }
}

/// How often progress is told and the cancel flag looked at.
#[cfg(any(feature = "postgres", feature = "datafusion"))]
pub(crate) const GLANCE: std::time::Duration = std::time::Duration::from_millis(50);

/// Waits for something, but not when the work is cancelled.
#[cfg(any(feature = "postgres", feature = "datafusion"))]
pub(crate) async fn watched<T>(options: &Options<'_>, future: impl Future<Output = T>) -> Result<T, Fault> {
    let mut future = std::pin::pin!(future);
    loop {
        if options.cancel.load(std::sync::atomic::Ordering::Relaxed) {
            return Err(Fault::cancelled());
        }
        if let Ok(result) = tokio::time::timeout(GLANCE, &mut future).await {
            return Ok(result);
        }
    }
}

/// What tables with types of their own share: only files tell a count's and an identifier's line.
#[cfg(any(feature = "postgres", feature = "datafusion"))]
impl Job<'_> {
    /// A column of counts must hold numbers.
    pub(crate) fn check_count(&self, columns: &[Column], count: Option<usize>) -> Result<(), Fault> {
        use crate::values::ColumnKind::{Integer, Real};
        match count.map(|column| columns[column].kind) {
            None | Some(Integer | Real) => Ok(()),
            Some(_) => {
                let fault =
                    Fault::new(Kind::Count, "the column of counts holds no numbers", "Name another column.");
                Err(fault.field(&self.field("count")))
            }
        }
    }

    /// The fault of rows whose counts are no counts.
    pub(crate) fn bad_count(&self, rows: u64) -> Fault {
        Fault::new(
            Kind::Count,
            format!("{rows} rows do not say how many candidates they stand for"),
            "Write a whole number from 0 to 1099511627776 into the column that \"count\" names.",
        )
        .field(&self.field("count"))
    }

    /// Judges how many rows lack an identifier, and how many have another row's.
    pub(crate) fn check_identifiers(&self, without: i64, repeated: i64) -> Result<(), Fault> {
        if without == 0 && repeated == 0 {
            return Ok(());
        }
        Err(Fault::new(
            Kind::Id,
            format!("{without} rows have no identifier, {repeated} have that of another row"),
            "Correct the table, or remove \"id\" if rows are not single candidates.",
        )
        .field(&self.field("id")))
    }
}
