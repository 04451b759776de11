/** The state arrays of the optimizer (slots) from a checkpoint with other options.
 *
 * A velocity may contain the learning rate (Keras, LARS) or not (PyTorch), so that the same numbers have different
 * units.  Each slot has a unit (optim/units.c), and a factor converts one into the other.  If the optimizer itself is
 * another one, slots with the same meaning are kept and the others get their initial values.  load.c calls it on rank
 * 0. */
#include "rundir/rundir_impl.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/names.h"
#include "base/text.h"

/** A slot in the unit of the file, and in that of this run's options. */
typedef struct {
  const char *name;
  tutti_unit_of_state from, to;
  double rate; // learning rate of the conversion
} pair;

/** If the numbers contain a learning rate, it is that of the last update.  If they shall contain one, it is that of the
 * next update, as if the velocity had been multiplied with it there.  Before the first step a velocity is 0 in any
 * unit. */
static pair pair_of(const tutti_run *run, const tutti_optim_options *then, int i) {
  const char *name = tutti_optim_slot_name(run->optim, i);
  pair p = {.name = name,
            .from = tutti_optim_unit(then, name),
            .to = tutti_optim_unit(&run->config->optimizer, name),
            .rate = run->state.at.learning_rate};
  if (p.to.has_rate) p.rate = tutti_plan_learning_rate(&run->plan, &run->schedule, tutti_run_position(run));
  if (run->state.at.step == 0) p.rate = 1;
  return p;
}

static tutti_status convert(tutti_rundir_saver *saver, const char *path, const pair *p, int i) {
  const int64_t n = tutti_model_n_params(saver->run->network.model);
  char was[96], wanted[96], rate[96] = "0 or, in a file of an earlier version, unknown";
  double factor = 1;
  if (p->rate != 0) snprintf(rate, sizeof rate, "%g", p->rate);
  tutti_optim_unit_text(&p->from, was, sizeof was);
  tutti_optim_unit_text(&p->to, wanted, sizeof wanted);
  TUTTI_CHECK(tutti_optim_unit_factor(&p->from, &p->to, p->rate, &factor), TUTTI_ERR_CONFIG,
              "%s: the optimizer slot '%s' is a %s there, these options keep a %s, and the learning rate "
              "(%s) does not convert one into the other; leave optimizer.name, dialect, lars_form and "
              "momentum_correction as they were, or start from scratch with the weights, by model.weights",
              path, p->name, was, wanted, rate);
  if (factor == 1) return TUTTI_OK;
  for (int64_t k = 0; k < n; k++) saver->slots[i][k] = (float)(factor * saver->slots[i][k]);
  tutti_log(TUTTI_LOG_INFO, "the optimizer slot '%s' of %s is a %s; times %g it is a %s", p->name, path, was,
            factor, wanted);
  return TUTTI_OK;
}

tutti_status tutti_rundir_convert_slots(tutti_rundir_saver *saver, const char *path,
                                        const tutti_optim_options *then) {
  for (int i = 0; i < tutti_optim_n_slots(saver->run->optim); i++) {
    const pair p = pair_of(saver->run, then, i);
    TUTTI_TRY(convert(saver, path, &p, i));
  }
  return TUTTI_OK;
}

// --- another optimizer -----------------------------------------------------------------------------------

enum { NAMES_BYTES = 256 };

/** What happened to the slots: their names. */
typedef struct {
  char kept[NAMES_BYTES], initial[NAMES_BYTES], dropped[NAMES_BYTES];
  bool keeps_count; // a slot of the rule is kept, and with it the number of its updates
} outcome;

static bool is_average(const tutti_run *run, int i) {
  return tutti_optim_average(run->optim) && i == tutti_optim_n_slots(run->optim) - 1;
}

/** Whether a slot is kept: the file has it, as the same quantity.  A velocity in another unit is converted, because the
 * user would hardly want to lose it. */
static bool is_kept(const pair *p, const tutti_texts *there) {
  const bool found = tutti_name_find(p->name, (const char *const *)there->list, there->n) >= 0;
  if (!found || !p->from.quantity) return false;
  return strcmp(p->from.quantity, p->to.quantity) == 0 || (p->from.is_velocity && p->to.is_velocity);
}

/** Views of slot i. */
static const tutti_view *views_of(const tutti_rundir_saver *saver, int i, int64_t *n) {
  const int n_slots = tutti_optim_n_slots(saver->run->optim),
            n_arrays = tutti_model_n_arrays(saver->run->network.model);
  *n = (saver->n_loadable - n_arrays) / n_slots;
  return saver->views + n_arrays + i * *n;
}

/** The initial value of the average is the weights. */
static void set_initial(tutti_rundir_saver *saver, int i) {
  const tutti_run *run = saver->run;
  const int64_t n = tutti_model_n_params(run->network.model);
  const float initial = tutti_optim_slot_initial(run->optim, i);
  for (int64_t k = 0; k < n; k++) saver->slots[i][k] = is_average(run, i) ? saver->weights[k] : initial;
}

static tutti_status take_slot(tutti_rundir_saver *saver, const char *path, const pair *p, int i, bool keeps,
                              outcome *o) {
  int64_t n = 0;
  const tutti_view *views = views_of(saver, i, &n);
  tutti_text_append_name(keeps ? o->kept : o->initial, NAMES_BYTES, p->name);
  if (!keeps) {
    set_initial(saver, i);
    return TUTTI_OK;
  }
  TUTTI_TRY(tutti_checkpoint_read_arrays(path, views, n));
  return convert(saver, path, p, i);
}

static tutti_status take_over(tutti_rundir_saver *saver, const char *path, const tutti_optim_options *then,
                              const tutti_texts *there, outcome *o) {
  tutti_run *run = saver->run;
  const int n_slots = tutti_optim_n_slots(run->optim);
  o->keeps_count =
      n_slots == (tutti_optim_average(run->optim) != NULL); // a rule without slots counts nothing
  for (int i = 0; i < n_slots; i++) {
    const pair p = pair_of(run, then, i);
    o->keeps_count = o->keeps_count || (!is_average(run, i) && is_kept(&p, there));
  }
  for (int i = 0; i < n_slots; i++) {
    const pair p = pair_of(run, then, i);
    // If the count starts at 0, the first update sets the average to the weights, so the old one would be lost anyway.
    const bool keeps = is_kept(&p, there) && (o->keeps_count || !is_average(run, i));
    TUTTI_TRY(take_slot(saver, path, &p, i, keeps, o));
  }
  for (int k = 0; k < there->n; k++) {
    bool kept = false;
    for (int i = 0; i < n_slots; i++)
      kept = kept || strcmp(there->list[k], tutti_optim_slot_name(run->optim, i)) == 0;
    if (!kept) tutti_text_append_name(o->dropped, NAMES_BYTES, there->list[k]);
  }
  return TUTTI_OK;
}

static void report(const char *path, const outcome *o) {
  if (!o->initial[0] && !o->dropped[0]) return;
  tutti_log(TUTTI_LOG_INFO,
            "the optimizer differs from that of %s; slots that are kept: %s; that start from scratch: %s; "
            "that are dropped: %s",
            path, o->kept[0] ? o->kept : "none", o->initial[0] ? o->initial : "none",
            o->dropped[0] ? o->dropped : "none");
}

tutti_status tutti_rundir_take_over_slots(tutti_rundir_saver *saver, const char *path,
                                          const tutti_optim_options *then) {
  tutti_run *run = saver->run;
  tutti_texts there;
  outcome o = {0};
  TUTTI_TRY(tutti_checkpoint_list_slots(path, &there));
  const tutti_status status = take_over(saver, path, then, &there, &o);
  tutti_texts_clear(&there);
  TUTTI_TRY(status);
  // Rules such as Adam divide their means by 1 - beta^t, where t counts the updates that these means contain.
  if (!o.keeps_count) run->state.at.rule_from = run->state.at.step;
  report(path, &o);
  return TUTTI_OK;
}
