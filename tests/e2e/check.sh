# --check finds, in a second and without MPI, the mistakes that would end a job at its start.  It starts nothing.
. "$SOURCE_DIR/tests/e2e/lib.sh"
write_small_config
cat >study.yaml <<CONF
$(cat small.yaml)
study:
  vary:
    train.batch_size: [32, 64]
    optimizer.learning_rate: [0.01, 0.1]
  goal: val_accuracy > 0.9
  budget: 2 epochs
CONF
cp "$SOURCE_DIR/data/digits.h5" .
before=$(fingerprint .)

# wrong STATUS TEXT... -- ARGUMENT...
wrong() { refuse "$@" --check; }
# The message is that of the training itself.
wrong 64 'unknown option --train.batch_siz=3; did you mean --train.batch_size?' -- train small.yaml --train.batch_siz=3
wrong 66 'nowhere.yaml' -- train nowhere.yaml
wrong 66 'nowhere.h5' -- train small.yaml --data.file=nowhere.h5
wrong 65 "there is no array 'x'" "x_train [1438, 64]" -- train small.yaml --data.x_train=x
wrong 78 'train.batch_size: 2000 is more than the 1294 training samples' -- train small.yaml --train.batch_size=2000 \
  --train.last_batch=drop
wrong 78 'train.batch_size: 33 leaves a group of one sample to batch_norm' -- train small.yaml --train.batch_size=33 \
  --model.layers='dense 4, batch_norm ghost=32, dense 10 softmax'
wrong 65 'a label has 1 number, but the last of model.layers gives 3' -- train small.yaml --model.layers='dense 3'
wrong 65 "array 'y_train', row 8 (from 0) is 9, expected a class from 0 to 8" -- train small.yaml \
  --model.layers='dense 9 softmax'
wrong 78 'schedule.warmup' -- train small.yaml --schedule.warmup='9 epochs'
wrong 65 'trial ' 'a class from 0 to 8' -- study study.yaml --model.layers='dense 9 softmax'
wrong 78 'trial ' 'batch size 5000' 'more than the 1294 training samples' -- study study.yaml \
  --study.vary.train.batch_size='[32, 5000]' --train.last_batch=short
wrong 64 'unknown option --check' -- eval small.yaml

# What is legal but odd is a warning.
succeed "$RANKS" train --check small.yaml --train.batch_size=2000 --train.last_batch=short
expect_text 'tutti: warning: train.batch_size 2000 is more than the 1294 training samples'

succeed "$RANKS" train --check small.yaml --run.directory=runs/here
expect_same "$(value run) $(value training_samples) $(value parameters) $(value steps)" 'runs/here 1294 1210 82'
succeed "$RANKS" study --check study.yaml --study.output=here.h5
expect_same "$(value output) $(value trials)" 'here.h5 4'
expect_same "$(fingerprint .)" "$before"

# On a login node MPI may not start, and in the script of a job this process is alone.
if [ "$RANKS" -eq 1 ]; then
  call env OMPI_MCA_pml=none MPIR_CVAR_CH4_NETMOD=none SLURM_NTASKS=4 "$TUTTI" train small.yaml --check
  expect_status 0
  call env SLURM_NTASKS=4 "$TUTTI" study study.yaml --check --study.ranks_per_trial=3
  expect_status 78
  expect_text 'the 4 ranks of this job cannot be divided'
fi
