//! Which mode a report calls for.

use tearline_model::report::{Knowledge, Mode, Report};

/// A mode and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The mode.
    pub mode: Mode,
    /// Why, in a sentence.
    pub reason: String,
}

/// Chooses the mode: what the originator insists on, or else nominal only where no predicate depends on a hidden
/// value.
pub fn choose_mode(report: &Report) -> Choice {
    let dependent: Vec<&str> = report
        .details
        .iter()
        .filter(|detail| detail.knowledge.iter().flatten().any(depends_on_value))
        .map(|detail| detail.id.as_str())
        .collect();
    let (mode, reason) = match (report.mode, dependent.is_empty()) {
        (None | Some(Mode::Nominal), true) => (
            Mode::Nominal,
            "No predicate depends on a hidden value, so the choice itself says nothing about it.".into(),
        ),
        (None, false) => (
            Mode::SelectionSafe,
            format!(
                "Who could know {} depends on its hidden value; the choice itself must not give it away.",
                list(&dependent)
            ),
        ),
        (Some(Mode::Nominal), false) => (
            Mode::Nominal,
            format!(
                "Nominal was asked for. Who could know {} depends on its hidden value: a reader who knows how plans are chosen may learn more than the sets below say.",
                list(&dependent)
            ),
        ),
        (Some(mode), _) => (mode, "It was asked for.".into()),
    };
    Choice { mode, reason }
}

/// Whether who could know a detail depends on its hidden value. It does not where the originator declares so, and
/// where everybody could know every level of it. The one definition of the planner; the checker has its own.
pub(super) fn depends_on_value(knowledge: &Knowledge) -> bool {
    match knowledge {
        Knowledge::Fixed(_) => false,
        Knowledge::Opaque { predicates, .. } => !predicates.iter().all(|sql| constant(&sql.0)),
        Knowledge::Column(_) | Knowledge::Domain { .. } => true,
    }
}

/// Whether a predicate is the same for everybody.
fn constant(sql: &str) -> bool {
    matches!(sql.trim().to_ascii_lowercase().as_str(), "true" | "1")
}

fn list(details: &[&str]) -> String {
    match details {
        [one] => format!("“{one}”"),
        [first, second] => format!("“{first}” and “{second}”"),
        [first, rest @ ..] => format!("“{first}” and {} other details", rest.len()),
        [] => String::new(),
    }
}
