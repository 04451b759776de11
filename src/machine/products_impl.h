#pragma once
/** What rank 0 knows while it chooses who computes the products of a network.  Private to this room. */
#include "machine/product_times_impl.h"
#include "machine/products.h"

typedef struct {
  const tutti_products_wanted *wanted;
  int n_threads;
  tutti_product_time loops;  // that are chosen from: our own, and kernels of the BLAS, its own choice first
  int *last;                 // [n_layers] owned; the largest class of rows of a layer that is known; -1: none
  tutti_product_times known; // of these layers
} tutti_products_chooser;

/** Know the times of all products that are wanted: as this process remembers, as the cache says, or measured now.  More
 * threads are tried first, then half as many, as long as that is not slower.
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

/** Half as many threads are taken if they need at most so many times as long as the fastest number. */
#define TUTTI_PRODUCTS_WORTH_THREADS 1.03
