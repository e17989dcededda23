//! Measures selection-safe policies on the experiment of PLANNING section 3.
#![expect(clippy::print_stdout, reason = "a bench program prints its table")]
use std::collections::HashMap;
use std::time::Instant;
use tearline_model::worlds::{WorldDetail, Worlds};
use tearline_planner::policy::experiment_hooks::{Effort, quick};
use tearline_planner::rules::Rules;
pub struct Rng(u64);
impl Rng {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E3779B97F4A7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58476D1CE4E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D049BB133111EB);
        z ^ (z >> 31)
    }
    pub fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }
    pub fn below(&mut self, n: usize) -> usize {
        (self.unit() * n as f64) as usize
    }
}
struct Zipf {
    cum: Vec<f64>,
    perm: Vec<usize>,
}
impl Zipf {
    fn new(r: &mut Rng, n: usize, a: f64) -> Self {
        let w: Vec<f64> = (1..=n).map(|i| 1.0 / (i as f64).powf(a)).collect();
        let t: f64 = w.iter().sum();
        let mut c = 0.0;
        let cum = w
            .iter()
            .map(|x| {
                c += x / t;
                c
            })
            .collect();
        let mut perm: Vec<usize> = (0..n).collect();
        for i in (1..n).rev() {
            let j = r.below(i + 1);
            perm.swap(i, j);
        }
        Zipf { cum, perm }
    }
    fn draw(&self, r: &mut Rng) -> usize {
        let u = r.unit();
        let i = self.cum.partition_point(|&c| c < u).min(self.perm.len() - 1);
        self.perm[i]
    }
}
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let g = |i: usize, d: usize| a.get(i).map_or(d, |s| s.parse().unwrap_or(d));
    let (n, d, k, seeds, rows, blocks) = (g(1, 10000), g(2, 4), g(3, 20), g(4, 2), g(5, 16384), g(6, 4));
    for seed in 0..seeds as u64 {
        let mut r = Rng(seed * 7919 + 13);
        let zu = Zipf::new(&mut r, 40, 1.1);
        let unit: Vec<usize> = (0..n).map(|_| zu.draw(&mut r)).collect();
        let mut raw = vec![0u8; n * d];
        for j in 0..d {
            let base: Vec<usize> = (0..40).map(|_| r.below(64)).collect();
            let z = Zipf::new(&mut r, 64, 1.1);
            for i in 0..n {
                let own = z.draw(&mut r);
                raw[i * d + j] = (if r.unit() < 0.6 { base[unit[i]] } else { own }) as u8;
            }
        }
        let w: Vec<Vec<u64>> = (0..d)
            .map(|_| {
                let mut a = vec![0u64; 4];
                for l in 1..4 {
                    a[l] = a[l - 1] + (1000.0 * (1.0 + 9.0 * r.unit())) as u64;
                }
                a
            })
            .collect();
        let mut classes: HashMap<&[u8], usize> = HashMap::new();
        let mut uniq: Vec<&[u8]> = vec![];
        let mut count = vec![];
        for i in 0..n {
            let v = &raw[i * d..(i + 1) * d];
            let c = *classes.entry(v).or_insert_with(|| {
                uniq.push(v);
                count.push(0u64);
                count.len() - 1
            });
            count[c] += 1;
        }
        let details = (0..d)
            .map(|j| WorldDetail::Valued {
                codes: (1..4u32)
                    .map(|l| uniq.iter().map(|v| u32::from(v[j]) >> (2 * (3 - l))).collect())
                    .collect(),
                values: (1..4u32).map(|l| (0..4u32.pow(l)).map(|c| c.to_string()).collect()).collect(),
                report: vec![None; 3],
            })
            .collect();
        let worlds = Worlds { details, weight: vec![1000; count.len()], count, groups: vec![] };
        let rules = Rules { k: k as u64, ..Rules::default() };
        let t = Instant::now();
        let (sum, min, groups, rest) =
            quick(&worlds, &rules, &w, Effort { node_rows: rows, blocks, threads: 2 });
        let full: u64 = w.iter().map(|w| w[3]).sum();
        println!(
            "N {n} D {d} k {k} seed {seed} rows {rows} blocks {blocks}: share of full {:.4} smallest {min} groups {groups} rest {rest} {:.1?}",
            sum as f64 / n as f64 / full as f64,
            t.elapsed()
        );
    }
}
