#!/usr/bin/env python3
"""Runs the authors' solver of seismic-2d on a set of `truceline simulate --scenario seismic-2d`.

    seismic2d.py AUTHORS SET OUT

AUTHORS is a folder with csolve.c of github.com/nimar/seismic-2d, which is compiled as it is but for the six
lines by which Python 3 loads a module otherwise than Python 2. The solver reads the true physics
(truth_performance.json of the set). Writes OUT/events.csv and OUT/assoc.csv, which
`truceline simulate score SET OUT --globe` scores, and prints detections per CPU second.
"""
import csv, importlib.util, json, os, re, subprocess, sys, sysconfig, time, types

PORT = """
static struct PyModuleDef csolve_module = {PyModuleDef_HEAD_INIT, "csolve", NULL, -1, csolve_methods};
PyMODINIT_FUNC PyInit_csolve(void) { return PyModule_Create(&csolve_module); }
"""
LISTS = {
    "mu_d": "detection", "theta_t": "time_s", "theta_z": "azimuth_deg", "theta_s": "slowness_s_deg", "mu_a": "amplitude",
    "sigma_a": "amplitude_sd", "lambda_f": "false_per_s", "mu_f": "false_amplitude", "theta_f": "false_amplitude_scale",
}


def rows(*path):
    with open(os.path.join(*path), newline="") as f:
        return list(csv.DictReader(f))


def compiled(authors, out):
    with open(os.path.join(authors, "csolve.c")) as f:
        text = f.read()
    text = re.sub(r"(?m)^#define VERBOSE$", "", text)
    text, count = re.subn(r"PyMODINIT_FUNC initcsolve.*", PORT.replace("\\", r"\\"), text, flags=re.S)
    assert count == 1, "csolve.c does not end as it is known to"
    source, library = os.path.join(out, "csolve.c"), os.path.join(out, "csolve.so")
    with open(source, "w") as f:
        f.write(text)
    include = sysconfig.get_paths()["include"]
    subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-I", include, "-o", library, source, "-lm"], check=True)
    spec = importlib.util.spec_from_file_location("csolve", library)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def physics(folder, stations, length):
    with open(os.path.join(folder, "truth_performance.json")) as f:
        world = json.load(f)
    own = {s["station"]: s for s in world["stations"]}
    p = types.SimpleNamespace(
        T=length, R=6371.0, lambda_e=world["events_per_s"], mu_m=world["magnitude_min"],
        theta_m=world["magnitude_scale"], gamma_m=world["magnitude_max"])
    for name, field in LISTS.items():
        values = [own[s["station"]][field] for s in stations]
        if isinstance(values[0], list):
            for i in range(3):
                setattr(p, f"{name}{i}", [v[i] for v in values])
        else:
            setattr(p, name, values)
    for name in ["mu_t", "mu_z", "mu_s"]:
        setattr(p, name, [0.0] * len(stations))
    return p


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    authors, folder, out = sys.argv[1:]
    os.makedirs(out, exist_ok=True)
    csolve = compiled(authors, out)
    stations = rows(folder, "stations.csv")
    index = {s["station"]: i for i, s in enumerate(stations)}
    places = [(s["station"], float(s["lon"]), float(s["lat"])) for s in stations]
    windows = [(float(w["start_s"]), float(w["end_s"])) for w in rows(folder, "windows.csv")]
    length = windows[0][1] - windows[0][0]
    world = physics(folder, stations, length)
    heard = [[] for _ in windows]
    count = at = 0
    for r in rows(folder, "arrivals.csv"):
        t = float(r["t_s"])
        while t > windows[at][1]:
            at += 1
        # A time that was rounded onto an end of the window is none for the solver.
        t = min(max(t - windows[at][0], 1e-4), length - 1e-4)
        heard[at].append((r["det"], (index[r["station"]], t, float(r["azimuth_deg"]), float(r["slowness_s_deg"]), float(r["amplitude"]))))
        count += 1
    spent = 0.0
    n = 0
    with open(os.path.join(out, "events.csv"), "w") as events, open(os.path.join(out, "assoc.csv"), "w") as assoc:
        events.write("event,t_s,lat,lon,prob,magnitude\n")
        assoc.write("det,event\n")
        for (start, _), list_ in zip(windows, heard):
            before = time.process_time()
            found, owned = csolve.solve_episode(world, places, [d for _, d in list_])
            spent += time.process_time() - before
            for (lon, lat, magnitude, t), hits in zip(found, owned):
                lon = (lon + 180.0) % 360.0 - 180.0
                events.write(f"A{n},{start + t:.3f},{lat:.5f},{lon:.5f},1,{magnitude:.2f}\n")
                for hit in hits:
                    assoc.write(f"{list_[hit][0]},A{n}\n")
                n += 1
    print(f"{count} detections, {n} events, {spent:.1f} CPU s, {count / spent:.0f} detections per CPU second")


if __name__ == "__main__":
    main()
