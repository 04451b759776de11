/* Squared norms of the layers of a measured step: of gradient, weights, update, and distance from the first weights.
 * train/update.c calls this for each block of its passes while the block is in a cache, several threads at once.  Each
 * block has places of its own for its sums, and they are added up in a fixed order, so that results have the same bits
 * for every number of threads. */
#include <string.h>

#include "linalg/squares.h"
#include "measure/meter_impl.h"

static int layer_at(const tutti_meter *meter, int64_t at) {
  int layer = 0;
  while (meter->layers[layer].end <= at) layer++;
  return layer;
}

/** Elements [at, to) of the flat buffer that lie in one block and in one layer. */
typedef struct {
  int64_t at, to, place;
  int layer;
} block_in_layer;

static const tutti_slice *slice_of(const tutti_run *run) {
  return tutti_reducer_slice(run->reducer);
}

/** The elements from `at` on.  Each border between layers inside of a block needs one more place: hence block +
 * layer. */
static block_in_layer next_in_layer(const tutti_run *run, int64_t at, int64_t end) {
  const tutti_meter *meter = run->meter;
  const int64_t block = tutti_slice_index(slice_of(run), at) / TUTTI_BLOCK,
                block_end = (at / TUTTI_BLOCK + 1) * TUTTI_BLOCK;
  const int layer = layer_at(meter, at);
  const int64_t layer_end = meter->layers[layer].end;
  int64_t to = block_end < layer_end ? block_end : layer_end;
  if (end < to) to = end;
  return (block_in_layer){.at = at, .to = to, .layer = layer, .place = block + layer};
}

void tutti_meter_before(tutti_run *run, int64_t at, int64_t n, const float *params, const float *grads,
                        float *scratch) {
  if (!tutti_meter_is_on(run)) return;
  tutti_meter *meter = run->meter;
  for (block_in_layer s = {.to = at}; s.to < at + n;) {
    s = next_in_layer(run, s.to, at + n);
    meter->places[s.place][TUTTI_OF_GRADIENT] = tutti_linalg_squares(grads + (s.at - at), s.to - s.at);
  }
  if (meter->norms)
    memcpy(meter->before ? meter->before + tutti_slice_index(slice_of(run), at) : scratch, params,
           (size_t)n * sizeof *scratch);
}

void tutti_meter_after(tutti_run *run, int64_t at, int64_t n, const float *params, const float *scratch) {
  if (!tutti_meter_is_on(run) || !run->meter->norms) return;
  tutti_meter *meter = run->meter;
  const int64_t own = tutti_slice_index(slice_of(run), at);
  const float *before = meter->before ? meter->before + own : scratch, *start = meter->start + own;
  for (block_in_layer s = {.to = at}; s.to < at + n;) {
    s = next_in_layer(run, s.to, at + n);
    const int64_t k = s.at - at, count = s.to - s.at;
    double *place = meter->places[s.place];
    place[TUTTI_OF_WEIGHTS] = tutti_linalg_squares(params + k, count);
    // The difference of two nearly equal vectors: the sum of squares of differences keeps the digits that |a|^2 - |b|^2
    // loses.
    place[TUTTI_OF_UPDATE] = tutti_linalg_squares_of_difference(params + k, before + k, count);
    place[TUTTI_OF_DISTANCE] = tutti_linalg_squares_of_difference(params + k, start + k, count);
  }
}

static void add_range_sums(const tutti_run *run, const tutti_slice_range *range) {
  tutti_meter *meter = run->meter;
  for (block_in_layer s = {.to = range->begin}; s.to < range->end;) {
    s = next_in_layer(run, s.to, range->end);
    double *place = meter->places[s.place];
    for (int i = 0; i < TUTTI_N_SQUARES; i++) {
      meter->sums[s.layer][i] += place[i];
      place[i] = 0;
    }
  }
}

void tutti_meter_add_block_sums(tutti_run *run) {
  if (!tutti_meter_is_on(run)) return;
  const tutti_slice *own = slice_of(run);
  for (int i = 0; i < own->n_ranges; i++) add_range_sums(run, &own->ranges[i]);
}
