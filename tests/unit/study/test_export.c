#include <math.h>
#include <stdio.h>
#include <string.h>

#include "study/json.h"
#include "support/check.h"
#include "support/folder.h"
#include "support/study_file.h"
#include "tutti/study.h"

/** @param[in] metric  what the study says its metric is */
static tutti_status export_with(void **state, const char *folder, const char *metric) {
  const char *path = folder_path(state, "study.h5");
  tutti_file *file = NULL;
  study_file_write(path, false);
  CHECK_OK(tutti_file_update(path, &file));
  CHECK_OK(tutti_file_set_text(file, "/", "metric", metric));
  CHECK_OK(tutti_file_commit(&file));
  CHECK_OK(tutti_file_open(path, &file));
  const tutti_status status = tutti_study_export(file, folder_path(state, folder));
  tutti_file_close(&file);
  return status;
}

static tutti_status export(void **state, const char *folder) {
  return export_with(state, folder, "accuracy");
}

/** The file below the workload's folder holds this text, and no more. */
static void check_file(void **state, const char *name, const char *expected) {
  char path[256];
  char *text = NULL;
  snprintf(path, sizeof path, "out/digits/fc_16_10/momentum/%s", name);
  CHECK_OK(tutti_read_text(folder_path(state, path), &text));
  assert_string_equal(text, expected);
  tutti_free(text);
}

static void files_are_those_of_the_layout(void **state) {
  CHECK_OK(export(state, "out"));
  check_file(state, "16/study.json",
             "{\n  \"batch_size\": 16,\n  \"dataset\": \"digits\",\n  \"early_stopping\": false,\n"
             "  \"model\": \"fc_16_10\",\n  \"optimizer\": \"momentum\",\n  \"parameter_configs\": {\n"
             "    \"learning_rate\": {\"max_value\": 0.4, \"min_value\": 0.1, \"scale\": \"LOG_SCALE\", "
             "\"type\": \"DOUBLE\"},\n"
             "    \"model.initializer\": {\"feasible_points\": [\"he_uniform\", \"glorot_uniform\"], "
             "\"type\": \"DISCRETE\"}\n"
             "  },\n  \"train_steps\": 800\n}\n");
  check_file(
      state, "16/0/metadata.json",
      "{\n  \"parameters\": {\n    \"learning_rate\": 0.1,\n    \"model.initializer\": \"he_uniform\"\n  },\n"
      "  \"seed\": 0,\n  \"status\": \"COMPLETE\",\n  \"steps\": 800,\n  \"trial_id\": 0\n}\n");
  check_file(state, "16/5/metadata.json",
             "{\n  \"parameters\": {\n    \"learning_rate\": 0.4,\n    \"model.initializer\": "
             "\"glorot_uniform\"\n  },\n"
             "  \"seed\": 0,\n  \"status\": \"INFEASIBLE\",\n  \"steps\": 800,\n  \"trial_id\": 5\n}\n");
#define HEADER                                                                                               \
  "step,train/cross_entropy_error,train/classification_error,val/cross_entropy_error,"                       \
  "val/classification_error,test/cross_entropy_error,test/classification_error\n"
  // The curve, the test set at its end; an error is what accuracy lacks; what is not a number is empty.
  check_file(state, "16/0/measurements.csv", HEADER "400,2,0.75,1.5,0.5,,\n800,1,0.25,0.25,,0.5,0.125\n");
  // Without a curve, the end.
  check_file(state, "1024/38/measurements.csv", HEADER "119,,,0.25,0.0625,0.5,0.125\n");
}

/** A problem of nothing but a loss, as the noisy quadratic: its last value is the loss at the end. */
static void a_loss_alone_is_no_metric(void **state) {
  CHECK_OK(export_with(state, "out", "loss"));
  check_file(state, "16/0/measurements.csv",
             "step,train/loss,val/loss,test/loss\n400,2,1.5,\n800,1,0.25,0.5\n");
  check_file(state, "1024/38/measurements.csv", "step,train/loss,val/loss,test/loss\n119,0.125,0.25,0.5\n");
}

static void nothing_is_written_over(void **state) {
  CHECK_OK(export(state, "out"));
  CHECK_FAILS(export(state, "out"), TUTTI_ERR_CREATE, "out: this folder is not empty");
  folder_put(folder_path(state, "file"), "x", 1);
  CHECK_FAILS(export(state, "file"), TUTTI_ERR_CREATE, "file");
  CHECK_OK(tutti_make_folder(folder_path(state, "empty")));
  CHECK_OK(export(state, "empty"));
}

static void values_are_those_of_json(void **state) {
  char buffer[128] = "";
  FILE *out = fmemopen(buffer, sizeof buffer, "w");
  (void)state;
  assert_non_null(out);
  tutti_json_text(out, "a \"b\" \\ \n");
  const double numbers[] = {0.1, 1e300, -3, NAN, INFINITY};
  for (int i = 0; i < 5; i++) {
    fputc(' ', out);
    tutti_json_number(out, numbers[i]);
    fputc(',', out);
    tutti_csv_number(out, numbers[i]);
  }
  fclose(out);
  assert_string_equal(buffer, "\"a \\\"b\\\" \\\\ \\u000a\" 0.1,0.1 1e+300,1e+300 -3,-3 null, null,");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(values_are_those_of_json),
      cmocka_unit_test_setup_teardown(files_are_those_of_the_layout, folder_make, folder_remove),
      cmocka_unit_test_setup_teardown(a_loss_alone_is_no_metric, folder_make, folder_remove),
      cmocka_unit_test_setup_teardown(nothing_is_written_over, folder_make, folder_remove),
  };
  return cmocka_run_group_tests_name("study.export", tests, NULL, check_no_leak);
}
