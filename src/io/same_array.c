/* Whether two names lead to one array: by links of any kind, or by a virtual array that is another one as a whole.
 * The data set asks it of x and y, for an autoencoder. */
#include "io/virtual_impl.h"

/** Whether a virtual array is exactly one other array. */
static bool is_whole(const tutti_array_storage *s, const tutti_array_mapping *m,
                     const tutti_array_storage *source) {
  const int64_t n = tutti_array_n_numbers(s);
  return H5Tequal(s->type, source->type) > 0 && tutti_array_n_numbers(source) == n &&
         tutti_io_selection_extent(m->to, s->n_dims, s->dims).n_numbers == n &&
         tutti_io_selection_extent(m->from, source->n_dims, source->dims).n_numbers == n;
}

static tutti_status find_origin(const tutti_file *file, const char *name, const tutti_array_place *above,
                                tutti_file **opened, tutti_array_place *origin);

/** Follow the only source of a virtual array, if the array is exactly that source.
 * @param[in,out] origin  unchanged if it is not */
static tutti_status find_source(const tutti_array_place *at, const tutti_array_storage *s,
                                tutti_array_place *origin) {
  char name[TUTTI_NAME_BYTES];
  tutti_array_mapping m;
  tutti_array_storage source = TUTTI_NO_STORAGE;
  tutti_file *file = NULL;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_array_mapping_open(at, s->creation, 0, &m));
  TUTTI_TRY_GOTO(done, tutti_array_open_source(at, &m, 0, &file, name));
  if (!file || !tutti_file_has(file, name)) goto done; // reading the array will report it
  TUTTI_TRY_GOTO(done, tutti_array_storage_open(file, "array", name, H5P_DEFAULT, &source));
  if (is_whole(s, &m, &source)) TUTTI_TRY_GOTO(done, find_origin(file, name, at, at->opened, origin));
done:
  tutti_array_storage_close(&source);
  tutti_array_mapping_close(&m);
  return status;
}

/** The place of an array at the end of all links, and of virtual arrays that are exactly another array. */
static tutti_status find_origin(const tutti_file *file, const char *name, const tutti_array_place *above,
                                tutti_file **opened, tutti_array_place *origin) {
  tutti_array_storage s = TUTTI_NO_STORAGE;
  tutti_array_place at = {.opened = opened};
  size_t n = 0;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_array_place_open(file, name, above, &at, &s));
  *origin = at;
  if (H5Pget_layout(s.creation) != H5D_VIRTUAL) goto done;
  TUTTI_H5(done, H5Pget_virtual_count(s.creation, &n), TUTTI_ERR_DATA, TUTTI_SOURCES_OF(&at));
  if (n == 1) TUTTI_TRY_GOTO(done, find_source(&at, &s, origin));
done:
  tutti_array_storage_close(&s);
  return status;
}

tutti_status tutti_file_same_array(const tutti_file *file, const char *a, const char *b, bool *same) {
  tutti_file *opened = NULL;
  tutti_array_place at_a = {.file = ""}, at_b = {.file = ""};
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, find_origin(file, a, NULL, &opened, &at_a));
  TUTTI_TRY_GOTO(done, find_origin(file, b, NULL, &opened, &at_b));
  *same = tutti_array_same_place(&at_a, &at_b);
done:
  tutti_array_close_sources(&opened);
  return status;
}
