//! Text on a page of a given width: words that wrap, styles that only a terminal gets, numbers as people read them.

use crate::args::ColorWhen;
use std::io::IsTerminal;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Width of a page that does not go to a terminal, in columns.
const PAGE: usize = 100;

/// How a page looks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    /// Columns.
    pub(crate) width: usize,
    /// Whether styles show.
    pub(crate) color: bool,
}

impl Look {
    /// What suits standard output.
    pub(crate) fn of_stdout(color: ColorWhen) -> Self {
        let terminal = std::io::stdout().is_terminal();
        let size = terminal.then(terminal_size::terminal_size).flatten();
        let width = size.map_or(PAGE, |size| usize::from(size.0.0).clamp(50, 110));
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
            || std::env::var_os("TERM").is_some_and(|value| value == "dumb");
        let color = match color {
            ColorWhen::Always => true,
            ColorWhen::Never => false,
            ColorWhen::Auto => terminal && !unwanted,
        };
        Self { width, color }
    }
}

/// What a piece of text is, which decides its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    Plain,
    /// A title, or the words that are released.
    Strong,
    /// Less important.
    Dim,
    /// Holds.
    Good,
    /// Does not hold.
    Bad,
    /// To be looked at.
    Warn,
}

impl Style {
    fn code(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Strong => "\x1b[1m",
            Self::Dim => "\x1b[2m",
            Self::Good => "\x1b[32m",
            Self::Bad => "\x1b[31m",
            Self::Warn => "\x1b[33m",
        }
    }
}

/// A piece of styled text.
pub(crate) type Span = (Style, String);

/// A piece of plain text.
pub(crate) fn plain(text: impl Into<String>) -> Span {
    (Style::Plain, text.into())
}

/// A page that is being written.
pub(crate) struct Page {
    look: Look,
    out: String,
}

impl Page {
    pub(crate) fn new(look: Look) -> Self {
        Self { look, out: String::new() }
    }

    /// The finished text.
    pub(crate) fn finish(self) -> String {
        self.out
    }

    /// An empty line.
    pub(crate) fn gap(&mut self) {
        self.out.push('\n');
    }

    /// A title with a rule to the edge of the page.
    pub(crate) fn rule(&mut self, title: &str, aside: &Span) {
        let title = clean(title);
        let used = title.width() + 4 + if aside.1.is_empty() { 0 } else { aside.1.width() + 4 };
        let rule = "━".repeat(self.look.width.saturating_sub(used).max(2));
        self.paint(Style::Dim, "━━ ");
        self.paint(Style::Strong, &title);
        self.paint(Style::Dim, &format!(" {rule}"));
        if !aside.1.is_empty() {
            self.paint(aside.0, &format!(" {} ", aside.1));
            self.paint(Style::Dim, "━━");
        }
        self.out.push('\n');
    }

    /// A heading.
    pub(crate) fn heading(&mut self, title: &str) {
        self.paint(Style::Strong, title);
        self.out.push('\n');
    }

    /// A paragraph at `indent` columns from the left.
    pub(crate) fn text(&mut self, indent: usize, text: &[Span]) {
        self.item(indent, &plain(""), text);
    }

    /// A paragraph after a sign that says whether it holds; the sign stands at `indent` columns from the left.
    pub(crate) fn verdict(&mut self, indent: usize, holds: bool, text: &[Span]) {
        let (style, sign) = if holds { (Style::Good, '✓') } else { (Style::Bad, '✗') };
        self.item(indent + 2, &(style, format!("{}{sign}", " ".repeat(indent))), text);
    }

    /// A paragraph after a label: the text wraps to the right of the label's `indent` columns.
    pub(crate) fn item(&mut self, indent: usize, label: &Span, text: &[Span]) {
        self.item_with(indent, label, text, "");
    }

    /// A paragraph after a label, with something at the right edge of its first line.
    pub(crate) fn item_with(&mut self, indent: usize, label: &Span, text: &[Span], right: &str) {
        let reserved = if right.is_empty() { 0 } else { right.width() + 2 };
        let room = self.look.width.saturating_sub(indent + reserved).max(16);
        let lines = wrap(text, room);
        let begun = clean(&label.1);
        self.paint(label.0, &begun);
        let mut at = begun.width();
        if at + 1 > indent && at > 0 {
            self.out.push('\n');
            at = 0;
        }
        for (number, line) in lines.iter().enumerate() {
            self.out.push_str(&" ".repeat(indent - at));
            let mut end = indent;
            for (style, text) in line {
                self.paint(*style, text);
                end += text.width();
            }
            if number == 0 && !right.is_empty() {
                self.out.push_str(&" ".repeat(self.look.width.saturating_sub(end + right.width()).max(2)));
                self.paint(Style::Dim, right);
            }
            self.out.push('\n');
            at = 0;
        }
    }

    fn paint(&mut self, style: Style, text: &str) {
        if self.look.color && style != Style::Plain && !text.is_empty() {
            self.out.push_str(style.code());
            self.out.push_str(text);
            self.out.push_str("\x1b[0m");
        } else {
            self.out.push_str(text);
        }
    }
}

/// Breaks styled text into lines of at most `room` columns, at spaces; a word that is longer gets a line of its own.
fn wrap(text: &[Span], room: usize) -> Vec<Vec<Span>> {
    let mut words: Vec<Vec<Span>> = vec![Vec::new()];
    for (style, text) in text {
        for (number, part) in clean(text).split(' ').enumerate() {
            if number > 0 {
                words.push(Vec::new());
            }
            if let (false, Some(word)) = (part.is_empty(), words.last_mut()) {
                word.push((*style, part.to_owned()));
            }
        }
    }
    let mut lines: Vec<Vec<Span>> = vec![Vec::new()];
    let mut used = 0;
    for word in words.into_iter().filter(|word| !word.is_empty()) {
        let width: usize = word.iter().map(|(_, text)| text.width()).sum();
        if used > 0 && used + 1 + width > room {
            lines.push(Vec::new());
            used = 0;
        }
        let line = lines.last_mut().expect("begins with one line");
        if used > 0 {
            // A space takes the style of the word before, so that a run of words is one run of style.
            line.last_mut().expect("a word stands there").1.push(' ');
            used += 1;
        }
        used += width;
        for (style, text) in word {
            match line.last_mut() {
                Some(last) if last.0 == style => last.1.push_str(&text),
                _ => line.push((style, text)),
            }
        }
    }
    lines
}

/// Text from a report or a table, safe to print: what could steer a terminal or reorder the line is shown as �.
pub(crate) fn clean(text: &str) -> String {
    let printable = |c: char| match c {
        '\n' | '\t' => ' ',
        c if c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') => '\u{fffd}',
        c => c,
    };
    text.chars().map(printable).collect()
}

/// Cuts to a width.
pub(crate) fn fit(text: &str, width: usize) -> String {
    let text = clean(text);
    if text.width() <= width {
        return text;
    }
    let mut used = 1;
    let kept = text.chars().take_while(|c| {
        used += c.width().unwrap_or(0);
        used <= width
    });
    kept.chain(['…']).collect()
}

/// A whole number with its thousands apart: 1,234,567.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A time, given in seconds since 1970, in a form of `strftime`.
pub(crate) fn instant(seconds: u64, form: &str) -> String {
    let time = i64::try_from(seconds).ok().and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
    time.map_or_else(|| format!("{seconds} s after 1970"), |time| time.strftime(form).to_string())
}

/// A number of things: “1 candidate”, “20 candidates”.
pub(crate) fn counted(number: u64, thing: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {thing}{plural}", count(number))
}

/// Utility: at most three decimals, none that say nothing.
pub(crate) fn units(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A share as a percentage, with a decimal where it is small.
pub(crate) fn percent(share: f64) -> String {
    match share * 100.0 {
        none if none <= 0.0 => "0%".to_owned(),
        tiny if tiny < 0.1 => "under 0.1%".to_owned(),
        // Never rounded up to all of it.
        most if (99.5..100.0).contains(&most) => "over 99%".to_owned(),
        small if small < 10.0 => {
            let text = format!("{small:.1}");
            format!("{}%", text.strip_suffix(".0").unwrap_or(&text))
        }
        percent => format!("{percent:.0}%"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_people_write_them() {
        assert_eq!(
            (count(7), count(1_234_567), count(123_456)),
            ("7".into(), "1,234,567".into(), "123,456".into())
        );
        assert_eq!(
            (counted(1, "candidate"), counted(0, "candidate")),
            ("1 candidate".into(), "0 candidates".into())
        );
        assert_eq!(
            (units(14.0), units(2.5), units(0.0), units(0.125)),
            ("14".into(), "2.5".into(), "0".into(), "0.125".into())
        );
        let shares = [0.0, 0.0004, 0.023, 0.05, 0.1, 0.999, 1.0].map(percent);
        assert_eq!(shares, ["0%", "under 0.1%", "2.3%", "5%", "10%", "over 99%", "100%"]);
    }

    #[test]
    fn text_wraps_beside_its_label_and_by_what_the_eye_sees() {
        let mut page = Page::new(Look { width: 40, color: false });
        let words =
            [plain("in the "), (Style::Strong, "capital".into()), plain(", in 東京都 and around, soon")];
        page.item_with(8, &plain("  where"), &words, "2 of 3");
        let expected = "  where in the capital, in        2 of 3\n        東京都 and around, soon\n";
        assert_eq!(page.finish(), expected);
    }

    #[test]
    fn a_report_cannot_steer_the_terminal() {
        let mut page = Page::new(Look { width: 60, color: true });
        page.text(2, &[(Style::Bad, "a\x1b[2Jb\u{202e}c\nd".into())]);
        assert_eq!(page.finish(), "  \x1b[31ma\u{fffd}[2Jb\u{fffd}c d\x1b[0m\n");
        assert_eq!(fit("a long line", 7), "a long…");
    }
}
