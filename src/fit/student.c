/** Quantiles of Student's t, from those of a normal distribution: the local model and the fresh seeds make intervals
 * with them.
 *
 * Exact for 1 and 2 degrees of freedom, else the expansion of Abramowitz and Stegun, 26.7.5. */
#include <math.h>

#include "fit/local_impl.h"

double tutti_fit_student(double z, int64_t freedom) {
  const double middle = erf(z / sqrt(2)); // the probability between -z and z
  if (freedom == 1) return tan(asin(1) * middle);
  if (freedom == 2) return middle * sqrt(2 / (erfc(z / sqrt(2)) * (1 + middle)));
  const double z2 = z * z, n = (double)freedom;
  const double g1 = (z2 + 1) / 4, g2 = ((5 * z2 + 16) * z2 + 3) / 96,
               g3 = (((3 * z2 + 19) * z2 + 17) * z2 - 15) / 384,
               g4 = ((((79 * z2 + 776) * z2 + 1482) * z2 - 1920) * z2 - 945) / 92160;
  return z * (1 + (g1 + (g2 + (g3 + g4 / n) / n) / n) / n);
}

double tutti_fit_student_95(int64_t freedom) {
  return tutti_fit_student(1.959963984540054, freedom);
}
