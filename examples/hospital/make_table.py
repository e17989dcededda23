"""Makes airports.csv: real airports with invented systems, for the example report beside this script.

    pip download --no-deps airportsdata==20260905 && unzip airportsdata-*.whl
    python3 make_table.py airportsdata/airports.csv > airports.csv

id, name, continent, country and state come from the package (see SOURCES.md). All other columns are INVENTED:
they are drawn from a hash of the id, so that the same input gives the same bytes everywhere.
"""

import csv
import hashlib
import sys

# Continents by the area of the time zone; "America" is split by country. A country lies on one continent only.
AREAS = {
    "Africa": "Africa",
    "Asia": "Asia",
    "Atlantic": "Europe",
    "Australia": "Oceania",
    "Europe": "Europe",
    "Indian": "Africa",
    "Pacific": "Oceania",
}
SOUTH_AMERICA = set("AR BO BR CL CO EC FK GF GY PE PY SR UY VE".split())
EXCEPTIONS = {"US": "North America", "CV": "Africa", "SH": "Africa", "CL": "South America", "FK": "South America"}
EXCEPTIONS |= {"EC": "South America", "BM": "North America", "RU": "Europe"}
EXCEPTIONS |= {"MV": "Asia", "IO": "Asia", "CC": "Oceania", "CX": "Oceania"}

LANGUAGES = {
    "Spanish": "AR BO CL CO CR CU DO EC ES GT HN MX NI PA PE PY SV UY VE",
    "Portuguese": "AO BR CV MZ PT ST",
    "French": "BF BJ CD CF CG CI CM DZ FR GA GF GN GP HT MA MG ML MQ NC NE PF RE SN TD TG TN",
    "Italian": "IT SM",
    "German": "AT DE",
    "Dutch": "NL SR",
    "Swedish": "SE",
    "Norwegian": "NO",
    "Russian": "BY KG KZ RU",
    "Polish": "PL",
    "Arabic": "AE BH EG IQ JO KW LB LY OM QA SA SD SY YE",
    "Chinese": "CN HK MO TW",
    "Japanese": "JP",
    "Indonesian": "ID",
}
LANGUAGE_OF = {country: language for language, countries in LANGUAGES.items() for country in countries.split()}
FAMILIES = {"Romance": "Spanish Portuguese French Italian", "Germanic": "English German Dutch Swedish Norwegian"}
FAMILIES |= {"Slavic": "Russian Polish", "Asian": "Chinese Japanese Indonesian", "Semitic": "Arabic"}
FAMILY_OF = {language: family for family, languages in FAMILIES.items() for language in languages.split()}

# class, product, shares of the product, versions with shares
PRODUCTS = [
    ("remote access gateway", "Fernpass", 30, {"8.1": 10, "8.2": 15, "9.0": 30, "9.1": 45}),
    ("remote access gateway", "Tollbar", 18, {"3.4": 30, "3.5": 45, "4.0": 25}),
    ("mail server", "Postillion", 25, {"11.2": 20, "12.0": 35, "12.1": 45}),
    ("mail server", "Quillmail", 12, {"2.6": 40, "2.7": 60}),
    ("file transfer service", "Carrydrop", 10, {"5.0": 50, "5.1": 50}),
    ("file transfer service", "Haulway", 5, {"1.8": 60, "1.9": 40}),
]
# ISO weeks of 2026 that lie in one month, and that month
WEEKS = {6: "02", 7: "02", 8: "02", 10: "03", 11: "03", 12: "03", 13: "03", 15: "04", 16: "04", 17: "04"}


def draw(row_id, what, shares):
    """One of the keys of `shares`, with the odds that its values state; always the same for the same id."""
    number = int.from_bytes(hashlib.sha256(f"tearline example {what} {row_id}".encode()).digest()[:8], "big")
    number %= sum(shares.values())
    for key, share in shares.items():
        if number < share:
            return key
        number -= share
    raise AssertionError("the shares add up")


def invented(row_id, country):
    index = draw(row_id, "product", {i: share for i, (_, _, share, _) in enumerate(PRODUCTS)})
    kind, product, _, versions = PRODUCTS[index]
    version = draw(row_id, "version", versions)
    own = LANGUAGE_OF.get(country, "English")
    language = draw(row_id, "language", {own: 75, "English": 25} if own != "English" else {"English": 1})
    week = draw(row_id, "week", {week: 1 + (5 < i < 9) for i, week in enumerate(WEEKS)})
    return [kind, product, f"{product} {version.split('.')[0]}", f"{product} {version}",
            FAMILY_OF[language], language, f"2026-{WEEKS[week]}", f"2026-W{week:02}"]


def continent(row):
    area = row["tz"].split("/")[0]
    if row["country"] in EXCEPTIONS:
        return EXCEPTIONS[row["country"]]
    if area == "America":
        return "South America" if row["country"] in SOUTH_AMERICA else "North America"
    return AREAS.get(area)


def main():
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow("id name continent country state class product major version family language month week".split())
    with open(sys.argv[1], encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["iata"] and row["subd"] and continent(row)]
    for row in sorted(rows, key=lambda row: row["iata"]):
        state = f"{row['subd']}, {row['country']}"
        out.writerow([row["iata"], row["name"], continent(row), row["country"], state,
                      *invented(row["iata"], row["country"])])
    # The victim of the story is no real airport.
    out.writerow(["ZZ9", "Example Regional Airport (invented)", "North America", "CA", "British Columbia, CA",
                  "remote access gateway", "Fernpass", "Fernpass 9", "Fernpass 9.0",
                  "Germanic", "English", "2026-04", "2026-W15"])


main()
