"""Makes benchmark instances: who, of N candidates, could have known each of D details, and how precisely.

The population is an organisation: regions, sites, units, ranks, functions, shifts. One candidate is the true
source and knows everything. How much a candidate knows of a detail follows a score, cut at the quantiles that
give each level its share of the population. Families differ in the score:

    A   a function of the discrete attributes alone: few different candidates
    B   the same plus individual variation: nearly all candidates differ from 50 details on
    C   independent for every detail: the worst case, not realistic

The draws are made in a fixed order from one generator seeded with (seed, D, N, family), so an instance is
defined by these four alone. Priors, groups and audiences come from a second generator and do not disturb it.

    python3 generate.py FAMILY D N SEED OUT [--extras]
"""

import argparse

import numpy as np

import instance

RANKS = 6
FUNCTIONS = 10
SHIFTS = 3
# Share of those who know level l-1 that know level l too: least and most, for l = 1, 2, ...
SHARES = [(0.3, 0.9), (0.2, 0.6), (0.15, 0.5), (0.1, 0.5)]
# Prior suspicion comes in grades, in thousandths of the ordinary candidate's.
GRADES = np.array([250, 500, 1000, 2000, 4000], np.uint32)
GRADE_SHARES = [0.10, 0.20, 0.50, 0.15, 0.05]


class Organisation:
    """The candidates' attributes, drawn once per instance."""

    def __init__(self, rng, n):
        self.regions, self.sites, self.units = (4, 3, 4) if n <= 1000 else (8, 6, 8)
        size = rng.uniform(0.3, 1.0, self.regions)
        self.region = rng.choice(self.regions, n, p=size / size.sum())
        self.site = self.region * self.sites + rng.integers(0, self.sites, n)
        self.unit = self.site * self.units + rng.integers(0, self.units, n)
        self.rank = np.minimum(rng.geometric(0.45, n) - 1, RANKS - 1)
        popularity = 1 / np.arange(1, FUNCTIONS + 1)
        self.function = rng.choice(FUNCTIONS, n, p=popularity / popularity.sum())
        self.shift = rng.integers(0, SHIFTS, n)
        self.source = rng.choice(np.flatnonzero(self.rank >= 2))

    def centre(self, rng):
        """The unit that a detail is about: most often one near the source's."""
        kind = rng.random()
        if kind < 0.45:
            return self.unit[self.source]
        if kind < 0.7:
            return self.site[self.source] * self.units + rng.integers(0, self.units)
        if kind < 0.9:
            site = self.region[self.source] * self.sites + rng.integers(0, self.sites)
            return site * self.units + rng.integers(0, self.units)
        return rng.integers(0, self.regions * self.sites * self.units)

    def closeness(self, rng):
        """How near each candidate is to one detail: to its unit, by rank, by function, by shift."""
        unit = self.centre(rng)
        site = unit // self.units
        same = (self.unit == unit) * 1.0 + (self.site == site) + (self.region == site // self.sites)
        function = self.function[self.source] if rng.random() < 0.5 else rng.integers(0, FUNCTIONS)
        place, rank = rng.uniform(0.4, 1.2), rng.uniform(0.1, 0.7)
        office, shift = rng.uniform(0.2, 1.2), rng.uniform(0, 0.5)
        on_shift = self.shift == self.shift[self.source]
        return place * same + rank * self.rank + office * (self.function == function) + shift * on_shift


def generate(family, d, n, seed, levels=4):
    """Returns (columns, marginal, organisation): columns is (D, N) bytes, marginal (D, L) whole numbers."""
    rng = np.random.default_rng([seed, d, n, ord(family)])
    organisation = Organisation(rng, n)
    columns = np.zeros((d, n), np.uint8)
    for column in columns:
        if family == "C":
            score = rng.normal(size=n)
        else:
            score = organisation.closeness(rng)
            if family == "B":
                spread = rng.uniform(0.2, 0.8)
                score = score + spread * rng.normal(size=n)
        know, knowers = 1.0, []
        for level in range(levels):
            know *= rng.uniform(*SHARES[min(level, len(SHARES) - 1)])
            knowers.append(know)
        for threshold in np.quantile(score, [1 - share for share in knowers]):
            column += score >= threshold
    columns[:, organisation.source] = levels
    importance = np.exp(rng.normal(0, 0.7, d)) * 300
    split = rng.dirichlet([1.5] * levels, size=d)
    marginal = np.maximum(1, np.round(split * importance[:, None])).astype(np.int64)
    return columns, marginal, organisation


def extras(family, d, n, seed, organisation, audiences=3):
    """Returns (weight, groups, importance): graded priors, the site as group column, audiences' importances."""
    rng = np.random.default_rng([seed, d, n, ord(family), 1])
    weight = rng.choice(GRADES, n, p=GRADE_SHARES)
    groups = organisation.site.astype(np.uint32)[None, :]
    importance = np.round(np.exp(rng.normal(0, 0.5, (audiences, d))) * 1000).astype(np.uint32)
    importance[0] = 1000
    return weight, groups, importance


def make(path, family, d, n, seed, with_extras=False):
    """Writes the instance to `path`, with priors, groups and audiences where asked for."""
    columns, marginal, organisation = generate(family, d, n, seed)
    more = extras(family, d, n, seed, organisation) if with_extras else ()
    instance.write(path, columns, marginal, *more)


def main():
    parser = argparse.ArgumentParser(description="Makes one benchmark instance.")
    parser.add_argument("family", choices="ABC")
    parser.add_argument("d", type=int, help="details")
    parser.add_argument("n", type=int, help="candidates")
    parser.add_argument("seed", type=int)
    parser.add_argument("out")
    parser.add_argument("--extras", action="store_true", help="add priors, a group column and three audiences")
    args = parser.parse_args()
    make(args.out, args.family, args.d, args.n, args.seed, args.extras)


if __name__ == "__main__":
    main()
