#include "fixture.h"

#include <math.h>
#include <stdio.h>

#include "support/check.h"

static const tutti_column columns[] = {
    {"step", TUTTI_I64, offsetof(fixture_row, step)},
    {"loss", TUTTI_F64, offsetof(fixture_row, loss)},
};
const tutti_table_layout fixture_layout = {columns, 2, sizeof(fixture_row)};

static int64_t count(const tutti_view *view) {
  return view->n_dims == 2 ? view->dims[0] * view->dims[1] : view->dims[0];
}

void fixture_fill(fixture *f, float value) {
  const tutti_view views[FIXTURE_VIEWS] = {
      {"/model/weights/dense/kernel", 2, {12, 5}, f->numbers[0], false, ""},
      {"/model/weights/dense/bias", 1, {5, 0}, f->numbers[1], false, ""},
      {"/optimizer/velocity/dense/kernel", 2, {12, 5}, f->numbers[2], false, "mean of squares"},
      {"/optimizer/velocity/dense/bias", 1, {5, 0}, f->numbers[3], false, ""},
      {"/input/shift", 1, {7, 0}, f->numbers[4], false, ""},
  };
  for (int i = 0; i < FIXTURE_VIEWS; i++) {
    f->views[i] = views[i];
    for (int k = 0; k < FIXTURE_NUMBERS; k++) f->numbers[i][k] = value;
  }
}

tutti_status fixture_save(const char *path, int64_t step, int64_t keep) {
  const char *const classes[] = {"cat", "dog"};
  fixture f;
  fixture_row *history = NULL;
  tutti_status status = TUTTI_OK;
  fixture_fill(&f, (float)step);
  TUTTI_TRY_GOTO(done, TUTTI_NEW(history, step));
  for (int64_t i = 0; i < step; i++) history[i] = (fixture_row){i + 1, (double)step};
  const tutti_checkpoint checkpoint = {.path = path,
                                       .config = "train: {batch_size: 32}\n",
                                       .state = {.step = step, .samples = 32 * step, .best = NAN},
                                       .views = f.views,
                                       .n_views = FIXTURE_VIEWS,
                                       .layout = fixture_layout,
                                       .history = history,
                                       .n_history = step,
                                       .classes = classes,
                                       .n_classes = 2};
  TUTTI_TRY_GOTO(done, tutti_checkpoint_save(&checkpoint, keep));
done:
  tutti_free(history);
  return status;
}

static void check_history(const fixture_row *history, int64_t step) {
  for (int64_t i = 0; i < step; i++) {
    assert_int_equal(history[i].step, i + 1);
    assert_true(history[i].loss == (double)step);
  }
}

int64_t fixture_load(const char *path) {
  fixture f;
  fixture_row *history = NULL;
  tutti_checkpoint_info info;
  fixture_fill(&f, -1);
  CHECK_OK(tutti_checkpoint_read_info(path, &info));
  const int64_t step = info.state.step, n_history = info.n_history;
  assert_int_equal(info.state.samples, 32 * step);
  tutti_checkpoint_info_clear(&info);
  assert_int_equal(n_history, step);
  CHECK_OK(TUTTI_NEW(history, n_history));
  CHECK_OK(tutti_checkpoint_load(path, f.views, FIXTURE_VIEWS, &fixture_layout, history));
  for (int i = 0; i < FIXTURE_VIEWS; i++) {
    for (int64_t k = 0; k < count(&f.views[i]); k++) assert_true(f.numbers[i][k] == (float)step);
    assert_true(f.numbers[i][count(&f.views[i])] == -1); // nothing behind an array is touched
  }
  check_history(history, step);
  tutti_free(history);
  return step;
}

int64_t fixture_find(const char *folder) {
  char *path = NULL;
  CHECK_OK(tutti_checkpoint_find(folder, &path));
  const int64_t step = path ? fixture_load(path) : -1;
  tutti_free(path);
  return step;
}
