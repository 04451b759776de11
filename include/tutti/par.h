#pragma once
/** Ranks: communicators, agreement on errors, sums, memory shared by a node, and the reduction of gradients.
 *
 * "Collective" means: every rank of the communicator calls it, in the same order.  The rule of the house: *a
 * rank never leaves a collective path alone.*  What can fail on one rank runs in a local helper and its
 * status goes through tutti_comm_agree before anyone branches.  ERR_MPI is not agreed on (the channel is broken):
 * it goes up, and main aborts the job, which also ends the ranks that still wait. */
#include <stdbool.h>

#include "tutti/base.h"
#include "tutti/texts.h"

// --- communicators

typedef struct tutti_comm tutti_comm;

/** Collective over MPI_COMM_WORLD, which must be initialised.  Duplicate it with MPI_ERRORS_RETURN, and find the ranks that
 * share memory.
 * @param[out] comm  owned by the caller */
TUTTI_NODISCARD
tutti_status tutti_comm_create_world(tutti_comm **comm);

/** Collective.  Divide the ranks: those with the same `part` get a communicator of their own, in the same order.
 * @param[in]  part  at least 0
 * @param[out] own   owned by the caller; it may outlive `comm` */
TUTTI_NODISCARD
tutti_status tutti_comm_split(const tutti_comm *comm, int part, tutti_comm **own);

/** Collective.  Accepts NULL inside; nulls the handle. */
void tutti_comm_destroy(tutti_comm **comm);

int tutti_comm_rank(const tutti_comm *comm); // Local.
int tutti_comm_size(const tutti_comm *comm); // Local.
/** Local.  The number of the node of this rank, from 0.  Nodes are numbered in the order of their lowest ranks. */
int tutti_comm_node(const tutti_comm *comm);
int tutti_comm_n_nodes(const tutti_comm *comm);   // Local.
int tutti_comm_node_rank(const tutti_comm *comm); // Local.  Rank among the ranks of this node.
int tutti_comm_node_size(const tutti_comm *comm); // Local.

/** Local.  Host name of this rank, borrowed. */
const char *tutti_comm_host(const tutti_comm *comm);

/** Local.  The name and version of the MPI library, the first line of its own text; borrowed.  May be called before MPI_Init and
 * after MPI_Finalize. */
const char *tutti_par_mpi_version(void);

// --- agreement

/** Collective.  Make one status of those of all ranks: the largest code wins, and the text of the lowest rank with that code.  The
 * text begins with "rank R on HOST: ", unless all ranks have the same code.  Afterwards tutti_fail_text is this text on all
 * ranks.  If no rank failed, it costs one reduction of 16 bytes.
 * @return the status, equal on all ranks; ERR_MPI at once, without communication, if `local` is ERR_MPI, or if the reduction
 * fails */
TUTTI_NODISCARD
tutti_status tutti_comm_agree(const tutti_comm *comm, tutti_status local);

/** Collective.  Send the status of `root` to all ranks, with its text.
 * @return that status; ERR_MPI as for tutti_comm_agree */
TUTTI_NODISCARD
tutti_status tutti_comm_agree_from(const tutti_comm *comm, int root, tutti_status local);

// --- plain collectives

/** Collective, `bytes` equal on all ranks.  Send data of root to all ranks; more than 2^31 bytes are allowed. */
TUTTI_NODISCARD
tutti_status tutti_comm_bcast(const tutti_comm *comm, int root, void *data, int64_t bytes);

/** Collective.  Send a text of root to all ranks.  A failure is agreed on.
 * @param[in,out] text  stays as it is on root; on other ranks new memory, owned by the caller (tutti_free) */
TUTTI_NODISCARD
tutti_status tutti_comm_bcast_text(const tutti_comm *comm, int root, char **text);

/** Collective, `n` equal on all ranks.  Replace values[n] by their sums over ranks, the same bits on all ranks. */
TUTTI_NODISCARD
tutti_status tutti_comm_sum(const tutti_comm *comm, double *values, int64_t n);

/** Collective, `n` equal on all ranks.  Replace values[n] by the smallest / largest over ranks; no value may be NaN. */
TUTTI_NODISCARD
tutti_status tutti_comm_min(const tutti_comm *comm, double *values, int64_t n);
TUTTI_NODISCARD
tutti_status tutti_comm_max(const tutti_comm *comm, double *values, int64_t n);

/** Collective, `n` equal on all ranks.  Bring values[n] of all ranks to root.
 * @param[out] all  [size, n] on root; may be NULL elsewhere */
TUTTI_NODISCARD
tutti_status tutti_comm_gather(const tutti_comm *comm, int root, const double *values, int64_t n,
                               double *all);

/** Collective, `bytes` equal on all ranks, below 2^31.  Bring data of all ranks to root.
 * @param[out] all  [size, bytes] on root; may be NULL elsewhere */
TUTTI_NODISCARD
tutti_status tutti_comm_gather_bytes(const tutti_comm *comm, int root, const void *data, int64_t bytes,
                                     void *all);

/** Collective.  Bring each rank's text to root.
 * @param[out] texts  [size] texts in the order of the ranks on root, empty elsewhere; the caller clears it
 * (tutti_texts_clear) */
TUTTI_NODISCARD
tutti_status tutti_comm_gather_texts(const tutti_comm *comm, int root, const char *text, tutti_texts *texts);

/** Collective.  Wait for all ranks. */
TUTTI_NODISCARD
tutti_status tutti_comm_barrier(const tutti_comm *comm);

/** Collective in debug builds; does nothing in release builds.  Check that an argument is equal on all ranks.
 * @param[in] what  name of the value, for the message
 * @return ERR_INTERNAL if it differs */
TUTTI_NODISCARD
tutti_status tutti_comm_same(const tutti_comm *comm, int64_t value, const char *what);

/** Collective, in every build.  The bits of values[n] are equal on all ranks, or no numbers there: each compares a fingerprint of its own, which
 * costs a pass over them and a reduction of 16 bytes.
 * @return (agreed) ERR_SYSTEM naming `what` ("the parameters after step 7"), the rank that has not what most have, and
 * the first number that differs */
TUTTI_NODISCARD
tutti_status tutti_comm_same_floats(const tutti_comm *comm, const float *values, int64_t n, const char *what);

// --- signalling busy ranks

/** A flag that one rank raises while the others work, and that each of them sees when it asks. */
typedef struct tutti_alarm tutti_alarm;

/** Collective.  `comm` is borrowed for the call.  The caller owns the alarm.  @return ERR_MEMORY (agreed), ERR_MPI */
TUTTI_NODISCARD
tutti_status tutti_par_alarm_create(const tutti_comm *comm, tutti_alarm **alarm);

/** Local.  Raise it, without waiting.  Later calls do nothing. */
TUTTI_NODISCARD
tutti_status tutti_par_alarm_raise(tutti_alarm *alarm);

/** Local.  Whether this rank has raised it, or a message has come from a rank that has.  Does not wait. */
TUTTI_NODISCARD
tutti_status tutti_par_alarm_is_raised(tutti_alarm *alarm, bool *raised);

void tutti_par_alarm_destroy(tutti_alarm **alarm); // Collective.  Accepts NULL inside; nulls the handle.

// --- one copy per node

typedef struct tutti_window tutti_window;

/** Collective, `bytes` equal on the ranks of a node.  Allocate memory that the ranks of a node share, zeroed, 64-byte aligned.
 * @param[in]  comm    borrowed; must outlive the window
 * @param[out] window  owned by the caller
 * @return (agreed) ERR_MEMORY if a node lacks the memory, ERR_SYSTEM if its ranks cannot share memory */
TUTTI_NODISCARD
tutti_status tutti_par_window_create(const tutti_comm *comm, int64_t bytes, tutti_window **window);

/** Local.  The shared memory; borrowed. */
void *tutti_par_window_data(const tutti_window *window);

/** Collective over the node.  All its ranks see after it what any of them wrote before it. */
TUTTI_NODISCARD
tutti_status tutti_par_window_sync(const tutti_window *window);

/** Collective.  Accepts NULL inside; nulls the handle. */
void tutti_par_window_destroy(tutti_window **window);

// --- reduction

/** The ways to sum gradients over ranks; `parallel.reduce`.  AUTO chooses the fastest, which is SHARED. */
typedef enum {
  TUTTI_REDUCE_AUTO,
  TUTTI_REDUCE_FLAT,
  TUTTI_REDUCE_SHARED,
  TUTTI_REDUCE_TREE
} tutti_reduce_kind;

/** The values that are summed together with the gradients.  A sum is the exact sum of the values, each cut to a multiple of
 * 2^-96, rounded to double once: exact for integers up to 2^53, and independent of the order.  It is NaN if a value is NaN or
 * not below 2^144. */
typedef enum {
  TUTTI_TAIL_FAILED,  // ranks that failed in this step; they contribute zeros and then call tutti_comm_agree
  TUTTI_TAIL_SAMPLES, // samples of this step
  TUTTI_TAIL_LOSS,    // sum of the samples' losses
  TUTTI_TAIL_METRIC,  // sum of the samples' metric
  TUTTI_TAIL_PENALTY, // penalty term of the parameters; only one rank contributes it
  TUTTI_TAIL_SAVE, // ranks that ask for a checkpoint after this step (a clock is one rank's, the decision all
                   // ranks')
  TUTTI_TAIL_GROUPS,          // parts of the batch with gradients of their own, if the noise is measured
  TUTTI_TAIL_GROUP_SQUARES,   // sum of b |g|^2 over them: b samples, of the mean gradient g
  TUTTI_TAIL_EXAMPLE_SQUARES, // sum of |g|^2 over the samples' gradients
  TUTTI_N_TAIL
} tutti_tail_slot;

/** Local.  Whether a value can be part of such a sum; else it makes the sum NaN. */
bool tutti_par_tail_representable(double value);

/** A reducer owns the memory of parameters and gradients, because it knows how they are shared.
 *
 * The gradient of a step is a sum over *leaves*, the tutti_reducer_n_leaves parts of the global batch.  Each rank computes a
 * range of them.  With `flat` and `shared` there are as many leaves as ranks, and rank r computes leaf r.  With `tree` their
 * number is given, ranges go to ranks in the order of (node, rank on it), and the leaves are summed in one binary tree over
 * their numbers: the same bits at any number of ranks and nodes.
 *
 * Each rank updates one slice of the parameters, [begin, end); the slices of all ranks of a node cover [0, n),
 * and the same slice may belong to several ranks (with `flat` to each rank, else to one rank of each
 * node).  Slices begin at multiples of TUTTI_BLOCK, so that sums over blocks do not depend on them.
 *
 * A step is: for each own leaf, tutti_reducer_leaf and tutti_reducer_leaf_done; reduce; the update of the own
 * slice; publish, even if nothing was updated. */
typedef struct tutti_reducer tutti_reducer;

/** Collective, arguments equal on all ranks.  Create a reducer for n float parameters, zeroed.
 * @param[in]  comm      borrowed; must outlive the reducer
 * @param[in]  n_leaves  tree: at least 1; the others do not read it
 * @param[out] reducer   owned by the caller
 * @return (agreed) ERR_MEMORY, ERR_SYSTEM; ERR_MPI */
TUTTI_NODISCARD
tutti_status tutti_reducer_create(const tutti_comm *comm, tutti_reduce_kind kind, int64_t n, int n_leaves,
                                  tutti_reducer **reducer);
void tutti_reducer_destroy(tutti_reducer **reducer); // Collective.  Accepts NULL inside; nulls the handle.

const char *tutti_reducer_name(const tutti_reducer *reducer); // Local.  "flat", "shared", "tree"

/** Local.  The parameters [n], complete and equal on all ranks after create and after each publish.  Only between reduce and
 * publish may a rank write them, its own slice, and then it may not read other slices, which other ranks write.  Borrowed. */
float *tutti_reducer_params(const tutti_reducer *reducer);

/** Local.  The slice that this rank updates; begin = end if there are more ranks than blocks. */
void tutti_reducer_slice(const tutti_reducer *reducer, int64_t *begin, int64_t *end);

/** Local.  The number of all leaves, and those of this rank, [*first, *first + *count); *count may be 0 if there are more ranks
 * than leaves. */
int tutti_reducer_n_leaves(const tutti_reducer *reducer);
void tutti_reducer_own_leaves(const tutti_reducer *reducer, int *first, int *count);

/** Local.  The memory [n] for the gradient of an own leaf.  The gradient may come in parts [begin, begin + count), which are
 * independent of each other.  For each part, and for each own leaf in ascending order:
 *
 * 1. request the memory with this function;
 * 2. write the part, or add to it from the second micro-batch of the leaf on;
 * 3. call tutti_reducer_leaf_done.
 *
 * Each element of each own leaf has to be written: a leaf without samples gives zeros.  Borrowed, and valid for that part until
 * it is done. */
float *tutti_reducer_leaf(tutti_reducer *reducer, int leaf);

/** Local.  Declare a part of the gradient of a leaf complete.  Does nothing with `flat` and `shared`. */
void tutti_reducer_leaf_done(tutti_reducer *reducer, int leaf, int64_t begin, int64_t count);

/** Collective.  Sum the gradients of all leaves, and the tails in the same operation.
 * @param[in,out] tail  [max(1, own leaves), TUTTI_N_TAIL] values of each leaf; on return the first row has the sums over all
 *                      leaves and ranks, the same bits on all ranks, and with `tree` at any number of ranks */
TUTTI_NODISCARD
tutti_status tutti_reducer_reduce(tutti_reducer *reducer, double (*tail)[TUTTI_N_TAIL]);

/** Local, between reduce and publish.  The sum over all leaves for elements [at, at + count) of the own slice
 * (counted in the whole buffer; `at` a multiple of TUTTI_BLOCK or the slice's begin), which the owner may
 * write.  Request each element once per step: it may be summed only now, so that the update finds it in the
 * cache.  The parts of a slice lie one after another in one array.  Borrowed, valid until publish. */
float *tutti_reducer_gradient(tutti_reducer *reducer, int64_t at, int64_t count);

/** Collective.  Replace values[n] by their sums over the slices, each slice counted once: for example, norms of all parameters
 * from those of the slices.  If all owners but one give 0, the sum is that value without rounding. */
TUTTI_NODISCARD
tutti_status tutti_reducer_sum_slices(const tutti_reducer *reducer, double *values, int64_t n);

/** Collective.  Make the updated slices visible, so that the parameters are complete on all ranks.  Each reduce has to be
 * followed by one, before the next leaf. */
TUTTI_NODISCARD
tutti_status tutti_reducer_publish(tutti_reducer *reducer);

/** Collective.  Bring the slices of all owners to rank 0.
 * @param[in]  slice  [end - begin] the slice of this rank; does not overlap `whole`
 * @param[out] whole  [n] on rank 0; may be NULL elsewhere */
TUTTI_NODISCARD
tutti_status tutti_reducer_gather(const tutti_reducer *reducer, const float *slice, float *whole);

/** Collective.  The reverse of tutti_reducer_gather: send the slices of whole[n] on rank 0 to their owners. */
TUTTI_NODISCARD
tutti_status tutti_reducer_scatter(const tutti_reducer *reducer, const float *whole, float *slice);
