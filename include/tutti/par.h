#pragma once
/** Ranks: communicators, agreement on errors, sums, memory shared by a node, and the reduction of gradients.
 *
 * "Collective" means: every rank of the communicator calls the function, in the same order.  The main rule is: *a
 * rank never leaves a collective path alone.*  Code that can fail on one rank belongs in a local function.  The
 * status of this function goes through tutti_comm_agree before any rank branches.  There is no agreement on ERR_MPI,
 * because the ranks cannot communicate any more.  Functions return it up to main, which aborts the job and so ends
 * the ranks that still wait.  Every collective function here can return ERR_MPI. */
#include <stdbool.h>

#include "tutti/slice.h"
#include "tutti/texts.h"

// --- communicators

typedef struct tutti_comm tutti_comm;

/** Collective over MPI_COMM_WORLD, which must be initialised.  Duplicate it with MPI_ERRORS_RETURN, and find the
 * ranks that share memory.  If TUTTI_NODE_SIZE is in the environment of rank 0, every so many ranks of a machine count as
 * a node.
 * @param[out] comm  owned by the caller
 * @return (agreed) ERR_MEMORY; ERR_CONFIG: TUTTI_NODE_SIZE is not a number */
TUTTI_NODISCARD
tutti_status tutti_comm_create_world(tutti_comm **comm);

/** Collective.  Divide the ranks.  Ranks with the same `part` get a communicator of their own, in which they keep
 * their order.
 * @param[in]  part  at least 0
 * @param[out] own   owned by the caller; it may outlive `comm`; NULL after a failure
 * @return (agreed by all parts) ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_comm_split(const tutti_comm *comm, int part, tutti_comm **own);

/** Collective.  Accepts NULL inside; nulls the handle. */
void tutti_comm_destroy(tutti_comm **comm);

int tutti_comm_rank(const tutti_comm *comm); // Local.  Number of this rank, from 0.
int tutti_comm_size(const tutti_comm *comm); // Local.  Number of ranks.
/** Local.  Return the number of the node of this rank, from 0.  Nodes are numbered in the order of their lowest
 * ranks. */
int tutti_comm_node(const tutti_comm *comm);
int tutti_comm_n_nodes(const tutti_comm *comm);   // Local.  Number of nodes.
int tutti_comm_node_rank(const tutti_comm *comm); // Local.  Number of this rank on its node, from 0.
int tutti_comm_node_size(const tutti_comm *comm); // Local.  Number of ranks on this node.

/** Local.  Return the host name of this rank; borrowed. */
const char *tutti_comm_host(const tutti_comm *comm);

/** Local.  Return the name and version of the MPI library, the first line of its own text; borrowed.  It may be
 * called before MPI_Init and after MPI_Finalize. */
const char *tutti_par_mpi_version(void);

/** Called in a thread of its own when a rank or a host does not answer, and at each look after that.  MPI must not be
 * called.  It should end the process; the launcher then ends the other ranks.
 * @param[in] what   which rank or host, and since when
 * @param[in] first  this rank is the first of the job that reports a loss, as far as it knows, so it should print it
 * @param[in] limit  seconds, as tutti_comm_watch has it */
typedef void tutti_comm_lost(const char *what, bool first, double limit);

/** Collective.  Start a thread on each rank that notices if a rank or a host stops answering.  A rank that is only
 * slow, or is held by a debugger on this host, is not lost.  tutti_comm_destroy ends the thread.
 * @param[in] limit  seconds within which the job has to end; `lost` is called after half of it.  0: never
 * @return (agreed) ERR_MEMORY, ERR_SYSTEM; ERR_SYSTEM on one rank alone, if it gets no thread: nobody watches this
 * rank */
TUTTI_NODISCARD
tutti_status tutti_comm_watch(tutti_comm *comm, double limit, tutti_comm_lost *lost);

/** Local.  Change the limit.  Does nothing if nobody watches. */
void tutti_comm_set_watch_limit(const tutti_comm *comm, double limit);

/** Local; may be called in a signal handler.  The others shall not miss this rank when its process ends, because it has
 * said why.  Does nothing if nobody watches. */
void tutti_comm_leave_watch(const tutti_comm *comm);

// --- agreement

/** Collective.  Combine the statuses of all ranks into one.  The largest code wins, with the text of the lowest rank
 * that has this code.  The text begins with "rank R on HOST: ", unless all ranks have the same code.  Afterwards
 * tutti_fail_text is this text on all ranks.  If no rank failed, the call costs one reduction of 16 bytes.
 * @param[in] local  status of this rank
 * @return the status, equal on all ranks.  If `local` is ERR_MPI, ERR_MPI at once and without communication. */
TUTTI_NODISCARD
tutti_status tutti_comm_agree(const tutti_comm *comm, tutti_status local);

/** Collective.  Send the status of `root` to all ranks, with its text.
 * @param[in] local  status of this rank, which is used on root only
 * @return the status of root; but if `local` is ERR_MPI, ERR_MPI at once and without communication */
TUTTI_NODISCARD
tutti_status tutti_comm_agree_from(const tutti_comm *comm, int root, tutti_status local);

// --- plain collectives

/** Collective, `bytes` equal on all ranks.  Send data of root to all ranks.
 * @param[in,out] data   [bytes] read on root, written elsewhere
 * @param[in]     bytes  may be more than 2^31 */
TUTTI_NODISCARD
tutti_status tutti_comm_bcast(const tutti_comm *comm, int root, void *data, int64_t bytes);

/** Collective.  Send a text of root to all ranks.
 * @param[in,out] text  read on root.  On other ranks it becomes new memory, which the caller owns (tutti_free).
 * @return (agreed) ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_comm_bcast_text(const tutti_comm *comm, int root, char **text);

/** Collective, `n` equal on all ranks.  Replace values[n] by their sums over ranks, the same bits on all ranks. */
TUTTI_NODISCARD
tutti_status tutti_comm_sum(const tutti_comm *comm, double *values, int64_t n);

/** Collective, `n` equal on all ranks.  Replace values[n] by the smallest value (min) or the largest value (max)
 * over ranks.  No value may be NaN. */
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

/** Collective.  Bring the text of each rank to root.
 * @param[out] texts  on root [size] texts in the order of the ranks; empty elsewhere.  The caller frees them with
 *                    tutti_texts_clear. */
TUTTI_NODISCARD
tutti_status tutti_comm_gather_texts(const tutti_comm *comm, int root, const char *text, tutti_texts *texts);

/** Collective.  Wait for all ranks. */
TUTTI_NODISCARD
tutti_status tutti_comm_barrier(const tutti_comm *comm);

/** Check that a value is equal on all ranks.  Collective in debug builds; it does nothing in release builds.
 * @param[in] what  name of the value, for the message
 * @return ERR_INTERNAL: it differs */
TUTTI_NODISCARD
tutti_status tutti_comm_same(const tutti_comm *comm, int64_t value, const char *what);

/** Check that the bits of values[n] are equal on all ranks.  Collective, in every build; `n` equal on all ranks.
 * Each rank computes a fingerprint of its values.  If the fingerprints are equal, the call costs one pass over the
 * values and a reduction of 16 bytes.
 * @param[in] what  name of the values for the message, such as "the parameters after step 7"
 * @return (agreed) ERR_SYSTEM: the values differ.  The message names `what`, a rank whose values differ from those
 * of most ranks, and the first number that differs.  ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_comm_same_floats(const tutti_comm *comm, const float *values, int64_t n, const char *what);

// --- signalling busy ranks

/** A flag that one rank raises while the other ranks work.  A rank sees it when it calls tutti_par_alarm_is_raised. */
typedef struct tutti_alarm tutti_alarm;

/** Collective.  Create an alarm that is not raised.
 * @param[in]  comm   borrowed for the call
 * @param[out] alarm  owned by the caller
 * @return (agreed) ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_par_alarm_create(const tutti_comm *comm, tutti_alarm **alarm);

/** Local.  Raise the alarm, without waiting.  Later calls on the same rank do nothing.
 * @return ERR_MPI */
TUTTI_NODISCARD
tutti_status tutti_par_alarm_raise(tutti_alarm *alarm);

/** Local.  Find out if this rank has raised the alarm, or if the message of another rank that raised it has
 * arrived.  It does not wait.
 * @return ERR_MPI */
TUTTI_NODISCARD
tutti_status tutti_par_alarm_is_raised(tutti_alarm *alarm, bool *raised);

/** Collective.  Wait until all ranks have called this, and stay awake meanwhile: call `look` many times per second, on
 * ranks that wait.  The pauses in between leave the core to ranks that work.
 * @param[in] look  local
 * @return ERR_MPI; what `look` returns */
TUTTI_NODISCARD
tutti_status tutti_par_alarm_meet(const tutti_comm *comm, tutti_status (*look)(void *context), void *context);

void tutti_par_alarm_destroy(tutti_alarm **alarm); // Collective.  Accepts NULL inside; nulls the handle.

// --- one copy per node

typedef struct tutti_window tutti_window;

/** Collective, `bytes` equal on the ranks of a node.  Allocate memory that the ranks of a node share.  It is filled
 * with zeros and aligned to 64 bytes.
 * @param[in]  comm    borrowed; must outlive the window
 * @param[out] window  owned by the caller
 * @return (agreed) ERR_MEMORY: a node lacks the memory; ERR_SYSTEM: the ranks of a node cannot share memory */
TUTTI_NODISCARD
tutti_status tutti_par_window_create(const tutti_comm *comm, int64_t bytes, tutti_window **window);

/** Local.  Return the shared memory, [bytes]; borrowed. */
void *tutti_par_window_data(const tutti_window *window);

/** Collective over the node.  After the call, all ranks of the node see what any of them wrote before the call. */
TUTTI_NODISCARD
tutti_status tutti_par_window_sync(const tutti_window *window);

/** Collective.  Accepts NULL inside; nulls the handle. */
void tutti_par_window_destroy(tutti_window **window);

// --- reduction

/** The ways to sum gradients over ranks, which the key `parallel.reduce` chooses.  AUTO is the fastest way, SHARED. */
typedef enum {
  TUTTI_REDUCE_AUTO,
  TUTTI_REDUCE_FLAT,
  TUTTI_REDUCE_SHARED,
  TUTTI_REDUCE_TREE,
  TUTTI_REDUCE_PIPELINED
} tutti_reduce_kind;

/** The tail: values that are summed together with the gradients.  Each value is cut to a multiple of 2^-96.  The sum
 * of these is exact, and is rounded to double once.  So it does not depend on the order, and it is exact for
 * integers up to 2^53.  It is NaN if a value is NaN or not below 2^144. */
typedef enum {
  TUTTI_TAIL_FAILED,  // ranks that failed in this step; they contribute zeros and then call tutti_comm_agree
  TUTTI_TAIL_SAMPLES, // number of samples of this step
  TUTTI_TAIL_LOSS,    // sum of the samples' losses
  TUTTI_TAIL_METRIC,  // sum of the samples' metric
  TUTTI_TAIL_PENALTY, // penalty term of the parameters; only one rank adds it
  TUTTI_TAIL_SAVE,   // ranks whose clock asks for a checkpoint after this step; the sum decides for all ranks
  TUTTI_TAIL_END,    // ranks that ask to end the training after this step, for example because of a signal
  TUTTI_TAIL_GROUPS, // number of parts of the batch with gradients of their own, if the noise is measured
  TUTTI_TAIL_GROUP_SQUARES,   // sum over these parts of b |g|^2: a part has b samples with mean gradient g
  TUTTI_TAIL_EXAMPLE_SQUARES, // sum over samples of |g|^2: a sample has gradient g
  TUTTI_N_TAIL
} tutti_tail_slot;

/** A reducer owns the memory of parameters and gradients, because it knows how they are shared.
 *
 * The gradient of a step is a sum over *leaves*, which are the tutti_reducer_n_leaves parts of the global batch.
 * Each rank computes a range of them.  With `flat`, `shared` and `pipelined` there are as many leaves as ranks, and rank r
 * computes leaf r.  With `tree` the caller gives the number of leaves.  The ranges then go to ranks in the order of
 * (node, rank on the node), and the leaves are summed in one binary tree over their numbers.  The sum has the same
 * bits at any number of ranks and nodes.
 *
 * Each rank updates one slice of the parameters: ranges that begin at multiples of TUTTI_BLOCK, so that sums over blocks
 * do not depend on them.  The slices of all ranks of a node cover the whole buffer.  With `flat` the slice of each rank
 * is the whole buffer.  Otherwise an element belongs to one rank of each node.
 *
 * A step has this order:
 * 1. tutti_reducer_leaf and tutti_reducer_leaf_done, for each own leaf
 * 2. tutti_reducer_reduce
 * 3. for each range of the own slice, from the last to the first: tutti_reducer_wait, and its update
 * 4. tutti_reducer_publish, even if nothing was updated */
typedef struct tutti_reducer tutti_reducer;

/** Collective, arguments equal on all ranks.  Create a reducer for n float parameters, which are 0 at first.
 * @param[in]  comm      borrowed; must outlive the reducer
 * @param[in]  n_leaves  at least 1 with `tree`; ignored with the others
 * @param[out] reducer   owned by the caller
 * @return (agreed) ERR_MEMORY, ERR_SYSTEM */
TUTTI_NODISCARD
tutti_status tutti_reducer_create(const tutti_comm *comm, tutti_reduce_kind kind, int64_t n, int n_leaves,
                                  tutti_reducer **reducer);
void tutti_reducer_destroy(tutti_reducer **reducer); // Collective.  Accepts NULL inside; nulls the handle.

/** Local.  Return "flat", "shared", "pipelined" or "tree". */
const char *tutti_reducer_name(const tutti_reducer *reducer);

/** Local.  Return the parameters, [n]; borrowed.  They are complete and equal on all ranks after create, and after
 * each publish.  A rank may write its own slice in two cases: between reduce and publish, and to set initial values
 * before the first publish.  In this time it must not read other slices, because other ranks write them.  Nobody may
 * write at any other time. */
float *tutti_reducer_params(const tutti_reducer *reducer);

/** Leaves [first, first + count). */
typedef struct {
  int first, count;
  int tail_rows; // max(1, count): a rank without leaves has a row of the tail, too, because it may fail
} tutti_par_leaves;

/** Local.  Return the slice that this rank updates; borrowed.  It is empty on some ranks if there are more ranks than
 * blocks. */
const tutti_slice *tutti_reducer_slice(const tutti_reducer *reducer);

/** Local.  Return the number of all leaves, and those of this rank.  It has none if there are more ranks than
 * leaves. */
int tutti_reducer_n_leaves(const tutti_reducer *reducer);
tutti_par_leaves tutti_reducer_own_leaves(const tutti_reducer *reducer);

/** Local.  Return the memory [n] for the gradient of an own leaf.  The gradient may come in parts [begin, begin +
 * count), which are independent of each other.  For each part, and for each own leaf in ascending order:
 * 1. Request the memory with this function.
 * 2. Write the part.  From the second micro-batch of the leaf on, add to it.
 * 3. Call tutti_reducer_leaf_done.
 *
 * Each element of each own leaf has to be written: a leaf without samples gives zeros.  The memory is borrowed, and
 * valid for that part until step 3. */
float *tutti_reducer_leaf(tutti_reducer *reducer, int leaf);

/** Local.  Return how many elements a part of a gradient should have at least, and hardly more; 0: as many as there are. */
int64_t tutti_reducer_part(const tutti_reducer *reducer);

/** Local.  Declare that the part [begin, begin + count) of the gradient of a leaf is complete.  This does nothing
 * with `flat` and `shared`.  With `pipelined` the last parts should come first. */
void tutti_reducer_leaf_done(tutti_reducer *reducer, int leaf, int64_t begin, int64_t count);

/** Collective.  Sum the gradients of all leaves, and the tails in the same operation.
 * @param[in,out] tail  [tail_rows of the own leaves, TUTTI_N_TAIL] one row of values for each own leaf.  On return the
 *                      first row has the sums over all leaves and ranks.  They have the same bits on all ranks, and
 *                      with `tree` the same bits at any number of ranks. */
TUTTI_NODISCARD
tutti_status tutti_reducer_reduce(tutti_reducer *reducer, double (*tail)[TUTTI_N_TAIL]);

/** Local, between reduce and publish.  Wait until the sums of range i of the own slice can be requested.  With `pipelined`
 * the last range is there first.
 * @return ERR_MPI */
TUTTI_NODISCARD
tutti_status tutti_reducer_wait(tutti_reducer *reducer, int i);

/** Local, between reduce and publish, after tutti_reducer_wait.  Return the sum over all leaves for elements [at, at +
 * count), in one range of the own slice; borrowed until publish.  The owner of the slice may write to it.  Request each
 * element once per step, just before its update: some reducers sum it in this call, so it is in the cache for the update.
 * The parts of a range lie one after another in one array.  Several threads may request different parts at the same time.
 * @param[in] at  counted from the begin of the whole buffer: a multiple of TUTTI_BLOCK, or the begin of a range */
float *tutti_reducer_gradient(tutti_reducer *reducer, int64_t at, int64_t count);

/** Local.  The number of arrays that tutti_reducer_gradient sums; 1: the sum is there when it is called. */
int tutti_reducer_n_sources(const tutti_reducer *reducer);

/** Collective, `n` equal on all ranks.  Replace values[n] by their sums over the slices.  A slice with several
 * owners counts once.  For example, squared norms of slices add up to that of all parameters.  If all slices but one
 * give 0, the sum is exactly the value of that slice. */
TUTTI_NODISCARD
tutti_status tutti_reducer_sum_slices(const tutti_reducer *reducer, double *values, int64_t n);

/** Collective.  Make the updated slices visible, so that the parameters are complete on all ranks.  Call it once
 * after each reduce, before the next tutti_reducer_leaf. */
TUTTI_NODISCARD
tutti_status tutti_reducer_publish(tutti_reducer *reducer);

/** Collective, before a step or between two.  Set the parameters of all ranks, and publish them.
 * @param[in] whole  [n] on rank 0; may be NULL elsewhere */
TUTTI_NODISCARD
tutti_status tutti_reducer_set_params(tutti_reducer *reducer, const float *whole);

/** Collective.  Bring an array of state from its owners to rank 0.
 * @param[in]  slice  [elements of the slice] of this rank; must not overlap `whole`
 * @param[out] whole  [n] on rank 0; may be NULL elsewhere */
TUTTI_NODISCARD
tutti_status tutti_reducer_gather(const tutti_reducer *reducer, const float *slice, float *whole);

/** Collective.  Send each slice of `whole` to its owners.  This is the reverse of tutti_reducer_gather.
 * @param[in]  whole  [n] on rank 0; may be NULL elsewhere
 * @param[out] slice  [elements of the slice] of this rank; must not overlap `whole` */
TUTTI_NODISCARD
tutti_status tutti_reducer_scatter(const tutti_reducer *reducer, const float *whole, float *slice);
