#pragma once
/** Short trainings for tests under mpiexec: a small data set in a temporary folder, configs as text, and what
 * a run left behind.  A function of one rank alone takes the communicator of that rank. */
#include "support/mpi_main.h"
#include "tutti/train.h"

typedef struct {
  char path[256];   // the folder, the same on all ranks
  tutti_comm *self; // this rank alone
} training_folder;

/** Collective.  A folder with data.h5: 333 training and 57 test samples of 12 features from a noisy teacher,
 * in x_train and x_test; bytes_... has the features as bytes, parts_... has those / 255.  Labels: y_... 3 classes, one_hot_... the same
 * as rows, soft_... with 0.8 for the 1 and 0.1 for each 0, bit_... 0 or 1, bits_... two of them, side_... -1 or 1, sides_... two of them, real_... a
 * number.  Weights of samples: weight_... 0 to 2, class_weight_... 2, 1 and 0.5 by class, first_... 1 for the first 111,
 * else 0. */
void training_folder_make(const tutti_comm *comm, training_folder *folder);
/** Local.  Replace the training samples by others of the teacher. */
void training_data_write(const training_folder *folder, uint64_t seed);

bool training_is_root(const tutti_comm *comm); // Local.

void training_folder_remove(const tutti_comm *comm, training_folder *folder); // Collective.

enum { TRAINING_TEXT = 400 };

/** Local.  Write PREFIX, then the path of a file in the folder: with "run.resume=" and "first/checkpoint.h5" this is an
 * override.
 * @return text */
const char *training_path(const training_folder *folder, const char *prefix, const char *file,
                          char text[TRAINING_TEXT]);

/** A config of 32 steps, in 4 epochs, whose state has many parts: dropout, batch_norm, two slots, an average of the weights, a
 * monitored value, and rows every 2 steps. */
extern const char training_yaml[];

enum { TRAINING_MAX_OVERRIDES = 8 };

/** "train.seed=3" ..., ended by NULL. */
typedef const char *training_overrides[TRAINING_MAX_OVERRIDES + 1];

/** Collective over `comm`.  Train the config text `yaml` in FOLDER/NAME.  data.file is the folder's,
 * and the BLAS has one thread, unless overrides say otherwise. */
tutti_status training_run(const tutti_comm *comm, const training_folder *folder, const char *name,
                          const char *yaml, const training_overrides overrides, tutti_train_result *result);

/** Collective.  The same in two parts, of which rank 0 alone does one: until `stop` steps are done, and then to the
 * end.
 * @param[in] overrides  one less than there may be */
void training_run_in_two(const tutti_comm *comm, const training_folder *folder, const char *name,
                         const char *yaml, const training_overrides overrides, int stop, bool alone_first);

/** Local.  Rows of a table ("steps", "epochs") of FOLDER/NAME/metrics.h5 into rows[max]; gives their number,
 * -1 if the file cannot be read. */
int64_t training_rows(const training_folder *folder, const char *name, const char *table,
                      tutti_metrics_row *rows, int64_t max);

/** Local.  The same for one column of real numbers; *values is the caller's (free).  -1 also if the table has no such
 * column. */
int64_t training_column(const training_folder *folder, const char *name, const char *table,
                        const char *column, double **values);

/** Local.  The largest difference between the weights, state and slots of FOLDER/A/checkpoint.h5 and
 * FOLDER/B/checkpoint.h5, relative to max(1, |value|); INFINITY if arrays are missing or of other
 * shapes. */
double training_difference(const training_folder *folder, const char *a, const char *b);

/** Local.  Expect that this difference is at most `tolerance`; only rank 0 looks. */
void training_expect_same(const tutti_comm *comm, const training_folder *folder, const char *a, const char *b,
                          double tolerance);
