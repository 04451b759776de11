/** `tutti info` of a config, a data set and a checkpoint.  The table of layers is like the one of Keras' summary().
 * Called by cmd_info.c. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/summary_impl.h"
#include "rundir/restore.h"
#include "tutti/checkpoint.h"

// --- model and config

/** Print the table of layers in the columns that users of Keras know. */
static void print_layers(const tutti_model *model) {
  int64_t n_other = 0;
  printf("%-32s %-20s %12s\n", "Layer (type)", "Output shape", "Param #");
  for (int i = 0; i < tutti_model_n_layers(model); i++) {
    tutti_layer_info info;
    char name[96], shape[48];
    tutti_model_layer(model, i, &info);
    snprintf(name, sizeof name, "%s (%s)", info.name, info.type);
    snprintf(shape, sizeof shape, "(None, %lld)", (long long)info.n_out);
    printf("%-32s %-20s %12lld\n", name, shape, (long long)(info.n_trainable + info.n_other));
    n_other += info.n_other;
  }
  const int64_t n = tutti_model_n_params(model);
  const double kib = (double)(n + n_other) * sizeof(float) / 1024;
  printf("\nTotal params: %lld (%.2f %s)\nTrainable params: %lld\nNon-trainable params: %lld\n",
         (long long)(n + n_other), kib < 1024 ? kib : kib / 1024, kib < 1024 ? "KiB" : "MiB", (long long)n,
         (long long)n_other);
}

/** Print the layers of a network whose samples have n_in features.  Nothing is computed, so any processor can do that. */
static tutti_status print_model(const tutti_config *config, int64_t n_in) {
  tutti_model_options options = tutti_config_model(config);
  options.compute = TUTTI_COMPUTE_FLOAT32;
  tutti_model *model = NULL;
  TUTTI_TRY(tutti_model_create(&options, n_in, 1, &model));
  print_layers(model);
  tutti_model_destroy(&model);
  return TUTTI_OK;
}

/** Read the number of features from the header of the data set. */
static tutti_status read_n_in(const tutti_config *config, int64_t *n_in) {
  tutti_file *file = NULL;
  tutti_array_shape shape = {0};
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_file_open(config->data.file, &file));
  TUTTI_TRY_GOTO(done, tutti_file_shape(file, config->data.x_train, &shape));
  *n_in = tutti_cli_features_of(&shape);
done:
  tutti_file_close(&file);
  return status;
}

tutti_status tutti_cli_print_config(const char *path, const tutti_override *overrides, int n) {
  char *text = NULL, *resolved = NULL;
  tutti_config config = {0};
  int64_t n_in = 0;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_io_read_text(path, &text));
  TUTTI_TRY_GOTO(done, tutti_config_parse(text, path, overrides, n, &config));
  TUTTI_TRY_GOTO(done, tutti_config_dump(&config, &resolved));
  printf("kind config\n\n%s\n", resolved);
  if (config.study.problem == TUTTI_PROBLEM_NOISY_QUADRATIC) goto done; // it has neither data nor a model
  TUTTI_TRY_GOTO(done, read_n_in(&config, &n_in));
  TUTTI_TRY_GOTO(done, print_model(&config, n_in));
done:
  tutti_free(text);
  tutti_free(resolved);
  tutti_config_clear(&config);
  return status;
}

// --- data set

/** Print the type with its name in NumPy: "uint8", "float32". */
static void print_type(const tutti_array_shape *shape) {
  if (shape->type_class == TUTTI_CLASS_OTHER) {
    printf("not numbers");
    return;
  }
  const bool integer = shape->type_class == TUTTI_CLASS_INTEGER;
  printf("%s%d", !integer ? "float" : shape->type_signed ? "int" : "uint", 8 * shape->type_bytes);
}

/** One row of the table of arrays. */
static void print_shape(const char *name, const tutti_array_shape *shape) {
  printf("%s\t", name);
  for (int d = 0; d < shape->n_dims; d++) printf("%s%lld", d ? " x " : "", (long long)shape->dims[d]);
  printf("\t");
  print_type(shape);
  printf("\n");
}

/** Names of classes come from the file of another user, so control characters in them are replaced. */
static tutti_status print_classes(const tutti_file *file) {
  tutti_texts names;
  TUTTI_TRY(tutti_data_class_names_read(file, "y_train", &names));
  if (names.n == 0) return TUTTI_OK;
  printf("\nclass\tname\n");
  for (int i = 0; i < names.n; i++) printf("%d\t%s\n", i, tutti_text_tame(names.list[i]));
  tutti_texts_clear(&names);
  return TUTTI_OK;
}

tutti_status tutti_cli_print_dataset(const tutti_file *file) {
  tutti_texts names;
  TUTTI_TRY(tutti_file_list(file, "/", &names));
  printf("kind data set\n\narray\tshape\ttype\n");
  tutti_status status = TUTTI_OK;
  for (int i = 0; i < names.n && status == TUTTI_OK; i++) {
    tutti_array_shape shape;
    status = tutti_file_shape(file, names.list[i], &shape);
    if (status == TUTTI_OK) print_shape(tutti_text_tame(names.list[i]), &shape);
  }
  tutti_texts_clear(&names);
  TUTTI_TRY(status);
  return print_classes(file);
}

// --- checkpoint

/** Who computes the matrix products: a line for each. */
static void print_products(char *text) {
  char *rest = NULL;
  for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
    printf("products %s\n", line);
}

/** The layers follow from the config in the file and from the width of its input, so the data set is not needed. */
tutti_status tutti_cli_print_checkpoint(const char *path) {
  tutti_checkpoint_info info = {0};
  tutti_config config = {0};
  tutti_status status = TUTTI_OK;
  double *shift = NULL;
  int64_t n_in = 0;
  TUTTI_TRY_GOTO(done, tutti_checkpoint_read_info(path, &info));
  printf(
      "kind checkpoint\ntime %s\nversion %s\nepoch %lld\nstep %lld\nsamples %lld\nseed %llu\nseconds %.6g\n",
      tutti_text_tame(info.time), tutti_text_tame(info.version), (long long)info.state.epoch,
      (long long)info.state.step, (long long)info.state.samples, (unsigned long long)info.state.seed,
      info.state.seconds);
  if (info.is_average) printf("weights average\n");
  if (info.products) print_products(tutti_text_tame(info.products));
  TUTTI_TRY_GOTO(done, tutti_config_parse(info.config, path, NULL, 0, &config));
  printf("\n%s\n", tutti_text_tame(info.config));
  TUTTI_TRY_GOTO(done, tutti_checkpoint_read_vector(path, "/input/shift", &shift, &n_in));
  TUTTI_TRY_GOTO(done, tutti_rundir_check_widths(path, &config));
  TUTTI_TRY_GOTO(done, print_model(&config, n_in));
done:
  tutti_free(shift);
  tutti_config_clear(&config);
  tutti_checkpoint_info_clear(&info);
  return status;
}
