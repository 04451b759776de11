#pragma once
/** What rank 0 knows while it chooses who computes the products of a network.  Private to this room. */
#include "machine/product_times_impl.h"
#include "machine/products.h"

// --- products_kernels.c --------------------------------------------------------------------------------------------

/** The kernels that the BLAS has chosen by itself, also after others were taken, as one word.  @return name */
const char *tutti_products_first_kernels(char name[TUTTI_MACHINE_KERNELS_NAME]);

/** Let the BLAS compute with these kernels.  @return false: it may not, or it cannot; it then has its first ones */
bool tutti_products_take_kernels(const char *kernels);

/** The loops that are worth a try, without times: ours, then those of the BLAS, its own choice first.  A fixed order
 * leaves ours alone, and BY_BLAS those of the BLAS. */
void tutti_products_list_loops(tutti_sum_order by, tutti_product_time *loops);

// --- products_fastest.c --------------------------------------------------------------------------------------------

/** Who computes one product fastest, if the BLAS has these kernels? */
typedef struct {
  tutti_sum_order by;
  const char *kernels;
  int n_threads; // at most
  /** The time of the product by n_threads; NULL: not known, so fewer threads are not asked for. */
  const tutti_product_time *(*time_of)(void *context, int n_threads);
  void *context;
} tutti_products_question;

/** Try all threads first, then half as many, as long as that is not slower.
 * @param[out] choice  unchanged if nothing is known
 * @return its nanoseconds; 0: nothing is known */
double tutti_products_fastest(const tutti_products_question *question, tutti_matmul_choice *choice);

// --- products_learn.c ----------------------------------------------------------------------------------------------

typedef struct {
  const tutti_products_wanted *wanted;
  int n_threads;
  tutti_product_time loops;  // that are chosen from
  int *last;                 // [n_layers] owned; the largest class of rows of a layer that is known; -1: none
  tutti_product_times known; // of these layers
} tutti_products_chooser;

/** Know the times of all products that are wanted: as this process remembers, as the cache says, or measured now.
 * @param[out] chooser  to be freed with tutti_products_forget
 * @return ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_products_learn(const tutti_products_wanted *wanted, tutti_products_chooser *chooser);
void tutti_products_forget(tutti_products_chooser *chooser);

/** A shape of a layer, with the loops that are chosen from. */
tutti_product_time tutti_products_like(const tutti_products_chooser *chooser,
                                       const tutti_products_layer *layer, tutti_matmul product, int row_class,
                                       int n_threads);

/** More rows than so many take as long per row, and are computed as the most that were measured. */
enum { TUTTI_PRODUCTS_MANY_ROWS = 128 };

// --- products_text.c -----------------------------------------------------------------------------------------------

/** As tutti_products_take_text.
 * @param[out] taken  [n_layers of the table] set where the text leaves nothing to measure; NULL: not wanted */
void tutti_products_take_stored(const char *text, tutti_products *products, bool (*taken)[TUTTI_N_MATMULS]);
