#pragma once
/** Between the files of bench_elementwise.  The baseline of each case is a copy of memory that moves as many
 * bytes as the kernel reads and writes. */
#include "support/bench.h"

/** Collective.  One kernel beside its copy.
 * @param[in] n      elements
 * @param[in] bytes  read and written */
TUTTI_NODISCARD
tutti_status elementwise_case(const bench *b, const char *what, const char *shape, double n, double bytes,
                              bench_variant kernel);

/** Collective.  Each file's cases. */
TUTTI_NODISCARD
tutti_status elementwise_layers(const bench *b); // activations, losses, sums over columns
TUTTI_NODISCARD
tutti_status elementwise_optim(const bench *b);
