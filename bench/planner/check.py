"""Does ours find the optimum that CP-SAT proves, on hundreds of random instances of medium size?

    python3 check.py [--count 300] [--first 0] [--limit 20]     ours, on one and on two threads, against CP-SAT
    python3 check.py --oracle [--count 200]                     CP-SAT's formulations against brute force, tiny sizes

Instances mix families, 2 to 6 levels (fewer for some details), priors in grades or all different, and by turns:
k alone, τ, diversity, both, three audiences. Prints counts; keeps the files of contradictions; exits 1 if any.
"""

import argparse
import itertools
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np

import generate
import instance as file_format
import peers
import run
from suites import Row

KINDS = ("k", "share", "diversity", "share and diversity", "audiences")


def problem(number, tiny):
    """The numbered instance: (kind, columns, marginal, extras, rules, audiences)."""
    rng = np.random.default_rng([number, int(tiny)])
    kind = KINDS[number % len(KINDS)]
    family = "ABC"[rng.integers(3)]
    if tiny:
        d, n, k, levels = (int(rng.integers(low, high)) for low, high in ((2, 5), (25, 61), (2, 7), (1, 4)))
    else:
        d, k, levels = (int(rng.integers(low, high)) for low, high in ((6, 21), (2, 21), (2, 7)))
        n = int(50 * 40 ** rng.random())  # 50 to 2,000, as many of each order of size
    columns, marginal, organisation = generate.generate(family, d, n, number, levels)
    tops = rng.integers(1, levels + 1, d)
    tops[rng.random(d) < 0.5] = levels
    columns = np.minimum(columns, tops[:, None]).astype(np.uint8)
    marginal[np.arange(levels) >= tops[:, None]] = 0
    graded = rng.random() < 0.6
    weight = (rng.choice(generate.GRADES, n) if graded else rng.integers(1, 1001, n)).astype(np.uint32)
    groups = (organisation.site if rng.random() < 0.5 else rng.integers(0, 12, n)).astype(np.uint32)[None, :]
    importance = rng.integers(200, 3000, (3, d)).astype(np.uint32)
    rules = peers.Rules(k)
    if "share" in kind:
        rules.share_ppm = int(rng.integers(20_000, 600_000) if tiny else rng.integers(15_000, 300_000))
    if "diversity" in kind:
        rules.diversity = int(rng.integers(2, 5 if tiny else 9))
    return kind, columns, marginal, (weight, groups, importance), rules, 3 if kind == "audiences" else 1


def brute_force(instance, rules):
    """The greatest utility of a plan that keeps the rules, by trying all of them; None when none does."""
    tops = instance.levels.max(axis=0)
    plans = itertools.product(*(range(int(top) + 1) for top in tops))
    safe = (x for x in plans if not file_format.violations(instance, x, rules.k, rules.share_ppm, rules.diversity))
    return max((file_format.utility(instance.marginal, x) for x in safe), default=None)


def ask_highs(instance, rules, limit, folder):
    """HiGHS's answer, from a process of its own: its library and the one inside OR-tools clash in one process."""
    path = folder / "oracle.tlb"
    file_format.write(path, instance.levels.T, instance.marginal)
    command = [sys.executable, run.HERE / "peers.py", "highs", path, "--k", rules.k, "--limit", limit]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)["steps"][0]


def check_oracle(number, limit, folder):
    """Compares the peers with brute force on a tiny instance; returns (outcome, explanation)."""
    kind, columns, marginal, (weight, groups, importance), rules, _ = problem(number, tiny=True)
    instance = file_format.Instance(marginal, np.ascontiguousarray(columns.T), weight, groups, importance)
    best = brute_force(instance, rules)
    solvers = ["cpsat", "cpsat-agg"] + (["highs"] if kind in ("k", "audiences") else [])
    for solver in solvers:
        if solver == "highs":
            step = ask_highs(instance, rules, limit, folder)
        else:
            step = peers.solve(solver, instance, rules, 1, limit, 1)["steps"][0]
        if not step["optimal"] or step["obj"] != best:
            return "wrong", f"{solver} says {step['status']} {step['obj']}, brute force {best}"
        if step["x"] and file_format.violations(instance, step["x"], rules.k, rules.share_ppm, rules.diversity):
            return "wrong", f"{solver}'s plan {step['x']} breaks the rules"
    return "agree" if best is not None else "agree: no safe plan", ""


def ask_ours(binary, path, rules, audiences, limit, threads):
    """Our side's answer."""
    command = [binary, path, "--k", rules.k, "--limit", limit, "--threads", threads, "--audiences", audiences]
    if rules.share_ppm is not None:
        command += ["--share", f"{rules.share_ppm / 1e6:.6f}"]
    if rules.diversity:
        command += ["--diversity", rules.diversity]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=audiences * limit + 60)
    if done.returncode:
        raise RuntimeError(done.stderr.strip())
    return json.loads(done.stdout)


def check_ours(number, binary, limit, folder):
    """Compares ours with CP-SAT on one instance; returns (outcome, explanation)."""
    kind, columns, marginal, extras, rules, audiences = problem(number, tiny=False)
    path = folder / f"check_{number}.tlb"
    file_format.write(path, columns, marginal, *extras)
    instance = file_format.read(path)
    outcome, why = compare(instance, path, binary, rules, audiences, limit)
    if outcome == "wrong":
        why += f"; kept {path}, {rules}, {audiences} audiences"
    else:
        path.unlink()
    return outcome, why


def compare(instance, path, binary, rules, audiences, limit):
    answers = [ask_ours(binary, path, rules, audiences, limit, threads) for threads in (1, 2)]
    one, two = (answer["steps"] for answer in answers)
    row = Row("C", instance.d, instance.n, rules.k, 0, rules.share_ppm or 0, rules.diversity, audiences)
    faults = [fault for answer in answers for fault in run.verify(path, row, answer)]
    if faults:
        return "wrong", faults[0]
    ours_proved = all(step["optimal"] for step in one + two)
    if ours_proved and [step["x"] for step in one] != [step["x"] for step in two]:
        return "wrong", "one thread and two threads give different plans"
    # Later audiences start from what ours told the earlier ones, so that both solve the same problem.
    floors = [step["floor"] for step in one]
    if len(floors) < audiences:
        floors = None
    theirs = peers.solve("cpsat", instance, rules, audiences, limit, 2, floors)["steps"]
    contradictions = run.disagreements([
        {"solver": "ours", "answer": {"steps": one}}, {"solver": "cpsat", "answer": {"steps": theirs}},
    ])
    if contradictions:
        return "wrong", contradictions[0]
    if not ours_proved:
        return "ours not proven, no contradiction", ""
    if not all(step["optimal"] for step in theirs):
        return "CP-SAT not proven, ours at least as good", ""
    if [step["obj"] for step in one] != [step["obj"] for step in theirs]:
        return "wrong", f"ours {[s['obj'] for s in one]}, CP-SAT {[s['obj'] for s in theirs]}"
    return "agree" if one[-1]["obj"] is not None else "agree: no safe plan", ""


def main():
    parser = argparse.ArgumentParser(description="Agreement of optima on random instances.")
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--first", type=int, default=0, help="number of the first instance")
    parser.add_argument("--limit", type=float, default=20, help="seconds of search, per audience")
    parser.add_argument("--oracle", action="store_true", help="check the peers against brute force instead")
    parser.add_argument("--binary", default=run.BINARY)
    args = parser.parse_args()
    folder = run.DATA / "check"
    folder.mkdir(parents=True, exist_ok=True)
    counts = Counter()
    for number in range(args.first, args.first + args.count):
        if args.oracle:
            outcome, why = check_oracle(number, args.limit, folder)
        else:
            outcome, why = check_ours(number, args.binary, args.limit, folder)
        counts[KINDS[number % len(KINDS)], outcome] += 1
        if outcome == "wrong":
            print(f"instance {number}: {why}", flush=True)
    for (kind, outcome), count in sorted(counts.items()):
        print(f"{kind:20} {outcome:42} {count:5}")
    wrong = sum(count for (_, outcome), count in counts.items() if outcome == "wrong")
    print(f"{args.count} instances, {wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
