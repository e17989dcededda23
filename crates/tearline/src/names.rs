//! Names from the command line, looked up in a report.

use crate::args::Setting;
use crate::failure::Usage;
use tearline_model::report::Report;

/// The index of an audience.
pub(crate) fn audience(report: &Report, name: &str) -> Result<usize, Usage> {
    let names: Vec<&str> = report.audiences.iter().map(|audience| audience.id.as_str()).collect();
    find("audience", &names, name)
}

/// The index of a detail, and a level that it has.
pub(crate) fn setting(report: &Report, setting: &Setting) -> Result<(usize, u8), Usage> {
    let names: Vec<&str> = report.details.iter().map(|detail| detail.id.as_str()).collect();
    let index = find("detail", &names, &setting.detail)?;
    let most = report.details[index].levels.len();
    if usize::from(setting.level) > most {
        return Err(Usage(format!(
            "--set {}={}: the report has levels 0 (silence) to {most} of “{}”",
            setting.detail, setting.level, setting.detail
        )));
    }
    Ok((index, setting.level))
}

fn find(kind: &str, names: &[&str], name: &str) -> Result<usize, Usage> {
    if let Some(index) = names.iter().position(|other| *other == name) {
        return Ok(index);
    }
    let near = |other: &&&str| strsim::jaro_winkler(&other.to_lowercase(), &name.to_lowercase());
    let nearest = names.iter().max_by(|a, b| near(a).total_cmp(&near(b))).filter(|other| near(other) > 0.75);
    let hint = match nearest {
        Some(other) => format!("Did you mean “{other}”?"),
        None => {
            format!("It has {}.", names.iter().map(|name| format!("“{name}”")).collect::<Vec<_>>().join(", "))
        }
    };
    Err(Usage(format!("the report has no {kind} “{name}”. {hint}")))
}
