/** The attributes of a study's file, and of the file of each trial, by which a later job knows what it has found. */
#include <math.h>

#include "study/store_impl.h"
#include "tutti/data.h"

enum { FORMAT = 1 };

tutti_status tutti_study_head_write(tutti_file *file, const tutti_study_head *head) {
  const struct {
    const char *name, *text;
  } texts[] = {{"kind", "study"},    {"version", TUTTI_VERSION}, {"config", head->config},
               {"goal", head->goal}, {"budget", head->budget},   {"metric", head->metric}};
  const struct {
    const char *name;
    int64_t value;
  } counts[] = {{"format", FORMAT},       {"ranks", head->ranks}, {"ranks_per_trial", head->ranks_per_trial},
                {"groups", head->groups}, {"data", head->data},   {"data_hash", TUTTI_HASH_XXH64}};
  const struct {
    const char *name;
    double value;
  } reals[] = {{"began", head->began}, {"seconds", head->seconds}, {"idle", head->idle}};
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
    TUTTI_TRY(tutti_file_set_text(file, "/", texts[i].name, texts[i].text));
  for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
    TUTTI_TRY(tutti_file_set_integer(file, "/", counts[i].name, counts[i].value));
  for (size_t i = 0; i < sizeof reals / sizeof reals[0]; i++)
    if (!isnan(reals[i].value)) TUTTI_TRY(tutti_file_set_real(file, "/", reals[i].name, reals[i].value));
  if (head->branches) TUTTI_TRY(tutti_file_set_text(file, "/", "branches", head->branches));
  return tutti_file_set_texts(file, "/", "varied", head->varied, head->n_varied);
}
