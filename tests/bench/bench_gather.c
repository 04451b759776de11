/** What it costs to choose the samples of a batch and to bring them together, from the type of the file to scaled
 * floats. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/random.h"
#include "bench/samples.h"
#include "support/bench.h"
#include "tutti/data.h"
#include "tutti/sampler.h"

/** Ways to hold the data; without an array of the file, a copy of all samples as floats. */
static const struct {
  const char *name, *array;
  tutti_scale scale;
} kinds[] = {{"copied floats", NULL, TUTTI_SCALE_NONE},
             {"floats", "floats", TUTTI_SCALE_NONE},
             {"standardized", "floats", TUTTI_SCALE_STANDARDIZE_FEATURES},
             {"bytes", "x_train", TUTTI_SCALE_AUTO}};
enum { N_KINDS = sizeof kinds / sizeof kinds[0] };

/** What the cases share. */
typedef struct {
  samples_size size;
  int64_t largest; // batch
  tutti_permutation order;
  int64_t *rows; // [n] in that order
  float *copy;   // [n, n_in]
  float *x;      // [largest, n_in]
  int64_t *ids;  // [largest]
  tutti_dataset *datasets[N_KINDS];
} source;

/** One way at work.  Batch after batch, as in an epoch: what comes next is seldom in a cache. */
typedef struct {
  source *source;
  const tutti_dataset *dataset; // NULL: the copy
  int64_t batch, at;
} job;

// --- gather

static tutti_status gather(void *context) {
  job *j = context;
  const source *s = j->source;
  const int64_t n_in = s->size.n_in;
  if (j->at + j->batch > s->size.n) j->at = 0;
  const int64_t *rows = s->rows + j->at;
  j->at += j->batch;
  if (j->dataset)
    tutti_dataset_gather(j->dataset, TUTTI_ROWS_TRAIN, rows, j->batch, s->x);
  else
    for (int64_t i = 0; i < j->batch; i++)
      memcpy(s->x + i * n_in, s->copy + rows[i] * n_in, (size_t)n_in * sizeof *s->x);
  return TUTTI_OK;
}

/** What the scaling makes of sample `row`; bytes are scaled to the same floats that the file holds. */
static double expected_value(const job *j, int64_t row, int64_t feature) {
  const double value = samples_byte(row, feature) / 255.0;
  if (!j->dataset) return value;
  const tutti_scaling_values scaling = tutti_dataset_scaling(j->dataset);
  return scaling.n == 1 ? value : (value - scaling.shift[feature]) * scaling.factor[feature];
}

static tutti_status check_gather(void *context, double *checksum) {
  job *j = context;
  const int64_t n_in = j->source->size.n_in, n = j->batch * n_in;
  float *x = j->source->x;
  for (int64_t k = 0; k < n; k++) x[k] = NAN;
  j->at = 0;
  TUTTI_TRY(gather(j));
  for (int64_t k = 0; k < n; k++) {
    const double expected = expected_value(j, j->source->rows[k / n_in], k % n_in);
    TUTTI_CHECK(fabs(x[k] - expected) <= 4 * FLT_EPSILON * fmax(1, fabs(expected)), TUTTI_ERR_INTERNAL,
                "element %lld of the batch is %.9g, expected %.9g", (long long)k, (double)x[k], expected);
  }
  *checksum = bench_checksum(x, n);
  return TUTTI_OK;
}

static tutti_status run_gather(const bench *b, source *s, int64_t batch) {
  job jobs[N_KINDS];
  bench_variant variants[N_KINDS];
  char shape[64];
  snprintf(shape, sizeof shape, "%lldx%lld", (long long)batch, (long long)s->size.n_in);
  for (int k = 0; k < N_KINDS; k++) {
    jobs[k] = (job){.source = s, .dataset = s->datasets[k], .batch = batch};
    variants[k] =
        (bench_variant){.name = kinds[k].name, .run = gather, .check = check_gather, .context = &jobs[k]};
  }
  const double n = (double)(batch * s->size.n_in);
  return bench_run(b, &(bench_case){"gather", shape, n, n * sizeof *s->x, "GB/s", variants, N_KINDS});
}

// --- choose ---------------------------------------------------------------------------------------

/** The two ways, on the same batch. */
typedef struct {
  source *source;
  int64_t batch;
  bool at_once;
} order;

static tutti_status permute(void *context) {
  const order *o = context;
  const tutti_permutation *permutation = &o->source->order;
  if (o->at_once)
    tutti_permutation_fill(permutation, 0, o->batch, o->source->ids);
  else
    for (int64_t i = 0; i < o->batch; i++) o->source->ids[i] = tutti_permutation_at(permutation, i);
  return TUTTI_OK;
}

static tutti_status check_order(void *context, double *checksum) {
  const order *o = context;
  TUTTI_TRY(permute(context));
  for (int64_t i = 0; i < o->batch; i++) {
    const long long id = o->source->ids[i], expected = o->source->rows[i];
    TUTTI_CHECK(id == expected, TUTTI_ERR_INTERNAL, "sample %lld of the epoch is %lld, expected %lld",
                (long long)i, id, expected);
    *checksum += (double)id;
  }
  return TUTTI_OK;
}

static tutti_status run_permutation(const bench *b, source *s, int64_t batch) {
  order orders[] = {{s, batch, false}, {s, batch, true}};
  bench_variant variants[2];
  char shape[64];
  snprintf(shape, sizeof shape, "%lld", (long long)batch);
  for (int i = 0; i < 2; i++)
    variants[i] = (bench_variant){.name = i ? "all at once" : "one by one",
                                  .run = permute,
                                  .check = check_order,
                                  .context = &orders[i]};
  const double n = (double)batch;
  return bench_run(b, &(bench_case){"permutation", shape, n, n * sizeof *s->ids, "GB/s", variants, 2});
}

// --- the data

static tutti_status allocate(source *s) {
  const int64_t n_in = s->size.n_in;
  TUTTI_TRY(TUTTI_NEW(s->rows, s->size.n));
  TUTTI_TRY(TUTTI_NEW(s->copy, s->size.n * n_in));
  TUTTI_TRY(TUTTI_NEW(s->x, s->largest * n_in));
  TUTTI_TRY(TUTTI_NEW(s->ids, s->largest));
  for (int64_t i = 0; i < s->size.n; i++) {
    s->rows[i] = tutti_permutation_at(&s->order, i);
    for (int64_t k = 0; k < n_in; k++) s->copy[i * n_in + k] = (float)samples_byte(i, k) / 255;
  }
  return TUTTI_OK;
}

static void as_they_are(const void *context, int64_t n, int64_t *ids) {
  (void)context, (void)n, (void)ids;
}

static tutti_status open_datasets(const bench *b, const char *path, source *s) {
  for (int k = 0; k < N_KINDS; k++) {
    if (!kinds[k].array) continue;
    const tutti_data_options options = {.file = path, .x_train = kinds[k].array, .y_train = "y_train"};
    TUTTI_TRY(tutti_dataset_open(b->comm, &options, &s->datasets[k]));
    TUTTI_TRY(
        tutti_dataset_fit_scaling(b->comm, s->datasets[k], kinds[k].scale, as_they_are, NULL, s->size.n));
  }
  return TUTTI_OK;
}

static tutti_status create(const bench *b, source *s) {
  char path[256] = "";
  s->order = tutti_permutation_make(s->size.n, 1, TUTTI_STREAM_SHUFFLE, 0);
  TUTTI_TRY(tutti_comm_agree(b->comm, allocate(s)));
  TUTTI_TRY(samples_write(b->comm, s->size, path));
  const tutti_status status = open_datasets(b, path, s);
  samples_remove(b->comm, path);
  return status;
}

static void destroy(source *s) {
  for (int k = 0; k < N_KINDS; k++) tutti_dataset_close(&s->datasets[k]);
  tutti_free(s->rows);
  tutti_free(s->copy);
  tutti_free(s->x);
  tutti_free(s->ids);
}

static tutti_status run_all(const bench *b) {
  static const int64_t batches[] = {16, 128, 1024, 8192}, short_batches[] = {1, 16, 100, 200};
  source s = {.size = {60000, 784, 10}, .largest = 8192};
  if (b->is_short) s.size = (samples_size){300, 33, 10}, s.largest = 200;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, create(b, &s));
  for (int i = 0; i < 4; i++) {
    const int64_t batch = b->is_short ? short_batches[i] : batches[i];
    TUTTI_TRY_GOTO(done, run_gather(b, &s, batch));
    TUTTI_TRY_GOTO(done, run_permutation(b, &s, batch));
  }
done:
  destroy(&s);
  return status;
}

int main(int argc, char **argv) {
  return bench_main(
      argc, argv,
      &(bench_program){
          .name = "bench_gather",
          .question =
              "What does it cost to choose the samples of a batch (permutation) and to bring them together,\n"
              "scaled (gather)?  The baseline copies rows of all samples held as floats.  Shapes are samples "
              "x\n"
              "features; the rate is that of the floats written, the other bytes of the way are not "
              "counted."},
      run_all);
}
