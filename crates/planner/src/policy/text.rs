//! The canonical text of a policy; `docs/formats/policy.md` is its specification.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::str::{FromStr, SplitAsciiWhitespace};

use super::{Block, Condition, Form, Guard, Output, Policy, Section, ValueNode};

const HEADER: &str = "tearline-policy 1";

/// Why a text is not a policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "policy, line {line}: expected {expected}; the file is damaged or of another version: build it again"
)]
pub struct BadPolicy {
    /// Line, from 1.
    pub line: usize,
    /// What should have stood there.
    pub expected: &'static str,
}

impl Policy {
    /// The canonical text: equal policies have equal texts, byte for byte.
    pub fn to_text(&self) -> String {
        let mut out = format!("{HEADER}\n");
        let mut line = |text: std::fmt::Arguments<'_>| {
            out.write_fmt(text).and_then(|()| out.write_char('\n')).expect("writing to a string cannot fail");
        };
        match self.refines {
            None => line(format_args!("refines -")),
            Some(hash) => line(format_args!("refines {}", hex(hash))),
        }
        line(format_args!("worth {} {}", self.worth, self.worlds));
        line(format_args!("details {}", self.details.len()));
        for form in &self.details {
            match form {
                Form::Free { level } => line(format_args!("free {level}")),
                Form::Fixed { floor } => line(format_args!("fixed {floor}")),
                Form::Valued { values } => {
                    line(format_args!("valued {}", values.len()));
                    for value in values {
                        let text = serde_json::to_string(&value.text).expect("a string is valid JSON");
                        line(format_args!("v {} {text}", value.parent));
                    }
                }
            }
        }
        line(format_args!("outputs {}", self.outputs.len()));
        for output in &self.outputs {
            let mut text = String::from(if output.safe { "o" } else { "x" });
            output.candidates.iter().for_each(|n| push(&mut text, format_args!(" {n}")));
            text.push_str(" :");
            output.conditions.iter().for_each(|c| push(&mut text, format_args!(" {} {}", c.detail, c.node)));
            text.push_str(" :");
            output.fixed.iter().for_each(|(d, l)| push(&mut text, format_args!(" {d} {l}")));
            line(format_args!("{text}"));
        }
        line(format_args!("sections {}", self.sections.len()));
        for section in &self.sections {
            line(format_args!("section {}", section.blocks.len()));
            for block in &section.blocks {
                line(format_args!("block {}", block.guards.len()));
                for guard in &block.guards {
                    match guard {
                        Guard::Test { condition: Condition { detail, node }, yes, no } => {
                            line(format_args!("t {detail} {node} {yes} {no}"));
                        }
                        Guard::List { first, count } => line(format_args!("l {first} {count}")),
                    }
                }
            }
        }
        line(format_args!("end"));
        out
    }

    /// Reads a text back, checking every index, so that a policy once read can be walked without failing.
    pub fn from_text(text: &str) -> Result<Self, BadPolicy> {
        let mut lines = Lines { rest: text.split('\n'), line: 0 };
        if lines.next("the header")? != HEADER {
            return Err(lines.bad("`tearline-policy 1`"));
        }
        let refines = match lines.keyword("refines")?.as_str() {
            "-" => None,
            hash => Some(unhex(hash).ok_or_else(|| lines.bad("64 hexadecimal digits or `-`"))?),
        };
        let worth = lines.keyword("worth")?;
        let [worth, worlds] = lines.numbers::<u64, 2>(&worth)?;
        let mut details = Vec::new();
        for _ in 0..lines.count("details")? {
            let form = lines.next("free, fixed or valued")?;
            let (kind, number) = form.split_once(' ').ok_or_else(|| lines.bad("free, fixed or valued"))?;
            let number: u32 = lines.number(number)?;
            let level = u8::try_from(number).map_err(|_| lines.bad("a level"));
            details.push(match kind {
                "free" => Form::Free { level: level? },
                "fixed" => Form::Fixed { floor: level? },
                "valued" => Form::Valued { values: lines.values(number)? },
                _ => return Err(lines.bad("free, fixed or valued")),
            });
        }
        let outputs =
            (0..lines.count("outputs")?).map(|_| lines.output(&details)).collect::<Result<Vec<_>, _>>()?;
        let mut sections = Vec::new();
        for _ in 0..lines.count("sections")? {
            let blocks = lines.count("section")?;
            let blocks =
                (0..blocks).map(|_| lines.block(&details, outputs.len())).collect::<Result<Vec<_>, _>>()?;
            sections.push(Section { blocks });
        }
        if lines.next("end")? != "end" || lines.rest.next() != Some("") || lines.rest.next().is_some() {
            return Err(lines.bad("`end` and nothing after it"));
        }
        if refines.is_none() && sections.len() != 1 {
            return Err(lines.bad("one section in a policy that refines none"));
        }
        let policy = Self { details, refines, sections, outputs, worth, worlds };
        if policy.to_text() == text { Ok(policy) } else { Err(lines.bad("the canonical way to write it")) }
    }
}

fn push(text: &mut String, what: std::fmt::Arguments<'_>) {
    text.write_fmt(what).expect("writing to a string cannot fail");
}

fn hex(hash: [u8; 32]) -> String {
    hash.iter().fold(String::new(), |mut text, byte| {
        push(&mut text, format_args!("{byte:02x}"));
        text
    })
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let valid = text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    let mut hash = [0; 32];
    for (i, byte) in hash.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * i..2 * i + 2)?, 16).ok()?;
    }
    valid.then_some(hash)
}

/// A condition's detail is valued and has the node.
fn known(details: &[Form], condition: Condition) -> bool {
    matches!(details.get(usize::from(condition.detail)), Some(Form::Valued { values })
        if (1..=values.len()).contains(&(condition.node as usize)))
}

struct Lines<'a> {
    rest: std::str::Split<'a, char>,
    line: usize,
}

impl<'a> Lines<'a> {
    fn bad(&self, expected: &'static str) -> BadPolicy {
        BadPolicy { line: self.line, expected }
    }

    fn next(&mut self, expected: &'static str) -> Result<&'a str, BadPolicy> {
        self.line += 1;
        self.rest.next().ok_or(BadPolicy { line: self.line, expected })
    }

    fn keyword(&mut self, word: &'static str) -> Result<String, BadPolicy> {
        let line = self.next(word)?;
        let rest = line.strip_prefix(word).and_then(|rest| rest.strip_prefix(' '));
        rest.map(str::to_owned).ok_or_else(|| self.bad(word))
    }

    /// A number without sign or leading zeros: one way to write each.
    fn number<T: FromStr>(&self, text: &str) -> Result<T, BadPolicy> {
        let canonical = text == "0" || (!text.starts_with('0') && text.bytes().all(|b| b.is_ascii_digit()));
        text.parse().ok().filter(|_| canonical).ok_or_else(|| self.bad("a whole number in range"))
    }

    fn numbers<T: FromStr, const N: usize>(&self, text: &str) -> Result<[T; N], BadPolicy> {
        let all = text.split(' ').map(|word| self.number(word)).collect::<Result<Vec<T>, _>>()?;
        all.try_into().map_err(|_| self.bad("a different number of numbers"))
    }

    fn count(&mut self, word: &'static str) -> Result<u32, BadPolicy> {
        let text = self.keyword(word)?;
        self.number(&text)
    }

    fn values(&mut self, count: u32) -> Result<Vec<ValueNode>, BadPolicy> {
        let mut values: Vec<ValueNode> = Vec::new();
        let mut seen = HashSet::new();
        for node in 1..=count {
            let line = self.keyword("v")?;
            let (parent, text) =
                line.split_once(' ').ok_or_else(|| self.bad("a parent and a JSON string"))?;
            let parent: u32 = self.number(parent)?;
            let text: String = serde_json::from_str(text).map_err(|_| self.bad("a JSON string"))?;
            let above = match parent {
                0 => 0,
                p if p < node => values[p as usize - 1].level,
                _ => return Err(self.bad("a parent before its child")),
            };
            let level = above.checked_add(1).ok_or_else(|| self.bad("at most 255 levels"))?;
            if !seen.insert((parent, text.clone())) {
                return Err(self.bad("a value that stands only once under its parent"));
            }
            values.push(ValueNode { parent, level, text });
        }
        Ok(values)
    }

    fn output(&mut self, details: &[Form]) -> Result<Output, BadPolicy> {
        let line = self.next("an output")?;
        let (safe, rest) = match line.split_once(' ') {
            Some(("o", rest)) => (true, rest),
            Some(("x", rest)) => (false, rest),
            _ => return Err(self.bad("`o` or `x`")),
        };
        let mut words = rest.split_ascii_whitespace();
        let mut output = Output { safe, ..Output::default() };
        loop {
            match words.next() {
                Some(":") => break,
                Some(word) => output.candidates.push(self.number(word)?),
                None => return Err(self.bad("`:` after the candidates")),
            }
        }
        while let Some((detail, node)) = self.pair(&mut words)? {
            output.conditions.push(Condition { detail, node });
        }
        while let Some((detail, level)) = self.pair::<u8>(&mut words)? {
            output.fixed.push((detail, level));
        }
        let ascending = output.conditions.is_sorted_by(|a, b| a.detail < b.detail)
            && output.fixed.is_sorted_by(|a, b| a.0 < b.0);
        let valid = output.conditions.iter().all(|&c| known(details, c))
            && output
                .fixed
                .iter()
                .all(|(d, _)| matches!(details.get(usize::from(*d)), Some(Form::Fixed { .. })));
        if ascending && valid {
            Ok(output)
        } else {
            Err(self.bad("known details, ascending, with known values"))
        }
    }

    fn pair<T: FromStr>(&self, words: &mut SplitAsciiWhitespace<'_>) -> Result<Option<(u16, T)>, BadPolicy> {
        match words.next() {
            None | Some(":") => Ok(None),
            Some(detail) => {
                let second = words.next().ok_or_else(|| self.bad("pairs of numbers"))?;
                Ok(Some((self.number(detail)?, self.number(second)?)))
            }
        }
    }

    fn block(&mut self, details: &[Form], outputs: usize) -> Result<Block, BadPolicy> {
        let count = self.count("block")?;
        let mut guards = Vec::new();
        for at in 0..count {
            let line = self.next("a guard")?;
            guards.push(match line.split_once(' ') {
                Some(("t", rest)) => {
                    let [detail, node, yes, no] = self.numbers::<u32, 4>(rest)?;
                    let detail = u16::try_from(detail).map_err(|_| self.bad("a detail"))?;
                    let condition = Condition { detail, node };
                    let forward = (at + 1..count).contains(&yes) && (at + 1..count).contains(&no);
                    if !forward || !known(details, condition) {
                        return Err(self.bad("a known condition and two later guards"));
                    }
                    Guard::Test { condition, yes, no }
                }
                Some(("l", rest)) => {
                    let [first, count] = self.numbers::<u32, 2>(rest)?;
                    if first.checked_add(count).is_none_or(|end| end as usize > outputs) {
                        return Err(self.bad("a range of outputs"));
                    }
                    Guard::List { first, count }
                }
                _ => return Err(self.bad("`t` or `l`")),
            });
        }
        if guards.is_empty() { Err(self.bad("at least one guard")) } else { Ok(Block { guards }) }
    }
}
