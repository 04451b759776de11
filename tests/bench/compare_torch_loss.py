#!/usr/bin/env python3
"""Losses of tutti and of PyTorch after the same steps of an autoencoder (jobs/mnist-autoencoder.yaml): from the same
weights, with the same batches, the file's rows in their order.  tests/bench/README.md tells how to read the table.

PyTorch gets the weights from which tutti begins, out of a checkpoint that a step at rate 0 left.
"""
import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import h5py
import numpy
import torch

ROOT = Path(__file__).resolve().parents[2]
JOB = ROOT / "jobs" / "mnist-autoencoder.yaml"
BATCH, LEARNING_RATE = 128, 0.001  # the job's
LAYERS = ["dense", "dense_1", "dense_2", "dense_3"]
LAST_SINGLE_STEP = 100
STEPS = [1, 10, 30, LAST_SINGLE_STEP]  # whose losses have a line


# --- tutti ------------------------------------------------------------------------------------------------------------


def run_tutti(options, run, *keys):
    """What it prints at its end, by name."""
    command = [options.mpirun, "-n", str(options.ranks)] + options.mpirun_options.split() + [options.tutti, "train", str(JOB)]
    command += ["--data.file=" + options.data, "--run.directory=" + run, "--run.resume=no", "--train.shuffle=no"]
    environment = dict(os.environ)
    if os.geteuid() == 0:
        environment.update(OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
    done = subprocess.run(command + list(keys), capture_output=True, text=True, env=environment)
    if done.returncode:
        sys.exit("%s\n%s" % (" ".join(command), done.stderr))
    return dict(line.split(" ", 1) for line in done.stdout.splitlines())


def losses_of_tutti(options, run):
    """By ("step" or "epoch", its number), and ("test", epochs)."""
    results = run_tutti(options, run, "--train.epochs=%d" % options.epochs, "--run.metrics_every=1 step")
    with h5py.File(os.path.join(run, "metrics.h5"), "r") as f:
        steps, epochs = f["steps"][:], f["epochs"][:]
    losses = {("step", int(row["step"])): float(row["loss"]) for row in steps}
    losses.update({("epoch", int(row["epoch"])): float(row["loss"]) for row in epochs})
    losses["test", options.epochs] = losses["test_of_tutti", options.epochs] = float(results["test_loss"])
    return losses


# --- PyTorch ----------------------------------------------------------------------------------------------------------


def read_weights(run):
    with h5py.File(os.path.join(run, "checkpoint.h5"), "r") as f:
        return [(f["model/weights"][name]["kernel"][:], f["model/weights"][name]["bias"][:]) for name in LAYERS]


def build(weights):
    model = torch.nn.Sequential()
    for i, (kernel, bias) in enumerate(weights):
        layer = torch.nn.Linear(*kernel.shape)
        with torch.no_grad():
            layer.weight.copy_(torch.from_numpy(kernel.T.copy()))
            layer.bias.copy_(torch.from_numpy(bias))
        model.append(layer)
        if i in (0, 2):
            model.append(torch.nn.ReLU())
    return model


def load(options, part):
    with h5py.File(options.data, "r") as f:
        x = f["x_" + part][:]
    return torch.from_numpy(x.reshape(len(x), -1).astype(numpy.float32) / 255)


def losses_of_torch(options, first, last):
    """As those of tutti; "test_of_tutti" is the loss at tutti's last weights."""
    loss_function = torch.nn.BCEWithLogitsLoss()
    x, model, losses, step = load(options, "train"), build(first), {}, 0
    optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)
    for epoch in range(options.epochs):
        total = 0.0
        for rows in x.split(BATCH):
            loss = loss_function(model(rows), rows)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            step += 1
            losses["step", step] = loss.item()
            total += loss.item() * len(rows)
        losses["epoch", epoch + 1] = total / len(x)
    with torch.no_grad():
        rows = load(options, "test")
        losses["test", options.epochs] = loss_function(model(rows), rows).item()
        losses["test_of_tutti", options.epochs] = loss_function(build(last)(rows), rows).item()
    return losses


# --- the table --------------------------------------------------------------------------------------------------------


def print_table(options, ours, theirs):
    version = subprocess.run([options.tutti, "--version"], capture_output=True, text=True).stdout.splitlines()[0]
    largest = max(abs(ours["step", s] / theirs["step", s] - 1) for s in range(1, LAST_SINGLE_STEP + 1))
    print("# %s; PyTorch %s; %d ranks" % (version, torch.__version__, options.ranks))
    print("# largest relative difference in the first %d steps: %.2g" % (LAST_SINGLE_STEP, largest))
    print("of\tnumber\ttutti\ttorch\trelative_difference")
    lines = [("step", s) for s in STEPS] + [("epoch", e + 1) for e in range(options.epochs)]
    lines += [("test", options.epochs), ("test_of_tutti", options.epochs)]
    for line in lines:
        print("%s\t%d\t%.6f\t%.6f\t%+.1e" % (*line, ours[line], theirs[line], ours[line] / theirs[line] - 1))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tutti", default=str(ROOT / "build" / "bin" / "tutti"), help="the program (%(default)s)")
    parser.add_argument("--data", default=str(ROOT / "data" / "mnist.h5"), help="(%(default)s)")
    parser.add_argument("--epochs", type=int, default=10, help="(%(default)s)")
    parser.add_argument("--ranks", type=int, default=2, help="of tutti (%(default)s)")
    parser.add_argument("--mpirun", default="mpirun", help="(%(default)s)")
    parser.add_argument("--mpirun-options", default="--bind-to none", help="(%(default)s)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tutti-compare-") as folder:
        first, run = os.path.join(folder, "first"), os.path.join(folder, "run")
        run_tutti(options, first, "--train.steps=1", "--optimizer.learning_rate=0")
        ours = losses_of_tutti(options, run)
        print_table(options, ours, losses_of_torch(options, read_weights(first), read_weights(run)))


if __name__ == "__main__":
    main()
