//! Whether the policies named give what the certificate says, and keep every protection wherever a report may fall.
//!
//! Written from `docs/formats/policy.md` alone: what builds policies and looks reports up in them is not used here.

mod file;
mod walk;

use super::inputs::same_for_any_value;
use super::releases::{View, index, name, view};
use super::sets::{Demands, demands, exact_share, survivors};
use super::{Evidence, Name, Verdict};
use crate::certificate::{AudienceClaim, Certificate, digest};
use crate::plan::Mode;
use file::File;
use std::collections::{BTreeMap, BTreeSet};
use tearline_model::report::{Detail, Knowledge, Report, ToldWhat};
use tearline_model::worlds::{WorldDetail, Worlds};
use walk::{Ends, Link, Set};

/// Findings listed at most per policy: a policy that fails may fail everywhere.
const LISTED: usize = 3;

/// Policies are demanded in the selection-safe mode and nowhere else.
pub(super) fn check(evidence: &Evidence<'_>, certificate: &Certificate, verdict: &mut Verdict) {
    let mut against = Vec::new();
    if certificate.mode == Mode::SelectionSafe {
        match Policies::new(evidence, certificate) {
            Ok(mut policies) => {
                for claim in &certificate.audiences {
                    let found = policies.audience(claim);
                    let who = name(evidence.report, claim);
                    against.extend(found.into_iter().map(|what| format!("Audience {who}: {what}")));
                }
            }
            Err(what) => against.push(what.into()),
        }
    } else {
        for claim in certificate.audiences.iter().filter(|claim| claim.policy.is_some()) {
            let who = name(evidence.report, claim);
            against.push(format!("Audience {who}: a policy is named, and the mode uses none."));
        }
    }
    let good = match certificate.mode {
        Mode::SelectionSafe => {
            "The policies give these levels, and keep the protections wherever a report may end in them."
        }
        Mode::Nominal | Mode::Audited => "No policy is named, and the mode uses none.",
    };
    verdict.enter(Name::Policy, &against, good);
}

/// All that is needed for every audience.
struct Policies<'a> {
    evidence: &'a Evidence<'a>,
    certificate: &'a Certificate,
    worlds: &'a [Worlds],
    /// (source, population) of every set that is protected against anybody.
    pairs: Vec<(usize, usize)>,
    /// The policies given, by hash; what is wrong with those that are none.
    files: BTreeMap<String, Result<File, &'static str>>,
    /// The report's own values, per detail.
    texts: Result<Vec<Vec<&'a str>>, &'static str>,
    /// Per policy that was walked, by hash.
    walked: BTreeMap<String, Result<Walked, String>>,
}

/// A chain that was walked.
struct Walked {
    /// (source, population) of the sets, which are those that its last policy counts.
    pairs: Vec<(usize, usize)>,
    ends: Ends,
}

impl<'a> Policies<'a> {
    fn new(evidence: &'a Evidence<'a>, certificate: &'a Certificate) -> Result<Self, &'static str> {
        let report = evidence.report;
        let worlds = evidence.worlds.ok_or("The worlds are needed and not given.")?;
        let all: BTreeSet<(usize, usize)> =
            (0..report.audiences.len()).flat_map(|audience| demands(report, audience).into_keys()).collect();
        Ok(Self {
            evidence,
            certificate,
            worlds,
            pairs: all.into_iter().collect(),
            files: evidence.policies.iter().map(|&bytes| (digest::bytes(bytes), file::read(bytes))).collect(),
            texts: texts(report, worlds),
            walked: BTreeMap::new(),
        })
    }

    /// What is against one audience's claims.
    fn audience(&mut self, claim: &AudienceClaim) -> Vec<String> {
        let report = self.evidence.report;
        let Some(policy) = &claim.policy else {
            let released = claim.released.is_some();
            return if released { vec!["no policy is named.".into()] } else { Vec::new() };
        };
        let hashes = match self.chain(&policy.sha256) {
            Ok(hashes) => hashes,
            Err(what) => return vec![what],
        };
        let mut against = Vec::new();
        let placed = self.texts.clone().and_then(|texts| walk::place(&self.links(&hashes), &texts));
        match placed {
            Err(what) => return vec![what.into()],
            Ok((end, levels)) => {
                if end.0 + 1 != hashes.len() || end.1 != policy.output as usize {
                    against.push(format!("the policy's output for this report is {}.", end.1));
                }
                against.extend(levels_of(report, claim, levels.as_deref()));
            }
        }
        if claim.released.is_none() {
            return against;
        }
        let finest = match self.finest(claim) {
            Ok(finest) => finest,
            Err(what) => return vec![what],
        };
        // Its own policy too, where that counts other sets: only then is it walked apart.
        let mut walks = vec![(finest, true)];
        if self.counted(&policy.sha256) != self.counted(&walks[0].0.0) {
            walks.push(((policy.sha256.clone(), hashes), false));
        }
        for ((hash, hashes), judged) in walks {
            if !self.walked.contains_key(&hash) {
                let walked = self.walk(&hashes);
                self.walked.insert(hash.clone(), walked);
            }
            match &self.walked[&hash] {
                Err(what) => against.push(what.clone()),
                Ok(walked) if judged => self.judge(claim, &hashes, walked, &mut against),
                Ok(_) => {}
            }
        }
        against
    }

    fn set(&self, (source, population): (usize, usize)) -> Set<'a> {
        let report = self.evidence.report;
        let own = report.details.iter().map(|detail| detail.sources.contains(&source)).collect();
        Set { worlds: &self.worlds[population], own }
    }

    /// The hashes from the policy that refines none to this one.
    fn chain(&self, last: &str) -> Result<Vec<String>, String> {
        let mut hashes: Vec<String> = Vec::new();
        let mut at = Some(last.to_owned());
        while let Some(hash) = at.take() {
            let file = match self.files.get(&hash) {
                None if hashes.is_empty() => return Err("the policy named is not among those given.".into()),
                None => return Err("a policy that the one named refines is not among those given.".into()),
                Some(Err(what)) => return Err(format!("the policy {what}.")),
                Some(Ok(file)) => file,
            };
            if file.forms.len() != self.evidence.report.details.len() || hashes.contains(&hash) {
                return Err("the policy is for another report.".into());
            }
            hashes.push(hash);
            at.clone_from(&file.refines);
        }
        hashes.reverse();
        Ok(hashes)
    }

    fn links(&self, hashes: &[String]) -> Vec<Link<'_>> {
        let files = hashes.iter().filter_map(|hash| Some((hash, self.files.get(hash)?.as_ref().ok()?)));
        files.map(|(hash, policy)| Link { policy, held: self.held(hash), complete: true }).collect()
    }

    /// What is held for a policy: the levels that the report fixes by policy whatever the value, and what those
    /// were told before who read their levels from it.
    fn held(&self, hash: &str) -> Vec<u8> {
        let fixed = |detail: &Detail| {
            let opaque = detail.knowledge.iter().flatten().filter(|of| !same_for_any_value(of));
            let levels = opaque.filter_map(|knowledge| match knowledge {
                Knowledge::Opaque { policy_level, .. } => Some(*policy_level),
                _ => None,
            });
            levels.min().unwrap_or(0)
        };
        let mut levels: Vec<u8> = self.evidence.report.details.iter().map(fixed).collect();
        for told in &self.evidence.report.told {
            let mut claims = self.certificate.audiences.iter().filter(|claim| index(claim) == told.audience);
            let reads = claims.any(|claim| claim.policy.as_ref().is_some_and(|of| of.sha256 == hash));
            if let (true, ToldWhat::Level { detail, level }) = (reads, &told.what) {
                levels[*detail] = levels[*detail].max(*level);
            }
        }
        levels
    }

    /// Of the policies that the audience's coalition reads, the one that refines all others.
    fn finest(&self, claim: &AudienceClaim) -> Result<(String, Vec<String>), String> {
        let View { members, .. } = view(self.evidence.report, &self.certificate.audiences, index(claim));
        let mut chains = Vec::new();
        for other in self.certificate.audiences.iter().filter(|other| members.contains(&index(other))) {
            if let Some(policy) = &other.policy {
                chains.push(self.chain(&policy.sha256)?);
            }
        }
        let longest = chains.iter().max_by_key(|chain| chain.len()).cloned().unwrap_or_default();
        if chains.iter().any(|chain| !longest.starts_with(chain)) {
            return Err("the policies of those who pool what they get do not refine one another.".into());
        }
        // What somebody was told who reads none is in the walk only if another policy holds it too.
        let held: Vec<Vec<u8>> = longest.iter().map(|hash| self.held(hash)).collect();
        for told in self.evidence.report.told.iter().filter(|told| members.contains(&told.audience)) {
            if let ToldWhat::Level { detail, level } = told.what
                && !held.iter().any(|held| held[detail] >= level)
            {
                return Err("what was told before to one who pools with it is in no policy.".into());
            }
        }
        Ok((longest.last().cloned().unwrap_or_default(), longest))
    }

    /// Walks a chain, and holds the numbers of its policies against what is found.
    fn walk(&self, hashes: &[String]) -> Result<Walked, String> {
        let mut links = self.links(hashes);
        let last = hashes.last().and_then(|hash| self.counted(hash));
        for (link, hash) in links.iter_mut().zip(hashes) {
            link.complete = self.counted(hash) == last;
        }
        let pairs = last.clone().unwrap_or_else(|| self.pairs.clone());
        let sets: Vec<Set<'_>> = pairs.iter().map(|&pair| self.set(pair)).collect();
        let ends = walk::walk(&sets, &links)?;
        for (place, link) in links.iter().enumerate() {
            if last.is_none() || !link.complete {
                continue;
            }
            for (number, output) in link.policy.outputs.iter().enumerate() {
                let found = ends.of.get(&(place, number, false));
                let count = |set: usize| found.map_or(0, |found| size(sets[set].worlds, &found[set]));
                if !output.candidates.iter().copied().eq((0..sets.len()).map(count)) {
                    return Err(format!("output {number} of its policy states other numbers of candidates."));
                }
            }
        }
        Ok(Walked { pairs, ends })
    }

    /// The sets that a policy counts: those protected against somebody who comes to know what is read from it, or
    /// who reads one that refines it. `None` where that cannot be told, because some audience reads none.
    fn counted(&self, hash: &String) -> Option<Vec<(usize, usize)>> {
        let claims = &self.certificate.audiences;
        let mut counted = BTreeSet::new();
        for claim in claims {
            let own = self.chain(&claim.policy.as_ref()?.sha256).ok()?;
            let members = view(self.evidence.report, claims, index(claim)).members;
            let mut known = claims.iter().filter(|other| members.contains(&index(other)));
            let knows = known.any(|other| other.policy.as_ref().is_some_and(|of| of.sha256 == *hash));
            if knows || own.contains(hash) {
                counted.extend(demands(self.evidence.report, index(claim)).into_keys());
            }
        }
        Some(counted.into_iter().collect())
    }

    /// Every end that may be seen must keep the audience's protections.
    fn judge(&self, claim: &AudienceClaim, hashes: &[String], walked: &Walked, against: &mut Vec<String>) {
        let Walked { pairs, ends } = walked;
        let report = self.evidence.report;
        let links = self.links(hashes);
        let own = self.texts.clone().and_then(|texts| walk::place(&links, &texts)).map(|(end, _)| end);
        let mut failing = Vec::new();
        for (at, pair) in pairs.iter().enumerate() {
            let worlds = &self.worlds[pair.1];
            let Some(demands) = demands(report, index(claim)).remove(pair) else { continue };
            let population = &report.populations[pair.1].id;
            let set = format!("source {} among {population:?}", pair.0 + 1);
            if ends.exposed[at] {
                against.push(format!("{set}: a detail is released whatever its value, and its value tells."));
            }
            for (&(place, output, fallback), found) in &ends.of {
                let last = place + 1 == links.len();
                // Of what is refined only the fallbacks are an end.
                if !links[place].policy.outputs[output].safe || !last && !fallback {
                    continue;
                }
                if let Some(what) = broken(worlds, &found[at], &demands) {
                    let kind = if fallback { "fallback" } else { "output" };
                    failing.push(format!("{set}: {kind} {output} of policy {} {what}.", place + 1));
                }
            }
            let left = own.ok().and_then(|own| ends.of.get(&own));
            let left = left.map_or(0, |found| size(worlds, &found[at]));
            let place = |of: usize| u32::try_from(of + 1).unwrap_or(u32::MAX);
            let claimed =
                claim.sets.iter().find(|of| (of.source, of.population) == (place(pair.0), place(pair.1)));
            let aware = claimed.and_then(|set| set.selection_aware);
            if aware != Some(left) {
                against.push(format!("{set}: the policy leaves {left} candidates."));
            }
        }
        let more = failing.len().saturating_sub(LISTED);
        against.extend(failing.into_iter().take(LISTED));
        if more > 0 {
            against.push(format!("And so do {more} more."));
        }
    }
}

/// What is against the levels claimed, given those of the policy.
fn levels_of(report: &Report, claim: &AudienceClaim, levels: Option<&[u8]>) -> Option<String> {
    match (&claim.released, levels) {
        (Some(released), Some(levels)) if released == levels => None,
        (Some(_), Some(levels)) => Some(format!("the policy gives the levels {levels:?}.")),
        (Some(_), None) => Some("the policy gives no release.".into()),
        (None, None) => None,
        (None, Some(levels)) => {
            let minimum = &report.audiences[index(claim)].minimum;
            let reached =
                |least: &Vec<(usize, u8)>| least.iter().all(|&(detail, level)| levels[detail] >= level);
            (minimum.is_empty() || minimum.iter().any(reached))
                .then(|| "the policy gives a release, and nothing is released.".into())
        }
    }
}

/// The report's own values, which some candidate of every protected set must have all together.
fn texts<'a>(report: &Report, worlds: &'a [Worlds]) -> Result<Vec<Vec<&'a str>>, &'static str> {
    const NOBODY: &str = "no candidate has all of the report's values together.";
    let mut texts: Vec<Vec<&str>> = vec![Vec::new(); report.details.len()];
    for (source, of) in report.sources.iter().enumerate() {
        for worlds in of.populations.iter().map(|&population| &worlds[population]) {
            let mut possible = vec![true; worlds.count.len()];
            for (detail, world) in worlds.details.iter().enumerate() {
                let (WorldDetail::Valued { values, report: own, .. }
                | WorldDetail::Many { values, report: own, .. }) = world
                else {
                    continue;
                };
                if !report.details[detail].sources.contains(&source) {
                    continue;
                }
                let own: Vec<u32> = own.iter().copied().collect::<Option<_>>().ok_or(NOBODY)?;
                let said = own.iter().zip(values).map(|(&code, values)| values.get(code as usize));
                let said =
                    said.map(|text| text.map(String::as_str)).collect::<Option<Vec<_>>>().ok_or(NOBODY)?;
                if !texts[detail].is_empty() && texts[detail] != said {
                    return Err("the tables do not agree on the report's own values.");
                }
                texts[detail] = said;
                for (class, possible) in possible.iter_mut().enumerate() {
                    *possible &= could_say(world, class, &own);
                }
            }
            if !possible.contains(&true) {
                return Err(NOBODY);
            }
        }
    }
    Ok(texts)
}

fn could_say(world: &WorldDetail, class: usize, own: &[u32]) -> bool {
    match world {
        WorldDetail::Fixed(_) => true,
        WorldDetail::Valued { codes, .. } => codes.iter().zip(own).all(|(codes, own)| codes[class] == *own),
        WorldDetail::Many { ancestors, known, .. } => (0..ancestors.len())
            .any(|value| known[class][value / 64] >> (value % 64) & 1 == 1 && ancestors[value] == own),
    }
}

/// Candidates of classes.
fn size(worlds: &Worlds, classes: &[u32]) -> u64 {
    classes.iter().map(|&class| worlds.count[class as usize]).fold(0, u64::saturating_add)
}

/// What a set breaks, if anything, as the end of a sentence.
fn broken(worlds: &Worlds, classes: &[u32], demands: &Demands) -> Option<String> {
    let candidates = size(worlds, classes);
    let needed = demands.k.saturating_add(demands.robust);
    if candidates < needed {
        return Some(format!("leaves {candidates} candidates, and {needed} are needed"));
    }
    if let Some(ppm) = demands.share_ppm {
        let of = |&class: &u32| {
            (u128::from(worlds.weight[class as usize]), u128::from(worlds.count[class as usize]))
        };
        let within =
            exact_share(classes.iter().map(of).collect(), demands.robust).and_then(|(part, whole)| {
                Some(part.checked_mul(1_000_000)? <= whole.checked_mul(u128::from(ppm))?)
            });
        if within != Some(true) {
            return Some(format!("leaves one candidate a share above {ppm} millionths"));
        }
    }
    for (column, &least) in &demands.diversity {
        let groups = worlds.groups.iter().find(|groups| groups.column == *column);
        let mut sizes: BTreeMap<u32, u128> = BTreeMap::new();
        for (groups, &class) in
            groups.iter().flat_map(|groups| classes.iter().map(move |class| (groups, class)))
        {
            let value = groups.of[class as usize];
            if value != u32::MAX {
                *sizes.entry(value).or_default() += u128::from(worlds.count[class as usize]);
            }
        }
        let values = survivors(sizes.into_values().collect(), demands.robust);
        if values < least as usize {
            return Some(format!("leaves {values} different values of {column}, and {least} are needed"));
        }
    }
    None
}
