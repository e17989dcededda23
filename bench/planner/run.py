"""Measures ours against the peers, one process after the other, and keeps every result.

    python3 run.py SUITE [--max-minutes 60] [--threads 2] [--limit 60] [--ours ours|none] [--peers ...] [--redo]

Results are appended to data/results.jsonl, one line per (row, solver). Rows already measured are skipped, ours
only if the binary is still the same one. Then RESULTS.md is written anew from all results (see render.py).
"""

import argparse
import hashlib
import json
import os
import platform
import subprocess
import sys
import time
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path

import generate
import instance as file_format
import peers
import render
from suites import SUITES

HERE = Path(__file__).resolve().parent
DATA = HERE / "data"
RESULTS = DATA / "results.jsonl"
BINARY = HERE.parents[1] / "target" / "release" / "examples" / "bench_instance"
# Beside the search: reading, merging and building, for the largest instances with room to spare.
PATIENCE_S = 240
KEEP_BELOW_BYTES = 30_000_000


class Bench:
    """One run of a suite: what is measured with which limits, and what is known already."""

    def __init__(self, args):
        self.limit, self.threads, self.memory_gib = args.limit, args.threads, args.memory_gib
        self.binary, self.redo = Path(args.binary), args.redo
        self.versions = {name: version(name) for name in ("ortools", "highspy", "numpy")}
        self.build = hashlib.sha256(self.binary.read_bytes()).hexdigest()[:12] if args.solvers != "peers" else None
        self.known = {self.key(line): line for line in load(RESULTS)}

    def key(self, line):
        stamp = line["build"] if line["solver"] == "ours" else json.dumps(line["versions"], sort_keys=True)
        return json.dumps([line["row"], line["solver"], line["threads"], line["limit"], line["floors"], stamp], sort_keys=True)

    def measure(self, row, solver, floors=None):
        """Runs one solver on one row, unless that is known; checks its answer against the file; keeps it."""
        line = {
            "row": row.as_dict(), "solver": solver, "threads": self.threads, "limit": self.limit, "floors": floors,
            "build": self.build if solver == "ours" else None, "versions": self.versions,
        }
        if not self.redo and (known := self.known.get(self.key(line))):
            return known
        path = prepared(row)
        line |= {"date": datetime.now(timezone.utc).isoformat(timespec="seconds"), "load": os.getloadavg()[0], "host": host()}
        steps = row.audiences
        allowed = steps * self.limit + PATIENCE_S
        line |= execute(self.command(row, solver, path, floors), allowed, self.memory_gib)
        if "answer" in line:
            line["faults"] = verify(path, row, line["answer"])
        DATA.mkdir(exist_ok=True)
        with open(RESULTS, "a") as out:
            out.write(json.dumps(line) + "\n")
        self.known[self.key(line)] = line
        print(f"  {solver:9} {render.brief(line)}", flush=True)
        return line

    def command(self, row, solver, path, floors):
        head = [str(self.binary), str(path)] if solver == "ours" else [sys.executable, str(HERE / "peers.py"), solver, str(path)]
        options = ["--k", row.k, "--limit", f"{self.limit:g}", "--threads", self.threads]
        if row.share_ppm:
            options += ["--share", f"{row.share_ppm / 1e6:g}"]
        if row.diversity:
            options += ["--diversity", row.diversity]
        if row.audiences > 1:
            options += ["--audiences", row.audiences]
        if floors and solver != "ours":
            options += ["--floors", json.dumps(floors)]
        return head + [str(option) for option in options]


def execute(command, allowed_s, memory_gib):
    """Runs a command to its end or the end of patience; returns its JSON line, wall time and peak memory."""
    begun = time.perf_counter()
    output, complaints = DATA / "stdout", DATA / "stderr"
    with open(output, "w") as out, open(complaints, "w") as err:
        process = subprocess.Popen(command, stdout=out, stderr=err)
        ended, peak_kib = None, 0
        while process.poll() is None:
            peak_kib = max(peak_kib, peers.peak_rss_kib(process.pid))
            if ended is None and time.perf_counter() - begun > allowed_s:
                ended = f"killed after {allowed_s:.0f} s"
            elif ended is None and peak_kib > memory_gib * 1024**2:
                ended = f"killed at {memory_gib:g} GiB"
            if ended:
                process.kill()
            # Short naps at first: an answer in milliseconds is not rounded up by the watching.
            time.sleep(min(0.2, 0.001 + (time.perf_counter() - begun) / 20))
    result = {"wall_s": time.perf_counter() - begun, "peak_mb": peak_kib / 1024}
    if ended:
        return result | {"failed": ended}
    if process.returncode:
        last = complaints.read_text(errors="replace").strip().splitlines()[-1:] or [f"exit code {process.returncode}"]
        return result | {"failed": last[0]}
    answer = json.loads(output.read_text())
    return result | {"peak_mb": answer["peak_rss_kib"] / 1024, "answer": answer}


def verify(path, row, answer):
    """Faults of an answer, each audience's plan and utility recomputed from the file."""
    instance = file_format.read(path, mapped=True)
    faults = []
    for number, (step, (k, marginal)) in enumerate(zip(answer["steps"], instance.steps(row.k, row.audiences))):
        found = []
        if step["x"] is not None:
            found = file_format.violations(instance, step["x"], k, row.share_ppm or None, row.diversity, step["floor"])
            worth = file_format.utility(marginal, step["x"])
            if worth != step["obj"]:
                found.append(f"claims a utility of {step['obj']}, has {worth}")
            if step["bound"] < worth or (step["optimal"] and step["bound"] != worth):
                found.append(f"bound {step['bound']} against utility {worth}, optimal: {step['optimal']}")
        faults += [f"audience {number + 1}: {fault}" for fault in found]
    return faults


def disagreements(lines):
    """Where two solvers contradict each other on one row: two optima, or a plan above another's bound."""
    answers = [(line["solver"], line["answer"]["steps"]) for line in lines if "answer" in line]
    found = []
    for i, (one, ones) in enumerate(answers):
        for other, others in answers[i + 1 :]:
            for number, (a, b) in enumerate(zip(ones, others)):
                if a["floor"] != b["floor"]:
                    continue  # different earlier plans of equal utility: not the same problem
                for (left, x), (right, y) in (((one, a), (other, b)), ((other, b), (one, a))):
                    if x["obj"] is None:
                        continue
                    bound = y["bound"] if y["obj"] is not None or not y["optimal"] else -1
                    if x["obj"] > bound:
                        found.append(f"audience {number + 1}: {left} has {x['obj']}, above {right}'s bound {bound}")
    return found


def prepared(row):
    """The row's instance file, made if it is not there."""
    path = DATA / "instances" / row.instance_name
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        generate.make(path, row.family, row.d, row.n, row.seed, row.extras)
    return path


def tidy(row, upcoming):
    """Removes a large instance file that no later row of the suite needs."""
    path = DATA / "instances" / row.instance_name
    needed = any(later.instance_name == row.instance_name for later, _ in upcoming)
    if not needed and path.exists() and path.stat().st_size > KEEP_BELOW_BYTES:
        path.unlink()


def host():
    """The processor, as the system names it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        name = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        name = platform.processor() or platform.machine()
    return f"{name}, {os.cpu_count()} cores"


def load(path):
    """All results so far; a last line cut short by an interrupted run is ignored."""
    if not path.exists():
        return []
    lines = []
    for text in path.read_text().splitlines():
        try:
            lines.append(json.loads(text))
        except json.JSONDecodeError:
            continue
    return lines


def main():
    parser = argparse.ArgumentParser(description="Measures a suite of instances, ours against the peers.")
    parser.add_argument("suite", choices=SUITES)
    parser.add_argument("--max-minutes", type=float, default=600, help="start no measurement after this long")
    parser.add_argument("--limit", type=float, default=60, help="seconds of search, per audience")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--memory-gib", type=float, default=12, help="a solver that takes more is killed")
    parser.add_argument("--solvers", choices=["all", "ours", "peers"], default="all")
    parser.add_argument("--redo", action="store_true", help="measure again what is known")
    parser.add_argument("--binary", default=BINARY, help="our side; built by: cargo build --release -p tearline-planner --example bench_instance")
    parser.add_argument("--results", default=HERE / "RESULTS.md", help="where to write the tables")
    args = parser.parse_args()
    DATA.mkdir(exist_ok=True)
    if args.solvers != "peers" and not Path(args.binary).exists():
        parser.error(f"{args.binary} is not there; build it: cargo build --release -p tearline-planner --example bench_instance")
    bench = Bench(args)
    deadline = time.monotonic() + 60 * args.max_minutes
    rows = list(SUITES[args.suite]())
    wrong, skipped = [], 0
    for number, (row, opponents) in enumerate(rows):
        if time.monotonic() > deadline:
            skipped = len(rows) - number
            break
        print(f"{number + 1}/{len(rows)} {row.family} {row.d} x {row.n}, {row.rules()}, seed {row.seed}", flush=True)
        lines, floors = [], None
        if args.solvers != "peers":
            ours = bench.measure(row, "ours")
            lines.append(ours)
            if row.audiences > 1 and "answer" in ours:
                # Peers get the same later problems as ours: optima of equal utility may differ in their levels.
                floors = [step["floor"] for step in ours["answer"]["steps"]]
                floors = floors if len(floors) == row.audiences else None
        if args.solvers != "ours":
            lines += [bench.measure(row, opponent, floors) for opponent in opponents]
        found = [f"{line['solver']}: {fault}" for line in lines for fault in line.get("faults", [])] + disagreements(lines)
        wrong += found
        for fault in found:
            print(f"  WRONG {fault}", flush=True)
        tidy(row, rows[number + 1 :])
    Path(args.results).write_text(render.document(load(RESULTS), args.threads, args.limit))
    print(f"{len(rows) - skipped} rows, {skipped} left for another run, {len(wrong)} wrong; tables in {args.results}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
