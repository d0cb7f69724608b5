#!/usr/bin/env python3
"""Says why a solution misses events and where its false ones come from.

    failures.py SET SOLUTION [--show N]

A required event that was missed is `unassigned` (most of its detections belong to nothing), `merged`
(most of them went to an event that is another true one), `chimera` (to an event that is none), `moved`
(the event that has most of them is too far away in place or time), or `doubtful` (found, with a probability
below 0.5). A false event is `twin` (most of its detections are of one true event that was matched by
another), `moved` (of one true event that was not matched), `mixed` (of several) or `noise`.
"""
import argparse, collections, csv, json, math, os, subprocess, sys, tempfile


def rows(path):
    with open(path, newline="") as f:
        return list(csv.DictReader(f))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("set")
    p.add_argument("solution")
    p.add_argument("--show", type=int, default=0)
    p.add_argument("--min-det", type=int, default=4)
    a = p.parse_args()
    truth = {r["event"]: r for r in rows(os.path.join(a.set, "truth.csv"))}
    owner = {r["det"]: r["event"] for r in rows(os.path.join(a.set, "truth_assoc.csv")) if r["det"][0] == "D"}
    events = {r["event"]: r for r in rows(os.path.join(a.solution, "events.csv"))}
    mine = collections.defaultdict(list)
    of = {}
    for r in rows(os.path.join(a.solution, "assoc.csv")):
        if r["det"][0] == "D":
            mine[r["event"]].append(r["det"])
            of[r["det"]] = r["event"]
    theirs = collections.defaultdict(list)
    for d, e in owner.items():
        if e:
            theirs[e].append(d)

    def apart(t, s):
        dt = float(s["t_s"]) - float(t["t_s"])
        if "x_km" in s:
            return dt, math.hypot(float(s["x_km"]) - float(t["x_km"]), float(s["y_km"]) - float(t["y_km"]))
        north = (float(s["lat"]) - float(t["lat"])) * 111.2
        return dt, math.hypot((float(s["lon"]) - float(t["lon"])) * 111.32 * math.cos(math.radians(float(t["lat"]))), north)

    # Greedy matching by cost is enough to sort failures into kinds.
    by_time = sorted(events.values(), key=lambda s: float(s["t_s"]))
    pairs = []
    for e, t in truth.items():
        for s in by_time:
            if float(s["t_s"]) - float(t["t_s"]) > 1:
                break
            if float(s["t_s"]) - float(t["t_s"]) < -1:
                continue
            dt, dx = apart(t, s)
            if abs(dt) <= 1 and dx <= 1.5:
                pairs.append((int(t["n_det"]) < a.min_det, abs(dt) + dx / 1.5, e, s["event"]))
    match, back = {}, {}
    for _, _, e, s in sorted(pairs):
        if e not in match and s not in back:
            match[e], back[s] = s, e
    why, example = collections.Counter(), {}
    for e, t in truth.items():
        n = int(t["n_det"])
        if n < a.min_det:
            continue
        if e in match and float(events[match[e]].get("prob", 1)) >= 0.5:
            continue
        takers = collections.Counter(of.get(d) for d in theirs[e])
        best, count = takers.most_common(1)[0]
        if e in match:
            kind = "doubtful"
        elif best is None:
            kind = "unassigned"
        else:
            dets = collections.Counter(owner.get(d) for d in mine[best])
            kind = "moved" if dets.most_common(1)[0][0] == e else "merged" if best in back else "chimera"
        why[(kind, t["type"], t["role"])] += 1
        example.setdefault(kind, []).append((e, n, t["type"], t["role"], t["t_s"], {str(k): v for k, v in takers.most_common(4)},
                                             [round(v, 2) for v in apart(t, events[best])] if best else None, t["crlb_m"]))
    false, sample = collections.Counter(), {}
    for s, r in events.items():
        if s in back or float(r.get("prob", 1)) < 0.5:
            continue
        dets = collections.Counter(owner.get(d) for d in mine[s])
        top, count = dets.most_common(1)[0] if dets else ("", 0)
        if not dets or top in ("", None) and count * 2 >= len(mine[s]):
            kind, kind_of = "noise", "-"
        elif top and count * 2 >= len(mine[s]):
            kind, kind_of = ("twin" if top in match else "moved"), truth[top]["type"] + "/" + truth[top]["role"]
        else:
            top = next((k for k, _ in dets.most_common() if k), None)
            kind, kind_of = "mixed", truth[top]["type"] + "/" + truth[top]["role"] if top else "-"
        false[(kind, kind_of)] += 1
        sample.setdefault(kind, []).append((s, r.get("prob"), r["t_s"], len(mine[s]), dict(dets.most_common(4)),
                                            [round(v, 2) for v in apart(truth[top], r)] if top else None))
    print("missed:", sum(why.values()), "false:", sum(false.values()))
    for k, v in why.most_common():
        print(f"  missed {v:5d}  {' '.join(k)}")
    for k, v in false.most_common():
        print(f"  false  {v:5d}  {' '.join(k)}")
    for name, table in (("missed", example), ("false", sample)):
        for kind, items in table.items():
            for item in items[: a.show]:
                print(name, kind, *item)


if __name__ == "__main__":
    main()
