//! Keeps an eye on a long run: Ctrl-C, the time budget, and progress on the terminal.

use crate::failure::INTERRUPTED;
use crate::output;
use crate::render::text::{count, fit, percent, units};
use anyhow::{Context, Result};
use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tearline_planner::planning::Stage;
use tearline_population::Progress;

/// A run shows no progress before this.
const PATIENCE: Duration = Duration::from_secs(2);
/// And then at most this often.
const INTERVAL: Duration = Duration::from_millis(300);

/// The watch over one run of the program.
pub(crate) struct Watch {
    started: Instant,
    interrupted: Arc<AtomicBool>,
    line: Line,
}

/// The watch over one plan.
pub(crate) struct Planning<'a> {
    watch: &'a mut Watch,
    /// Display names of the audiences.
    names: Vec<String>,
    /// When all planning ends.
    end: Option<Instant>,
    /// The audience at hand, and when its share of the time ends.
    stage: Option<(usize, Option<Instant>)>,
    /// How many audiences have been begun.
    begun: usize,
    /// Whether a search was ended by the clock.
    out_of_time: bool,
}

/// The line of progress on standard error.
struct Line {
    width: Option<usize>,
    last: Option<Instant>,
}

impl Watch {
    /// Begins to listen for Ctrl-C. The first one asks the work to end, a second one ends the process.
    pub(crate) fn start() -> Result<Self> {
        let interrupted = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&interrupted);
        let handler = move || {
            if flag.swap(true, Ordering::Relaxed) {
                std::process::exit(INTERRUPTED.into());
            }
        };
        ctrlc::set_handler(handler).context("Ctrl-C cannot be listened for")?;
        let width = std::io::stderr()
            .is_terminal()
            .then(|| terminal_size::terminal_size_of(std::io::stderr()).map_or(80, |size| size.0.0.into()));
        Ok(Self { started: Instant::now(), interrupted, line: Line { width, last: None } })
    }

    /// Whether Ctrl-C was pressed.
    pub(crate) fn interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }

    /// The flag that Ctrl-C sets.
    pub(crate) fn cancel(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.interrupted)
    }

    /// Shows how far reading is, if it takes long.
    pub(crate) fn reading(&mut self, population: &str, progress: &Progress) {
        self.show(|| {
            let part = progress.fraction.map(|part| format!(" ({})", percent(part))).unwrap_or_default();
            format!("reading {population}: {} rows{part}", count(progress.rows))
        });
    }

    /// Begins to watch over a plan for audiences of these names.
    pub(crate) fn planning(&mut self, names: Vec<String>, budget: Option<Duration>) -> Planning<'_> {
        let end = budget.and_then(|budget| Instant::now().checked_add(budget));
        Planning { watch: self, names, end, stage: None, begun: 0, out_of_time: false }
    }

    /// Takes the progress off the terminal.
    pub(crate) fn clear(&mut self) {
        if self.line.last.take().is_some() {
            output::to_stderr("\r\x1b[K");
        }
    }

    fn show(&mut self, text: impl FnOnce() -> String) {
        let Some(width) = self.line.width else { return };
        let now = Instant::now();
        let waited = match self.line.last {
            Some(last) => now - last >= INTERVAL,
            None => now - self.started >= PATIENCE,
        };
        if waited {
            self.line.last = Some(now);
            let text = format!("{}, {} s", text(), (now - self.started).as_secs());
            output::to_stderr(&format!("\r{}\x1b[K", fit(&text, width.saturating_sub(1))));
        }
    }
}

impl Planning<'_> {
    /// Takes note of the progress, and says whether to go on.
    ///
    /// Each audience gets an equal part of the time that is left; what it does not need is for those after it.
    pub(crate) fn go_on(&mut self, stage: &Stage) -> bool {
        let share_ends = match self.stage {
            Some((audience, ends)) if audience == stage.audience => ends,
            _ => {
                let ends = self.share();
                self.stage = Some((stage.audience, ends));
                self.begun += 1;
                ends
            }
        };
        let name = &self.names[stage.audience];
        self.watch.show(|| progress(name, stage));
        if share_ends.is_some_and(|ends| Instant::now() >= ends) {
            self.out_of_time = true;
            return false;
        }
        !self.watch.interrupted()
    }

    /// Shows how far the building of a policy is, if it takes long.
    pub(crate) fn building(&mut self, audience: usize, done: usize, all: usize) {
        let name = &self.names[audience];
        let number = |number: usize| count(u64::try_from(number).unwrap_or(u64::MAX));
        self.watch
            .show(|| format!("{name}: building the policy, {} of {} placed", number(done), number(all)));
    }

    /// What to say of a run that ended before its time.
    pub(crate) fn note(&self) -> Option<&'static str> {
        if self.watch.interrupted() {
            return Some("note: interrupted; this is the best plan found so far\n");
        }
        self.out_of_time.then_some("note: the time was over before everything was proven\n")
    }

    fn share(&self) -> Option<Instant> {
        let end = self.end?;
        let now = Instant::now();
        let left = self.names.len().saturating_sub(self.begun).max(1);
        let part = end.saturating_duration_since(now) / u32::try_from(left).unwrap_or(u32::MAX);
        Some(now + part)
    }
}

fn progress(name: &str, stage: &Stage) -> String {
    let progress = &stage.progress;
    let bound = progress.bound;
    let nodes = count(progress.nodes);
    let Some(best) = progress.best else {
        return format!("{name}: nothing safe yet, at most {}, {nodes} nodes", thousandths(bound));
    };
    #[expect(clippy::cast_precision_loss, reason = "a share for display")]
    let gap = bound.saturating_sub(best) as f64 / bound.max(1) as f64;
    format!(
        "{name}: best {}, at most {}, gap {}, {nodes} nodes",
        thousandths(best),
        thousandths(bound),
        percent(gap)
    )
}

fn thousandths(utility: u64) -> String {
    units(tearline_planner::plan::units(utility))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tearline_planner::search::Progress as Search;

    fn test_watch() -> Watch {
        let interrupted = Arc::new(AtomicBool::new(false));
        Watch { started: Instant::now(), interrupted, line: Line { width: None, last: None } }
    }

    fn stage(audience: usize) -> Stage {
        Stage { audience, progress: Search { best: Some(4500), bound: 6000, nodes: 1200, open: 3 } }
    }

    #[test]
    fn nothing_but_the_clock_or_ctrl_c_ends_a_search() {
        let mut watch = test_watch();
        let flag = Arc::clone(&watch.interrupted);
        let mut planning = watch.planning(vec!["a".into(), "b".into()], None);
        assert!(planning.go_on(&stage(0)) && planning.note().is_none());
        flag.store(true, Ordering::Relaxed);
        assert!(!planning.go_on(&stage(0)) && !planning.go_on(&stage(1)));
        assert!(planning.note().is_some_and(|note| note.contains("interrupted")));
    }

    #[test]
    fn an_audience_has_its_part_of_the_time_and_not_that_of_those_after_it() {
        let mut watch = test_watch();
        let mut planning = watch.planning(vec!["a".into(), "b".into()], Some(Duration::ZERO));
        assert!(!planning.go_on(&stage(0)));
        assert!(planning.note().is_some_and(|note| note.contains("time was over")));

        let mut watch = test_watch();
        let begun = Instant::now();
        let mut planning = watch.planning(vec!["a".into(), "b".into()], Some(Duration::from_hours(2)));
        let end = planning.end.expect("there is a budget");
        assert!(planning.go_on(&stage(0)));
        let half = planning.stage.and_then(|(_, ends)| ends).expect("it has a part");
        assert!(half - begun < end - half + Duration::from_mins(1));
        assert!(planning.go_on(&stage(1)));
        let rest = planning.stage.and_then(|(_, ends)| ends).expect("it has the rest");
        assert!(rest > half);
    }

    #[test]
    fn progress_says_what_is_known_and_what_is_not() {
        assert_eq!(
            progress("The public", &stage(0)),
            "The public: best 4.5, at most 6, gap 25%, 1,200 nodes"
        );
        let nothing = Search { best: None, ..stage(0).progress };
        assert_eq!(
            progress("The public", &Stage { audience: 0, progress: nothing }),
            "The public: nothing safe yet, at most 6, 1,200 nodes"
        );
    }
}
