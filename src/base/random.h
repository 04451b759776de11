#pragma once
/** Counter-based random numbers: Philox4x32-10 (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy
 * as 1, 2, 3", SC 2011) as Random123 implements it.  Every number is a pure function of (seed, stream, epoch,
 * index), so it does not depend on which rank asks for it, or when.  Local, no state. */
#include "tutti/base.h"

/** What a stream is for.  A number enters files and published curves: never renumber. */
typedef enum {
  TUTTI_STREAM_SPLIT = 1,     // which rows are held out for validation
  TUTTI_STREAM_SHUFFLE = 2,   // order of the samples in an epoch
  TUTTI_STREAM_WEIGHTS = 3,   // initial weights
  TUTTI_STREAM_NOISE = 4,     // dropout and the noise layers
  TUTTI_STREAM_IMPORT = 5,    // train/test split of an import
  TUTTI_STREAM_STUDY = 6,     // settings of a study that are drawn
  TUTTI_STREAM_BOOTSTRAP = 7, // draws of trials for the intervals of a fit
  TUTTI_STREAM_SHARPNESS = 8, // directions in the space of the weights
  TUTTI_STREAM_TRAIN_ROWS = 9 // training rows that are evaluated
} tutti_stream_kind;

/** One stream: `part` tells apart what shares a kind and an epoch (a layer, a round of the permutation). */
typedef struct {
  uint64_t seed;
  uint32_t kind;
  uint32_t part;
  uint32_t epoch;
} tutti_stream;

/** Four independent 32-bit words for counter `index` (48 bits are used). */
void tutti_random_words(tutti_stream stream, uint64_t index, uint32_t words[4]);

/** words[n] = the words number first, first+1, ... of the stream; four of them share one counter. */
void tutti_random_fill(tutti_stream stream, uint64_t first, int64_t n, uint32_t *words);

/** words[n] = the first word of each of the counters indices[n]; the arrays are apart. */
void tutti_random_gather(tutti_stream stream, const uint32_t *indices, int64_t n, uint32_t *words);

/** Uniform on (0, 1), never 0 and never 1, from one word: (word + 1/2) / 2^32. */
double tutti_random_uniform(uint32_t word);

/** Two independent standard normals from two words (Box and Muller, 1958). */
void tutti_random_normal(uint32_t word_a, uint32_t word_b, double normal[2]);
