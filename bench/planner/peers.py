"""The general solvers that ours is compared with: OR-tools CP-SAT and HiGHS, on one instance file.

Prints one JSON line. Both start from the same merged candidates and the same trivial presolve, and only the
peer's own model building and search count as its build and solve times.

    python3 peers.py {cpsat,cpsat-agg,highs} FILE --k 20 [--share 0.05] [--diversity 5] [--audiences 3]
                     [--floors JSON] --limit 60 --threads 1|2

Formulations, with x[d,l] = "detail d is told at level l or finer" and y[c] = "class c stays in the set":
    cpsat      x[d,l] -> not y[c] for every class that knows d only up to l-1;  sum n[c] y[c] >= k
    cpsat-agg  the same, and redundantly x[d,l] -> sum over those who know (d,l) of n[c] y[c] >= k
    highs      z[c] in [0, n[c]], sum z = k, sum over those who know (d,l) of z[c] >= k x[d,l]
"""

import argparse
import json
import math
import sys
import time
from dataclasses import dataclass

import numpy as np

import instance as file_format


@dataclass
class Rules:
    """What must hold of the set. `share_ppm`: no candidate above so many millionths of the weight."""

    k: int
    share_ppm: int | None = None
    diversity: int = 0


@dataclass
class Classes:
    """Candidates merged where equal. `group` and `weight` are all 0 and 1 where no rule asks for them."""

    levels: np.ndarray
    count: np.ndarray
    weight: np.ndarray
    group: np.ndarray

    def take(self, rows):
        return Classes(self.levels[rows], self.count[rows], self.weight[rows], self.group[rows])

    def merged(self):
        """Merges equal rows: by a random linear hash, then checked byte for byte."""
        columns = [*self.levels.T, self.weight, self.group]
        factors = np.random.default_rng(1).integers(1, 1 << 63, len(columns), np.uint64) * np.uint64(2) + np.uint64(1)
        code = np.zeros(len(self.count), np.uint64)
        for column, factor in zip(columns, factors):
            code += column.astype(np.uint64) * factor
        _, first, inverse = np.unique(code, return_index=True, return_inverse=True)
        for column in columns:
            if not np.array_equal(column, column[first][inverse]):
                raise RuntimeError("two different candidates share a hash: change the seed of the factors")
        kept = self.take(first)
        kept.count = np.bincount(inverse, weights=self.count, minlength=len(first)).astype(np.int64)
        return kept


def classes(instance, rules):
    """The instance's candidates, merged as far as the rules allow."""
    ones = np.ones(instance.n, np.int64)
    weight = ones if rules.share_ppm is None or instance.weight is None else instance.weight.astype(np.int64)
    group = instance.groups[0].astype(np.int64) if rules.diversity else np.zeros(instance.n, np.int64)
    return Classes(instance.levels, ones, weight, group).merged()


def presolved(everyone, k, floor):
    """Drops those who do not know what was told before, and levels that fewer than k know; merges again."""
    rows = everyone.take((everyone.levels >= floor).all(axis=1))
    known = lambda d: np.bincount(rows.levels[:, d], weights=rows.count, minlength=1)[::-1].cumsum()[::-1]
    cap = np.array([max(np.flatnonzero(known(d) >= k), default=-1) for d in range(len(floor))])
    if (cap < floor).any():
        return None, cap
    rows.levels = np.minimum(rows.levels, cap.astype(np.uint8))
    return rows.merged(), cap


def solve_cpsat(rows, cap, floor, marginal, rules, limit, threads, redundant):
    """Builds and solves with CP-SAT."""
    from ortools.sat.python import cp_model

    begun = time.perf_counter()
    model = cp_model.CpModel()
    x = {(d, l): model.new_bool_var("") for d in range(len(cap)) for l in range(floor[d] + 1, cap[d] + 1)}
    gains = [int(marginal[d, l - 1]) for d, l in x]
    model.maximize(cp_model.LinearExpr.weighted_sum(list(x.values()), gains))
    # The protocol buffer is filled directly: several times faster than an expression object per candidate.
    proto = model.proto
    index = {key: variable.index for key, variable in x.items()}

    def booleans(how_many):
        first = len(proto.variables)
        for _ in range(how_many):
            proto.variables.add().domain.extend((0, 1))
        return np.arange(first, first + how_many)

    def implies(literal, literals):
        constraint = proto.constraints.add()
        constraint.enforcement_literal.append(int(literal))
        constraint.bool_and.literals.extend(np.asarray(literals).tolist())

    def clause(literals):
        proto.constraints.add().bool_or.literals.extend([int(l) for l in literals])

    def at_least(variables, coefficients, least, when=None):
        constraint = proto.constraints.add()
        if when is not None:
            constraint.enforcement_literal.append(int(when))
        constraint.linear.vars.extend(np.asarray(variables).tolist())
        constraint.linear.coeffs.extend(np.asarray(coefficients).tolist())
        constraint.linear.domain.extend((int(least), (1 << 63) - 1))

    y = booleans(len(rows.count))
    counted = np.minimum(rows.count, rules.k)
    for (d, l), literal in index.items():
        if (d, l - 1) in index:
            implies(literal, [index[d, l - 1]])
        ignorant = np.flatnonzero(rows.levels[:, d] == l - 1)
        if len(ignorant):
            implies(literal, -1 - y[ignorant])
        if redundant:
            knowing = np.flatnonzero(rows.levels[:, d] >= l)
            at_least(y[knowing], counted[knowing], rules.k, literal)
    at_least(y, counted, rules.k)
    if rules.share_ppm is not None:
        add_share(rows, cap, rules, index, y, booleans, implies, clause, at_least)
    if rules.diversity:
        values = np.unique(rows.group)
        present = booleans(len(values))
        for value, literal in zip(values, present):
            clause([-1 - literal, *y[rows.group == value]])
        at_least(present, np.ones(len(values), np.int64), rules.diversity)
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = threads
    solver.parameters.max_time_in_seconds = limit
    built = time.perf_counter()
    status = solver.solve(model)
    solved = time.perf_counter()
    if status == cp_model.MODEL_INVALID:
        raise RuntimeError("CP-SAT calls the model invalid")
    base = file_format.utility(marginal, floor)
    bound = sum(gains)
    if status != cp_model.UNKNOWN or solver.best_objective_bound > 0:  # it reports 0 before it has a bound
        bound = min(bound, math.floor(solver.best_objective_bound + 1e-6))
    found = status in (cp_model.OPTIMAL, cp_model.FEASIBLE)
    plan = None
    if found:
        plan = [int(f) for f in floor]
        for (d, l), variable in x.items():
            if solver.boolean_value(variable):
                plan[d] = max(plan[d], l)
    return {
        "status": solver.status_name(status),
        "obj": base + round(solver.objective_value) if found else None,
        "bound": None if status == cp_model.INFEASIBLE else base + bound,
        "optimal": status in (cp_model.OPTIMAL, cp_model.INFEASIBLE),
        "nodes": solver.num_branches,
        "build_s": built - begun,
        "solve_s": solved - built,
        "x": plan,
    }


def add_share(rows, cap, rules, index, y, booleans, implies, clause, at_least):
    """No candidate in the set has more than share_ppm millionths of the set's weight.

    Not monotone, so a heavy class that stays in the set must be admitted to be in it: for those, y[c] is bound
    to the plan in both directions. heavy[w] = "somebody of weight w or more is in the set".
    """
    weights = np.unique(rows.weight)
    # k members of the least weight are always there: no weight up to this can break the rule.
    harmless = rules.share_ppm * rules.k * int(weights[0]) // 1_000_000
    mass = rows.count * rows.weight * rules.share_ppm
    # Sums only matter up to the largest that can be asked for; this keeps coefficients small.
    mass = np.minimum(mass, 1_000_000 * int(weights[-1]))
    heavier = None
    for weight in weights[::-1]:
        if weight <= harmless:
            break
        heavy = booleans(1)[0]
        if heavier is not None:
            implies(heavier, [heavy])
        for c in np.flatnonzero(rows.weight == weight):
            told_too_much = [index[d, m + 1] for d, m in enumerate(rows.levels[c].tolist()) if m < cap[d]]
            clause([y[c], *told_too_much])
            implies(y[c], [heavy])
        at_least(y, mass, 1_000_000 * int(weight), heavy)
        heavier = heavy


def solve_highs(rows, cap, floor, marginal, rules, limit, threads):
    """Builds and solves the compact mixed-integer program with HiGHS."""
    import highspy

    begun = time.perf_counter()
    x = [(d, l) for d in range(len(cap)) for l in range(floor[d] + 1, cap[d] + 1)]
    index = {key: i for i, key in enumerate(x)}
    many, infinity = len(rows.count), highspy.kHighsInf
    columns, values, starts, lower, upper = [], [], [0], [], []

    def row(at, coefficients, least, most):
        columns.append(np.asarray(at, np.int32))
        values.append(np.asarray(coefficients, float))
        starts.append(starts[-1] + len(at))
        lower.append(least)
        upper.append(most)

    z = len(x) + np.arange(many)
    row(z, np.ones(many), rules.k, rules.k)
    for (d, l), at in index.items():
        if (d, l - 1) in index:
            row([at, index[d, l - 1]], [1, -1], -infinity, 0)
        knowing = z[rows.levels[:, d] >= l]
        row(np.append(knowing, at), np.append(np.ones(len(knowing)), -rules.k), 0, infinity)
    program = highspy.HighsLp()
    program.num_col_, program.num_row_ = len(x) + many, len(lower)
    program.col_cost_ = np.append([float(marginal[d, l - 1]) for d, l in x], np.zeros(many))
    program.col_lower_ = np.zeros(len(x) + many)
    program.col_upper_ = np.append(np.ones(len(x)), np.minimum(rows.count, rules.k).astype(float))
    program.row_lower_, program.row_upper_ = np.array(lower, float), np.array(upper, float)
    program.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    program.a_matrix_.start_ = np.array(starts)
    program.a_matrix_.index_ = np.concatenate(columns)
    program.a_matrix_.value_ = np.concatenate(values)
    program.sense_ = highspy.ObjSense.kMaximize
    integer, continuous = highspy.HighsVarType.kInteger, highspy.HighsVarType.kContinuous
    program.integrality_ = [integer] * len(x) + [continuous] * many
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("threads", threads)
    solver.setOptionValue("time_limit", float(limit))
    solver.setOptionValue("mip_rel_gap", 0.0)
    solver.setOptionValue("mip_abs_gap", 0.9)  # utilities are whole numbers
    solver.passModel(program)
    built = time.perf_counter()
    solver.run()
    solved = time.perf_counter()
    status, info = solver.getModelStatus(), solver.getInfo()
    infeasible = status == highspy.HighsModelStatus.kInfeasible
    found = not infeasible and info.primal_solution_status == 2
    base = file_format.utility(marginal, floor)
    plan = None
    if found:
        plan = [int(f) for f in floor]
        for (d, l), value in zip(x, solver.getSolution().col_value):
            if value > 0.5:
                plan[d] = max(plan[d], l)
    bound = info.mip_dual_bound
    everything = sum(int(marginal[d, l - 1]) for d, l in x)
    return {
        "status": solver.modelStatusToString(status),
        "obj": base + round(info.objective_function_value) if found else None,
        "bound": None if infeasible else base + (min(everything, math.floor(bound + 1e-6)) if math.isfinite(bound) else everything),
        "optimal": status in (highspy.HighsModelStatus.kOptimal, highspy.HighsModelStatus.kInfeasible),
        "nodes": max(info.mip_node_count, 0),
        "build_s": built - begun,
        "solve_s": solved - built,
        "x": plan,
    }


def solve_step(solver, everyone, floor, marginal, rules, limit, threads):
    """Presolves, builds and solves one audience's problem."""
    begun = time.perf_counter()
    rows, cap = presolved(everyone, rules.k, floor)
    presolve_s = time.perf_counter() - begun
    if rows is None:
        return {"status": "INFEASIBLE", "obj": None, "bound": None, "optimal": True, "nodes": 0,
                "build_s": presolve_s, "solve_s": 0.0, "x": None, "classes": 0}
    if solver == "highs":
        result = solve_highs(rows, cap, floor, marginal, rules, limit, threads)
    else:
        result = solve_cpsat(rows, cap, floor, marginal, rules, limit, threads, solver == "cpsat-agg")
    result["build_s"] += presolve_s
    result["classes"] = len(rows.count)
    return result


def solve(solver, instance, rules, audiences, limit, threads, floors=None):
    """All audiences, one after the other; returns what the JSON line says, reading apart.

    `floors`: what each audience must be told at least. Without it, what this solver told the one before.
    """
    if solver == "highs" and (rules.share_ppm is not None or rules.diversity):
        raise ValueError("the compact program knows k only: run share and diversity with cpsat")
    begun = time.perf_counter()
    everyone = classes(instance, rules)
    classes_s = time.perf_counter() - begun
    floor = np.zeros(instance.d, np.int64)
    steps = []
    for number, (k, marginal) in enumerate(instance.steps(rules.k, audiences)):
        if floors is not None:
            floor = np.array(floors[number], np.int64)
        step_rules = Rules(k, rules.share_ppm, rules.diversity)
        step = solve_step(solver, everyone, floor, marginal, step_rules, limit, threads)
        step["k"], step["floor"] = k, floor.tolist()
        steps.append(step)
        if step["x"] is None:
            break
        floor = np.array(step["x"], np.int64)
    return {
        "classes_s": classes_s,
        "build_s": sum(step["build_s"] for step in steps),
        "solve_s": sum(step["solve_s"] for step in steps),
        "steps": steps,
    }


def share_ppm(text):
    """A share as written on the command line, in millionths."""
    ppm = round(float(text) * 1_000_000)
    if not 0 < ppm <= 1_000_000:
        raise argparse.ArgumentTypeError("a share is above 0 and at most 1")
    return ppm


def peak_rss_kib(process="self"):
    """The most memory a process has had resident, 0 when it is gone (Linux).

    Not getrusage: that also counts what the parent had resident when it started the process.
    """
    try:
        with open(f"/proc/{process}/status") as status:
            return next((int(line.split()[1]) for line in status if line.startswith("VmHWM:")), 0)
    except OSError:
        return 0


def main():
    parser = argparse.ArgumentParser(description="Runs a general solver on one instance; prints one JSON line.")
    parser.add_argument("solver", choices=["cpsat", "cpsat-agg", "highs"])
    parser.add_argument("file")
    parser.add_argument("--k", type=int, required=True)
    parser.add_argument("--share", type=share_ppm, help="largest posterior share, for example 0.05")
    parser.add_argument("--diversity", type=int, default=0, help="least number of values of the first group column")
    parser.add_argument("--audiences", type=int, default=1)
    parser.add_argument("--floors", type=json.loads, help="JSON: least levels, one list per audience")
    parser.add_argument("--limit", type=float, default=60, help="seconds of search per audience")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    if args.solver == "highs":
        import highspy  # noqa: F401 - loaded here so that the base memory includes it
    else:
        from ortools.sat.python import cp_model  # noqa: F401
    base = peak_rss_kib()
    begun = time.perf_counter()
    instance = file_format.read(args.file)
    result = {"solver": args.solver, "read_s": time.perf_counter() - begun}
    rules = Rules(args.k, args.share, args.diversity)
    result |= solve(args.solver, instance, rules, args.audiences, args.limit, args.threads, args.floors)
    result |= {"peak_rss_kib": peak_rss_kib(), "base_rss_kib": base}
    json.dump(result, sys.stdout)
    print()


if __name__ == "__main__":
    main()
