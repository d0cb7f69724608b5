#!/usr/bin/env python3
"""Runs one peer on one data set, in the peer's own environment.

    peers.py {pyocto,gamma,dbscan} SET OUT [--t-max S] [--config JSON]

Writes OUT/events.csv, OUT/assoc.csv and OUT/summary.json (detections, CPU seconds of the
algorithm alone, configuration). None of the peers has an input for wind, level or back-azimuth: on
a front each gets a constant speed of sound, the one at the mean forecast temperature.
"""
import argparse, csv, json, math, os, time

import numpy as np


def read(path):
    with open(path, newline="") as f:
        return list(csv.DictReader(f))


class Set:
    """Stations and picks of a set: kilometres, seconds."""

    def __init__(self, folder, t_max):
        self.stations = read(os.path.join(folder, "stations.csv"))
        self.at = {s["station"]: (float(s["x_km"]), float(s["y_km"]), float(s["elev_m"]) / 1e3) for s in self.stations}
        self.seismic = os.path.exists(os.path.join(folder, "picks.csv"))
        picks = read(os.path.join(folder, "picks.csv" if self.seismic else "detections.csv"))
        self.picks = [(p["det"], p["station"], float(p["t_s"]), p.get("phase", "P")) for p in picks
                      if t_max is None or float(p["t_s"]) < t_max]
        self.speed = 6.0
        if not self.seismic:
            met = read(os.path.join(folder, "met.csv"))
            temp = sum(float(m["temp_c"]) for m in met) / len(met)
            self.speed = 0.3313 * math.sqrt(1 + temp / 273.15)


def pyocto_run(data, config):
    import pandas as pd
    import pyocto

    c = dict(config)
    xs, ys = [a[0] for a in data.at.values()], [a[1] for a in data.at.values()]
    margin = c.pop("margin")
    model = pyocto.VelocityModel0D(
        p_velocity=c.pop("p_velocity", data.speed), s_velocity=c.pop("s_velocity", data.speed / 1.73),
        tolerance=c.pop("tolerance"), association_cutoff_distance=c.pop("association_cutoff", None))
    octo = pyocto.OctoAssociator(
        xlim=(min(xs) - margin, max(xs) + margin), ylim=(min(ys) - margin, max(ys) + margin),
        velocity_model=model, n_threads=1, **c)
    stations = pd.DataFrame([dict(id=k, x=v[0], y=v[1], z=-v[2]) for k, v in data.at.items()])
    picks = pd.DataFrame([dict(station=s, time=t, phase=ph) for _, s, t, ph in data.picks])
    start = time.process_time()
    events, assignments = octo.associate(picks, stations)
    cpu = time.process_time() - start
    rows = [(f"P{int(e['idx'])}", e["time"], e["x"], e["y"]) for _, e in events.iterrows()] if len(events) else []
    pairs = [(data.picks[int(a["pick_idx"])][0], f"P{int(a['event_idx'])}") for _, a in assignments.iterrows()] if len(events) else []
    return rows, pairs, cpu


def gamma_run(data, config):
    import datetime
    import pandas as pd
    from gamma.utils import association

    epoch = datetime.datetime(2026, 1, 1)
    xs, ys = [a[0] for a in data.at.values()], [a[1] for a in data.at.values()]
    margin = config["margin"]
    settings = {k: v for k, v in config.items() if k != "margin"}
    settings["x(km)"] = (min(xs) - margin, max(xs) + margin)
    settings["y(km)"] = (min(ys) - margin, max(ys) + margin)
    settings.setdefault("vel", {"p": data.speed, "s": data.speed / 1.73})
    settings["bfgs_bounds"] = tuple(tuple(settings[d]) for d in settings["dims"]) + ((None, None),)
    settings["ncpu"] = 1
    stations = pd.DataFrame([{"id": k, "x(km)": v[0], "y(km)": v[1], "z(km)": -v[2]} for k, v in data.at.items()])
    picks = pd.DataFrame([dict(id=s, timestamp=epoch + datetime.timedelta(seconds=t), type=ph.lower(), prob=1.0, amp=1.0)
                          for _, s, t, ph in data.picks])
    start = time.process_time()
    events, assignments = association(picks, stations, settings, method=settings["method"])
    cpu = time.process_time() - start
    rows = []
    for e in events:
        t = e["time"]
        t = datetime.datetime.fromisoformat(t) if isinstance(t, str) else t
        rows.append((f"G{e['event_index']}", (t - epoch).total_seconds(), e["x(km)"], e["y(km)"]))
    pairs = [(data.picks[int(p)][0], f"G{e}") for p, e, *_ in assignments if e >= 0]
    return rows, pairs, cpu


def dbscan_run(data, config):
    """Clusters of picks near in place and time, each located from its own times."""
    from scipy.optimize import least_squares
    from sklearn.cluster import DBSCAN

    start = time.process_time()
    points = np.array([(*data.at[s][:2], t * data.speed) for _, s, t, _ in data.picks])
    labels = DBSCAN(eps=config["eps_km"], min_samples=config["min_samples"]).fit_predict(points)
    rows, pairs = [], []
    for label in range(labels.max() + 1):
        inside = np.nonzero(labels == label)[0]
        first = {}
        for i in inside:
            first.setdefault(data.picks[i][1], i)
        use = list(first.values())
        if len(use) < 4:
            continue
        xy, t = points[use, :2], np.array([data.picks[i][2] for i in use])

        def residual(v):
            return (v[2] + t.min() + np.hypot(xy[:, 0] - v[0], xy[:, 1] - v[1]) / data.speed - t) / 0.1

        fit = least_squares(residual, [*xy[t.argmin()], -1.0], loss="soft_l1", max_nfev=100)
        rows.append((f"C{label}", fit.x[2] + t.min(), fit.x[0], fit.x[1]))
        pairs += [(data.picks[i][0], f"C{label}") for i in inside]
    return rows, pairs, time.process_time() - start


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("peer", choices=["pyocto", "gamma", "dbscan"])
    p.add_argument("set")
    p.add_argument("out")
    p.add_argument("--t-max", type=float)
    p.add_argument("--config", required=True)
    a = p.parse_args()
    data, config = Set(a.set, a.t_max), json.loads(a.config)
    rows, pairs, cpu = dict(pyocto=pyocto_run, gamma=gamma_run, dbscan=dbscan_run)[a.peer](data, config)
    os.makedirs(a.out, exist_ok=True)
    with open(os.path.join(a.out, "events.csv"), "w") as f:
        f.write("event,t_s,x_km,y_km\n" + "".join("%s,%.4f,%.5f,%.5f\n" % r for r in rows))
    with open(os.path.join(a.out, "assoc.csv"), "w") as f:
        f.write("det,event\n" + "".join("%s,%s\n" % r for r in pairs))
    json.dump(dict(detections=len(data.picks), cpu_seconds=cpu, config=config), open(os.path.join(a.out, "summary.json"), "w"))


if __name__ == "__main__":
    main()
