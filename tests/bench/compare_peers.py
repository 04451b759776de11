#!/usr/bin/env python3
"""Training samples per second of tutti, JAX and PyTorch on one and two cores, on the same data, networks, update rules
and batch sizes, in turns; beside them the matrix products of a step alone.  tests/bench/README.md tells how to read
the table.

Each measurement is a process of its own, bound to its cores.  It compiles, warms up, trains for about --seconds, and
has to learn something.  peer_jax.py and peer_torch.py are the other programs.
"""
import argparse
import concurrent.futures
import dataclasses
import importlib.metadata
import importlib.util
import json
import math
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from compare_torch import LEARNING_RATE, N_CLASSES, ROOT, facts_of, first_line

N_IN = 784
GUESSED_LOSS = math.log(N_CLASSES)  # of outputs that know nothing
TIMEOUT_S = 3600
TABLE_ROWS = 10  # of the table of steps of a training; the first is the warm-up
LEAST_STEPS = 4
TRIES = 3  # of a turn on two cores
BENCH_ROUNDS, BENCH_PARTS = 5, 30  # `tutti bench` has many measurements, each of these rounds of --seconds / parts
AVX2 = {
    "ONEDNN_MAX_CPU_ISA": "AVX2", "ATEN_CPU_CAPABILITY": "avx2", "MKL_ENABLE_INSTRUCTIONS": "AVX2",
    "TUTTI_VECTORS": "avx2", "OPENBLAS_CORETYPE": "Haswell",
}  # fmt: skip
XLA_AVX2 = "--xla_cpu_max_isa=AVX2"
XLA_ONE_CORE = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
XLA_TWO_DEVICES = XLA_ONE_CORE + " --xla_force_host_platform_device_count=2"


@dataclasses.dataclass(frozen=True)
class Row:
    hidden: tuple
    rule: str
    batch: int
    dropout: float = 0

    @property
    def net(self):
        widths = "-".join(str(n) for n in (N_IN, *self.hidden, N_CLASSES))
        return widths + (" dropout %g" % self.dropout if self.dropout else "")

    def __str__(self):
        return "%s %s %d" % (self.net, self.rule, self.batch)


ROWS = (
    [Row((512,), "rmsprop", batch) for batch in (1, 16, 32, 64, 128, 1024, 8192)]
    + [Row((50, 50), "adam", batch) for batch in (1, 100, 10000)]
    + [Row((2048, 2048), "adam", batch) for batch in (256, 4096)]
    + [Row((684, 684), "rmsprop", batch, 0.2) for batch in (128, 1024)]
)


class Failure(Exception):
    """What a program said when it ended without a result."""


# --- processes --------------------------------------------------------------------------------------------------------


def pinned(cores, command):
    return ["taskset", "-c", ",".join(map(str, cores))] + command


def environment(threads, options, changes=None):
    """That of this process, with as many threads; a change to None takes a variable away."""
    values = dict(os.environ, OMP_NUM_THREADS=str(threads), OPENBLAS_NUM_THREADS=str(threads))
    values.update(MKL_NUM_THREADS=str(threads), JAX_PLATFORMS="cpu")
    # PyTorch's own folder mixes what it has compiled for different vector units, and then crashes.
    values.update(TORCHINDUCTOR_CACHE_DIR=options.folder + "/compiled")
    if os.geteuid() == 0:
        values.update(OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
    values.update({**(changes or {}), **(AVX2 if options.vectors == "avx2" else {})})
    return {name: value for name, value in values.items() if value is not None}


def finish(processes):
    """The standard outputs of processes that work together.  None of them goes on after the time limit."""
    try:
        # All pipes are read at once: a process whose pipe is full would wait, and the others would wait for it.
        with concurrent.futures.ThreadPoolExecutor(len(processes)) as pool:
            outputs = list(pool.map(lambda process: process.communicate(timeout=TIMEOUT_S), processes))
    except subprocess.TimeoutExpired as late:
        raise Failure("no result within %d s" % TIMEOUT_S) from late
    finally:
        for process in processes:
            process.terminate()  # so that mpirun ends its ranks, and tutti saves before its folder goes away
            process.wait()
    for process, (_, errors) in zip(processes, outputs):
        if process.returncode:
            said = [line for line in errors.splitlines() if re.search("[a-z]", line)]
            raise Failure("; ".join(["exit status %d" % process.returncode] + said[-1:]))
    return [output for output, _ in outputs]


def start(command, values):
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=values)


def run_peer(kind, jobs, cores_of, values):
    command = [sys.executable, os.path.abspath(__file__), "--worker", kind]
    processes = [start(pinned(cores, command + [json.dumps(job)]), values) for job, cores in zip(jobs, cores_of)]
    return json.loads(finish(processes)[0].splitlines()[-1])


def worker(kind, text):
    module = importlib.import_module("peer_" + kind)
    module.work(json.loads(text))


# --- tutti ------------------------------------------------------------------------------------------------------------


def tutti_keys(row, options, threads):
    hidden = ["dense %d relu" % units + (", dropout %g" % row.dropout) * (row.dropout > 0) for units in row.hidden]
    keys = {
        "data.file": options.data, "model.layers": ", ".join(hidden + ["dense %d softmax" % N_CLASSES]),
        "optimizer.name": row.rule, "optimizer.learning_rate": LEARNING_RATE, "train.batch_size": row.batch,
        "parallel.threads": threads,
    }  # fmt: skip
    return ["--%s=%s" % item for item in keys.items()]


def ranks_of(n, cores, command, options):
    """The command of n ranks; several of them get a core each."""
    if n == 1:
        return pinned(cores, command)
    each = [["-n", "1"] + pinned([core], command) for core in cores[:n]]
    return [options.mpirun, "--bind-to", "none"] + [word for one in each for word in [":"] + one][1:]


def bench_tables(output):
    """The tables of `tutti bench`, each as its rows, which are {column: text}."""
    for table in output.strip().split("\n\n"):
        head, *rows = (line.split("\t") for line in table.splitlines())
        yield [dict(zip(head, row)) for row in rows]


def find_row(output, column):
    return next(table[0] for table in bench_tables(output) if table and column in table[0])


def run_products(row, way, state, options):
    """The products of a step, by the BLAS.  The time of a step tells how many of them make a measurement."""
    keys = ["--data.limit_train=%d" % row.batch, "--batch_sizes=%d" % row.batch, "--rounds=%d" % BENCH_ROUNDS]
    keys += ["--seconds=%g" % (options.seconds / BENCH_PARTS)]
    command = pinned(options.cores[:1], [options.tutti, "bench"] + tutti_keys(row, options, 1) + keys)
    kernels = {"OPENBLAS_CORETYPE": None if way == "own" else way}
    found = find_row(finish([start(command, environment(1, options, kernels))])[0], "blas_products_min_s")
    state.setdefault("step_s", float(found["step_min_s"]))
    return {"samples_per_s": row.batch / float(found["blas_products_min_s"]), "loss": 0, "note": way}


def run_tutti(row, way, state, options):
    """Samples per second of the table of steps, whose first row is the warm-up."""
    import h5py

    ranks, threads = (int(n) for n in way.split("x"))
    steps = max(LEAST_STEPS, round(options.seconds / state.get(way, state["step_s"]) * TABLE_ROWS / (TABLE_ROWS - 1)))
    keys = {
        "data.limit_test": 1, "train.last_batch": "drop", "train.steps": steps, "run.resume": "no",
        "run.directory": options.folder + "/run", "run.checkpoint_every": 0,
        "run.metrics_every": "%d steps" % max(1, steps // TABLE_ROWS),
    }  # fmt: skip
    command = [options.tutti, "train"] + tutti_keys(row, options, threads) + ["--%s=%s" % item for item in keys.items()]
    command = ranks_of(ranks, options.cores[: ranks * threads], command, options)
    finish([start(command, environment(threads, options))])
    with h5py.File(options.folder + "/run/metrics.h5", "r") as f:
        first, last = f["steps"][0], f["steps"][-1]
    rate = float(last["samples"] - first["samples"]) / float(last["seconds"] - first["seconds"])
    state[way] = row.batch / rate
    return {"samples_per_s": rate, "loss": float(last["loss"]), "note": way}


# --- the peers --------------------------------------------------------------------------------------------------------


def peer_job(row, options):
    return dict(dataclasses.asdict(row), data=options.data, seconds=options.seconds)


def run_jax(row, way, state, options):
    n, flags = {
        "1 core": (1, XLA_ONE_CORE), "2 threads": (2, ""), "2 devices": (2, XLA_TWO_DEVICES),
    }[way]  # fmt: skip
    flags += " " + XLA_AVX2 if options.vectors == "avx2" else ""
    values = environment(n, options, {"XLA_FLAGS": flags, "NPROC": str(n)})
    return dict(run_peer("jax", [peer_job(row, options)], [options.cores[:n]], values), note=way)


def run_torch(row, way, state, options):
    """`way` is eager, compiled or ddp and a number of cores; the first round chooses the optimizer's implementation."""
    kind, n = way.split()[0], int(way.split()[1])
    size = n if kind == "ddp" else 1
    job = dict(peer_job(row, options), threads=n // size, size=size, compiled=kind == "compiled")
    job.update(implementation=state.get(way), meeting="%s/meeting-%d" % (options.folder, time.monotonic_ns()))
    cores = [[core] for core in options.cores[:n]] if size > 1 else [options.cores[:n]]
    jobs = [dict(job, rank=rank) for rank in range(size)]
    result = run_peer("torch", jobs, cores, environment(n // size, options))
    state[way] = result["note"]
    return result


@dataclasses.dataclass(frozen=True)
class Line:
    """A line of the table for each row: the best of some ways to run a program on so many cores."""

    program: str
    cores: int
    run: object
    ways: tuple


LINES = [
    Line("products", 1, run_products, ("own", "Haswell")),
    Line("tutti", 1, run_tutti, ("1x1",)),
    Line("tutti", 2, run_tutti, ("2x1",)),
    Line("tutti", 2, run_tutti, ("1x2",)),
    Line("jax", 1, run_jax, ("1 core",)),
    Line("jax", 2, run_jax, ("2 threads", "2 devices")),
    Line("torch", 1, run_torch, ("eager 1",)),
    Line("torch", 2, run_torch, ("eager 2",)),
    Line("compile", 1, run_torch, ("compiled 1",)),
    Line("compile", 2, run_torch, ("compiled 2",)),
    Line("ddp", 2, run_torch, ("ddp 2",)),
]
OWN = ("products", "tutti")
PEERS = ("jax", "torch", "compile", "ddp")


def missing(peer):
    """What a peer lacks here, or nothing."""
    module = "jax" if peer == "jax" else "torch"
    if not importlib.util.find_spec(module):
        return module + " is not installed"
    has_compiler = any(shutil.which(name) for name in (os.environ.get("CXX", "g++"), "clang++"))
    return "there is no C++ compiler" if peer == "compile" and not has_compiler else None


# --- measuring --------------------------------------------------------------------------------------------------------


def can_run(row, line, way, options):
    if way in ("2 devices", "ddp 2"):
        return row.batch >= 2  # each of the two needs samples
    return way != "own" or options.vectors == "all"


def measure_once(row, line, way, state, options):
    result = line.run(row, way, state, options)
    if not result["loss"] < GUESSED_LOSS:
        raise Failure("it does not learn: the loss is %g" % result["loss"])
    return result


def round_trip(options):
    """The nanoseconds in which a cache line goes from one of the two cores to the other and back now, and whether figures
    of both are spoiled by it: it is slow, or takes more than twice as long as the shortest one of this output."""
    command = ranks_of(2, options.cores, [options.tutti, "doctor"], options)
    try:
        output = finish([start(command, environment(1, options))])[0]
    except Failure as failure:
        sys.exit("%s\n%s" % (" ".join(command), failure))
    facts = facts_of(output)
    if "round_trip_ns" not in facts:
        return math.nan, True
    nanoseconds = float(facts["round_trip_ns"])
    options.shortest_trip = min(options.shortest_trip, nanoseconds)
    return nanoseconds, facts["round_trip"] == "slow" or nanoseconds > 2 * options.shortest_trip


def measure_guarded(row, line, way, state, options):
    """One turn.  On two cores it is repeated if it was spoiled, and marked if the last try was spoiled too."""
    if line.cores == 1:
        return measure_once(row, line, way, state, options)
    before = round_trip(options)[1]
    for _ in range(TRIES):
        result = measure_once(row, line, way, state, options)
        after = round_trip(options)[1]
        if not before and not after:
            break
        result["spoiled"] = True
        before = after
    return result


def measure(row, lines, options):
    """{(line, way): its results, one a round}.  The products come first: they tell how long a step takes."""
    state = {}
    results = {(line, way): [] for line in lines for way in line.ways if can_run(row, line, way, options)}
    for turn in range(options.rounds):
        for line, way in list(results)[:: -1 if turn % 2 else 1]:
            try:
                results[line, way].append(measure_guarded(row, line, way, state, options))
            except Failure as failure:
                if line.program in OWN:
                    sys.exit("%s: %s %s: %s" % (row, line.program, way, failure))
                print("# %s: %s, %s, is left out: %s" % (row, line.program, way, failure), flush=True)
                del results[line, way]
    return results


def print_round_trip(options):
    nanoseconds, spoils = round_trip(options)
    print("# round trip between the two cores: %.0f ns%s" % (nanoseconds, ", too slow" * spoils), flush=True)


# --- the table --------------------------------------------------------------------------------------------------------


def versions():
    for name in ("jax", "jaxlib", "torch", "numpy"):
        if importlib.util.find_spec(name):
            yield "%s %s" % (name, importlib.metadata.version(name))


def print_head(options):
    doctor = subprocess.run([options.tutti, "doctor"], capture_output=True, text=True, env=environment(1, options))
    facts = facts_of(doctor.stdout)
    print("# %s; %s; %s; cores %s" % (
        facts.get("cpu"), facts.get("vector_units"), os.uname().release, ",".join(map(str, options.cores))))
    print("# %s; %s; %s" % (first_line([options.tutti, "--version"]), facts.get("blas"), facts.get("mpi")))
    print("# Python %s; %s" % (sys.version.split()[0], "; ".join(versions())))
    print("# best of %d rounds of %g s; vector units: %s" % (options.rounds, options.seconds, options.vectors))
    for peer in options.peers:
        if missing(peer):
            print("# %s is left out: %s" % (peer, missing(peer)))
    print_round_trip(options)


@dataclasses.dataclass
class Figure:
    best: float
    median: float
    way: str
    spoiled: int  # rounds


def figures_of(results):
    """{line: that of its way with the best round}"""
    figures = {}
    for (line, _), rounds in results.items():
        rates = [one["samples_per_s"] for one in rounds]
        spoiled = sum(one.get("spoiled", False) for one in rounds)
        figure = Figure(max(rates), statistics.median(rates), rounds[-1]["note"], spoiled)
        figures[line] = max(figures.get(line, figure), figure, key=lambda one: one.best)
    return figures


def ratios(line, figures):
    """Of tutti to the best peer on as many cores, and of the time of a step to that of its products."""
    if line.program != "tutti":
        return "", ""
    own = figures[line].best
    peers = [figure.best for peer, figure in figures.items() if peer.program in PEERS and peer.cores == line.cores]
    products = next(figure.best for other, figure in figures.items() if other.program == "products")
    return "%.2f" % (own / max(peers)) if peers else "", "%.2f" % (products / own) if line.cores == 1 else ""


def print_row(row, results):
    figures = figures_of(results)
    for line, figure in figures.items():
        print("%s\t%s\t%d\t%s\t%d\t%.0f\t%.0f\t%s\t%s\t%s\t%d" % (
            row.net, row.rule, row.batch, line.program, line.cores, figure.best, figure.median,
            *ratios(line, figures), figure.way, figure.spoiled), flush=True)


def print_table(rows, lines, options):
    print("net\trule\tbatch\tprogram\tcores\tsamples_per_s\tmedian_samples_per_s\tto_best_peer\tstep_per_products\tway"
          "\tspoiled")
    for row in rows:
        print_row(row, measure(row, lines, options))
        print_round_trip(options)


def read_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tutti", default=str(ROOT / "build" / "bin" / "tutti"), help="the program (%(default)s)")
    parser.add_argument("--data", default=str(ROOT / "data" / "mnist.h5"), help="(%(default)s)")
    parser.add_argument("--rows", default="", help="only rows such as '%s' that this expression finds" % ROWS[0])
    parser.add_argument("--peers", default=",".join(PEERS), help="(%(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="the best one counts (%(default)s)")
    parser.add_argument("--seconds", type=float, default=3, help="of a measurement (%(default)s)")
    parser.add_argument("--vectors", choices=["all", "avx2"], default="all", help="avx2: for all programs (%(default)s)")
    parser.add_argument("--cores", default="0,1", help="two of them, not threads of one (%(default)s)")
    parser.add_argument("--mpirun", default="mpirun", help="(%(default)s)")
    options = parser.parse_args()
    options.peers = [peer for peer in options.peers.split(",") if peer]
    options.shortest_trip = math.inf
    options.cores = [int(core) for core in options.cores.split(",")]
    if set(options.peers) - set(PEERS) or options.rounds < 1 or options.seconds <= 0:
        parser.error("peers are %s; at least 1 round, and some seconds" % ", ".join(PEERS))
    if len(options.cores) != 2 or not set(options.cores) <= os.sched_getaffinity(0):
        parser.error("--cores: two cores on which this process may run")
    return options


def main():
    if len(sys.argv) == 4 and sys.argv[1] == "--worker":
        worker(*sys.argv[2:])
        return
    options = read_options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by SIGTERM"))  # so that nothing is left running
    rows = [row for row in ROWS if re.search(options.rows, str(row))]
    chosen = OWN + tuple(peer for peer in options.peers if not missing(peer))
    with tempfile.TemporaryDirectory(prefix="tutti-compare-") as options.folder:
        print_head(options)
        print_table(rows, [line for line in LINES if line.program in chosen], options)


if __name__ == "__main__":
    main()
