#define _GNU_SOURCE // mkdtemp, nftw
#include "support/training.h"

#include <ftw.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/random.h"
#include "par/par_impl.h"
#include "tutti/io.h"

enum { N_TRAIN = 333, N_TEST = 57, N_IN = 12, N_CLASSES = 3 };

// --- data

/** One set: the features, also as bytes, and labels of several kinds. */
typedef struct {
  float x[N_TRAIN * N_IN];
  uint8_t bytes[N_TRAIN * N_IN];
  float parts[N_TRAIN * N_IN];
  int32_t y[N_TRAIN], sides[N_TRAIN * 2], side[N_TRAIN];
  uint8_t one_hot[N_TRAIN * N_CLASSES], bits[N_TRAIN * 2], bit[N_TRAIN];
  float real[N_TRAIN], soft[N_TRAIN * N_CLASSES];
  float weight[N_TRAIN], class_weight[N_TRAIN], first[N_TRAIN];
} sample_set;

static void make_labels(const double *score, int64_t i, sample_set *set) {
  const int best = score[1] > score[0] ? (score[2] > score[1] ? 2 : 1) : (score[2] > score[0] ? 2 : 0);
  set->y[i] = best;
  for (int k = 0; k < N_CLASSES; k++) {
    set->one_hot[i * N_CLASSES + k] = k == best;
    set->soft[i * N_CLASSES + k] = k == best ? 0.8F : 0.1F;
  }
  for (int k = 0; k < 2; k++) {
    set->bits[2 * i + k] = score[k] > score[k + 1];
    set->sides[2 * i + k] = score[k] > score[k + 1] ? 1 : -1;
  }
  set->bit[i] = set->bits[2 * i];
  set->side[i] = set->sides[2 * i];
  set->real[i] = (float)(score[0] - 0.5 * score[1]);
  set->weight[i] = (float)(i % 5) / 2;
  set->class_weight[i] = best == 0 ? 2 : best == 2 ? 0.5F : 1;
  set->first[i] = i < N_TRAIN / 3;
}

/** Features are normal, scores are three sums of four features each, with some noise. */
static void make_samples(uint64_t seed, int64_t n, sample_set *set) {
  for (int64_t i = 0; i < n; i++) {
    double score[N_CLASSES] = {0};
    for (int j = 0; j < N_IN; j++) {
      uint32_t words[4];
      double normal[2];
      tutti_random_words((tutti_stream){.seed = seed, .kind = 99}, (uint64_t)(i * N_IN + j), words);
      tutti_random_normal(words[0], words[1], normal);
      set->x[i * N_IN + j] = (float)normal[0];
      set->bytes[i * N_IN + j] = (uint8_t)fmin(255, fmax(0, 128 + 40 * normal[0]));
      set->parts[i * N_IN + j] = set->bytes[i * N_IN + j] / 255.0F;
      score[j % N_CLASSES] += normal[0] + 0.3 * normal[1];
    }
    make_labels(score, i, set);
  }
}

static tutti_status write_set(tutti_file *file, const char *part, uint64_t seed, int64_t n) {
  static sample_set set;
  const struct {
    const char *name;
    tutti_type type;
    int64_t width;
    const void *values;
  } arrays[] = {{"x", TUTTI_F32, N_IN, set.x},
                {"y", TUTTI_I32, 1, set.y},
                {"bytes", TUTTI_U8, N_IN, set.bytes},
                {"parts", TUTTI_F32, N_IN, set.parts},
                {"one_hot", TUTTI_U8, N_CLASSES, set.one_hot},
                {"bits", TUTTI_U8, 2, set.bits},
                {"bit", TUTTI_U8, 1, set.bit},
                {"sides", TUTTI_I32, 2, set.sides},
                {"side", TUTTI_I32, 1, set.side},
                {"real", TUTTI_F32, 1, set.real},
                {"soft", TUTTI_F32, N_CLASSES, set.soft},
                {"weight", TUTTI_F32, 1, set.weight},
                {"class_weight", TUTTI_F32, 1, set.class_weight},
                {"first", TUTTI_F32, 1, set.first}};
  make_samples(seed, n, &set);
  for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++) {
    char name[32];
    snprintf(name, sizeof name, "%s_%s", arrays[i].name, part);
    TUTTI_TRY(tutti_file_write(file, name, arrays[i].type, arrays[i].width > 1 ? 2 : 1,
                               (int64_t[]){n, arrays[i].width}, 0, arrays[i].values));
  }
  return TUTTI_OK;
}

static tutti_status write_data(const char *path, uint64_t seed) {
  tutti_file *file = NULL;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_file_create(path, &file));
  TUTTI_TRY_GOTO(done, write_set(file, "train", seed, N_TRAIN));
  TUTTI_TRY_GOTO(done, write_set(file, "test", 2, N_TEST));
  TUTTI_TRY_GOTO(done, tutti_file_commit(&file));
done:
  tutti_file_close(&file);
  return status;
}

// --- folder

void training_folder_make(const tutti_comm *comm, training_folder *folder) {
  tutti_status status = TUTTI_OK;
  tutti_log_set_level(TUTTI_LOG_WARNING); // what the runs tell of themselves would bury the test's own lines
  if (tutti_comm_rank(comm) == 0) {
    const char *base = getenv("TMPDIR");
    snprintf(folder->path, sizeof folder->path, "%s/tutti-XXXXXX", base ? base : "/tmp");
    char data[300];
    if (!mkdtemp(folder->path)) abort();
    snprintf(data, sizeof data, "%s/data.h5", folder->path);
    status = write_data(data, 1);
  }
  EXPECT_OK(tutti_comm_agree_from(comm, 0, status));
  EXPECT_OK(tutti_comm_bcast(comm, 0, folder->path, sizeof folder->path));
  EXPECT_OK(tutti_comm_create_from(MPI_COMM_SELF, INT_MAX, &folder->self));
}

void training_data_write(const training_folder *folder, uint64_t seed) {
  char data[300];
  snprintf(data, sizeof data, "%s/data.h5", folder->path);
  EXPECT_OK(write_data(data, seed));
}

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *walk) {
  (void)info, (void)type, (void)walk;
  return remove(path);
}

void training_folder_remove(const tutti_comm *comm, training_folder *folder) {
  EXPECT_OK(tutti_comm_barrier(comm));
  tutti_comm_destroy(&folder->self);
  if (tutti_comm_rank(comm) == 0) nftw(folder->path, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

const char *training_path(const training_folder *folder, const char *prefix, const char *file,
                          char text[TRAINING_TEXT]) {
  snprintf(text, TRAINING_TEXT, "%s%s/%s", prefix, folder->path, file);
  return text;
}

// --- runs

const char training_yaml[] =
    "data: {validation_split: 0.1}\n"
    "model: {layers: [dense 24 relu, batch_norm ghost=10, dropout 0.3, dense 3 softmax]}\n"
    "optimizer: {name: nadam, ema_momentum: 0.9}\n"
    "schedule: {decay: exponential, decay_every: 10 steps, decay_rate: 0.9}\n"
    "train: {batch_size: 40, epochs: 4, evaluate_every: 3 steps, monitor: val_loss}\n"
    "run: {metrics_every: 2 steps, checkpoint_every: 5 steps}\n";

tutti_status training_run(const tutti_comm *comm, const training_folder *folder, const char *name,
                          const char *yaml, const training_overrides overrides, tutti_train_result *result) {
  char file[300], directory[400], keys[TRAINING_MAX_OVERRIDES][128];
  snprintf(file, sizeof file, "%s/data.h5", folder->path);
  snprintf(directory, sizeof directory, "%s/%s", folder->path, name);
  tutti_override list[TRAINING_MAX_OVERRIDES + 3] = {
      {"data.file", file}, {"run.directory", directory}, {"parallel.threads", "1"}};
  int n = 3;
  for (int i = 0; overrides && overrides[i]; i++) {
    const char *equals = strchr(overrides[i], '=');
    snprintf(keys[i], sizeof keys[i], "%.*s", (int)(equals - overrides[i]), overrides[i]);
    list[n++] = (tutti_override){keys[i], equals + 1};
  }
  tutti_config config = {0};
  tutti_status status = tutti_comm_agree(comm, tutti_config_parse(yaml, "test.yaml", list, n, &config));
  if (status == TUTTI_OK) status = tutti_train(comm, &config, NULL, result);
  tutti_config_clear(&config);
  return status;
}

bool training_is_root(const tutti_comm *comm) {
  return tutti_comm_rank(comm) == 0;
}

static void run_part(const tutti_comm *comm, const training_folder *folder, const char *name,
                     const char *yaml, const training_overrides overrides, bool alone) {
  tutti_train_result result;
  if (!alone || training_is_root(comm))
    EXPECT_OK(training_run(alone ? folder->self : comm, folder, name, yaml, overrides, &result));
  EXPECT_OK(tutti_comm_barrier(comm));
}

void training_run_in_two(const tutti_comm *comm, const training_folder *folder, const char *name,
                         const char *yaml, const training_overrides overrides, int stop, bool alone_first) {
  char budget[32];
  training_overrides first = {NULL};
  int n = 0;
  for (; overrides && overrides[n]; n++) first[n] = overrides[n];
  snprintf(budget, sizeof budget, "train.steps=%d", stop);
  first[n] = budget;
  run_part(comm, folder, name, yaml, first, alone_first);
  run_part(comm, folder, name, yaml, overrides, !alone_first);
}

static tutti_status read_rows(const char *path, const char *table, tutti_metrics_row *rows, int64_t max,
                              int64_t *n) {
  tutti_file *file = NULL;
  char *metric = NULL;
  tutti_column columns[TUTTI_METRICS_COLUMNS];
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_file_open(path, &file));
  TUTTI_TRY_GOTO(done, tutti_file_get_text(file, "/", "metric", &metric));
  tutti_metrics_columns(metric, columns);
  TUTTI_TRY_GOTO(done, tutti_table_rows(file, table, n));
  if (*n > max) *n = max;
  if (*n > 0)
    TUTTI_TRY_GOTO(done,
                   tutti_table_read(file, table, columns, TUTTI_METRICS_COLUMNS, sizeof *rows, 0, *n, rows));
done:
  tutti_free(metric);
  tutti_file_close(&file);
  return status;
}

int64_t training_rows(const training_folder *folder, const char *name, const char *table,
                      tutti_metrics_row *rows, int64_t max) {
  char path[400];
  int64_t n = 0;
  snprintf(path, sizeof path, "%s/%s/metrics.h5", folder->path, name);
  return EXPECT_OK(read_rows(path, table, rows, max, &n)) ? n : -1;
}

static tutti_status read_column(const char *path, const char *table, const char *column, double **values,
                                int64_t *n) {
  const double unread = 0x1.8p900;
  const tutti_column columns[] = {{column, TUTTI_F64, 0}};
  tutti_file *file = NULL;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_file_open(path, &file));
  TUTTI_TRY_GOTO(done, tutti_table_rows(file, table, n));
  *values = malloc((size_t)(*n + 1) * sizeof **values);
  if (!*values) abort();
  for (int64_t i = 0; i < *n; i++) (*values)[i] = unread;
  TUTTI_TRY_GOTO(done, tutti_table_read(file, table, columns, 1, sizeof **values, 0, *n, *values));
  if (*n > 0 && (*values)[0] == unread) *n = -1;
done:
  tutti_file_close(&file);
  return status;
}

int64_t training_column(const training_folder *folder, const char *name, const char *table,
                        const char *column, double **values) {
  char path[400];
  int64_t n = 0;
  *values = NULL;
  snprintf(path, sizeof path, "%s/%s/metrics.h5", folder->path, name);
  return EXPECT_OK(read_column(path, table, column, values, &n)) ? n : -1;
}

// --- comparing checkpoints

static int64_t n_values(const tutti_array_shape *shape) {
  int64_t n = 1;
  for (int d = 0; d < shape->n_dims; d++) n *= shape->dims[d];
  return n;
}

static double compare_array(const tutti_file *a, const tutti_file *b, const char *name) {
  enum { MAX = 1 << 20 };
  static float x[MAX], y[MAX];
  tutti_array_shape sa, sb;
  if (tutti_file_shape(a, name, &sa) != TUTTI_OK || tutti_file_shape(b, name, &sb) != TUTTI_OK)
    return INFINITY;
  const int64_t n = n_values(&sa);
  if (n != n_values(&sb) || n > MAX) return INFINITY;
  if (tutti_file_read_rows(a, name, TUTTI_F32, 0, sa.dims[0], x) != TUTTI_OK) return INFINITY;
  if (tutti_file_read_rows(b, name, TUTTI_F32, 0, sb.dims[0], y) != TUTTI_OK) return INFINITY;
  double worst = 0;
  for (int64_t i = 0; i < n; i++)
    worst = fmax(worst, fabs((double)x[i] - y[i]) / fmax(1, fabs((double)x[i])));
  return worst;
}

/** All arrays below a group: layers hold arrays, slots hold layers. */
static double compare_group(const tutti_file *a, const tutti_file *b, const char *group, int depth) {
  tutti_texts names;
  if (tutti_file_list(a, group, &names) != TUTTI_OK) return INFINITY;
  double worst = 0;
  for (int i = 0; i < names.n; i++) {
    char name[1024];
    snprintf(name, sizeof name, "%.300s/%.300s", group, names.list[i]);
    worst = fmax(worst, depth > 0 ? compare_group(a, b, name, depth - 1) : compare_array(a, b, name));
  }
  tutti_texts_clear(&names);
  return worst;
}

double training_difference(const training_folder *folder, const char *a, const char *b) {
  char path_a[400], path_b[400];
  snprintf(path_a, sizeof path_a, "%s/%s/checkpoint.h5", folder->path, a);
  snprintf(path_b, sizeof path_b, "%s/%s/checkpoint.h5", folder->path, b);
  tutti_file *file_a = NULL, *file_b = NULL;
  double worst = INFINITY;
  if (tutti_file_open(path_a, &file_a) == TUTTI_OK && tutti_file_open(path_b, &file_b) == TUTTI_OK) {
    worst = compare_group(file_a, file_b, "/model/weights", 1);
    if (tutti_file_has(file_a, "/optimizer"))
      worst = fmax(worst, compare_group(file_a, file_b, "/optimizer", 2));
  }
  tutti_file_close(&file_a);
  tutti_file_close(&file_b);
  return worst;
}

void training_expect_same(const tutti_comm *comm, const training_folder *folder, const char *a, const char *b,
                          double tolerance) {
  if (!training_is_root(comm)) return;
  const double difference = training_difference(folder, a, b);
  EXPECT(difference <= tolerance, "%s and %s differ by %g", a, b, difference);
}
