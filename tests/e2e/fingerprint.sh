# The fingerprint of the training rows: two changed signs are seen, at any rank count it is the same, and files of earlier
# versions, with another hash, belong to the same data as before.
. "$SOURCE_DIR/tests/e2e/lib.sh"
find_python h5py numpy
cat >edit.py <<'EOF'
import sys, h5py, numpy as np

def earlier(data):
    """FNV-1a over words, as earlier versions had it."""
    h = 0xCBF29CE484222325
    with h5py.File(data) as f:
        arrays = f["x_train"][:].astype("f4"), f["y_train"][:].astype("f4")
    for a in arrays:
        text = a.tobytes()
        for w in np.frombuffer(text + bytes(-len(text) % 8), "<u8").tolist():
            h = (h ^ w) * 0x100000001B3 % 2**64
    return h - (h >> 63 << 64)

what, path = sys.argv[1:3]
if what == "make":
    r = np.random.default_rng(1)
    with h5py.File(path, "w") as f:
        for part, n in ("train", 60), ("test", 9):
            f["x_" + part], f["y_" + part] = r.normal(size=(n, 4)).astype("f4"), r.integers(0, 3, n)
elif what == "signs":
    with h5py.File(path, "r+") as f:
        x = f["x_train"][:]
        x[[3, 40], [1, 3]] *= -1
        f["x_train"][:] = x
elif what == "value":
    with h5py.File(path, "r+") as f:
        f["x_train"][3, 1] += 1
elif what == "earlier":
    with h5py.File(path, "r+") as f:
        f.attrs["data"] = earlier(sys.argv[3])
        del f.attrs["data_hash"]
elif what == "show":
    with h5py.File(path) as f:
        print(f.attrs["data"], f.attrs["data_hash"])
EOF
edit() { "$python" edit.py "$@" || fail "edit.py $*"; }
train() {
  run "$RANKS" train --data.file=data.h5 --model.layers='dense 3 softmax' --run.directory=runs/one "$@"
}
refused() {
  expect_status 78
  expect_text 'the contents of data.file'
}

edit make data.h5
train --train.epochs=1
expect_status 0
edit show runs/one/checkpoint.h5 >first
succeed $((4 - RANKS)) train --data.file=data.h5 --model.layers='dense 3 softmax' --run.directory=runs/two
edit show runs/two/checkpoint.h5 >second
expect_same "$(cat second)" "$(cat first)"
case $(cat first) in *' 1') ;; *) fail "no XXH64: $(cat first)" ;; esac

cp data.h5 whole.h5
edit signs data.h5
train --train.epochs=2
refused
cp whole.h5 data.h5
train --train.epochs=2
expect_status 0
expect_text 'continues from runs/one/checkpoint.h5'

# A run of an earlier version: of other rows it does not go on, of these it does, and has today's fingerprint then.
edit earlier runs/one/checkpoint.h5 data.h5
edit value data.h5
train --train.epochs=3
refused
cp whole.h5 data.h5
train --train.epochs=3
expect_status 0
expect_text 'continues from runs/one/checkpoint.h5'
edit show runs/one/checkpoint.h5 >second
expect_same "$(cat second)" "$(cat first)"

# The same of a study.
study() {
  run "$RANKS" study --data.file=data.h5 --model.layers='dense 3 softmax' --study.goal='val_loss < 0.1' \
    --data.validation_split=0.3 --study.vary.train.batch_size='[4, 8]' --study.budget="2 epochs" "$@"
}
study
expect_status 0
edit show study.h5 >first
edit signs data.h5
study
refused
edit earlier study.h5 whole.h5
edit value data.h5
study
refused
cp whole.h5 data.h5
study
expect_status 0
