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

/** Collective.  One batch of a case.
 * @param[in] file   data with classes
 * @param[in] shape  the batch as a text, for the table */
typedef tutti_status endless_batch(const bench *b, const char *file, int64_t batch, const char *shape);

/** Collective.  Call `run` for each of batches[n] that --only selects, with the data of --file, or made up ones that have
 * 784 features like pixels (few in short runs).
 * @param[in] what  the name of the case */
TUTTI_NODISCARD
tutti_status endless_batches(const bench *b, const char *what, const int64_t *batches, int n,
                             endless_batch *run);

/** Collective.  What a program does with a training that has begun. */
typedef tutti_status endless_measure(const bench *b, tutti_run *run, const char *shape);

/** Collective.  Create a training that measures nothing, begin it, and call `measure`. */
TUTTI_NODISCARD
tutti_status endless_train(const bench *b, const char *file, int64_t batch, const char *shape,
                           endless_measure *measure);
