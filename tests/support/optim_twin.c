#include "support/optim_twin.h"

#include <math.h>

static double nadam_u(const tutti_optim_options *o, int t) {
  return o->beta_1 * (1 - 0.5 * pow(0.96, (o->dialect == TUTTI_DIALECT_KERAS ? 1 : 0.004) * t));
}

static double nadam_product(const tutti_optim_options *o, int t) {
  double product = 1;
  for (int i = 1; i <= t; i++) product *= nadam_u(o, i);
  return product;
}

/** What a velocity with the learning rate inside keeps of itself. */
static double keep(const tutti_optim_options *o, double lr, optim_twin_state *s) {
  const double before = s->lr;
  s->lr = lr;
  return o->momentum_correction && before > 0 ? o->momentum * (lr / before) : o->momentum;
}

static double sgd(const tutti_optim_options *o, int t, double lr, double g, double w, optim_twin_state *s) {
  (void)t;
  const double mu = o->momentum;
  if (o->dialect == TUTTI_DIALECT_KERAS) {
    s->v = keep(o, lr, s) * s->v - lr * g;
    return w + (o->nesterov ? mu * s->v - lr * g : s->v);
  }
  s->v = mu * s->v + g;
  return w - lr * (o->nesterov ? g + mu * s->v : s->v);
}

static double rmsprop(const tutti_optim_options *o, int t, double lr, double g, double w,
                      optim_twin_state *s) {
  (void)t;
  s->v = o->rho * s->v + (1 - o->rho) * g * g;
  s->x = o->rho * s->x + (1 - o->rho) * g;
  const double spread = o->centered ? s->v - s->x * s->x : s->v;
  if (o->dialect == TUTTI_DIALECT_KERAS) {
    s->m = keep(o, lr, s) * s->m + lr * g / sqrt(spread + o->epsilon);
    return w - s->m;
  }
  s->m = o->momentum * s->m + g / (sqrt(spread) + o->epsilon);
  return w - lr * s->m;
}

static double adagrad(const tutti_optim_options *o, int t, double lr, double g, double w,
                      optim_twin_state *s) {
  const bool keras = o->dialect == TUTTI_DIALECT_KERAS;
  if (t == 1) s->v = keras ? 0.1 : 0;
  s->v += g * g;
  return w - lr * g / (keras ? sqrt(s->v + o->epsilon) : sqrt(s->v) + o->epsilon);
}

static double adadelta(const tutti_optim_options *o, int t, double lr, double g, double w,
                       optim_twin_state *s) {
  (void)t;
  s->v = o->rho * s->v + (1 - o->rho) * g * g;
  const double delta = sqrt(s->x + o->epsilon) / sqrt(s->v + o->epsilon) * g;
  s->x = o->rho * s->x + (1 - o->rho) * delta * delta;
  return w - lr * delta;
}

static double adam(const tutti_optim_options *o, int t, double lr, double g, double w, optim_twin_state *s) {
  const double c_1 = 1 - pow(o->beta_1, t), c_2 = 1 - pow(o->beta_2, t);
  s->m = o->beta_1 * s->m + (1 - o->beta_1) * g;
  s->v = o->beta_2 * s->v + (1 - o->beta_2) * g * g;
  s->x = fmax(s->x, s->v);
  const double v = o->amsgrad ? s->x : s->v;
  if (o->dialect == TUTTI_DIALECT_KERAS) return w - lr * sqrt(c_2) / c_1 * s->m / (sqrt(v) + o->epsilon);
  return w - lr / c_1 * s->m / (sqrt(v) / sqrt(c_2) + o->epsilon);
}

static double adamax(const tutti_optim_options *o, int t, double lr, double g, double w,
                     optim_twin_state *s) {
  const double c = 1 - pow(o->beta_1, t);
  s->m = o->beta_1 * s->m + (1 - o->beta_1) * g;
  if (o->dialect == TUTTI_DIALECT_KERAS) {
    s->x = fmax(o->beta_2 * s->x, fabs(g));
    return w - lr * s->m / (c * (s->x + o->epsilon));
  }
  s->x = fmax(o->beta_2 * s->x, fabs(g) + o->epsilon);
  return w - lr / c * s->m / s->x;
}

static double nadam(const tutti_optim_options *o, int t, double lr, double g, double w, optim_twin_state *s) {
  s->m = o->beta_1 * s->m + (1 - o->beta_1) * g;
  s->v = o->beta_2 * s->v + (1 - o->beta_2) * g * g;
  const double m_hat = nadam_u(o, t + 1) * s->m / (1 - nadam_product(o, t + 1)) +
                       (1 - nadam_u(o, t)) * g / (1 - nadam_product(o, t));
  return w - lr * m_hat / (sqrt(s->v / (1 - pow(o->beta_2, t))) + o->epsilon);
}

static double norm(int64_t n, const double *x) {
  double square = 0;
  for (int64_t i = 0; i < n; i++) square += x[i] * x[i];
  return sqrt(square);
}

static double norm_of_directions(int64_t n, const optim_twin_state *s) {
  double square = 0;
  for (int64_t i = 0; i < n; i++) square += s[i].d * s[i].d;
  return sqrt(square);
}

/** of a / b, and 1 where there is nothing to compare. */
static double part(double of, double a, double b) {
  return a > 0 && b > 0 ? of * a / b : 1;
}

static void lars(const tutti_optim_options *o, int t, double lr, bool plain, int64_t n, const double *g,
                 double *w, optim_twin_state *s) {
  (void)t;
  const double decay = plain ? 0 : o->weight_decay, eta = o->trust_coefficient;
  const bool popular = o->lars_form == TUTTI_LARS_POPULAR, paper = o->lars_form == TUTTI_LARS_PAPER;
  for (int64_t i = 0; i < n; i++) {
    s[i].d = g[i] + decay * w[i];
    if (popular) s[i].d = s[i].v = o->momentum * s[i].v + s[i].d;
  }
  const double below = paper ? norm(n, g) + decay * norm(n, w) : norm_of_directions(n, s);
  const double trust = plain ? 1 : part(eta, norm(n, w), below);
  for (int64_t i = 0; i < n; i++) {
    if (!popular) s[i].v = keep(o, lr, &s[i]) * s[i].v + lr * trust * s[i].d;
    w[i] -= popular ? lr * trust * s[i].v : s[i].v;
  }
}

static void lamb(const tutti_optim_options *o, int t, double lr, bool plain, int64_t n, const double *g,
                 double *w, optim_twin_state *s) {
  const bool keras = o->dialect == TUTTI_DIALECT_KERAS;
  for (int64_t i = 0; i < n; i++) {
    if (keras) w[i] -= lr * o->weight_decay * w[i];
    s[i].m = o->beta_1 * s[i].m + (1 - o->beta_1) * g[i];
    s[i].v = o->beta_2 * s[i].v + (1 - o->beta_2) * g[i] * g[i];
    const double m_hat = s[i].m / (1 - pow(o->beta_1, t)), v_hat = s[i].v / (1 - pow(o->beta_2, t));
    s[i].d = m_hat / (sqrt(v_hat) + o->epsilon);
    if (!keras && !plain) s[i].d += o->weight_decay * w[i];
  }
  const double ratio = plain && !keras ? 1 : part(1, norm(n, w), norm_of_directions(n, s));
  for (int64_t i = 0; i < n; i++) w[i] -= lr * ratio * s[i].d;
}

static double lion(const tutti_optim_options *o, int t, double lr, double g, double w, optim_twin_state *s) {
  (void)t;
  const double c = o->beta_1 * s->m + (1 - o->beta_1) * g;
  s->m = o->beta_2 * s->m + (1 - o->beta_2) * g;
  return w - lr * ((c > 0) - (c < 0));
}

// --- the list

/** A rule weight by weight; or, if it takes norms, array by array. */
typedef struct {
  double (*weight)(const tutti_optim_options *o, int t, double lr, double g, double w, optim_twin_state *s);
  void (*array)(const tutti_optim_options *o, int t, double lr, bool plain, int64_t n, const double *g,
                double *w, optim_twin_state *s);
  bool decoupled; // weight decay, with dialect torch too
} twin;

static const twin sgd_twin = {.weight = sgd}, adagrad_twin = {.weight = adagrad},
                  adadelta_twin = {.weight = adadelta}, rmsprop_twin = {.weight = rmsprop},
                  adam_twin = {.weight = adam}, adamw_twin = {.weight = adam, .decoupled = true},
                  adamax_twin = {.weight = adamax}, nadam_twin = {.weight = nadam},
                  lars_twin = {.array = lars}, lamb_twin = {.array = lamb},
                  lion_twin = {.weight = lion, .decoupled = true};

/** A rule without a twin does not compile. */
static const twin *const twins[TUTTI_N_OPTIMS] = {
#define X(code, word, sentence) [TUTTI_##code] = &word##_twin,
#include "tutti/rules.def"
};

double optim_twin(const tutti_optim_options *o, int t, double lr, double g, double w, optim_twin_state *s) {
  const twin *rule = twins[o->rule];
  if (o->dialect == TUTTI_DIALECT_KERAS || rule->decoupled)
    w -= lr * o->weight_decay * w;
  else
    g += o->weight_decay * w;
  return rule->weight(o, t, lr, g, w, s);
}

void optim_twin_array(const tutti_optim_options *given, int t, double lr, bool plain, int64_t n,
                      const double *g, double *w, optim_twin_state *s) {
  tutti_optim_options own = *given;
  if (plain && own.decay_exclude == TUTTI_EXCLUDE_VECTORS) own.weight_decay = 0;
  const twin *rule = twins[own.rule];
  if (rule->array)
    rule->array(&own, t, lr, plain, n, g, w, s);
  else
    for (int64_t i = 0; i < n; i++) w[i] = optim_twin(&own, t, lr, g[i], w[i], &s[i]);
}
