//! Reads policy files, strictly as `docs/formats/policy.md` has them.

use std::collections::HashSet;

/// A policy as its file has it.
pub(super) struct File {
    /// Hash of the policy that it refines.
    pub(super) refines: Option<String>,
    pub(super) forms: Vec<Form>,
    pub(super) outputs: Vec<Output>,
    /// Per section its blocks, per block its guards.
    pub(super) sections: Vec<Vec<Vec<Guard>>>,
}

/// How a detail is treated.
pub(super) enum Form {
    Free(u8),
    Fixed(u8),
    /// Nodes from 1.
    Valued(Vec<Node>),
}

/// A value at a level.
pub(super) struct Node {
    pub(super) parent: u32,
    pub(super) level: u8,
    pub(super) text: String,
}

/// What is released.
pub(super) struct Output {
    pub(super) safe: bool,
    pub(super) candidates: Vec<u64>,
    pub(super) conditions: Vec<Condition>,
    /// (detail, level), at least the form's.
    pub(super) levels: Vec<(usize, u8)>,
}

/// Holds where the node is on the path of the world's value.
#[derive(Clone, Copy)]
pub(super) struct Condition {
    pub(super) detail: usize,
    pub(super) node: u32,
}

pub(super) enum Guard {
    Test { condition: Condition, yes: usize, no: usize },
    List { first: usize, count: usize },
}

type Lines<'a> = std::str::Split<'a, char>;

/// Reads a file. The error says what is wrong, as the end of a sentence.
pub(super) fn read(bytes: &[u8]) -> Result<File, &'static str> {
    let text = std::str::from_utf8(bytes).map_err(|_| "is not UTF-8")?;
    let mut lines = text.split('\n');
    if lines.next() != Some("tearline-policy 1") {
        return Err("is not of version 1");
    }
    let refines = match field(&mut lines, "refines")? {
        "-" => None,
        hash if is_hash(hash) => Some(hash.to_owned()),
        _ => return Err("does not say what it refines"),
    };
    let [_, _] = words(field(&mut lines, "worth")?)?;
    let mut forms = Vec::new();
    for _ in 0..count(&mut lines, "details")? {
        forms.push(form(&mut lines)?);
    }
    let mut outputs = Vec::new();
    for _ in 0..count(&mut lines, "outputs")? {
        outputs.push(output(lines.next().ok_or(ENDS)?, &forms)?);
    }
    let mut sections = Vec::new();
    for _ in 0..count(&mut lines, "sections")? {
        let mut blocks = Vec::new();
        for _ in 0..count(&mut lines, "section")? {
            blocks.push(block(&mut lines, &forms, outputs.len())?);
        }
        sections.push(blocks);
    }
    if lines.next() != Some("end") || lines.next() != Some("") || lines.next().is_some() {
        return Err("does not end with the line \"end\"");
    }
    if refines.is_none() && sections.len() != 1 {
        return Err("refines none and has not one section");
    }
    Ok(File { refines, forms, outputs, sections })
}

const ENDS: &str = "ends too early";
const NUMBER: &str = "has a number that is not as it must be";

fn field<'a>(lines: &mut Lines<'a>, word: &str) -> Result<&'a str, &'static str> {
    let line = lines.next().ok_or(ENDS)?;
    line.strip_prefix(word).and_then(|rest| rest.strip_prefix(' ')).ok_or("lacks a line that it must have")
}

fn is_hash(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// One way to write each number: no sign, no leading zeros.
fn number<T: TryFrom<u64>>(word: &str) -> Result<T, &'static str> {
    let plain = word.bytes().all(|byte| byte.is_ascii_digit()) && (word == "0" || !word.starts_with('0'));
    let number = word.parse::<u64>().ok().filter(|_| plain).ok_or(NUMBER)?;
    T::try_from(number).map_err(|_| NUMBER)
}

fn words<const N: usize>(text: &str) -> Result<[u64; N], &'static str> {
    let numbers = text.split(' ').map(number).collect::<Result<Vec<u64>, _>>()?;
    numbers.try_into().map_err(|_| NUMBER)
}

fn count(lines: &mut Lines<'_>, word: &str) -> Result<u32, &'static str> {
    number(field(lines, word)?)
}

fn form(lines: &mut Lines<'_>) -> Result<Form, &'static str> {
    let line = lines.next().ok_or(ENDS)?;
    match line.split_once(' ') {
        Some(("free", level)) => Ok(Form::Free(number(level)?)),
        Some(("fixed", level)) => Ok(Form::Fixed(number(level)?)),
        Some(("valued", many)) => {
            let mut nodes: Vec<Node> = Vec::new();
            let mut seen = HashSet::new();
            for place in 0..number::<usize>(many)? {
                let (parent, json) = field(lines, "v")?.split_once(' ').ok_or("has a value without text")?;
                let text: String = serde_json::from_str(json).map_err(|_| "has a value that is not JSON")?;
                let canonical = serde_json::to_string(&text).is_ok_and(|again| again == json);
                let parent: u32 = number(parent)?;
                let level = match (parent as usize).checked_sub(1) {
                    None => 1,
                    Some(above) if above < place => nodes[above].level.checked_add(1).ok_or(NUMBER)?,
                    Some(_) => return Err("has a value before its parent"),
                };
                if !canonical || !seen.insert((parent, text.clone())) {
                    return Err("has a value twice, or not in the canonical way");
                }
                nodes.push(Node { parent, level, text });
            }
            Ok(Form::Valued(nodes))
        }
        _ => Err("has a detail of an unknown form"),
    }
}

fn condition(detail: &str, node: &str, forms: &[Form]) -> Result<Condition, &'static str> {
    let condition = Condition { detail: number(detail)?, node: number(node)? };
    match forms.get(condition.detail) {
        Some(Form::Valued(nodes)) if (1..=nodes.len()).contains(&(condition.node as usize)) => Ok(condition),
        _ => Err("has a condition on a value that it does not list"),
    }
}

fn output(line: &str, forms: &[Form]) -> Result<Output, &'static str> {
    let mut words = line.split(' ');
    let safe = match words.next() {
        Some("o") => true,
        Some("x") => false,
        _ => return Err("has an output that is neither safe nor unsafe"),
    };
    let mut parts = [Vec::new(), Vec::new(), Vec::new()];
    let mut part = 0;
    for word in words {
        match word {
            ":" if part < 2 => part += 1,
            word => parts[part].push(word),
        }
    }
    let [candidates, conditions, levels] = &parts;
    if part != 2 || conditions.len() % 2 + levels.len() % 2 > 0 {
        return Err("has an output with parts missing");
    }
    let candidates = candidates.iter().map(|word| number(word)).collect::<Result<_, _>>()?;
    let pairs = conditions.chunks(2).map(|pair| condition(pair[0], pair[1], forms));
    let conditions = pairs.collect::<Result<Vec<_>, _>>()?;
    let mut fixed: Vec<(usize, u8)> = Vec::new();
    for pair in levels.chunks(2) {
        let detail = number(pair[0])?;
        match forms.get(detail) {
            Some(Form::Fixed(least)) => fixed.push((detail, number::<u8>(pair[1])?.max(*least))),
            _ => return Err("has a level of a detail that is not fixed"),
        }
    }
    let ascending = conditions.is_sorted_by(|a, b| a.detail < b.detail);
    if !ascending || !fixed.is_sorted_by(|a, b| a.0 < b.0) {
        return Err("has an output whose details do not ascend");
    }
    Ok(Output { safe, candidates, conditions, levels: fixed })
}

fn block(lines: &mut Lines<'_>, forms: &[Form], outputs: usize) -> Result<Vec<Guard>, &'static str> {
    let many = count(lines, "block")? as usize;
    let mut guards = Vec::new();
    for place in 0..many {
        let line = lines.next().ok_or(ENDS)?;
        let words: Vec<&str> = line.split(' ').collect();
        guards.push(match words.as_slice() {
            ["t", detail, node, yes, no] => {
                let (yes, no) = (number(yes)?, number(no)?);
                let later = place + 1..many;
                if !later.contains(&yes) || !later.contains(&no) {
                    return Err("has a guard that leads backwards or nowhere");
                }
                Guard::Test { condition: condition(detail, node, forms)?, yes, no }
            }
            ["l", first, count] => {
                let (first, count): (usize, usize) = (number(first)?, number(count)?);
                if first.checked_add(count).is_none_or(|end| end > outputs) {
                    return Err("has a list of outputs that do not exist");
                }
                Guard::List { first, count }
            }
            _ => return Err("has an unknown guard"),
        });
    }
    if guards.is_empty() { Err("has a block without guards") } else { Ok(guards) }
}

#[cfg(test)]
mod tests {
    use super::read;
    use crate::policy::Policy;

    const GOOD: &str = include_str!("../../../../tearline/tests/cmd/policy.out/policies/01-public.policy");

    #[test]
    fn it_takes_the_policies_that_the_planner_takes_and_no_others() {
        assert!(read(GOOD.as_bytes()).is_ok());
        let mut taken = 0;
        for at in 0..GOOD.len() {
            for byte in *b"0129 :ovx-\"n\n" {
                let mut bytes = GOOD.as_bytes().to_vec();
                bytes[at] = byte;
                let text = std::str::from_utf8(&bytes).expect("ASCII");
                assert_eq!(read(&bytes).is_ok(), Policy::from_text(text).is_ok(), "{text}");
                taken += usize::from(read(&bytes).is_ok());
                bytes.remove(at);
                let text = std::str::from_utf8(&bytes).expect("ASCII");
                assert_eq!(read(&bytes).is_ok(), Policy::from_text(text).is_ok(), "{text}");
            }
        }
        assert!(taken > GOOD.len(), "{taken}");
    }
}
