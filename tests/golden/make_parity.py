#!/usr/bin/env python3
"""Write parity.h5: what Keras and PyTorch make of small networks in 20 steps.

test_parity.c trains the same networks on the same rows and compares every weight.  Both libraries run in double
precision here, from weights and data that are float32 numbers, so that what is left is the rounding of tutti alone.

needs: torch, keras>=3, h5py
usage: python3 make_parity.py [parity.h5]

The file:
  /                      attributes: keras, torch (versions), batch_size, steps
  /data/x                [rows, 12]; step s takes the rows (s mod batches) * batch_size and on
  /data/classes          [rows] in 0..3, and /data/one_hot [rows, 4] the same
  /data/binary           [rows] 0 or 1, and /data/binary_3 [rows, 3]
  /data/signs            [rows, 3] -1 or 1, and /data/reals [rows, 3]
  /nets/NET              attribute layers: one layer a line, in the words of a config
  /nets/NET/LAYER/ARRAY  the weights before the first step
  /cases/LIBRARY/CASE    attributes: net, loss, target (name of an array in /data), options: lines "key value",
                         the keys of section `optimizer` of a config
  /cases/LIBRARY/CASE/LAYER/ARRAY  the weights after the last step
"""
import os
import sys

os.environ["KERAS_BACKEND"] = "torch"

import h5py
import keras
import numpy as np
import torch

ROWS, BATCH, STEPS, FEATURES, CLASSES, OUTPUTS = 80, 16, 20, 12, 4, 3

ACTIVATIONS = ["linear", "relu", "sigmoid", "tanh", "softmax", "softplus", "softsign", "elu", "selu", "leaky_relu",
               "gelu", "silu", "hard_sigmoid", "exponential"]

NETS = {
    "classes": ["dense 8 tanh", "dense 6 sigmoid", "dense 4 softmax"],
    "binary": ["dense 8 tanh", "dense 6 relu", "dense 1 sigmoid"],
    "binary_3": ["dense 8 tanh", "dense 6 relu", "dense 3 sigmoid"],
    "reals": ["dense 8 tanh", "dense 6 relu", "dense 3"],
    "bounded": ["dense 8 relu", "dense 6 sigmoid", "dense 3 tanh"],
    "no_bias": ["dense 8 tanh bias=no", "dense 4 softmax"],
    "penalty": ["dense 8 tanh l2=0.01", "dense 6 tanh l1=0.003", "dense 4 softmax l1=0.001 l2=0.002"],
    "norm": ["dense 8 tanh", "batch_norm", "dropout 0", "dense 6", "batch_norm", "activation relu", "dense 4 softmax"],
    "norm_options": ["dense 8", "batch_norm momentum=0.9 epsilon=0.01", "activation sigmoid", "dense 4 softmax"],
    "prelu": ["dense 8", "prelu", "dense 4 softmax"],
    **{f"activation_{name}": [f"dense 8 {name}", "dense 4 softmax"] for name in ACTIVATIONS},
    "layer_norm": ["layer_norm", "dense 8 tanh", "layer_norm epsilon=0.01", "dense 4 softmax"],
}

# What both libraries have, in the words of a config.  The rules alone show the defaults.
RULES = {
    "sgd": "name sgd",
    "adagrad": "name adagrad",
    "adadelta": "name adadelta",
    "rmsprop": "name rmsprop",
    "adam": "name adam",
    "adamw": "name adamw",
    "adamax": "name adamax",
    "nadam": "name nadam",
    "sgd_rate": "name sgd, learning_rate 0.3",
    "sgd_momentum": "name sgd, learning_rate 0.1, momentum 0.9",
    "sgd_nesterov": "name sgd, learning_rate 0.1, momentum 0.9, nesterov yes",
    "sgd_decay": "name sgd, learning_rate 0.1, momentum 0.9, weight_decay 0.02",
    "adagrad_epsilon": "name adagrad, learning_rate 0.03, epsilon 0.01",
    "adagrad_decay": "name adagrad, learning_rate 0.03, weight_decay 0.02",
    "adadelta_rate": "name adadelta, learning_rate 2, rho 0.8, epsilon 0.0001",
    "adadelta_decay": "name adadelta, learning_rate 2, weight_decay 0.02",
    "rmsprop_momentum": "name rmsprop, learning_rate 0.01, momentum 0.8",
    "rmsprop_centered": "name rmsprop, learning_rate 0.01, centered yes, epsilon 0.0001",
    "rmsprop_centered_momentum": "name rmsprop, learning_rate 0.01, rho 0.8, centered yes, momentum 0.8, epsilon 0.001",
    "rmsprop_decay": "name rmsprop, learning_rate 0.01, weight_decay 0.02",
    "adam_epsilon": "name adam, learning_rate 0.02, epsilon 0.01",
    "adam_betas": "name adam, learning_rate 0.02, beta_1 0.8, beta_2 0.9",
    "adam_amsgrad": "name adam, learning_rate 0.02, beta_2 0.6, amsgrad yes",
    "adam_decay": "name adam, learning_rate 0.02, weight_decay 0.02",
    "adamw_decay": "name adamw, learning_rate 0.02, weight_decay 0.2",
    "adamax_epsilon": "name adamax, learning_rate 0.02, epsilon 0.01",
    "adamax_decay": "name adamax, learning_rate 0.02, weight_decay 0.02",
    "nadam_epsilon": "name nadam, learning_rate 0.02, epsilon 0.01",
    "nadam_decay": "name nadam, learning_rate 0.02, weight_decay 0.02",
    "global_clipnorm": "name sgd, learning_rate 0.3, momentum 0.9, global_clipnorm 0.05",
    "clipvalue": "name adam, learning_rate 0.02, epsilon 0.01, clipvalue 0.01",
}
KERAS_ONLY = {
    "clipnorm": "name sgd, learning_rate 0.3, momentum 0.9, clipnorm 0.05",
    "lamb": "name lamb",
    "lamb_epsilon": "name lamb, learning_rate 0.02, beta_2 0.9, epsilon 0.01",
    "lamb_decay": "name lamb, learning_rate 0.02, weight_decay 0.2, epsilon 0.0001",
    "lamb_clip": "name lamb, learning_rate 0.02, global_clipnorm 0.05, epsilon 0.01",
    "lion": "name lion",
    "lion_betas": "name lion, learning_rate 0.003, beta_1 0.7, beta_2 0.95",
    "lion_decay": "name lion, learning_rate 0.003, weight_decay 0.2",
    "clip_decay": "name rmsprop, learning_rate 0.01, global_clipnorm 0.05, weight_decay 0.02",
}
STEADY = "name sgd, learning_rate 0.1, momentum 0.9"
ADAM = "name adam, learning_rate 0.02, epsilon 0.0001"


def cases_of(library):
    """{case: (net, loss, target, options)}"""
    cross = "categorical_crossentropy"
    cases = {name: ("classes", cross, "classes", options) for name, options in RULES.items()}
    if library == "torch":
        return cases
    cases |= {name: ("classes", cross, "classes", options) for name, options in KERAS_ONLY.items()}
    cases["one_hot"] = ("classes", cross, "one_hot", STEADY)
    for rule, options in (("sgd", STEADY), ("adam", ADAM)):
        cases[f"binary_{rule}"] = ("binary", "binary_crossentropy", "binary", options)
        cases[f"binary_3_{rule}"] = ("binary_3", "binary_crossentropy", "binary_3", options)
        cases[f"squared_{rule}"] = ("reals", "mean_squared_error", "reals", options)
        cases[f"absolute_{rule}"] = ("reals", "mean_absolute_error", "reals", options)
        cases[f"huber_{rule}"] = ("reals", "huber", "reals", options)
        cases[f"hinge_{rule}"] = ("bounded", "hinge", "signs", options)
        cases[f"norm_{rule}"] = ("norm", cross, "classes", options)
    for net in NETS:
        if net not in ("classes", "binary", "binary_3", "reals", "bounded", "norm"):
            cases[net] = (net, cross, "classes", STEADY)
    return cases


def make_data(rng):
    x = rng.normal(size=(ROWS, FEATURES)).astype(np.float32)
    classes = rng.integers(CLASSES, size=ROWS).astype(np.int32)
    return {
        "x": x,
        "classes": classes,
        "one_hot": np.eye(CLASSES, dtype=np.float32)[classes],
        "binary": rng.integers(2, size=ROWS).astype(np.int32),
        "binary_3": rng.integers(2, size=(ROWS, OUTPUTS)).astype(np.float32),
        "signs": (2 * rng.integers(2, size=(ROWS, OUTPUTS)) - 1).astype(np.float32),
        "reals": (1.5 * rng.normal(size=(ROWS, OUTPUTS))).astype(np.float32),
    }


# --- networks ------------------------------------------------------------------------------------------------------


def keras_layer(words):
    kind, *rest = words.split()
    options = dict(word.split("=") for word in rest if "=" in word)
    plain = [word for word in rest if "=" not in word]
    numbers = {key: float(value) for key, value in options.items() if key != "bias"}
    if kind == "dense":
        penalty = keras.regularizers.L1L2(numbers.get("l1", 0.0), numbers.get("l2", 0.0))
        return keras.layers.Dense(int(plain[0]), activation=plain[1] if len(plain) > 1 else None,
                                  use_bias=options.get("bias") != "no",
                                  kernel_regularizer=penalty if numbers else None)
    if kind == "activation":
        return keras.layers.Activation(plain[0])
    if kind == "dropout":
        return keras.layers.Dropout(float(plain[0]))
    if kind == "batch_norm":
        return keras.layers.BatchNormalization(**numbers)
    if kind == "layer_norm":
        return keras.layers.LayerNormalization(**numbers)
    if kind == "prelu":
        return keras.layers.PReLU()
    raise ValueError(words)


def keras_model(layers):
    keras.backend.clear_session()  # so that the first dense layer is "dense"
    return keras.Sequential([keras.Input((FEATURES,)), *map(keras_layer, layers)])


def arrays_of(model):
    return {f"{layer.name}/{variable.name}": variable for layer in model.layers for variable in layer.weights}


def make_weights(layers, rng):
    """Weights of every array of a network, none of them left at 0 or 1.

    They are small: Keras keeps probabilities above 1e-7 before it takes the logarithm, so its gradient vanishes for a
    sample that is further off, where ours and PyTorch's, from logits, does not.
    """
    weights = {}
    for name, variable in arrays_of(keras_model(layers)).items():
        shape = tuple(variable.shape)
        if name.endswith("kernel"):
            value = 0.5 * rng.normal(size=shape) / np.sqrt(shape[0])
        elif name.endswith(("gamma", "moving_variance")):
            value = rng.uniform(0.5, 1.5, size=shape)
        else:
            value = rng.normal(size=shape) * 0.1
        weights[name] = value.astype(np.float32)
    return weights


def batches(data, target):
    for step in range(STEPS):
        rows = slice(step % (ROWS // BATCH) * BATCH, (step % (ROWS // BATCH) + 1) * BATCH)
        yield data["x"][rows].astype(np.float64), data[target][rows]


def options_of(text):
    return dict(line.split() for line in text.split(", "))


# --- Keras ---------------------------------------------------------------------------------------------------------

KERAS_RULES = {"sgd": "SGD", "adagrad": "Adagrad", "adadelta": "Adadelta", "rmsprop": "RMSprop", "adam": "Adam",
               "adamw": "AdamW", "adamax": "Adamax", "nadam": "Nadam", "lamb": "Lamb", "lion": "Lion"}


def keras_optimizer(text):
    options = options_of(text)
    rule = getattr(keras.optimizers, KERAS_RULES[options.pop("name")])
    return rule(**{key: True if value == "yes" else float(value) for key, value in options.items()})


def train_keras(layers, initial, data, loss, target, options):
    model = keras_model(layers)
    arrays = arrays_of(model)
    for name, value in initial.items():
        arrays[name].assign(value.astype(np.float64))
    name = f"sparse_{loss}" if loss == "categorical_crossentropy" and target == "classes" else loss
    model.compile(optimizer=keras_optimizer(options), loss=name)
    for x, y in batches(data, target):
        # One output and one number a row: Keras would broadcast [rows] against [rows, 1].
        y = y.astype(np.float64)[:, None] if target == "binary" else y if target == "classes" else y.astype(np.float64)
        model.train_on_batch(x, y)
    return {name: keras.ops.convert_to_numpy(variable) for name, variable in arrays.items()}


# --- PyTorch -------------------------------------------------------------------------------------------------------

TORCH_RULES = {"sgd": "SGD", "adagrad": "Adagrad", "adadelta": "Adadelta", "rmsprop": "RMSprop", "adam": "Adam",
               "adamw": "AdamW", "adamax": "Adamax", "nadam": "NAdam"}


def torch_optimizer(options, parameters):
    rule = options.pop("name")
    given = {key: True if value == "yes" else float(value) for key, value in options.items()}
    names = {"learning_rate": "lr", "epsilon": "eps", "rho": "alpha" if rule == "rmsprop" else "rho"}
    betas = given.pop("beta_1", 0.9), given.pop("beta_2", 0.999)
    words = {names.get(key, key): value for key, value in given.items()}
    if rule in ("adam", "adamw", "adamax", "nadam"):
        words["betas"] = betas
    return getattr(torch.optim, TORCH_RULES[rule])(parameters, **words)


def train_torch(layers, initial, data, loss, target, options):
    """The network "classes" in plain PyTorch; its last softmax is in the loss."""
    assert layers == NETS["classes"] and loss == "categorical_crossentropy"
    weights = {name: torch.tensor(value, dtype=torch.float64, requires_grad=True) for name, value in initial.items()}

    def dense(x, layer):
        return x @ weights[f"{layer}/kernel"] + weights[f"{layer}/bias"]

    words = options_of(options)
    clip = {key: float(words.pop(key)) for key in ("global_clipnorm", "clipvalue") if key in words}
    optimizer = torch_optimizer(words, list(weights.values()))
    for x, y in batches(data, target):
        hidden = torch.sigmoid(dense(torch.tanh(dense(torch.tensor(x), "dense")), "dense_1"))
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(dense(hidden, "dense_2"), torch.tensor(y, dtype=torch.int64)).backward()
        if "global_clipnorm" in clip:
            torch.nn.utils.clip_grad_norm_(weights.values(), clip["global_clipnorm"])
        if "clipvalue" in clip:
            torch.nn.utils.clip_grad_value_(weights.values(), clip["clipvalue"])
        optimizer.step()
    return {name: value.detach().numpy() for name, value in weights.items()}


# --- the file ------------------------------------------------------------------------------------------------------


def text(value):
    """Of fixed length: it lies in the header of its object and costs no block of its own."""
    return np.array(value.encode(), dtype=h5py.string_dtype("utf-8", len(value)))


def write(path):
    rng = np.random.default_rng(20)
    data = make_data(rng)
    nets = {name: make_weights(layers, rng) for name, layers in NETS.items()}
    with h5py.File(path, "w", libver=("v110", "v110")) as file:
        file.attrs.update({"keras": text(keras.__version__), "torch": text(torch.__version__.split("+")[0]),
                           "batch_size": BATCH, "steps": STEPS})
        for name, values in data.items():
            file[f"data/{name}"] = values
        for net, weights in nets.items():
            file.create_group(f"nets/{net}").attrs["layers"] = text("\n".join(NETS[net]))
            for name, values in weights.items():
                file[f"nets/{net}/{name}"] = values
        for library, train in (("keras", train_keras), ("torch", train_torch)):
            for case, (net, loss, target, options) in cases_of(library).items():
                final = train(NETS[net], nets[net], data, loss, target, options)
                group = file.create_group(f"cases/{library}/{case}")
                words = options.replace(", ", "\n") + f"\ndialect {library}"
                for key, value in (("net", net), ("loss", loss), ("target", target), ("options", words)):
                    group.attrs[key] = text(value)
                moved = 0.0
                for name, values in final.items():
                    group[name] = values.astype(np.float32)
                    moved = max(moved, float(np.abs(values - nets[net][name]).max()))
                assert np.isfinite(moved) and moved > 2e-5, (library, case, moved)
                print(f"{library}\t{case}\t{moved:.4f}")


if __name__ == "__main__":
    assert int(keras.__version__.split(".")[0]) == 3, keras.__version__
    keras.config.set_floatx("float64")
    torch.set_default_dtype(torch.float64)
    write(sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(os.path.abspath(__file__)), "parity.h5"))
