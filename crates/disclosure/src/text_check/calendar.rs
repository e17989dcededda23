//! Names of months and days of the week, in the languages that are read, and the small words around dates.

use std::collections::{HashMap, HashSet};

use super::fold::{sound, tokens};

/// Months, January first; forms as they stand in dates.
const MONTHS: [&[&str]; 12] = [
    &[
        "january",
        "jan",
        "januar",
        "janvier",
        "enero",
        "январь",
        "января",
        "январе",
        "янв",
        "січня",
        "يناير",
        "كانون الثاني",
    ],
    &[
        "february",
        "feb",
        "februar",
        "février",
        "febrero",
        "февраль",
        "февраля",
        "феврале",
        "фев",
        "лютого",
        "فبراير",
        "شباط",
    ],
    &["march", "mar", "märz", "mars", "marzo", "март", "марта", "марте", "березня", "مارس", "آذار"],
    &[
        "april",
        "apr",
        "avril",
        "abril",
        "апрель",
        "апреля",
        "апреле",
        "апр",
        "квітня",
        "أبريل",
        "ابريل",
        "نيسان",
    ],
    &["may", "mai", "mayo", "май", "мая", "мае", "травня", "مايو", "أيار"],
    &["june", "jun", "juni", "juin", "junio", "июнь", "июня", "июне", "червня", "يونيو", "حزيران"],
    &["july", "jul", "juli", "juillet", "julio", "июль", "июля", "июле", "липня", "يوليو", "تموز"],
    &["august", "aug", "août", "agosto", "август", "августа", "августе", "авг", "серпня", "أغسطس", "آب"],
    &[
        "september",
        "sep",
        "sept",
        "septembre",
        "septiembre",
        "сентябрь",
        "сентября",
        "сентябре",
        "сен",
        "вересня",
        "سبتمبر",
        "أيلول",
    ],
    &[
        "october",
        "oct",
        "oktober",
        "okt",
        "octobre",
        "octubre",
        "октябрь",
        "октября",
        "октябре",
        "окт",
        "жовтня",
        "أكتوبر",
        "تشرين الأول",
    ],
    &[
        "november",
        "nov",
        "novembre",
        "noviembre",
        "ноябрь",
        "ноября",
        "ноябре",
        "ноя",
        "листопада",
        "نوفمبر",
        "تشرين الثاني",
    ],
    &[
        "december",
        "dec",
        "dezember",
        "dez",
        "décembre",
        "diciembre",
        "декабрь",
        "декабря",
        "декабре",
        "дек",
        "грудня",
        "ديسمبر",
    ],
];

/// Days of the week, Monday first.
const WEEKDAYS: [&[&str]; 7] = [
    &["monday", "mon", "montag", "lundi", "lunes", "понедельник", "понеділок", "الاثنين", "الإثنين"],
    &["tuesday", "tue", "tues", "dienstag", "mardi", "martes", "вторник", "вівторок", "الثلاثاء"],
    &[
        "wednesday",
        "wed",
        "mittwoch",
        "mercredi",
        "miércoles",
        "среда",
        "среду",
        "середа",
        "середу",
        "الأربعاء",
    ],
    &["thursday", "thu", "thur", "thurs", "donnerstag", "jeudi", "jueves", "четверг", "четвер", "الخميس"],
    &["friday", "fri", "freitag", "vendredi", "viernes", "пятница", "пятницу", "п'ятниця", "الجمعة"],
    &[
        "saturday",
        "sat",
        "samstag",
        "sonnabend",
        "samedi",
        "sábado",
        "суббота",
        "субботу",
        "субота",
        "суботу",
        "السبت",
    ],
    &["sunday", "sun", "sonntag", "dimanche", "domingo", "воскресенье", "неділя", "неділю", "الأحد"],
];

/// What joins the ends of a range.
const TO: &[&str] =
    &["to", "and", "until", "till", "through", "bis", "und", "au", "et", "al", "по", "до", "и", "إلى"];
/// What comes before the last day of a range.
const UNTIL: &[&str] =
    &["until", "till", "through", "by", "before", "to", "bis", "au", "hasta", "al", "до", "по", "حتى", "إلى"];
/// What comes before the first day of a range.
const FROM: &[&str] = &[
    "from",
    "since",
    "after",
    "between",
    "ab",
    "vom",
    "von",
    "seit",
    "du",
    "desde",
    "с",
    "от",
    "между",
    "من",
];

/// The lists, folded as tokens are.
pub(super) struct Calendar {
    months: HashMap<String, i8>,
    weekdays: HashMap<String, i8>,
    to: HashSet<String>,
    until: HashSet<String>,
    from: HashSet<String>,
}

impl Calendar {
    pub(super) fn new() -> Self {
        let fold =
            |words: &[&str]| words.iter().map(|word| joined(word)).filter(|word| !word.is_empty()).collect();
        let names = |lists: &[&[&str]]| {
            let numbered = (1_i8..)
                .zip(lists)
                .flat_map(|(number, list)| list.iter().map(move |word| (joined(word), number)));
            numbered.filter(|(word, _)| !word.is_empty()).collect()
        };
        Self {
            months: names(&MONTHS),
            weekdays: names(&WEEKDAYS),
            to: fold(TO),
            until: fold(UNTIL),
            from: fold(FROM),
        }
    }

    /// The month of a folded word, from 1. An empty word, as some short words of Arabic fold to, is none.
    pub(super) fn month(&self, folded: &str) -> Option<i8> {
        self.months.get(folded).copied()
    }

    /// The day of the week, Monday 1.
    pub(super) fn weekday(&self, folded: &str) -> Option<i8> {
        self.weekdays.get(folded).copied()
    }

    /// Whether a word joins the ends of a range.
    pub(super) fn joins(&self, folded: &str) -> bool {
        self.to.contains(folded)
    }

    /// Whether a word announces the last day of a range.
    pub(super) fn announces_end(&self, folded: &str) -> bool {
        self.until.contains(folded)
    }

    /// Whether a word announces the first day of a range.
    pub(super) fn announces_start(&self, folded: &str) -> bool {
        self.from.contains(folded)
    }
}

/// A word or a few, folded and joined. Folds what it sounds like, as tokens do.
pub(super) fn joined(text: &str) -> String {
    let tokens = tokens(text);
    if tokens.len() == 1 {
        tokens[0].sound.clone()
    } else {
        sound(&tokens.iter().map(|t| t.ascii.as_str()).collect::<String>())
    }
}
