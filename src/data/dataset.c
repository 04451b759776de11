/* Facts about an open data set: numbers of rows and columns, names, and the places of the arrays in the window.  All
 * other files of the data set call it; it calls none of them. */
#include "data/dataset_impl.h"

void tutti_dataset_close(tutti_dataset **dataset) {
  tutti_dataset *d = *dataset;
  if (!d) return;
  tutti_par_window_destroy(&d->window);
  for (tutti_rows which = 0; which < TUTTI_N_ROWS; which++) {
    tutti_free(d->x_name[which]);
    tutti_free(d->y_name[which]);
    tutti_free(d->own_scaling[which]);
  }
  tutti_free(d->labels);
  tutti_free(d->w_name);
  tutti_free(d->classes);
  tutti_free(d->class_text);
  tutti_free(d->shift);
  tutti_free(d->factor);
  tutti_free(d->file);
  tutti_free(d);
  *dataset = NULL;
}

const char *tutti_dataset_file(const tutti_dataset *d) {
  return d->file;
}

bool tutti_dataset_has_unused(const tutti_dataset *d) {
  return d->has_unused;
}

bool tutti_dataset_has_labels(const tutti_dataset *d) {
  return d->window || d->labels;
}

int64_t tutti_dataset_n_rows(const tutti_dataset *d, tutti_rows which) {
  return d->layout.parts[which].n;
}

int64_t tutti_dataset_n_features(const tutti_dataset *d) {
  return d->layout.n_features;
}

int64_t tutti_dataset_sample_bytes(const tutti_dataset *d) {
  const int64_t targets = tutti_dataset_targets_are_features(d) ? 0 : d->layout.n_targets;
  return d->layout.n_features * (int64_t)tutti_io_type_bytes(d->layout.parts[TUTTI_ROWS_TRAIN].type) +
         targets * (int64_t)sizeof(float);
}

int64_t tutti_dataset_n_targets(const tutti_dataset *d) {
  return d->layout.n_targets;
}

/** Any part decides, since the layout refuses parts that differ from the training rows in this. */
bool tutti_dataset_targets_are_features(const tutti_dataset *d) {
  return d->layout.parts[TUTTI_ROWS_TRAIN].y_is_x || d->layout.parts[TUTTI_ROWS_TEST].y_is_x ||
         d->layout.parts[TUTTI_ROWS_VALIDATION].y_is_x;
}

const char *const *tutti_dataset_classes(const tutti_dataset *d, int *n) {
  *n = d->n_classes;
  return d->classes;
}

// --- arrays in the window: one block of bytes, in which the layout aligned each array for its type

const void *tutti_dataset_x(const tutti_dataset *d, tutti_rows which) {
  return (const char *)tutti_par_window_data(d->window) + d->layout.parts[which].x_at;
}

const float *tutti_dataset_y(const tutti_dataset *d, tutti_rows which) {
  const char *data = d->window ? tutti_par_window_data(d->window) : d->labels;
  return (const float *)(const void *)(data + d->layout.parts[which].y_at);
}

bool tutti_dataset_has_weights(const tutti_dataset *d) {
  return d->layout.parts[TUTTI_ROWS_TRAIN].has_weights;
}

const float *tutti_dataset_weights(const tutti_dataset *d) {
  const char *data = tutti_par_window_data(d->window);
  return (const float *)(const void *)(data + d->layout.parts[TUTTI_ROWS_TRAIN].w_at);
}

tutti_scaling_values tutti_dataset_scaling(const tutti_dataset *d) {
  return (tutti_scaling_values){d->n_scaling, d->shift, d->factor, d->trained_on};
}
