#pragma once
/** A training, step by step, that repeats epoch 0. */
#include "support/bench.h"
#include "train/train_impl.h"

/** The options of a program with such a training, for bench_program. */
#define ENDLESS_OPTIONS "layers", "optimizer", "reduce"

/** Local.  The config that the program's options ask for.
 * @param[in] measure  of run.measure */
TUTTI_NODISCARD
tutti_status endless_parse(const bench *b, const char *file, int64_t batch, const char *measure,
                           tutti_config *config);

/** Collective.  One step.  @return ERR_INTERNAL the loss is not finite */
TUTTI_NODISCARD
tutti_status endless_step(tutti_run *run, tutti_train_step_result *result);
