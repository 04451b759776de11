/* Arrays that are made of others (virtual arrays of HDF5): the place of an array, its sources, and opening these.
 * HDF5 opens the sources by itself, follows an array that is made of itself until the stack is full, and waits for
 * ever for a pipe.  So the sources are found and opened here first, by the rules of external.c.  Every read opens its
 * array with tutti_io_object_open; storage.c and same_array.c look at the sources. */
#include "io/virtual_impl.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define TOO_DEEP                                                                                             \
  "%s: array '%s' is more than %d arrays away from the one that is made of it, or part of itself; "          \
  "write the array into the file itself"

#define ABOUT  "%s: array '%s'", file->path, name
#define OBJECT "%s: %s '%s'", file->path, kind, name

// --- an open array, and its place

void tutti_array_storage_close(tutti_array_storage *s) {
  tutti_io_h5_release(s->space);
  tutti_io_h5_release(s->creation);
  tutti_io_h5_release(s->type);
  tutti_io_h5_release(s->dataset);
  *s = TUTTI_NO_STORAGE;
}

tutti_status tutti_array_storage_open(const tutti_file *file, const char *kind, const char *name,
                                      hid_t access, tutti_array_storage *s) {
  TUTTI_TRY(tutti_io_object_open(file, kind, name, access, &s->dataset));
  TUTTI_H5_TRY(s->type = H5Dget_type(s->dataset), TUTTI_ERR_DATA, OBJECT);
  TUTTI_H5_TRY(s->creation = H5Dget_create_plist(s->dataset), TUTTI_ERR_DATA, OBJECT);
  TUTTI_H5_TRY(s->space = H5Dget_space(s->dataset), TUTTI_ERR_DATA, OBJECT);
  TUTTI_H5_TRY(s->n_dims = H5Sget_simple_extent_dims(s->space, s->dims, NULL), TUTTI_ERR_DATA, OBJECT);
  return TUTTI_OK;
}

/** The address identifies an array in a file, whatever its name is.  HDF5 has changed this call twice. */
static herr_t get_address(hid_t dataset, unsigned char address[TUTTI_ADDRESS_BYTES]) {
#if H5_VERSION_GE(1, 12, 0)
  H5O_info2_t info;
  const herr_t got = H5Oget_info3(dataset, &info, H5O_INFO_BASIC);
  if (got >= 0) memcpy(address, &info.token, TUTTI_ADDRESS_BYTES);
#else
  H5O_info_t info;
#if H5_VERSION_GE(1, 10, 3)
  const herr_t got = H5Oget_info2(dataset, &info, H5O_INFO_BASIC);
#else
  const herr_t got = H5Oget_info(dataset, &info);
#endif
  if (got >= 0) memcpy(address, &info.addr, sizeof info.addr);
#endif
  return got;
}

bool tutti_array_same_place(const tutti_array_place *a, const tutti_array_place *b) {
  return memcmp(a->address, b->address, sizeof a->address) == 0 && tutti_io_same_file(a->file, b->file);
}

/** Find the place of an open array.  Its name may be a link to another file. */
static tutti_status find_place(const tutti_file *file, const char *name, hid_t dataset,
                               const tutti_array_place *above, tutti_array_place *at) {
  ssize_t n = 0;
  TUTTI_H5_TRY(n = H5Fget_name(dataset, at->file, sizeof at->file), TUTTI_ERR_DATA, ABOUT);
  TUTTI_H5_TRY(get_address(dataset, at->address), TUTTI_ERR_DATA, ABOUT);
  snprintf(at->name, sizeof at->name, "%s", name + strspn(name, "/"));
  at->above = above;
  at->bounds = above ? above->bounds : file->bounds;
  return TUTTI_OK;
}

/** The chain of arrays that are made of this one ends, and is short. */
static tutti_status check_circle(const tutti_array_place *at) {
  int depth = 0;
  for (const tutti_array_place *up = at->above; up; up = up->above, depth++)
    TUTTI_CHECK(!tutti_array_same_place(up, at), TUTTI_ERR_DATA,
                "%s: array '%s' takes its rows from itself, so it has no numbers; write the array again",
                at->file, at->name);
  TUTTI_CHECK(depth < TUTTI_MAX_SOURCE_DEPTH, TUTTI_ERR_DATA, TOO_DEEP, at->file, at->name,
              (int)TUTTI_MAX_SOURCE_DEPTH);
  return TUTTI_OK;
}

tutti_status tutti_array_place_open(const tutti_file *file, const char *name, const tutti_array_place *above,
                                    tutti_array_place *at, tutti_array_storage *storage) {
  TUTTI_TRY(tutti_array_storage_open(file, "array", name, H5P_DEFAULT, storage));
  TUTTI_TRY(find_place(file, name, storage->dataset, above, at));
  return check_circle(at);
}

int64_t tutti_array_n_numbers(const tutti_array_storage *s) {
  int64_t n = 1;
  for (int i = 0; i < s->n_dims; i++) n *= (int64_t)s->dims[i];
  return n;
}

// --- sources

void tutti_array_mapping_close(tutti_array_mapping *m) {
  tutti_io_h5_release(m->to);
  tutti_io_h5_release(m->from);
}

tutti_status tutti_array_mapping_open(const tutti_array_place *at, hid_t creation, size_t i,
                                      tutti_array_mapping *m) {
  ssize_t n_file = 0, n_name = 0;
  m->to = m->from = H5I_INVALID_HID;
  TUTTI_H5_TRY(n_file = H5Pget_virtual_filename(creation, i, m->file, sizeof m->file), TUTTI_ERR_DATA,
               TUTTI_SOURCES_OF(at));
  TUTTI_H5_TRY(n_name = H5Pget_virtual_dsetname(creation, i, m->name, sizeof m->name), TUTTI_ERR_DATA,
               TUTTI_SOURCES_OF(at));
  TUTTI_CHECK(n_file < (ssize_t)sizeof m->file && n_name < (ssize_t)sizeof m->name, TUTTI_ERR_DATA,
              "%s: array '%s': a source's name is too long", at->file, at->name);
  TUTTI_H5_TRY(m->to = H5Pget_virtual_vspace(creation, i), TUTTI_ERR_DATA, TUTTI_SOURCES_OF(at));
  TUTTI_H5_TRY(m->from = H5Pget_virtual_srcspace(creation, i), TUTTI_ERR_DATA, TUTTI_SOURCES_OF(at));
  return TUTTI_OK;
}

bool tutti_array_expand_name(const char *pattern, int64_t block, char *text, size_t bytes) {
  bool numbered = false;
  size_t used = 0;
  for (const char *at = pattern; *at && used + 24 < bytes; at++) {
    const bool special = at[0] == '%' && (at[1] == 'b' || at[1] == '%');
    if (special) at++;
    numbered = numbered || (special && *at == 'b');
    if (special && *at == 'b')
      used += (size_t)snprintf(text + used, bytes - used, "%lld", (long long)block);
    else
      text[used++] = *at;
  }
  text[used] = '\0';
  return numbered;
}

bool tutti_array_is_numbered(const tutti_array_mapping *m) {
  char text[TUTTI_PATH_BYTES];
  return tutti_array_expand_name(m->file, 0, text, sizeof text) ||
         tutti_array_expand_name(m->name, 0, text, sizeof text);
}

void tutti_array_close_sources(tutti_file **files) {
  while (*files) {
    tutti_file *file = *files;
    *files = file->next;
    tutti_file_close(&file);
  }
}

tutti_status tutti_array_fail_source(tutti_status status, const tutti_array_place *at) {
  TUTTI_FAIL(status, "%s; array '%s' of %s is made of it", tutti_fail_text(), at->name, at->file);
}

/** Look in at->opened, because a virtual array of single rows names the same file for each row.
 * @return NULL: not yet open */
static tutti_file *find_opened(const tutti_array_place *at, const char *path) {
  tutti_file *file = *at->opened;
  while (file && (strcmp(file->path, path) != 0 || file->bounds->depth != at->bounds->depth + 1))
    file = file->next;
  return file;
}

tutti_status tutti_array_open_source(const tutti_array_place *at, const tutti_array_mapping *m, int64_t block,
                                     tutti_file **file, char name[TUTTI_NAME_BYTES]) {
  char path[TUTTI_PATH_BYTES], file_name[TUTTI_PATH_BYTES];
  *file = NULL;
  tutti_array_expand_name(m->file, block, file_name, sizeof file_name);
  tutti_array_expand_name(m->name, block, name, TUTTI_NAME_BYTES);
  if (strcmp(file_name, ".") == 0)
    snprintf(path, sizeof path, "%s", at->file);
  else if (!tutti_io_external_find(at->file, file_name, "HDF5_VDS_PREFIX", path))
    return TUTTI_OK;
  TUTTI_CHECK(tutti_io_external_allowed(at->bounds, path), TUTTI_ERR_DATA,
              "%s: array '%s' takes rows from %s, " TUTTI_EXTERNAL_ADVICE, at->file, at->name, path,
              at->bounds->within);
  *file = find_opened(at, path);
  if (*file) return TUTTI_OK;
  const tutti_status status = tutti_file_open(path, file);
  if (status != TUTTI_OK) return tutti_array_fail_source(status, at);
  *(*file)->bounds = *at->bounds;
  (*file)->bounds->depth++;
  (*file)->next = *at->opened;
  *at->opened = *file;
  return TUTTI_OK;
}

// --- opening

/** Open a source once, and with it its own sources.
 * @param[out] there  false: HDF5 looks for no further blocks */
static tutti_status try_source(const tutti_array_place *at, const tutti_array_mapping *m, int64_t block,
                               bool *there) {
  char name[TUTTI_NAME_BYTES];
  tutti_file *file = NULL;
  hid_t dataset = H5I_INVALID_HID;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY(tutti_array_open_source(at, m, block, &file, name));
  *there = file && tutti_file_has(file, name);
  if (*there) status = tutti_io_object_open(file, "array", name, H5P_DEFAULT, &dataset);
  tutti_io_h5_release(dataset);
  return status == TUTTI_OK || at->bounds->depth > 0 ? status : tutti_array_fail_source(status, at);
}

/** Open the sources of an endless mapping one after another, as HDF5 does when it is asked for the shape. */
static tutti_status try_mapping(const tutti_array_place *at, hid_t creation, size_t i) {
  tutti_array_mapping m;
  bool there = true;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_array_mapping_open(at, creation, i, &m));
  const bool numbered = tutti_array_is_numbered(&m);
  for (int64_t block = 0; there && tutti_io_selection_is_endless(m.to) && (numbered || block == 0); block++)
    TUTTI_TRY_GOTO(done, try_source(at, &m, block, &there));
done:
  tutti_array_mapping_close(&m);
  return status;
}

/** HDF5 opens all sources of an array that grows with them when it is asked for the shape.  So check these sources
 * before, and do nothing for other arrays.
 * @param[in] dataset  the array `name`, just opened
 * @return ERR_DATA a source is not an HDF5 file, is out of bounds, or is made of the array itself */
static tutti_status check_growing_sources(const tutti_file *file, const char *name, hid_t dataset) {
  hid_t creation = H5I_INVALID_HID;
  size_t n = 0;
  tutti_file *opened = NULL;
  tutti_array_place at = {.opened = &opened};
  tutti_status status = TUTTI_OK;
  TUTTI_H5(done, creation = H5Dget_create_plist(dataset), TUTTI_ERR_DATA, "%s: array '%s'", file->path, name);
  if (H5Pget_layout(creation) != H5D_VIRTUAL) goto done;
  TUTTI_TRY_GOTO(done, find_place(file, name, dataset, NULL, &at));
  TUTTI_CHECK_GOTO(done, file->bounds->depth <= TUTTI_MAX_SOURCE_DEPTH, TUTTI_ERR_DATA, TOO_DEEP, at.file,
                   at.name, (int)TUTTI_MAX_SOURCE_DEPTH);
  TUTTI_H5(done, H5Pget_virtual_count(creation, &n), TUTTI_ERR_DATA, TUTTI_SOURCES_OF(&at));
  for (size_t i = 0; i < n; i++) TUTTI_TRY_GOTO(done, try_mapping(&at, creation, i));
done:
  tutti_array_close_sources(&opened);
  tutti_io_h5_release(creation);
  return status;
}

/** @return ERR_DATA, with the members of the root group */
static tutti_status not_there(const tutti_file *file, const char *kind, const char *name) {
  tutti_texts names;
  char text[512];
  TUTTI_TRY(tutti_file_list(file, "/", &names));
  tutti_text_list(text, sizeof text, (const char *const *)names.list, names.n);
  tutti_texts_clear(&names);
  TUTTI_FAIL(TUTTI_ERR_DATA, "%s: no %s '%s'; the file has: %s", file->path, kind, name,
             text[0] ? text : "nothing");
}

tutti_status tutti_io_object_open(const tutti_file *file, const char *kind, const char *name, hid_t access,
                                  hid_t *dataset) {
  tutti_status status = TUTTI_OK;
  bool there = false;
  TUTTI_TRY(tutti_io_object_find(file, name, &there));
  if (!there) return not_there(file, kind, name);
  TUTTI_H5(done, *dataset = H5Dopen2(file->id, name, access == H5P_DEFAULT ? file->access : access),
           TUTTI_ERR_DATA, "%s: %s '%s'", file->path, kind, name);
  TUTTI_TRY_GOTO(done, check_growing_sources(file, name, *dataset));
done:
  if (status != TUTTI_OK) {
    tutti_io_h5_release(*dataset);
    *dataset = H5I_INVALID_HID;
  }
  return status;
}
