/** `tutti info` of metrics.h5: a table of epochs, a table of measurements, and the last norms of each layer.  Called by
 * cmd_info.c. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/summary_impl.h"
#include "tutti/metrics.h"

/** What an additional column is about. */
typedef enum { OF_AVERAGE, OF_RUN, OF_LAYER } column_kind;

/** The name of a column says what it is about: "ema_val_loss", "grad_norm.dense", "noise_scale". */
static column_kind kind_of(const char *name) {
  if (strncmp(name, "ema_", 4) == 0) return OF_AVERAGE;
  return strchr(name, '.') ? OF_LAYER : OF_RUN;
}

/** End a line with the columns of one kind: their values of row i, or their names if i is -1. */
static void print_columns(const tutti_metrics_records *epochs, column_kind kind, int64_t i) {
  const tutti_texts *names = &epochs->more_columns;
  for (int k = 0; k < names->n; k++)
    if (kind_of(names->list[k]) == kind && i < 0)
      printf("\t%s", names->list[k]);
    else if (kind_of(names->list[k]) == kind)
      printf("\t%.6g", tutti_metrics_more(epochs, i, k));
  printf("\n");
}

static void print_row(const tutti_metrics_row *row) {
  printf("%lld\t%lld\t%lld\t%.6g\t%.6g\t%.6g\t%.6g\t%.6g\t%lld\t%.6g\t%.6g", (long long)row->epoch,
         (long long)row->step, (long long)row->samples, row->loss, row->metric, row->val_loss,
         row->val_metric, row->learning_rate, (long long)row->batch_size, row->seconds,
         row->samples_per_second);
}

static void print_epochs(const tutti_metrics_records *epochs, const char *metric) {
  tutti_column columns[TUTTI_METRICS_COLUMNS];
  tutti_metrics_columns(metric, columns);
  for (int i = 0; i < TUTTI_METRICS_COLUMNS; i++) printf("%s%s", i ? "\t" : "", columns[i].name);
  print_columns(epochs, OF_AVERAGE, -1);
  for (int64_t i = 0; i < epochs->n; i++) {
    print_row(tutti_metrics_record(epochs, i));
    print_columns(epochs, OF_AVERAGE, i);
  }
}

/** Measurements have a table of their own: beside the losses, the lines would be too long. */
static void print_measured(const tutti_metrics_records *epochs) {
  int n = 0;
  for (int k = 0; k < epochs->more_columns.n; k++) n += kind_of(epochs->more_columns.list[k]) == OF_RUN;
  if (n == 0) return;
  printf("\nepoch");
  print_columns(epochs, OF_RUN, -1);
  for (int64_t i = 0; i < epochs->n; i++) {
    printf("%lld", (long long)tutti_metrics_record(epochs, i)->epoch);
    print_columns(epochs, OF_RUN, i);
  }
}

// --- layers: only the last values, since those of all epochs would be too long ----------------------

/** The last value of column k that is not NaN; NaN: there is none. */
static double last_number(const tutti_metrics_records *epochs, int k) {
  for (int64_t i = epochs->n - 1; i >= 0; i--)
    if (!isnan(tutti_metrics_more(epochs, i, k))) return tutti_metrics_more(epochs, i, k);
  return NAN;
}

/** The name of the layer in the name of column k, "grad_norm.dense"; NULL: the column is not about a layer. */
static const char *layer_of(const tutti_metrics_records *epochs, int k) {
  const char *name = epochs->more_columns.list[k];
  return kind_of(name) == OF_LAYER ? strchr(name, '.') + 1 : NULL;
}

/** Find the end of the columns of one layer.  They are adjacent, and all layers have the same ones.
 * @param[in]  k    the first column of the layer
 * @param[out] end  the column after its last one */
static void find_end(const tutti_metrics_records *epochs, int k, int *end) {
  for (*end = k + 1; *end < epochs->more_columns.n; ++*end) {
    const char *next = layer_of(epochs, *end);
    if (!next || strcmp(next, layer_of(epochs, k)) != 0) return;
  }
}

/** The columns of the first layer give the header, because all layers have the same ones. */
static void print_layers(const tutti_metrics_records *epochs) {
  int k = 0, end = 0;
  while (k < epochs->more_columns.n && !layer_of(epochs, k)) k++;
  if (k == epochs->more_columns.n) return;
  find_end(epochs, k, &end);
  printf("\nlayer");
  for (int i = k; i < end; i++)
    printf("\t%.*s", (int)strcspn(epochs->more_columns.list[i], "."), epochs->more_columns.list[i]);
  printf("\n");
  for (; k < epochs->more_columns.n && layer_of(epochs, k); k = end) {
    find_end(epochs, k, &end);
    printf("%s", layer_of(epochs, k));
    for (int i = k; i < end; i++) printf("\t%.6g", last_number(epochs, i));
    printf("\n");
  }
}

tutti_status tutti_cli_print_metrics(const tutti_file *file) {
  char *metric = NULL;
  tutti_metrics_records epochs = {0};
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_file_get_text(file, "/", "metric", &metric));
  TUTTI_TRY_GOTO(done, tutti_metrics_read(file, "epochs", metric, &epochs));
  tutti_text_tame(metric);
  for (int k = 0; k < epochs.more_columns.n; k++) tutti_text_tame(epochs.more_columns.list[k]);
  printf("kind metrics\n\n");
  print_epochs(&epochs, metric);
  print_measured(&epochs);
  print_layers(&epochs);
done:
  tutti_metrics_records_clear(&epochs);
  tutti_free(metric);
  return status;
}
