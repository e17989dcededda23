//! Which releases to an audience stand, from the desk's records.

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use tearline_disclosure::bytes::Digest;
use tearline_disclosure::files::Recipient;
use tearline_disclosure::statement::Act;
use tearline_store::desk::{Desk, Record};

/// What the desk keeps of a release beside its statement.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct About {
    pub(super) act: Act,
    pub(super) recipient: Recipient,
    /// What is shown of the token; absent when it cancels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) token: Option<String>,
    /// Levels shown, by detail.
    pub(super) levels: BTreeMap<String, u8>,
    pub(super) replaces: Vec<Digest>,
    /// SHA-256 of the certificate that was checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) certificate_sha256: Option<Digest>,
}

/// A release of the desk's records.
#[derive(Clone, Debug)]
pub(super) struct Released {
    pub(super) record: Record,
    pub(super) about: About,
}

impl Released {
    pub(super) fn digest(&self) -> Digest {
        Digest::read(&self.record.digest).expect("the desk wrote it")
    }

    pub(super) fn statement(&self) -> String {
        String::from_utf8(self.record.payload.clone()).expect("the desk wrote it")
    }
}

/// All releases of a report, oldest first.
pub(super) fn releases(desk: &Desk, report: &str) -> Result<Vec<Released>> {
    let records = desk.records(report)?;
    let releases = records.into_iter().filter(|record| record.kind == "release").map(|record| {
        let about = serde_json::from_str(&record.about);
        let about = about.with_context(|| format!("record {} of the desk cannot be read", record.id))?;
        Ok(Released { record, about })
    });
    releases.collect()
}

/// Those to one recipient of an audience that nothing has replaced and nothing has cancelled.
pub(super) fn live<'a>(releases: &'a [Released], audience: &str, recipient: &str) -> Vec<&'a Released> {
    let to = |released: &&Released| {
        released.record.audience == audience && released.about.recipient.name == recipient
    };
    let replaced: BTreeSet<Digest> =
        releases.iter().filter(to).flat_map(|released| released.about.replaces.iter().copied()).collect();
    let stands =
        |released: &&Released| released.about.act != Act::Cancel && !replaced.contains(&released.digest());
    releases.iter().filter(to).filter(stands).collect()
}
