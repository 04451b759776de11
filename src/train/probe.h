#pragma once
/** Steps of a training for measuring: the same data, the same code, no run directory, and nothing written. */
#include "tutti/config.h"
#include "tutti/metrics.h"
#include "tutti/model.h"
#include "tutti/par.h"

typedef struct tutti_probe tutti_probe;

/** Collective.  Opens the data that the config names and sets threads, as a training does.  Both are
 * borrowed. The caller owns the probe. */
TUTTI_NODISCARD
tutti_status tutti_probe_create(const tutti_comm *comm, const tutti_config *config, tutti_probe **probe);
void tutti_probe_destroy(tutti_probe **probe); // Collective.  Accepts NULL inside; nulls the handle.

int64_t tutti_probe_n_train(const tutti_probe *probe); // Local.  Training samples.

/** Collective over `comm`, a part of the probe's ranks (borrowed until the next time); all ranks of the probe
 * call it, each with its part.  From now on steps of `batch_size` samples of these ranks, from the initial
 * weights.
 * @return what tutti_train returns for such a config, agreed on by the probe's ranks; nothing is prepared
 * then */
TUTTI_NODISCARD
tutti_status tutti_probe_prepare(tutti_probe *probe, const tutti_comm *comm, int64_t batch_size,
                                 tutti_reduce_kind reduce);

/** Collective over that communicator, after prepare.  n steps, of whole batches: the last one of an epoch,
 * which may be short, is left out.
 * @param[out] seconds  [n] each step's phases on this rank
 * @return ERR_CONFIG the loss was not finite, so that there is no such step to measure */
TUTTI_NODISCARD
tutti_status tutti_probe_steps(tutti_probe *probe, int64_t n, double (*seconds)[TUTTI_N_PHASES]);

const tutti_model *tutti_probe_model(const tutti_probe *probe); // Local, after prepare.  Borrowed.
const char *tutti_probe_reducer(const tutti_probe *probe);      // Local, after prepare.  Borrowed.

/** A micro-batch of this rank's part of a step.  Its layers' weights get their gradient leaf by leaf. */
typedef struct {
  int rows, n_leaves;
  const int64_t
      *leaf_ends;  // [n_leaves] the row behind each leaf's last one; valid until the next is asked for
  bool accumulate; // the gradient is added to that of the micro-batch before
} tutti_probe_pass;

/** Local, after prepare.  Call `visit` with each of them, in their order. */
void tutti_probe_passes(const tutti_probe *probe, void (*visit)(void *context, const tutti_probe_pass *pass),
                        void *context);
