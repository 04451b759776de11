// The weights after 20 steps against those of Keras and PyTorch in double precision: parity.h5, written and
// described by make_parity.py.
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "support/check.h"
#include "tutti/io.h"
#include "tutti/model.h"
#include "tutti/optim.h"

enum { MAX_LAYERS = 16, NAME_BYTES = 256 };

static const double tolerance = 1e-5; // of max(1, |w|)

static const char *golden_path;

/** All that one case needs; owned, but for the file. */
typedef struct {
  const tutti_file *file;
  char name[NAME_BYTES]; // "cases/keras/sgd"
  char *net, *loss, *target, *layers, *options;
  tutti_layer_spec specs[MAX_LAYERS];
  int n_layers;
  tutti_optim_options optim_options;
  int64_t batch_size, steps, n_rows, n_in;
  tutti_model *model;
  tutti_optim *optim;
  float *params, *grads, *x, *values;
  int32_t *classes;
} parity_case;

static void clear(parity_case *c) {
  tutti_model_destroy(&c->model);
  tutti_optim_destroy(&c->optim);
  char **const texts[] = {&c->net, &c->loss, &c->target, &c->layers, &c->options};
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) tutti_free(*texts[i]);
  tutti_free(c->params);
  tutti_free(c->grads);
  tutti_free(c->x);
  tutti_free(c->values);
  tutti_free(c->classes);
}

// --- reading a case

static int index_of(const char *word, const char *const *names, int n) {
  for (int i = 0; i < n; i++)
    if (strcmp(names[i], word) == 0) return i;
  fail_msg("'%s' is not a name this test knows", word);
  return -1;
}

static void set_option(tutti_optim_options *options, const char *key, const char *value) {
  const struct {
    const char *key;
    double *number;
    bool *flag;
  } keys[] = {{"learning_rate", &options->learning_rate, NULL},
              {"momentum", &options->momentum, NULL},
              {"rho", &options->rho, NULL},
              {"beta_1", &options->beta_1, NULL},
              {"beta_2", &options->beta_2, NULL},
              {"epsilon", &options->epsilon, NULL},
              {"weight_decay", &options->weight_decay, NULL},
              {"clipnorm", &options->clipnorm, NULL},
              {"global_clipnorm", &options->global_clipnorm, NULL},
              {"clipvalue", &options->clipvalue, NULL},
              {"nesterov", NULL, &options->nesterov},
              {"centered", NULL, &options->centered},
              {"amsgrad", NULL, &options->amsgrad}};
  for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
    if (strcmp(keys[i].key, key) != 0) continue;
    if (keys[i].flag)
      *keys[i].flag = strcmp(value, "yes") == 0;
    else
      assert_true(tutti_text_real(value, keys[i].number));
    return;
  }
  fail_msg("option '%s' is not one this test knows", key);
}

/** Lines "key value". */
static tutti_optim_options parse_options(char *lines) {
  tutti_optim_options options = tutti_optim_options_default();
  for (char *rest = NULL, *line = strtok_r(lines, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
    char key[64], value[64];
    if (sscanf(line, "%63s %63s", key, value) != 2) fail_msg("'%s' is no option", line);
    if (strcmp(key, "name") == 0)
      options.rule = (tutti_optim_rule)index_of(value, tutti_optim_names, TUTTI_N_OPTIMS);
    else if (strcmp(key, "dialect") == 0)
      options.dialect = (tutti_dialect)index_of(value, tutti_optim_dialect_names, TUTTI_N_DIALECTS);
    else
      set_option(&options, key, value);
  }
  CHECK_OK(tutti_optim_resolve(&options));
  return options;
}

static void parse_layers(parity_case *c) {
  for (char *rest = NULL, *line = strtok_r(c->layers, "\n", &rest); line;
       line = strtok_r(NULL, "\n", &rest)) {
    assert_true(c->n_layers < MAX_LAYERS);
    CHECK_OK(tutti_layer_parse(line, &c->specs[c->n_layers++]));
  }
}

static void read_data(parity_case *c) {
  char path[NAME_BYTES];
  tutti_array_shape shape;
  CHECK_OK(tutti_file_shape(c->file, "data/x", &shape));
  c->n_rows = shape.dims[0];
  c->n_in = shape.dims[1];
  CHECK_OK(TUTTI_NEW(c->x, c->n_rows * c->n_in));
  CHECK_OK(tutti_file_read_rows(c->file, "data/x", TUTTI_F32, 0, c->n_rows, c->x));
  snprintf(path, sizeof path, "data/%s", c->target);
  CHECK_OK(tutti_file_shape(c->file, path, &shape));
  if (shape.type_class == TUTTI_CLASS_INTEGER) {
    CHECK_OK(TUTTI_NEW(c->classes, c->n_rows));
    CHECK_OK(tutti_file_read_rows(c->file, path, TUTTI_I32, 0, c->n_rows, c->classes));
  } else {
    CHECK_OK(TUTTI_NEW(c->values, c->n_rows * shape.dims[1]));
    CHECK_OK(tutti_file_read_rows(c->file, path, TUTTI_F32, 0, c->n_rows, c->values));
  }
}

/** Array i of the network, as <group>/<layer>/<name> has it. */
static void read_array(const parity_case *c, const char *group, int i, float *data) {
  const tutti_model_array *array = tutti_model_array_at(c->model, i);
  char path[2 * NAME_BYTES];
  tutti_array_shape shape;
  snprintf(path, sizeof path, "%s/%s/%s", group, array->layer, array->name);
  CHECK_OK(tutti_file_shape(c->file, path, &shape));
  int64_t n = 1;
  for (int d = 0; d < shape.n_dims; d++) n *= shape.dims[d];
  assert_int_equal(n, array->n);
  if (array->rows > 0)
    assert_true(shape.n_dims == 2 && shape.dims[0] == array->rows && shape.dims[1] == array->cols);
  CHECK_OK(tutti_file_read_rows(c->file, path, TUTTI_F32, 0, shape.dims[0], data));
}

/** Where array i of the network lies. */
static float *array_data(const parity_case *c, int i) {
  const tutti_model_array *array = tutti_model_array_at(c->model, i);
  return (array->trainable ? c->params : tutti_model_state(c->model)) + array->offset;
}

/** The arrays of the network are those of the file, no fewer. */
static void check_array_count(const parity_case *c) {
  tutti_texts layers, arrays;
  int n_found = 0;
  CHECK_OK(tutti_file_list(c->file, c->name, &layers));
  for (int i = 0; i < layers.n; i++) {
    char path[2 * NAME_BYTES];
    snprintf(path, sizeof path, "%s/%s", c->name, layers.list[i]);
    CHECK_OK(tutti_file_list(c->file, path, &arrays));
    n_found += arrays.n;
    tutti_texts_clear(&arrays);
  }
  tutti_texts_clear(&layers);
  assert_int_equal(tutti_model_n_arrays(c->model), n_found);
}

static void make_optim(parity_case *c) {
  const int64_t n_params = tutti_model_n_params(c->model);
  const int n_arrays = tutti_model_n_arrays(c->model);
  int64_t *offsets = NULL;
  int n_trainable = 0;
  CHECK_OK(TUTTI_NEW(offsets, n_arrays + 1));
  for (int i = 0; i < n_arrays && tutti_model_array_at(c->model, i)->trainable; i++)
    offsets[n_trainable++] = tutti_model_array_at(c->model, i)->offset;
  offsets[n_trainable] = n_params;
  CHECK_OK(tutti_optim_create(&c->optim_options, offsets, NULL, n_trainable, &TUTTI_SLICE(0, n_params),
                              &c->optim));
  tutti_free(offsets);
}

static void load(parity_case *c, const tutti_file *file, const char *library, const char *name) {
  char net[NAME_BYTES];
  *c = (parity_case){.file = file};
  snprintf(c->name, sizeof c->name, "cases/%s/%s", library, name);
  CHECK_OK(tutti_file_get_integer(c->file, "/", "batch_size", &c->batch_size));
  CHECK_OK(tutti_file_get_integer(c->file, "/", "steps", &c->steps));
  CHECK_OK(tutti_file_get_text(c->file, c->name, "net", &c->net));
  CHECK_OK(tutti_file_get_text(c->file, c->name, "loss", &c->loss));
  CHECK_OK(tutti_file_get_text(c->file, c->name, "target", &c->target));
  CHECK_OK(tutti_file_get_text(c->file, c->name, "options", &c->options));
  snprintf(net, sizeof net, "nets/%s", c->net);
  CHECK_OK(tutti_file_get_text(c->file, net, "layers", &c->layers));
  c->optim_options = parse_options(c->options);
  parse_layers(c);
  read_data(c);
  const tutti_model_options options = {.layers = c->specs,
                                       .n_layers = c->n_layers,
                                       .loss =
                                           (tutti_loss)index_of(c->loss, tutti_loss_names, TUTTI_N_LOSSES)};
  CHECK_OK(tutti_model_create(&options, c->n_in, c->batch_size, &c->model));
  CHECK_OK(TUTTI_NEW(c->params, tutti_model_n_params(c->model)));
  CHECK_OK(TUTTI_NEW(c->grads, tutti_model_n_params(c->model)));
  check_array_count(c);
  for (int i = 0; i < tutti_model_n_arrays(c->model); i++) read_array(c, net, i, array_data(c, i));
  make_optim(c);
}

// --- training and comparing

static void train(parity_case *c) {
  const int64_t n_params = tutti_model_n_params(c->model), n_batches = c->n_rows / c->batch_size;
  const int64_t n_out = tutti_model_n_out(c->model);
  double *squares = NULL, *norms = NULL;
  CHECK_OK(TUTTI_NEW(squares, tutti_optim_n_pieces(c->optim)));
  CHECK_OK(TUTTI_NEW(norms, tutti_optim_n_norms(c->optim)));
  for (int64_t step = 0; step < c->steps; step++) {
    const int64_t row = step % n_batches * c->batch_size;
    const float *x = c->x + row * c->n_in;
    const tutti_model_pass pass = {
        .training = true, .position = row, .batch_begin = row, .batch_count = c->batch_size};
    const tutti_targets targets = {.classes = c->classes ? c->classes + row : NULL,
                                   .values = c->values ? c->values + row * n_out : NULL};
    double loss = 0, metric = 0;
    CHECK_OK(tutti_model_forward(c->model, c->params, &pass, x, c->batch_size));
    tutti_model_loss(c->model, &pass, targets, c->batch_size, &loss, &metric);
    CHECK_OK(tutti_model_backward(c->model, c->params, &pass, x, c->batch_size, c->grads));
    CHECK_OK(tutti_model_merge_state(c->model, c->batch_size, NULL, NULL));
    tutti_model_penalty_gradient(c->model, c->params, 0, n_params, c->grads);
    tutti_optim_squares(c->optim, 0, n_params, c->grads, squares);
    tutti_optim_begin(c->optim, step + 1, c->optim_options.learning_rate, squares);
    if (tutti_optim_n_norms(c->optim) > 0) {
      tutti_optim_prepare(c->optim, 0, n_params, c->params, c->grads, norms);
      tutti_optim_set_ratios(c->optim, norms);
    }
    tutti_optim_step(c->optim, 0, n_params, c->params, c->grads);
  }
  tutti_free(norms);
  tutti_free(squares);
}

/** The first weight of each array that is too far away is printed.  @return how many arrays have one */
static int compare(const parity_case *c) {
  int n_wrong = 0;
  for (int i = 0; i < tutti_model_n_arrays(c->model); i++) {
    const tutti_model_array *array = tutti_model_array_at(c->model, i);
    const float *ours = array_data(c, i);
    float *theirs = NULL;
    CHECK_OK(TUTTI_NEW(theirs, array->n));
    read_array(c, c->name, i, theirs);
    int64_t k = 0;
    while (k < array->n && fabs((double)ours[k] - theirs[k]) <= tolerance * fmax(1, fabs(theirs[k]))) k++;
    if (k < array->n) {
      print_error("%s: %s/%s[%lld] is %.9g, expected %.9g\n", c->name, array->layer, array->name,
                  (long long)k, (double)ours[k], (double)theirs[k]);
      n_wrong++;
    }
    tutti_free(theirs);
  }
  return n_wrong;
}

static void note_layers(parity_case *c, bool *seen) {
  for (int i = 0; i < c->n_layers; i++) seen[c->specs[i].kind] = true;
}

/** Rules that neither library has. */
static bool is_without_case(int rule) {
  return rule == TUTTI_LARS;
}

/** @param[in,out] rules, layers  [TUTTI_N_OPTIMS] and [TUTTI_N_LAYER_KINDS] of which there is a case */
static void note_cases(const char *library, bool *rules, bool *layers) {
  char group[NAME_BYTES];
  tutti_texts names;
  tutti_file *file = NULL;
  snprintf(group, sizeof group, "cases/%s", library);
  CHECK_OK(tutti_file_open(golden_path, &file));
  CHECK_OK(tutti_file_list(file, group, &names));
  for (int i = 0; i < names.n; i++) {
    parity_case c;
    load(&c, file, library, names.list[i]);
    rules[c.optim_options.rule] = true;
    note_layers(&c, layers);
    clear(&c);
  }
  tutti_texts_clear(&names);
  tutti_file_close(&file);
}

/** Noise differs from library to library. */
static bool is_noise(int kind) {
  const tutti_layer_spec spec = {.kind = (tutti_layer_kind)kind, .activation = TUTTI_RELU};
  return tutti_layer_keeps_range(&spec);
}

static void each_rule_and_layer_has_a_case(void **state) {
  (void)state;
  bool rules[TUTTI_N_OPTIMS] = {false}, layers[TUTTI_N_LAYER_KINDS] = {false};
  note_cases("keras", rules, layers);
  note_cases("torch", rules, layers);
  for (int rule = 0; rule < TUTTI_N_OPTIMS; rule++)
    if (rules[rule] == is_without_case(rule))
      fail_msg("make_parity.py has no case of %s, or this test says so", tutti_optim_names[rule]);
  for (int kind = 0; kind < TUTTI_N_LAYER_KINDS; kind++)
    if (!layers[kind] && !is_noise(kind))
      fail_msg("make_parity.py has no case of %s", tutti_layer_kind_names[kind]);
}

static void check_library(const char *library, int n_expected) {
  char group[NAME_BYTES];
  tutti_texts names;
  int n_wrong = 0;
  tutti_file *file = NULL;
  snprintf(group, sizeof group, "cases/%s", library);
  CHECK_OK(tutti_file_open(golden_path, &file));
  CHECK_OK(tutti_file_list(file, group, &names));
  const int n_cases = names.n;
  assert_true(n_cases >= n_expected);
  for (int i = 0; i < names.n; i++) {
    parity_case c;
    load(&c, file, library, names.list[i]);
    train(&c);
    n_wrong += compare(&c) > 0;
    clear(&c);
  }
  tutti_texts_clear(&names);
  tutti_file_close(&file);
  if (n_wrong > 0) fail_msg("%d of %d cases differ from %s", n_wrong, n_cases, library);
}

static void weights_agree_with_keras(void **state) {
  (void)state;
  check_library("keras", 60);
}

static void weights_agree_with_pytorch(void **state) {
  (void)state;
  check_library("torch", 30);
}

int main(int argc, char **argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: %s parity.h5\n", argv[0]);
    return 64;
  }
  golden_path = argv[1];
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_rule_and_layer_has_a_case),
      cmocka_unit_test(weights_agree_with_keras),
      cmocka_unit_test(weights_agree_with_pytorch),
  };
  return cmocka_run_group_tests_name("golden.parity", tests, NULL, check_no_leak);
}
