"""JAX as a peer of compare_peers.py: one process that trains for some seconds and prints its samples per second.

All steps of a chunk are one compiled program, a `scan` whose state keeps its memory.  With two devices, each of them
takes its half of a batch, and the gradients are averaged.
"""
import json
import time

from compare_torch import LEARNING_RATE, N_CLASSES, read_arrays

CHUNKS = 8  # about so many in the time of a measurement
LONGEST = 4096  # steps of a chunk


def initial_params(widths):
    import numpy

    numbers, params = numpy.random.default_rng(0), []
    for n_in, n_out in zip(widths, widths[1:]):
        limit = (6 / (n_in + n_out)) ** 0.5
        w = numbers.uniform(-limit, limit, (n_in, n_out)).astype(numpy.float32)
        params.append((w, numpy.zeros(n_out, numpy.float32)))
    return params


def make_loss(dropout):
    """The mean loss of a batch; `key` is None when the network is not being trained."""
    import jax
    import jax.numpy as jnp

    def hidden_layer(a, w, b, key):
        a = jax.nn.relu(a @ w + b)
        if dropout == 0 or key is None:
            return a
        return jnp.where(jax.random.bernoulli(key, 1 - dropout, a.shape), a / (1 - dropout), 0)

    def loss(params, x, y, key):
        for layer, (w, b) in enumerate(params[:-1]):
            x = hidden_layer(x, w, b, None if key is None else jax.random.fold_in(key, layer))
        logits = x @ params[-1][0] + params[-1][1]
        return -jnp.take_along_axis(jax.nn.log_softmax(logits), y[:, None], axis=1).mean()

    return loss


def rmsprop(w, g, slots, count):
    import jax

    mean = 0.9 * slots[0] + 0.1 * g * g
    return w - LEARNING_RATE * g * jax.lax.rsqrt(mean + 1e-7), (mean,)


def adam(w, g, slots, count):
    import jax.numpy as jnp

    m, v = 0.9 * slots[0] + 0.1 * g, 0.999 * slots[1] + 0.001 * g * g
    rate = LEARNING_RATE * jnp.sqrt(1 - 0.999**count) / (1 - 0.9**count)
    return w - rate * m / (jnp.sqrt(v) + 1e-7), (m, v)


RULES = {"rmsprop": (rmsprop, 1), "adam": (adam, 2)}  # the update of an array, and how many more arrays it keeps


def make_chunk(job, n_devices):
    """The compiled function (state, x, y, ids[steps, batch]) -> state."""
    import jax
    from jax.sharding import Mesh, PartitionSpec

    update, loss = RULES[job["rule"]][0], make_loss(job["dropout"])

    def mask_key(count):
        key = jax.random.fold_in(jax.random.key(0), count)
        return jax.random.fold_in(key, jax.lax.axis_index("part")) if n_devices > 1 else key

    def step(state, x, y, ids):
        params, slots, count = state
        key = mask_key(count) if job["dropout"] else None
        rows, classes = (a.at[ids].get(mode="promise_in_bounds") for a in (x, y))
        grads = jax.grad(loss)(params, rows, classes, key)
        grads = jax.lax.pmean(grads, "part") if n_devices > 1 else grads
        arrays, tree = jax.tree.flatten(params)
        new = [update(w, g, s, count + 1.0) for w, g, s in zip(arrays, jax.tree.leaves(grads), slots)]
        return jax.tree.unflatten(tree, [w for w, _ in new]), [s for _, s in new], count + 1

    def chunk(state, x, y, ids):
        return jax.lax.scan(lambda state, ids: (step(state, x, y, ids), None), state, ids)[0]

    if n_devices > 1:
        whole, mesh = PartitionSpec(), Mesh(jax.devices(), ("part",))
        parts = (whole, whole, whole, PartitionSpec(None, "part"))
        chunk = jax.shard_map(chunk, mesh=mesh, in_specs=parts, out_specs=whole, check_vma=False)
    return jax.jit(chunk, donate_argnums=0)


def place(values, n_devices):
    """Arrays in the memory of the device, or of both."""
    import jax
    from jax.sharding import Mesh, NamedSharding, PartitionSpec

    where = jax.devices()[0]
    if n_devices > 1:
        where = NamedSharding(Mesh(jax.devices(), ("part",)), PartitionSpec())
    return jax.device_put(values, where)


class Batches:
    """Indices of one batch after another, in a new order in each epoch; the rest of an epoch is left out."""

    def __init__(self, n, batch):
        import numpy

        self.numbers, self.n, self.batch = numpy.random.default_rng(1), n, batch
        self.left = numpy.empty((0, batch), numpy.int32)

    def take(self, n_steps):
        import numpy

        while len(self.left) < n_steps:
            order = self.numbers.permutation(numpy.arange(self.n, dtype=numpy.int32))
            epoch = order[: self.n - self.n % self.batch].reshape(-1, self.batch)
            self.left = numpy.concatenate([self.left, epoch])
        taken, self.left = self.left[:n_steps], self.left[n_steps:]
        return taken


class Training:
    def __init__(self, job):
        import jax

        x, y = read_arrays(job["data"], "train", 0)
        params = initial_params([x.shape[1]] + job["hidden"] + [N_CLASSES])
        n_slots, n_devices = RULES[job["rule"]][1], len(jax.devices())
        slots = [(0 * a,) * n_slots for a in jax.tree.leaves(params)]
        self.x, self.y, self.state = place((x, y.astype("int32"), (params, slots, 0)), n_devices)
        self.batches = Batches(len(x), job["batch"])
        self.chunk = make_chunk(job, n_devices)
        self.loss = jax.jit(lambda params, x, y: make_loss(0)(params, x, y, None))

    def seconds_of(self, n_steps, least_s=0):
        """Chunks of n_steps until least_s have passed; the next indices are made while a chunk is computed."""
        import jax

        n_chunks, ids, start = 0, self.batches.take(n_steps), time.perf_counter()
        while n_chunks == 0 or time.perf_counter() - start < least_s:
            self.state, ids = self.chunk(self.state, self.x, self.y, ids), self.batches.take(n_steps)
            jax.block_until_ready(self.state)
            n_chunks += 1
        return (time.perf_counter() - start) / n_chunks


def work(job):
    training, seconds = Training(job), job["seconds"]
    training.seconds_of(1)
    step_s = training.seconds_of(1)
    n_steps = max(1, min(LONGEST, int(seconds / CHUNKS / step_s)))
    training.seconds_of(n_steps)
    rate = n_steps * job["batch"] / training.seconds_of(n_steps, seconds)
    loss = training.loss(training.state[0], training.x[:1000], training.y[:1000])
    print(json.dumps({"samples_per_s": rate, "loss": float(loss), "note": ""}))
