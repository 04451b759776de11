#!/usr/bin/env python3
"""Seconds an epoch of tutti and of PyTorch (DistributedDataParallel over gloo), on the same data, network, optimizer,
global batch and number of processes, in turns.  tests/bench/README.md tells how to read the table.

PyTorch gets what makes it fast on a CPU: one process a rank with one thread, data as float32 tensors in memory that
are indexed batch by batch (no DataLoader), gradients set to None, buckets that are the gradients' memory, and of the
optimizer's implementations (loop, foreach, fused) the one that is fastest here.  One process goes without DDP.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CASES = {  # name: hidden layers, optimizer, global batch, training samples (0: all of the file)
    "512": ([512], "rmsprop", 128, 0),
    "512-large-batch": ([512], "rmsprop", 1024, 0),
    "50-50": ([50, 50], "adam", 100, 0),
    "50-50-batch-1": ([50, 50], "adam", 1, 6000),
}
ROOT = Path(__file__).resolve().parents[2]
N_CLASSES = 10
LEARNING_RATE = 0.001
LOWEST_ACCURACY = 0.85  # of what has been trained at all


# --- PyTorch: one process of a job ------------------------------------------------------------------------------------


def read_arrays(path, part, limit):
    """Samples in [0, 1] as float32, one a row, and their classes."""
    import h5py
    import numpy

    with h5py.File(path, "r") as f:
        x, y = f["x_" + part][:], f["y_" + part][:]
    x, y = (x[:limit], y[:limit]) if limit else (x, y)
    return x.reshape(len(x), -1).astype(numpy.float32) / numpy.float32(255), y


def load(path, part, limit):
    import torch

    x, y = read_arrays(path, part, limit)
    return torch.from_numpy(x), torch.from_numpy(y).to(torch.int64)


def build(hidden, n_in, dropout=0):
    import torch

    layers, width = [], n_in
    for units in hidden:
        layers += [torch.nn.Linear(width, units), torch.nn.ReLU()] + [torch.nn.Dropout(dropout)] * (dropout > 0)
        width = units
    return torch.nn.Sequential(*layers, torch.nn.Linear(width, N_CLASSES))


def make_optimizer(name, implementation, model):
    import torch

    how = {implementation: True} if implementation != "loop" else {"foreach": False}
    if name == "rmsprop":
        return torch.optim.RMSprop(model.parameters(), lr=LEARNING_RATE, alpha=0.9, eps=1e-7, **how)
    return torch.optim.Adam(model.parameters(), lr=LEARNING_RATE, eps=1e-7, **how)


def train_steps(job, model, optimizer, order, n_steps):
    """The whole batches of `order`, and its rest; each process takes its part of them."""
    import torch

    x, y, batch, rank, size = job["x"], job["y"], job["batch"], job["rank"], job["size"]
    loss_function = torch.nn.functional.cross_entropy
    for step in range(n_steps):
        ids = order[step * batch : (step + 1) * batch]
        ids = ids[rank * len(ids) // size : (rank + 1) * len(ids) // size]
        loss = loss_function(model(x.index_select(0, ids)), y.index_select(0, ids))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()


def choose_implementation(job):
    """The fastest of the optimizer's implementations; rank 0's word counts."""
    import torch

    names = ["loop", "foreach"] + (["fused"] if job["optimizer"] == "adam" else [])
    n_steps = max(1, min(100, len(job["x"]) // job["batch"]))
    seconds = []
    for name in names:
        model = wrap(job, build(job["hidden"], job["x"].shape[1]))
        optimizer = make_optimizer(job["optimizer"], name, model)
        order = torch.arange(n_steps * job["batch"])
        train_steps(job, model, optimizer, order, min(n_steps, 10))
        start = time.perf_counter()
        train_steps(job, model, optimizer, order, n_steps)
        seconds.append(time.perf_counter() - start)
    best = torch.tensor(seconds.index(min(seconds)))
    if job["size"] > 1:
        torch.distributed.broadcast(best, 0)
    return names[int(best)]


def wrap(job, model):
    import torch

    if job["size"] == 1:
        return model
    return torch.nn.parallel.DistributedDataParallel(model, gradient_as_bucket_view=True, static_graph=True)


def worker(text):
    import torch

    job = json.loads(text)
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    torch.manual_seed(0)
    if job["size"] > 1:
        torch.distributed.init_process_group(
            "gloo", init_method="file://" + job["meeting"], rank=job["rank"], world_size=job["size"]
        )
    job["x"], job["y"] = load(job["data"], "train", job["limit"])
    implementation = choose_implementation(job)
    model = wrap(job, build(job["hidden"], job["x"].shape[1]))
    optimizer = make_optimizer(job["optimizer"], implementation, model)
    n, batch, seconds = len(job["x"]), job["batch"], []
    generator = torch.Generator().manual_seed(1)
    for _ in range(job["epochs"]):
        start = time.perf_counter()
        order = torch.randperm(n, generator=generator)
        # Each process needs samples in each step, so a rest smaller than the processes is left out.
        train_steps(job, model, optimizer, order, n // batch + (n % batch >= job["size"]))
        seconds.append(time.perf_counter() - start)
    if job["rank"] == 0:
        x, y = load(job["data"], "test", 0)
        with torch.no_grad():
            outputs = (model if job["size"] == 1 else model.module)(x)
        accuracy = (outputs.argmax(1) == y).double().mean().item()
        print(json.dumps({"seconds": seconds, "accuracy": accuracy, "note": implementation}))
    if job["size"] > 1:
        torch.distributed.barrier()
        torch.distributed.destroy_process_group()


# --- both programs ----------------------------------------------------------------------------------------------------


def run_torch(case, size, options, folder):
    hidden, optimizer, batch, limit = CASES[case]
    meeting = os.path.join(folder, "meeting-%d" % time.monotonic_ns())
    environment = dict(os.environ, OMP_NUM_THREADS="1", MKL_NUM_THREADS="1")
    processes = []
    for rank in range(size):
        job = {"hidden": hidden, "optimizer": optimizer, "batch": batch, "limit": limit, "rank": rank, "size": size}
        job.update(data=options.data, epochs=options.epochs, meeting=meeting)
        command = [sys.executable, os.path.abspath(__file__), "--worker", json.dumps(job)]
        processes.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment))
    outputs = [p.communicate()[0] for p in processes]
    if any(p.returncode for p in processes):
        sys.exit("PyTorch failed, see above")
    return json.loads(outputs[0])


def start_tutti(command, size, options):
    """What a command of tutti prints on so many ranks, as CompletedProcess."""
    environment = dict(os.environ, OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1")
    if os.geteuid() == 0:
        environment.update(OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
    command = [options.mpirun, "-n", str(size)] + options.mpirun_options.split() + [options.tutti] + command
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode:
        sys.exit("%s\n%s" % (" ".join(command), done.stderr))
    return done


def run_tutti(case, size, options, folder):
    import h5py

    hidden, optimizer, batch, limit = CASES[case]
    run = os.path.join(folder, "run")
    layers = ["dense %d relu" % units for units in hidden] + ["dense %d softmax" % N_CLASSES]
    keys = {
        "data.file": options.data, "data.limit_train": limit, "model.layers": ", ".join(layers),
        "optimizer.name": optimizer, "optimizer.learning_rate": LEARNING_RATE, "train.batch_size": batch,
        "train.epochs": options.epochs, "parallel.threads": 1, "run.directory": run, "run.resume": "no",
    }  # fmt: skip
    done = start_tutti(["train"] + ["--%s=%s" % item for item in keys.items()], size, options)
    results = dict(line.split(" ", 1) for line in done.stdout.splitlines())
    with h5py.File(os.path.join(run, "metrics.h5"), "r") as f:
        ends = [0.0] + [float(s) for s in f["epochs"]["seconds"]]
    note = next((line for line in done.stderr.splitlines() if " reduction, " in line), "").split(": ")[-1]
    return {
        "seconds": [b - a for a, b in zip(ends, ends[1:])],
        "accuracy": float(results["test_accuracy"]),
        "note": note,
    }


def measure(case, size, options, folder):
    """[(program, seconds an epoch in each round, the last result)]; the first epoch of a run is not counted."""
    programs = {"torch": run_torch, "tutti": run_tutti}
    seconds, last = {name: [] for name in programs}, {}
    for turn in range(options.rounds):
        for name in sorted(programs, reverse=turn % 2 == 1):
            last[name] = programs[name](case, size, options, folder)
            seconds[name].append(statistics.median(last[name]["seconds"][1:]))
            if last[name]["accuracy"] < LOWEST_ACCURACY:
                sys.exit("%s: %s gives an accuracy of %g: nothing to compare" % (case, name, last[name]["accuracy"]))
    return [(name, seconds[name], last[name]) for name in ("torch", "tutti")]


# --- the table --------------------------------------------------------------------------------------------------------


def facts_of(output):
    """The lines of `tutti doctor` that have a name and a value."""
    return dict(line.split("\t", 1) for line in output.splitlines() if line.count("\t") == 1)


def print_round_trip(size, options):
    """How fast the cores hear of each other now: figures beside a slow or changed round trip are not those of other days."""
    facts = facts_of(start_tutti(["doctor"], size, options).stdout)
    if "round_trip" in facts:
        print("# round trip between cores: %s ns, %s" % (facts.get("round_trip_ns", "?"), facts["round_trip"]), flush=True)


def first_line(command):
    return subprocess.run(command, capture_output=True, text=True).stdout.splitlines()[0]


def print_head(options):
    import torch

    libraries = [line.strip(" -") for line in torch.__config__.show().splitlines() if "Library" in line or "MKL-DNN" in line]
    print("# Python %s; PyTorch %s, CPU capability %s, %s" % (
        sys.version.split()[0], torch.__version__, torch.backends.cpu.get_cpu_capability(), "; ".join(libraries)))
    print("# %s; %s" % (first_line([options.tutti, "--version"]), first_line([options.mpirun, "--version"])))
    print("# %d rounds of %d epochs each, the first of them not counted; 1 thread a process; mpirun %s" % (
        options.rounds, options.epochs, options.mpirun_options))
    print("case\thidden\toptimizer\tbatch\tsamples\tprocesses\tprogram\tmin_s\tmedian_s\tmax_s\ttorch_to_this"
          "\ttest_accuracy\tnote")


def print_rows(case, size, results):
    hidden, optimizer, batch, limit = CASES[case]
    reference = results[0][1]
    for name, seconds, last in results:
        ratio = statistics.median(a / b for a, b in zip(reference, seconds))
        print("%s\t%s\t%s\t%d\t%s\t%d\t%s\t%.4g\t%.4g\t%.4g\t%.2f\t%.4f\t%s" % (
            case, "-".join(map(str, hidden)), optimizer, batch, limit or "all", size, name, min(seconds),
            statistics.median(seconds), max(seconds), ratio, last["accuracy"], last["note"]), flush=True)


def main():
    if len(sys.argv) == 3 and sys.argv[1] == "--worker":
        worker(sys.argv[2])
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tutti", default=str(ROOT / "build" / "bin" / "tutti"), help="the program (%(default)s)")
    parser.add_argument("--data", default=str(ROOT / "data" / "mnist.h5"), help="(%(default)s)")
    parser.add_argument("--processes", default="1,2", help="numbers of them (%(default)s)")
    parser.add_argument("--cases", default=",".join(CASES), help="(%(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="(%(default)s)")
    parser.add_argument("--epochs", type=int, default=3, help="of a run, at least 2 (%(default)s)")
    parser.add_argument("--mpirun", default="mpirun", help="(%(default)s)")
    parser.add_argument("--mpirun-options", default="--bind-to none", help="(%(default)s)")
    options = parser.parse_args()
    cases, sizes = options.cases.split(","), [int(n) for n in options.processes.split(",")]
    unknown = [case for case in cases if case not in CASES]
    if unknown or options.epochs < 2 or options.rounds < 1:
        parser.error("cases are %s; at least 2 epochs and 1 round" % ", ".join(CASES))
    with tempfile.TemporaryDirectory(prefix="tutti-compare-") as folder:
        print_head(options)
        for case in cases:
            for size in sizes:
                if CASES[case][2] >= size:
                    print_round_trip(size, options)
                    print_rows(case, size, measure(case, size, options, folder))
        print_round_trip(max(sizes), options)


if __name__ == "__main__":
    main()
