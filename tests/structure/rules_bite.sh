#!/bin/sh
# usage: rules_bite.sh FOLDER -- a tree that keeps the rules passes, and each rule names the line that breaks it
set -eu
here=$(cd "$(dirname "$0")" && pwd)
rm -rf "$1"
mkdir -p "$1"
cd "$1"
failures=0
opening='// What it does.'

# Runs the rules on a tree of one file, besides a few that keep them.
check() { # FILE LINE
  rm -rf tree
  mkdir -p "tree/$(dirname "$1")" tree/include/tutti tree/src/par tree/src/base
  cat >tree/src/par/comm.c <<'EOF'
// Communicators.
#include <mpi.h>
#include "tutti/par.h"
#include "par/par_impl.h"
#include "base/log.h"
/* exit(1) in a comment
   is abort() of nothing */
static const char *text = "exit(1); \" stdout"; // printf("x")
static int snprintf_like(void) { return at_exit(0); } /** stderr */
EOF
  printf '/* A bug. */\n#include <stdio.h>\nvoid f(void) { abort(); fputs("", stderr); }\n' >tree/src/base/assert.c
  printf '%s\n%s\n' "$opening" "$2" >"tree/$1"
  outcome=0
  "$here/rules.sh" tree >output 2>&1 || outcome=$?
}

fails() { # FILE LINE TEXT
  check "$1" "$2"
  if [ "$outcome" -eq 0 ] || ! grep -q "^$1:[12]: " output || ! grep -qF "$3" output; then
    echo "$1: '$2' should have failed with '$3', but exit $outcome and:"
    cat output
    failures=$((failures + 1))
  fi
}

passes() { # FILE LINE
  check "$1" "$2"
  if [ "$outcome" -ne 0 ]; then
    echo "$1: '$2' should have passed, but:"
    cat output
    failures=$((failures + 1))
  fi
}

passes src/io/h5_impl.h '#include <hdf5.h>'
passes src/base/log.h 'int x;'
passes src/cli/main.c 'int main(void) { printf("x"); exit(0); }'
passes src/train/step.c '#include "tutti/model.h"'
passes src/model/dense.c '#include "model/model_impl.h"'
passes include/tutti/count.h '#include "tutti/base.h"'
passes include/tutti/config.h '#include "tutti/count.h"'
passes src/study/run.c '#include "fit/trial_set.h"'
fails include/tutti/count.h '#include "tutti/par.h"' 'base does not see par'
fails include/tutti/metrics.h '#include "base/log.h"' 'a public header includes none of src'
fails src/io/file.c '#include <mpi.h>' 'only par cli may include it'
fails src/train/step.c '#include <hdf5.h>' 'only io may include it'
fails src/model/dense.c '#  include <cblas.h>' 'only linalg may include it'
fails src/optim/sgd.c '#include <omp.h>' 'only linalg may include it'
fails src/train/step.c '#include <yaml.h>' 'only config may include it'
fails src/io/file.c '#include <zlib.h>' 'only data may include it'
fails src/sampler/shard.c '#include <Random123/philox.h>' 'only base may include it'
fails src/data/read.c '#include <xxhash.h>' 'only base may include it'
fails include/tutti/par.h '#include <mpi.h>' 'a public header must compile without mpi'
fails src/base/text.c '#include "tutti/par.h"' 'base does not see par'
fails src/model/dense.c '#include "optim/options.h"' 'model does not see optim'
fails include/tutti/data.h '#include "tutti/config.h"' 'data does not see config'
fails src/optim/adam.c '#include "tutti/par.h"' 'serial code'
fails src/fit/best.c '#include "tutti/space.h"' 'fit does not see space'
fails include/tutti/fit.h '#include "tutti/study.h"' 'fit does not see study'
fails src/space/space.c '#include "tutti/par.h"' 'serial code'
fails src/fit/best.c '#include "tutti/par.h"' 'serial code'
fails src/train/step.c '#include "model/model_impl.h"' 'private to model'
fails src/train/step.c '#include "step.h"' 'say the room'
fails src/train/step.c '#include "engine/step.h"' 'no room engine'
fails src/engine/step.c 'int x;' 'no room engine'
fails src/train/step.c 'if (bad) exit(1);' 'only cli ends the program'
fails src/par/comm.c '/* why */ MPI_Abort(comm, 1);' 'only cli ends the program'
fails src/metrics/row.c 'printf("x");' 'only cli writes to stdout'
fails src/metrics/row.c 'fprintf(stdout, "x");' 'only cli writes to stdout'
fails src/metrics/row.c 'fprintf(stderr, "x");' 'only the log writes to stderr'
fails src/io/h5.h '#include <hdf5.h>' 'no other room includes it'
opening=''
fails src/io/file.c 'int x;' 'open with a comment'
passes src/io/h5_impl.h 'int x;'

rm -rf tree output
exit "$failures"
