/** The pieces of a gradient on their way over the nodes, beside the products of backward.  reducer_pipelined.c calls it.
 *
 * Only one thread drives the exchange: the communication thread, or the main thread without one.  The main thread tells it
 * which pieces this rank has written, and waits for sums. */
#include "par/pipeline_impl.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "base/arithmetic.h"
#include "base/fault.h"
#include "base/thread.h"
#include "par/exchange_impl.h"
#include "par/rest_impl.h"
#include "par/slices_impl.h"
#include "par/sums_impl.h"

struct tutti_pipeline {
  const tutti_reducer *reducer;
  const float *const *sources; // [node_size]
  float *sums;                 // [elements of the slice]
  int64_t length;              // of a piece
  int n_pieces;

  tutti_window *window;
  _Atomic uint32_t *ready; // [n_pieces] in the window: how often the ranks of the node have written a piece

  // Of the main thread.
  int64_t *missing; // [n_pieces] elements of this rank's gradient
  bool is_on;       // a step has begun

  // Of the thread that drives the exchange; the main thread sets them before a step.
  tutti_exchange *exchange;
  MPI_Comm *owners; // [own slices] duplicates of those of the node, which the main thread uses
  int piece, slice; // what is summed next; piece -1: nothing

  // Of both.
  atomic_bool *written;      // [n_pieces] by this rank
  atomic_int *left;          // [n_pieces] own slices of the piece whose sum is missing
  uint32_t step;             // number of the step
  _Atomic uint32_t finished; // the last one that the thread is through with
  bool has_thread, ends;
  pthread_t thread;
  pthread_mutex_t lock; // of `step` and `ends`
  pthread_cond_t
      work; // for the thread: a step has begun, this rank has written a piece, or the thread shall end
  atomic_int status; // of the exchange; the text is written before
  char text[512];
};

static int64_t piece_begin(const tutti_pipeline *p, int piece) {
  return tutti_min64(piece * p->length, p->reducer->n);
}

// --- the exchange ----------------------------------------------------------------------------------------

/** Own slice k of a piece, in the flat buffer. */
static tutti_slice_range slice_of(const tutti_pipeline *p, int piece, int k) {
  const tutti_node *node = p->reducer->node;
  const int64_t n = p->reducer->n;
  const tutti_slice_range *own = &p->reducer->slice.ranges[piece];
  const int first = node->first_slice + k;
  const int64_t begin = tutti_par_piece_slice_begin(n, p->length, piece, first, node->n_slices),
                end = tutti_par_piece_slice_begin(n, p->length, piece, first + 1, node->n_slices);
  return (tutti_slice_range){begin, end, own->at + (begin - own->begin)};
}

static bool is_ready(const tutti_pipeline *p, int piece) {
  const uint32_t expected = p->step * (uint32_t)p->reducer->comm->node_size;
  return atomic_load_explicit(&p->ready[piece], memory_order_acquire) == expected;
}

/** Sum the next slice over the node, and begin its sum over the nodes. */
static tutti_status start_next(tutti_pipeline *p) {
  const tutti_reducer *reducer = p->reducer;
  const tutti_slice_range range = slice_of(p, p->piece, p->slice);
  const int64_t n = range.end - range.begin;
  float *sums = p->sums + range.at;
  tutti_par_sum_sources(p->sources, reducer->comm->node_size, range.begin, n, sums);
  TUTTI_CHECK(tutti_fault("pipeline") == TUTTI_OK, TUTTI_ERR_MPI, "%s", tutti_fail_text());
  TUTTI_TRY(
      tutti_par_exchange_start(p->exchange, p->owners[p->slice], sums, (int)n, p->piece, &p->left[p->piece]));
  if (++p->slice < reducer->node->n_own_slices) return TUTTI_OK;
  p->slice = 0;
  p->piece--;
  return TUTTI_OK;
}

static tutti_status go_on(tutti_pipeline *p, bool *moved) {
  TUTTI_TRY(tutti_par_exchange_advance(p->exchange, moved));
  while (p->piece >= 0 && tutti_par_exchange_has_room(p->exchange) && is_ready(p, p->piece)) {
    TUTTI_TRY(start_next(p));
    *moved = true;
  }
  return TUTTI_OK;
}

/** Do what can be done now.  A failure is noted.  @return whether there was anything to do */
static bool advance(tutti_pipeline *p) {
  bool moved = false;
  const tutti_status status = go_on(p, &moved);
  if (status == TUTTI_OK) return moved;
  snprintf(p->text, sizeof p->text, "%s", tutti_fail_text());
  atomic_store(&p->status, (int)status);
  return true;
}

static bool has_failed(const tutti_pipeline *p) {
  return atomic_load(&p->status) != TUTTI_OK;
}

static bool is_over(const tutti_pipeline *p) {
  return p->piece < 0 && tutti_par_exchange_is_idle(p->exchange);
}

// --- the thread ------------------------------------------------------------------------------------------

/** Whether there is a step after step number `last`; false: the thread shall end. */
static bool wait_for_step(tutti_pipeline *p, uint32_t last) {
  pthread_mutex_lock(&p->lock);
  while (p->step == last && !p->ends) pthread_cond_wait(&p->work, &p->lock);
  const bool goes_on = !p->ends;
  pthread_mutex_unlock(&p->lock);
  return goes_on;
}

/** Whether nothing can happen until this rank has written one more piece. */
static bool waits_for_main(const tutti_pipeline *p) {
  return tutti_par_exchange_is_idle(p->exchange) && p->piece >= 0 && !atomic_load(&p->written[p->piece]);
}

/** Leave the core to others for a moment.  @return false: the thread shall end */
static bool pause_a_moment(tutti_pipeline *p, tutti_rest *rest) {
  pthread_mutex_lock(&p->lock);
  const bool waits = waits_for_main(p);
  while (waits_for_main(p) && !p->ends) pthread_cond_wait(&p->work, &p->lock);
  const bool goes_on = !p->ends;
  pthread_mutex_unlock(&p->lock);
  if (!waits) tutti_par_rest(rest);
  return goes_on;
}

/** @return false: the thread shall end */
static bool do_step(tutti_pipeline *p) {
  tutti_rest rest = {0};
  while (!is_over(p) && !has_failed(p)) {
    if (advance(p))
      rest = (tutti_rest){0};
    else if (!pause_a_moment(p, &rest))
      return false;
  }
  return !has_failed(p);
}

static void *drive(void *context) {
  tutti_pipeline *p = context;
  tutti_par_rest_prepare();
  uint32_t step = 0;
  while (wait_for_step(p, step)) {
    step = p->step; // which the main thread does not change before the step is over
    if (!do_step(p)) break;
    atomic_store(&p->finished, step);
  }
  return NULL;
}

// --- create and destroy ----------------------------------------------------------------------------------

static tutti_status allocate(tutti_pipeline *p) {
  const tutti_reducer *reducer = p->reducer;
  const tutti_node *node = reducer->node;
  TUTTI_TRY(TUTTI_NEW(p->missing, p->n_pieces));
  TUTTI_TRY(TUTTI_NEW(p->written, p->n_pieces));
  TUTTI_TRY(TUTTI_NEW(p->left, p->n_pieces));
  TUTTI_TRY(TUTTI_NEW(p->owners, node->n_own_slices));
  for (int k = 0; k < node->n_own_slices; k++) p->owners[k] = MPI_COMM_NULL;
  const int64_t most = p->length / node->n_slices + TUTTI_BLOCK; // of a slice of a piece
  return tutti_par_exchange_create(reducer->comm->n_nodes, most, TUTTI_EXCHANGE_AT_ONCE, &p->exchange);
}

/** Local. */
static tutti_status start_thread(tutti_pipeline *p) {
  int level = MPI_THREAD_SINGLE;
  TUTTI_MPI(MPI_Query_thread(&level));
  if (level < MPI_THREAD_MULTIPLE) return TUTTI_OK;
  // Without a thread the main one does the work.
  p->has_thread = tutti_thread_start(&p->thread, drive, p);
  return TUTTI_OK;
}

tutti_status tutti_par_pipeline_create(const tutti_reducer *reducer, int64_t length,
                                       const float *const *sources, float *sums, tutti_pipeline **pipeline) {
  const tutti_comm *comm = reducer->comm;
  TUTTI_ASSERT(length > 0 && length % TUTTI_BLOCK == 0);
  TUTTI_TRY(tutti_comm_agree(comm, TUTTI_NEW(*pipeline, 1)));
  tutti_pipeline *p = *pipeline;
  p->reducer = reducer;
  p->sources = sources;
  p->sums = sums;
  p->length = length;
  p->n_pieces = (int)tutti_ceil_div(reducer->n, length);
  p->piece = -1;
  pthread_mutex_init(&p->lock, NULL);
  pthread_cond_init(&p->work, NULL);
  TUTTI_TRY(tutti_comm_agree(comm, allocate(p)));
  for (int k = 0; k < reducer->node->n_own_slices; k++)
    TUTTI_MPI(MPI_Comm_dup(reducer->node->owners[k], &p->owners[k]));
  TUTTI_TRY(tutti_par_window_create(comm, p->n_pieces * (int64_t)sizeof *p->ready, &p->window));
  p->ready = tutti_par_window_data(p->window);
  return start_thread(p);
}

static void end_thread(tutti_pipeline *p) {
  pthread_mutex_lock(&p->lock);
  p->ends = true;
  pthread_cond_signal(&p->work);
  pthread_mutex_unlock(&p->lock);
  pthread_join(p->thread, NULL);
}

void tutti_par_pipeline_destroy(tutti_pipeline **pipeline) {
  tutti_pipeline *p = *pipeline;
  if (!p) return;
  if (p->has_thread) end_thread(p);
  tutti_par_window_destroy(&p->window);
  for (int k = 0; p->owners && k < p->reducer->node->n_own_slices; k++)
    if (p->owners[k] != MPI_COMM_NULL) MPI_Comm_free(&p->owners[k]);
  tutti_par_exchange_destroy(&p->exchange);
  pthread_cond_destroy(&p->work);
  pthread_mutex_destroy(&p->lock);
  tutti_free(p->owners);
  tutti_free(p->left);
  tutti_free(p->written);
  tutti_free(p->missing);
  tutti_free(p);
  *pipeline = NULL;
}

// --- a step, in the main thread --------------------------------------------------------------------------

static void begin_step(tutti_pipeline *p) {
  for (int i = 0; i < p->n_pieces; i++) {
    p->missing[i] = piece_begin(p, i + 1) - piece_begin(p, i);
    atomic_store(&p->written[i], false);
    atomic_store(&p->left[i], p->reducer->node->n_own_slices);
  }
  pthread_mutex_lock(&p->lock);
  p->piece = p->n_pieces - 1;
  p->step++;
  pthread_cond_signal(&p->work);
  pthread_mutex_unlock(&p->lock);
  p->is_on = true;
}

static void piece_is_written(tutti_pipeline *p, int piece) {
  p->missing[piece] = 0;
  atomic_fetch_add_explicit(&p->ready[piece], 1, memory_order_release);
  pthread_mutex_lock(&p->lock);
  atomic_store(&p->written[piece], true);
  pthread_cond_signal(&p->work);
  pthread_mutex_unlock(&p->lock);
}

/** @return whether there was anything to do here */
static bool advance_here(tutti_pipeline *p) {
  return !p->has_thread && !has_failed(p) && advance(p);
}

void tutti_par_pipeline_part_done(tutti_pipeline *p, int64_t begin, int64_t count) {
  const int64_t end = begin + count;
  if (!p->is_on) begin_step(p);
  for (int i = (int)(begin / p->length); i < p->n_pieces && piece_begin(p, i) < end; i++) {
    const int64_t from = piece_begin(p, i), to = piece_begin(p, i + 1);
    p->missing[i] -= (end < to ? end : to) - (begin > from ? begin : from);
    if (p->missing[i] == 0) piece_is_written(p, i);
  }
  advance_here(p);
}

void tutti_par_pipeline_all_done(tutti_pipeline *p) {
  if (!p->is_on) begin_step(p);
  for (int i = p->n_pieces - 1; i >= 0; i--)
    if (p->missing[i] > 0) piece_is_written(p, i);
  advance_here(p);
}

static bool is_there(const tutti_pipeline *p, int i) {
  return atomic_load_explicit(&p->left[i], memory_order_acquire) == 0;
}

/** It looks again and again, because the watchdog takes a rank that uses no processor time for one that hangs. */
tutti_status tutti_par_pipeline_wait(tutti_pipeline *p, int i) {
  tutti_rest rest = {0};
  while (!is_there(p, i) && !has_failed(p))
    if (!advance_here(p)) tutti_par_rest(&rest);
  TUTTI_CHECK(!has_failed(p), (tutti_status)atomic_load(&p->status), "%s", p->text);
  return TUTTI_OK;
}

tutti_status tutti_par_pipeline_finish(tutti_pipeline *p) {
  tutti_rest rest = {0};
  for (int i = p->n_pieces - 1; p->is_on && i >= 0; i--) TUTTI_TRY(tutti_par_pipeline_wait(p, i));
  // The thread must not take the next step for a part of this one.
  while (p->has_thread && atomic_load(&p->finished) != p->step && !has_failed(p)) tutti_par_rest(&rest);
  p->is_on = false;
  return TUTTI_OK;
}
