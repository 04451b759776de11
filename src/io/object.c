/* Names in a file: looks for links, makes groups and data sets, lists members.  Files of arrays, tables and
 * attributes call it. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "io/io_impl.h"

/** The beginnings of messages about a name; it may not exist. */
#define ABOUT             "%s: '%s'", file->path, name
#define LOOKING_FOR(name) "%s: cannot look for '%s'", file->path, name

/** The next '/' that ends a part of a name, or the end of the name. */
static char *part_end(char *from) {
  from += strspn(from, "/");
  return from + strcspn(from, "/");
}

/** A link may lead nowhere.  That is damage, and not the same as a name that does not exist. */
static tutti_status check_leads(const tutti_file *file, const char *name) {
  htri_t leads = 0;
  TUTTI_H5_TRY(leads = H5Oexists_by_name(file->id, name, file->access), TUTTI_ERR_DATA, LOOKING_FOR(name));
  TUTTI_CHECK(leads, TUTTI_ERR_DATA,
              "%s: '%s' is a link to something that does not exist; write it again, or remove the link",
              file->path, name);
  return TUTTI_OK;
}

/** HDF5 can look for a link only if all links above it exist, so go down from the root. */
tutti_status tutti_io_object_find(const tutti_file *file, const char *name, bool *there) {
  tutti_status status = TUTTI_OK;
  htri_t exists = 1;
  char *part = tutti_strdup(name);
  if (!part) return TUTTI_ERR_MEMORY;
  for (char *end = part_end(part), *last = part; exists && end > last && end[-1] != '/';
       end = part_end(end)) {
    const char kept = *end;
    *end = '\0';
    TUTTI_H5(done, exists = H5Lexists(file->id, part, file->access), TUTTI_ERR_DATA, LOOKING_FOR(part));
    *end = kept;
    last = end;
  }
  if (exists) status = check_leads(file, name[0] ? name : "/");
done:
  tutti_free(part);
  *there = exists > 0;
  return tutti_io_external_check_links(file->bounds, status);
}

bool tutti_file_has(const tutti_file *file, const char *name) {
  bool there = false;
  // A name at a damaged place counts as one that exists: reading will report the damage.
  return tutti_io_object_find(file, name, &there) != TUTTI_OK || there;
}

/** Make a creation list of a class.  Time stamps would make files differ that have the same content. */
static tutti_status make_list(const tutti_file *file, hid_t list_class, hid_t *list) {
  TUTTI_H5_TRY(*list = H5Pcreate(list_class), TUTTI_ERR_SYSTEM, "%s: creation list", file->path);
  TUTTI_H5_TRY(H5Pset_obj_track_times(*list, false), TUTTI_ERR_SYSTEM, "%s: creation list", file->path);
  return TUTTI_OK;
}

/** Make one group, if it does not exist. */
static tutti_status make_group(tutti_file *file, const char *name, hid_t creation) {
  htri_t exists = 0;
  hid_t group = H5I_INVALID_HID;
  TUTTI_H5_TRY(exists = H5Lexists(file->id, name, H5P_DEFAULT), TUTTI_ERR_DATA, LOOKING_FOR(name));
  if (!exists)
    TUTTI_H5_TRY(group = H5Gcreate2(file->id, name, H5P_DEFAULT, creation, H5P_DEFAULT), TUTTI_ERR_IO,
                 "%s: cannot make group '%s'", file->path, name);
  tutti_io_h5_release(group);
  return TUTTI_OK;
}

/** Make groups one by one, because HDF5's own property for it gives them time stamps. */
static tutti_status make_groups(tutti_file *file, const char *name) {
  tutti_status status = TUTTI_OK;
  hid_t creation = H5I_INVALID_HID;
  char *part = tutti_strdup(name);
  if (!part) return TUTTI_ERR_MEMORY;
  TUTTI_TRY_GOTO(done, make_list(file, H5P_GROUP_CREATE, &creation));
  for (char *end = part_end(part); *end; end = part_end(end)) {
    *end = '\0';
    TUTTI_TRY_GOTO(done, make_group(file, part, creation));
    *end = '/';
  }
done:
  tutti_io_h5_release(creation);
  tutti_free(part);
  return status;
}

/** Put the filters of a chunk into a creation list.  The checksum is the last one, so that it is of the bytes in the
 * file. */
static tutti_status set_filters(const tutti_file *file, const char *name, hid_t type,
                                const tutti_array_form *form, hid_t creation) {
  TUTTI_H5_TRY(H5Pset_chunk(creation, form->n_dims, form->chunk), TUTTI_ERR_SYSTEM, ABOUT);
  if (form->deflate > 0) {
    // Shuffling puts bytes of the same place in a number together, so single bytes need none.
    if (H5Tget_size(type) > 1) TUTTI_H5_TRY(H5Pset_shuffle(creation), TUTTI_ERR_SYSTEM, ABOUT);
    TUTTI_H5_TRY(H5Pset_deflate(creation, (unsigned)form->deflate), TUTTI_ERR_SYSTEM, ABOUT);
  }
  TUTTI_H5_TRY(H5Pset_fletcher32(creation), TUTTI_ERR_SYSTEM, ABOUT);
  return TUTTI_OK;
}

tutti_status tutti_io_object_create(tutti_file *file, const char *kind, const char *name, hid_t type,
                                    const tutti_array_form *form, hid_t *dataset) {
  tutti_status status = TUTTI_OK;
  hid_t creation = H5I_INVALID_HID, space = H5I_INVALID_HID;
  bool there = false;
  *dataset = H5I_INVALID_HID;
  TUTTI_TRY_GOTO(done, make_list(file, H5P_DATASET_CREATE, &creation));
  if (form->chunk) TUTTI_TRY_GOTO(done, set_filters(file, name, type, form, creation));
  TUTTI_H5(done, space = H5Screate_simple(form->n_dims, form->dims, form->max_dims), TUTTI_ERR_SYSTEM, ABOUT);
  TUTTI_TRY_GOTO(done, tutti_io_object_find(file, name, &there));
  TUTTI_CHECK_GOTO(done, !there, TUTTI_ERR_INTERNAL, "%s: cannot make %s '%s': it already exists", file->path,
                   kind, name);
  TUTTI_TRY_GOTO(done, make_groups(file, name));
  TUTTI_H5(done, *dataset = H5Dcreate2(file->id, name, type, space, H5P_DEFAULT, creation, H5P_DEFAULT),
           TUTTI_ERR_IO, "%s: cannot make %s '%s'", file->path, kind, name);
done:
  tutti_io_h5_release(space);
  tutti_io_h5_release(creation);
  return status;
}

/** The first call gives the length of the name, the second the name. */
static tutti_status read_name(const tutti_file *file, hid_t group, hsize_t i, tutti_texts *names) {
  char *name = NULL;
  ssize_t length = 0;
  for (int call = 0; call < 2; call++) {
    TUTTI_H5_TRY(length = H5Lget_name_by_idx(group, ".", H5_INDEX_NAME, H5_ITER_INC, i, name,
                                             (size_t)length + 1, H5P_DEFAULT),
                 TUTTI_ERR_DATA, "%s: cannot list a group", file->path);
    if (!name) name = tutti_texts_add_room(names, length + 1);
    if (!name) return TUTTI_ERR_MEMORY;
  }
  return TUTTI_OK;
}

tutti_status tutti_file_list(const tutti_file *file, const char *group, tutti_texts *names) {
  tutti_status status = TUTTI_OK;
  hid_t id = H5I_INVALID_HID;
  H5G_info_t info;
  *names = (tutti_texts){0};
  bool there = false;
  TUTTI_TRY(tutti_io_object_find(file, group, &there));
  TUTTI_CHECK(there, TUTTI_ERR_DATA, "%s: no group '%s'", file->path, group);
  TUTTI_H5(done, id = H5Oopen(file->id, group[0] ? group : "/", file->access), TUTTI_ERR_DATA,
           "%s: cannot list '%s'", file->path, group);
  TUTTI_H5(done, H5Gget_info(id, &info), TUTTI_ERR_DATA, "%s: cannot list '%s'", file->path, group);
  for (hsize_t i = 0; i < info.nlinks; i++) TUTTI_TRY_GOTO(done, read_name(file, id, i, names));
done:
  tutti_io_h5_release(id);
  if (status != TUTTI_OK) tutti_texts_clear(names);
  return status;
}
