/** Arithmetic of the groups of batch normalisation, and their sums over leaves and ranks.  A group has `size`
 * samples of the global batch, and a cell is the part of a group that lies in one leaf: cells are summed apart and
 * added in the order of leaves, so that the bits do not depend on the ranks.  batch_norm.c calls it, and kinds.c for
 * the arithmetic. */
#include "model/groups_impl.h"

#include <string.h>

#include "base/arithmetic.h"

static int64_t row_length(const tutti_groups *groups) {
  return 2 * groups->n + 1;
}

/** A cell also holds its group, counted from 1: other ranks do not know the place of the leaf. */
static int64_t cell_length(const tutti_groups *groups) {
  return row_length(groups) + 1;
}

/** Memory never shrinks, so that a model can be reserved more than once. */
tutti_status tutti_model_groups_reserve(tutti_groups *groups, int64_t n, int64_t capacity, int n_leaves) {
  if (groups->sums && capacity <= groups->capacity && n_leaves <= groups->n_leaves) return TUTTI_OK;
  tutti_model_groups_free(groups);
  TUTTI_CHECK(capacity < INT64_MAX / 8 / (2 * n + 1) - n_leaves, TUTTI_ERR_MEMORY,
              "batch_norm: %lld groups of %lld features", (long long)capacity, (long long)n);
  TUTTI_TRY(TUTTI_NEW(groups->sums, capacity * (2 * n + 1)));
  if (n_leaves > 1) TUTTI_TRY(TUTTI_NEW(groups->cells, (capacity + n_leaves) * (2 * n + 2)));
  TUTTI_TRY(TUTTI_NEW(groups->stats, capacity * 2 * n));
  groups->capacity = capacity;
  groups->n_leaves = n_leaves;
  groups->n = n;
  return TUTTI_OK;
}

void tutti_model_groups_free(tutti_groups *groups) {
  tutti_free(groups->sums);
  tutti_free(groups->cells);
  tutti_free(groups->stats);
  *groups = (tutti_groups){0};
}

static int64_t larger(int64_t a, int64_t b) {
  return a > b ? a : b;
}

int64_t tutti_model_groups_of_batch(int64_t ghost, int64_t batch_count) {
  return ghost ? tutti_ceil_div(batch_count, ghost) : 1;
}

static bool last_is_single(int64_t ghost, int64_t batch_count) {
  return batch_count > 0 && (batch_count - 1) % (ghost ? ghost : batch_count) == 0;
}

int64_t tutti_model_groups_with_variance(int64_t ghost, int64_t batch_count) {
  return tutti_model_groups_of_batch(ghost, batch_count) - last_is_single(ghost, batch_count);
}

int64_t tutti_model_groups_of_rows(int64_t ghost, int64_t max_rows) {
  return ghost ? tutti_ceil_div(max_rows, ghost) + 1 : 1; // one more, if the rows do not begin with a group
}

/** Ranks that sum work with all groups of the batch, so that their vectors of sums have the same length. */
tutti_group_span tutti_model_group_span_of(int64_t ghost, const tutti_model_pass *pass, int64_t rows) {
  tutti_group_span span = {.size = ghost ? ghost : larger(pass->batch_count, 1),
                           .batch = pass->batch_count,
                           .begin = pass->position - pass->batch_begin,
                           .rows = rows};
  TUTTI_ASSERT(rows == 0 || (span.begin >= 0 && span.begin + rows <= span.batch));
  if (pass->sum) {
    span.n = tutti_model_groups_of_batch(ghost, pass->batch_count);
  } else if (rows > 0) {
    span.first = span.begin / span.size;
    span.n = (span.begin + rows - 1) / span.size - span.first + 1;
  }
  return span;
}

/** A group may begin before the micro-batch, or behind it. */
int64_t tutti_model_group_from(const tutti_group_span *span, int64_t i) {
  return larger(0, tutti_min64(span->rows, (span->first + i) * span->size - span->begin));
}

int64_t tutti_model_group_to(const tutti_group_span *span, int64_t i) {
  return tutti_model_group_from(span, i + 1);
}

int64_t tutti_model_group_count(const tutti_group_span *span, int64_t i) {
  return tutti_min64(span->size, span->batch - (span->first + i) * span->size);
}

/** A cell ends with its group, its leaf or the micro-batch. */
bool tutti_model_group_next(const tutti_group_span *span, const tutti_model_pass *pass,
                            tutti_group_cell *cell) {
  const tutti_model_leaves *leaves = pass->leaves;
  cell->from = cell->to;
  if (cell->from >= span->rows) return false;
  const int64_t group = (span->begin + cell->from) / span->size;
  cell->group = group - span->first;
  cell->to = tutti_min64(span->rows, (group + 1) * span->size - span->begin);
  if (!leaves) return true;
  while (leaves->ends[cell->leaf] <= cell->from) cell->leaf++;
  cell->to = tutti_min64(cell->to, leaves->ends[cell->leaf]);
  return true;
}

double *tutti_model_group_sums(const tutti_groups *groups, int64_t i) {
  return groups->sums + i * row_length(groups);
}

float *tutti_model_group_stats(const tutti_groups *groups, int64_t i) {
  return groups->stats + i * 2 * groups->n;
}

/** Whether parts of a group are summed apart: leaves that are kept apart share groups. */
static bool has_cells(const tutti_model_pass *pass) {
  return pass->leaves && pass->leaves->apart && pass->sum;
}

double *tutti_model_group_cell_sums(const tutti_groups *groups, const tutti_model_pass *pass,
                                    const tutti_group_cell *cell) {
  if (!has_cells(pass)) return tutti_model_group_sums(groups, cell->group);
  // From one cell to the next the leaf or the group goes up by one, or both do: so their sum numbers the cells of the
  // global batch without collisions.
  double *sums = groups->cells + (pass->leaves->first + cell->leaf + cell->group) * cell_length(groups);
  sums[row_length(groups)] = (double)(cell->group + 1);
  return sums;
}

/** A cell that nobody asks for stays 0, and its group 0 says that it has no rows. */
void tutti_model_groups_clear(const tutti_groups *groups, const tutti_group_span *span,
                              const tutti_model_pass *pass) {
  const int64_t n_cells = span->n + groups->n_leaves;
  if (has_cells(pass))
    memset(groups->cells, 0, (size_t)(n_cells * cell_length(groups)) * sizeof *groups->cells);
  memset(groups->sums, 0, (size_t)(span->n * row_length(groups)) * sizeof *groups->sums);
}

/** Add the cells of all ranks to the sums of their groups, in the order of leaves. */
static tutti_status sum_cells(const tutti_groups *groups, const tutti_group_span *span,
                              const tutti_model_pass *pass) {
  const int64_t n_cells = span->n + groups->n_leaves, length = row_length(groups);
  TUTTI_TRY(pass->sum(pass->context, groups->cells, n_cells * cell_length(groups)));
  for (int64_t i = 0; i < n_cells; i++) {
    const double *cell = groups->cells + i * cell_length(groups);
    if (cell[length] == 0) continue; // no rows
    double *sums = tutti_model_group_sums(groups, (int64_t)cell[length] - 1);
    for (int64_t k = 0; k < length; k++) sums[k] += cell[k];
  }
  return TUTTI_OK;
}

tutti_status tutti_model_groups_sum(const tutti_groups *groups, const tutti_group_span *span,
                                    const tutti_model_pass *pass) {
  if (has_cells(pass))
    TUTTI_TRY(sum_cells(groups, span, pass));
  else if (pass->sum)
    TUTTI_TRY(pass->sum(pass->context, groups->sums, span->n * row_length(groups)));
  for (int64_t i = 0; i < span->n; i++) {
    const double rows = tutti_model_group_sums(groups, i)[2 * groups->n];
    const int64_t count = tutti_model_group_count(span, i);
    TUTTI_CHECK(
        rows == (double)count || rows == 0, TUTTI_ERR_INTERNAL,
        "batch_norm: %.0f of the %lld samples of group %lld are in one micro-batch; a micro-batch has whole "
        "groups (tutti_model_layers_group)",
        rows, (long long)count, (long long)(span->first + i));
  }
  return TUTTI_OK;
}
