#pragma once
/** The bytes that the parts of a step have to move, from shapes.  Local, pure. */
#include "tutti/bench.h"
#include "tutti/model.h"

/** Gather samples of one rank: each is read in the data set and written as floats.  Its samples come from anywhere in
 * the data set, so that is the working set.
 * @param[in] n_train       samples of the data set
 * @param[in] sample_bytes  of a sample there
 * @param[in] n_floats      features and targets of a gathered sample */
tutti_bench_traffic tutti_bench_data_traffic(int64_t rows, int64_t n_train, int64_t sample_bytes,
                                             int64_t n_floats);

/** Forward and backward passes without products, through layers[n].  A function of its own reads and writes its outputs
 * forward; backward it reads them and their gradient, and writes a gradient.  A bias reads the gradient of its outputs.
 * Every other layer than dense and activation counts like a function.  The loss reads outputs and writes their gradient.
 * Nothing goes backward before the first layer that is trained.
 * @param[in] most_rows  of a micro-batch, whose outputs and gradients are the working set */
tutti_bench_traffic tutti_bench_layers_traffic(const tutti_layer_info *layers, int n, int64_t rows,
                                               int64_t most_rows);

/** Update `count` parameters: their gradient is read, from n_sources arrays, whose sum is written if there are several;
 * the parameters and n_slots arrays of state are read and written. */
tutti_bench_traffic tutti_bench_update_traffic(int64_t count, int n_sources, int n_slots);

/** The memory for a working set, an index: that of the smallest arrays that are not smaller, or of the largest.
 * @param[in] memories  [n], n >= 1, in ascending order */
int tutti_bench_memory_for(const tutti_bench_memory *memories, int n, double working_set);
