"""Writes a population of N rows, as CSV and as Parquet, and a report of 100 predicates over it for each.

    python3 generate.py FOLDER [ROWS] [SEED]

Parquet needs pyarrow (PyPI); without it only the CSV file is written.

Columns: five categorical ones (8 units, 40 departments, 12 functions, 9 ranks, 3 shifts), one of days, and two
continuous ones (a score with six digits, an hour of the year with decimals), which differ in nearly every row.
Predicates: 25 details of 4 levels; 13 details look at categorical columns only, 6 at the day too, 6 at a continuous
one. Knowledge is yes or no in 21 details, a probability in 4.
"""

import random
import sys
from pathlib import Path


def main():
    folder = Path(sys.argv[1])
    rows = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000_000
    rng = random.Random(int(sys.argv[3]) if len(sys.argv) > 3 else 11)
    folder.mkdir(parents=True, exist_ok=True)
    table(folder / "people.csv", rows, rng)
    parquet(folder / "people.csv", folder / "people.parquet")
    (folder / "report.toml").write_text(report("people.csv", rng), encoding="utf-8")
    (folder / "parquet.toml").write_text(
        (folder / "report.toml").read_text(encoding="utf-8").replace("people.csv", "people.parquet"),
        encoding="utf-8",
    )


def table(path, rows, rng):
    functions = [f"function {n}" for n in range(12)]
    shifts = ["day", "late", "night"]
    with path.open("w", encoding="utf-8") as out:
        out.write("unit,department,function,rank,shift,day,score,hour\n")
        block = []
        for n in range(rows):
            r = rng.random()
            unit = int(r * 8)
            department = unit * 5 + int(r * 1e6) % 5
            block.append(
                f"u{unit},dep {department},{functions[int(r * 1e7) % 12]},{1 + int(rng.random() ** 2 * 9)},"
                f"{shifts[int(r * 1e8) % 3]},2026-{1 + int(r * 1e9) % 12:02d}-{1 + int(r * 1e10) % 28:02d},"
                f"{rng.random():.6f},{r * 8760:.3f}\n"
            )
            if len(block) == 10_000:
                out.writelines(block)
                block.clear()
        out.writelines(block)


def parquet(source, target):
    """The same rows as pyarrow writes them unless told otherwise: Snappy, dictionaries, row groups of about a million."""
    try:
        import pyarrow as pa
        import pyarrow.csv
        import pyarrow.parquet
    except ImportError:
        print("pyarrow is not installed: no Parquet file", file=sys.stderr)
        return
    # Days stay text, as in the CSV file.
    convert = pa.csv.ConvertOptions(column_types={"day": pa.string()})
    read = pa.csv.ReadOptions(block_size=57_000_000)
    with pa.csv.open_csv(source, read_options=read, convert_options=convert) as batches:
        with pa.parquet.ParquetWriter(target, batches.schema) as writer:
            for batch in batches:
                writer.write_batch(batch)


def report(path, rng):
    out = [
        'tearline = 1\nid = "bench"\ntitle = "bench"\noriginator = "bench"\n',
        f'[population.people]\ntable = "{path}"\ncertain = 0.8\n',
        "[audience.public]\npublic = true\n[[protection]]\nk = 20\n",
    ]
    for detail in range(25):
        unit = rng.randrange(8)
        departments = ", ".join(f"'dep {unit * 5 + n}'" for n in sorted(rng.sample(range(5), 4)))
        levels = [
            f"unit = 'u{unit}'",
            f"department IN ({departments})",
            f"rank >= {rng.randrange(2, 4)}",
        ]
        if detail < 13:
            levels.append(f"shift <> '{rng.choice(['day', 'late', 'night'])}' AND function LIKE '%{rng.randrange(10)}'")
        elif detail < 19:
            levels.append(f"day >= '2026-{rng.randrange(2, 8):02d}-15' AND shift = 'night'")
        elif detail < 22:
            levels.append(f"score > 0.{rng.randrange(3, 8)}")
        else:
            levels[2] += f" AND hour / 8760.0 < {unit / 8 + 0.1:.4f}"
            levels.append("score < 0.9")
        out.append(f"[detail.d{detail}]\nsame_for_any_value = true\n")
        for level in range(4):
            predicate = " AND ".join(levels[: level + 1])
            if detail % 6 == 5:
                predicate = f"CASE WHEN {predicate} THEN 1 WHEN unit = 'u{(unit + 1) % 8}' THEN 0.{9 - 2 * level} ELSE 0 END"
            out.append(f'[[detail.d{detail}.level]]\ntext = "{level}"\nknown_to = """{predicate}"""\n')
    return "\n".join(out)


main()
