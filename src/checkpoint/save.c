/* Writes a checkpoint: complete or not at all, with the one before it still there until then (rotate.c).  Rank 0 of a
 * training calls it. */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "checkpoint/checkpoint_impl.h"

static tutti_status write_table(tutti_file *file, const tutti_checkpoint_table *table) {
  const tutti_table_layout *layout = &table->layout;
  if (table->n == 0) return TUTTI_OK;
  TUTTI_TRY(tutti_table_append(file, table->name, layout->columns, layout->n_columns, layout->record_bytes,
                               table->records, table->n));
  return tutti_file_set_texts(file, table->name, "names", table->names, table->n);
}

/** Write weights, slots, scaling, history and the other table. */
static tutti_status write_arrays(tutti_file *file, const tutti_checkpoint *checkpoint) {
  // Trained weights look like noise: compression would cost time and save a few percent.
  for (int64_t i = 0; i < checkpoint->n_views; i++) {
    const tutti_view *view = &checkpoint->views[i];
    TUTTI_TRY(
        tutti_file_write(file, view->name, tutti_view_type(view), view->n_dims, view->dims, 0, view->data));
    if (view->unit[0]) TUTTI_TRY(tutti_file_set_text(file, view->name, "unit", view->unit));
  }
  const tutti_table_layout *layout = &checkpoint->layout;
  if (layout->n_columns > 0)
    TUTTI_TRY(tutti_table_append(file, "/history", layout->columns, layout->n_columns, layout->record_bytes,
                                 checkpoint->history, checkpoint->n_history));
  return write_table(file, &checkpoint->table);
}

static tutti_status write_attributes(tutti_file *file, const tutti_checkpoint *checkpoint) {
  char now[21];
  tutti_clock_date(now);
  TUTTI_TRY(tutti_file_set_integer(file, "/", "format", TUTTI_CHECKPOINT_FORMAT));
  TUTTI_TRY(tutti_file_set_text(file, "/", "version", TUTTI_VERSION));
  TUTTI_TRY(tutti_file_set_text(file, "/", "time", now));
  TUTTI_TRY(tutti_file_set_text(file, "/", "config", checkpoint->config));
  TUTTI_TRY(tutti_checkpoint_write_state(file, &checkpoint->state));
  if (checkpoint->n_classes > 0)
    TUTTI_TRY(tutti_file_set_texts(file, "/", "classes", checkpoint->classes, checkpoint->n_classes));
  if (checkpoint->products) TUTTI_TRY(tutti_file_set_text(file, "/", "products", checkpoint->products));
  if (checkpoint->is_average)
    TUTTI_TRY(tutti_file_set_text(file, "/", TUTTI_WEIGHTS_ATTRIBUTE, TUTTI_WEIGHTS_AVERAGE));
  return checkpoint->features ? tutti_file_set_text(file, "/", "features", checkpoint->features) : TUTTI_OK;
}

tutti_status tutti_checkpoint_save(const tutti_checkpoint *checkpoint, int64_t keep) {
  const char *path = checkpoint->path;
  tutti_file *file = NULL;
  tutti_status status = TUTTI_OK;
  TUTTI_CHECK(keep >= 1, TUTTI_ERR_INTERNAL, "%s: %lld checkpoints to keep, expected at least one", path,
              (long long)keep);
  TUTTI_TRY_GOTO(done, tutti_file_create(path, &file));
  TUTTI_TRY_GOTO(done, write_arrays(file, checkpoint));
  TUTTI_TRY_GOTO(done, write_attributes(file, checkpoint));
  TUTTI_TRY_GOTO(done, tutti_fault("checkpoint.save"));
  // First finish the work of a save that was killed, so that the held name is free.
  TUTTI_CHECK_GOTO(done, tutti_checkpoint_settle(path, keep) && (keep == 1 || tutti_checkpoint_hold(path)),
                   TUTTI_ERR_IO,
                   "%s: cannot rename the last checkpoint: %s; it remains, and the new one is not written",
                   path, strerror(errno));
  TUTTI_TRY_GOTO(done, tutti_file_commit(&file));
  TUTTI_CHECK_GOTO(
      done, tutti_checkpoint_settle(path, keep) && tutti_checkpoint_drop(path, keep), TUTTI_ERR_IO,
      "%s: the new checkpoint is written, but the files before it cannot be renamed or removed: %s", path,
      strerror(errno));
done:
  tutti_file_close(&file);
  // The text of the first failure says more than that of a second one would.
  if (status != TUTTI_OK) (void)tutti_checkpoint_settle(path, keep);
  return status;
}
