/** Sums over nodes by messages that nobody waits for.  The pipeline calls it. */
#include "par/exchange_impl.h"

#include "base/arithmetic.h"
#include "par/slices_impl.h"
#include "par/sums_impl.h"

typedef enum { UNUSED, COLLECTING, SPREADING } transfer_state;

/** One sum. */
typedef struct {
  transfer_state state;
  MPI_Comm owners;
  float *values; // [n] borrowed
  float *inbox;  // [n_nodes, room] the own part as the other nodes have it
  int n, node, tag, n_requests;
  MPI_Request *requests; // [2 n_nodes]
  atomic_int *left;
} transfer;

struct tutti_exchange {
  int n_nodes, n_transfers, n_active;
  int64_t room; // of a part
  transfer *transfers;
  float *inboxes;        // [n_transfers, n_nodes, room]
  MPI_Request *requests; // [n_transfers, 2 n_nodes]
  const float **sources; // [n_nodes] of a sum
};

// --- create and destroy

static tutti_status allocate(tutti_exchange *exchange) {
  const int64_t n = exchange->n_transfers, n_nodes = exchange->n_nodes;
  TUTTI_TRY(TUTTI_NEW(exchange->transfers, n));
  TUTTI_TRY(TUTTI_NEW(exchange->inboxes, n * n_nodes * exchange->room));
  TUTTI_TRY(TUTTI_NEW(exchange->requests, n * 2 * n_nodes));
  TUTTI_TRY(TUTTI_NEW(exchange->sources, n_nodes));
  for (int i = 0; i < n; i++) {
    exchange->transfers[i].inbox = exchange->inboxes + i * n_nodes * exchange->room;
    exchange->transfers[i].requests = exchange->requests + i * 2 * n_nodes;
  }
  return TUTTI_OK;
}

tutti_status tutti_par_exchange_create(int n_nodes, int64_t most, int at_once, tutti_exchange **exchange) {
  TUTTI_ASSERT(n_nodes >= 2 && most >= 0 && at_once >= 1);
  TUTTI_TRY(TUTTI_NEW(*exchange, 1));
  **exchange =
      (tutti_exchange){.n_nodes = n_nodes, .n_transfers = at_once, .room = tutti_ceil_div(most, n_nodes)};
  return allocate(*exchange);
}

void tutti_par_exchange_destroy(tutti_exchange **exchange) {
  tutti_exchange *self = *exchange;
  if (!self) return;
  tutti_free(self->sources);
  tutti_free(self->requests);
  tutti_free(self->inboxes);
  tutti_free(self->transfers);
  tutti_free(self);
  *exchange = NULL;
}

bool tutti_par_exchange_has_room(const tutti_exchange *exchange) {
  return exchange->n_active < exchange->n_transfers;
}

bool tutti_par_exchange_is_idle(const tutti_exchange *exchange) {
  return exchange->n_active == 0;
}

// --- one sum

/** The part of a node, which its owner adds up. */
typedef struct {
  int begin, n;
} part;

static part part_of(const tutti_exchange *exchange, const transfer *t, int node) {
  const int begin = tutti_par_part_begin(t->n, node, exchange->n_nodes),
            end = tutti_par_part_begin(t->n, node + 1, exchange->n_nodes);
  return (part){begin, end - begin};
}

/** Each node gets its part from the others, and gives them theirs. */
static tutti_status collect(const tutti_exchange *exchange, transfer *t) {
  const part own = part_of(exchange, t, t->node);
  t->n_requests = 0;
  for (int node = 0; node < exchange->n_nodes; node++)
    if (node != t->node)
      TUTTI_MPI(MPI_Irecv(t->inbox + node * exchange->room, own.n, MPI_FLOAT, node, 2 * t->tag, t->owners,
                          &t->requests[t->n_requests++]));
  for (int step = 1; step < exchange->n_nodes; step++) {
    // Each begins with its neighbour, so that they do not all send to the same node.
    const int node = (t->node + step) % exchange->n_nodes;
    const part p = part_of(exchange, t, node);
    TUTTI_MPI(MPI_Isend(t->values + p.begin, p.n, MPI_FLOAT, node, 2 * t->tag, t->owners,
                        &t->requests[t->n_requests++]));
  }
  t->state = COLLECTING;
  return TUTTI_OK;
}

/** values[own part] = the sum over the nodes, in their order. */
static void add_up(const tutti_exchange *exchange, const transfer *t) {
  const part own = part_of(exchange, t, t->node);
  for (int node = 0; node < exchange->n_nodes; node++)
    exchange->sources[node] = node == t->node ? t->values + own.begin : t->inbox + node * exchange->room;
  tutti_par_sum_sources(exchange->sources, exchange->n_nodes, 0, own.n, t->values + own.begin);
}

/** Each node gives its sum to the others. */
static tutti_status spread(const tutti_exchange *exchange, transfer *t) {
  const part own = part_of(exchange, t, t->node);
  t->n_requests = 0;
  for (int node = 0; node < exchange->n_nodes; node++) {
    const part p = part_of(exchange, t, node);
    if (node != t->node)
      TUTTI_MPI(MPI_Irecv(t->values + p.begin, p.n, MPI_FLOAT, node, 2 * t->tag + 1, t->owners,
                          &t->requests[t->n_requests++]));
  }
  for (int step = 1; step < exchange->n_nodes; step++)
    TUTTI_MPI(MPI_Isend(t->values + own.begin, own.n, MPI_FLOAT, (t->node + step) % exchange->n_nodes,
                        2 * t->tag + 1, t->owners, &t->requests[t->n_requests++]));
  t->state = SPREADING;
  return TUTTI_OK;
}

tutti_status tutti_par_exchange_start(tutti_exchange *exchange, MPI_Comm owners, float *values, int n,
                                      int tag, atomic_int *left) {
  transfer *t = exchange->transfers;
  TUTTI_ASSERT(tutti_par_exchange_has_room(exchange) && tag >= 0 && tag < TUTTI_EXCHANGE_TAGS);
  while (t->state != UNUSED) t++;
  t->owners = owners;
  t->values = values;
  t->n = n;
  t->tag = tag;
  t->left = left;
  TUTTI_MPI(MPI_Comm_rank(owners, &t->node));
  exchange->n_active++;
  return collect(exchange, t);
}

/** All messages of the present state have come and gone. */
static tutti_status go_on(tutti_exchange *exchange, transfer *t) {
  if (t->state == COLLECTING) {
    add_up(exchange, t);
    return spread(exchange, t);
  }
  t->state = UNUSED;
  exchange->n_active--;
  atomic_fetch_sub_explicit(t->left, 1, memory_order_release);
  return TUTTI_OK;
}

tutti_status tutti_par_exchange_advance(tutti_exchange *exchange, bool *moved) {
  *moved = false;
  for (int i = 0; i < exchange->n_transfers; i++) {
    transfer *t = &exchange->transfers[i];
    int done = 0;
    if (t->state == UNUSED) continue;
    TUTTI_MPI(MPI_Testall(t->n_requests, t->requests, &done, MPI_STATUSES_IGNORE));
    if (!done) continue;
    *moved = true;
    TUTTI_TRY(go_on(exchange, t));
  }
  return TUTTI_OK;
}
