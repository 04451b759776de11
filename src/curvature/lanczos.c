/** The largest and the smallest eigenvalue of a matrix that is known by its products (Lanczos 1950).  sharpness.c
 * calls it with the Hessian.
 *
 * In the basis v_1, v_2, ... that the products generate, the matrix is tridiagonal: beta_m v_m+1 = A v_m - alpha_m
 * v_m - beta_m-1 v_m-1.  The ends of this small matrix approach those of A.  Only three vectors are kept, and they
 * are not made orthogonal to the earlier ones: rounding then repeats eigenvalues that were already found, but it
 * does not move an end (Paige 1976, "Error analysis of the Lanczos algorithm"), and the memory does not grow with
 * the number of products.
 *
 * The eigenvalues of the small matrix come from our own QL iteration, not from LAPACK (dsteqr): tutti links a CBLAS,
 * and not each CBLAS that may be found here (BLIS, for example) brings LAPACK.  dsteqr would also need all
 * components of the eigenvectors, while the residuals need only the last ones. */
#include "curvature/curvature_impl.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/random.h"

typedef struct {
  const tutti_curvature_lanczos_problem *problem;
  double *memory;            // of the arrays; owned
  double *v, *before, *next; // [n]
  double *alpha, *beta;      // [max_products] diagonal of the tridiagonal matrix, and the elements below it
  double *values, *below, *last; // [max_products] work space: eigenvalues, last components of their vectors
} lanczos;

/** One piece of memory holds all arrays. */
static tutti_status allocate(lanczos *l) {
  const int64_t n = l->problem->n, m = l->problem->max_products;
  TUTTI_TRY(TUTTI_NEW(l->memory, 3 * n + 5 * m));
  l->v = l->memory;
  l->before = l->v + n;
  l->next = l->before + n;
  l->alpha = l->next + n;
  l->beta = l->alpha + m;
  l->values = l->beta + m;
  l->below = l->values + m;
  l->last = l->below + m;
  return TUTTI_OK;
}

static void scale(int64_t n, double factor, double *v) {
  for (int64_t i = 0; i < n; i++) v[i] *= factor;
}

/** A random unit vector: with probability 1 it has a component along each eigenvector.  It depends on the seed
 * alone, so that all ranks start with the same bits. */
static void start(lanczos *l) {
  const int64_t n = l->problem->n;
  const tutti_stream stream = {.seed = l->problem->seed, .kind = TUTTI_STREAM_SHARPNESS};
  for (int64_t i = 0; i < n; i++) {
    uint32_t words[4];
    double normal[2];
    tutti_random_words(stream, (uint64_t)i, words);
    tutti_random_normal(words[0], words[1], normal);
    l->v[i] = normal[0];
  }
  scale(n, 1 / sqrt(tutti_curvature_dot(n, l->v, l->v)), l->v);
}

/** State that one plane rotation of a sweep passes to the next one, upwards along the diagonal: the element that it
 * left outside of the three diagonals, and the amount that it subtracted from the next diagonal element. */
typedef struct {
  double sine, cosine, bulge, shift;
} rotation;

/** A sweep of the implicit QL algorithm (Dubrulle 1970, "A short note on the implicit QL algorithm for symmetric
 * tridiagonal matrices") over the block [row, end], in which no e is 0: e[row] becomes smaller.  The shift is the
 * eigenvalue of the upper 2 x 2 block that is nearer to d[row].  The same rotations are applied to z. */
static void sweep(double *d, double *e, double *z, int row, int end) {
  const double half = (d[row + 1] - d[row]) / (2 * e[row]), root = sqrt(half * half + 1);
  rotation r = {.sine = 1, .cosine = 1};
  r.bulge = d[end] - d[row] + e[row] / (half + copysign(root, half));
  for (int i = end - 1; i >= row; i--) {
    const double f = r.sine * e[i], b = r.cosine * e[i], length = sqrt(f * f + r.bulge * r.bulge);
    e[i + 1] = length;
    if (length == 0) {
      d[i + 1] -= r.shift;
      e[end] = 0;
      return;
    }
    r.sine = f / length;
    r.cosine = r.bulge / length;
    const double g = d[i + 1] - r.shift, turned = (d[i] - g) * r.sine + 2 * r.cosine * b;
    r.shift = r.sine * turned;
    d[i + 1] = g + r.shift;
    r.bulge = r.cosine * turned - b;
    const double held = z[i + 1];
    z[i + 1] = r.sine * z[i] + r.cosine * held;
    z[i] = r.cosine * z[i] - r.sine * held;
  }
  d[row] -= r.shift;
  e[row] = r.bulge;
  e[end] = 0;
}

/** The last row of the block that begins at `row`.  An element e that is negligible beside its neighbours splits the
 * matrix there. */
static int block_end(const double *d, const double *e, int row, int m) {
  int end = row;
  while (end < m - 1 && fabs(e[end]) > DBL_EPSILON * (fabs(d[end]) + fabs(d[end + 1]))) end++;
  return end;
}

/** Eigenvalues values[m] of the tridiagonal matrix of the first m products, and the last components last[m] of their
 * unit vectors. */
static void solve_tridiagonal(lanczos *l, int m) {
  enum { SWEEPS = 60 }; // two or three are enough; the limit is for NaN, which never converges
  for (int i = 0; i < m; i++) {
    l->values[i] = l->alpha[i];
    l->below[i] = i + 1 < m ? l->beta[i] : 0;
    l->last[i] = i + 1 == m;
  }
  for (int row = 0; row < m; row++)
    for (int tries = 0; tries < SWEEPS; tries++) {
      const int end = block_end(l->values, l->below, row, m);
      if (end == row) break;
      sweep(l->values, l->below, l->last, row, end);
    }
}

/** The residual of the Ritz vector u = V w of a value is |A u - value u| = beta_m |w_m|, so no vector of length n is
 * needed for it. */
static void find_ends(lanczos *l, int m, tutti_curvature_spectrum *spectrum) {
  solve_tridiagonal(l, m);
  int low = 0, high = 0;
  for (int i = 1; i < m; i++) {
    if (l->values[i] < l->values[low]) low = i;
    if (l->values[i] > l->values[high]) high = i;
  }
  const double beta = l->beta[m - 1];
  spectrum->largest = (tutti_curvature_ritz){l->values[high], beta * fabs(l->last[high])};
  spectrum->smallest = (tutti_curvature_ritz){l->values[low], beta * fabs(l->last[low])};
  spectrum->n_products = m;
}

static bool is_precise(const tutti_curvature_spectrum *spectrum, double tolerance) {
  const tutti_curvature_ritz a = spectrum->largest, b = spectrum->smallest;
  const double limit = tolerance * fmax(fabs(a.value), fabs(b.value));
  return a.residual <= limit && b.residual <= limit;
}

/** One product gives row m of the tridiagonal matrix.  beta_m = 0 means that the basis spans an invariant subspace,
 * whose eigenvalues are exact: then all residuals are 0. */
static tutti_status advance(lanczos *l, int m) {
  const int64_t n = l->problem->n;
  TUTTI_TRY(l->problem->product(l->problem->context, l->v, l->next));
  for (int64_t i = 0; m > 0 && i < n; i++) l->next[i] -= l->beta[m - 1] * l->before[i];
  l->alpha[m] = tutti_curvature_dot(n, l->v, l->next);
  for (int64_t i = 0; i < n; i++) l->next[i] -= l->alpha[m] * l->v[i];
  l->beta[m] = sqrt(tutti_curvature_dot(n, l->next, l->next));
  double *const unused = l->before;
  l->before = l->v;
  l->v = l->next;
  l->next = unused;
  if (l->beta[m] > 0) scale(n, 1 / l->beta[m], l->v);
  return TUTTI_OK;
}

static tutti_status run(lanczos *l, tutti_curvature_spectrum *spectrum) {
  TUTTI_TRY(allocate(l));
  start(l);
  for (int m = 0; m < l->problem->max_products; m++) {
    TUTTI_TRY(advance(l, m));
    // The sums are the same on all ranks, so all of them leave here together.
    if (!isfinite(l->alpha[m]) || !isfinite(l->beta[m])) {
      *spectrum = (tutti_curvature_spectrum){{NAN, NAN}, {NAN, NAN}, m + 1};
      return TUTTI_OK;
    }
    find_ends(l, m + 1, spectrum);
    if (is_precise(spectrum, l->problem->tolerance)) return TUTTI_OK;
  }
  return TUTTI_OK;
}

tutti_status tutti_curvature_find_spectrum(const tutti_curvature_lanczos_problem *problem,
                                           tutti_curvature_spectrum *spectrum) {
  lanczos l = {.problem = problem};
  const tutti_status status = run(&l, spectrum);
  tutti_free(l.memory);
  return status;
}
