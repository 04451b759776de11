"""PyTorch as a peer of compare_peers.py: a process, or one of two, that trains for some seconds and prints its
samples per second.  What makes PyTorch fast on a CPU is the same as in compare_torch.py.
"""
import json
import time

from compare_torch import build, load, make_optimizer

WARM_STEPS = 3


def join(job):
    import torch

    torch.set_num_threads(job["threads"])
    torch.set_flush_denormal(True)
    torch.manual_seed(0)
    if job["size"] > 1:
        meeting = "file://" + job["meeting"]
        torch.distributed.init_process_group("gloo", init_method=meeting, rank=job["rank"], world_size=job["size"])


def agree(job, value):
    """What rank 0 says, since all processes have to do the same steps."""
    import torch

    said = torch.tensor(float(value), dtype=torch.float64)
    if job["size"] > 1:
        torch.distributed.broadcast(said, 0)
    return said.item()


def endless_batches(job, n):
    """This process's part of one batch after another; the rest of an epoch is left out."""
    import torch

    batch, rank, size = job["batch"], job["rank"], job["size"]
    generator = torch.Generator().manual_seed(1)
    while True:
        order = torch.randperm(n, generator=generator)
        for at in range(0, n - batch + 1, batch):
            yield order[at + rank * batch // size : at + (rank + 1) * batch // size]


def with_loss(job, net):
    """The network and its loss as one module, which DDP or the compiler takes as a whole."""
    import torch

    class WithLoss(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.net = net

        def forward(self, x, y):
            return torch.nn.functional.cross_entropy(self.net(x), y)

    if job["size"] > 1:
        return torch.nn.parallel.DistributedDataParallel(WithLoss(), gradient_as_bucket_view=True, static_graph=True)
    return torch.compile(WithLoss(), dynamic=False) if job["compiled"] else WithLoss()


class Training:
    def __init__(self, job, data, implementation):
        import torch

        self.x, self.y = data
        self.net = build(job["hidden"], self.x.shape[1], job["dropout"])
        self.model = with_loss(job, self.net)
        compiled = implementation == "compiled"
        self.optimizer = make_optimizer(job["rule"], "foreach" if compiled else implementation, self.net)
        self.update = torch.compile(self.optimizer.step) if compiled else self.optimizer.step
        self.batches = endless_batches(job, len(self.x))

    def seconds_of(self, n_steps):
        start = time.perf_counter()
        for _ in range(n_steps):
            ids = next(self.batches)
            loss = self.model(self.x.index_select(0, ids), self.y.index_select(0, ids))
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()
            self.update()
        return time.perf_counter() - start

    def loss(self):
        import torch

        with torch.no_grad():
            outputs = self.net.eval()(self.x[:1000])
            return torch.nn.functional.cross_entropy(outputs, self.y[:1000]).item()


def implementations(job):
    """Those of the optimizer, or the one that an earlier round found to be the fastest."""
    if job["implementation"]:
        return [job["implementation"]]
    return ["loop", "foreach"] + ["fused"] * (job["rule"] == "adam") + ["compiled"] * job["compiled"]


def time_step(job, training):
    """Seconds of a step after a warm-up, from a tenth of a measurement."""
    training.seconds_of(WARM_STEPS)
    step_s = agree(job, training.seconds_of(1))
    n_steps = max(1, int(job["seconds"] / 10 / step_s))
    return agree(job, training.seconds_of(n_steps) / n_steps)


def work(job):
    import torch

    join(job)
    data, best = load(job["data"], "train", 0), None
    for name in implementations(job):
        training = Training(job, data, name)
        step_s = time_step(job, training)
        best = min(best or (step_s, name, training), (step_s, name, training), key=lambda one: one[0])
    step_s, name, training = best
    n_steps = max(2, round(job["seconds"] / step_s))
    rate = n_steps * job["batch"] / training.seconds_of(n_steps)
    if job["rank"] == 0:
        print(json.dumps({"samples_per_s": rate, "loss": training.loss(), "note": name}))
    if job["size"] > 1:
        torch.distributed.barrier()
        torch.distributed.destroy_process_group()
