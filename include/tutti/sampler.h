#pragma once
/** Which samples, in which order, on which rank: pure functions of (n, seed, epoch, batch, rank, size).
 * Local; nothing here allocates, so ten million rows cost no rank an array of their own. */
#include <stdbool.h>

#include "tutti/base.h"

/** A bijection of [0, n) onto itself, keyed by (seed, kind, epoch): an alternating Feistel network over Z_a x
 * Z_b with a*b >= n and cycle walking (Black and Rogaway, "Ciphers with arbitrary finite domains", CT-RSA
 * 2002, section 5). */
typedef struct {
  int64_t n, a, b;
  uint64_t seed;
  uint32_t kind, epoch;
  bool identity;
} tutti_permutation;

/** `kind` is a tutti_stream_kind; n >= 1. */
tutti_permutation tutti_permutation_make(int64_t n, uint64_t seed, uint32_t kind, uint32_t epoch);

/** The order as it is. */
tutti_permutation tutti_permutation_identity(int64_t n);

/** The image of i in [0, n). */
int64_t tutti_permutation_at(const tutti_permutation *permutation, int64_t i);

/** images[n] = those of first, first + 1, ..., first + n - 1: several times as fast as one after another. */
void tutti_permutation_fill(const tutti_permutation *permutation, int64_t first, int64_t n, int64_t *images);

/** Replace each of values[n], in the permutation's range, by its image. */
void tutti_permutation_map(const tutti_permutation *permutation, int64_t n, int64_t *values);

/** What becomes of the samples that an epoch has beyond its whole batches. */
typedef enum {
  TUTTI_LAST_SHORT, // a batch of what is left; one larger than the epoch is cut to it
  TUTTI_LAST_DROP,  // nothing: they are left out in this epoch
  TUTTI_LAST_CARRY, // they begin a batch that goes on with the next epoch, or takes several
  TUTTI_N_LASTS
} tutti_last_batch;

/** How an epoch of n samples falls into global batches. */
typedef struct {
  int64_t n, batch;
  tutti_last_batch last;
} tutti_epoch;

/** n >= 1, batch >= 1; SHORT: a batch larger than n is cut to n. */
tutti_epoch tutti_epoch_make(int64_t n, int64_t batch, tutti_last_batch last);

typedef struct {
  int64_t begin, count;
} tutti_range;

/** The epochs one after the other are one sequence of places: place p is position p mod n of epoch p / n.
 *
 * The global batch of up to `batch` samples that begins at a place, where a batch may begin: positions [begin, begin +
 * count) of its epoch.  With CARRY those from n on are positions of the epochs behind it. */
tutti_range tutti_epoch_batch(const tutti_epoch *epoch, int64_t place, int64_t batch);

/** Where the next one begins; DROP: what is left of an epoch is skipped where it is less than `batch`. */
int64_t tutti_epoch_after(const tutti_epoch *epoch, int64_t place, int64_t batch);

/** One rank's shard of the `count` samples from `begin`: contiguous, the shards cover them in rank order,
 * sizes differ by at most one grain.  Where there are at least as many grains (groups of `grain` samples, the
 * last one shorter) as ranks, shards begin at whole grains, so that a group never falls on two ranks; else
 * the samples are cut evenly. grain = 1 for no groups.  More ranks than samples leaves ranks with none. */
tutti_range tutti_shard(tutti_range batch, int64_t grain, int rank, int size);

/** Samples of the largest shard of such a batch. */
int64_t tutti_shard_largest(int64_t count, int64_t grain, int size);

/** Rows held out for validation: round(n * fraction), at least 1 and at most n - 1 where fraction > 0 and n
 * > 1. */
int64_t tutti_split_count(int64_t n, double fraction);
