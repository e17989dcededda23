//! The originator's full record of a threat, checked: what is known, who could have known it, who is to be told.
//!
//! Cross-references are indices into the vectors of the same [`Report`] (a detail's `sources` index
//! `Report::sources`, and so on), resolved by the parser.

use crate::utility::Utility;
use crate::value::Value;

/// A checked report. Never leaves the originator.
#[derive(Clone, Debug)]
pub struct Report {
    /// The originator's reference for it, unique among its reports.
    pub id: String,
    /// What the report is about, for the originator's own eyes.
    pub title: String,
    /// Who filed it.
    pub originator: String,
    /// When the information was received, if stated.
    pub received: Option<jiff::Timestamp>,
    /// Whom the plan must hide. Never empty: a report that names none has one unnamed source behind every detail.
    pub sources: Vec<Source>,
    /// The tables of those whom a reader might suspect.
    pub populations: Vec<Population>,
    /// The facts, in the order of the file.
    pub details: Vec<Detail>,
    /// Who is to be told.
    pub audiences: Vec<Audience>,
    /// What must hold of the anonymity sets. Never empty.
    pub protections: Vec<Protection>,
    /// What audiences have been told already, of this report or of one linked to it.
    pub told: Vec<Told>,
    /// The mode the originator insists on; `None` lets the planner choose the safe one.
    pub mode: Option<Mode>,
}

/// One to be hidden: an informant, a sensor, a victim.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its name in the report file. Never released.
    pub id: String,
    /// Populations among which it must stay hidden; never empty.
    pub populations: Vec<usize>,
    /// Reliability by the Admiralty code, if graded.
    pub reliability: Option<Reliability>,
}

/// Reliability of a source, NATO/Admiralty code (AJP-2.1): A completely reliable to F cannot be judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the letters are the code")]
pub enum Reliability {
    A,
    B,
    C,
    D,
    E,
    F,
}

/// Where candidates come from, and how to read them.
#[derive(Clone, Debug)]
pub struct Population {
    /// Its name in the report file.
    pub id: String,
    /// The table.
    pub table: Table,
    /// Column that identifies a candidate; checked to be unique and not null when given.
    pub id_column: Option<String>,
    /// Column that says how many candidates a row stands for; 1 when absent.
    pub count_column: Option<String>,
    /// SQL expression over the columns: a candidate's prior suspicion relative to the others; 1 when absent.
    pub weight: Option<Sql>,
    /// SQL predicate: candidates whom a reader presumes cleared. They are never counted.
    pub cleared: Option<Sql>,
    /// A candidate counts as knowing a level when its probability is at least this, in thousandths; 1 to 1000.
    pub certain_permille: u16,
    /// Declared column types, overriding inference.
    pub column_types: Vec<(String, ColumnType)>,
}

/// Where a population's rows are.
#[derive(Clone, Debug)]
pub enum Table {
    /// Rows typed into the report file: column names, then one vector per row.
    Rows(Vec<String>, Vec<Vec<Cell>>),
    /// A CSV file (RFC 4180, UTF-8, header row), path relative to the report file.
    Csv(String),
    /// A Parquet file, path relative to the report file.
    Parquet(String),
    /// A `PostgreSQL` relation: connection URL and the relation's name.
    Postgres {
        /// `postgres://…`, without a password in it: that comes from the environment or a password file.
        url: String,
        /// Table or view, optionally schema-qualified.
        relation: String,
    },
}

/// One typed cell of a hand-typed table.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// Absent.
    Null,
    /// A whole number.
    Integer(i64),
    /// A finite decimal number.
    Real(f64),
    /// Text.
    Text(String),
    /// True or false.
    Boolean(bool),
}

/// Types a CSV column can be declared as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnType {
    /// 64-bit signed.
    Integer,
    /// Double precision.
    Real,
    /// Text, never converted.
    Text,
    /// true/false (also t/f, yes/no, 1/0).
    Boolean,
}

/// An SQL scalar expression over a population's columns, as written in the report.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Sql(pub String);

impl Sql {
    /// Whether the parameter `:value` stands in it, outside of quotes and comments. A cast (`x::value`) is none.
    pub fn takes_value(&self) -> bool {
        let mut rest = self.0.as_str();
        let mut before = ' ';
        while let Some(c) = rest.chars().next() {
            let skipped = match c {
                '\'' | '"' => rest[1..].find(c).map_or(rest.len(), |end| end + 2),
                '-' if rest.starts_with("--") => rest.find('\n').unwrap_or(rest.len()),
                '/' if rest.starts_with("/*") => rest[2..].find("*/").map_or(rest.len(), |end| end + 4),
                ':' if before != ':' && is_value_parameter(rest) => return true,
                c => c.len_utf8(),
            };
            before = c;
            rest = &rest[skipped..];
        }
        false
    }
}

fn is_value_parameter(text: &str) -> bool {
    text.strip_prefix(":value")
        .is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
}

/// One fact, from silence to exact.
#[derive(Clone, Debug)]
pub struct Detail {
    /// Its name: `who`, `where`, `when` …
    pub id: String,
    /// Sources that reported it; never empty.
    pub sources: Vec<usize>,
    /// Credibility of the information by the Admiralty code: 1 confirmed to 6 cannot be judged.
    pub credibility: Option<u8>,
    /// Likelihood, in ICD 203's words.
    pub likelihood: Option<Likelihood>,
    /// Confidence, in ICD 203's words.
    pub confidence: Option<Confidence>,
    /// From coarse (level 1) to exact; level 0, silence, is implicit. Never empty; at most 254.
    pub levels: Vec<Level>,
    /// Who could have known it, one entry per population of the report; `None` where none of the detail's sources
    /// hides in that population.
    pub knowledge: Vec<Option<Knowledge>>,
    /// Other words for the exact value, to be searched for in free text before release.
    pub aliases: Vec<String>,
}

/// ICD 203 (2015), D.6.e(2)(a): the seven bands of likelihood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the standard's words")]
pub enum Likelihood {
    AlmostNoChance,
    VeryUnlikely,
    Unlikely,
    RoughlyEvenChance,
    Likely,
    VeryLikely,
    AlmostCertain,
}

/// ICD 203: confidence in the judgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the standard's words")]
pub enum Confidence {
    Low,
    Moderate,
    High,
}

/// One way to say a detail.
#[derive(Clone, Debug)]
pub struct Level {
    /// The words that a reader gets.
    pub text: String,
    /// The typed value, from which containment is checked.
    pub value: Value,
    /// What `:value` stands for in predicates and what column values are compared with.
    pub key: Cell,
    /// Worth to a reader of knowing the detail this precisely (cumulative: never below the coarser level's).
    pub utility: Utility,
}

/// How it is told which candidates could have known a detail, level by level. Expressions are in the order of the
/// levels. A yes/no expression counts as probability 1 or 0; NULL as 0.
#[derive(Clone, Debug)]
pub enum Knowledge {
    /// The same candidates whatever the exact value (declared by the originator): the choice of a level then says
    /// nothing more about the value.
    Fixed(Vec<Sql>),
    /// Depends on the hidden value in a way the report does not spell out: the planner cannot imagine the reports
    /// that might have been. Only `policy_level`, fixed before the report, is selection-safe.
    Opaque {
        /// One per level.
        predicates: Vec<Sql>,
        /// The level that policy releases whatever the value; 0 is silence.
        policy_level: u8,
    },
    /// The candidate's own row says what the detail would have been, had that candidate been the source: one
    /// expression per level, coarse to exact. Known to those whose value equals the level's key.
    Column(Vec<Sql>),
    /// A predicate with the parameter `:value`, evaluated for every value of a domain.
    Domain {
        /// One per level, with `:value`.
        predicates: Vec<Sql>,
        /// The values that the detail could have had.
        domain: Domain,
    },
}

/// A finite set of exact values with their ancestors: row *i* lists the key of value *i* at each level, coarse to
/// exact. The report's own keys are one of the rows; no exact value comes twice; a key at one level always has the
/// same ancestors. The parser has checked that for listed rows; who loads a file checks it there.
#[derive(Clone, Debug, PartialEq)]
pub enum Domain {
    /// Written in the report, or derived from what is written: one row per exact value, one cell per level.
    Listed(Vec<Vec<Cell>>),
    /// The rows of a CSV file (RFC 4180, UTF-8, header row), path relative to the report file: one column per level,
    /// coarse to exact.
    Csv(String),
}

/// A reader of releases.
#[derive(Clone, Debug)]
pub struct Audience {
    /// Its name in the report file.
    pub id: String,
    /// Display name.
    pub name: String,
    /// Whether it is the public, whose releases everybody sees; at most one is.
    pub public: bool,
    /// Whether it is the originator's own people: what it is told and the public is not needs a recorded exception
    /// (the No Double Standard rule).
    pub own_people: bool,
    /// Audiences whose releases it sees, transitively closed, itself excluded, in index order.
    pub sees: Vec<usize>,
    /// Audiences with which it is assumed to pool what it gets, itself excluded. All others unless declared.
    pub colludes_with: Vec<usize>,
    /// Smaller numbers are planned first, subject to nothing else; ties in the order of the file.
    pub priority: i64,
    /// Alternatives of which at least one must be reached for a release to be actionable; each lists (detail,
    /// least level). Empty: anything goes.
    pub minimum: Vec<Vec<(usize, u8)>>,
    /// Factor on the utility of each detail for this audience, in thousandths; one per detail.
    pub importance_permille: Vec<u32>,
}

/// What must hold of the anonymity set of a source among a population under all that an audience sees.
#[derive(Clone, Debug)]
pub struct Protection {
    /// Index of the population.
    pub population: usize,
    /// Sources it covers.
    pub sources: Vec<usize>,
    /// Audiences it covers.
    pub audiences: Vec<usize>,
    /// At least this many candidates; 1 or more.
    pub k: u64,
    /// No candidate's posterior share above this many millionths; `None`: no such limit.
    pub share_ppm: Option<u32>,
    /// At least `at_least` different values of a column among the candidates.
    pub diversity: Vec<Diversity>,
    /// Γ: the protection must survive the exclusion of any so many candidates.
    pub robust: u64,
    /// Kept free for later releases: this release leaves at least k + headroom.
    pub headroom: u64,
}

/// A diversity requirement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diversity {
    /// The group column (an SQL expression over the columns).
    pub column: Sql,
    /// Least number of different non-null values.
    pub at_least: u32,
}

/// Something an audience has been told already. It can never be unsaid.
#[derive(Clone, Debug)]
pub struct Told {
    /// Who was told.
    pub audience: usize,
    /// What.
    pub what: ToldWhat,
}

/// What was told.
#[derive(Clone, Debug)]
pub enum ToldWhat {
    /// A detail of this report, up to a level.
    Level {
        /// Index of the detail.
        detail: usize,
        /// The level told; 1 or more.
        level: u8,
    },
    /// A fact of a linked report about the same source: it narrows the same anonymity set.
    Linked {
        /// How the originator refers to it.
        reference: String,
        /// Sources it came from.
        sources: Vec<usize>,
        /// Who could have known it: one expression per population, as in [`Detail::knowledge`].
        known_to: Vec<Option<Sql>>,
    },
}

/// How the choice of a plan is protected from being itself an observation. See `docs/guarantee.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Optimise for this report.
    Nominal,
    /// Nominal, then count by simulation who would have led to the same release.
    Audited,
    /// Choose by a public policy built from the population before and without the report.
    SelectionSafe,
}
