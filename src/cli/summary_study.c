#include "cli/summary_study.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tutti/fit.h"

bool tutti_is_study(const tutti_file *file) {
  char *kind = NULL;
  // What is no text is another program's attribute.
  const bool is_text = tutti_file_has_attribute(file, "/", "kind") &&
                       tutti_file_get_text(file, "/", "kind", &kind) == TUTTI_OK;
  const bool is_study = is_text && strcmp(kind, "study") == 0;
  tutti_free(kind);
  return is_study;
}

static tutti_status print_attribute(const tutti_file *file, const char *name) {
  char *text = NULL;
  TUTTI_TRY(tutti_file_get_text(file, "/", name, &text));
  printf("%s %s\n", name, text);
  tutti_free(text);
  return TUTTI_OK;
}

// --- the table

static void print_header(const tutti_trial_set *set) {
  printf("\nbatch_size\tsteps\tsamples\tseconds");
  for (int k = 0; k < set->n_varied; k++) printf("\t%s", set->names[k]);
  printf("\ttrials\treached\tnot_reached\tdiverged\tedge\n");
}

/** A number, or the text that an index stands for. */
static void print_varied(const tutti_trial_set *set, int k, double value) {
  const bool is_index = set->texts[k] && value >= 0 && value < set->n_texts[k];
  if (is_index)
    printf("\t%s", set->texts[k][(int)value]);
  else
    printf("\t%.6g", value);
}

static void print_row(const tutti_trial_set *set, const tutti_best *row, const double *varied) {
  const bool at_edge = row->at_edge > 0 && row->at_edge <= set->n_varied;
  printf("%lld\t%.10g\t%.10g\t%.6g", (long long)row->batch_size, row->steps, row->samples, row->seconds);
  for (int k = 0; k < set->n_varied; k++) print_varied(set, k, varied[k]);
  printf("\t%lld\t%lld\t%lld\t%lld\t%s\n", (long long)row->trials, (long long)row->reached,
         (long long)row->not_reached, (long long)row->diverged, at_edge ? set->names[row->at_edge - 1] : "-");
}

// --- the fit

/** Nothing where there is no value. */
static void print_value(const char *name, const char *end, double value) {
  if (!isnan(value)) printf("%s%s %.6g\n", name, end, value);
}

static void print_fit(const tutti_fit *fit) {
  printf("\nn_sizes %d\n", fit->n_sizes);
  for (int k = 0; k < TUTTI_N_FIT_NUMBERS; k++) print_value(tutti_fit_names[k], "", fit->value[k]);
  print_value("residual", "", fit->residual);
  for (int k = 0; k < TUTTI_N_FIT_NUMBERS; k++) {
    print_value(tutti_fit_names[k], "_low", fit->low[k]);
    print_value(tutti_fit_names[k], "_high", fit->high[k]);
  }
  print_value("perfect_scaling_end", "", fit->perfect_scaling_end);
  print_value("largest_useful_batch", "", fit->largest_useful_batch);
  if (fit->refused[0]) printf("refused %s\n", fit->refused);
  if (fit->no_interval[0]) printf("no_interval %s\n", fit->no_interval);
}

tutti_status tutti_summary_study(const tutti_file *file) {
  tutti_status status = TUTTI_OK;
  tutti_trial_set set = {0};
  tutti_best_table best = {0};
  tutti_fit fit;
  const bool has_fit = tutti_file_has(file, "/fit"); // else no trial has been brought in yet
  TUTTI_TRY_GOTO(done, tutti_trial_set_read(file, &set));
  TUTTI_TRY_GOTO(done, tutti_best_table_read(file, &set, &best));
  if (has_fit) TUTTI_TRY_GOTO(done, tutti_fit_read(file, &fit));
  printf("kind study\n");
  TUTTI_TRY_GOTO(done, print_attribute(file, "goal"));
  TUTTI_TRY_GOTO(done, print_attribute(file, "budget"));
  print_header(&set);
  for (int i = 0; i < best.n_sizes; i++)
    print_row(&set, &best.rows[i], best.varied + (int64_t)i * best.n_varied);
  if (has_fit) print_fit(&fit);
done:
  tutti_best_table_clear(&best);
  tutti_trial_set_clear(&set);
  return status;
}
