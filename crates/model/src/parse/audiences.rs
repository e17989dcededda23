//! `[audience.NAME]`: who reads, who sees whose releases, who pools them with whom.

use super::limits;
use super::names::Names;
use super::reader::{Item, quoted};
use crate::report::Audience;

/// Largest factor of `importance`.
const MOST_IMPORTANCE: f64 = 1000.0;

/// What an audience says of whom it colludes with.
enum Collusion {
    Unsaid,
    With(Vec<usize>),
}

/// An audience before the relations among audiences are known.
struct Draft {
    audience: Audience,
    sees: Option<Vec<usize>>,
    sees_at: usize,
    collusion: Option<Collusion>,
}

/// All audiences. `levels` is the number of levels of each detail.
pub(super) fn read(
    entries: &[(String, Item<'_>)],
    audiences: &Names,
    details: &Names,
    levels: &[usize],
) -> Option<Vec<Audience>> {
    let drafts: Vec<Option<Draft>> =
        entries.iter().map(|(name, item)| draft(name, item, audiences, details, levels)).collect();
    let mut drafts = drafts.into_iter().collect::<Option<Vec<_>>>()?;
    let public: Vec<usize> = (0..drafts.len()).filter(|&a| drafts[a].audience.public).collect();
    if let [first, second, ..] = public[..] {
        entries[second].1.problem(
            format!(
                "both {} and {} are public",
                quoted(audiences.name(first)),
                quoted(audiences.name(second))
            ),
            "Flag only one audience public: the one whose releases everybody sees.",
        );
        return None;
    }
    let sees = sees(&drafts, public.first().copied())?;
    let closed = close(&sees, entries, &drafts, audiences)?;
    let colludes = colludes(&drafts)?;
    for ((draft, sees), colludes_with) in drafts.iter_mut().zip(closed).zip(colludes) {
        draft.audience.sees = sees;
        draft.audience.colludes_with = colludes_with;
    }
    Some(drafts.into_iter().map(|draft| draft.audience).collect())
}

fn draft(id: &str, item: &Item<'_>, audiences: &Names, details: &Names, levels: &[usize]) -> Option<Draft> {
    let section = item.section("a table [audience.NAME]")?;
    let name = section.get("name").map_or(Some(id.to_owned()), |item| item.text());
    let public = section.get("public").map_or(Some(false), |item| item.boolean());
    let own_people = section.get("own_people").map_or(Some(false), |item| item.boolean());
    let sees_item = section.get("sees");
    let sees_at = sees_item.as_ref().map_or(item.at, |item| item.at);
    let sees = sees_item.map_or(Some(Vec::new()), |item| audiences.many(&item));
    let collusion =
        section.get("colludes_with").map_or(Some(Collusion::Unsaid), |item| collusion(&item, audiences));
    let priority = section.get("priority").map_or(Some(0), |item| item.integer(i64::MIN, i64::MAX));
    let minimum = section.get("minimum").map_or(Some(Vec::new()), |item| minimum(&item, details, levels));
    let importance =
        section.get("importance").map_or(Some(vec![1000; details.len()]), |item| importance(&item, details));
    section.close();
    let audience = Audience {
        id: id.to_owned(),
        name: name?,
        public: public?,
        own_people: own_people?,
        sees: Vec::new(),
        colludes_with: Vec::new(),
        priority: priority?,
        minimum: minimum?,
        importance_permille: importance?,
    };
    Some(Draft { audience, sees, sees_at, collusion })
}

fn collusion(item: &Item<'_>, audiences: &Names) -> Option<Collusion> {
    if item.is_text() {
        match item.string("a word")? {
            "nobody" => return Some(Collusion::With(Vec::new())),
            "everybody" => return Some(Collusion::With((0..audiences.len()).collect())),
            _ => {}
        }
    }
    audiences.many(item).map(Collusion::With)
}

/// A list of alternatives, each a table of least levels; a single table stands for a list of one.
fn minimum(item: &Item<'_>, details: &Names, levels: &[usize]) -> Option<Vec<Vec<(usize, u8)>>> {
    let mut alternatives = Some(Vec::new());
    for alternative in item.list_or_one(limits::LIST)? {
        let mut least = Some(Vec::new());
        let entries = alternative.named("a table of least levels: {where = 1, when = 2}")?;
        if entries.is_empty() {
            alternative.problem(
                "an alternative without any detail",
                "Name a detail and its least level, or remove it.",
            );
            least = None;
        }
        for (name, item) in entries {
            let detail = details.find(&name, &item);
            let level = detail.and_then(|detail| level(&item, levels[detail]));
            match (detail, level, &mut least) {
                (Some(detail), Some(level), Some(least)) => least.push((detail, level)),
                _ => least = None,
            }
        }
        match (least, &mut alternatives) {
            (Some(mut least), Some(alternatives)) => {
                least.sort_unstable();
                alternatives.push(least);
            }
            _ => alternatives = None,
        }
    }
    alternatives
}

/// The number of a level of a detail that has `levels` of them.
pub(super) fn level(item: &Item<'_>, levels: usize) -> Option<u8> {
    let number = item.integer(1, 255)?;
    let level = u8::try_from(number).ok()?;
    if usize::from(level) > levels {
        // A detail without levels has been reported as such.
        if levels > 0 {
            item.problem(
                format!("there is no level {level}: the detail has {levels}"),
                format!("Write a number from 1 to {levels}."),
            );
        }
        return None;
    }
    Some(level)
}

fn importance(item: &Item<'_>, details: &Names) -> Option<Vec<u32>> {
    let mut factors = Some(vec![1000; details.len()]);
    for (name, item) in item.named("a table of factors: {who = 0.5}")? {
        let detail = details.find(&name, &item);
        let factor = item.number(0.0, MOST_IMPORTANCE);
        match (detail, factor, &mut factors) {
            (Some(detail), Some(factor), Some(factors)) => {
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "from 0 to 1,000,000"
                )]
                let permille = (factor * 1000.0).round() as u32;
                factors[detail] = permille;
            }
            _ => factors = None,
        }
    }
    factors
}

/// Whom each audience sees directly: as declared, and the public by everybody else.
fn sees(drafts: &[Draft], public: Option<usize>) -> Option<Vec<Vec<usize>>> {
    let mut all = Vec::new();
    for (index, draft) in drafts.iter().enumerate() {
        let mut sees = draft.sees.clone()?;
        if let Some(public) = public
            && public != index
            && !sees.contains(&public)
        {
            sees.push(public);
        }
        all.push(sees);
    }
    Some(all)
}

/// The transitive closure; reports a cycle.
fn close(
    sees: &[Vec<usize>],
    entries: &[(String, Item<'_>)],
    drafts: &[Draft],
    audiences: &Names,
) -> Option<Vec<Vec<usize>>> {
    let mut closed = Vec::new();
    for start in 0..sees.len() {
        // Breadth first, remembering through whom each was reached.
        let mut through = vec![None; sees.len()];
        let mut queue = std::collections::VecDeque::from([start]);
        while let Some(at) = queue.pop_front() {
            for &next in &sees[at] {
                if through[next].is_none() {
                    through[next] = Some(at);
                    queue.push_back(next);
                }
            }
        }
        if through[start].is_some() {
            let mut cycle = vec![quoted(audiences.name(start))];
            let mut at = start;
            while let Some(before) = through[at].filter(|&before| before != start) {
                cycle.push(quoted(audiences.name(before)));
                at = before;
            }
            cycle.push(quoted(audiences.name(start)));
            cycle.reverse();
            let (_, item) = &entries[start];
            item.reader.problem(
                drafts[start].sees_at,
                &format!("{}.sees", item.path),
                format!("a cycle: {}", cycle.join(" sees ")),
                "Remove one of these; everybody sees the public audience without saying so. Audiences that see \
                 each other are one audience.",
            );
            return None;
        }
        closed.push((0..sees.len()).filter(|&other| through[other].is_some()).collect());
    }
    Some(closed)
}

/// Pooling goes both ways. Two audiences collude unless one of them declares otherwise and the other does not
/// contradict it.
fn colludes(drafts: &[Draft]) -> Option<Vec<Vec<usize>>> {
    let declared: Vec<&Collusion> =
        drafts.iter().map(|draft| draft.collusion.as_ref()).collect::<Option<_>>()?;
    let names = |a: usize, b: usize| match declared[a] {
        Collusion::Unsaid => None,
        Collusion::With(others) => Some(others.contains(&b)),
    };
    let pair = |a: usize, b: usize| match (names(a, b), names(b, a)) {
        (None, None) => true,
        (Some(said), None) | (None, Some(said)) => said,
        (Some(one), Some(other)) => one || other,
    };
    let all = 0..drafts.len();
    Some(all.clone().map(|a| all.clone().filter(|&b| a != b && pair(a, b)).collect()).collect())
}
