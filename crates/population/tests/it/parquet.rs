//! Parquet files: the same classes as from CSV, and errors that name the place and the remedy.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use datafusion::arrow::array::{
    ArrayRef, BooleanArray, Decimal128Array, Float32Array, Float64Array, Int16Array, Int64Array,
    LargeStringArray, RecordBatch, StringArray, UInt8Array,
};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::file::properties::WriterProperties;
use tearline_model::report::Report;
use tearline_population::{Kind, Options, Progress};

use crate::engines::{POPULATION, TABLE, by_sqlite, details};
use crate::support::{candidates, detail, report, says, with};

type Columns = Vec<(&'static str, ArrayRef)>;

/// Writes a Parquet file in row groups of two rows.
pub(crate) fn write(path: &Path, columns: Columns) {
    let batch = RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, a)| (n, a, true)))
        .expect("columns of one length");
    let file = std::fs::File::create(path).expect("the folder can be written");
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(2)).build();
    let mut writer =
        ArrowWriter::try_new(file, batch.schema(), Some(properties)).expect("types that Parquet has");
    writer.write(&batch).expect("the file can be written");
    writer.close().expect("the file can be written");
}

/// A folder with a Parquet file, and a report about it.
struct Case {
    folder: tempfile::TempDir,
    report: Report,
}

impl Case {
    fn new(columns: Columns, population: &str, details: &str) -> Self {
        Self::named("people.parquet", columns, population, details)
    }

    fn named(name: &str, columns: Columns, population: &str, details: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder for the test");
        write(&folder.path().join(name), columns);
        let text = format!("[population.people]\ntable = \"{name}\"\n{population}\n{details}");
        Self { folder, report: report(&text) }
    }

    fn fails(&self) -> (Kind, String) {
        let error = candidates(&self.report, self.folder.path()).expect_err("the case is made to fail");
        (error.kind, error.to_string())
    }

    fn check_fails(&self) -> (Kind, String) {
        let error = with(self.folder.path(), 2, |o| tearline_population::check(&self.report, 0, o))
            .expect_err("the case is made to fail");
        (error.kind, error.to_string())
    }
}

fn fields(column: usize) -> impl Iterator<Item = Option<&'static str>> {
    TABLE.lines().skip(1).map(move |line| line.split(',').nth(column).filter(|field| !field.is_empty()))
}

fn numbers<T: std::str::FromStr>(column: usize) -> impl Iterator<Item = Option<T>> {
    fields(column).map(|field| field.map(|text| text.parse().ok().expect("a number")))
}

/// The table of the corpus in the types that a program would choose.
fn plain() -> Columns {
    vec![
        ("name", Arc::new(fields(0).collect::<StringArray>())),
        ("desk", Arc::new(fields(1).collect::<StringArray>())),
        ("grade", Arc::new(numbers(2).collect::<Int64Array>())),
        ("score", Arc::new(numbers(3).collect::<Float64Array>())),
        ("active", Arc::new(numbers(4).collect::<BooleanArray>())),
        ("people", Arc::new(numbers(5).collect::<Int64Array>())),
    ]
}

/// The same in narrower types, and with a dictionary.
fn narrow() -> Columns {
    let desks: ArrayRef = Arc::new(fields(1).collect::<StringArray>());
    let dictionary = DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Utf8));
    let thousandths = fields(3).map(|field| {
        #[expect(clippy::cast_possible_truncation, reason = "small numbers")]
        field.map(|text| (text.parse::<f64>().expect("a number") * 1000.0).round() as i128)
    });
    let scores = thousandths.collect::<Decimal128Array>().with_precision_and_scale(6, 3).expect("six digits");
    vec![
        ("name", Arc::new(fields(0).collect::<LargeStringArray>())),
        ("desk", cast(&desks, &dictionary).expect("few desks")),
        ("grade", Arc::new(numbers(2).collect::<Int16Array>())),
        ("score", Arc::new(scores)),
        ("active", Arc::new(numbers(4).collect::<BooleanArray>())),
        ("people", Arc::new(numbers(5).collect::<UInt8Array>())),
    ]
}

#[test]
fn parquet_gives_the_same_classes_and_worlds() {
    let (same_classes, same_worlds) = by_sqlite();
    for columns in [plain(), narrow()] {
        // Characters that stand for others in paths stand for themselves here.
        let case = Case::named("people [a-z]*?%20é.parquet", columns, POPULATION, &details());
        for threads in [1, 3] {
            with(case.folder.path(), threads, |options| {
                assert_eq!(tearline_population::check(&case.report, 0, options), Ok(()));
                assert_eq!(
                    tearline_population::candidates(&case.report, 0, options).as_ref(),
                    Ok(&same_classes)
                );
                assert_eq!(tearline_population::worlds(&case.report, 0, options).as_ref(), Ok(&same_worlds));
            });
        }
    }
}

#[test]
fn a_folder_of_files_is_one_table() {
    let text = "[population.people]\ntable = \"people.parquet\"\n".to_owned() + &detail("a", &["grade >= 2"]);
    let folder = tempfile::tempdir().expect("a folder for the test");
    let parts = folder.path().join("people.parquet").join("year=2026");
    std::fs::create_dir_all(&parts).expect("the folder can be written");
    let error = candidates(&report(&text), folder.path()).expect_err("no files yet");
    says(&(error.kind, error.to_string()), Kind::Empty, &["people.parquet", "no file that ends in .parquet"]);
    let grades = |grades: &[i64]| vec![("grade", Arc::new(Int64Array::from(grades.to_vec())) as ArrayRef)];
    write(&parts.join("0.parquet"), grades(&[1, 2]));
    write(&parts.join("1.parquet"), grades(&[3, 1, 1]));
    std::fs::write(parts.join("_SUCCESS"), "").expect("the folder can be written");
    let classes = candidates(&report(&text), folder.path()).expect("a good table");
    assert_eq!((classes.sure, classes.count), (vec![vec![0, 1]], vec![3, 2]));
}

#[test]
fn zero_has_no_sign_and_what_is_no_number_is_above_all() {
    let scores = Float64Array::from(vec![0.0, -0.0, f64::NAN, 1.0]);
    let details =
        detail("a", &["score = 0"]) + &detail("b", &["score > 1e300"]) + &detail("c", &["score < 2"]);
    let case = Case::new(vec![("score", Arc::new(scores))], "", &details);
    let classes = candidates(&case.report, case.folder.path()).expect("a good table");
    assert_eq!(classes.sure, [[0, 0, 1], [0, 1, 0], [1, 0, 1]]);
    assert_eq!(classes.count, [1, 1, 2]);
}

fn people() -> Columns {
    vec![
        ("id", Arc::new(Int64Array::from(vec![1, 2, 3, 4]))),
        ("desk", Arc::new(StringArray::from(vec![Some("7"), Some("secret"), None, Some("8")]))),
        ("grade", Arc::new(Int64Array::from(vec![1, 1, 0, i64::MAX]))),
        ("half", Arc::new(Float32Array::from(vec![0.5, 1.5, -0.5, f32::NAN]))),
        ("other", Arc::new(Int64Array::from(vec![Some(1), Some(2), Some(2), None]))),
    ]
}

#[track_caller]
fn fails(population: &str, predicate: &str, kind: Kind, words: &[&str]) {
    let case = Case::new(people(), population, &detail("a", &[predicate]));
    let error = case.fails();
    says(&error, kind, &[&["population \"people\": people.parquet"], words].concat());
    assert!(!error.1.contains("secret") && !error.1.contains("922337"), "{}", error.1);
}

#[test]
fn columns_and_types_that_do_not_fit() {
    let field = "detail.a.level[1].known_to";
    fails("", "dsek = 'a'", Kind::UnknownColumn, &[field, "Did you mean \"desk\"?"]);
    fails("id = \"idd\"", "true", Kind::UnknownColumn, &["population.people.id", "Did you mean \"id\"?"]);
    fails("", "desk", Kind::NotProbability, &[field, "text"]);
    fails("", "desk - 1 = 2", Kind::Sql, &[field]);
    fails("", "abs(desk, grade) = 1", Kind::Sql, &[field]);
    for predicate in ["dsek = 'a'", "desk", "abs(desk, grade) = 1", "- desk = 'x'"] {
        let case = Case::new(people(), "", &detail("a", &[predicate]));
        assert!(case.check_fails().1.contains(field));
    }
}

#[test]
fn values_that_cannot_be_used() {
    let field = "detail.a.level[1].known_to";
    fails("", "grade", Kind::NotProbability, &[field, "for 1 candidates"]);
    fails("", "half", Kind::NotProbability, &[field, "for 3 candidates"]);
    fails("", "CAST(desk AS integer) = 7", Kind::Sql, &[field, "cannot be cast"]);
    fails("", "grade * 2 > 1", Kind::Sql, &[field, "64 bits"]);
    fails("", "1 / grade = 1", Kind::Sql, &[field, "divided by zero"]);
    for weight in ["half", "grade - 1", "NULL", "half / 0.0", "grade * 1e9"] {
        fails(
            &format!("weight = \"{weight}\""),
            "true",
            Kind::Weight,
            &["population.people.weight", "candidates"],
        );
    }
    fails("weight = \"desk\"", "true", Kind::Weight, &["population.people.weight", "no number"]);
    fails("count = \"half\"", "true", Kind::Count, &["population.people.count", "4 rows"]);
    fails("count = \"grade\"", "true", Kind::Count, &["1 rows"]);
    fails("count = \"desk\"", "true", Kind::Count, &["no numbers"]);
    fails(
        "id = \"other\"",
        "true",
        Kind::Id,
        &["population.people.id", "1 rows have no", "1 have that of another"],
    );
    let known = "[detail.a]\ndomain = [[0], [1]]\n[[detail.a.level]]\ntext = \"a\"\nkey = 1\nknown_to = \"half + :value\"\n";
    let case = Case::new(people(), "", known);
    let error = with(case.folder.path(), 2, |o| tearline_population::worlds(&case.report, 0, o));
    let error = error.expect_err("no probabilities");
    says(&(error.kind, error.to_string()), Kind::NotProbability, &[field, "for 4 candidates"]);
}

#[test]
fn identifiers_that_differ_are_accepted() {
    let case = Case::new(people(), "id = \"ID\"", &detail("a", &["grade = 1"]));
    assert_eq!(candidates(&case.report, case.folder.path()).map(|c| c.count), Ok(vec![2, 2]));
}

#[test]
fn files_that_are_no_tables() {
    let case = Case::new(people(), "", &detail("a", &["grade = 1"]));
    let path = case.folder.path().join("people.parquet");
    let whole = std::fs::read(&path).expect("it was written");
    let put = |bytes: &[u8]| std::fs::write(&path, bytes).expect("the folder can be written");
    let words = ["people.parquet", "write it again"];
    put(&whole[..whole.len() - 1]);
    says(&case.fails(), Kind::Unreadable, &words);
    says(&case.check_fails(), Kind::Unreadable, &words);
    put(b"id,desk,grade\n1,a,1\n");
    says(&case.fails(), Kind::Unreadable, &words);
    put(b"");
    says(&case.fails(), Kind::Unreadable, &["people.parquet", "the file is empty"]);
    // The description at the end is whole, the pages are not.
    let mut damaged = whole.clone();
    let pages = damaged.len() / 3;
    damaged[4..pages].fill(0xff);
    put(&damaged);
    says(&case.fails(), Kind::Unreadable, &["people.parquet", "rite it again"]);
    std::fs::remove_file(&path).expect("it was written");
    says(&case.fails(), Kind::Missing, &["people.parquet", "relative to the report"]);
    let nobody = vec![("grade", Arc::new(Int64Array::from(Vec::<i64>::new())) as ArrayRef)];
    says(&Case::new(nobody, "", &detail("a", &["grade = 1"])).fails(), Kind::Empty, &["no candidates"]);
}

#[test]
fn a_file_that_is_replaced_while_it_is_read() {
    let case = Case::new(people(), "", &detail("a", &["grade = 1"]));
    let path = case.folder.path().join("people.parquet");
    let replace = |_: Progress| std::fs::write(&path, "another").expect("the folder can be written");
    let cancel = AtomicBool::new(false);
    let options = Options { base: case.folder.path(), progress: &replace, cancel: &cancel, threads: 1 };
    let error = tearline_population::candidates(&case.report, 0, &options).expect_err("it was replaced");
    says(&(error.kind, error.to_string()), Kind::Changed, &["changed while it was read"]);
}

#[test]
fn cancelling_ends_it() {
    let case = Case::new(people(), "", &detail("a", &["grade = 1"]));
    let cancel = AtomicBool::new(false);
    let progress = |_: Progress| cancel.store(true, Ordering::Relaxed);
    let options = Options { base: case.folder.path(), progress: &progress, cancel: &cancel, threads: 2 };
    let error = tearline_population::candidates(&case.report, 0, &options).expect_err("it was cancelled");
    assert_eq!(error.kind, Kind::Cancelled);
}

#[test]
fn the_longest_expressions_do_not_exhaust_the_stack() {
    let try_it = |expression: &str| {
        let grades: ArrayRef = Arc::new(Int64Array::from(vec![1; 4]));
        let case = Case::new(vec![("grade", grades)], "", &detail("a", &[expression]));
        let found = candidates(&case.report, case.folder.path());
        found.map(|classes| classes.count).map_err(|error| (error.kind, error.to_string()))
    };
    let field = "detail.a.level[1].known_to";
    let sum = |terms: usize| "grade".to_owned() + &"+1".repeat(terms) + " > 0";
    assert_eq!(try_it(&sum(500)), Ok(vec![4]));
    says(&try_it(&sum(4900)).expect_err("too long"), Kind::Sql, &[field, "more than 1000 operations"]);
    let nested = |depth: usize| "(".repeat(depth) + "grade = 1" + &")".repeat(depth);
    assert_eq!(try_it(&nested(100)), Ok(vec![4]));
    says(&try_it(&nested(4900)).expect_err("too deep"), Kind::Sql, &[field]);
}
