"""Writes metrics.json: rankings with the values of trec_eval's measures, worked
out in exact fractions by another program than the one under test.

As trec_eval does, a run is sorted by score and, where scores tie, by the name of
the document, last first; documents that are not judged, and grades below 1, are
not relevant; gains are linear; the ideal ranking is over all that was judged.
"""

import json
import math
import random
from fractions import Fraction

random.seed(20261121)
DOCS = [f"d{i:02}" for i in range(30)]


def reference(run, qrels):
    order = [d for d, _ in sorted(run.items(), key=lambda x: (x[1], x[0]), reverse=True)]
    grade = [max(qrels.get(d, 0), 0) for d in order]
    ideal = sorted((g for g in qrels.values() if g > 0), reverse=True)
    out = {}
    for k in (1, 3, 5, 10, 20, 100):
        hits = sum(1 for g in grade[:k] if g)
        out[f"precision@{k}"] = float(Fraction(hits, k))
        out[f"recall@{k}"] = float(Fraction(hits, len(ideal)))
        out[f"success@{k}"] = 1.0 if hits else 0.0
        dcg = math.fsum(g / math.log2(i + 2) for i, g in enumerate(grade[:k]))
        best = math.fsum(g / math.log2(i + 2) for i, g in enumerate(ideal[:k]))
        out[f"ndcg@{k}"] = dcg / best
        first = next((i for i, g in enumerate(grade[:k]) if g), None)
        out[f"mrr@{k}"] = 0.0 if first is None else float(Fraction(1, first + 1))
    precisions = [Fraction(sum(1 for g in grade[: i + 1] if g), i + 1) for i, g in enumerate(grade) if g]
    out["map"] = float(sum(precisions, Fraction(0)) / len(ideal))
    first = next((i for i, g in enumerate(grade) if g), None)
    out["mrr"] = 0.0 if first is None else float(Fraction(1, first + 1))
    return order, out


cases = []
for n in range(40):
    found = random.sample(DOCS, random.randint(0, len(DOCS)))
    steps = random.choice([2, 5, 1000])  # few steps: many ties
    run = {d: random.randint(0, steps) for d in found}
    judged = random.sample(DOCS, random.randint(1, 20))
    qrels = {d: random.choice([-1, 0, 0, 1, 1, 2, 3]) for d in judged}
    if not any(g > 0 for g in qrels.values()):
        qrels[judged[0]] = random.randint(1, 3)
    order, want = reference(run, qrels)
    cases.append({"ranking": order, "qrels": qrels, "want": want})

with open("metrics.json", "w") as f:
    json.dump(cases, f, indent=0, sort_keys=True)
    f.write("\n")
