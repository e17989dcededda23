//! Times what-if answers on a million candidates and fifty details, as a slider in an interface would ask for them.
//!
//! `bench_what_if [CANDIDATES [DETAILS [QUESTIONS]]]` prints one JSON line with the median and the slowest answer.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::disallowed_macros,
    clippy::print_stdout,
    reason = "a command beside the pure crate: it reads the clock and prints"
)]

use std::error::Error;
use std::fmt::Write;
use std::time::Instant;
use tearline_model::candidates::Candidates;
use tearline_model::parse::parse;
use tearline_planner::planning::{Options, WhatIf, plan_nominal};
use tearline_planner::search::Limits;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut number = |default: usize| arguments.next().map_or(Ok(default), |text| text.parse());
    let (candidates, details, questions) = (number(1_000_000)?, number(50)?, number(200)?);
    let mut chance = 1_u64;
    let mut dice = move |sides: u64| {
        chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (chance >> 33) % sides
    };

    let mut text = String::from("tearline = 1\nid = 'bench'\ntitle = 'bench'\noriginator = 'bench'\n");
    text.push_str("[population.p]\nrows = [{ n = 1 }]\n[audience.a]\nname = 'A'\n[[protection]]\npopulation = 'p'\nk = 20\n");
    for detail in 0..details {
        write!(text, "[detail.d{detail}]\nsame_for_any_value = true\n")?;
        for level in 1..=4 {
            write!(
                text,
                "[[detail.d{detail}.level]]\ntext = 'l{level}'\nutility = {}\nknown_to = 'n > {level}'\n",
                level * 2
            )?;
        }
    }
    let report = parse(text.as_bytes(), "bench.toml")?;
    // Standing of a candidate decides most of what it knows, chance the rest: few know much.
    let mut sure = vec![vec![0_u8; candidates]; details];
    for class in 0..candidates {
        let standing = dice(100);
        for column in &mut sure {
            let luck = dice(100);
            column[class] =
                u8::try_from([30, 70, 110, 150].iter().filter(|&&bar| standing + luck > bar).count())?;
        }
    }
    let table = Candidates {
        sure,
        count: vec![1; candidates],
        weight: vec![1000; candidates],
        ..Candidates::default()
    };
    let tables = [table];

    let planned = plan_nominal(
        &report,
        &tables,
        &Options { limits: Limits { nodes: 2000, threads: 2 }, ..Options::default() },
        &mut |_| true,
    );
    let what_if = WhatIf::new(&report, &tables, &planned.levels, 0);
    let mut times = Vec::new();
    let mut safe = 0;
    for _ in 0..questions {
        let mut levels = planned.levels[0].clone();
        for _ in 0..3 {
            levels[usize::try_from(dice(details as u64))?] = u8::try_from(dice(5))?;
        }
        let start = Instant::now();
        safe += u32::from(what_if.ask(0, &levels).safe);
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    println!(
        "{{\"candidates\":{candidates},\"details\":{details},\"questions\":{questions},\"safe\":{safe},\"median_ms\":{:.2},\"slowest_ms\":{:.2}}}",
        times[times.len() / 2],
        times[times.len() - 1]
    );
    Ok(())
}
