//! Tables become the reports that might have been.

use tearline_model::worlds::WorldDetail;
use tearline_population::Kind;

use crate::support::{Case, detail, says};

const NULL: u32 = u32::MAX;

#[test]
fn rows_that_hold_the_value_imply_one_report_each() {
    let csv =
        "country,city,cleared\nRU,Moscow,0\nRU,Kazan,0\nRU,Moscow,0\nTR,Ankara,0\n,Lost,0\nFR,Paris,1\n";
    let details = "[detail.where]\nvalue_of = [\"country\", \"city\"]\n\
        [[detail.where.level]]\ntext = \"in Russia\"\nkey = \"RU\"\n\
        [[detail.where.level]]\ntext = \"in Omsk\"\nkey = \"Omsk\"\n";
    let worlds = Case::new(csv, "cleared = \"cleared = 1\"", details).worlds().expect("a good table");
    assert_eq!(worlds.count, [1, 2, 1, 1]);
    let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
    assert_eq!(
        worlds.details,
        [WorldDetail::Valued {
            codes: vec![vec![0, 0, 1, NULL], vec![1, 2, 0, NULL]],
            // France is cleared; a city without its country is no value.
            values: vec![names(&["RU", "TR"]), names(&["Ankara", "Kazan", "Moscow"])],
            report: vec![Some(0), None],
        }]
    );
}

#[test]
fn domains_give_the_set_of_values_that_could_have_been_known() {
    let csv = "city,reach\nMoscow,1\nKazan,1\nKazan,2\n";
    let details =
        "[detail.where]\ndomain = [[\"RU\", \"Moscow\"], [\"RU\", \"Kazan\"], [\"TR\", \"Ankara\"]]\n\
        [[detail.where.level]]\ntext = \"a\"\nkey = \"RU\"\nknown_to = \"reach = 2 OR :value = 'RU'\"\n\
        [[detail.where.level]]\ntext = \"b\"\nkey = \"Kazan\"\nknown_to = \"city = :value OR reach = 2\"\n"
            .to_owned()
            + &detail("when", &["true", "reach = 2"]);
    let worlds = Case::new(csv, "", &details).worlds().expect("a good table");
    let WorldDetail::Many { ancestors, values, known, report } = &worlds.details[0] else {
        panic!("a domain gives many values");
    };
    assert_eq!(values, &[vec!["RU", "TR"], vec!["Ankara", "Kazan", "Moscow"]]);
    assert_eq!(ancestors, &[[0, 2], [0, 1], [1, 0]]);
    assert_eq!(known, &[[0b001], [0b010], [0b111]]);
    assert_eq!(report, &[Some(0), Some(1)]);
    assert_eq!(worlds.details[1], WorldDetail::Fixed(vec![1, 1, 2]));
}

#[test]
fn worlds_do_not_depend_on_the_values_of_the_report() {
    let csv = "country,city\nRU,Moscow\nRU,Kazan\nTR,Ankara\n";
    let with = |country: &str, city: &str| {
        let details = format!(
            "[detail.where]\nvalue_of = [\"country\", \"city\"]\n\
             [[detail.where.level]]\ntext = \"a\"\nkey = \"{country}\"\n\
             [[detail.where.level]]\ntext = \"b\"\nkey = \"{city}\"\n"
        );
        let mut worlds = Case::new(csv, "", &details).worlds().expect("a good table");
        for detail in &mut worlds.details {
            if let WorldDetail::Valued { report, .. } = detail {
                report.clear();
            }
        }
        worlds
    };
    assert_eq!(with("RU", "Moscow"), with("TR", "Ankara"));
}

#[test]
fn a_domain_in_a_file_is_checked_against_the_report() {
    let details = "[detail.where]\ndomain = \"places.csv\"\n\
        [[detail.where.level]]\ntext = \"a\"\nkey = \"RU\"\nknown_to = \"country = :value\"\n\
        [[detail.where.level]]\ntext = \"b\"\nkey = \"Moscow\"\nknown_to = \"country = 'RU' AND city = :value\"\n";
    let case = Case::new("country,city\nRU,Moscow\nRU,Kazan\n", "", details);
    let write = |text: &str| {
        std::fs::write(case.folder.path().join("places.csv"), text).expect("the folder can be written");
    };
    says(&case.fails(), Kind::Missing, &["places.csv", "detail.where.domain"]);
    write("country,city\nRU,Kazan\n");
    says(&case.fails(), Kind::Domain, &["the report's own value is not among"]);
    write("country,city\nRU,Moscow\nRU,Moscow\n");
    says(&case.fails(), Kind::Domain, &["row 2 repeats a value"]);
    write("country,city\nRU,Moscow\nTR\n");
    says(&case.fails(), Kind::Domain, &["places.csv:3", "2 levels"]);
    write("country,city\nRU,Moscow\nRU,Kazan\n");
    assert_eq!(case.candidates().map(|c| c.sure), Ok(vec![vec![1, 2]]));
    let worlds = case.worlds().expect("a good table");
    assert!(matches!(&worlds.details[0], WorldDetail::Many { known, .. } if known == &[[0b01], [0b10]]));
}

#[test]
fn one_reading_gives_both_as_two_readings_do() {
    let csv =
        "city,country,reach,out\nMoscow,RU,1,0\nKazan,RU,1,0\nKazan,RU,2,0\nAnkara,TR,2,1\nMoscow,RU,2,0\n";
    let details =
        "[detail.where]\ndomain = [[\"RU\", \"Moscow\"], [\"RU\", \"Kazan\"], [\"TR\", \"Ankara\"]]\n\
        [[detail.where.level]]\ntext = \"a\"\nkey = \"RU\"\nknown_to = \"reach = 2 OR :value = 'RU'\"\n\
        [[detail.where.level]]\ntext = \"b\"\nkey = \"Kazan\"\nknown_to = \"city = :value OR reach = 2\"\n\
        [detail.home]\nvalue_of = [\"country\", \"city\"]\n\
        [[detail.home.level]]\ntext = \"a\"\nkey = \"RU\"\n\
        [[detail.home.level]]\ntext = \"b\"\nkey = \"Moscow\"\n"
            .to_owned()
            + &detail("when", &["true", "CASE WHEN reach = 2 THEN 1 ELSE 0.5 END"]);
    let case = Case::new(csv, "cleared = \"out = 1\"\ncertain = 0.7", &details);
    let (candidates, worlds) = case.both().expect("a good table");
    assert_eq!(candidates.cleared, 1);
    assert_eq!(candidates, case.candidates().expect("a good table"));
    assert_eq!(worlds, case.worlds().expect("a good table"));
}
