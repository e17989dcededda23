"""Which rows each named suite measures, and with which peers."""

from dataclasses import asdict, dataclass
from itertools import product

SEEDS = (7, 11)


@dataclass(frozen=True)
class Row:
    """One problem: an instance and the rules to plan it under. `share_ppm` 0 means no such rule."""

    family: str
    d: int
    n: int
    k: int = 20
    seed: int = SEEDS[0]
    share_ppm: int = 0
    diversity: int = 0
    audiences: int = 1

    @property
    def extras(self):
        """Whether the instance needs priors, groups or audiences."""
        return bool(self.share_ppm or self.diversity or self.audiences > 1)

    @property
    def instance_name(self):
        return f"{self.family}_{self.d}_{self.n}_{self.seed}{'_x' if self.extras else ''}.tlb"

    def rules(self):
        """The rules, as on the command line."""
        parts = [f"k {self.k}"]
        if self.share_ppm:
            parts.append(f"τ {self.share_ppm / 1e6:g}")
        if self.diversity:
            parts.append(f"diversity {self.diversity}")
        if self.audiences > 1:
            parts.append(f"{self.audiences} audiences")
        return ", ".join(parts)

    def as_dict(self):
        return asdict(self)


ALL = ("cpsat", "highs")
CPSAT = ("cpsat",)
NONE = ()


def quick():
    """A few rows of every kind: does the comparison work?"""
    for family, d, n in (("A", 20, 10**4), ("A", 8, 10**5), ("B", 8, 10**3), ("B", 20, 10**3), ("C", 8, 10**3)):
        yield Row(family, d, n), ALL
    yield Row("B", 8, 10**3, share_ppm=50_000), CPSAT
    yield Row("B", 8, 10**3, diversity=5), CPSAT
    yield Row("B", 8, 10**3, k=5, audiences=3), ALL


def ratio():
    """Sizes at which CP-SAT is expected to prove the optimum within 60 s, about as many of each family."""
    for seed in SEEDS:
        for d, n in ((8, 10**4), (20, 10**3), (20, 10**5), (50, 10**4), (100, 10**4), (100, 10**5)):
            yield Row("A", d, n, 20, seed), ALL
        for d, n, k in ((8, 10**3, 20), (8, 10**4, 5), (8, 10**4, 100), (8, 10**5, 20), (20, 10**3, 5), (20, 10**3, 20),
                        (20, 10**3, 100), (20, 10**4, 20), (50, 10**3, 5), (100, 10**3, 5), (100, 10**3, 20)):
            yield Row("B", d, n, k, seed), ALL
        for d, n, k in ((8, 10**3, 20), (8, 10**3, 100), (8, 10**4, 5), (8, 10**4, 20), (8, 10**5, 20), (20, 10**3, 5),
                        (20, 10**3, 20), (20, 10**3, 100)):
            yield Row("C", d, n, k, seed), ALL
    yield Row("A", 100, 10**6), CPSAT
    yield Row("B", 8, 10**6), CPSAT


def targets():
    """The sizes to reach. Peers where a minute of theirs can say something: k 20, the first seed, and 200 details."""
    for d, n, family, k, seed in product((8, 20, 50, 100), (10**4, 10**5, 10**6), "AB", (5, 20, 100), SEEDS):
        compared = k == 20 and seed == SEEDS[0]
        yield Row(family, d, n, k, seed), CPSAT if compared else NONE
    for n, family, k in product((10**3, 10**4, 10**5, 10**6), "AB", (5, 20, 100)):
        yield Row(family, 200, n, k), CPSAT
    yield Row("B", 100, 10**3, 100), CPSAT
    yield Row("B", 100, 10**3, 100, SEEDS[1]), CPSAT


def variants():
    """The same sizes under τ, diversity, both, and for three audiences; each next to its plain row."""
    for d, n, family in product((20, 50, 100), (10**4, 10**6), "AB"):
        peers = CPSAT if (d, n) == (20, 10**4) else NONE
        # The same candidates and marginals as the rows with rules: their times compare.
        yield Row(family, d, n), NONE
        yield Row(family, d, n, share_ppm=50_000), peers
        yield Row(family, d, n, diversity=5), peers
        yield Row(family, d, n, share_ppm=50_000, diversity=5), peers
        yield Row(family, d, n, audiences=3), peers
    for family, n in product("AB", (10**3,)):
        for row in (Row(family, 20, n, share_ppm=50_000), Row(family, 20, n, diversity=5), Row(family, 20, n, audiences=3)):
            yield row, CPSAT


SUITES = {"quick": quick, "ratio": ratio, "targets": targets, "variants": variants}
