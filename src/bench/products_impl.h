#pragma once
/** The matrix products of a network's dense layers, and nothing else: the same functions, shapes and order as in a
 * step, on buffers of their own.  Local. */
#include "train/probe.h"
#include "tutti/bench.h"

typedef struct tutti_bench_products tutti_bench_products;

/** Make buffers for passes of up to max_rows samples, filled with numbers between -1/2 and 1/2.
 * @param[out] products  the caller's: tutti_bench_products_destroy
 * @return ERR_MEMORY; ERR_INTERNAL a size does not fit an int */
TUTTI_NODISCARD
tutti_status tutti_bench_products_create(const tutti_model *model, int max_rows,
                                         tutti_bench_products **products);
void tutti_bench_products_destroy(tutti_bench_products **products); // Accepts NULL inside; nulls the handle.

/** Compute the products of one micro-batch: forward through all layers, then backward.
 * @param[in] by_blas  with the BLAS; else as a training does */
void tutti_bench_products_pass(tutti_bench_products *products, const tutti_probe_micro_batch *pass,
                               bool by_blas);

/** The multiplications and additions of such a pass: 2 rows n_in n_out for each product.  A layer has three products,
 * but the first trained layer has two, because no gradient goes on to its input. */
double tutti_bench_products_flops(const tutti_bench_products *products, int64_t rows);

/** Add to traffic->bytes what the products of a micro-batch have to move: both factors are read and the result is
 * written, once for each product.  Their arrays are the working set, if they are larger than what it was. */
void tutti_bench_products_traffic(const tutti_bench_products *products, const tutti_probe_micro_batch *pass,
                                  tutti_bench_traffic *traffic);

/** The sum of |v| over all results of the last pass, of `rows` samples: both ways give the same one but for
 * rounding. */
double tutti_bench_products_sum(const tutti_bench_products *products, int64_t rows);
