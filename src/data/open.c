/* Opens a data set: rank 0 reads names, shapes and types from the file, all ranks agree on them and make the memory
 * of their node, the ranks of each node read the rows, and all nodes compare what they have.  The training,
 * eval and predict call it. */
#include <string.h>

#include "base/log.h"
#include "data/dataset_impl.h"

/** The facts that rank 0 finds in the file and sends to the other ranks. */
typedef struct {
  tutti_layout layout;
  int64_t n_classes, class_bytes; // class_bytes: of their names
  bool has_unused;
} header;

// --- the parts of opening

static tutti_status copy_name(const char *name, char **copy) {
  return name ? TUTTI_COPY(*copy, name) : TUTTI_OK;
}

/** Check the options alone, which are equal on all ranks, before any file is opened. */
static tutti_status check_options(const tutti_data_options *o) {
  TUTTI_CHECK(o->file, TUTTI_ERR_CONFIG, "data.file is not set: which data set file?");
  TUTTI_CHECK(!o->x_train == !o->y_train, TUTTI_ERR_CONFIG, "data.%s is set without data.%s",
              o->x_train ? "x_train" : "y_train", o->x_train ? "y_train" : "x_train");
  TUTTI_CHECK(!o->x_test == !o->y_test, TUTTI_ERR_CONFIG, "data.%s is set without data.%s",
              o->x_test ? "x_test" : "y_test", o->x_test ? "y_test" : "x_test");
  TUTTI_CHECK(!o->x_val == !o->y_val, TUTTI_ERR_CONFIG, "data.%s is set without data.%s",
              o->x_val ? "x_val" : "y_val", o->x_val ? "y_val" : "x_val");
  TUTTI_CHECK(o->x_train || o->x_test || o->x_val, TUTTI_ERR_CONFIG,
              "data: no arrays are named, neither for training nor for testing nor for validation");
  TUTTI_CHECK(o->limit_train >= 0 && o->limit_test >= 0, TUTTI_ERR_CONFIG,
              "data.limit_%s is below 0, expected a number of rows, or 0 for all",
              o->limit_train < 0 ? "train" : "test");
  return TUTTI_OK;
}

/** Local.  Make a data set with its options and no rows.
 * @param[out] dataset  NULL after a failure */
static tutti_status create(const tutti_comm *comm, const tutti_data_options *o, tutti_dataset **dataset) {
  tutti_dataset *d = NULL;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, TUTTI_NEW(d, 1));
  d->comm = comm;
  d->trust = o->trust;
  d->limit[TUTTI_ROWS_TRAIN] = o->limit_train;
  d->limit[TUTTI_ROWS_TEST] = o->limit_test;
  TUTTI_TRY_GOTO(done, copy_name(o->file, &d->file));
  TUTTI_TRY_GOTO(done, copy_name(o->x_train, &d->x_name[TUTTI_ROWS_TRAIN]));
  TUTTI_TRY_GOTO(done, copy_name(o->y_train, &d->y_name[TUTTI_ROWS_TRAIN]));
  TUTTI_TRY_GOTO(done, copy_name(o->weights, &d->w_name));
  TUTTI_TRY_GOTO(done, copy_name(o->x_test, &d->x_name[TUTTI_ROWS_TEST]));
  TUTTI_TRY_GOTO(done, copy_name(o->y_test, &d->y_name[TUTTI_ROWS_TEST]));
  TUTTI_TRY_GOTO(done, copy_name(o->x_val, &d->x_name[TUTTI_ROWS_VALIDATION]));
  TUTTI_TRY_GOTO(done, copy_name(o->y_val, &d->y_name[TUTTI_ROWS_VALIDATION]));
  *dataset = d;
  d = NULL;
done:
  tutti_dataset_close(&d);
  return status;
}

/** Local.  Put the names of the classes into d->class_text, one after another, each with its NUL.  There may be
 * none. */
static tutti_status read_classes(const tutti_file *file, tutti_dataset *d, header *h) {
  const char *y = NULL;
  for (tutti_rows which = 0; which < TUTTI_N_ROWS && !y; which++) y = d->y_name[which];
  tutti_texts names = {0};
  tutti_status status = TUTTI_OK;
  if (!y) return TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_data_class_names_read(file, y, &names));
  for (int k = 0; k < names.n; k++) h->class_bytes += (int64_t)strlen(names.list[k]) + 1;
  TUTTI_TRY_GOTO(done, TUTTI_NEW(d->class_text, h->class_bytes));
  char *at = d->class_text;
  for (int k = 0; k < names.n; k++) at = strcpy(at, names.list[k]) + strlen(names.list[k]) + 1;
  h->n_classes = names.n;
done:
  tutti_texts_clear(&names);
  return status;
}

/** Local.  Log that the file has an array that is not read. */
static void name_unused(const tutti_file *file, const tutti_data_options *o, header *h) {
  h->has_unused = o->unused && tutti_file_has(file, o->unused);
  if (h->has_unused) tutti_log(TUTTI_LOG_INFO, "%s: array '%s' is not used: %s", o->file, o->unused, o->why);
}

/** Local. */
static tutti_status read_header(tutti_dataset *d, const tutti_data_options *o, header *h) {
  tutti_file *file = NULL;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_file_open(d->file, &file));
  tutti_file_trust(file, d->trust);
  TUTTI_TRY_GOTO(done, tutti_dataset_read_layout(file, d, true, &h->layout));
  name_unused(file, o, h);
  TUTTI_TRY_GOTO(done, read_classes(file, d, h));
  TUTTI_TRY_GOTO(done, tutti_file_stamp_of(file, &d->stamp));
done:
  tutti_file_close(&file);
  return status;
}

/** Local.  Allocate the own memory of this rank for the content of the header. */
static tutti_status allocate(tutti_dataset *d, const header *h) {
  d->layout = h->layout;
  d->n_classes = (int)h->n_classes;
  d->has_unused = h->has_unused;
  TUTTI_TRY(TUTTI_NEW(d->shift, h->layout.n_features));
  TUTTI_TRY(TUTTI_NEW(d->factor, h->layout.n_features));
  d->factor[0] = 1;
  d->n_scaling = 1;
  TUTTI_TRY(TUTTI_NEW(d->classes, h->n_classes));
  if (!d->class_text) TUTTI_TRY(TUTTI_NEW(d->class_text, h->class_bytes));
  return TUTTI_OK;
}

/** Each rank has the names as one block of bytes, which is sent in one message. */
static void point_at_classes(tutti_dataset *d) {
  const char *at = d->class_text;
  for (int k = 0; k < d->n_classes; k++) {
    d->classes[k] = at;
    at += strlen(at) + 1;
  }
}

/** Collective.  After each local step that may fail the ranks agree, and only then does a rank branch. */
static tutti_status open_agreed(const tutti_comm *comm, const tutti_data_options *options,
                                tutti_dataset **dataset) {
  header h = {0};
  tutti_dataset *d = NULL;
  tutti_status status = TUTTI_OK, local = create(comm, options, &d);
  *dataset = NULL;
  TUTTI_TRY_GOTO(done, tutti_comm_agree(comm, local));
  local = tutti_comm_rank(comm) == 0 ? read_header(d, options, &h) : TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_comm_agree_from(comm, 0, local));
  TUTTI_TRY_GOTO(done, tutti_comm_bcast(comm, 0, &h, sizeof h));
  TUTTI_TRY_GOTO(done, tutti_comm_agree(comm, allocate(d, &h)));
  TUTTI_TRY_GOTO(done, tutti_comm_bcast(comm, 0, d->class_text, h.class_bytes));
  point_at_classes(d);
  TUTTI_TRY_GOTO(done, tutti_par_window_create(comm, h.layout.bytes, &d->window));
  TUTTI_TRY_GOTO(done, tutti_comm_agree(comm, tutti_dataset_read_rows(d)));
  TUTTI_TRY_GOTO(done, tutti_par_window_sync(d->window));
  TUTTI_TRY_GOTO(done, tutti_dataset_compare_nodes(d));
  if (tutti_dataset_has_weights(d))
    TUTTI_TRY_GOTO(done, tutti_comm_agree(comm, tutti_dataset_check_weights(d)));
  TUTTI_TRY_GOTO(done, tutti_dataset_find_features(d));
  *dataset = d;
  d = NULL;
done:
  tutti_dataset_close(&d);
  return status;
}

// --- public

tutti_status tutti_dataset_open(const tutti_comm *comm, const tutti_data_options *options,
                                tutti_dataset **dataset) {
  *dataset = NULL;
  TUTTI_TRY(tutti_comm_agree(comm, check_options(options)));
  return open_agreed(comm, options, dataset);
}

tutti_status tutti_dataset_open_labels(const tutti_data_options *options, tutti_dataset **dataset) {
  header h = {0};
  tutti_dataset *d = NULL;
  tutti_status status = TUTTI_OK;
  *dataset = NULL;
  TUTTI_TRY(check_options(options));
  TUTTI_TRY_GOTO(done, create(NULL, options, &d));
  TUTTI_TRY_GOTO(done, read_header(d, options, &h));
  TUTTI_TRY_GOTO(done, allocate(d, &h));
  point_at_classes(d);
  TUTTI_TRY_GOTO(done, tutti_dataset_read_labels(d));
  *dataset = d;
  d = NULL;
done:
  tutti_dataset_close(&d);
  return status;
}

/** Local.  Find the only array of the file, or x_test. */
static tutti_status find_array(const char *path, tutti_trust trust, char **name) {
  tutti_file *file = NULL;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_file_open(path, &file));
  tutti_file_trust(file, trust);
  TUTTI_TRY_GOTO(done, tutti_data_only_array(file, name));
done:
  tutti_file_close(&file);
  return status;
}

tutti_status tutti_dataset_open_array(const tutti_comm *comm, const char *file, const char *name,
                                      tutti_trust trust, tutti_dataset **dataset) {
  char *found = NULL;
  tutti_data_options options = {.file = file, .x_test = name, .trust = trust};
  tutti_status status = TUTTI_OK;
  *dataset = NULL;
  if (!name) {
    const tutti_status local = tutti_comm_rank(comm) == 0 ? find_array(file, trust, &found) : TUTTI_OK;
    TUTTI_TRY_GOTO(done, tutti_comm_agree_from(comm, 0, local));
    TUTTI_TRY_GOTO(done, tutti_comm_bcast_text(comm, 0, &found));
    options.x_test = found;
  }
  TUTTI_TRY_GOTO(done, open_agreed(comm, &options, dataset));
done:
  tutti_free(found);
  return status;
}
