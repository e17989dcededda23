//! Writes the population of `examples/insider`: invented employees of an invented company, one per line of CSV.
//!
//! `cargo run --release --example generate_insider -- examples/insider/employees.csv [ROWS]`, one million rows unless
//! said otherwise. The same number of rows gives the same bytes on every machine.

use std::fs::File;
use std::io::{BufWriter, Write};

use anyhow::{Context, Result};

pub(crate) const ROWS: u64 = 1_000_000;

const DIVISIONS: [&str; 12] = [
    "rail", "road", "marine", "air", "energy", "water", "medical", "tools", "home", "print", "farm",
    "services",
];

/// Departments that every division has, with the relative size of each and its usual functions (most of its people
/// have the first, fewer the second, few the third).
const DEPARTMENTS: [(&str, u64, [&str; 3]); 16] = [
    ("brakes", 8, ["engineer", "technician", "inspector"]),
    ("drives", 10, ["technician", "engineer", "inspector"]),
    ("controls", 8, ["engineer", "programmer", "technician"]),
    ("assembly", 22, ["operator", "technician", "inspector"]),
    ("foundry", 8, ["operator", "technician", "engineer"]),
    ("testing", 5, ["inspector", "technician", "engineer"]),
    ("quality", 4, ["inspector", "engineer", "clerk"]),
    ("safety", 2, ["inspector", "engineer", "lawyer"]),
    ("software", 5, ["programmer", "engineer", "clerk"]),
    ("computing", 3, ["programmer", "technician", "clerk"]),
    ("purchasing", 4, ["clerk", "accountant", "engineer"]),
    ("logistics", 9, ["operator", "clerk", "technician"]),
    ("finance", 4, ["accountant", "clerk", "programmer"]),
    ("legal", 1, ["lawyer", "clerk", "accountant"]),
    ("sales", 5, ["clerk", "engineer", "lawyer"]),
    ("personnel", 2, ["clerk", "lawyer", "accountant"]),
];

const SITES: [&str; 40] = [
    "Alder", "Ash", "Aspen", "Bay", "Beech", "Birch", "Box", "Briar", "Cedar", "Cherry", "Clover", "Cypress",
    "Elder", "Elm", "Fern", "Fir", "Gorse", "Hazel", "Heath", "Holly", "Ivy", "Juniper", "Larch", "Laurel",
    "Lime", "Linden", "Maple", "Medlar", "Myrtle", "Oak", "Olive", "Pear", "Pine", "Plane", "Poplar",
    "Quince", "Rowan", "Sorrel", "Thorn", "Willow",
];

/// Shares of ranks 1 to 8, in thousandths.
const RANKS: [u64; 8] = [450, 280, 140, 70, 35, 15, 7, 3];

/// People of one team, about.
const TEAM: u64 = 90;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().context("say where to write: examples/insider/employees.csv")?;
    let rows = match arguments.next() {
        Some(rows) => rows.parse().with_context(|| format!("{rows} is no number of rows"))?,
        None => ROWS,
    };
    write(&path, rows)
}

/// Writes the table. The tests call it too.
pub(crate) fn write(path: &str, rows: u64) -> Result<()> {
    let file = File::create(path).with_context(|| format!("cannot write {path}"))?;
    let mut out = BufWriter::with_capacity(1 << 20, file);
    writeln!(out, "id,division,department,team,rank,function,site,shift,tenure,complained,on_leave")?;
    for id in 0..rows {
        write_person(&mut out, id, rows)?;
    }
    out.flush().with_context(|| format!("cannot write {path}"))
}

fn write_person(out: &mut impl Write, id: u64, rows: u64) -> Result<()> {
    let mut draw = Draws(id.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x5EED);
    let division = draw.below(DIVISIONS.len() as u64);
    let department = draw.weighted(DEPARTMENTS.iter().map(|d| d.1));
    let (name, size, functions) = DEPARTMENTS[department];
    let teams = (rows * size / (DIVISIONS.len() as u64 * 100 * TEAM)).max(1);
    let team = draw.below(teams);
    // A team works at one site; a division has eight sites, a department five of them.
    let unit = division * 1000 + department as u64;
    let nearby = (Draws(unit).below(8) + Draws(unit * 10_000 + team).below(5)) % 8;
    let town = SITES[usize::try_from((division * 7 + nearby * 5) % SITES.len() as u64)?];
    let rank = draw.weighted(RANKS.iter().copied()) + 1;
    let function = functions[draw.weighted([70, 20, 10].into_iter())];
    let works_shifts = matches!(function, "operator" | "technician" | "inspector") && rank < 5;
    let shift =
        if works_shifts { ["day", "late", "night"][draw.weighted([50, 30, 20].into_iter())] } else { "day" };
    let tenure = draw.below(20) + draw.below(1 + 2 * rank as u64);
    let complained = u8::from(draw.below(100) < 2);
    let on_leave = u8::from(draw.below(100) < 4);
    let division = DIVISIONS[usize::try_from(division)?];
    writeln!(
        out,
        "P{id:07},{division},{name},{division}-{name}-{team:02},{rank},{function},{town},{shift},{tenure},{complained},{on_leave}"
    )?;
    Ok(())
}

/// The `SplitMix64` generator (Steele, Lea, Flood 2014): enough for an example.
struct Draws(u64);

impl Draws {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// An index, with the odds that the shares state.
    fn weighted(&mut self, shares: impl Iterator<Item = u64> + Clone) -> usize {
        let mut number = self.below(shares.clone().sum());
        shares
            .take_while(|&share| {
                let beyond = number >= share;
                number = number.saturating_sub(share);
                beyond
            })
            .count()
    }
}
