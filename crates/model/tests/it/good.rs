//! What good reports mean, field by field and default by default.

use tearline_model::parse::{Problems, limits, parse};
use tearline_model::report::{
    Cell, ColumnType, Confidence, Detail, Diversity, Domain, Knowledge, Likelihood, Mode, Reliability,
    Report, Sql, Table, ToldWhat,
};
use tearline_model::utility::Utility;

use super::COMPLETE;

fn read(text: &str) -> Report {
    match parse(text.as_bytes(), "report.toml") {
        Ok(report) => report,
        Err(problems) => panic!("{problems}"),
    }
}

fn text(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}

fn sql(text: &str) -> Sql {
    Sql(text.to_owned())
}

/// A report with one population, one audience and the given details.
fn with_details(details: &str) -> Report {
    read(&format!(
        "tearline = 1\nid = \"1\"\ntitle = \"t\"\noriginator = \"o\"\n[population.staff]\ntable = \"s.csv\"\n\
         [audience.public]\n[[protection]]\nk = 3\n{details}"
    ))
}

/// The default keys and the values of the levels of the only detail, which is of this type.
fn levels(kind: &str, values: &[&str]) -> Vec<(Cell, String)> {
    let mut details = format!("[detail.d]\ntype = \"{kind}\"\nsame_for_any_value = true\n");
    for value in values {
        details.extend(["[[detail.d.level]]\ntext = \"x\"\nknown_to = \"true\"\nvalue = ", value, "\n"]);
    }
    let report = with_details(&details);
    report.details[0].levels.iter().map(|level| (level.key.clone(), level.value.to_string())).collect()
}

#[test]
fn the_document_prints_the_complete_example() {
    let document = include_str!("../../../../docs/formats/report.md");
    assert!(
        document.contains(&format!("```toml\n{COMPLETE}```\n")),
        "docs/formats/report.md has another example"
    );
}

#[test]
fn the_document_states_the_limits_that_are_checked() {
    let document = include_str!("../../../../docs/formats/report.md");
    for (limit, words) in [
        (limits::FILE_BYTES >> 20, "The file: # MiB."),
        (limits::SOURCES, "every population. At most #."),
        (
            limits::POPULATIONS,
            "At least one; at most #.\n\n| field | value | default | meaning |\n|---|---|---|---|\n| `table`",
        ),
        (limits::DETAILS, "At least one; at most #. Their order"),
        (limits::LEVELS, "One to #, from coarse"),
        (
            limits::AUDIENCES,
            "At least one; at most #.\n\n| field | value | default | meaning |\n|---|---|---|---|\n| `name`",
        ),
        (limits::PROTECTIONS, "At least one; at most #. Every source"),
        (limits::TOLD, "it counts as released. At most #."),
        (limits::LIST, "before release; at most # |"),
        (limits::ROWS, "rows typed here instead of `table`; at most # |"),
        (limits::ROWS, "\nAt most # values."),
        (limits::COLUMNS, "at most # columns"),
        (limits::NAME_CHARS, "at most # characters"),
        (limits::TEXT_CHARS, "*Text*: 1 to # characters"),
        (limits::SQL_CHARS, "1 to # characters; see"),
        (Problems::MOST, "At most # problems"),
    ] {
        let digits = limit.to_string();
        let figure = match digits.len() {
            0..=3 => digits,
            length => format!("{},{}", &digits[..length - 3], &digits[length - 3..]),
        };
        assert!(document.contains(&words.replace('#', &figure)), "{}", words.replace('#', &figure));
    }
}

#[test]
fn the_complete_example_says_whom_to_hide_and_where() {
    let report = read(COMPLETE);
    assert_eq!(report.id, "2024-03/17");
    assert_eq!(report.received, Some("2024-03-05T10:00:00Z".parse().expect("a time")));
    assert_eq!(report.mode, Some(Mode::SelectionSafe));
    let [hum1, sensor] = &report.sources[..] else { panic!("two sources") };
    assert_eq!(
        (hum1.id.as_str(), &hum1.populations[..], hum1.reliability),
        ("hum1", &[0][..], Some(Reliability::B))
    );
    assert_eq!((sensor.id.as_str(), &sensor.populations[..], sensor.reliability), ("sensor", &[1][..], None));
    let [staff, sites] = &report.populations[..] else { panic!("two populations") };
    assert!(matches!(&staff.table, Table::Csv(path) if path == "staff.csv"));
    assert_eq!(staff.id_column.as_deref(), Some("person_id"));
    assert_eq!(staff.certain_permille, 800);
    assert_eq!(staff.cleared, Some(sql("left_before = 1")));
    assert_eq!(
        staff.column_types,
        [("person_id".to_owned(), ColumnType::Text), ("desk".to_owned(), ColumnType::Text)]
    );
    assert_eq!((sites.certain_permille, sites.count_column.as_deref()), (1000, Some("count")));
    let Table::Rows(columns, rows) = &sites.table else { panic!("typed rows") };
    assert_eq!(columns, &["region", "kind", "count"]);
    assert_eq!(rows[2], [text("south"), text("gateway"), Cell::Integer(10)]);
}

#[test]
fn the_complete_example_says_what_is_known_in_its_order() {
    let report = read(COMPLETE);
    let [place, when, traffic, meeting] = &report.details[..] else { panic!("four details") };
    let names: Vec<&str> = report.details.iter().map(|d| d.id.as_str()).collect();
    assert_eq!(names, ["where", "when", "traffic", "meeting"]);

    assert_eq!((place.credibility, place.likelihood), (Some(2), Some(Likelihood::Likely)));
    assert_eq!(place.aliases, ["Крокус", "Crocus"]);
    assert_eq!(place.levels[0].utility, Utility(3000));
    let [Some(Knowledge::Domain { predicates, domain: Domain::Listed(rows) }), None] = &place.knowledge[..]
    else {
        panic!("{:?}", place.knowledge)
    };
    assert_eq!(predicates[1], sql("city = :value"));
    assert_eq!((rows.len(), &rows[1]), (3, &vec![text("RU"), text("Kazan")]));

    assert_eq!(when.levels.iter().map(|l| l.utility.0).collect::<Vec<_>>(), [2000, 4000]);
    assert_eq!(when.levels[1].value.to_string(), "2024-03-06T21:00:00Z to 2024-03-09T21:00:00Z");
    assert_eq!(when.levels[1].key, text("2024-03-07/2024-03-09"));
    let [Some(Knowledge::Opaque { predicates, policy_level: 1 }), Some(Knowledge::Opaque { .. })] =
        &when.knowledge[..]
    else {
        panic!("{:?}", when.knowledge)
    };
    assert_eq!(predicates[..], [sql("true"), sql("shift = 'night'")]);

    assert_eq!(traffic.confidence, Some(Confidence::Moderate));
    assert_eq!((&traffic.levels[0].key, &traffic.levels[1].key), (&text("10.0.0.0/8"), &text("10.20/16")));
    let [None, Some(Knowledge::Column(columns))] = &traffic.knowledge[..] else {
        panic!("{:?}", traffic.knowledge)
    };
    assert_eq!(columns[..], [sql("region_prefix"), sql("prefix")]);

    assert!(matches!(&meeting.knowledge[..], [Some(Knowledge::Fixed(_)), Some(Knowledge::Fixed(_))]));
    assert_eq!(meeting.sources, [0, 1]);
}

#[test]
fn the_complete_example_says_who_is_told_and_what_must_hold() {
    let report = read(COMPLETE);
    let [public, partner, liaison] = &report.audiences[..] else { panic!("three audiences") };
    assert_eq!((&public.sees[..], &public.colludes_with[..]), (&[][..], &[2][..]));
    assert_eq!((&partner.sees[..], &partner.colludes_with[..]), (&[0][..], &[][..]));
    assert_eq!((&liaison.sees[..], &liaison.colludes_with[..]), (&[0, 1][..], &[0][..]));
    assert_eq!((public.name.as_str(), liaison.name.as_str(), liaison.priority), ("The public", "liaison", 0));
    assert_eq!(public.minimum, [vec![(0, 2), (1, 1)], vec![(1, 2)]]);
    assert_eq!(partner.importance_permille, [2000, 1000, 500, 1000]);

    let [staff, sites] = &report.protections[..] else { panic!("two protections") };
    assert_eq!((staff.k, staff.share_ppm, staff.robust, staff.headroom), (20, Some(100_000), 2, 10));
    assert_eq!(staff.diversity, [Diversity { column: sql("agency"), at_least: 3 }]);
    assert_eq!((&staff.sources[..], &staff.audiences[..]), (&[0][..], &[0, 1, 2][..]));
    assert_eq!((sites.k, sites.share_ppm, sites.robust, sites.headroom), (5, None, 0, 0));

    let [first, second] = &report.told[..] else { panic!("two entries") };
    assert!(matches!((first.audience, &first.what), (1, ToldWhat::Level { detail: 1, level: 1 })));
    let ToldWhat::Linked { reference, sources, known_to } = &second.what else { panic!("a linked report") };
    assert_eq!((reference.as_str(), &sources[..]), ("2024-02/3", &[0][..]));
    assert_eq!(known_to[..], [Some(sql("desk = 'russia'")), None]);
}

#[test]
fn a_report_without_sources_has_one_behind_everything() {
    let report = with_details("[detail.d]\n[[detail.d.level]]\ntext = \"x\"\nknown_to = \"true\"\n");
    assert_eq!((report.sources.len(), report.sources[0].id.as_str()), (1, ""));
    assert_eq!((&report.sources[0].populations[..], &report.details[0].sources[..]), (&[0][..], &[0][..]));
    assert_eq!(report.protections[0].population, 0);
    assert_eq!(report.details[0].levels[0].utility, Utility(1000));
}

#[test]
fn steps_of_utility_are_equal_unless_stated() {
    let level = "[[detail.d.level]]\ntext = \"x\"\nknown_to = \"true\"\n";
    let worth = |detail: &Detail| detail.levels.iter().map(|l| l.utility.0).collect::<Vec<_>>();
    let report = with_details(&format!("[detail.d]\n{}", level.repeat(3)));
    assert_eq!(worth(&report.details[0]), [333, 667, 1000]);
    let report = with_details(&format!("[detail.d]\nutility = 6.5\n{}", level.repeat(2)));
    assert_eq!(worth(&report.details[0]), [3250, 6500]);
}

#[test]
fn values_have_the_keys_that_columns_would_hold() {
    assert_eq!(
        levels("place", &["\"RU\"", "[\"RU\", \"Moscow\"]"]),
        [(text("RU"), "RU".into()), (text("Moscow"), "RU / Moscow".into())]
    );
    assert_eq!(
        levels("time", &["2024-03-08", "\"2024-03-08T20\"", "2024-03-08T20:30:00Z"]),
        [
            (text("2024-03-08"), "2024-03-08T00:00:00Z to 2024-03-09T00:00:00Z".into()),
            (text("2024-03-08T20"), "2024-03-08T20:00:00Z to 2024-03-08T21:00:00Z".into()),
            (text("2024-03-08T20:30:00Z"), "2024-03-08T20:30:00Z to 2024-03-08T20:30:01Z".into()),
        ]
    );
    assert_eq!(
        levels("number", &["{ from = 10, to = 20.5 }", "12.5"]),
        [(text("10..20.5"), "10 to 20.5".into()), (Cell::Real(12.5), "12.5".into())]
    );
    assert_eq!(levels("number", &["0x10"]), [(Cell::Integer(16), "16".into())]);
    assert_eq!(
        levels("network", &["\"2001:DB8::/32\"", "\"2001:db8::1\""]),
        [(text("2001:db8::/32"), "2001:db8::/32".into()), (text("2001:db8::1"), "2001:db8::1/128".into())]
    );
    assert_eq!(
        levels("domain", &["\"Bücher.Example.\"", "\"_sip.bücher.example\""]),
        [
            (text("xn--bcher-kva.example"), "xn--bcher-kva.example".into()),
            (text("_sip.xn--bcher-kva.example"), "_sip.xn--bcher-kva.example".into())
        ]
    );
    assert_eq!(levels("text", &["\"y\""]), [(text("y"), "y".into())]);
}

#[test]
fn a_domain_may_be_a_file_or_a_range() {
    let knowledge = |kind: &str, domain: &str, values: &[&str]| {
        let mut details = format!("[detail.d]\ntype = \"{kind}\"\ndomain = {domain}\n");
        for value in values {
            details.extend([
                "[[detail.d.level]]
text = \"x\"
known_to = \"c = :value\"
value = ",
                value,
                "
",
            ]);
        }
        match with_details(&details).details.remove(0).knowledge.remove(0) {
            Some(Knowledge::Domain { domain, .. }) => domain,
            other => panic!("{other:?}"),
        }
    };
    let listed = |domain: Domain| match domain {
        Domain::Listed(rows) => rows,
        Domain::Csv(path) => panic!("{path}"),
    };
    assert_eq!(knowledge("place", "\"places.csv\"", &["\"RU\""]), Domain::Csv("places.csv".into()));
    let rows = listed(knowledge(
        "number",
        "{ from = 0, to = 99, steps = [10, 1] }",
        &["{from = 10, to = 19}", "12"],
    ));
    assert_eq!((rows.len(), &rows[12]), (100, &vec![text("10..19"), Cell::Integer(12)]));
    let rows = listed(knowledge(
        "time",
        "{ from = 2024-03-01, to = 2024-03-31, units = [\"month\", \"day\", \"hour\"] }",
        &["\"2024-03\"", "\"2024-03-08\"", "\"2024-03-08T20\""],
    ));
    assert_eq!(rows.len(), 31 * 24);
    assert_eq!(rows[0], [text("2024-03"), text("2024-03-01"), text("2024-03-01T00")]);
    let rows = listed(knowledge(
        "time",
        "{ from = 2024-03-04, to = 2024-03-17, units = \"week\" }",
        &["\"2024-W10\""],
    ));
    assert_eq!(rows, [[text("2024-W10")], [text("2024-W11")]]);
}

#[test]
fn value_is_found_in_sql_only_where_it_is_a_parameter() {
    for (text, expected) in [
        ("city = :value", true),
        (":value=city", true),
        ("'x' = :value -- compare", true),
        ("city = ':value'", false),
        ("\":value\" = 1", false),
        ("city = :values", false),
        ("city::value = 1", false),
        ("1 = 1 -- :value", false),
        ("1 = 1 -- x\n and :value", true),
        ("1 /* :value */ = 1", false),
        ("'it''s' = :value", true),
        ("'open :value", false),
        ("/* open", false),
        ("é = :value", true),
    ] {
        assert_eq!(sql(text).takes_value(), expected, "{text}");
    }
}

#[test]
fn colluding_goes_both_ways_and_the_cautious_declaration_counts() {
    let pools = |a: &str, b: &str| {
        let line = |declared: &str| {
            if declared.is_empty() { String::new() } else { format!("colludes_with = {declared}\n") }
        };
        let report = with_details(&format!(
            "[audience.a]\n{}[audience.b]\n{}[detail.d]\n[[detail.d.level]]\ntext = \"x\"\nknown_to = \"true\"\n",
            line(a),
            line(b)
        ));
        let (a, b) = (&report.audiences[1], &report.audiences[2]);
        assert_eq!(a.colludes_with.contains(&2), b.colludes_with.contains(&1));
        a.colludes_with.contains(&2)
    };
    assert!(pools("", ""));
    assert!(!pools("\"nobody\"", ""));
    assert!(!pools("\"nobody\"", "[]"));
    assert!(!pools("[\"public\"]", ""));
    assert!(pools("\"nobody\"", "[\"a\"]"));
    assert!(pools("\"nobody\"", "\"everybody\""));
}
