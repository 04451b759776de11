#include "linalg/softmax.h"

#include <math.h>

#include "base/loops.h"

double tutti_softmax_exponentials(const float *z, int64_t n, float *exponentials, float *top) {
  float largest = z[0];
  for (int64_t j = 1; j < n; j++) largest = z[j] > largest ? z[j] : largest;
  double sum = 0;
  for (int64_t j = 0; j < n; j++) {
    const float e = expf(z[j] - largest);
    if (exponentials) exponentials[j] = e;
    sum += e;
  }
  *top = largest;
  return sum;
}

void tutti_softmax_forward(const float *z, int64_t rows, int64_t n, float *y) {
  for (int64_t i = 0; i < rows; i++) {
    float top;
    const float scale = (float)(1 / tutti_softmax_exponentials(z + i * n, n, y + i * n, &top));
    for (int64_t j = 0; j < n; j++) y[i * n + j] *= scale;
  }
}

void tutti_softmax_backward(const float *y, const float *dy, int64_t rows, int64_t n, float *dz) {
  for (int64_t i = 0; i < rows; i++) {
    const float *y_row = y + i * n, *dy_row = dy + i * n;
    double mean = 0;
    for (int64_t j = 0; j < n; j++) mean += (double)y_row[j] * dy_row[j];
    TUTTI_INDEPENDENT
    for (int64_t j = 0; j < n; j++) dz[i * n + j] = y_row[j] * (dy_row[j] - (float)mean);
  }
}
