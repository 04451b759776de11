#pragma once
/** Ranks: communicators, agreement on errors, sums, memory shared by a node, and the reduction of gradients.
 *
 * "Collective" means: every rank of the communicator calls it, in the same order.  The rule of the house: *a
 * rank never leaves a collective path alone.*  What can fail on one rank runs in a local helper and its
 * status goes through tutti_agree before anyone branches.  ERR_MPI is not agreed on (the channel is broken):
 * it goes up, and main aborts the job, which also ends the ranks that still wait. */
#include <stdbool.h>

#include "tutti/base.h"
#include "tutti/texts.h"

// --- communicators

typedef struct tutti_comm tutti_comm;

/** Collective over MPI_COMM_WORLD, which must be initialised.  Duplicates it with MPI_ERRORS_RETURN and finds
 * out which ranks share memory.  The caller owns the result. */
TUTTI_NODISCARD
tutti_status tutti_comm_create_world(tutti_comm **comm);

/** Collective.  Divide the ranks: those that give the same `part`, at least 0, get a communicator of their own, in
 * which they keep their order.  It outlives `comm` where it has to.  The caller owns the result. */
TUTTI_NODISCARD
tutti_status tutti_comm_split(const tutti_comm *comm, int part, tutti_comm **own);

/** Collective.  Accepts NULL inside; nulls the handle. */
void tutti_comm_destroy(tutti_comm **comm);

int tutti_comm_rank(const tutti_comm *comm); // Local.
int tutti_comm_size(const tutti_comm *comm); // Local.
int tutti_comm_node(
    const tutti_comm *comm); // Local.  Number of this rank's node, from 0, in order of lowest rank.
int tutti_comm_n_nodes(const tutti_comm *comm);   // Local.
int tutti_comm_node_rank(const tutti_comm *comm); // Local.  Rank among the ranks of this node.
int tutti_comm_node_size(const tutti_comm *comm); // Local.

/** Local.  Host name of this rank, borrowed. */
const char *tutti_comm_host(const tutti_comm *comm);

/** Local.  The MPI library's own words, first line, borrowed; before and after MPI's life too. */
const char *tutti_mpi_version(void);

// --- agreement

/** Collective.  The same status on all ranks: the largest code wins, of those ranks the lowest; its text
 * travels along, with "rank R on HOST: " before it in a job of several ranks, unless every rank failed alike
 * (with the same code).  Afterwards tutti_fail_text is that text on all ranks.  When all is well it costs one
 * reduction of 16 bytes.
 * @return ERR_MPI at once, without communication, where `local` is ERR_MPI or the reduction itself fails */
TUTTI_NODISCARD
tutti_status tutti_agree(const tutti_comm *comm, tutti_status local);

/** Collective.  What `root` did decides: its status and text go to all, the text as it is.  ERR_MPI as
 * above. */
TUTTI_NODISCARD
tutti_status tutti_agree_from(const tutti_comm *comm, int root, tutti_status local);

// --- plain collectives

/** Collective, `bytes` equal on all ranks (any size, also beyond 2^31). */
TUTTI_NODISCARD
tutti_status tutti_bcast(const tutti_comm *comm, int root, void *data, int64_t bytes);

/** Collective.  A string of root's, whatever its length, to all.  On the others *text is new memory
 * (tutti_free); on root it stays as it is.  Fails alike on all ranks. */
TUTTI_NODISCARD
tutti_status tutti_bcast_text(const tutti_comm *comm, int root, char **text);

/** Collective, `n` equal on all ranks.  In place: values[n] become the sum over ranks, the same bits on
 * all. */
TUTTI_NODISCARD
tutti_status tutti_sum(const tutti_comm *comm, double *values, int64_t n);

/** Collective, `n` equal on all ranks.  In place: the smallest / largest over ranks; no value may be NaN. */
TUTTI_NODISCARD
tutti_status tutti_min(const tutti_comm *comm, double *values, int64_t n);
TUTTI_NODISCARD
tutti_status tutti_max(const tutti_comm *comm, double *values, int64_t n);

/** Collective, `n` equal on all ranks.  all[size * n] on root: the ranks' values one after another; `all` may
 * be NULL elsewhere. */
TUTTI_NODISCARD
tutti_status tutti_gather(const tutti_comm *comm, int root, const double *values, int64_t n, double *all);

/** Collective, `bytes` equal on all ranks, below 2^31.  The same for any data: all[size * bytes] on root. */
TUTTI_NODISCARD
tutti_status tutti_gather_bytes(const tutti_comm *comm, int root, const void *data, int64_t bytes, void *all);

/** Collective.  Bring each rank's text to root.
 * @param[out] texts  [size] texts in the order of the ranks on root, empty elsewhere; the caller clears it
 * (tutti_texts_clear) */
TUTTI_NODISCARD
tutti_status tutti_gather_texts(const tutti_comm *comm, int root, const char *text, tutti_texts *texts);

/** Collective. */
TUTTI_NODISCARD
tutti_status tutti_barrier(const tutti_comm *comm);

/** Collective in debug builds, else nothing: fails with ERR_INTERNAL naming `what` unless `value` is equal on
 * all ranks. */
TUTTI_NODISCARD
tutti_status tutti_same(const tutti_comm *comm, int64_t value, const char *what);

/** Collective, in every build.  The bits of values[n] are equal on all ranks, or no numbers there: each compares a fingerprint of its own, which
 * costs a pass over them and a reduction of 16 bytes.
 * @return (agreed) ERR_SYSTEM naming `what` ("the parameters after step 7"), the rank that has not what most have, and
 * the first number that differs */
TUTTI_NODISCARD
tutti_status tutti_same_floats(const tutti_comm *comm, const float *values, int64_t n, const char *what);

// --- word to ranks that are busy

/** What a rank may raise while the others are at work, and each of them hears when it looks. */
typedef struct tutti_alarm tutti_alarm;

/** Collective.  `comm` is borrowed for the call.  The caller owns the alarm.  @return ERR_MEMORY (agreed), ERR_MPI */
TUTTI_NODISCARD
tutti_status tutti_alarm_create(const tutti_comm *comm, tutti_alarm **alarm);

/** Local.  Raise it, once; waits for nobody. */
TUTTI_NODISCARD
tutti_status tutti_alarm_raise(tutti_alarm *alarm);

/** Local.  Whether this rank has raised it, or another one of which word has come; waits for nobody. */
TUTTI_NODISCARD
tutti_status tutti_alarm_is_raised(tutti_alarm *alarm, bool *raised);

void tutti_alarm_destroy(tutti_alarm **alarm); // Collective.  Accepts NULL inside; nulls the handle.

// --- one copy a node

typedef struct tutti_window tutti_window;

/** Collective, `bytes` equal on the ranks of a node.  Memory that the node's ranks share, zeroed, 64-byte
 * aligned; one copy a node.  `comm` is borrowed and must outlive it.  The caller owns the window.
 * @return, the same on all ranks, ERR_MEMORY where a node has not got it, ERR_SYSTEM where its ranks cannot
 * share memory */
TUTTI_NODISCARD
tutti_status tutti_window_create(const tutti_comm *comm, int64_t bytes, tutti_window **window);

/** Local.  The shared memory, borrowed; the same bytes on each rank of the node. */
void *tutti_window_data(const tutti_window *window);

/** Collective over the node: what any rank of it wrote before is seen by all its ranks after. */
TUTTI_NODISCARD
tutti_status tutti_window_sync(const tutti_window *window);

/** Collective.  Accepts NULL inside; nulls the handle. */
void tutti_window_destroy(tutti_window **window);

// --- reduction

/** How gradients are summed over ranks; `parallel.reduce`.  AUTO takes the fastest, which is SHARED. */
typedef enum {
  TUTTI_REDUCE_AUTO,
  TUTTI_REDUCE_FLAT,
  TUTTI_REDUCE_SHARED,
  TUTTI_REDUCE_TREE
} tutti_reduce_kind;

/** What rides along with the gradients, one slot each.  A sum over ranks is the exact sum of the values, each
 * cut to a multiple of 2^-96, rounded to double once: exact for integers up to 2^53, and independent of the
 * order. NaN, or a value not below 2^144, makes it NaN. */
typedef enum {
  TUTTI_TAIL_FAILED,  // ranks that failed in this step; they contribute zeros and then call tutti_agree
  TUTTI_TAIL_SAMPLES, // samples of this step
  TUTTI_TAIL_LOSS,    // sum of the samples' losses
  TUTTI_TAIL_METRIC,  // sum of the samples' metric
  TUTTI_TAIL_PENALTY, // of the parameters, which one rank alone gives
  TUTTI_TAIL_SAVE, // ranks that ask for a checkpoint after this step (a clock is one rank's, the decision all
                   // ranks')
  TUTTI_TAIL_GROUPS,        // parts of the batch whose gradients are told apart, where the noise is measured
  TUTTI_TAIL_GROUP_SQUARES, // sum of b |g|^2 over them: b samples, of the mean gradient g
  TUTTI_TAIL_EXAMPLE_SQUARES, // sum of |g|^2 over the samples' gradients
  TUTTI_N_TAIL
} tutti_tail_slot;

/** Local.  Whether a value can be a part of such a sum, or makes it NaN. */
bool tutti_tail_representable(double value);

/** Owns the memory of parameters and gradients, because it knows how they are shared.
 *
 * A step's gradient is a sum over *leaves*: the global batch cut into tutti_reducer_n_leaves parts, of which a
 * rank computes a range.  With `flat` and `shared` there are as many leaves as ranks, and leaf r is rank r's.
 * With `tree` their number is given, ranks take ranges of them in the order of (node, rank on it), and they
 * are summed in one binary tree over the leaves' numbers, whoever computed them: the same bits at any number
 * of ranks and nodes.
 *
 * Each rank updates one slice of the parameters, [begin, end); the slices of all ranks of a node cover [0, n),
 * and the same slice may belong to several ranks (with `flat` each rank has all of it; else one rank of each
 * node has it).  Slices begin at multiples of TUTTI_BLOCK, so that sums over blocks do not depend on them.
 *
 * A step is: for each own leaf, tutti_reducer_leaf and tutti_reducer_leaf_done; reduce; the update of the own
 * slice; publish, also where nothing was updated. */
typedef struct tutti_reducer tutti_reducer;

/** Collective, arguments equal on all ranks.  n float parameters, zeroed.  `comm` is borrowed and must
 * outlive it.
 * @param[in] n_leaves  tree: at least 1; the others do not read it */
TUTTI_NODISCARD
tutti_status tutti_reducer_create(const tutti_comm *comm, tutti_reduce_kind kind, int64_t n, int n_leaves,
                                  tutti_reducer **reducer);
void tutti_reducer_destroy(tutti_reducer **reducer); // Collective.  Accepts NULL inside; nulls the handle.

const char *tutti_reducer_name(const tutti_reducer *reducer); // Local.  "flat", "shared", "tree"

/** Local.  [n] parameters: whole and equal on all ranks after create and after each publish.  Only between
 * reduce and publish may they be written, by their owner, and there no other slice may be read: it may be
 * another rank's to write at that moment.  Borrowed. */
float *tutti_reducer_params(const tutti_reducer *reducer);

/** Local.  The slice this rank updates; begin = end where there are more ranks than blocks. */
void tutti_reducer_slice(const tutti_reducer *reducer, int64_t *begin, int64_t *end);

/** Local.  Leaves in all; those of this rank, [*first, *first + *count), none where there are more ranks than
 * leaves. */
int tutti_reducer_n_leaves(const tutti_reducer *reducer);
void tutti_reducer_own_leaves(const tutti_reducer *reducer, int *first, int *count);

/** Local.  [n] where the gradient of an own leaf goes.  Not all of it has to be given at once: a part
 * [begin, begin + count) is, for each own leaf in ascending order, asked for, written (added to, from the
 * leaf's second micro-batch on) and said to be done; different parts do not wait for one another.  Each
 * element of each own leaf has to be written: a leaf without samples gives zeros.  Borrowed, and only good
 * for that part until it is done. */
float *tutti_reducer_leaf(tutti_reducer *reducer, int leaf);

/** Local.  The part of the leaf's gradient is complete.  Nothing with `flat` and `shared`. */
void tutti_reducer_leaf_done(tutti_reducer *reducer, int leaf, int64_t begin, int64_t count);

/** Collective.  Bring the gradients of all leaves together, and sum the tail in the same operation.
 * @param[in,out] tail  [max(1, own leaves), TUTTI_N_TAIL] what goes with each leaf; on return the first row
 *                      holds the sums over all leaves and ranks, the same bits on all ranks, and with `tree`
 *                      at any number of them */
TUTTI_NODISCARD
tutti_status tutti_reducer_reduce(tutti_reducer *reducer, double (*tail)[TUTTI_N_TAIL]);

/** Local, between reduce and publish.  The sum over all leaves for elements [at, at + count) of the own slice
 * (counted in the whole buffer; `at` a multiple of TUTTI_BLOCK or the slice's begin), which the owner may
 * write.  Each element is asked for once a step: it may be summed only now, so that the update that follows
 * finds it in the cache.  The parts of a slice lie one after another in one array.  Borrowed, valid until publish. */
float *tutti_reducer_gradient(tutti_reducer *reducer, int64_t at, int64_t count);

/** Collective.  Sum over the owners of different slices, each slice counted once: norms of the whole from
 * norms of the parts.  In place, values[n].  Where of each value all but one of the owners give 0 it is a
 * gathering without rounding. */
TUTTI_NODISCARD
tutti_status tutti_reducer_sum_slices(const tutti_reducer *reducer, double *values, int64_t n);

/** Collective.  After the owners have updated their slices: parameters are whole on all ranks.  Every reduce is
 * followed by one, before the next leaf. */
TUTTI_NODISCARD
tutti_status tutti_reducer_publish(tutti_reducer *reducer);

/** Collective.  slice[end - begin] of each owner -> whole[n] on rank 0 (`whole` may be NULL elsewhere).  The
 * two do not overlap. */
TUTTI_NODISCARD
tutti_status tutti_reducer_gather(const tutti_reducer *reducer, const float *slice, float *whole);

/** Collective.  And back: whole[n] of rank 0 -> slice[end - begin] of each owner. */
TUTTI_NODISCARD
tutti_status tutti_reducer_scatter(const tutti_reducer *reducer, const float *whole, float *slice);
