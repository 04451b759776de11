/* HDF5 reads numbers that nobody has stored as zeros, and says nothing: where a source of a virtual array is
 * gone, where a writer died before all chunks were there, where the file that holds an array's numbers is too
 * short.  It follows a virtual array that is made of itself until the stack is full, and waits for ever for
 * the numbers of a pipe.  So an array is looked at before it is read, without opening what it is made of in
 * HDF5's own way. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "io/io_impl.h"

enum { MAX_DEPTH = 8, NAME_BYTES = 1024, ADDRESS_BYTES = 16 };

#define TOO_DEEP                                                                                             \
  "%s: array '%s' is more than %d arrays away from the one that is made of it, or part of itself; "          \
  "write the array into the file itself"

/** An array of a file that is being looked at, and what it is a source of. */
typedef struct place {
  const struct place *above;  // NULL: it is what the caller asked for
  const tutti_bounds *bounds; // of what the caller asked for
  tutti_file **opened;        // all sources so far: HDF5 will have them open all at once
  char file[TUTTI_PATH_BYTES], name[NAME_BYTES];
  unsigned char address[ADDRESS_BYTES]; // in the file; an array may have several names
} place;

/** What an open array tells of how it is stored. */
typedef struct {
  hid_t dataset, creation, space;
  hsize_t dims[H5S_MAX_RANK];
  int n_dims;
} storage;

static const storage no_storage = {H5I_INVALID_HID, H5I_INVALID_HID, H5I_INVALID_HID, {0}, 0};

static void storage_close(storage *s) {
  tutti_h5_release(s->space);
  tutti_h5_release(s->creation);
  tutti_h5_release(s->dataset);
  *s = no_storage;
}

static tutti_status storage_open(const tutti_file *file, const char *name, hid_t access, storage *s) {
  tutti_status status = TUTTI_OK;
  TUTTI_TRY(tutti_object_open(file, "array", name, access, &s->dataset));
  TUTTI_H5_GET(done, s->creation, H5Dget_create_plist(s->dataset), TUTTI_ERR_DATA, "%s: array '%s'",
               file->path, name);
  TUTTI_H5_GET(done, s->space, H5Dget_space(s->dataset), TUTTI_ERR_DATA, "%s: array '%s'", file->path, name);
  TUTTI_H5_GET(done, s->n_dims, H5Sget_simple_extent_dims(s->space, s->dims, NULL), TUTTI_ERR_DATA,
               "%s: array '%s'", file->path, name);
done:
  return status;
}

static herr_t get_address(hid_t dataset, unsigned char address[ADDRESS_BYTES]) {
#if H5_VERSION_GE(1, 12, 0)
  H5O_info2_t info;
  const herr_t got = H5Oget_info3(dataset, &info, H5O_INFO_BASIC);
  if (got >= 0) memcpy(address, &info.token, ADDRESS_BYTES);
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

static bool same_place(const place *a, const place *b) {
  return memcmp(a->address, b->address, sizeof a->address) == 0 && tutti_same_file(a->file, b->file);
}

/** @param[in] dataset  the array, open */
static tutti_status place_of(const tutti_file *file, const char *name, hid_t dataset, const place *above,
                             place *at) {
  tutti_status status = TUTTI_OK;
  ssize_t n = 0;
  // A link may have led to another file.
  TUTTI_H5_GET(done, n, H5Fget_name(dataset, at->file, sizeof at->file), TUTTI_ERR_DATA, "%s: array '%s'",
               file->path, name);
  TUTTI_H5(done, get_address(dataset, at->address), TUTTI_ERR_DATA, "%s: array '%s'", file->path, name);
  snprintf(at->name, sizeof at->name, "%s", name + strspn(name, "/"));
  at->above = above;
  at->bounds = above ? above->bounds : file->bounds;
done:
  return status;
}

static int64_t product(const storage *s) {
  int64_t n = 1;
  for (int i = 0; i < s->n_dims; i++) n *= (int64_t)s->dims[i];
  return n;
}

// --- chunks and blocks of the file itself

static tutti_status fail_unwritten(const place *at, const char *what) {
  TUTTI_FAIL(
      TUTTI_ERR_DATA,
      "%s: array '%s' was never written %s, and what is missing would be read as zeros; did the program "
      "that wrote it end too early?  Write the array again",
      at->file, at->name, what);
}

/** How many chunks there are; below zero where this HDF5 cannot tell. */
static tutti_status count_chunks(const place *at, const storage *s, int64_t *n) {
  tutti_status status = TUTTI_OK;
  *n = -1;
#if H5_VERSION_GE(1, 10, 5)
  hsize_t count = 0;
  TUTTI_H5(done, H5Dget_num_chunks(s->dataset, s->space, &count), TUTTI_ERR_DATA, "%s: chunks of '%s'",
           at->file, at->name);
  *n = (int64_t)count;
#else
  (void)s;
  goto done;
#endif
done:
  return status;
}

static tutti_status check_chunks(const place *at, const storage *s) {
  hsize_t chunk[H5S_MAX_RANK] = {0};
  int64_t wanted = 1, n = 0;
  char what[128];
  tutti_status status = TUTTI_OK;
  TUTTI_H5(done, H5Pget_chunk(s->creation, s->n_dims, chunk), TUTTI_ERR_DATA, "%s: chunks of '%s'", at->file,
           at->name);
  for (int i = 0; i < s->n_dims; i++)
    wanted *= (int64_t)((s->dims[i] + chunk[i] - 1) / (chunk[i] > 0 ? chunk[i] : 1));
  TUTTI_TRY(count_chunks(at, s, &n));
  if (n < 0 || n >= wanted) return TUTTI_OK;
  snprintf(what, sizeof what, "%s (%lld of its %lld chunks are missing)", n > 0 ? "to its end" : "at all",
           (long long)(wanted - n), (long long)wanted);
  return fail_unwritten(at, what);
done:
  return status;
}

static tutti_status check_block(const place *at, const storage *s) {
  H5D_space_status_t space = H5D_SPACE_STATUS_ALLOCATED;
  tutti_status status = TUTTI_OK;
  TUTTI_H5(done, H5Dget_space_status(s->dataset, &space), TUTTI_ERR_DATA, "%s: array '%s'", at->file,
           at->name);
  if (space != H5D_SPACE_STATUS_ALLOCATED && product(s) > 0) return fail_unwritten(at, "at all");
done:
  return status;
}

// --- numbers in files without a format

static tutti_status check_raw_file(const place *at, const char *name, int64_t wanted) {
  char path[TUTTI_PATH_BYTES];
  struct stat state;
  TUTTI_CHECK(
      tutti_external_find_raw(at->file, name, path) && stat(path, &state) == 0, TUTTI_ERR_MISSING,
      "%s: the numbers of array '%s' are in the file %s, which is not there; put it there (HDF5 looks "
      "in the current folder), or write the array into the file itself",
      at->file, at->name, name);
  TUTTI_CHECK(tutti_external_allowed(at->bounds, path), TUTTI_ERR_DATA,
              "%s: the numbers of array '%s' are in the file %s, " TUTTI_EXTERNAL_ADVICE, at->file, at->name,
              path, at->bounds->within);
  TUTTI_CHECK(S_ISREG(state.st_mode), TUTTI_ERR_DATA,
              "%s: the numbers of array '%s' are in %s, which is no regular file; write the array into the "
              "file itself",
              at->file, at->name, path);
  TUTTI_CHECK((int64_t)state.st_size >= wanted, TUTTI_ERR_DATA,
              "%s: the numbers of array '%s' are in the file %s, which ends after %lld bytes, expected %lld: "
              "the rest would be read as zeros; copy that file again",
              at->file, at->name, path, (long long)state.st_size, (long long)wanted);
  return TUTTI_OK;
}

static tutti_status check_raw(const place *at, const storage *s, int n_files) {
  tutti_status status = TUTTI_OK;
  hid_t type = H5I_INVALID_HID;
  TUTTI_H5_GET(done, type, H5Dget_type(s->dataset), TUTTI_ERR_DATA, "%s: type of '%s'", at->file, at->name);
  int64_t left = product(s) * (int64_t)H5Tget_size(type);
  for (int i = 0; i < n_files && left > 0; i++) {
    char name[TUTTI_PATH_BYTES] = "";
    off_t offset = 0;
    hsize_t size = 0;
    TUTTI_H5(done, H5Pget_external(s->creation, (unsigned)i, sizeof name - 1, name, &offset, &size),
             TUTTI_ERR_DATA, "%s: array '%s'", at->file, at->name);
    const int64_t here = size < (hsize_t)left ? (int64_t)size : left;
    TUTTI_TRY_GOTO(done, check_raw_file(at, name, (int64_t)offset + here));
    left -= here;
  }
done:
  tutti_h5_release(type);
  return status;
}

// --- virtual arrays: made of others

/** Which numbers of the array a source gives, and where they are. */
typedef struct {
  char file[TUTTI_PATH_BYTES], name[NAME_BYTES]; // as they stand, with %b for the number of a block
  hid_t to, from;                                // spaces of both arrays with what is taken selected
} mapping;

static void mapping_close(mapping *m) {
  tutti_h5_release(m->to);
  tutti_h5_release(m->from);
}

static tutti_status mapping_open(const place *at, hid_t creation, size_t i, mapping *m) {
  tutti_status status = TUTTI_OK;
  ssize_t n = 0;
  m->to = m->from = H5I_INVALID_HID;
  TUTTI_H5_GET(done, n, H5Pget_virtual_filename(creation, i, m->file, sizeof m->file), TUTTI_ERR_DATA,
               "%s: sources of '%s'", at->file, at->name);
  TUTTI_CHECK(n < (ssize_t)sizeof m->file, TUTTI_ERR_DATA, "%s: array '%s': a source's name is too long",
              at->file, at->name);
  TUTTI_H5_GET(done, n, H5Pget_virtual_dsetname(creation, i, m->name, sizeof m->name), TUTTI_ERR_DATA,
               "%s: sources of '%s'", at->file, at->name);
  TUTTI_CHECK(n < (ssize_t)sizeof m->name, TUTTI_ERR_DATA, "%s: array '%s': a source's name is too long",
              at->file, at->name);
  TUTTI_H5_GET(done, m->to, H5Pget_virtual_vspace(creation, i), TUTTI_ERR_DATA, "%s: sources of '%s'",
               at->file, at->name);
  TUTTI_H5_GET(done, m->from, H5Pget_virtual_srcspace(creation, i), TUTTI_ERR_DATA, "%s: sources of '%s'",
               at->file, at->name);
done:
  return status;
}

/** %b is the number of the block, %% a percent sign.  @return whether there was a %b */
static bool expand(const char *pattern, int64_t block, char *text, size_t bytes) {
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

/** @param[in,out] opened  gets the sources */
static tutti_status check_array(const tutti_file *file, const char *name, const place *above,
                                tutti_file **opened);

/** What is taken of the source is there.  @param[in] n  how many numbers that is */
static tutti_status check_source_size(const place *at, const tutti_file *file, const char *name, hid_t from,
                                      int64_t n) {
  storage s = no_storage;
  hsize_t first[H5S_MAX_RANK] = {0}, last[H5S_MAX_RANK] = {0};
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, storage_open(file, name, H5P_DEFAULT, &s));
  const tutti_h5_printer printer = tutti_h5_mute();
  const bool whole = H5Sget_select_type(from) == H5S_SEL_ALL; // then it has no shape of its own
  const bool ends =
      !whole && !tutti_selection_is_endless(from) && H5Sget_select_bounds(from, first, last) >= 0;
  bool enough = whole ? product(&s) >= n : H5Sget_simple_extent_ndims(from) == s.n_dims;
  tutti_h5_unmute(printer);
  if (enough && tutti_selection_is_endless(from))
    enough = tutti_selection_extent(from, s.n_dims, s.dims).n_numbers >= n;
  for (int i = 0; ends && enough && i < s.n_dims; i++) enough = last[i] < s.dims[i];
  TUTTI_CHECK_GOTO(done, enough, TUTTI_ERR_DATA,
                   "%s: array '%s' takes more from array '%s' of %s than that has: the rest would be read as "
                   "zeros; write that array, or this one, again",
                   at->file, at->name, name, file->path);
done:
  storage_close(&s);
  return status;
}

/** Files that are linked by `next`. */
static void close_all(tutti_file **files) {
  while (*files) {
    tutti_file *file = *files;
    *files = file->next;
    tutti_file_close(&file);
  }
}

/** The same sentence with what it means for the array above. */
static tutti_status fail_source(tutti_status status, const place *at) {
  char text[2048];
  snprintf(text, sizeof text, "%s", tutti_fail_text());
  TUTTI_FAIL(status, "%s; array '%s' of %s is made of it", text, at->name, at->file);
}

/** One of at->opened; a virtual array of single rows names the same file for each of them.  NULL: not yet open */
static tutti_file *find_opened(const place *at, const char *path) {
  tutti_file *file = *at->opened;
  while (file && (strcmp(file->path, path) != 0 || file->bounds->depth != at->bounds->depth + 1))
    file = file->next;
  return file;
}

/** @param[out] file  of at->opened; NULL: there is none  @param[out] name  of the array in it */
static tutti_status open_source(const place *at, const mapping *m, int64_t block, tutti_file **file,
                                char name[NAME_BYTES]) {
  char path[TUTTI_PATH_BYTES], file_name[TUTTI_PATH_BYTES];
  *file = NULL;
  expand(m->file, block, file_name, sizeof file_name);
  expand(m->name, block, name, NAME_BYTES);
  if (strcmp(file_name, ".") == 0)
    snprintf(path, sizeof path, "%s", at->file);
  else if (!tutti_external_find(at->file, file_name, "HDF5_VDS_PREFIX", path))
    return TUTTI_OK;
  TUTTI_CHECK(tutti_external_allowed(at->bounds, path), TUTTI_ERR_DATA,
              "%s: array '%s' takes rows from %s, " TUTTI_EXTERNAL_ADVICE, at->file, at->name, path,
              at->bounds->within);
  *file = find_opened(at, path);
  if (*file) return TUTTI_OK;
  const tutti_status status = tutti_file_open(path, file);
  if (status != TUTTI_OK) return fail_source(status, at);
  *(*file)->bounds = *at->bounds;
  (*file)->bounds->depth++;
  (*file)->next = *at->opened;
  *at->opened = *file;
  return TUTTI_OK;
}

/** @param[in] n  how many numbers the block has */
static tutti_status check_source(const place *at, const mapping *m, int64_t block, int64_t n) {
  char file_name[TUTTI_PATH_BYTES], name[NAME_BYTES];
  tutti_file *file = NULL;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY(open_source(at, m, block, &file, name));
  expand(m->file, block, file_name, sizeof file_name);
  TUTTI_CHECK(
      file, TUTTI_ERR_MISSING,
      "%s: array '%s' takes rows from %s, which is not there: they would be read as zeros; put that file "
      "beside this one, or write the array into the file itself",
      at->file, at->name, file_name);
  if (strcmp(file->checked, name) != 0) TUTTI_TRY_GOTO(done, check_array(file, name, at, at->opened));
  if (strlen(name) < sizeof file->checked) strcpy(file->checked, name); // a longer one is looked at again
  TUTTI_TRY_GOTO(done, check_source_size(at, file, name, m->from, n));
done:
  return status == TUTTI_OK ? TUTTI_OK : fail_source(status, at);
}

static bool is_numbered(const mapping *m) {
  char text[TUTTI_PATH_BYTES];
  return expand(m->file, 0, text, sizeof text) || expand(m->name, 0, text, sizeof text);
}

/** @param[in,out] covered  gets what this mapping gives  @param[in,out] endless  whether one goes on without end */
static tutti_status check_mapping(const place *at, const storage *s, size_t i, hid_t covered, bool *endless) {
  mapping m;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, mapping_open(at, s->creation, i, &m));
  const tutti_extent e = tutti_selection_extent(m.to, s->n_dims, s->dims);
  const int64_t n = is_numbered(&m) && e.endless ? e.n_blocks : 1;
  for (int64_t block = 0; block < n; block++)
    TUTTI_TRY_GOTO(done, check_source(at, &m, block, e.n_numbers / n));
  *endless = *endless || e.endless;
  TUTTI_H5(done, tutti_selection_add(covered, m.to, s->n_dims, s->dims), TUTTI_ERR_DATA,
           "%s: sources of '%s'", at->file, at->name);
done:
  mapping_close(&m);
  return status;
}

/** Closes the array: while it is open, HDF5 may hold files of its sources open in its own way. */
static tutti_status check_sources(const place *at, storage *s, bool *endless) {
  tutti_status status = TUTTI_OK;
  size_t n = 0;
  hid_t covered = H5I_INVALID_HID; // sources may overlap, so their sizes do not tell
  int64_t n_covered = 0;
  tutti_h5_release(s->dataset);
  s->dataset = H5I_INVALID_HID;
  TUTTI_H5(done, H5Pget_virtual_count(s->creation, &n), TUTTI_ERR_DATA, "%s: sources of '%s'", at->file,
           at->name);
  TUTTI_H5_GET(done, covered, H5Screate_simple(s->n_dims, s->dims, NULL), TUTTI_ERR_DATA,
               "%s: sources of '%s'", at->file, at->name);
  TUTTI_H5(done, H5Sselect_none(covered), TUTTI_ERR_DATA, "%s: sources of '%s'", at->file, at->name);
  for (size_t i = 0; i < n; i++) TUTTI_TRY_GOTO(done, check_mapping(at, s, i, covered, endless));
  TUTTI_H5_GET(done, n_covered, tutti_selection_count(covered, s->n_dims, s->dims), TUTTI_ERR_DATA,
               "%s: sources of '%s'", at->file, at->name);
  TUTTI_CHECK_GOTO(
      done, n_covered == product(s), TUTTI_ERR_DATA,
      "%s: array '%s' is made of others, but none has %lld of its %lld numbers: they would be read as "
      "zeros; write the array again",
      at->file, at->name, (long long)(product(s) - n_covered), (long long)product(s));
done:
  tutti_h5_release(covered);
  return status;
}

// --- arrays that grow with their sources

/** The source can be opened, and so can its own ones.  @param[out] there  as far as HDF5 will look for them */
static tutti_status try_source(const place *at, const mapping *m, int64_t block, bool *there) {
  char name[NAME_BYTES];
  tutti_file *file = NULL;
  hid_t dataset = H5I_INVALID_HID;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY(open_source(at, m, block, &file, name));
  *there = file && tutti_file_has(file, name);
  if (*there) status = tutti_object_open(file, "array", name, H5P_DEFAULT, &dataset);
  tutti_h5_release(dataset);
  return status == TUTTI_OK || at->bounds->depth > 0 ? status : fail_source(status, at);
}

static tutti_status try_mapping(const place *at, hid_t creation, size_t i) {
  mapping m;
  bool there = true;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, mapping_open(at, creation, i, &m));
  const bool numbered = is_numbered(&m);
  for (int64_t block = 0; there && tutti_selection_is_endless(m.to) && (numbered || block == 0); block++)
    TUTTI_TRY_GOTO(done, try_source(at, &m, block, &there));
done:
  mapping_close(&m);
  return status;
}

tutti_status tutti_storage_check_growing(const tutti_file *file, const char *name, hid_t dataset) {
  hid_t creation = H5I_INVALID_HID;
  size_t n = 0;
  tutti_file *opened = NULL;
  place at = {.opened = &opened};
  tutti_status status = TUTTI_OK;
  TUTTI_H5_GET(done, creation, H5Dget_create_plist(dataset), TUTTI_ERR_DATA, "%s: array '%s'", file->path,
               name);
  if (H5Pget_layout(creation) != H5D_VIRTUAL) goto done;
  TUTTI_TRY_GOTO(done, place_of(file, name, dataset, NULL, &at));
  TUTTI_CHECK_GOTO(done, file->bounds->depth <= MAX_DEPTH, TUTTI_ERR_DATA, TOO_DEEP, at.file, at.name,
                   (int)MAX_DEPTH);
  TUTTI_H5(done, H5Pget_virtual_count(creation, &n), TUTTI_ERR_DATA, "%s: sources of '%s'", at.file, at.name);
  for (size_t i = 0; i < n; i++) TUTTI_TRY_GOTO(done, try_mapping(&at, creation, i));
done:
  close_all(&opened);
  tutti_h5_release(creation);
  return status;
}

/** An array that grows with its sources is as long as the longest of them; where nothing is missing it is as
 * long as the shortest.  It must not be open elsewhere: the first who opens it decides how it is seen. */
static tutti_status check_growing(const tutti_file *file, const char *name, int64_t n) {
  storage shortest = no_storage;
  hid_t access = H5I_INVALID_HID;
  tutti_status status = TUTTI_OK;
  TUTTI_H5_GET(done, access, H5Pcopy(file->access), TUTTI_ERR_SYSTEM, "%s: access list", file->path);
  TUTTI_H5(done, H5Pset_virtual_view(access, H5D_VDS_FIRST_MISSING), TUTTI_ERR_SYSTEM, "%s: access list",
           file->path);
  TUTTI_TRY_GOTO(done, storage_open(file, name, access, &shortest));
  TUTTI_CHECK_GOTO(
      done, product(&shortest) == n, TUTTI_ERR_DATA,
      "%s: array '%s' grows with its sources, but one of them is shorter than another: %lld of its "
      "%lld numbers would be read as zeros; write the rest of that source",
      file->path, name, (long long)(n - product(&shortest)), (long long)n);
done:
  storage_close(&shortest);
  tutti_h5_release(access);
  return status;
}

// --- any array

static tutti_status check_circle(const place *at) {
  int depth = 0;
  for (const place *up = at->above; up; up = up->above, depth++)
    TUTTI_CHECK(!same_place(up, at), TUTTI_ERR_DATA,
                "%s: array '%s' takes its rows from itself, so it holds no numbers; write the array again",
                at->file, at->name);
  TUTTI_CHECK(depth < MAX_DEPTH, TUTTI_ERR_DATA, TOO_DEEP, at->file, at->name, (int)MAX_DEPTH);
  return TUTTI_OK;
}

static tutti_status check_storage(const place *at, storage *s, bool *endless) {
  switch (H5Pget_layout(s->creation)) {
  case H5D_VIRTUAL:
    return check_sources(at, s, endless);
  case H5D_CHUNKED:
    return check_chunks(at, s);
  case H5D_CONTIGUOUS: {
    const int n_files = H5Pget_external_count(s->creation);
    return n_files > 0 ? check_raw(at, s, n_files) : check_block(at, s);
  }
  default:
    return TUTTI_OK; // in the header of the array, so it is there
  }
}

/** The same sentence with the name by which the caller asked for the array. */
static tutti_status fail_linked(tutti_status status, const tutti_file *file, const char *name) {
  char text[2048];
  snprintf(text, sizeof text, "%s", tutti_fail_text());
  TUTTI_FAIL(status, "%s; '%s' of %s is a link to it", text, name, file->path);
}

static tutti_status check_array(const tutti_file *file, const char *name, const place *above,
                                tutti_file **opened) {
  storage s = no_storage;
  place at = {.opened = opened};
  bool endless = false;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, storage_open(file, name, H5P_DEFAULT, &s));
  TUTTI_TRY_GOTO(done, place_of(file, name, s.dataset, above, &at));
  TUTTI_TRY_GOTO(done, check_circle(&at));
  TUTTI_TRY_GOTO(done, check_storage(&at, &s, &endless));
  const int64_t n = product(&s);
  storage_close(&s);
  if (endless) TUTTI_TRY_GOTO(done, check_growing(file, name, n));
done:
  if (status != TUTTI_OK && at.file[0] && !tutti_same_file(at.file, file->path))
    status = fail_linked(status, file, name);
  storage_close(&s);
  return status;
}

tutti_status tutti_file_check_stored(const tutti_file *file, const char *name) {
  tutti_file *opened = NULL;
  const tutti_status status = check_array(file, name, NULL, &opened);
  close_all(&opened);
  return status;
}

// --- one array with two names

/** Of a virtual array: it is one other, all of it and as it is. */
static bool is_whole(const storage *s, const mapping *m, const storage *source) {
  const hid_t type = H5Dget_type(s->dataset), source_type = H5Dget_type(source->dataset);
  const bool same_type = H5Tequal(type, source_type) > 0;
  H5Tclose(type);
  H5Tclose(source_type);
  return same_type && product(source) == product(s) &&
         tutti_selection_extent(m->to, s->n_dims, s->dims).n_numbers == product(s) &&
         tutti_selection_extent(m->from, source->n_dims, source->dims).n_numbers == product(s);
}

static tutti_status find_origin(const tutti_file *file, const char *name, const place *above,
                                tutti_file **opened, place *origin);

/** The only source of a virtual array, where that is it; *origin stays where it is not. */
static tutti_status find_source(const place *at, const storage *s, place *origin) {
  char name[NAME_BYTES];
  mapping m;
  storage source = no_storage;
  tutti_file *file = NULL;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, mapping_open(at, s->creation, 0, &m));
  TUTTI_TRY_GOTO(done, open_source(at, &m, 0, &file, name));
  if (!file || !tutti_file_has(file, name)) goto done; // whoever reads it will say so
  TUTTI_TRY_GOTO(done, storage_open(file, name, H5P_DEFAULT, &source));
  if (is_whole(s, &m, &source)) TUTTI_TRY_GOTO(done, find_origin(file, name, at, at->opened, origin));
done:
  storage_close(&source);
  mapping_close(&m);
  return status;
}

/** Where an array is: behind links, and behind virtual arrays that are another one as a whole. */
static tutti_status find_origin(const tutti_file *file, const char *name, const place *above,
                                tutti_file **opened, place *origin) {
  storage s = no_storage;
  place at = {.opened = opened};
  size_t n = 0;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, storage_open(file, name, H5P_DEFAULT, &s));
  TUTTI_TRY_GOTO(done, place_of(file, name, s.dataset, above, &at));
  TUTTI_TRY_GOTO(done, check_circle(&at));
  *origin = at;
  if (H5Pget_layout(s.creation) != H5D_VIRTUAL) goto done;
  TUTTI_H5(done, H5Pget_virtual_count(s.creation, &n), TUTTI_ERR_DATA, "%s: sources of '%s'", at.file,
           at.name);
  if (n == 1) TUTTI_TRY_GOTO(done, find_source(&at, &s, origin));
done:
  storage_close(&s);
  return status;
}

tutti_status tutti_file_same_array(const tutti_file *file, const char *a, const char *b, bool *same) {
  tutti_file *opened = NULL;
  place at_a = {.file = ""}, at_b = {.file = ""};
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, find_origin(file, a, NULL, &opened, &at_a));
  TUTTI_TRY_GOTO(done, find_origin(file, b, NULL, &opened, &at_b));
  *same = same_place(&at_a, &at_b);
done:
  close_all(&opened);
  return status;
}
