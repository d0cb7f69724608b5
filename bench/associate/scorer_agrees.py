#!/usr/bin/env python3
"""Checks that `truceline simulate score` and another scorer of the same rules agree.

    scorer_agrees.py SCORER.py SET [SET ...] [--truceline target/release/truceline]

For each data set, made-up solutions of several qualities (rounds missed, moved, split, invented,
with and without probabilities, in degrees and on the plane) are written to a temporary folder and
scored by both. Every figure must be the same to four decimals. Needs numpy and scipy for SCORER.py.
"""
import argparse, csv, json, math, os, random, subprocess, sys, tempfile


def rows(path):
    with open(path, newline="") as f:
        return list(csv.DictReader(f))


def solution(truth_dir, out, seed, degrees):
    """A solution that is wrong in many ways."""
    rnd = random.Random(seed)
    truth = rows(os.path.join(truth_dir, "truth.csv"))
    of = {}
    for r in rows(os.path.join(truth_dir, "truth_assoc.csv")):
        of.setdefault(r["event"], []).append(r["det"])
    free = of.pop("", [])
    events, assoc = [], []
    for t in truth:
        n = int(t["n_det"])
        if rnd.random() < (0.7 if n < 4 else 0.15):
            continue
        for copy in range(2 if rnd.random() < 0.05 else 1):
            name = f"X{len(events)}"
            far = rnd.choice([0.03, 0.03, 0.2, 1.2])
            dets = [d for d in of.get(t["event"], []) if d[0] == "D" and rnd.random() < 0.9]
            dets += rnd.sample(free, min(len(free), rnd.randint(0, 3)))
            c = rnd.uniform(200, 4000)
            events.append([name, float(t["t_s"]) + rnd.gauss(0, 0.3), float(t["x_km"]) + rnd.gauss(0, far),
                           float(t["y_km"]) + rnd.gauss(0, far), rnd.betavariate(5, 1), t.get("type", "x") if rnd.random() < 0.8 else "other",
                           float(t.get("level_db") or 0) + rnd.gauss(0, 2), c, rnd.uniform(-100, 100), c * rnd.uniform(.5, 2),
                           float(t["t_s"]) + rnd.uniform(20, 100)])
            assoc += [(d, name) for d in dets]
            assoc += [(d, name) for d in of.get(t["event"], []) if d[0] in "TR" and rnd.random() < 0.7]
    for _ in range(len(truth) // 8):
        t = rnd.choice(truth)
        events.append([f"X{len(events)}", float(t["t_s"]) + rnd.uniform(-200, 200), float(t["x_km"]) + rnd.gauss(0, 5),
                       float(t["y_km"]) + rnd.gauss(0, 5), rnd.betavariate(1, 2), "mortar", 100, 1000, 0, 1000, float(t["t_s"]) + 99])
    rnd.shuffle(assoc)
    os.makedirs(out, exist_ok=True)
    with open(os.path.join(out, "events.csv"), "w") as f:
        f.write("event,t_s,%s,prob,type,level_db,c_xx,c_xy,c_yy,t_emit\n" % ("lat,lon" if degrees else "x_km,y_km"))
        for e in events:
            # Near 49 N 37 E, only to exercise the projection: a few metres off is no matter here.
            if degrees:
                lat = 49 + e[3] / 111.2
                e = e[:2] + [lat, 37 + e[2] / (111.32 * math.cos(math.radians(lat)))] + e[4:]
            f.write(",".join(str(round(v, 7)) if isinstance(v, float) else str(v) for v in e) + "\n")
    with open(os.path.join(out, "assoc.csv"), "w") as f:
        f.write("det,event\n" + "".join(f"{d},{e}\n" for d, e in assoc))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("scorer")
    p.add_argument("sets", nargs="+")
    p.add_argument("--truceline", default="target/release/truceline")
    a = p.parse_args()
    bad = checked = 0
    for truth in a.sets:
        for seed, degrees in ((1, False), (2, False), (3, True)):
            with tempfile.TemporaryDirectory() as tmp:
                solution(truth, tmp, seed, degrees)
                ours, theirs = os.path.join(tmp, "ours.json"), os.path.join(tmp, "theirs.json")
                subprocess.run([a.truceline, "simulate", "score", truth, tmp, "--json", ours], check=True, stdout=subprocess.DEVNULL)
                subprocess.run([sys.executable, a.scorer, truth, tmp, "--json", theirs], check=True, stdout=subprocess.DEVNULL)
                ours, theirs = json.load(open(ours)), json.load(open(theirs))
                for key, want in theirs.items():
                    have = ours.get(key)
                    checked += 1
                    same = have == want if not isinstance(want, float) else have is not None and abs(have - want) < 1.01e-4
                    if isinstance(want, list):
                        # Rounded to three decimals on both sides, halves not alike.
                        same = len(have) == len(want) and all(abs(x - y) < 1.1e-3 for a_, b_ in zip(have, want) for x, y in zip(a_, b_))
                    if not same:
                        bad += 1
                        print(f"{truth} solution {seed}: {key}: ours {have}, theirs {want}")
    print(f"{checked} figures compared, {bad} differ")
    sys.exit(bad > 0)


if __name__ == "__main__":
    main()
