/* Attributes: texts, lists of texts, integers and reals, which describe arrays and files.  Checkpoints keep the state
 * of a training in them. */
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "io/io_impl.h"

// --- checksums

/* HDF5 stores texts of any length in a heap without a checksum, so a flipped bit gives another text.  So each text
 * has its checksum in a second attribute, NAME_checksum. */

enum { SUM_NAME_BYTES = 256 };

static void sum_name(const char *name, char sum[SUM_NAME_BYTES]) {
  snprintf(sum, SUM_NAME_BYTES, "%.200s_checksum", name);
}

static int64_t sum_of(const char *const *texts, int n) {
  uint64_t sum = 0;
  for (int i = 0; i < n; i++) sum = tutti_hash(sum, texts[i], (int64_t)strlen(texts[i]) + 1);
  return (int64_t)sum;
}

bool tutti_file_has_checksum(const tutti_file *file, const char *object, const char *name) {
  char sum[SUM_NAME_BYTES];
  sum_name(name, sum);
  return tutti_file_has_attribute(file, object, sum);
}

/** Files of earlier versions and of other programs have no checksum of texts. */
static tutti_status check_sum(const tutti_file *file, const char *object, const char *name,
                              const char *const *texts, int n) {
  char sum[SUM_NAME_BYTES];
  int64_t written = 0;
  sum_name(name, sum);
  if (!tutti_file_has_checksum(file, object, name)) return TUTTI_OK;
  TUTTI_TRY(tutti_file_get_integer(file, object, sum, &written));
  TUTTI_CHECK(
      written == sum_of(texts, n), TUTTI_ERR_DATA,
      "%s: the text of attribute '%s' of '%s' is not the one that was written (its checksum differs): "
      "the file is damaged; copy it again, or take an earlier one",
      file->path, name, object);
  return TUTTI_OK;
}

/** The beginning of a message about an attribute. */
#define ABOUT "%s: attribute '%s' of '%s'", file->path, name, object

// --- writing

/** If there is no such object, the caller is wrong, else the file is. */
static tutti_status look_for_old(const tutti_file *file, const char *object, const char *name,
                                 htri_t *exists) {
  tutti_status status = TUTTI_OK;
  TUTTI_H5_STATUS(status, *exists = H5Aexists_by_name(file->id, object, name, file->access), TUTTI_ERR_DATA,
                  ABOUT);
  return status == TUTTI_OK || tutti_file_has(file, object) ? status : TUTTI_ERR_INTERNAL;
}

/** Make or replace an attribute; n < 0 for a scalar. */
static tutti_status put(tutti_file *file, const char *object, const char *name, hid_t file_type,
                        hid_t memory_type, int n, const void *data) {
  tutti_status status = TUTTI_OK;
  hid_t space = H5I_INVALID_HID, attribute = H5I_INVALID_HID;
  htri_t exists = 0;
  const hsize_t extent = n > 0 ? (hsize_t)n : 0;
  const char *path = file->path;
  const tutti_h5_printer printer = tutti_io_h5_mute();
  TUTTI_TRY_GOTO(done, tutti_file_writable(file));
  TUTTI_TRY_GOTO(done, look_for_old(file, object, name, &exists));
  if (exists) TUTTI_H5(done, H5Adelete_by_name(file->id, object, name, H5P_DEFAULT), TUTTI_ERR_IO, ABOUT);
  TUTTI_H5(done, space = n < 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, &extent, NULL), TUTTI_ERR_SYSTEM,
           ABOUT);
  TUTTI_H5(done,
           attribute = H5Acreate_by_name(file->id, object, name, file_type, space, H5P_DEFAULT, H5P_DEFAULT,
                                         H5P_DEFAULT),
           TUTTI_ERR_IO, "%s: cannot make attribute '%s' of '%s'", path, name, object);
  if (n != 0)
    TUTTI_H5(done, H5Awrite(attribute, memory_type, data), TUTTI_ERR_IO,
             "%s: cannot write attribute '%s' of '%s'", path, name, object);
done:
  tutti_io_h5_release(attribute);
  tutti_io_h5_release(space);
  tutti_io_h5_unmute(printer);
  return tutti_file_check_write(file, status);
}

/** UTF-8 of variable length, which h5py reads as str. */
static tutti_status make_text_type(const tutti_file *file, hid_t *type) {
  TUTTI_H5_TRY(*type = H5Tcopy(H5T_C_S1), TUTTI_ERR_SYSTEM, "%s: type of a text", file->path);
  TUTTI_H5_TRY(H5Tset_size(*type, H5T_VARIABLE), TUTTI_ERR_SYSTEM, "%s: type of a text", file->path);
  TUTTI_H5_TRY(H5Tset_cset(*type, H5T_CSET_UTF8), TUTTI_ERR_SYSTEM, "%s: type of a text", file->path);
  return TUTTI_OK;
}

static tutti_status put_texts(tutti_file *file, const char *object, const char *name,
                              const char *const *texts, int n) {
  tutti_status status = TUTTI_OK;
  hid_t type = H5I_INVALID_HID;
  const tutti_h5_printer printer = tutti_io_h5_mute();
  TUTTI_TRY_GOTO(done, make_text_type(file, &type));
  TUTTI_TRY_GOTO(done, put(file, object, name, type, type, n, texts));
  if (file->sums_texts) {
    char sum[SUM_NAME_BYTES];
    sum_name(name, sum);
    TUTTI_TRY_GOTO(done, tutti_file_set_integer(file, object, sum, sum_of(texts, n < 0 ? 1 : n)));
  }
done:
  tutti_io_h5_release(type);
  tutti_io_h5_unmute(printer);
  return status;
}

tutti_status tutti_file_set_text(tutti_file *file, const char *object, const char *name, const char *text) {
  return put_texts(file, object, name, &text, -1);
}

tutti_status tutti_file_set_texts(tutti_file *file, const char *object, const char *name,
                                  const char *const *texts, int n) {
  TUTTI_CHECK(n >= 0, TUTTI_ERR_INTERNAL, "%s: attribute '%s': %d texts", file->path, name, n);
  return put_texts(file, object, name, texts, n);
}

tutti_status tutti_file_set_integer(tutti_file *file, const char *object, const char *name, int64_t value) {
  return put(file, object, name, H5T_STD_I64LE, H5T_NATIVE_INT64, -1, &value);
}

tutti_status tutti_file_set_real(tutti_file *file, const char *object, const char *name, double value) {
  return put(file, object, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, -1, &value);
}

// --- reading

typedef struct {
  hid_t id, type;
  H5T_class_t type_class;
  int64_t n;
} attribute;

static const attribute no_attribute = {H5I_INVALID_HID, H5I_INVALID_HID, H5T_NO_CLASS, 0};

static void attribute_close(attribute *a) {
  tutti_io_h5_release(a->type);
  tutti_io_h5_release(a->id);
  *a = no_attribute;
}

/** HDF5 fails if the object itself does not exist, so look for that first. */
static tutti_status find(const tutti_file *file, const char *object, const char *name, bool *there) {
  htri_t exists = 0;
  TUTTI_TRY(tutti_io_object_find(file, object, there));
  if (*there)
    TUTTI_H5_TRY(exists = H5Aexists_by_name(file->id, object, name, file->access), TUTTI_ERR_DATA, ABOUT);
  *there = exists > 0;
  return TUTTI_OK;
}

bool tutti_file_has_attribute(const tutti_file *file, const char *object, const char *name) {
  bool there = false;
  // As for tutti_file_has, a damaged attribute counts as one that exists.
  return find(file, object, name, &there) != TUTTI_OK || there;
}

/** Open an attribute with its type and its number of values. */
static tutti_status attribute_open(const tutti_file *file, const char *object, const char *name,
                                   attribute *a) {
  tutti_status status = TUTTI_OK;
  bool there = false;
  hid_t space = H5I_INVALID_HID;
  *a = no_attribute;
  TUTTI_TRY_GOTO(done, find(file, object, name, &there));
  TUTTI_CHECK_GOTO(done, there, TUTTI_ERR_DATA, "%s: '%s' has no attribute '%s'", file->path, object, name);
  TUTTI_H5(done, a->id = H5Aopen_by_name(file->id, object, name, H5P_DEFAULT, file->access), TUTTI_ERR_DATA,
           ABOUT);
  TUTTI_H5(done, a->type = H5Aget_type(a->id), TUTTI_ERR_DATA, ABOUT);
  TUTTI_H5(done, space = H5Aget_space(a->id), TUTTI_ERR_DATA, ABOUT);
  TUTTI_H5(done, a->n = H5Sget_simple_extent_npoints(space), TUTTI_ERR_DATA, ABOUT);
  a->type_class = H5Tget_class(a->type);
done:
  tutti_io_h5_release(space);
  if (status != TUTTI_OK) attribute_close(a);
  return status;
}

/** Read one number of any size. */
static tutti_status get_number(const tutti_file *file, const char *object, const char *name, bool real,
                               hid_t memory_type, void *value) {
  tutti_status status = TUTTI_OK;
  attribute a;
  const tutti_h5_printer printer = tutti_io_h5_mute();
  TUTTI_TRY_GOTO(done, attribute_open(file, object, name, &a));
  const bool is_integer = a.type_class == H5T_INTEGER || a.type_class == H5T_ENUM;
  TUTTI_CHECK_GOTO(done, a.n == 1 && (is_integer || (real && a.type_class == H5T_FLOAT)), TUTTI_ERR_DATA,
                   "%s: attribute '%s' of '%s' is not one %s", file->path, name, object,
                   real ? "number" : "integer");
  TUTTI_H5(done, H5Aread(a.id, memory_type, value), TUTTI_ERR_DATA, "%s: cannot read attribute '%s' of '%s'",
           file->path, name, object);
done:
  attribute_close(&a);
  tutti_io_h5_unmute(printer);
  return status;
}

tutti_status tutti_file_get_integer(const tutti_file *file, const char *object, const char *name,
                                    int64_t *value) {
  return get_number(file, object, name, false, H5T_NATIVE_INT64, value);
}

tutti_status tutti_file_get_real(const tutti_file *file, const char *object, const char *name,
                                 double *value) {
  return get_number(file, object, name, true, H5T_NATIVE_DOUBLE, value);
}

/** Read texts of variable length.  HDF5 allocates each of them, and they are copied. */
static tutti_status read_variable(const tutti_file *file, const char *name, const attribute *a,
                                  tutti_texts *texts) {
  tutti_status status = TUTTI_OK;
  char **theirs = NULL;
  TUTTI_TRY_GOTO(done, TUTTI_NEW(theirs, a->n));
  TUTTI_H5(done, H5Aread(a->id, a->type, theirs), TUTTI_ERR_DATA, "%s: cannot read attribute '%s'",
           file->path, name);
  for (int64_t i = 0; i < a->n; i++) TUTTI_TRY_GOTO(done, tutti_texts_add(texts, theirs[i] ? theirs[i] : ""));
done:
  for (int64_t i = 0; theirs && i < a->n; i++)
    if (theirs[i]) H5free_memory(theirs[i]);
  tutti_free(theirs);
  return status;
}

/** Read texts of a fixed length, for example of NumPy's "S" types.  They are filled up with zeros, or with spaces if
 * Fortran wrote them. */
static tutti_status read_fixed(const tutti_file *file, const char *name, const attribute *a,
                               tutti_texts *texts) {
  tutti_status status = TUTTI_OK;
  const size_t size = H5Tget_size(a->type);
  const bool spaces = H5Tget_strpad(a->type) == H5T_STR_SPACEPAD;
  char *block = NULL;
  TUTTI_TRY_GOTO(done, TUTTI_NEW(block, a->n * (int64_t)size));
  TUTTI_H5(done, H5Aread(a->id, a->type, block), TUTTI_ERR_DATA, "%s: cannot read attribute '%s'", file->path,
           name);
  for (int64_t i = 0; i < a->n; i++) {
    const char *from = block + (size_t)i * size;
    size_t length = strnlen(from, size);
    while (spaces && length > 0 && from[length - 1] == ' ') length--;
    char *text = tutti_texts_add_room(texts, (int64_t)length + 1);
    TUTTI_TRY_GOTO(done, text ? TUTTI_OK : TUTTI_ERR_MEMORY);
    memcpy(text, from, length);
  }
done:
  tutti_free(block);
  return status;
}

bool tutti_file_has_texts(const tutti_file *file, const char *object, const char *name) {
  attribute a;
  // The caller reads a damaged one next, and that reports it.
  if (attribute_open(file, object, name, &a) != TUTTI_OK) return tutti_file_has_attribute(file, object, name);
  const bool texts = a.type_class == H5T_STRING;
  attribute_close(&a);
  return texts;
}

tutti_status tutti_file_get_texts(const tutti_file *file, const char *object, const char *name,
                                  tutti_texts *texts) {
  tutti_status status = TUTTI_OK;
  attribute a;
  const tutti_h5_printer printer = tutti_io_h5_mute();
  *texts = (tutti_texts){0};
  TUTTI_TRY_GOTO(done, attribute_open(file, object, name, &a));
  TUTTI_CHECK_GOTO(done, a.type_class == H5T_STRING, TUTTI_ERR_DATA,
                   "%s: attribute '%s' of '%s' is not a text", file->path, name, object);
  const bool variable = H5Tis_variable_str(a.type) > 0;
  if (a.n > 0) TUTTI_TRY_GOTO(done, (variable ? read_variable : read_fixed)(file, name, &a, texts));
  TUTTI_TRY_GOTO(done, check_sum(file, object, name, (const char *const *)texts->list, texts->n));
done:
  if (status != TUTTI_OK) tutti_texts_clear(texts);
  attribute_close(&a);
  tutti_io_h5_unmute(printer);
  return status;
}

tutti_status tutti_file_get_text(const tutti_file *file, const char *object, const char *name, char **text) {
  tutti_texts texts;
  *text = NULL;
  TUTTI_TRY(tutti_file_get_texts(file, object, name, &texts));
  const int n = texts.n;
  if (n == 1) {
    *text = texts.list[0];
    texts.list[0] = NULL;
  }
  tutti_texts_clear(&texts);
  TUTTI_CHECK(n == 1, TUTTI_ERR_DATA, "%s: attribute '%s' of '%s' has %d texts, expected one", file->path,
              name, object, n);
  return TUTTI_OK;
}
