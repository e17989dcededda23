//! The common subset of SQL: which expressions are let through to the engines, and how they are written for each.
//!
//! This is no evaluator. An expression is split into tokens; only tokens of the subset pass; names are resolved to
//! columns; the tokens are then written out again, with names quoted. So no engine ever sees a statement, a
//! subquery, a comment or a function outside of the list. `docs/formats/predicates.md` is the normative text.

use tearline_model::report::Cell;

use crate::error::{Fault, Kind, nearest};
use crate::values::ColumnKind;

/// A column as the engines see it.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) kind: ColumnKind,
}

/// Which engine an expression is written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    #[cfg(feature = "postgres")]
    Postgres,
    #[cfg(feature = "datafusion")]
    DataFusion,
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    /// A word of the language, lower case.
    Word(String),
    Function(&'static str),
    Column(usize),
    Text(String),
    Number(String),
    Operator(&'static str),
    Value,
}

/// An expression that passed.
#[derive(Clone, Debug)]
pub(crate) struct Expression {
    tokens: Vec<Token>,
    /// Columns that it reads, ascending.
    pub(crate) columns: Vec<usize>,
    pub(crate) takes_value: bool,
}

const WORDS: &[&str] = &[
    "and",
    "or",
    "not",
    "in",
    "is",
    "null",
    "between",
    "like",
    "case",
    "when",
    "then",
    "else",
    "end",
    "true",
    "false",
    "distinct",
    "from",
    "cast",
    "as",
    "integer",
    "bigint",
    "double",
    "precision",
    "text",
];

/// Words that name a type, which may be columns everywhere but behind `AS`.
const TYPES: &[&str] = &["integer", "bigint", "double", "precision", "text"];

const FUNCTIONS: &[&str] =
    &["abs", "coalesce", "nullif", "length", "lower", "upper", "substr", "trim", "ltrim", "rtrim", "replace"];

/// Longest first.
const OPERATORS: &[&str] =
    &["<>", "!=", "<=", ">=", "||", "=", "<", ">", "+", "-", "*", "/", "%", "(", ")", ","];

const SUBSET: &str = "See docs/formats/predicates.md for what predicates may use.";

/// Checks one expression against the subset and resolves its names. `may_take_value`: whether `:value` is allowed.
pub(crate) fn parse(sql: &str, columns: &[Column], may_take_value: bool) -> Result<Expression, Fault> {
    let mut parser = Parser { rest: sql, columns, may_take_value, tokens: Vec::new(), open: Vec::new() };
    parser.run()?;
    let tokens = parser.tokens;
    let mut used: Vec<usize> = tokens
        .iter()
        .filter_map(|token| if let Token::Column(c) = token { Some(*c) } else { None })
        .collect();
    used.sort_unstable();
    used.dedup();
    let takes_value = tokens.contains(&Token::Value);
    Ok(Expression { tokens, columns: used, takes_value })
}

fn refused(what: impl Into<String>, remedy: impl Into<String>) -> Fault {
    Fault::new(Kind::Refused, what, remedy)
}

struct Parser<'a> {
    rest: &'a str,
    columns: &'a [Column],
    may_take_value: bool,
    tokens: Vec<Token>,
    /// For each open parenthesis, whether it is that of a CAST.
    open: Vec<bool>,
}

impl Parser<'_> {
    fn run(&mut self) -> Result<(), Fault> {
        while let Some(c) = self.skip_space()? {
            match c {
                '\'' => {
                    let text = self.quoted('\'')?;
                    if text.contains('\\') && self.last_word() == Some("like") {
                        return Err(refused(
                            "a backslash in a LIKE pattern means different things to different engines",
                            "Use a pattern without it.",
                        ));
                    }
                    self.tokens.push(Token::Text(text));
                }
                '"' => {
                    let name = self.quoted('"')?;
                    let column = self.columns.iter().position(|c| c.name == name);
                    let column = column.or_else(|| find(self.columns, &name));
                    self.tokens.push(Token::Column(column.ok_or_else(|| unknown(&name, self.columns))?));
                }
                ':' if self.rest[1..].starts_with("value")
                    && !self.rest[6..].starts_with(|c: char| c.is_alphanumeric() || c == '_') =>
                {
                    if !self.may_take_value {
                        return Err(refused(
                            "the parameter :value has no meaning here",
                            "It stands for a level's key, so only in known_to.",
                        ));
                    }
                    self.rest = &self.rest[6..];
                    self.tokens.push(Token::Value);
                }
                c if c.is_ascii_digit() || c == '.' => self.number()?,
                c if c.is_alphabetic() || c == '_' => self.word()?,
                c => self.operator(c)?,
            }
        }
        if !self.open.is_empty() {
            return Err(refused("a parenthesis is not closed", "Close it."));
        }
        if self.tokens.is_empty() {
            return Err(refused("the expression is empty", "Write true if it holds for everybody."));
        }
        Ok(())
    }

    fn last_word(&self) -> Option<&str> {
        match self.tokens.last() {
            Some(Token::Word(word)) => Some(word),
            _ => None,
        }
    }

    /// Drops white space and comments; the next character, if there is one.
    fn skip_space(&mut self) -> Result<Option<char>, Fault> {
        loop {
            self.rest = self.rest.trim_start();
            if self.rest.starts_with("--") {
                self.rest = self.rest.split_once('\n').map_or("", |(_, rest)| rest);
            } else if let Some(comment) = self.rest.strip_prefix("/*") {
                let Some((inside, rest)) = comment.split_once("*/") else {
                    return Err(refused("a comment is not closed", "Close it with */."));
                };
                if inside.contains("/*") {
                    return Err(refused("a comment within a comment", "Remove the inner one."));
                }
                self.rest = rest;
            } else {
                return Ok(self.rest.chars().next());
            }
        }
    }

    fn quoted(&mut self, quote: char) -> Result<String, Fault> {
        let mut text = String::new();
        let mut characters = self.rest.char_indices().skip(1).peekable();
        while let Some((at, c)) = characters.next() {
            if c == '\0' {
                break;
            }
            if c != quote {
                text.push(c);
            } else if characters.peek().is_some_and(|&(_, next)| next == quote) {
                characters.next();
                text.push(c);
            } else {
                self.rest = &self.rest[at + 1..];
                return Ok(text);
            }
        }
        Err(refused(format!("a {quote} is not closed"), "Close it; double it where it belongs to the text."))
    }

    fn number(&mut self) -> Result<(), Fault> {
        let bytes = self.rest.as_bytes();
        let digits = |from: usize| from + bytes[from..].iter().take_while(|b| b.is_ascii_digit()).count();
        let mut end = digits(0);
        if bytes.get(end) == Some(&b'.') {
            end = digits(end + 1);
        }
        if matches!(bytes.get(end), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
            let exponent = digits((end + 1 + sign).min(bytes.len()));
            if exponent > end + 1 + sign {
                end = exponent;
            }
        }
        let (number, rest) = self.rest.split_at(end);
        let exact = number.bytes().all(|b| b.is_ascii_digit());
        let good =
            if exact { number.parse::<i64>().is_ok() } else { number.parse().is_ok_and(f64::is_finite) };
        if !good || rest.starts_with(|c: char| c.is_alphanumeric() || c == '_' || c == '.') {
            return Err(refused("a number that cannot be read", "Write it like 12 or 0.5."));
        }
        self.rest = rest;
        self.tokens.push(Token::Number(number.to_owned()));
        Ok(())
    }

    fn word(&mut self) -> Result<(), Fault> {
        let end = self.rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        let lower = word.to_ascii_lowercase();
        let called = self.skip_space()? == Some('(');
        let in_type = self.open.last() == Some(&true)
            && (self.last_word() == Some("as") || self.last_word() == Some("double"));
        if called && !in_type {
            if let Some(function) = FUNCTIONS.iter().find(|f| **f == lower) {
                self.tokens.push(Token::Function(function));
                return Ok(());
            }
            if !WORDS.contains(&lower.as_str()) || TYPES.contains(&lower.as_str()) {
                let remedy = match nearest(&lower, FUNCTIONS.iter().copied()) {
                    Some(like) => format!("Did you mean {like}? {SUBSET}"),
                    None => format!("The functions are: {}. {SUBSET}", FUNCTIONS.join(", ")),
                };
                return Err(refused(format!("the function {word} is not available"), remedy));
            }
        }
        if self.rest.starts_with('.') {
            return Err(refused(
                format!("{word} is followed by a dot"),
                "Write a column's name alone, without its table.",
            ));
        }
        let is_word = WORDS.contains(&lower.as_str()) && (in_type || !TYPES.contains(&lower.as_str()));
        if is_word {
            if lower == "in" && !called {
                return Err(refused("IN without a list", "Write the values in parentheses behind it."));
            }
            self.tokens.push(Token::Word(lower));
            return Ok(());
        }
        match find(self.columns, word) {
            Some(column) => self.tokens.push(Token::Column(column)),
            None => return Err(self.unknown_word(word, &lower)),
        }
        Ok(())
    }

    fn unknown_word(&self, word: &str, lower: &str) -> Fault {
        let what = match lower {
            "select" | "with" | "values" | "table" | "exists" | "union" => "a subquery",
            "over" | "partition" | "filter" | "within" => "a window or an aggregate",
            "collate" | "escape" | "glob" | "regexp" | "match" | "ilike" | "similar" | "any" | "all"
            | "some" | "array" | "row" | "interval" | "isnull" | "notnull" | "at" => {
                "not common to all engines"
            }
            "attach" | "pragma" | "insert" | "update" | "delete" | "drop" | "create" | "alter" | "copy"
            | "grant" | "set" | "vacuum" => "a statement",
            _ => return unknown(word, self.columns),
        };
        let upper = lower.to_ascii_uppercase();
        let what = match what {
            "not common to all engines" => format!("{upper} is not common to all engines"),
            what => format!("{upper} begins {what}, which a predicate cannot hold"),
        };
        refused(what, format!("A predicate looks at the columns of one row. {SUBSET}"))
    }

    fn operator(&mut self, c: char) -> Result<(), Fault> {
        if self.rest.starts_with("::") {
            return Err(refused("a cast with :: is PostgreSQL's alone", "Write CAST(… AS text)."));
        }
        if self.rest.starts_with("==") {
            return Err(refused("== is not SQL", "Write =."));
        }
        let Some(operator) = OPERATORS.iter().find(|o| self.rest.starts_with(**o)) else {
            let remedy = match c {
                ';' => "Write one expression, without a semicolon.".to_owned(),
                ':' | '?' | '$' | '@' => "The only parameter is :value.".to_owned(),
                '`' | '[' => "Quote names like this: \"name\".".to_owned(),
                _ => SUBSET.to_owned(),
            };
            return Err(refused(format!("the character {c:?} is not part of an expression"), remedy));
        };
        match *operator {
            "(" => self.open.push(self.last_word() == Some("cast")),
            ")" if self.open.pop().is_none() => {
                return Err(refused("a parenthesis is closed that was not opened", "Remove it."));
            }
            "," if self.open.is_empty() => {
                return Err(refused("a comma outside of parentheses", "Write a single expression."));
            }
            _ => {}
        }
        self.rest = &self.rest[operator.len()..];
        self.tokens.push(Token::Operator(operator));
        Ok(())
    }
}

/// A column by name, whatever its capitals.
pub(crate) fn find(columns: &[Column], name: &str) -> Option<usize> {
    let exact = columns.iter().position(|c| c.name == name);
    exact.or_else(|| {
        let name = name.to_lowercase();
        columns.iter().position(|c| c.name.to_lowercase() == name)
    })
}

/// The fault of a name that is no column.
pub(crate) fn unknown(name: &str, columns: &[Column]) -> Fault {
    let likely = match nearest(name, columns.iter().map(|c| c.name.as_str())) {
        Some(like) => format!("Did you mean \"{like}\"? "),
        None => String::new(),
    };
    let shown: Vec<&str> = columns.iter().take(50).map(|c| c.name.as_str()).collect();
    let more = if columns.len() > 50 { ", …" } else { "" };
    let remedy =
        format!("{likely}The columns are: {}{more}. Text stands in single quotes.", shown.join(", "));
    Fault::new(Kind::UnknownColumn, format!("there is no column \"{name}\""), remedy)
}

/// A name in double quotes.
pub(crate) fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text in single quotes.
pub(crate) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

impl Expression {
    /// How many operators and words there are in it.
    #[cfg(feature = "datafusion")]
    pub(crate) fn operations(&self) -> usize {
        let operation = |token: &&Token| match token {
            Token::Operator(operator) => !matches!(*operator, "(" | ")" | ","),
            Token::Word(_) | Token::Function(_) => true,
            Token::Column(_) | Token::Text(_) | Token::Number(_) | Token::Value => false,
        };
        self.tokens.iter().filter(operation).count()
    }

    /// Writes the expression for an engine. `value` is written for `:value`; `SQLite` also takes it as a parameter.
    pub(crate) fn write(&self, dialect: Dialect, columns: &[Column], value: &str) -> String {
        let mut out = String::new();
        // Where parentheses close that need something before them, and what.
        let mut closers: Vec<Option<&str>> = Vec::new();
        let mut pending = None;
        for token in &self.tokens {
            match token {
                Token::Word(word) => out += &word.to_ascii_uppercase(),
                Token::Function(name) => out += function(dialect, name, &mut pending),
                Token::Column(index) => out += &column(dialect, &columns[*index]),
                Token::Text(text) => out += &literal(text),
                Token::Number(number) => out += &decimal(dialect, number),
                Token::Value => out += value,
                Token::Operator("(") => {
                    closers.push(pending.take());
                    out.push('(');
                }
                Token::Operator(")") => {
                    out += closers.pop().flatten().unwrap_or_default();
                    out.push(')');
                }
                Token::Operator(operator) => out += operator,
            }
            out.push(' ');
        }
        out.pop();
        out
    }
}

/// Lower and upper change the letters A to Z only, on every engine.
fn function<'a>(dialect: Dialect, name: &'a str, pending: &mut Option<&'static str>) -> &'a str {
    match dialect {
        #[cfg(feature = "datafusion")]
        Dialect::DataFusion if name == "lower" => {
            *pending = Some(", 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz'");
            "translate"
        }
        #[cfg(feature = "datafusion")]
        Dialect::DataFusion if name == "upper" => {
            *pending = Some(", 'abcdefghijklmnopqrstuvwxyz', 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'");
            "translate"
        }
        _ => {
            *pending = None;
            name
        }
    }
}

/// Texts are compared byte by byte on every engine, numbers have 64 bits.
fn column(dialect: Dialect, column: &Column) -> String {
    let name = quote(&column.name);
    match dialect {
        #[cfg(feature = "postgres")]
        Dialect::Postgres => match column.kind {
            ColumnKind::Text => format!("(CAST({name} AS text) COLLATE \"C\")"),
            ColumnKind::Integer => format!("CAST({name} AS int8)"),
            ColumnKind::Real => format!("CAST({name} AS float8)"),
            ColumnKind::Boolean | ColumnKind::Other => name,
        },
        #[cfg(feature = "datafusion")]
        Dialect::DataFusion => match column.kind {
            ColumnKind::Text => format!("CAST({name} AS VARCHAR)"),
            ColumnKind::Integer => format!("CAST({name} AS BIGINT)"),
            // The engine tells -0 from 0; their sum is 0.
            ColumnKind::Real => format!("(CAST({name} AS DOUBLE) + 0.0)"),
            ColumnKind::Boolean | ColumnKind::Other => name,
        },
        Dialect::Sqlite => name,
    }
}

/// Decimals are double precision on every engine.
fn decimal(dialect: Dialect, number: &str) -> String {
    match dialect {
        #[cfg(feature = "postgres")]
        Dialect::Postgres if !number.bytes().all(|b| b.is_ascii_digit()) => {
            format!("CAST({number} AS float8)")
        }
        _ => number.to_owned(),
    }
}

/// A key of the report, written as SQL.
pub(crate) fn cell(dialect: Dialect, cell: &Cell) -> String {
    match cell {
        Cell::Null => "NULL".to_owned(),
        Cell::Integer(number) => format!("({number})"),
        Cell::Real(number) => format!("({})", decimal(dialect, &format!("{number:?}"))),
        Cell::Text(text) => match dialect {
            #[cfg(feature = "postgres")]
            Dialect::Postgres => format!("CAST({} AS text)", literal(text)),
            _ => literal(text),
        },
        Cell::Boolean(value) => if *value { "TRUE" } else { "FALSE" }.to_owned(),
    }
}
