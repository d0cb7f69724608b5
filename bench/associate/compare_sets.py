#!/usr/bin/env python3
"""Compares sets made by `truceline simulate` with reference sets of the same scenario, figure by figure.

    compare_sets.py REFERENCE[,REFERENCE...] SET[,SET...]

Prints Markdown: for each figure the mean of the references and the mean and range of the sets. Needs
numpy. The residuals are those of arrival times against the truth and the forecast, after the wind error
of each 50 km and hour was fitted away.
"""
import csv, json, os, sys

import numpy as np

A, F = 6378137.0, 1 / 298.257223563
E2 = F * (2 - F)


def ecef(lat, lon, height=0.0):
    p, l = np.radians(lat), np.radians(lon)
    n = A / np.sqrt(1 - E2 * np.sin(p) ** 2)
    return np.stack([(n + height) * np.cos(p) * np.cos(l), (n + height) * np.cos(p) * np.sin(l), (n * (1 - E2) + height) * np.sin(p)], -1)


def columns(path):
    with open(path, newline="") as f:
        rows = list(csv.reader(f))
    out = {}
    for i, name in enumerate(rows[0]):
        cells = [r[i] for r in rows[1:]]
        try:
            out[name] = np.array([float(c) if c else np.nan for c in cells])
        except ValueError:
            out[name] = np.array(cells)
    return out


def scatter(v):
    return 1.4826 * np.median(np.abs(v - np.median(v))) if len(v) > 30 else np.nan


def figures(folder):
    read = lambda name: columns(os.path.join(folder, name))
    meta = json.load(open(os.path.join(folder, "meta.json")))
    truth, stations, det, owner, met = read("truth.csv"), read("stations.csv"), read("detections.csv"), read("truth_assoc.csv"), read("met.csv")
    at_event = {e: i for i, e in enumerate(truth["event"])}
    at_station = {s: i for i, s in enumerate(stations["station"])}
    acoustic = np.array([d[0] == "D" for d in owner["det"]])
    event = np.array([at_event.get(e, -1) for e in owner["event"][acoustic]])
    order = np.array([int(d[1:]) for d in owner["det"][acoustic]])
    of = np.empty(len(event), int)
    of[order] = event
    st = np.array([at_station[s] for s in det["station"]])
    real = of >= 0
    e, s = of[real], st[real]
    km = np.linalg.norm(ecef(truth["lat"][e], truth["lon"][e]) - ecef(stations["lat"][s], stations["lon"][s], stations["elev_m"][s]), axis=1) / 1e3
    dx, dy = stations["x_km"][s] - truth["x_km"][e], stations["y_km"][s] - truth["y_km"][e]
    flat = np.hypot(dx, dy)
    ux, uy = dx / flat, dy / flat
    # Forecast, linear along the line and in time.
    ys = np.unique(met["y_km"])
    ts = np.unique(met["t_s"])
    grid = {c: np.array([[met[c][(met["y_km"] == y) & (met["t_s"] == t)][0] for t in ts] for y in ys]) for c in ("wind_e", "wind_n", "temp_c")}
    y, t = np.clip((stations["y_km"][s] + truth["y_km"][e]) / 2, ys[0], ys[-1]), truth["t_s"][e]
    i, j = np.clip(np.searchsorted(ys, y) - 1, 0, len(ys) - 2), np.clip(np.searchsorted(ts, t) - 1, 0, len(ts) - 2)
    a, b = (y - ys[i]) / (ys[i + 1] - ys[i]), (t - ts[j]) / (ts[j + 1] - ts[j])
    value = lambda g: (1 - a) * ((1 - b) * g[i, j] + b * g[i, j + 1]) + a * ((1 - b) * g[i + 1, j] + b * g[i + 1, j + 1])
    we, wn, temp = (value(grid[c]) for c in ("wind_e", "wind_n", "temp_c"))
    c = 331.3 * np.sqrt(1 + temp / 273.15)
    along = we * ux + wn * uy
    residual = det["t_s"][real] - t - km * 1e3 / (c + along)
    tau, snr = km * 1e3 / c, det["snr_db"][real]
    cell = np.floor(truth["y_km"][e] / 50).astype(int) * 10000 + (t // 3600).astype(int)
    rest = np.full(len(residual), np.nan)
    wind = []
    for k in np.unique(cell):
        g = np.nonzero(cell == k)[0]
        if len(g) < 40:
            continue
        design = np.stack([-tau[g] / c[g] * ux[g], -tau[g] / c[g] * uy[g], -tau[g] / c[g]], 1)
        weight, prior = 1 / (0.1**2 + (0.004 * tau[g]) ** 2), np.diag([1 / 1.5**2, 1 / 1.5**2, 1 / 0.6**2])
        for _ in range(12):
            fit = np.linalg.solve(design.T * weight @ design + prior, design.T * weight @ residual[g])
            r = residual[g] - design @ fit
            var = 0.07**2 + (0.003 * tau[g]) ** 2
            weight = 1 / var / (1 + r**2 / var / 3)
        rest[g] = r
        wind += list(fit[:2])
    floor = np.full(len(stations["station"]), np.nan)
    for k in np.unique(st[~real]):
        floor[k] = np.mean((det["amp_db"] - det["snr_db"])[(st == k) & ~real])
    level = truth["level_db"][e] - 20 * np.log10(km) - 0.6 * km
    far = (level - floor[s] > 14) & (km > 6)
    slope, offset = np.polyfit(along[far], (det["amp_db"][real] - level)[far], 1)
    false_by = np.bincount(st[~real], minlength=len(floor))
    bound = truth["crlb_m"][np.isfinite(truth["crlb_m"])]
    out = {
        "detections per event": np.mean(truth["n_det"]), "events with 4 or more": np.mean(truth["n_det"] >= 4),
        "bound, median, m": np.median(bound), "bound, 90 %, m": np.quantile(bound, 0.9),
        "distance, median, km": np.median(km), "distance, 95 %, km": np.quantile(km, 0.95),
        "SNR 10 %, dB": np.quantile(snr, 0.1), "SNR median, dB": np.median(snr), "SNR 90 %, dB": np.quantile(snr, 0.9),
        "level at sensor, median, dB": np.median(det["amp_db"][real]), "level scatter beyond 6 km, dB": np.std((det["amp_db"][real] - level)[far] - slope * along[far] - offset),
        "dB per m/s of wind beyond 6 km": slope, "noise floor, mean, dB": np.nanmean(floor), "noise floor, sd, dB": np.nanstd(floor),
        "false alarms per sensor-hour": np.sum(~real) / len(floor) / meta["hours"], "false alarms, sd over mean": np.std(false_by) / np.mean(false_by),
        "SNR of false alarms, median, dB": np.median(det["snr_db"][~real]), "wind error, sd, m/s": np.std(wind), "residual > 0.5 s": np.nanmean(rest > 0.5),
        "residual > 1 s": np.nanmean(rest > 1.0),
    }
    for low, high in ((6, 10), (10, 14), (14, 18), (18, 25), (25, 60)):
        out[f"residual at SNR {low}-{high} dB, s"] = scatter(rest[(snr > low) & (snr <= high) & (tau < 20) & np.isfinite(rest)])
    for low, high in ((2, 10), (10, 20), (20, 30), (30, 50)):
        out[f"residual at {low}-{high} s of travel, s"] = scatter(rest[(snr > 20) & (tau > low) & (tau <= high) & np.isfinite(rest)])
    return out


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    reference, sets = ([figures(f) for f in arg.split(",")] for arg in sys.argv[1:])
    print("| figure | reference | made here, mean | least | most |\n| --- | ---: | ---: | ---: | ---: |")
    for key in reference[0]:
        want, have = [r[key] for r in reference], [r[key] for r in sets]
        places = 3 if abs(np.nanmean(want)) < 10 else 1
        print(f"| {key} | " + " | ".join(f"{v:.{places}f}" for v in (np.nanmean(want), np.nanmean(have), np.nanmin(have), np.nanmax(have))) + " |")


if __name__ == "__main__":
    main()
