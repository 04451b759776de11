/* Names of the classes: the attribute "classes" of the labels.  Other programs may use that name for something else,
 * so a value that does not fit is ignored with a warning.  Opening a data set and `tutti info` call it. */
#include <stdio.h>

#include "base/log.h"
#include "tutti/data.h"

enum { PIECE_ROWS = 1 << 16, REASON_BYTES = 160 };

/** Check that each class id has a name.
 * @param[out] reason  set if one has none */
static tutti_status check_ids(const tutti_file *file, const char *y, int64_t n, int n_names,
                              char reason[REASON_BYTES]) {
  double *ids = NULL;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY(TUTTI_NEW(ids, n < PIECE_ROWS ? n : PIECE_ROWS));
  for (int64_t at = 0; at < n && !reason[0]; at += PIECE_ROWS) {
    const int64_t now = n - at < PIECE_ROWS ? n - at : PIECE_ROWS;
    TUTTI_TRY_GOTO(done, tutti_file_read_rows(file, y, TUTTI_F64, at, now, ids));
    int64_t i = 0;
    while (i < now && ids[i] < n_names) i++;
    if (i < now)
      snprintf(reason, REASON_BYTES, "has %d name%s, but row %lld (from 0) is class %g", n_names,
               n_names == 1 ? "" : "s", (long long)(at + i), ids[i]);
  }
done:
  tutti_free(ids);
  return status;
}

/** Check the number of names.
 * @param[out] reason  set if it is wrong */
static tutti_status find_reason(const tutti_file *file, const char *y, int n_names,
                                char reason[REASON_BYTES]) {
  tutti_array_shape shape;
  TUTTI_TRY(tutti_file_shape(file, y, &shape));
  if (shape.type_class == TUTTI_CLASS_OTHER || shape.n_dims < 1 || shape.n_dims > 2) return TUTTI_OK;
  const int64_t width = shape.n_dims == 2 ? shape.dims[1] : 1;
  if (width == 1) return check_ids(file, y, shape.dims[0], n_names, reason);
  if (width != n_names)
    snprintf(reason, REASON_BYTES, "has %d name%s, but the rows have %lld columns", n_names,
             n_names == 1 ? "" : "s", (long long)width);
  return TUTTI_OK;
}

tutti_status tutti_data_class_names_read(const tutti_file *file, const char *y, tutti_texts *names) {
  char reason[REASON_BYTES] = "";
  *names = (tutti_texts){0};
  if (!tutti_file_has(file, y) || !tutti_file_has_attribute(file, y, "classes")) return TUTTI_OK;
  if (tutti_file_has_texts(file, y, "classes")) {
    TUTTI_TRY(tutti_file_get_texts(file, y, "classes", names));
    const tutti_status status = find_reason(file, y, names->n, reason);
    if (status != TUTTI_OK || reason[0]) tutti_texts_clear(names);
    TUTTI_TRY(status);
  } else {
    snprintf(reason, sizeof reason, "is not a list of texts");
  }
  if (!reason[0]) return TUTTI_OK;
  tutti_log(TUTTI_LOG_WARNING,
            "%s: attribute 'classes' of '%s' %s: it is ignored, and the classes have no names; expected a "
            "name for each "
            "class",
            tutti_file_path(file), y, reason);
  return TUTTI_OK;
}
