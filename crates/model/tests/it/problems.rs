//! What is said of bad reports: for every kind of mistake, the line, the field, the finding and the remedy.

use tearline_model::parse::{Problem, Problems, limits, parse};

/// The smallest report, but for one thing of each kind that a case may want to break.
const BASE: &str = r#"tearline = 1
id = "7"
title = "T"
originator = "Desk"
[source.hum1]
[source.hum2]
populations = ["staff"]
[population.staff]
table = "staff.csv"
[population.sites]
rows = [{ kind = "a", count = 4 }, { kind = "b", count = 3 }]
count = "count"
[detail.where]
type = "place"
[[detail.where.level]]
text = "in Russia"
value = ["RU"]
known_to = "true"
[[detail.where.level]]
text = "in Moscow"
value = ["RU", "Moscow"]
known_to = "city"
[detail.who]
[[detail.who.level]]
text = "a group"
known_to = "true"
[audience.public]
public = true
[audience.partner]
[[protection]]
population = "staff"
k = 20
[[protection]]
population = "sites"
k = 5
"#;

fn problems(text: impl AsRef<[u8]>) -> Vec<Problem> {
    match parse(text.as_ref(), "report.toml") {
        Ok(_) => Vec::new(),
        Err(problems) => problems.iter().cloned().collect(),
    }
}

/// Changes the base, and expects exactly one problem: at a line that begins with `line`, with that field, and with
/// all these parts of a message.
#[track_caller]
fn check(change: (&str, &str), line: &str, field: &str, says: &[&str]) {
    assert!(BASE.contains(change.0), "the base has {:?}", change.0);
    check_text(&BASE.replacen(change.0, change.1, 1), line, field, says);
}

#[track_caller]
fn check_text(text: &str, line: &str, field: &str, says: &[&str]) {
    let found = problems(text);
    let all = found.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    assert_eq!(found.len(), 1, "in\n{text}\nfound\n{all}");
    let problem = &found[0];
    assert_eq!(problem.field, field, "{all}");
    let place = text.lines().nth(problem.line - 1).unwrap_or_default();
    assert!(place.starts_with(line), "expected {line:?}, pointed at {place:?}: {all}");
    assert_eq!(problem.file, "report.toml");
    assert!(problem.remedy.ends_with(['.', '?']), "{all}");
    for part in says {
        assert!(all.contains(part), "{part:?} in {all}");
    }
}

#[test]
fn the_base_itself_is_good() {
    assert_eq!(problems(BASE), []);
}

#[test]
fn a_file_that_is_not_text_or_not_toml() {
    let mut bytes = BASE.as_bytes().to_vec();
    bytes[15] = 0xff;
    let found = problems(&bytes);
    assert_eq!((found.len(), found[0].line), (1, 2));
    assert!(found[0].to_string().contains("not UTF-8: the byte 0xff at offset 15"), "{}", found[0]);
    check(("k = 20", "k = = 20"), "k = = 20", "", &["not TOML", "double quotes"]);
    check(("originator = \"Desk\"", "title = \"U\""), "title = \"U\"", "", &["not TOML", "duplicate key"]);
    let found = problems(vec![b'#'; limits::FILE_BYTES + 1]);
    assert!(found[0].what.contains("16777217 bytes"), "{}", found[0]);
}

#[test]
fn all_problems_are_reported_in_the_order_of_the_file() {
    let text = BASE.replace("k = 20", "k = 0").replace("id = \"7\"", "id = 7").replace("\"city\"", "\"\"");
    let lines: Vec<usize> = problems(&text).iter().map(|p| p.line).collect();
    assert_eq!(lines, [2, 22, 32]);
    let shown = parse(text.as_bytes(), "r.toml").expect_err("it is wrong").to_string();
    assert!(
        shown.starts_with("r.toml:2: id: expected text in quotes, found the number 7. Put it in"),
        "{shown}"
    );
    assert_eq!(shown.split("\n\n").count(), 3);
}

#[test]
fn more_problems_than_anybody_reads_are_counted() {
    let text = format!("{BASE}{}", "[[told]]\nx = 1\n".repeat(1000));
    let problems = parse(text.as_bytes(), "r.toml").expect_err("it is wrong");
    assert_eq!((problems.iter().count(), problems.omitted()), (Problems::MOST, 2900));
    assert!(problems.to_string().ends_with("and 2900 more"));
}

#[test]
fn top_level() {
    check(("tearline = 1\n", ""), "id", "tearline", &["missing", "tearline = 1"]);
    check(
        ("tearline = 1", "tearline = 2"),
        "tearline",
        "tearline",
        &["expected the format's version, 1", "2"],
    );
    check(("id = \"7\"\n", ""), "tearline", "id", &["missing"]);
    check(("title = \"T\"\n", ""), "tearline", "title", &["missing"]);
    check(("originator = \"Desk\"", "originator = \"\""), "originator", "originator", &["empty"]);
    check(("\"T\"", "\"a\\u202eb\""), "title", "title", &["invisible character \\u{202e}"]);
    let long = format!("{:?}", "x".repeat(limits::TEXT_CHARS + 1));
    check(("\"T\"", &long), "title", "title", &["longer than 4000"]);
    check(("title", "titel = 1\ntitle"), "titel", "titel", &["unknown key", "Did you mean \"title\"?"]);
    check(("title", "colour = 1\ntitle"), "colour", "colour", &["unknown key", "Known here: tearline, id"]);
    check(
        ("title", "received = 2024-03-05\ntitle"),
        "received",
        "received",
        &["offset from UTC", "2024-03-05"],
    );
    check(("title", "received = \"now\"\ntitle"), "received", "received", &["found \"now\""]);
    check(("title", "mode = \"nominl\"\ntitle"), "mode", "mode", &["Did you mean \"nominal\"?"]);
    check(("title", "told = 1\ntitle"), "told", "told", &["expected tables [[told]]"]);
}

#[test]
fn a_file_saved_by_a_windows_editor_is_read_like_any_other() {
    let saved = |text: &str| format!("\u{feff}{}", text.replace('\n', "\r\n"));
    assert_eq!(problems(saved(BASE)), []);
    let found = problems(saved(&BASE.replace("id = \"7\"", "id = 7")));
    assert_eq!((found.len(), found[0].line, found[0].column), (1, 2, 6));
}

#[test]
fn parts_that_are_missing_or_too_many() {
    check_text(
        "tearline = 1\nid = \"1\"\ntitle = \"t\"\noriginator = \"o\"\n[population.p]\ntable = \"p.csv\"\n\
                [audience.a]\n[[protection]]\nk = 1\n",
        "tearline",
        "detail",
        &["missing", "[detail.NAME]"],
    );
    check(
        ("[audience.public]\npublic = true\n[audience.partner]\n", ""),
        "tearline",
        "audience",
        &["[audience.NAME]"],
    );
    check(
        ("[source.hum1]\n", "[source]\nhum1 = 3\n"),
        "hum1",
        "source.hum1",
        &["expected a table [source.NAME]"],
    );
    check(
        ("[source.hum1]\n[source.hum2]\npopulations = [\"staff\"]", "[[source]]"),
        "[[source]]",
        "source",
        &["expected tables [source.NAME], found a list of 1"],
    );
    let many = |kind: &str, count: usize| {
        (0..=count).map(|n| format!("[{kind}.n{n}]\n")).collect::<Vec<_>>().concat()
    };
    let text = format!("{BASE}{}", many("audience", limits::AUDIENCES - 2));
    check_text(&text, "[audience.n198]", "audience.n198", &["more than 200 entries of [audience]"]);
    let text = format!("{BASE}{}", many("source", limits::SOURCES - 2));
    check_text(&text, "[source.n98]", "source.n98", &["more than 100 entries"]);
    let row: Vec<String> = (0..=limits::COLUMNS).map(|n| format!("c{n} = 1")).collect();
    let wide = format!("rows = [{{ {} }}]\n", row.join(", "));
    let start = BASE.find("rows = ").expect("it is there");
    let end = BASE.find("count = \"count\"\n").expect("it is there");
    let text = format!("{}{wide}{}", &BASE[..start], &BASE[end + 16..]);
    check_text(&text, "rows", "population.sites.rows[1]", &["more than 1000 columns"]);
    check(("{ kind = \"b\", count = 3 }", "7"), "rows", "population.sites.rows[2]", &["expected a row"]);
}

#[test]
fn populations() {
    let at = "population.staff.table";
    check(("\"staff.csv\"", "\"staff.xlsx\""), "table", at, &["ends in .csv or .parquet", "Convert"]);
    check(("table = \"staff.csv\"\n", ""), "[population.staff]", at, &["where the candidates are"]);
    check(("\"staff.csv\"", "\"postgres://db/x\""), "table", at, &["relation = \"SCHEMA.TABLE\""]);
    check(("\"staff.csv\"", "\"mysql://db/x\""), "table", at, &["kind of URL"]);
    check(
        ("\"staff.csv\"", "\"postgres://me:secret@db/x\"\nrelation = \"a.b\""),
        "table",
        at,
        &["PGPASSWORD"],
    );
    check(
        ("\"staff.csv\"", "\"postgres://db/x?password=q\"\nrelation = \"a.b\""),
        "table",
        at,
        &["password"],
    );
    let shown = problems(BASE.replace("staff.csv", "postgres://me:secret@db/x"))[0].to_string();
    assert!(!shown.contains("secret"), "{shown}");
    check(
        ("\"staff.csv\"", "\"a.csv\"\nrelation = \"b\""),
        "relation",
        "population.staff.relation",
        &["a file"],
    );
    check(("\"staff.csv\"", "\"a.csv\"\nrows = []"), "rows", "population.staff.rows", &["both"]);
    check(("\"staff.csv\"", "\"a.csv\"\nid = 4"), "id = 4", "population.staff.id", &["expected text"]);
    check(("\"staff.csv\"", "\"a.csv\"\nweight = \" \""), "weight", "population.staff.weight", &["empty"]);
    check(("\"staff.csv\"", "\"a.csv\"\ncleared = true"), "cleared", "population.staff.cleared", &["SQL"]);
    check(
        ("\"staff.csv\"", "\"a.csv\"\ncertain = nan"),
        "certain",
        "population.staff.certain",
        &["from 0.001 to 1, found the number nan"],
    );
    check(("\"staff.csv\"", "\"a.csv\"\ncertain = 0"), "certain", "population.staff.certain", &["0.001"]);
    check(
        ("\"staff.csv\"", "\"a.csv\"\ncolumns = {x = \"txt\"}"),
        "columns",
        "population.staff.columns.x",
        &["Did you mean \"text\"?"],
    );
    check(("\"staff.csv\"", "\"a.csv\"\ntabel = 1"), "tabel", "population.staff.tabel", &["mean \"table\"?"]);
    let sites = "population.sites";
    check(
        ("count = \"count\"", "count = \"coutn\""),
        "count",
        &format!("{sites}.count"),
        &["mean \"count\"?"],
    );
    check(("count = 3", "count = -3"), "count", &format!("{sites}.count"), &["row 2 does not say how many"]);
    check(
        ("count = 3", "count = \"x\""),
        "rows",
        &format!("{sites}.rows"),
        &["column \"count\" mixes numbers"],
    );
    check(
        ("kind = \"b\"", "Kind = \"b\""),
        "rows",
        &format!("{sites}.rows[2].Kind"),
        &["differ only in capitals"],
    );
    check(("kind = \"b\"", "kind = inf"), "rows", &format!("{sites}.rows[2].kind"), &["a number from"]);
    check(("kind = \"b\"", "kind = []"), "rows", &format!("{sites}.rows[2].kind"), &["a single value"]);
    check(
        ("count = \"count\"", "columns = {}"),
        "columns",
        &format!("{sites}.columns"),
        &["types of its own"],
    );
    check(
        ("count = \"count\"", "relation = \"x\""),
        "relation",
        &format!("{sites}.relation"),
        &["typed rows"],
    );
    let start = BASE.find("rows = ").expect("it is there");
    let end = BASE.find("count = \"count\"\n").expect("it is there");
    let text = format!("{}rows = []\n{}", &BASE[..start], &BASE[end + 16..]);
    check_text(&text, "rows", "population.sites.rows", &["the population is empty"]);
}

#[test]
fn names_and_references() {
    check(("[source.hum2]", "[source.Hum1]"), "[source.Hum1]", "source.Hum1", &["differ only in capitals"]);
    check(("[source.hum2]", "[source.\" x\"]"), "[source.\" x\"]", "source.\" x\"", &["spaces"]);
    let long = format!("[source.{}]", "x".repeat(101));
    check(
        ("[source.hum2]", &long),
        "[source.x",
        &format!("source.{}…", "x".repeat(60)),
        &["longer than 100"],
    );
    check(("[\"staff\"]", "[\"stuff\"]"), "populations", "source.hum2.populations[1]", &["mean \"staff\"?"]);
    check(("[\"staff\"]", "[]"), "populations", "source.hum2.populations", &["names no population"]);
    check(
        ("[\"staff\"]", "[\"staff\"]\nreliability = \"G\""),
        "reliability",
        "source.hum2.reliability",
        &["A, B, C, D, E, F"],
    );
    let who = ("[detail.who]", "[detail.who]\nsources = [\"hum3\"]");
    check(who, "sources", "detail.who.sources[1]", &["no source \"hum3\"", "Did you mean \"hum"]);
    check(
        ("population = \"sites\"", "population = \"site\""),
        "population",
        "protection[2].population",
        &["sites"],
    );
}

#[test]
fn details() {
    let who = "[detail.who]";
    let field = |line: &str, name: &str, says: &[&str]| {
        check((who, &format!("{who}\n{line}")), line, &format!("detail.who.{name}"), says);
    };
    field("type = \"plaice\"", "type", &["mean \"place\"?"]);
    field("credibility = 7", "credibility", &["from 1 to 6"]);
    field("likelihood = \"likley\"", "likelihood", &["mean \"likely\"?"]);
    field("confidence = \"fair\"", "confidence", &["low, moderate, high"]);
    field("aliases = [1]", "aliases[1]", &["expected text"]);
    field("utc_offset = \"MSK\"", "utc_offset", &["+03:00"]);
    field("utility = -1", "utility", &["from 0 to 1000000"]);
    field("utility = inf", "utility", &["found the number inf"]);
    field("levle = 1", "levle", &["mean \"level\"?"]);
    check(
        ("[[detail.who.level]]", "[detail.who.level]"),
        "[detail.who.level]",
        "detail.who.level",
        &["[[…level]]"],
    );
    check(
        ("[[detail.who.level]]\ntext = \"a group\"\nknown_to = \"true\"\n", ""),
        "[detail.who]",
        "detail.who.level",
        &["missing"],
    );
    let levels = "[[detail.who.level]]\ntext = \"x\"\nknown_to = \"true\"\n".repeat(254);
    check_text(
        &BASE.replace("[detail.who]", &format!("[detail.who]\n{levels}")),
        "",
        "detail.who.level",
        &["255"],
    );
}

#[test]
fn levels() {
    let second = "detail.where.level[2]";
    let at = |name: &str| format!("{second}.{name}");
    check(("text = \"in Moscow\"\n", ""), "[[detail.where.level]]", &at("text"), &["missing"]);
    check(
        ("value = [\"RU\", \"Moscow\"]\n", ""),
        "[[detail.where.level]]",
        &at("value"),
        &["asks for it", "widest"],
    );
    check(
        ("[\"RU\", \"Moscow\"]", "[\"UA\", \"Kyiv\"]"),
        "value = [\"UA\"",
        &at("value"),
        &["level 2, \"UA / Kyiv\", is not within level 1, \"RU\""],
    );
    check(("[\"RU\", \"Moscow\"]", "[]"), "value = []", &at("value"), &["no name"]);
    check(("text = \"in Moscow\"", "text = \"m\"\nkey = []"), "key", &at("key"), &["a single value"]);
    check(
        ("text = \"in Moscow\"", "text = \"m\"\nutilty = 3"),
        "utilty",
        &at("utilty"),
        &["mean \"utility\"?"],
    );
    check(
        ("text = \"in Moscow\"", "text = \"m\"\nutility = 3"),
        "[[detail.where",
        "detail.where.level[1].utility",
        &["for every level, or for none"],
    );
    let both = BASE
        .replace("text = \"in Russia\"", "text = \"r\"\nutility = 5")
        .replace("text = \"in Moscow\"", "text = \"m\"\nutility = 4.5");
    check_text(&both, "utility = 4.5", &at("utility"), &["4.5 is less than the coarser level's 5"]);
    let whole = both.replace("4.5", "5").replace("type = \"place\"", "type = \"place\"\nutility = 9");
    check_text(&whole, "utility = 9", "detail.where.utility", &["both the detail and its levels"]);
    let much = both.replace("4.5", "1000001");
    check_text(&much, "utility = 1000001", &at("utility"), &["from 0 to 1000000"]);
}

#[test]
fn values_by_type() {
    let cases = [
        ("time", "\"tomorrow\"", "expected a date or time such as"),
        ("time", "\"2024-03-09/2024-03-07\"", "ends after it starts"),
        ("time", "{ from = 2024-03-09, to = 2024-03-07 }", "ends after it starts"),
        ("time", "17", "expected a date or time, found the number 17"),
        ("number", "\"many\"", "expected a number"),
        ("number", "nan", "found the number nan"),
        ("number", "{ from = 2, to = 1 }", "runs from 2 down to 1"),
        ("network", "\"10.0.0.1/8\"", "Did you mean \"10.0.0.0/8\"?"),
        ("network", "\"example.org\"", "expected a network prefix"),
        ("domain", "\"exa mple.org\"", "expected a domain name"),
        ("domain", "\"a..b\"", "expected a domain name"),
        ("domain", "\"*.example.org\"", "expected a domain name"),
        ("text", "[\"x\"]", "expected text in quotes, found a list of 1"),
    ];
    for (kind, value, says) in cases {
        let change = format!("[detail.who]\ntype = \"{kind}\"\n[[detail.who.level]]\nvalue = {value}");
        check(("[detail.who]\n[[detail.who.level]]", &change), "value", "detail.who.level[1].value", &[says]);
    }
    let change = "[detail.who]\ntype = \"number\"\n[[detail.who.level]]\nvalue = { from = 2, too = 3 }";
    let found = problems(BASE.replace("[detail.who]\n[[detail.who.level]]", change));
    let fields: Vec<&str> = found.iter().map(|p| p.field.as_str()).collect();
    assert_eq!(fields, ["detail.who.level[1].value.to", "detail.who.level[1].value.too"]);
}

#[test]
fn who_could_have_known() {
    let at = "detail.where.level[2].known_to";
    check(
        ("known_to = \"city\"\n", ""),
        "[[detail.where.level]]",
        at,
        &[
            "nothing says who in \"staff\", \"sites\" could have known this",
            "known_to = \"true\" if everyone",
        ],
    );
    check(("\"city\"", "{ staff = \"city\" }"), "[[detail.where.level]]", at, &["who in \"sites\""]);
    check(
        ("\"city\"", "{ staff = \"c\", sties = \"c\" }"),
        "known_to",
        &format!("{at}.sties"),
        &["mean \"sites\"?"],
    );
    check(("\"city\"", "4"), "known_to", at, &["expected an SQL expression"]);
    let long = format!("\"{}\"", "x".repeat(limits::SQL_CHARS + 1));
    check(("\"city\"", &long), "known_to", at, &["longer than 10000"]);
    check(("\"city\"", "\"a\\u0000\""), "known_to", at, &["zero byte"]);
    let place = "type = \"place\"";
    let field = |line: &str, name: &str, says: &[&str]| {
        check((place, &format!("{place}\n{line}")), line, &format!("detail.where.{name}"), says);
    };
    field("policy_level = 3", "policy_level", &["from 0 to 2"]);
    field("same_for_any_value = 1", "same_for_any_value", &["true or false"]);
    field("domain = [[\"RU\", \"Moscow\"]]", "domain", &["no predicate uses :value"]);
    field("value_of = [\"country\"]", "value_of", &["has 2 levels, this list 1 exp"]);
    let same = BASE.replace(place, "type = \"place\"\nsame_for_any_value = true\npolicy_level = 1");
    check_text(&same, "policy_level", "detail.where.policy_level", &["Remove it"]);
    let same = BASE
        .replace(place, "type = \"place\"\nsame_for_any_value = true\ndomain = [[\"RU\", \"Moscow\"]]")
        .replace("\"city\"", "{ staff = \":value = 1\", sites = \"true\" }");
    check_text(&same, "same_for_any_value", "detail.where.same_for_any_value", &["a predicate uses :value"]);
    let both = BASE.replace(place, "type = \"place\"\nvalue_of = [\"country\", \"city\"]");
    let fields: Vec<String> = problems(&both).into_iter().map(|p| p.field).collect();
    assert_eq!(fields, ["detail.where.level[1].known_to", at]);
    let nowhere = BASE
        .replace(place, "type = \"place\"\nsources = [\"hum2\"]")
        .replace("\"city\"", "{ staff = \"a\", sites = \"b\" }");
    check_text(&nowhere, "known_to", &format!("{at}.sites"), &["none of the sources hides in \"sites\""]);
    let silly = BASE
        .replace(place, "type = \"place\"\nvalue_of = [\"country\", \":value\"]")
        .replace("known_to = \"true\"\n[[detail.where", "[[detail.where")
        .replace("known_to = \"city\"\n", "");
    check_text(&silly, "[detail.where]", "detail.where.value_of", &["level 2 uses :value"]);
}

#[test]
fn domains() {
    let check = |domain: &str, says: &str| {
        let text = BASE
            .replace("type = \"place\"", &format!("type = \"place\"\ndomain = {domain}"))
            .replace("\"city\"", "\"city = :value\"");
        let found = problems(&text);
        assert_eq!(found.len(), 1, "{domain}: {found:?}");
        assert!(found[0].field.starts_with("detail.where.domain"), "{}", found[0]);
        assert!(found[0].line == 15, "{}", found[0]);
        assert!(found[0].to_string().contains(says), "{says}: {}", found[0]);
    };
    check("\"places.txt\"", "ends in .csv");
    check("4", "expected a list of values");
    check("[]", "the domain is empty");
    check("[[\"RU\"]]", "the detail has 2 levels, this");
    check("[[\"RU\", []]]", "a single value");
    check("[[\"RU\", \"Kazan\"]]", "own value, \"RU\" / \"Moscow\", is not among");
    check("[[\"RU\", \"Moscow\"], [\"RU\", \"Moscow\"]]", "row 2 repeats");
    check("[[\"RU\", \"Moscow\"], [\"US\", \"Moscow\"]]", "another parent");
    check("{ from = 1, to = 9 }", "either units or steps");
    check("{ from = 1, to = 9, steps = [4, 3] }", "steps of 3 do not fill");
    check("{ from = 9, to = 1, steps = [4, 2] }", "before it begins");
    check("{ from = 1, to = 9, steps = [4] }", "the detail has 2 levels, this");
    check("{ from = 1, to = 900000, steps = [4, 1] }", "more than 100000");
    check("{ from = 1, to = 2, units = [\"day\", \"hour\"] }", "expected a date");
    check("{ from = 2024-03-02, to = 2024-03-01, units = [\"day\", \"hour\"] }", "before it begins");
    check("{ from = 2024-03-02, to = 2099-03-01, units = [\"day\", \"hour\"] }", "more than 100000");
    check("{ from = 2024-03-02, to = 2024-03-03, units = [\"day\", \"hours\"] }", "mean \"hour\"?");
    check("{ from = 2024-01-01, to = 2024-12-31, units = [\"month\", \"week\"] }", "own value");
    let text = BASE.replace("\"city\"", "\"city = :value\"");
    let found = problems(&text);
    assert!(
        found.iter().all(|p| p.field == "detail.where.domain" && p.what.contains("which values")),
        "{found:?}"
    );
}

#[test]
fn audiences() {
    let partner = "[audience.partner]";
    let field = |line: &str, name: &str, says: &[&str]| {
        check((partner, &format!("{partner}\n{line}")), line, &format!("audience.partner.{name}"), says);
    };
    field("name = 4", "name", &["expected text"]);
    field("sees = [\"publik\"]", "sees[1]", &["mean \"public\"?"]);
    field("sees = [\"partner\"]", "sees", &["a cycle: \"partner\" sees \"partner\""]);
    field("colludes_with = \"nobdy\"", "colludes_with", &["no audience \"nobdy\""]);
    field("priority = 1.5", "priority", &["a whole number"]);
    field("minimum = [{ were = 1 }]", "minimum[1].were", &["no detail \"were\""]);
    field("minimum = [{ where = 3 }]", "minimum[1].where", &["no level 3", "from 1 to 2"]);
    field("minimum = [{}]", "minimum[1]", &["without any detail"]);
    field("importance = { who = -1 }", "importance.who", &["from 0 to 1000"]);
    field("sess = []", "sess", &["mean \"sees\"?"]);
    let public = BASE.replace(partner, "[audience.partner]\npublic = true");
    check_text(
        &public,
        "[audience.partner]",
        "audience.partner",
        &["both \"public\" and \"partner\" are public"],
    );
    let cycle = BASE.replace(
        partner,
        "[audience.a]\nsees = [\"b\"]\n[audience.b]\nsees = [\"c\"]\n[audience.c]\nsees = [\"a\"]\n[audience.partner]",
    );
    check_text(&cycle, "sees = [\"b\"]", "audience.a.sees", &["\"a\" sees \"b\" sees \"c\" sees \"a\""]);
    let hidden = BASE.replace("public = true", "public = true\nsees = [\"partner\"]");
    check_text(&hidden, "sees", "audience.public.sees", &["\"public\" sees \"partner\" sees \"public\""]);
}

#[test]
fn protections() {
    let field = |line: &str, name: &str, says: &[&str]| {
        check(("k = 5", &format!("k = 5\n{line}")), line, &format!("protection[2].{name}"), says);
    };
    field("share = 0", "share", &["from 0.000001 to 1"]);
    field("share = 1.5", "share", &["found the number 1.5"]);
    field("robust = -1", "robust", &["from 0"]);
    field("headroom = 0.5", "headroom", &["a whole number"]);
    field("diversity = [{ column = \"a\" }]", "diversity[1].at_least", &["missing"]);
    field("diversity = [{ column = \"a\", at_least = 0 }]", "diversity[1].at_least", &["from 1"]);
    field("diversity = 3", "diversity", &["a rule such as"]);
    field("audiences = [\"press\"]", "audiences[1]", &["no audience \"press\"", "Declare it under"]);
    field("sources = [\"hum2\"]", "sources", &["\"hum2\" does not hide in \"sites\""]);
    check(("k = 20", "k = 0"), "k = 0", "protection[1].k", &["from 1"]);
    check(("k = 20\n", ""), "[[protection]]", "protection[1].k", &["missing", "k = 20"]);
    check(
        ("population = \"staff\"\nk", "k"),
        "[[protection]]",
        "protection[1].population",
        &["more than one"],
    );
    let single = BASE.replacen("[[protection]]\npopulation = \"staff\"\nk = 20\n", "", 1);
    let found = problems(&single);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].what.contains("nothing protects \"hum1\" among \"staff\""), "{}", found[0]);
    let one = BASE
        .replace("[[protection]]\npopulation = \"staff\"\nk = 20\n", "")
        .replace("[[prot", "[prot")
        .replace("n]]\np", "n]\np");
    check_text(&one, "[protection]", "protection", &["[[protection]]"]);
    let nobody = BASE.replace("[source.hum1]", "[source.hum1]\npopulations = [\"staff\"]");
    check_text(&nobody, "[[protection]]", "protection[2]", &["no source hides in this population"]);
    let end = BASE.find("[[protection]]").expect("it is there");
    check_text(&BASE[..end], "tearline", "protection", &["missing"]);
}

#[test]
fn the_ledger() {
    let check = |entry: &str, line: &str, field: &str, says: &[&str]| {
        check_text(&format!("{BASE}{entry}"), line, field, says);
    };
    check("[[told]]\ndetail = \"who\"\nlevel = 1", "[[told]]", "told[1].audience", &["missing"]);
    check(
        "[[told]]\naudience = \"partner\"",
        "[[told]]",
        "told[1].detail",
        &["either a detail of this report or"],
    );
    check("[[told]]\naudience = \"partner\"\ndetail = \"who\"", "[[told]]", "told[1].level", &["missing"]);
    check(
        "[[told]]\naudience = \"partner\"\ndetail = \"who\"\nlevel = 2",
        "level = 2",
        "told[1].level",
        &["no level 2: the detail has 1"],
    );
    check(
        "[[told]]\naudience = \"partner\"\ndetail = \"wo\"\nlevel = 1",
        "detail",
        "told[1].detail",
        &["\"who\"?"],
    );
    let first = "[[told]]\naudience = \"partner\"\ndetail = \"where\"\nlevel = 1\n";
    check(
        &format!("{first}{}", first.replace("= 1", "= 2")),
        "[[told]]",
        "told[2]",
        &["\"partner\" was told \"where\" up to level 2 here, and up to level 1 above"],
    );
    check(&format!("{first}{first}"), "[[told]]", "told[2]", &["said twice"]);
    let linked = "[[told]]\naudience = \"partner\"\nlinked = \"6\"\n";
    check(linked, "[[told]]", "told[1].known_to", &["nothing says who in \"staff\""]);
    check(&format!("{linked}known_to = 1"), "known_to", "told[1].known_to", &["SQL"]);
    check(&format!("{linked}known_to = \"a\"\nlevel = 1"), "level", "told[1].level", &["unknown key"]);
}
