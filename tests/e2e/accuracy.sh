# The accuracy of sigmoids: of one-hot rows samples are counted, of rows with several labels outputs, each under its name.
. "$SOURCE_DIR/tests/e2e/lib.sh"
find_python h5py numpy

# right FILE KIND: the part of what is predicted for data.h5 that is as KIND has it.
right() {
  rm -f p.h5
  succeed "$RANKS" predict "$1" data.h5:x_test p.h5
  "$python" - "$2" <<'EOF'
import sys, h5py
with h5py.File("p.h5") as p, h5py.File("data.h5") as d:
    y, out = d[sys.argv[1] + "_test"][:], p["predictions"][:]
largest = (y.argmax(1) == out.argmax(1)).mean()
print(f"{largest if sys.argv[1] == 'hot' else ((y > 0.5) == (out > 0.5)).mean():.9g}")
EOF
}

"$python" - <<'EOF' || fail 'no data'
import h5py, numpy as np
r = np.random.default_rng(1)
x, y = r.normal(size=(400, 5)).astype("f4"), r.integers(0, 4, 400)
x[:, :4] += np.eye(4)[y]
many = (x[:, :4] > 0.5).astype("f4")
with h5py.File("data.h5", "w") as f:
    for name, a in (("x", x), ("hot", np.eye(4, dtype="f4")[y]), ("many", many), ("one", many[:, :1])):
        f[name + "_train"], f[name + "_test"] = a[:300], a[300:]
EOF
train() {
  kind=$1
  shift
  succeed "$RANKS" train --data.file=data.h5 --data.y_train=${kind}_train --data.y_test=${kind}_test \
    --model.layers='dense 4 sigmoid' --data.validation_split=0.2 --run.directory=$kind --optimizer.ema_momentum=0.9 "$@"
}

train hot
expect_text 'val_accuracy' 'ema_val_accuracy'
expect_no_text binary
expect_close "$(value test_accuracy)" "$(right hot/checkpoint.h5 hot)" 1e-5
train many --train.monitor=val_binary_accuracy
expect_text 'val_binary_accuracy' 'ema_val_binary_accuracy'
expect_close "$(value test_binary_accuracy)" "$(right many/checkpoint.h5 many)" 1e-5
train one --model.layers='dense 1 sigmoid' --train.stop_at='val_accuracy >= 0.99'
expect_close "$(value test_accuracy)" "$(right one/checkpoint.h5 one)" 1e-5
refuse 78 train.monitor "'val_accuracy' is not measured" val_binary_accuracy -- train --data.file=data.h5 \
  --data.y_train=many_train --data.y_test=many_test --model.layers='dense 4 sigmoid' --data.validation_split=0.2 \
  --run.directory=refused --train.monitor=val_accuracy

# --- what is legal and hardly meant is told, and only that

quiet() { expect_no_text 'train.stop_at:' 'train.monitor:' 'schedule.decay' 'model.layers:' 'label_smoothing' 'model.loss:' 'gives nothing else'; }
train one --model.layers='dense 8 sigmoid, dense 1 sigmoid' --run.directory=quiet --train.monitor=loss
quiet
train hot --model.layers='dense 4 softmax' --model.loss=mean_squared_error --run.directory=quiet2
quiet
train one --model.layers='dense 1 sigmoid' --run.directory=told1 --train.stop_at='val_accuracy > 1'
expect_text 'train.stop_at: nothing can reach val_accuracy > 1'
train one --model.layers='dense 1 sigmoid' --run.directory=told2 --train.monitor=loss --train.steps=2
expect_text 'train.monitor: loss is first known after 1 epoch,'
train hot --model.layers='dense 4 softmax, activation softmax' --run.directory=told3
expect_text 'model.layers: the last layer, softmax, takes the probabilities of a softmax'
train hot --model.layers='dense 4 sigmoid, dropout 0.1, activation softmax' --run.directory=told4
expect_text 'takes the probabilities of a sigmoid'
train hot --model.layers='dense 4 tanh, activation softmax' --run.directory=told8
expect_text 'takes the outputs of a tanh before it, -1 to 1, and so cannot give any near 0 or 1'
train one --model.layers='dense 1 relu, activation sigmoid' --run.directory=told9
expect_text 'takes the outputs of a relu before it, 0 and above, and so cannot give any below 0.5'
train hot --model.layers='dense 4 sigmoid, batch_norm, activation softmax' --run.directory=quiet3 \
  --schedule.decay=plateau
quiet
train one --model.layers='dense 1 sigmoid' --run.directory=told10 --schedule.decay=plateau \
  --schedule.decay_min=5 --train.evaluate_every='50 epochs'
expect_text 'schedule.decay: plateau: val_loss is first known after 50 epochs' 'schedule.decay_min: 5 is not below'
train hot --model.layers='dense 4 softmax' --run.directory=told11 --model.label_smoothing=0.1 \
  --train.stop_at='val_loss <= 0.34'
expect_text 'model.label_smoothing: with 0.1 no loss is below 0.3488' 'the goal val_loss <= 0.34'
train hot --model.layers='dense 4 softmax' --run.directory=quiet4 --model.label_smoothing=0.1 \
  --train.stop_at='val_loss <= 0.35'
quiet
train hot --model.layers='dense 4 softmax, dense 4 softmax' --run.directory=told5
expect_text 'model.layers: layer 1 has softmax'
train one --model.layers='dense 1 relu' --model.loss=hinge --run.directory=told6
expect_text 'model.loss: hinge requires outputs on both sides of 0'
succeed "$RANKS" train --data.file=data.h5 --data.y_train=x_train --data.y_test=x_test --run.directory=told7 \
  --model.layers='dense 5 tanh'
expect_text "because the last layer's tanh gives nothing else"

# A run of an earlier version, whose columns are named accuracy, goes on with these.
"$python" - <<'EOF' || fail 'no run of an earlier version'
import h5py, numpy as np
for path in ("many/checkpoint.h5", "many/metrics.h5"):
    with h5py.File(path, "r+") as f:
        for table in [t for t in ("history", "epochs", "steps") if t in f]:
            rows = f[table][:]
            rows.dtype.names = tuple(n.replace("binary_", "") for n in rows.dtype.names)
            del f[table]
            f.create_dataset(table, data=rows, maxshape=(None,), chunks=(64,))
        if "metric" in f.attrs:
            f.attrs["metric"] = "accuracy"
EOF
train many --train.monitor=val_binary_accuracy --train.epochs=3
"$python" - <<'EOF' || fail 'the rows of an earlier version are lost'
import h5py, numpy as np
with h5py.File("many/metrics.h5") as f, h5py.File("many/checkpoint.h5") as c:
    for rows in (f["epochs"][:], c["history"][:]):
        assert "val_binary_accuracy" not in rows.dtype.names
        assert len(rows) == 3, rows
        for name in ("accuracy", "val_accuracy", "ema_val_accuracy"):
            assert ((rows[name] > 0.3) & (rows[name] <= 1)).all(), rows[name]
EOF
