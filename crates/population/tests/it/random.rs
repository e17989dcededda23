//! Random small tables and predicates: the engine against an evaluation by hand.

use std::collections::BTreeMap;

use proptest::prelude::*;

use crate::support::{Case, detail};

/// A row: a text, a whole number, a decimal in eighths, yes or no; each may be null.
#[derive(Clone, Debug)]
struct Row {
    desk: Option<&'static str>,
    grade: Option<i64>,
    eighths: Option<i64>,
    active: Option<bool>,
    people: u64,
}

/// A predicate of three truth values.
#[derive(Clone, Debug)]
enum Predicate {
    Desk(&'static str),
    DeskLike(&'static str),
    Grade(&'static str, i64),
    Score(i64),
    Active,
    DeskIsNull,
    GradeIn(Vec<i64>),
    Not(Box<Predicate>),
    And(Box<Predicate>, Box<Predicate>),
    Or(Box<Predicate>, Box<Predicate>),
}

const DESKS: &[&str] = &["ana", "Ana", "Жан", "O'Hara", "anna b"];

impl Predicate {
    fn sql(&self) -> String {
        match self {
            Self::Desk(text) => format!("desk = '{}'", text.replace('\'', "''")),
            Self::DeskLike(prefix) => format!("desk LIKE '{prefix}%'"),
            Self::Grade(operator, number) => format!("grade {operator} {number}"),
            Self::Score(eighths) => format!("score < {eighths} / 8.0"),
            Self::Active => "active".to_owned(),
            Self::DeskIsNull => "desk IS NULL".to_owned(),
            Self::GradeIn(list) => {
                format!("grade IN ({})", list.iter().map(i64::to_string).collect::<Vec<_>>().join(", "))
            }
            Self::Not(inner) => format!("NOT ({})", inner.sql()),
            Self::And(a, b) => format!("({}) AND ({})", a.sql(), b.sql()),
            Self::Or(a, b) => format!("({}) OR ({})", a.sql(), b.sql()),
        }
    }

    fn holds(&self, row: &Row) -> Option<bool> {
        match self {
            Self::Desk(text) => row.desk.map(|desk| desk == *text),
            Self::DeskLike(prefix) => row.desk.map(|desk| desk.starts_with(prefix)),
            Self::Grade("<", number) => row.grade.map(|grade| grade < *number),
            Self::Grade(_, number) => row.grade.map(|grade| grade >= *number),
            Self::Score(eighths) => row.eighths.map(|score| score < *eighths),
            Self::Active => row.active,
            Self::DeskIsNull => Some(row.desk.is_none()),
            Self::GradeIn(list) => row.grade.map(|grade| list.contains(&grade)),
            Self::Not(inner) => inner.holds(row).map(|holds| !holds),
            Self::And(a, b) => match (a.holds(row), b.holds(row)) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            },
            Self::Or(a, b) => match (a.holds(row), b.holds(row)) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => None,
            },
        }
    }
}

fn predicate() -> impl Strategy<Value = Predicate> {
    let leaf = prop_oneof![
        prop::sample::select(DESKS).prop_map(Predicate::Desk),
        prop::sample::select(&["a", "An", "Ж", ""][..]).prop_map(Predicate::DeskLike),
        (prop::sample::select(&["<", ">="][..]), -3..4i64).prop_map(|(o, n)| Predicate::Grade(o, n)),
        (-8..9i64).prop_map(Predicate::Score),
        Just(Predicate::Active),
        Just(Predicate::DeskIsNull),
        prop::collection::vec(-3..4i64, 1..4).prop_map(Predicate::GradeIn),
    ];
    leaf.prop_recursive(3, 12, 2, |inner| {
        prop_oneof![
            inner.clone().prop_map(|p| Predicate::Not(Box::new(p))),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| Predicate::And(Box::new(a), Box::new(b))),
            (inner.clone(), inner).prop_map(|(a, b)| Predicate::Or(Box::new(a), Box::new(b))),
        ]
    })
}

fn row() -> impl Strategy<Value = Row> {
    (
        prop::option::of(prop::sample::select(DESKS)),
        prop::option::of(-3..4i64),
        prop::option::of(-8..9i64),
        prop::option::of(any::<bool>()),
        0..4u64,
    )
        .prop_map(|(desk, grade, eighths, active, people)| Row { desk, grade, eighths, active, people })
}

fn csv(rows: &[Row]) -> String {
    let mut text = String::from("desk,grade,score,active,people\n");
    for row in rows {
        let grade = row.grade.map_or(String::new(), |grade| grade.to_string());
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        let score = row.eighths.map_or(String::new(), |eighths| (eighths as f64 / 8.0).to_string());
        let active = row.active.map_or(String::new(), |active| active.to_string());
        text += &format!("{},{grade},{score},{active},{}\n", row.desk.unwrap_or_default(), row.people);
    }
    text
}

/// What the same rows give from a Parquet file.
#[cfg(feature = "datafusion")]
fn parquet(rows: &[Row], details: &str) -> tearline_model::candidates::Candidates {
    use datafusion::arrow::array::{BooleanArray, Float64Array, Int64Array, StringArray, UInt64Array};
    use std::sync::Arc;

    let folder = tempfile::tempdir().expect("a folder for the test");
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    let scores = rows.iter().map(|row| row.eighths.map(|eighths| eighths as f64 / 8.0));
    crate::parquet::write(
        &folder.path().join("people.parquet"),
        vec![
            ("desk", Arc::new(rows.iter().map(|row| row.desk).collect::<StringArray>())),
            ("grade", Arc::new(rows.iter().map(|row| row.grade).collect::<Int64Array>())),
            ("score", Arc::new(scores.collect::<Float64Array>())),
            ("active", Arc::new(rows.iter().map(|row| row.active).collect::<BooleanArray>())),
            ("people", Arc::new(rows.iter().map(|row| Some(row.people)).collect::<UInt64Array>())),
        ],
    );
    let text = format!("[population.people]\ntable = \"people.parquet\"\ncount = \"people\"\n{details}");
    crate::support::candidates(&crate::support::report(&text), folder.path()).expect("a good table")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn classes_are_what_an_evaluation_by_hand_gives(
        rows in prop::collection::vec(row(), 1..30),
        details in prop::collection::vec(prop::collection::vec(predicate(), 1..4), 1..4),
    ) {
        // One more row, which knows everything, so that every level is known to somebody.
        let mut rows = rows;
        rows.push(Row { desk: Some("ana"), grade: Some(9), eighths: Some(0), active: Some(true), people: 1 });
        let mut text = String::new();
        for (index, levels) in details.iter().enumerate() {
            let mut nested = Vec::new();
            let mut all = String::from("true");
            for level in levels {
                all = format!("{all} AND ({})", level.sql());
                nested.push(format!("coalesce(grade, 0) = 9 OR {all}"));
            }
            let nested: Vec<&str> = nested.iter().map(String::as_str).collect();
            text += &detail(&format!("d{index}"), &nested);
        }
        let types = "columns = { desk = \"text\", grade = \"integer\", score = \"real\", active = \"boolean\" }";
        let case = Case::new(csv(&rows), &format!("count = \"people\"\n{types}\n"), &text);
        let classes = case.candidates().map_err(|error| TestCaseError::fail(error.to_string()))?;

        let mut expected = BTreeMap::<Vec<u8>, u64>::new();
        for row in rows.iter().filter(|row| row.people > 0) {
            let levels = details.iter().map(|levels| {
                let known = levels.iter().take_while(|level| row.grade == Some(9) || level.holds(row) == Some(true));
                u8::try_from(known.count()).expect("few levels")
            });
            *expected.entry(levels.collect()).or_default() += row.people;
        }
        let found: Vec<(Vec<u8>, u64)> = (0..classes.classes())
            .map(|class| (classes.sure.iter().map(|levels| levels[class]).collect(), classes.count[class]))
            .collect();
        prop_assert_eq!(found, expected.into_iter().collect::<Vec<_>>());
        #[cfg(feature = "datafusion")]
        prop_assert_eq!(parquet(&rows, &text), classes);
    }
}
