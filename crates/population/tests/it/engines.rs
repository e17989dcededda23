//! The common subset of SQL means the same on all engines.

use std::sync::atomic::AtomicBool;

use sqlx::{AssertSqlSafe, Connection as _, Executor as _};
use tearline_model::candidates::Candidates;
use tearline_model::worlds::Worlds;
use tearline_population::{Error, Kind, Options};

use crate::support::{Case, detail, report, says, with};

/// Predicates of the subset, over nulls, negative numbers and letters beyond ASCII.
const CORPUS: &[&str] = &[
    "true",
    "name IS NOT NULL",
    "name = 'Ünal'",
    "name <> 'ana'",
    "name < 'a'",
    "name >= 'Z' AND name < 'ж'",
    "name IN ('ana', 'Жан', 'O''Hara')",
    "name NOT IN ('ana')",
    "name LIKE 'a%'",
    "name LIKE '_на%' OR name LIKE '%''%'",
    "NOT name LIKE 'A%'",
    "lower(name) = 'ana'",
    "lower(name) = 'Ünal'",
    "upper(name) LIKE '%ÜNAL%' OR upper(name) = 'üNAL'",
    "length(name) = 4",
    "substr(name, 2, 2) = 'на'",
    "trim(replace(name, 'a', ' ')) = 'n'",
    "name || desk = 'anarussia'",
    "coalesce(desk, 'none') = 'none'",
    "nullif(desk, 'russia') IS NULL",
    "desk IS DISTINCT FROM 'russia'",
    "desk IS NULL OR desk = 'africa'",
    "grade > 0",
    "grade = -3",
    "abs(grade) BETWEEN 2 AND 3",
    "grade / 2 = -1",
    "grade / 2.0 = -1.5",
    "grade % 2 = 1",
    "grade * 3 - 1 >= score",
    "score > 0.1 AND score <= 0.3",
    "score + 0.1 = 0.3",
    "grade * 0.1 = 0.3",
    "- grade > 2",
    "CAST(grade AS text) = '3'",
    "CAST(grade AS double precision) / 2 = 1.5",
    "active",
    "NOT active",
    "active = true",
    "active IS NULL",
    "CASE WHEN active THEN grade > 0 ELSE score < 0 END",
    "CASE WHEN active THEN 1 WHEN grade > 0 THEN 0.5 END",
    "CASE desk WHEN 'russia' THEN 0.25 ELSE 0.75 END",
    "abs(score) / 4",
    "(grade > 0 OR NULL)",
    "grade IN (1, NULL, -3)",
];

pub(crate) const TABLE: &str = "\
name,desk,grade,score,active,people
ana,russia,3,0.2,true,1
Ana,africa,-3,-0.3,false,2
Жан,,2,0.3,,3
инна,russia,,1.5,true,4
Ünal,Russia,0,,false,5
ünal,africa,1,0.1,true,6
O'Hara,europe,-2,0.25,,7
,russia,5,-2.5,false,8
";

/// All predicates at once: each is a detail of one level, except that nobody may lack a level.
pub(crate) fn details() -> String {
    let mut text = String::new();
    for (index, predicate) in CORPUS.iter().enumerate() {
        // A second condition that somebody always meets, so that no predicate excludes everybody.
        text += &detail(
            &format!("d{index}"),
            &[&format!("CASE WHEN people = 8 THEN 1 WHEN {predicate} THEN 1 ELSE 0 END")],
        );
        if predicate.contains("0.5") || predicate.contains("0.25 ELSE") || predicate.contains("/ 4") {
            text = text.replace(
                &format!("CASE WHEN people = 8 THEN 1 WHEN {predicate} THEN 1 ELSE 0 END"),
                predicate,
            );
        }
    }
    text += "[detail.where]\nvalue_of = [\"desk\", \"lower(name)\"]\n\
        [[detail.where.level]]\ntext = \"a\"\nkey = \"russia\"\n[[detail.where.level]]\ntext = \"b\"\nkey = \"ana\"\n\
        [detail.number]\nvalue_of = [\"grade\", \"score\", \"active\"]\n\
        [[detail.number.level]]\ntext = \"a\"\nkey = 3\n[[detail.number.level]]\ntext = \"b\"\nkey = 0.2\n\
        [[detail.number.level]]\ntext = \"c\"\nkey = true\n\
        [detail.any]\ndomain = [[1, \"ana\"], [1, \"Жан\"], [2, \"O'Hara\"]]\n\
        [[detail.any.level]]\ntext = \"a\"\nkey = 1\nknown_to = \"grade >= :value\"\n\
        [[detail.any.level]]\ntext = \"b\"\nkey = \"ana\"\nknown_to = \"grade >= 2 AND coalesce(name, :value) = :value\"\n\
        [[protection]]\nk = 2\ndiversity = [{ column = \"desk\", at_least = 2 }, { column = \"score * 2\", at_least = 2 }]\n\
        [[told]]\naudience = \"public\"\nlinked = \"x\"\nknown_to = \"desk = 'russia'\"\n";
    text
}

pub(crate) const POPULATION: &str =
    "count = \"people\"\nweight = \"coalesce(abs(grade), 0) / 4.0 + 1\"\ncleared = \"name = 'ünal'\"\n";

pub(crate) fn by_sqlite() -> (Candidates, Worlds) {
    let case = Case::new(TABLE, &format!("{POPULATION}columns = {{ active = \"boolean\" }}\n"), &details());
    (case.candidates().expect("the subset"), case.worlds().expect("the subset"))
}

#[test]
fn the_corpus_tells_candidates_apart() {
    // So that equal answers below mean something.
    let (classes, _) = by_sqlite();
    assert_eq!(classes.classes(), 7);
    assert_eq!(classes.cleared, 6);
    let different: std::collections::HashSet<&Vec<u8>> = classes.sure.iter().collect();
    assert!(different.len() > 20, "{}", different.len());
}

/// A schema of the test's own on a server for tests.
struct Schema {
    url: String,
    name: &'static str,
}

impl Schema {
    /// Fills a schema, or says that there is no server.
    fn new(name: &'static str, setup: &str) -> Option<Self> {
        let given = std::env::var("TEARLINE_TEST_POSTGRES").ok();
        let url = given.clone().unwrap_or_else(|| "postgres://postgres@127.0.0.1:5432/test".to_owned());
        let sql = format!(
            "DROP SCHEMA IF EXISTS {name} CASCADE; CREATE SCHEMA {name}; SET search_path = {name}; {setup}"
        );
        let done = block_on(async {
            let mut connection = sqlx::PgConnection::connect(&url).await?;
            connection.execute(AssertSqlSafe(sql)).await.map(drop)
        });
        match done {
            Ok(()) => Some(Self { url, name }),
            Err(sqlx::Error::Io(error)) if given.is_none() => {
                eprintln!(
                    "SKIPPED: no PostgreSQL at 127.0.0.1:5432 ({error}); set TEARLINE_TEST_POSTGRES to a URL"
                );
                None
            }
            Err(error) => panic!("the PostgreSQL for tests does not work: {error}"),
        }
    }

    fn population(&self, relation: &str) -> String {
        format!("[population.people]\ntable = \"{}\"\nrelation = \"{}.{relation}\"\n", self.url, self.name)
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(future)
}

fn postgres_rows(table: &str) -> String {
    let values = table.lines().skip(1).map(|line| {
        let cells = line.split(',').map(|cell| match cell {
            "" => "NULL".to_owned(),
            cell => format!("'{}'", cell.replace('\'', "''")),
        });
        format!("({})", cells.collect::<Vec<_>>().join(", "))
    });
    values.collect::<Vec<_>>().join(", ")
}

#[test]
fn postgresql_gives_the_same_classes_and_worlds() {
    let setup = format!(
        "CREATE TABLE people (name varchar(20), desk text, grade smallint, score numeric(6, 3), active boolean, \
         people integer); INSERT INTO people VALUES {}",
        postgres_rows(TABLE)
    );
    let Some(schema) = Schema::new("tearline_same", &setup) else { return };
    let report = report(&(schema.population("people") + POPULATION + &details()));
    let base = std::path::Path::new(".");
    let classes = with(base, 1, |o| tearline_population::candidates(&report, 0, o)).expect("the subset");
    let worlds = with(base, 1, |o| tearline_population::worlds(&report, 0, o)).expect("the subset");
    let (same_classes, same_worlds) = by_sqlite();
    assert_eq!(classes, same_classes);
    assert_eq!(worlds, same_worlds);
    assert_eq!(with(base, 1, |o| tearline_population::check(&report, 0, o)), Ok(()));
}

fn fails(schema: &Schema, population: &str, predicates: &[&str]) -> (Kind, String) {
    let report = report(&(schema.population("people") + population + &detail("a", predicates)));
    let error: Error = with(std::path::Path::new("."), 1, |o| tearline_population::candidates(&report, 0, o))
        .expect_err("the case is made to fail");
    (error.kind, error.to_string())
}

#[test]
fn postgresql_errors_say_where_and_what_to_do() {
    let setup = "CREATE TABLE people (id integer, desk text, n bigint, code text); \
        INSERT INTO people VALUES (1, 'a', 1, '7'), (2, 'b', -1, 'secret'), (2, NULL, 1, '8')";
    let Some(schema) = Schema::new("tearline_errors", setup) else { return };
    let fails = |population: &str, predicate: &str| fails(&schema, population, &[predicate]);
    says(
        &fails("", "dsek = 'a'"),
        Kind::UnknownColumn,
        &["tearline_errors.people", "Did you mean \"desk\"?"],
    );
    says(&fails("", "desk = 1"), Kind::Sql, &["detail.a.level[1].known_to", "operator does not exist"]);
    says(&fails("", "desk"), Kind::NotProbability, &["detail.a.level[1].known_to", "text"]);
    says(&fails("", "id"), Kind::NotProbability, &["for 2 candidates"]);
    says(&fails("id = \"id\"\n", "true"), Kind::Id, &["1 have that of another row"]);
    says(&fails("count = \"n\"\n", "true"), Kind::Count, &["1 rows"]);
    says(&fails("count = \"desk\"\n", "true"), Kind::Count, &["no numbers"]);
    says(&fails("weight = \"n\"\n", "true"), Kind::Weight, &["1 candidates", "population.people.weight"]);
    let cast = fails("", "CAST(code AS integer) = 7");
    says(&cast, Kind::Sql, &["detail.a.level[1].known_to", "invalid input syntax"]);
    assert!(!cast.1.contains("secret"), "{}", cast.1);
    says(&fails("", "pg_sleep(1) IS NULL"), Kind::Refused, &["not available"]);
    let missing = report(&(schema.population("nobody") + &detail("a", &["true"])));
    let error = with(std::path::Path::new("."), 1, |o| tearline_population::check(&missing, 0, o));
    assert_eq!(error.expect_err("no such table").kind, Kind::Missing);
}

#[test]
fn a_server_that_does_not_answer_is_an_error_without_the_url() {
    let text =
        "[population.people]\ntable = \"postgres://somebody@127.0.0.1:1/base\"\nrelation = \"people\"\n";
    let report = report(&(text.to_owned() + &detail("a", &["true"])));
    let error = with(std::path::Path::new("."), 1, |o| tearline_population::candidates(&report, 0, o))
        .expect_err("nothing listens there");
    says(&(error.kind, error.to_string()), Kind::Connection, &["people", "PGPASSWORD"]);
    assert!(!error.to_string().contains("somebody"), "{error}");
}

#[test]
fn cancelling_stops_the_server_too() {
    // A view that takes for ever stands for a large table.
    let setup = "CREATE VIEW people AS SELECT 1 AS grade FROM generate_series(1, 1000000000)";
    let Some(schema) = Schema::new("tearline_cancel", setup) else { return };
    let report = report(&(schema.population("people") + &detail("a", &["grade = 1"])));
    let cancel = AtomicBool::new(false);
    let error = std::thread::scope(|scope| {
        scope.spawn(|| {
            // Wait for the server to be at it.
            let running = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'tearline' \
                AND state = 'active' AND query LIKE '%tearline_cancel%GROUP BY%'";
            while block_on(async {
                let mut connection = sqlx::PgConnection::connect(&schema.url).await?;
                sqlx::query_scalar::<_, i64>(running).fetch_one(&mut connection).await
            })
            .is_ok_and(|count| count == 0)
            {}
            cancel.store(true, std::sync::atomic::Ordering::Relaxed);
        });
        let options =
            Options { base: std::path::Path::new("."), progress: &|_| {}, cancel: &cancel, threads: 1 };
        tearline_population::candidates(&report, 0, &options).expect_err("it was cancelled")
    });
    assert_eq!(error.kind, Kind::Cancelled);
}
