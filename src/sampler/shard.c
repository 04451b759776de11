/** The cuts of an epoch into global batches and of a batch into the shards of the ranks.  It depends on sizes alone,
 * so that training, resuming and evaluation agree. */
#include <math.h>

#include "base/arithmetic.h"
#include "tutti/sampler.h"

tutti_epoch tutti_epoch_make(int64_t n, int64_t batch, tutti_last_batch last) {
  TUTTI_ASSERT(n >= 1 && batch >= 1);
  return (tutti_epoch){
      .n = n, .batch = last == TUTTI_LAST_SHORT ? tutti_min64(batch, n) : batch, .last = last};
}

tutti_range tutti_epoch_batch(const tutti_epoch *epoch, int64_t place, int64_t batch) {
  const int64_t begin = place % epoch->n;
  const bool whole = epoch->last != TUTTI_LAST_SHORT;
  return (tutti_range){.begin = begin, .count = whole ? batch : tutti_min64(batch, epoch->n - begin)};
}

int64_t tutti_epoch_after(const tutti_epoch *epoch, int64_t place, int64_t batch) {
  const int64_t end = place + tutti_epoch_batch(epoch, place, batch).count, left = epoch->n - end % epoch->n;
  return epoch->last == TUTTI_LAST_DROP && left < batch ? end + left : end;
}

/** The begin of part `rank` of n things that are divided evenly; the first parts get the remainder. */
static int64_t part_begin(int64_t n, int rank, int size) {
  const int64_t quotient = n / size, remainder = n % size;
  return rank * quotient + (rank < remainder ? rank : remainder);
}

tutti_range tutti_shard(tutti_range batch, int64_t grain, int rank, int size) {
  TUTTI_ASSERT(grain >= 1 && rank >= 0 && rank < size);
  const int64_t n_grains = (batch.count + grain - 1) / grain;
  const bool by_grain = n_grains >= size;
  const int64_t n = by_grain ? n_grains : batch.count, unit = by_grain ? grain : 1;
  const int64_t begin = tutti_min64(part_begin(n, rank, size) * unit, batch.count);
  const int64_t end = tutti_min64(part_begin(n, rank + 1, size) * unit, batch.count);
  return (tutti_range){.begin = batch.begin + begin, .count = end - begin};
}

int64_t tutti_shard_largest(int64_t count, int64_t grain, int size) {
  // Rank 0 takes the remainder first, and only the last grain is short.
  return tutti_shard((tutti_range){.count = count}, grain, 0, size).count;
}

int64_t tutti_sampler_split_count(int64_t n, double fraction) {
  if (fraction <= 0 || n <= 1) return 0;
  const int64_t count = llround((double)n * fraction);
  return count < 1 ? 1 : tutti_min64(count, n - 1);
}
