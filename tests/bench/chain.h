#pragma once
/** The matrix products of a training step and nothing else, by the BLAS.  Local.
 *
 * Numbers are such that every element of a result is known: inputs 1, weights 1 / n_in, last gradients 1. */
#include "tutti/base.h"

typedef struct {
  int n_in, n_out;
  float *w, *dw; // [n_in, n_out]
  float *z, *dz; // [rows, n_out]
} chain_link;

typedef struct {
  int rows, n;
  float *x;          // [rows, n_in of the first]
  chain_link *links; // [n]
} chain;

/** Layers of units[n], from n_in features.  The caller owns what it holds, also after a failure: chain_clear. */
TUTTI_NODISCARD
tutti_status chain_make(int rows, int n_in, const int *units, int n, chain *c);
void chain_clear(chain *c);

/** Operations of one run for one sample. */
double chain_work(const chain *c);

/** A bench_variant's run and check; the context is a chain. */
tutti_status chain_run(void *context);
tutti_status chain_check(void *context, double *checksum);
