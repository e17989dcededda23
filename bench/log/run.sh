#!/usr/bin/env bash
# Measures the log: `bench/log/run.sh [FOLDER [SECONDS]]`. FOLDER lies on the disk to measure (default: target), SECONDS
# is the time for each number of writers (default: 5). Prints the tables of RESULTS.md. For figures to publish, let
# nothing else run on the machine.
set -euo pipefail
cd "$(dirname "$0")/../.."
mkdir -p "${1:-target}"
cargo build --release --locked --quiet -p tearline-store --example bench_log
printf 'load before: %s\n\n' "$(cut -d' ' -f1-3 /proc/loadavg)"
target/release/examples/bench_log "${1:-target}" "${2:-5}"
