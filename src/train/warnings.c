/* Warnings at the start of a training, or of a study, about settings that are legal but probably a mistake: goals that
 * cannot be reached, activations that squash their input twice, a last layer that cannot give the targets.  Each
 * warning says what will happen and what to do.  train.c and training_set.c call this. */
#include "train/train_impl.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "linalg/loss.h"

// --- goals -------------------------------------------------------------------------------------------------

static void warn_goal(const tutti_goal *goal) {
  char text[128];
  if (!tutti_config_goal_out_of_reach(goal)) return;
  tutti_config_goal_print(goal, text, sizeof text);
  tutti_log_root(TUTTI_LOG_WARNING,
                 "train.stop_at: nothing can reach %s, because an accuracy is at most 1 and a loss at least "
                 "0: the training will take its whole budget",
                 text);
}

/** Warn if the first value of `metric` comes too late to change anything.  Evaluations count when they are done, means
 * over the training samples at the end of an epoch.
 * @param[in] key  setting that depends on the metric */
static void warn_watched(const tutti_run *run, const char *key, const char *metric) {
  const tutti_train_options *train = &run->config->train;
  const tutti_count every =
      tutti_config_metric_is_evaluated(metric) ? train->evaluate_every : (tutti_count){1, TUTTI_UNIT_EPOCHS};
  const tutti_extent total = tutti_plan_total(&run->plan);
  if (every.unit == TUTTI_UNIT_SECONDS || run->plan.total_steps == 0 ||
      tutti_optim_extent_in(&total, every.unit) >= every.value * (1 - 1e-9))
    return;
  char text[64];
  tutti_count_print(every, text, sizeof text);
  tutti_log_root(TUTTI_LOG_WARNING,
                 "%s: %s is first known after %s, when this training is over: evaluate more often "
                 "(train.evaluate_every), take a val_ or train_ metric, or train longer",
                 key, metric, text);
}

/** schedule.decay: plateau watches train.monitor, which has a warning of its own, or without one val_loss. */
static void warn_plateau(const tutti_run *run) {
  const double peak = run->schedule.peak, least = run->schedule.options.decay_min;
  if (!run->config->train.monitor) warn_watched(run, "schedule.decay: plateau", "val_loss");
  if (peak > 0 && least >= peak)
    tutti_log_root(
        TUTTI_LOG_WARNING,
        "schedule.decay_min: %g is not below the learning rate, %g, so plateau will never lower it", least,
        peak);
}

// --- ranges of activations -----------------------------------------------------------------------------------

enum { BEYOND = 2 }; // an output that no activation with an upper bound gives

static bool from_0_to_1(float y) {
  return y >= 0 && y <= 1;
}

static bool from_minus_1_to_1(float y) {
  return y >= -1 && y <= 1;
}

static bool from_0(float y) {
  return y >= 0;
}

/** The range of an activation's outputs. */
typedef struct {
  tutti_activation activation;
  bool (*gives)(float); // whether an output can have this value
  const char *range;    // the same in words
} output_range;

static const output_range output_ranges[] = {
    {TUTTI_SIGMOID, from_0_to_1, "0 to 1"},         {TUTTI_HARD_SIGMOID, from_0_to_1, "0 to 1"},
    {TUTTI_SOFTMAX, from_0_to_1, "0 to 1"},         {TUTTI_TANH, from_minus_1_to_1, "-1 to 1"},
    {TUTTI_SOFTSIGN, from_minus_1_to_1, "-1 to 1"}, {TUTTI_RELU, from_0, "0 and above"},
    {TUTTI_SOFTPLUS, from_0, "0 and above"},        {TUTTI_EXPONENTIAL, from_0, "0 and above"}};

/** NULL: every value is possible. */
static const output_range *range_of(tutti_activation activation) {
  for (size_t i = 0; i < sizeof output_ranges / sizeof output_ranges[0]; i++)
    if (output_ranges[i].activation == activation) return &output_ranges[i];
  return NULL;
}

// --- layers ------------------------------------------------------------------------------------------------

static bool gives_probabilities(const tutti_layer_spec *layer) {
  return tutti_layer_has_activation(layer) &&
         (layer->activation == TUTTI_SOFTMAX || layer->activation == TUTTI_SIGMOID);
}

/** The layer whose bounded outputs the last layer squashes again into probabilities, with nothing trained in between;
 * NULL: there is no such layer. */
static const tutti_layer_spec *squashed_twice(const tutti_layer_spec *layers, int64_t n) {
  const tutti_layer_spec *last = &layers[n - 1];
  // A layer with units has weights of its own, which can undo the squashing before it.
  if (last->units > 0 || !gives_probabilities(last)) return NULL;
  int64_t before = n - 2;
  while (before >= 0 && tutti_layer_keeps_range(&layers[before])) before--;
  if (before < 0 || !tutti_layer_has_activation(&layers[before])) return NULL;
  const output_range *given = range_of(layers[before].activation);
  const bool narrow = given && (last->activation == TUTTI_SIGMOID || !given->gives(BEYOND));
  return narrow ? &layers[before] : NULL;
}

static void warn_squashed(const tutti_layer_spec *before, const tutti_layer_spec *last) {
  const output_range *given = range_of(before->activation);
  tutti_log_root(TUTTI_LOG_WARNING,
                 "model.layers: the last layer, %s, takes the %s of a %s before it, %s, and so cannot give "
                 "any %s: leave one of the two out",
                 tutti_activation_names[last->activation],
                 gives_probabilities(before) ? "probabilities" : "outputs",
                 tutti_activation_names[before->activation], given->range,
                 given->gives(BEYOND) ? "below 0.5" : "near 0 or 1");
}

static void warn_layers(const tutti_config *config) {
  const tutti_layer_spec *layers = config->model.layers;
  const int64_t n = config->model.n_layers;
  const tutti_layer_spec *before = squashed_twice(layers, n);
  if (before) {
    warn_squashed(before, &layers[n - 1]);
    return;
  }
  for (int64_t i = 0; i < n - 1; i++)
    if (tutti_layer_has_activation(&layers[i]) && layers[i].activation == TUTTI_SOFTMAX)
      tutti_log_root(TUTTI_LOG_WARNING,
                     "model.layers: layer %lld has softmax, which is meant for the last layer: between "
                     "others it leaves hardly any gradient; relu is usual there",
                     (long long)i + 1);
}

// --- the loss and the last layer ---------------------------------------------------------------------------

/** Warn if targets lie outside of the range of the last layer. */
static void warn_targets(const tutti_dataset *dataset, const output_range *last) {
  const char *name = tutti_activation_names[last->activation];
  char expected[128];
  snprintf(expected, sizeof expected, "%s, because the last layer's %s gives nothing else", last->range,
           name);
  if (tutti_dataset_check_targets(dataset, last->gives, expected) == TUTTI_ERR_DATA)
    tutti_log_root(TUTTI_LOG_WARNING,
                   "%s; end with another activation, 'dense UNITS' for any number, or scale the targets",
                   tutti_fail_text());
}

static void warn_last(const tutti_config *config, const tutti_network *network) {
  const tutti_layer_spec *last = &config->model.layers[config->model.n_layers - 1];
  const tutti_loss loss = tutti_model_loss_kind(network->model);
  const output_range *given = tutti_layer_has_activation(last) ? range_of(last->activation) : NULL;
  if (!given || loss == TUTTI_CATEGORICAL_CROSSENTROPY || loss == TUTTI_BINARY_CROSSENTROPY) return;
  if (loss != TUTTI_HINGE)
    warn_targets(network->dataset, given);
  else if (!given->gives(-1))
    tutti_log_root(TUTTI_LOG_WARNING,
                   "model.loss: hinge requires outputs on both sides of 0, and the last layer's %s gives %s: "
                   "end with 'dense UNITS' or tanh",
                   tutti_activation_names[last->activation], given->range);
}

/** Whether class numbers stand for something else than they seem to: names that are texts, or other numbers.  Two texts
 * do not count, because they are the two answers to one question, and 0 and 1 are good values for these. */
static bool are_renumbered(const char *const *names, int n) {
  int64_t number = 0;
  int n_texts = 0, n_others = 0;
  for (int k = 0; k < n; k++) {
    const bool is_text = !tutti_text_integer(names[k], &number);
    n_texts += is_text;
    n_others += is_text || number != k;
  }
  return n_others > 0 && !(n == 2 && n_texts == 2);
}

/** Warn if a loss for values gets class numbers.  An import turns whole numbers into classes, too: 10, 20, 30 become 0,
 * 1, 2, and the network would be trained on these. */
static void warn_class_numbers(const tutti_network *network) {
  int n = 0;
  const char *const *names = tutti_dataset_classes(network->dataset, &n);
  const tutti_loss loss = tutti_model_loss_kind(network->model);
  if (tutti_loss_is_classification(loss) || network->by_features ||
      tutti_dataset_n_targets(network->dataset) != 1 || n == 0 || !are_renumbered(names, n))
    return;
  tutti_log_root(
      TUTTI_LOG_WARNING,
      "%s: the labels are numbers of classes ('%.40s' is 0, '%.40s' is %d), but the loss %s takes them for "
      "values: end with 'dense %d softmax', or if the labels are values, import them with --kind=regression",
      tutti_dataset_file(network->dataset), names[0], names[n - 1], n - 1, tutti_loss_names[loss], n);
}

/** Warn about a goal below the least loss.  With smoothed labels even a perfect network has a loss: their entropy. */
static void warn_smoothing(const tutti_config *config, const tutti_network *network) {
  const tutti_goal *goal = &config->train.stop_at;
  const double smoothing = config->model.label_smoothing;
  const double least =
      tutti_loss_least(tutti_model_loss_kind(network->model), tutti_model_n_out(network->model), smoothing);
  char text[128];
  const bool weighted = config->data.class_weight || tutti_dataset_has_weights(network->dataset);
  if (weighted || !strstr(goal->metric, "loss") || !tutti_config_goal_reached(goal, 0) ||
      tutti_config_goal_reached(goal, least * (1 - 1e-6)))
    return;
  tutti_config_goal_print(goal, text, sizeof text);
  tutti_log_root(TUTTI_LOG_WARNING,
                 "model.label_smoothing: with %g no loss is below %.4g, not in evaluations either, so "
                 "nothing can reach the goal %s: the training will take its whole budget",
                 smoothing, least, text);
}

void tutti_train_warn_network(const tutti_config *config, const tutti_network *network) {
  warn_layers(config);
  warn_last(config, network);
  warn_class_numbers(network);
  warn_smoothing(config, network);
}

void tutti_train_warn(const tutti_run *run) {
  const tutti_train_options *train = &run->config->train;
  warn_goal(&train->stop_at);
  if (train->stop_at.metric[0]) warn_watched(run, "train.stop_at", train->stop_at.metric);
  if (train->monitor) warn_watched(run, "train.monitor", train->monitor);
  if (run->config->schedule.decay == TUTTI_DECAY_PLATEAU) warn_plateau(run);
  if (run->rank == 0) tutti_train_warn_network(run->config, &run->network);
}
