/* Numbers of a file as numbers in memory, as HDF5 converts them.  A chunk may have some columns of the rows only, so
 * they are converted line by line.  unpack.c calls it. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "base/clones.h"
#include "data/chunks_impl.h"

#define DEFINE_CONVERT(NAME, FROM, TO, VALUE)                                                                \
  static void NAME(const void *from, int64_t from_stride, void *to, int64_t to_stride, int64_t n_lines,      \
                   int64_t n) {                                                                              \
    for (int64_t line = 0; line < n_lines; line++) {                                                         \
      const FROM *restrict x = (const FROM *)from + line * from_stride;                                      \
      TO *restrict y = (TO *)to + line * to_stride;                                                          \
      for (int64_t i = 0; i < n; i++) y[i] = VALUE(TO, x[i]);                                                \
    }                                                                                                        \
  }
#define CAST(TO, x) ((TO)(x))
/** What is beyond the range is infinite for HDF5, also where rounding would give the largest number. */
#define CAST_OR_INFINITY(TO, x) ((x) > FLT_MAX ? INFINITY : (x) < -FLT_MAX ? -INFINITY : (TO)(x))
#define DEFINE_CONVERTS(SUFFIX, FROM)                                                                        \
  DEFINE_CONVERT(SUFFIX##_to_f32, FROM, float, CAST) DEFINE_CONVERT(SUFFIX##_to_f64, FROM, double, CAST)
DEFINE_CONVERTS(i8, int8_t)
DEFINE_CONVERTS(u8, uint8_t)
DEFINE_CONVERTS(i16, int16_t)
DEFINE_CONVERTS(u16, uint16_t)
DEFINE_CONVERTS(i32, int32_t)
DEFINE_CONVERTS(u32, uint32_t)
DEFINE_CONVERTS(i64, int64_t)
DEFINE_CONVERTS(u64, uint64_t)
DEFINE_CONVERT(f32_to_f64, float, double, CAST)
DEFINE_CONVERT(f64_to_f32, double, float, CAST_OR_INFINITY)

/** Programs like to cut wide rows into chunks of some bytes, for which a call of memcpy is slow: two words that overlap
 * are any number of bytes from one to two words. */
TUTTI_INLINE void copy_bytes(const unsigned char *restrict from, unsigned char *restrict to, size_t n) {
  if (n > 16) {
    memcpy(to, from, n);
  } else if (n >= 8) {
    uint64_t first, last;
    memcpy(&first, from, 8);
    memcpy(&last, from + n - 8, 8);
    memcpy(to, &first, 8);
    memcpy(to + n - 8, &last, 8);
  } else {
    for (size_t i = 0; i < n; i++) to[i] = from[i];
  }
}

#define DEFINE_COPY(BYTES)                                                                                   \
  static void copy_##BYTES(const void *from, int64_t from_stride, void *to, int64_t to_stride,               \
                           int64_t n_lines, int64_t n) {                                                     \
    for (int64_t line = 0; line < n_lines; line++)                                                           \
      copy_bytes((const unsigned char *)from + line * from_stride * BYTES,                                   \
                 (unsigned char *)to + line * to_stride * BYTES, (size_t)n * BYTES);                         \
  }
DEFINE_COPY(1)
DEFINE_COPY(4)
DEFINE_COPY(8)

/** NULL: only HDF5 converts these. */
static const tutti_data_convert converts[TUTTI_N_STORED][TUTTI_F64 + 1] = {
    [TUTTI_STORED_I8] = {[TUTTI_F32] = i8_to_f32, [TUTTI_F64] = i8_to_f64},
    [TUTTI_STORED_U8] = {[TUTTI_U8] = copy_1, [TUTTI_F32] = u8_to_f32, [TUTTI_F64] = u8_to_f64},
    [TUTTI_STORED_I16] = {[TUTTI_F32] = i16_to_f32, [TUTTI_F64] = i16_to_f64},
    [TUTTI_STORED_U16] = {[TUTTI_F32] = u16_to_f32, [TUTTI_F64] = u16_to_f64},
    [TUTTI_STORED_I32] = {[TUTTI_I32] = copy_4, [TUTTI_F32] = i32_to_f32, [TUTTI_F64] = i32_to_f64},
    [TUTTI_STORED_U32] = {[TUTTI_F32] = u32_to_f32, [TUTTI_F64] = u32_to_f64},
    [TUTTI_STORED_I64] = {[TUTTI_I64] = copy_8, [TUTTI_F32] = i64_to_f32, [TUTTI_F64] = i64_to_f64},
    [TUTTI_STORED_U64] = {[TUTTI_F32] = u64_to_f32, [TUTTI_F64] = u64_to_f64},
    [TUTTI_STORED_F32] = {[TUTTI_F32] = copy_4, [TUTTI_F64] = f32_to_f64},
    [TUTTI_STORED_F64] = {[TUTTI_F32] = f64_to_f32, [TUTTI_F64] = copy_8},
};

tutti_data_convert tutti_data_convert_of(tutti_stored stored, tutti_type type) {
  return converts[stored][type];
}

bool tutti_data_convert_copies(tutti_data_convert convert) {
  return convert == copy_1 || convert == copy_4 || convert == copy_8;
}
