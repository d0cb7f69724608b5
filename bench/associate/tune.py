#!/usr/bin/env python3
"""Tunes a peer on a development set, one parameter after the other, twice round.

    tune.py {pyocto,gamma,dbscan} SET SPAN_S KEY [--limit CPU_S]

A peer that is quoted must have been given its best configuration. The best one by F1 is written to
peers.json under KEY; configurations that take more than --limit CPU seconds are not usable and
count as nothing. Run with the peer's own python.
"""
import argparse, json, os, resource, subprocess, sys, tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
START = {
    "pyocto": dict(margin=15, tolerance=0.2, association_cutoff=12, zlim=[-0.3, 0.0], time_before=60, min_node_size=0.2,
                   min_node_size_location=0.05, pick_match_tolerance=0.2, min_interevent_time=0.2, n_picks=8, n_p_picks=8,
                   n_s_picks=0, n_p_and_s_picks=0, time_slicing=300, min_pick_fraction=0.4, refinement_iterations=3),
    "gamma": {"margin": 15, "z(km)": [0.0, 0.001], "dims": ["x(km)", "y(km)"], "use_dbscan": True, "use_amplitude": False, "method": "BGMM",
              "oversample_factor": 4, "dbscan_eps": 10, "dbscan_min_samples": 3, "min_picks_per_eq": 4, "max_sigma11": 0.5,
              "max_sigma22": 1.0, "max_sigma12": 1.0},
    "dbscan": dict(eps_km=8, min_samples=4),
}
GRID = {
    "pyocto": dict(tolerance=[0.05, 0.1, 0.15, 0.3], n_picks=[5, 6, 7, 10], association_cutoff=[15, 20, 30], pick_match_tolerance=[0.15, 0.25, 0.3],
                   min_node_size=[0.1, 0.15, 0.3, 0.5], min_pick_fraction=[0.25, 0.3, 0.5, 0.6], min_node_size_location=[0.02, 0.1, 0.2],
                   min_interevent_time=[0.1, 0.5, 1.0], refinement_iterations=[2, 6], margin=[5]),
    "gamma": {"dbscan_eps": [5, 10, 25], "oversample_factor": [4, 8], "max_sigma11": [0.2, 0.5, 2.0]},
    "dbscan": dict(eps_km=[6, 8, 10, 12, 15, 20, 25, 30], min_samples=[3, 4, 5]),
}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("peer", choices=sorted(GRID))
    p.add_argument("set")
    p.add_argument("span", type=float)
    p.add_argument("key")
    p.add_argument("--limit", type=int, default=60)
    p.add_argument("--truceline", default="target/release/truceline")
    a = p.parse_args()
    path = os.path.join(HERE, "peers.json")
    known = json.load(open(path)).get(a.key, {}).get(a.peer) if os.path.exists(path) else None
    best, best_f1, seen = dict(known["config"] if known else START[a.peer]), -1.0, {}

    def f1(config):
        key = json.dumps(config, sort_keys=True)
        if key not in seen:
            with tempfile.TemporaryDirectory() as out:
                limit = lambda: resource.setrlimit(resource.RLIMIT_CPU, (a.limit, a.limit))
                done = subprocess.run([sys.executable, os.path.join(HERE, "peers.py"), a.peer, a.set, out, "--t-max", str(a.span), "--config", key],
                                      preexec_fn=limit, capture_output=True)
                if done.returncode:
                    seen[key] = -1.0
                    return -1.0
                score = os.path.join(out, "score.json")
                subprocess.run([a.truceline, "simulate", "score", a.set, out, "--t-max", str(a.span), "--json", score], check=True, stdout=subprocess.DEVNULL)
                cpu = json.load(open(os.path.join(out, "summary.json")))["cpu_seconds"]
                seen[key] = json.load(open(score))["f1"]
                print(f"{seen[key]:.3f} {cpu:7.1f} s  {key}", flush=True)
        return seen[key]

    best_f1 = f1(best)
    for _ in range(2):
        before = best_f1
        for name, values in GRID[a.peer].items():
            for value in values:
                config = {**best, name: value}
                if name == "n_picks":
                    config["n_p_picks"] = value
                got = f1(config)
                if got > best_f1:
                    best, best_f1 = config, got
        if best_f1 == before:
            break
    table = json.load(open(path)) if os.path.exists(path) else {}
    table.setdefault(a.key, {})[a.peer] = dict(config=best, development_f1=round(best_f1, 4), tried=len(seen))
    json.dump(table, open(path, "w"), indent=1, sort_keys=True)
    print("best", best_f1, best)


if __name__ == "__main__":
    main()
