/** The length of the pieces of a gradient, by the time that their exchange takes on this network.
 * reducer_pipelined.c calls it once.
 *
 * All owners exchange at the same time, as in a step, because they share the links of their nodes. */
#include "par/piece_length_impl.h"

#include <stdlib.h>

#include "base/arithmetic.h"
#include "base/clock.h"
#include "base/text.h"
#include "par/exchange_impl.h"
#include "par/rest_impl.h"

/** Of what a rank owns of a piece.  A message has one node's part of it. */
static const int lengths[] = {1 << 15, 1 << 16, 1 << 14, 1 << 17, 1 << 13, 1 << 18, 1 << 20};
enum { N_LENGTHS = sizeof lengths / sizeof lengths[0], LONGEST = 1 << 20, MESSAGES = 8 };

/** A longer piece has to be faster by this factor. */
static const double gain = 1.05;
static const double most_s = 0.3;

typedef struct {
  const tutti_node *node;
  const tutti_comm *comm;
  tutti_exchange *exchange;
  float *values; // [own slices, most]
  int64_t most;
} trial;

/** Exchange n messages of every own slice. */
static tutti_status exchange(const trial *t, int length, int n) {
  const int n_slices = t->node->n_own_slices;
  tutti_rest rest = {0};
  atomic_int left = n * n_slices;
  for (int next = 0; atomic_load(&left) > 0;) {
    bool moved = false;
    TUTTI_TRY(tutti_par_exchange_advance(t->exchange, &moved));
    while (next < n * n_slices && tutti_par_exchange_has_room(t->exchange)) {
      const int slice = next % n_slices, message = next / n_slices;
      // Nobody looks at these sums, so all messages of a slice may lie in the same place, one after another.
      float *values = t->values + slice * t->most + message * (int64_t)length;
      TUTTI_TRY(
          tutti_par_exchange_start(t->exchange, t->node->owners[slice], values, length, message, &left));
      next++;
    }
    if (!moved) tutti_par_rest(&rest);
  }
  return TUTTI_OK;
}

/** Collective.  The longest time of a rank for an element. */
static tutti_status time_length(const trial *t, int length, double *seconds, double *of_element) {
  const int n = (int)tutti_min64(MESSAGES, t->most / length);
  TUTTI_TRY(tutti_comm_barrier(t->comm));
  const double start = tutti_clock_s();
  TUTTI_TRY(exchange(t, length, n));
  double time = tutti_clock_s() - start;
  TUTTI_TRY(tutti_comm_max(t->comm, &time, 1));
  *seconds += time;
  *of_element = time / ((double)n * length);
  return TUTTI_OK;
}

/** Collective.  What a rank owns of a piece. */
static tutti_status choose(const trial *t, int64_t *best) {
  double seconds = 0, least_time = 0;
  *best = tutti_min64(lengths[0], t->most);
  for (int i = 0; i < N_LENGTHS && seconds < most_s; i++) {
    double time = 0;
    if (lengths[i] > t->most) continue;
    // The first exchange opens the connections.
    if (least_time == 0) TUTTI_TRY(time_length(t, lengths[i], &seconds, &time));
    TUTTI_TRY(time_length(t, lengths[i], &seconds, &time));
    const double handicap = lengths[i] > *best ? gain : 1 / gain;
    if (least_time > 0 && time * handicap >= least_time) continue;
    least_time = time;
    *best = lengths[i];
  }
  return TUTTI_OK;
}

/** What TUTTI_PIECE says; 0: nothing. */
static tutti_status read_wish(int64_t *own) {
  const char *wish = getenv("TUTTI_PIECE");
  *own = 0;
  if (!wish) return TUTTI_OK;
  TUTTI_CHECK(tutti_text_integer(wish, own) && *own >= 1 && *own <= LONGEST, TUTTI_ERR_CONFIG,
              "TUTTI_PIECE is '%s'; expected a number of elements from 1 to %d, or that it is not set", wish,
              LONGEST);
  return TUTTI_OK;
}

/** Collective. */
static tutti_status ask_for_wish(const tutti_comm *comm, int64_t *own) {
  *own = 0;
  TUTTI_TRY(tutti_comm_agree_from(comm, 0, tutti_comm_rank(comm) == 0 ? read_wish(own) : TUTTI_OK));
  return tutti_comm_bcast(comm, 0, own, sizeof *own);
}

static tutti_status allocate(const tutti_comm *comm, trial *t) {
  TUTTI_TRY(TUTTI_NEW(t->values, t->node->n_own_slices * t->most));
  return tutti_par_exchange_create(comm->n_nodes, LONGEST, TUTTI_EXCHANGE_AT_ONCE, &t->exchange);
}

/** Collective.  Choose by time what a rank owns of a piece. */
static tutti_status measure(const tutti_reducer *reducer, int64_t *own) {
  trial t = {.node = reducer->node, .comm = reducer->comm};
  tutti_status status = TUTTI_OK;
  // No longer than what a rank owns of the whole buffer, on any node.
  const int64_t of_slice = reducer->n / t.node->n_slices + TUTTI_BLOCK;
  t.most = tutti_min64(of_slice, LONGEST);
  TUTTI_TRY_GOTO(done, tutti_comm_agree(t.comm, allocate(t.comm, &t)));
  TUTTI_TRY_GOTO(done, choose(&t, own));
done:
  tutti_par_exchange_destroy(&t.exchange);
  tutti_free(t.values);
  return status;
}

tutti_status tutti_par_piece_length(const tutti_reducer *reducer, int64_t *length) {
  int64_t own = 0;
  TUTTI_TRY(ask_for_wish(reducer->comm, &own));
  if (own == 0) TUTTI_TRY(measure(reducer, &own));
  *length = tutti_ceil_div(own, TUTTI_BLOCK) * TUTTI_BLOCK * reducer->node->n_slices;
  // Each piece has a tag of its own.
  while (tutti_ceil_div(reducer->n, *length) > TUTTI_EXCHANGE_TAGS) *length *= 2;
  return TUTTI_OK;
}
