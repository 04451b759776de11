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

/** The permutation that leaves the order as it is. */
tutti_permutation tutti_permutation_identity(int64_t n);

/** The image of i in [0, n). */
int64_t tutti_permutation_at(const tutti_permutation *permutation, int64_t i);

/** images[n] = the images of first, first + 1, ..., first + n - 1; several times as fast as one by one. */
void tutti_permutation_fill(const tutti_permutation *permutation, int64_t first, int64_t n, int64_t *images);

/** Replace each of values[n], in the permutation's range, by its image. */
void tutti_permutation_map(const tutti_permutation *permutation, int64_t n, int64_t *values);

/** The treatment of the samples that an epoch has beyond its whole batches. */
typedef enum {
  TUTTI_LAST_SHORT, // they are a shorter batch; a batch larger than the epoch is cut to it
  TUTTI_LAST_DROP,  // they are left out in this epoch
  TUTTI_LAST_CARRY, // they begin a batch that continues in the next epochs
  TUTTI_N_LASTS
} tutti_last_batch;

/** The division of an epoch of n samples into global batches. */
typedef struct {
  int64_t n, batch;
  tutti_last_batch last;
} tutti_epoch;

/** n >= 1, batch >= 1; SHORT: a batch larger than n is cut to n. */
tutti_epoch tutti_epoch_make(int64_t n, int64_t batch, tutti_last_batch last);

typedef struct {
  int64_t begin, count;
} tutti_range;

/** The global batch of up to `batch` samples that begins at a place.  Places number the samples of all epochs in one
 * sequence: place p is position p mod n of epoch p / n.
 * @param[in] place  where a batch begins, as tutti_epoch_after gives it
 * @return positions [begin, begin + count) of the epoch; with CARRY, positions from n on belong to the epochs after
 * it */
tutti_range tutti_epoch_batch(const tutti_epoch *epoch, int64_t place, int64_t batch);

/** The place where the next batch begins.  With DROP the rest of an epoch is skipped if it is less than `batch`. */
int64_t tutti_epoch_after(const tutti_epoch *epoch, int64_t place, int64_t batch);

/** The shard of one rank of a batch.  Shards are contiguous, cover the batch in the order of the ranks, and differ by
 * at most one grain in size.  If there are at least as many grains as ranks, shards begin at whole grains, so that a
 * grain never falls on two ranks; else the samples are divided evenly.  Some shards are empty if there are more ranks
 * than samples.
 * @param[in] grain  samples of a group, the last one of a batch may be shorter; 1: there are no groups */
tutti_range tutti_shard(tutti_range batch, int64_t grain, int rank, int size);

/** The number of samples in the largest shard of a batch of `count` samples. */
int64_t tutti_shard_largest(int64_t count, int64_t grain, int size);

/** The number of rows held out for validation: round(n * fraction), between 1 and n - 1 if fraction > 0 and n > 1. */
int64_t tutti_sampler_split_count(int64_t n, double fraction);
