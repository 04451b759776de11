/** Goals: a metric, a relation and a number, "val_accuracy >= 0.97".  Called by the parser of configs, by the loop of a
 * training, and by studies. */
#include <math.h>
#include <string.h>

#include "base/names.h"
#include "base/text.h"
#include "config/keys_impl.h"

const char *const tutti_config_metric_names[TUTTI_N_METRICS] = {"loss",
                                                                "val_loss",
                                                                "accuracy",
                                                                "val_accuracy",
                                                                "binary_accuracy",
                                                                "val_binary_accuracy",
                                                                "mean_absolute_error",
                                                                "val_mean_absolute_error",
                                                                "ema_val_loss",
                                                                "ema_val_accuracy",
                                                                "ema_val_binary_accuracy",
                                                                "ema_val_mean_absolute_error",
                                                                "train_loss",
                                                                "train_accuracy",
                                                                "train_binary_accuracy",
                                                                "train_mean_absolute_error"};

static const char *const relations[] = {">=", ">", "<=", "<"}; // in the order of the enum

/** The relation at the beginning of `text`, or -1; `>=` is tried before `>`. */
static int relation_at(const char *text) {
  for (int i = 0; i < 4; i++)
    if (strncmp(text, relations[i], strlen(relations[i])) == 0) return i;
  return -1;
}

/** The goal is set only if the whole text is one, because a config keeps its default after a failure. */
tutti_status tutti_config_goal_parse(const char *text, tutti_goal *goal) {
  char quoted[TUTTI_QUOTE_BYTES];
  const tutti_choice metrics = {"a metric", tutti_config_metric_names, TUTTI_N_METRICS};
  tutti_goal read = {.metric = ""};
  int which;
  if (text[0] && strcmp(text, "none") != 0) {
    const size_t letters = strcspn(text, " <>=");
    const char *sign = text + letters + strspn(text + letters, " ");
    const int relation = relation_at(sign);
    TUTTI_CHECK(letters > 0 && letters < sizeof read.metric && relation >= 0, TUTTI_ERR_CONFIG,
                "%s is not a goal; write a metric, one of >=, >, <=, < and a number, for example "
                "'val_accuracy >= 0.97', or none",
                tutti_quote(text, quoted));
    memcpy(read.metric, text, letters);
    TUTTI_TRY(tutti_name_choose(&metrics, read.metric, TUTTI_ERR_CONFIG, tutti_quote(text, quoted), &which));
    read.relation = relation;
    const char *number = sign + strlen(relations[relation]);
    number += strspn(number, " ");
    TUTTI_CHECK(tutti_text_real(number, &read.value), TUTTI_ERR_CONFIG,
                "%s is not a goal: expected a number after %s", tutti_quote(text, quoted),
                relations[relation]);
  }
  *goal = read;
  return TUTTI_OK;
}

/** The names of metrics are a fixed list, so a part of the name decides. */
bool tutti_config_metric_wants_small(const char *name) {
  return strstr(name, "loss") || strstr(name, "error");
}

void tutti_config_goal_print(const tutti_goal *goal, char *text, size_t bytes) {
  char number[32];
  if (goal->metric[0])
    snprintf(text, bytes, "%s %s %s", goal->metric, relations[goal->relation],
             tutti_text_print_real(number, sizeof number, goal->value));
  else
    snprintf(text, bytes, "none");
}

/** NaN reaches no goal, since each comparison with it is false. */
bool tutti_config_goal_reached(const tutti_goal *goal, double value) {
  const double bound = goal->value;
  if (!goal->metric[0]) return false;
  if (goal->relation == TUTTI_AT_LEAST) return value >= bound;
  if (goal->relation == TUTTI_ABOVE) return value > bound;
  return goal->relation == TUTTI_AT_MOST ? value <= bound : value < bound;
}

bool tutti_config_metric_is_evaluated(const char *metric) {
  return strstr(metric, "val_") || strncmp(metric, "train_", 6) == 0;
}

/** The best value that the metric can have decides: the largest one if the goal is a lower bound, else 0. */
bool tutti_config_goal_out_of_reach(const tutti_goal *goal) {
  if (!goal->metric[0]) return false;
  const double largest = strstr(goal->metric, "accuracy") ? 1 : INFINITY;
  const bool wants_high = goal->relation == TUTTI_AT_LEAST || goal->relation == TUTTI_ABOVE;
  return !tutti_config_goal_reached(goal, wants_high ? largest : 0);
}
