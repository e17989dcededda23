"""The instance file: its format, reading, writing, and the check of a claimed plan against it.

All numbers are little-endian; there is no padding and no trailing data.

    offset  type            content
    0       8 bytes         magic "TLBENCH1"
    8       u32             N   candidates
    12      u32             D   details
    16      u32             L   levels above silence, the same for every detail (at most 254)
    20      u32             1 when the file has a prior weight per candidate, else 0
    24      u32             G   group columns (0 or more)
    28      u32             A   audiences with an importance per detail (0 or more)
    32      i64 x D x L     marginal utility of level l = 1..L of each detail, row-major by detail
    ...     u32 x A x D     importance of each detail for each audience, in thousandths
    ...     u8  x N x D     highest level that each candidate could have known, row-major by candidate
    ...     u32 x N         prior weight of each candidate, in thousandths, 1 or more (only when flagged)
    ...     u32 x G x N     group number of each candidate, one column after the other

A detail with fewer than L levels has marginals 0 above its last one, and no candidate knows those.
"""

import struct
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

MAGIC = b"TLBENCH1"
HEADER = struct.Struct("<8sIIIIII")
CHUNK = 1 << 16  # candidates handled at a time: bounds the temporary arrays to a few tens of megabytes


@dataclass
class Instance:
    """One instance. `levels` is (N, D), possibly a memory map; `groups` is (G, N); `importance` is (A, D)."""

    marginal: np.ndarray
    levels: np.ndarray
    weight: np.ndarray | None = None
    groups: np.ndarray = field(default_factory=lambda: np.zeros((0, 0), np.uint32))
    importance: np.ndarray = field(default_factory=lambda: np.zeros((0, 0), np.uint32))

    @property
    def n(self):
        return self.levels.shape[0]

    @property
    def d(self):
        return self.levels.shape[1]

    @property
    def l(self):  # noqa: E743 - the format's own letter
        return self.marginal.shape[1]

    def steps(self, k, audiences):
        """The problems solved one after the other: (threshold k, marginals) per audience.

        One audience: the file's own marginals. Several: marginals times importance (so utilities are in
        thousandths), and each earlier audience keeps twice the candidates of the next, the last one k.
        """
        if audiences == 1:
            return [(k, self.marginal)]
        if audiences > self.importance.shape[0]:
            raise ValueError(f"the file has importances for {self.importance.shape[0]} audiences, not {audiences}")
        scaled = [self.marginal * self.importance[a].astype(np.int64)[:, None] for a in range(audiences)]
        return [(k << (audiences - 1 - a), scaled[a]) for a in range(audiences)]


def write(path, columns, marginal, weight=None, groups=None, importance=None):
    """Writes an instance; `columns` is (D, N), as the generator makes it. The file appears only when complete."""
    d, n = columns.shape
    groups = np.zeros((0, n), np.uint32) if groups is None else groups
    importance = np.zeros((0, d), np.uint32) if importance is None else importance
    path = Path(path)
    partial = path.with_name(path.name + ".part")
    with open(partial, "wb") as out:
        out.write(HEADER.pack(MAGIC, n, d, marginal.shape[1], int(weight is not None), len(groups), len(importance)))
        out.write(np.ascontiguousarray(marginal, "<i8"))
        out.write(np.ascontiguousarray(importance, "<u4"))
        for start in range(0, n, CHUNK):
            out.write(np.ascontiguousarray(columns[:, start : start + CHUNK].T, np.uint8))
        if weight is not None:
            out.write(np.ascontiguousarray(weight, "<u4"))
        out.write(np.ascontiguousarray(groups, "<u4"))
    partial.replace(path)


def read(path, mapped=False):
    """Reads an instance; with `mapped`, the level bytes stay on disk."""
    size = Path(path).stat().st_size
    with open(path, "rb") as file:
        magic, n, d, l, weighted, g, a = HEADER.unpack(file.read(HEADER.size))
        if magic != MAGIC:
            raise ValueError(f"{path}: does not start with {MAGIC!r}: not an instance file; make one with generate.py")
        expected = HEADER.size + 8 * d * l + 4 * a * d + n * d + 4 * n * weighted + 4 * g * n
        if size != expected:
            raise ValueError(f"{path}: {size} bytes, its header calls for {expected}: generate it again")
        marginal = np.fromfile(file, "<i8", d * l).reshape(d, l)
        importance = np.fromfile(file, "<u4", a * d).reshape(a, d)
        start = file.tell()
        if mapped:
            levels = np.memmap(path, np.uint8, "r", start, (n, d))
            file.seek(start + n * d)
        else:
            levels = np.fromfile(file, np.uint8, n * d).reshape(n, d)
        weight = np.fromfile(file, "<u4", n) if weighted else None
        groups = np.fromfile(file, "<u4", g * n).reshape(g, n)
    return Instance(marginal, levels, weight, groups, importance)


def utility(marginal, x):
    """Utility of the plan x: the sum of the marginals up to the chosen level of each detail."""
    return sum(int(marginal[d, : x[d]].sum()) for d in range(len(x)))


def support(instance, x):
    """Indices of the candidates who could have known everything that x says."""
    x = np.asarray(x, np.uint8)
    found = [
        start + np.flatnonzero((instance.levels[start : start + CHUNK] >= x).all(axis=1))
        for start in range(0, instance.n, CHUNK)
    ]
    return np.concatenate(found)


def violations(instance, x, k, share_ppm=None, diversity=0, floor=None):
    """What is wrong with the plan x, recomputed from every candidate of the file; empty when it is feasible."""
    faults = []
    if len(x) != instance.d or min(x) < 0 or max(x) > instance.l:
        return [f"levels {list(x)} do not fit {instance.d} details of {instance.l} levels"]
    if floor is not None and any(a < b for a, b in zip(x, floor)):
        faults.append("takes back something an earlier audience was told")
    members = support(instance, x)
    if len(members) < k:
        faults.append(f"{len(members)} candidates left, {k} needed")
    if share_ppm is not None:
        weights = np.ones(len(members), np.int64) if instance.weight is None else instance.weight[members].astype(np.int64)
        if len(members) == 0 or int(weights.max()) * 1_000_000 > share_ppm * int(weights.sum()):
            faults.append(f"the heaviest of {len(members)} candidates has more than {share_ppm} millionths of the weight")
    if diversity:
        values = len(np.unique(instance.groups[0][members]))
        if values < diversity:
            faults.append(f"{values} different group values left, {diversity} needed")
    return faults
