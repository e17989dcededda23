"""Turns the kept results into RESULTS.md: what was measured, how it stands against the aims, every row."""

from statistics import median

from suites import SUITES, Row

PEERS = {"cpsat": "CP-SAT", "highs": "HiGHS"}


def answer(line):
    """The solver's own answer; None when the row was not measured or the solver did not live to answer."""
    return line.get("answer") if line else None


def proven(line):
    return bool(answer(line)) and all(step["optimal"] for step in line["answer"]["steps"]) and not line.get("faults")


def gap(line):
    """(bound - plan) / plan, the worst over the audiences; None without a plan for each of them."""
    if not answer(line):
        return None
    steps = line["answer"]["steps"]
    if any(step["obj"] is None for step in steps):
        return 0.0 if proven(line) else None
    return max((step["bound"] - step["obj"]) / max(1, step["obj"]) for step in steps)


def narrow(line, most):
    """Whether there is a plan that is proven, or whose gap is under `most`."""
    return proven(line) or (gap(line) is not None and gap(line) < most)


def search_s(line):
    """Time to the answer with the table in memory: merging equal candidates, a peer's building, searching."""
    found = line["answer"]
    return found["classes_s"] + found.get("build_s", 0.0) + found["solve_s"]


def whole_s(line):
    """Time to the answer from the file on disk."""
    return line["answer"]["read_s"] + search_s(line)


def seconds(value):
    if value < 0.0995:
        return f"{value:.3f}"
    return f"{value:.2f}" if value < 9.995 else f"{value:.0f}"


def status(line):
    """One cell: proven, the gap, or why there is no plan."""
    if line.get("faults"):
        return "**wrong**"
    if "failed" in line:
        return line["failed"]
    steps = line["answer"]["steps"]
    if proven(line):
        return "no safe plan" if steps[-1]["obj"] is None else "optimal"
    found = gap(line)
    if found == 0:
        return "gap 0, ties open"  # the utility is proven, the choice among plans of that utility is not
    return "no plan" if found is None else f"gap {100 * found:.1f} %"


def brief(line):
    """One line for the terminal."""
    if not answer(line):
        return f"{line['failed']}, {line['peak_mb']:.0f} MB"
    found = line["answer"]
    build = f"build {seconds(found['build_s'])} " if "build_s" in found else ""
    values = "/".join(str(step["obj"]) for step in found["steps"])
    return (
        f"read {seconds(found['read_s'])} classes {seconds(found['classes_s'])} {build}solve {seconds(found['solve_s'])} s, "
        f"{status(line)}, {values}, {line['peak_mb']:.0f} MB"
    )


def document(lines, threads, limit):
    """RESULTS.md from all results with these settings; of several measurements of one row, the last."""
    results = {}
    for line in lines:
        if line["threads"] == threads and line["limit"] == limit:
            results[Row(**line["row"]), line["solver"]] = line
    used = list(results.values())
    parts = ["# Planner: ours against CP-SAT and HiGHS", "", *setting(used, threads, limit), ""]
    sections = []
    for name, suite in SUITES.items():
        planned = dict(suite())
        rows = [row for row in planned if any((row, s) in results for s in ("ours", *PEERS))]
        if rows:
            sections += [f"## Suite `{name}`: {len(rows)} of {len(planned)} rows measured", "", *summary(name, rows, results), "", *table(rows, results), ""]
    return "\n".join(parts + sections)


def setting(used, threads, limit):
    if not used:
        return ["Nothing has been measured yet."]
    dates = sorted(line["date"][:10] for line in used)
    versions = used[-1]["versions"]
    builds = sorted({line["build"] for line in used if line["build"]})
    wrong = sum(1 for line in used if line.get("faults"))
    return [
        f"Measured {dates[0]} to {dates[-1]} on {', '.join(sorted({line['host'] for line in used}))}. Every solver on "
        f"{threads} thread{'s' if threads > 1 else ''}, {limit:g} s of search per audience, one process at a time. OR-tools {versions['ortools']}, "
        f"highspy {versions['highspy']}, numpy {versions['numpy']}; our binary {', '.join(builds) or 'not run'} (start of its SHA-256).",
        "",
        "Times in seconds. *classes* is merging equal candidates; *build* is the peer's presolve and model. *peak* is the "
        "process's whole resident memory (Python with the solver loaded takes about 110 MB of a peer's). *gap* is (bound - plan) / plan; where it is 0 with *ties open*, "
        "ours went on to prove which of equally good plans is the canonical one. *ratio* is a "
        "peer's classes + build + solve over our classes + solve, where both proved the optimum. Every plan was recomputed "
        f"from the file's candidates: {wrong or 'none'} of {len(used)} answers wrong.",
    ]


def ratios(rows, results, peer, ours_s, peer_s):
    found = []
    for row in rows:
        ours, theirs = results.get((row, "ours")), results.get((row, peer))
        if proven(ours) and proven(theirs):
            found.append((row, peer_s(theirs) / max(1e-6, ours_s(ours))))
    return found


def summary(name, rows, results):
    """How the suite stands against its aims, one bullet each."""
    bullets = []
    for peer, label in PEERS.items():
        found = ratios(rows, results, peer, search_s, search_s)
        if not found:
            continue
        values = [value for _, value in found]
        whole = median(value for _, value in ratios(rows, results, peer, whole_s, whole_s))
        apart = median(value for _, value in ratios(rows, results, peer, lambda l: l["answer"]["solve_s"], lambda l: l["answer"]["solve_s"]))
        families = ", ".join(
            f"{family} {median(of):.0f} ({len(of)})" for family in "ABC" if (of := [v for row, v in found if row.family == family])
        )
        bullets.append(
            f"- {label} and ours both proved {len(found)} row{'s' if len(found) > 1 else ''}: median ratio **{median(values):.0f}**, least {min(values):.1f}, "
            f"most {max(values):.0f}; by family {families}. Search alone: {apart:.0f}. From the file on disk: {whole:.0f}."
        )
        missed = [row for row in rows if proven(results.get((row, peer))) and not proven(results.get((row, "ours")))]
        if any((row, "ours") in results for row in missed):
            bullets.append(f"- {label} proved {len(missed)} rows that ours did not.")
    if name == "targets":
        bullets += targets_summary(rows, results)
    if name == "variants":
        bullets += variants_summary(rows, results)
    return bullets or ["Nothing to compare yet."]


def targets_summary(rows, results):
    ours = {row: results[row, "ours"] for row in rows if (row, "ours") in results}

    def aim(text, chosen, reached):
        chosen = {row: line for row, line in ours.items() if chosen(row)}
        if chosen:
            good = sum(1 for row, line in chosen.items() if reached(row, line))
            worst = max((search_s(line) for line in chosen.values() if answer(line)), default=0)
            gaps = [gap(line) for line in chosen.values() if gap(line) is not None]
            yield f"- {text}: {good} of {len(chosen)} (longest {seconds(worst)} s, widest gap {100 * max(gaps, default=0):.1f} %)."

    def better(row, line):
        theirs = results.get((row, "cpsat"))
        if not theirs or not answer(line):
            return False
        mine, other = line["answer"]["obj"], answer(theirs) and theirs["answer"]["steps"][-1]["obj"]
        return mine is not None and (not other or mine > other or (mine == other and proven(line)))

    yield from aim("Up to 50 details, proven within 3 s", lambda r: r.d <= 50, lambda r, l: proven(l) and search_s(l) <= 3)
    yield from aim("100 details, k up to 20, proven within 10 s", lambda r: r.d == 100 and r.k <= 20, lambda r, l: proven(l) and search_s(l) <= 10)
    yield from aim("100 details, k 100, proven or a gap under 5 %", lambda r: r.d == 100 and r.k == 100, lambda r, l: narrow(l, 0.05))
    yield from aim("200 details, a gap under 10 %", lambda r: r.d == 200, lambda r, l: narrow(l, 0.1))
    yield from aim("200 details, a better plan than CP-SAT's (or the same, proven)", lambda r: r.d == 200 and (r, "cpsat") in results, better)


def variants_summary(rows, results):
    times = {"τ": [], "diversity": [], "τ and diversity": [], "three audiences": []}
    for row in rows:
        plain = results.get((Row(row.family, row.d, row.n, row.k, row.seed), "ours"))
        line = results.get((row, "ours"))
        if not row.extras or not proven(plain) or not answer(line):
            continue
        kind = "three audiences" if row.audiences > 1 else "τ and diversity" if row.share_ppm and row.diversity else "τ" if row.share_ppm else "diversity"
        times[kind].append((search_s(line) / max(1e-6, search_s(plain)), search_s(line), proven(line)))
    for kind, found in times.items():
        if found:
            yield (
                f"- {kind}: {sum(p for _, _, p in found)} of {len(found)} proven; time over the plain row's: median "
                f"{median(t for t, _, _ in found):.1f}, most {max(t for t, _, _ in found):.1f}; longest {seconds(max(s for _, s, _ in found))} s."
            )


def table(rows, results):
    peers = [peer for peer in PEERS if any((row, peer) in results for row in rows)]
    head = ["family", "details × candidates", "rules", "seed", "read", "classes", "solve", "ours", "nodes", "peak MB"]
    for peer in peers:
        head += ["build", "solve", PEERS[peer], "peak MB", "ratio"]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for row in rows:
        cells = [row.family, f"{row.d} × {row.n:,}", row.rules(), str(row.seed)]
        ours = results.get((row, "ours"))
        if answer(ours):
            found = ours["answer"]
            cells += [seconds(found[part]) for part in ("read_s", "classes_s", "solve_s")]
            cells += [status(ours), f"{found['nodes']:,}", f"{ours['peak_mb']:.0f}"]
        else:
            cells += ["", "", "", status(ours) if ours else "", "", f"{ours['peak_mb']:.0f}" if ours else ""]
        for peer in peers:
            theirs = results.get((row, peer))
            if answer(theirs):
                found = theirs["answer"]
                cells += [seconds(found["build_s"]), seconds(found["solve_s"]), status(theirs), f"{theirs['peak_mb']:.0f}"]
            else:
                cells += ["", "", status(theirs) if theirs else "", f"{theirs['peak_mb']:.0f}" if theirs else ""]
            ratio = ratios([row], results, peer, search_s, search_s)
            cells.append(f"{ratio[0][1]:.0f}" if ratio else "")
        lines.append("| " + " | ".join(cells) + " |")
    return lines
