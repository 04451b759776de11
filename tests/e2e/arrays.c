/** Data set files that are odd in one way each, and the numbers of an array as text: what the scripts here
 * cannot do with the program itself.
 *
 *   e2e_arrays make FOLDER        writes the files
 *   e2e_arrays print FILE ARRAY   a line for each row
 *   e2e_arrays rows FILE TABLE    how many */
#include <hdf5.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "flip_filter.h"
#include "tutti/io.h"

enum { N_TRAIN = 20, N_TEST = 6, N_IN = 4, N_CLASSES = 3, SIDE = 6 };

/** A sound data set of three classes, to be spoilt. */
typedef struct {
  float x[N_TRAIN * N_IN], x_test[N_TEST * (N_IN + 1)], y[N_TRAIN];
  int32_t y_test[N_TEST];
  int64_t n_y, n_in_test; // rows of y_train, features of x_test
  bool no_y, no_x;        // not written
  bool x_val, y_val;      // written: the test rows once more
  const char *x_name;
} odd;

static odd make_sound(void) {
  odd o = {.n_y = N_TRAIN, .n_in_test = N_IN, .x_name = "x_train"};
  for (int i = 0; i < N_TRAIN * N_IN; i++) o.x[i] = (float)((i * 7) % 11) / 11;
  for (int i = 0; i < N_TEST * (N_IN + 1); i++) o.x_test[i] = (float)((i * 5) % 11) / 11;
  for (int i = 0; i < N_TRAIN; i++) o.y[i] = (float)(i % N_CLASSES);
  for (int i = 0; i < N_TEST; i++) o.y_test[i] = i % N_CLASSES;
  return o;
}

static tutti_status write_parts(tutti_file *file, const odd *o) {
  if (!o->no_x)
    TUTTI_TRY(tutti_file_write(file, o->x_name, TUTTI_F32, 2, (int64_t[]){N_TRAIN, N_IN}, 0, o->x));
  if (!o->no_y) TUTTI_TRY(tutti_file_write(file, "y_train", TUTTI_F32, 1, &o->n_y, 0, o->y));
  const int64_t x_test[] = {N_TEST, o->n_in_test}, y_test[] = {N_TEST};
  if (o->x_val) TUTTI_TRY(tutti_file_write(file, "x_val", TUTTI_F32, 2, x_test, 0, o->x_test));
  if (o->y_val) TUTTI_TRY(tutti_file_write(file, "y_val", TUTTI_I32, 1, y_test, 0, o->y_test));
  TUTTI_TRY(tutti_file_write(file, "x_test", TUTTI_F32, 2, x_test, 0, o->x_test));
  return tutti_file_write(file, "y_test", TUTTI_I32, 1, y_test, 0, o->y_test);
}

static tutti_status write_odd(const char *folder, const char *name, const odd *o) {
  char path[1024];
  tutti_file *file = NULL;
  tutti_status status = TUTTI_OK;
  snprintf(path, sizeof path, "%s/%s.h5", folder, name);
  TUTTI_TRY_GOTO(done, tutti_file_create(path, &file));
  TUTTI_TRY_GOTO(done, write_parts(file, o));
  TUTTI_TRY_GOTO(done, tutti_file_commit(&file));
done:
  tutti_file_close(&file);
  return status;
}

/** Spoilt numbers and shapes. */
static tutti_status make_numbers(const char *folder) {
  odd o = make_sound();
  TUTTI_TRY(write_odd(folder, "sound", &o));
  o.x_val = true;
  TUTTI_TRY(write_odd(folder, "val_half", &o));
  o.y_val = true;
  TUTTI_TRY(write_odd(folder, "val", &o));
  o = make_sound();
  o.n_y = N_TRAIN - 1;
  TUTTI_TRY(write_odd(folder, "short_y", &o));
  o = make_sound();
  o.y[7] = 9;
  TUTTI_TRY(write_odd(folder, "label_high", &o));
  o.y[7] = -1;
  TUTTI_TRY(write_odd(folder, "label_negative", &o));
  o.y[7] = 1.5F;
  TUTTI_TRY(write_odd(folder, "label_fraction", &o));
  o = make_sound();
  o.y_test[2] = 3;
  TUTTI_TRY(write_odd(folder, "label_test", &o));
  o = make_sound();
  o.x[5 * N_IN + 2] = NAN;
  TUTTI_TRY(write_odd(folder, "nan", &o));
  o = make_sound();
  o.x_test[3 * N_IN + 1] = INFINITY;
  TUTTI_TRY(write_odd(folder, "inf_test", &o));
  o = make_sound();
  o.n_in_test = N_IN + 1;
  TUTTI_TRY(write_odd(folder, "wide_test", &o));
  o = make_sound();
  o.no_y = true;
  TUTTI_TRY(write_odd(folder, "no_y", &o));
  o = make_sound();
  o.x_name = "x_trian";
  return write_odd(folder, "misspelt", &o);
}

/** Arrays that only HDF5 itself makes, in a file of which `o` has the rest. */
static tutti_status make_foreign(const char *folder, const char *name, const odd *o, const char *array,
                                 hid_t type, int n_dims, const hsize_t *dims) {
  char path[1024];
  TUTTI_TRY(write_odd(folder, name, o));
  snprintf(path, sizeof path, "%s/%s.h5", folder, name);
  const hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
  const hid_t space = n_dims > 0 ? H5Screate_simple(n_dims, dims, NULL) : H5Screate(H5S_SCALAR);
  const hid_t links = H5Pcreate(H5P_LINK_CREATE);
  H5Pset_create_intermediate_group(links, 1);
  const hid_t made = H5Dcreate2(file, array, type, space, links, H5P_DEFAULT, H5P_DEFAULT);
  H5Pclose(links);
  H5Dclose(made);
  H5Sclose(space);
  TUTTI_CHECK(made >= 0 && H5Fclose(file) >= 0, TUTTI_ERR_INTERNAL, "%s: not made", path);
  return TUTTI_OK;
}

static tutti_status make_shapes(const char *folder) {
  odd no_x = make_sound(), no_y = make_sound();
  no_x.no_x = no_y.no_y = true;
  const hid_t text = H5Tcopy(H5T_C_S1), f32 = H5T_NATIVE_FLOAT;
  H5Tset_size(text, 8);
  TUTTI_TRY(make_foreign(folder, "text_x", &no_x, "x_train", text, 2, (hsize_t[]){N_TRAIN, N_IN}));
  TUTTI_TRY(make_foreign(folder, "text_y", &no_y, "y_train", text, 1, (hsize_t[]){N_TRAIN}));
  H5Tclose(text);
  TUTTI_TRY(make_foreign(folder, "scalar_x", &no_x, "x_train", f32, 0, NULL));
  TUTTI_TRY(make_foreign(folder, "no_rows", &no_x, "x_train", f32, 2, (hsize_t[]){0, N_IN}));
  TUTTI_TRY(make_foreign(folder, "no_features", &no_x, "x_train", f32, 2, (hsize_t[]){N_TRAIN, 0}));
  TUTTI_TRY(make_foreign(folder, "cube_y", &no_y, "y_train", f32, 3, (hsize_t[]){N_TRAIN, 2, 2}));
  return make_foreign(folder, "group_x", &no_x, "x_train/inside", f32, 1, (hsize_t[]){N_TRAIN});
}

/** An array of a sound file, of which the first `n_rows` are written; sound features are there as x_real.
 * @param[in] creation  how it is stored */
static tutti_status make_stored(const char *folder, const char *name, const char *array, hid_t creation,
                                hsize_t n_rows) {
  odd o = make_sound();
  const bool is_x = strcmp(array, "x_train") == 0;
  const hsize_t dims[] = {N_TRAIN, N_IN}, first[] = {0, 0}, count[] = {n_rows, N_IN};
  const hsize_t most[] = {H5S_UNLIMITED, N_IN};
  const bool grows = H5Pget_layout(creation) == H5D_VIRTUAL;
  char path[1024];
  if (is_x) o.x_name = "x_real";
  o.no_y = strcmp(array, "y_train") == 0;
  TUTTI_TRY(write_odd(folder, name, &o));
  snprintf(path, sizeof path, "%s/%s.h5", folder, name);
  const hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
  const hid_t space = H5Screate_simple(is_x ? 2 : 1, dims, grows ? most : NULL);
  const hid_t memory = H5Scopy(space);
  const hid_t made = H5Dcreate2(file, array, H5T_NATIVE_FLOAT, space, H5P_DEFAULT, creation, H5P_DEFAULT);
  herr_t ok = 0;
  if (n_rows > 0) {
    H5Sselect_hyperslab(space, H5S_SELECT_SET, first, NULL, count, NULL);
    H5Sselect_hyperslab(memory, H5S_SELECT_SET, first, NULL, count, NULL);
    ok = H5Dwrite(made, H5T_NATIVE_FLOAT, memory, space, H5P_DEFAULT, is_x ? o.x : o.y);
  }
  H5Dclose(made);
  H5Sclose(memory);
  H5Sclose(space);
  H5Pclose(creation);
  TUTTI_CHECK(made >= 0 && ok >= 0 && H5Fclose(file) >= 0, TUTTI_ERR_INTERNAL, "%s: not made", path);
  return TUTTI_OK;
}

static hid_t chunked(int n_dims, bool deflated) {
  const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_chunk(creation, n_dims, (hsize_t[]){5, N_IN});
  if (deflated) H5Pset_deflate(creation, 1);
  return creation;
}

/** Its chunks go through a filter that no HDF5 has. */
static hid_t filtered(int n_dims) {
  const hid_t creation = chunked(n_dims, false);
  if (H5Zregister(&flip_filter) >= 0) H5Pset_filter(creation, FLIP_FILTER, 0, 0, NULL);
  return creation;
}

/** Its numbers are in the file `raw`. */
static hid_t raw(const char *file) {
  const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_external(creation, file, 0, (hsize_t)N_TRAIN * N_IN * sizeof(float));
  return creation;
}

/** Rows [begin, end) are those of `array` in another file. */
static void add_source(hid_t creation, const char *file, const char *array, hsize_t begin, hsize_t end) {
  const hsize_t dims[] = {N_TRAIN, N_IN}, first[] = {begin, 0}, count[] = {end - begin, N_IN};
  const hid_t space = H5Screate_simple(2, dims, NULL);
  H5Sselect_hyperslab(space, H5S_SELECT_SET, first, NULL, count, NULL);
  H5Pset_virtual(creation, space, file, array, space);
  H5Sclose(space);
}

/** The first `n_rows` rows are those of `array` in another file. */
static hid_t virtual(const char *file, const char *array, hsize_t n_rows) {
  const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
  add_source(creation, file, array, 0, n_rows);
  return creation;
}

/** Half of the rows twice, or once and then all of them. */
static hid_t overlapping(hsize_t n_rows) {
  const hid_t creation = virtual("sound.h5", "x_train", N_TRAIN / 2);
  add_source(creation, "sound.h5", "x_train", 0, n_rows);
  return creation;
}

/** Row by row, all from one file, or each from a file of its own. */
static hid_t many(bool one_file) {
  const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
  for (hsize_t i = 0; i < N_TRAIN; i++) {
    char file[32];
    snprintf(file, sizeof file, "many_%d.h5", one_file ? 0 : (int)i);
    add_source(creation, file, "x_train", i, i + 1);
  }
  return creation;
}

/** As many rows as `array` of another file has. */
static hid_t growing(const char *file, const char *array) {
  const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
  const hsize_t dims[] = {N_TRAIN, N_IN}, most[] = {H5S_UNLIMITED, N_IN};
  const hid_t all = H5Screate_simple(2, dims, most);
  H5Sselect_hyperslab(all, H5S_SELECT_SET, (hsize_t[]){0, 0}, NULL, (hsize_t[]){1, 1}, most);
  H5Pset_virtual(creation, all, file, array, all);
  H5Sclose(all);
  return creation;
}

/** x_train is the array `array` of another file; sound features are there as x_real. */
static tutti_status make_link(const char *folder, const char *name, const char *file, const char *array) {
  odd o = make_sound();
  char path[1024];
  o.x_name = "x_real";
  TUTTI_TRY(write_odd(folder, name, &o));
  snprintf(path, sizeof path, "%s/%s.h5", folder, name);
  const hid_t id = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
  const herr_t made = H5Lcreate_external(file, array, id, "x_train", H5P_DEFAULT, H5P_DEFAULT);
  TUTTI_CHECK(made >= 0 && H5Fclose(id) >= 0, TUTTI_ERR_INTERNAL, "%s: not made", path);
  return TUTTI_OK;
}

/** Arrays whose numbers are not all there, and whole ones that are stored in an odd way. */
static tutti_status make_storage(const char *folder) {
  const hid_t plain = H5Pcreate(H5P_DATASET_CREATE), fill = chunked(2, false);
  const hid_t compact = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_fill_value(fill, H5T_NATIVE_FLOAT, &(float){1});
  H5Pset_layout(compact, H5D_COMPACT);
  TUTTI_TRY(make_link(folder, "link_whole", "sound.h5", "x_train"));
  TUTTI_TRY(make_link(folder, "link_gone", "gone.h5", "x_train"));
  TUTTI_TRY(make_link(folder, "link_pipe", "pipe.raw", "x_train"));
  TUTTI_TRY(make_link(folder, "link_half", "half_x.h5", "x_train"));
  TUTTI_TRY(make_link(folder, "link_back", "link_back_2.h5", "x_train"));
  TUTTI_TRY(make_link(folder, "link_back_2", "link_back.h5", "x_real"));
  TUTTI_TRY(make_stored(folder, "half_x", "x_train", chunked(2, true), N_TRAIN / 2));
  TUTTI_TRY(make_stored(folder, "fill_x", "x_train", fill, N_TRAIN / 2));
  TUTTI_TRY(make_stored(folder, "deflated_x", "x_train", chunked(2, true), N_TRAIN));
  TUTTI_TRY(make_stored(folder, "filtered_x", "x_train", filtered(2), N_TRAIN));
  TUTTI_TRY(make_stored(folder, "filtered_y", "y_train", filtered(1), N_TRAIN));
  TUTTI_TRY(make_stored(folder, "never_y", "y_train", chunked(1, false), 0));
  TUTTI_TRY(make_stored(folder, "never_w", "w_train", chunked(1, false), 0));
  TUTTI_TRY(make_stored(folder, "no_block", "x_train", plain, 0));
  TUTTI_TRY(make_stored(folder, "compact_x", "x_train", compact, N_TRAIN));
  TUTTI_TRY(make_stored(folder, "raw_gone", "x_train", raw("gone.raw"), 0));
  TUTTI_TRY(make_stored(folder, "raw_short", "x_train", raw("short.raw"), 0));
  TUTTI_TRY(make_stored(folder, "raw_pipe", "x_train", raw("pipe.raw"), 0));
  TUTTI_TRY(make_stored(folder, "raw_whole", "x_train", raw("whole.raw"), 0));
  TUTTI_TRY(make_stored(folder, "virtual_gone", "x_train", virtual("gone.h5", "x_train", N_TRAIN), 0));
  TUTTI_TRY(
      make_stored(folder, "virtual_self", "x_train", virtual("virtual_self.h5", "x_train", N_TRAIN), 0));
  TUTTI_TRY(make_stored(folder, "virtual_dot", "x_train", virtual(".", "/x_train", N_TRAIN), 0));
  TUTTI_TRY(
      make_stored(folder, "virtual_ring", "x_train", virtual("virtual_ring_2.h5", "x_train", N_TRAIN), 0));
  TUTTI_TRY(
      make_stored(folder, "virtual_ring_2", "x_train", virtual("virtual_ring.h5", "x_train", N_TRAIN), 0));
  TUTTI_TRY(make_stored(folder, "virtual_name", "x_train", virtual("sound.h5", "x_tarin", N_TRAIN), 0));
  TUTTI_TRY(make_stored(folder, "virtual_part", "x_train", virtual("sound.h5", "x_train", N_TRAIN / 2), 0));
  TUTTI_TRY(make_stored(folder, "virtual_test", "x_train", virtual("sound.h5", "x_test", N_TRAIN), 0));
  TUTTI_TRY(make_stored(folder, "virtual_half", "x_train", virtual("half_x.h5", "x_train", N_TRAIN), 0));
  TUTTI_TRY(
      make_stored(folder, "virtual_deep", "x_train", virtual("virtual_gone.h5", "x_train", N_TRAIN), 0));
  TUTTI_TRY(make_stored(folder, "virtual_whole", "x_train", virtual("sound.h5", "x_train", N_TRAIN), 0));
  TUTTI_TRY(make_stored(folder, "virtual_own", "x_train", virtual("virtual_own.h5", "x_real", N_TRAIN), 0));
  TUTTI_TRY(make_stored(folder, "virtual_back", "x_train", virtual("link_own.h5", "x_train", N_TRAIN), 0));
  TUTTI_TRY(make_link(folder, "link_own", "virtual_back.h5", "x_real"));
  TUTTI_TRY(make_stored(folder, "virtual_again", "x_train", overlapping(N_TRAIN / 2), 0));
  TUTTI_TRY(make_stored(folder, "virtual_over", "x_train", overlapping(N_TRAIN), 0));
  TUTTI_TRY(make_stored(folder, "virtual_many", "x_train", many(false), 0));
  TUTTI_TRY(make_stored(folder, "virtual_rows", "x_train", many(true), 0));
  TUTTI_TRY(make_stored(folder, "growing_dot", "x_train", growing(".", "/x_train"), 0));
  TUTTI_TRY(make_stored(folder, "growing_self", "x_train", growing("growing_self.h5", "x_train"), 0));
  TUTTI_TRY(make_stored(folder, "growing_pipe", "x_train", growing("pipe.raw", "x_train"), 0));
  TUTTI_TRY(make_stored(folder, "growing_half", "x_train", growing("half_x.h5", "x_train"), 0));
  TUTTI_TRY(make_stored(folder, "growing_whole", "x_train", growing("sound.h5", "x_train"), 0));
  return make_stored(folder, "virtual_twice", "x_train", virtual("virtual_whole.h5", "x_train", N_TRAIN), 0);
}

/** Further names of x_train in images.h5: links of each kind, and a virtual array that is all of it. */
static tutti_status make_image_links(const char *path) {
  const hsize_t dims[] = {N_TEST, SIDE, SIDE};
  const hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT), creation = H5Pcreate(H5P_DATASET_CREATE);
  const hid_t space = H5Screate_simple(3, dims, NULL);
  const herr_t hard = H5Lcreate_hard(file, "x_train", file, "y_hard", H5P_DEFAULT, H5P_DEFAULT);
  const herr_t soft = H5Lcreate_soft("/x_train", file, "y_soft", H5P_DEFAULT, H5P_DEFAULT);
  const herr_t outer =
      H5Lcreate_external("images.h5", "x_train", file, "y_external", H5P_DEFAULT, H5P_DEFAULT);
  H5Pset_virtual(creation, space, ".", "x_train", space);
  const hid_t made = H5Dcreate2(file, "y_virtual", H5T_STD_U8LE, space, H5P_DEFAULT, creation, H5P_DEFAULT);
  H5Dclose(made);
  H5Sclose(space);
  H5Pclose(creation);
  TUTTI_CHECK(hard >= 0 && soft >= 0 && outer >= 0 && made >= 0 && H5Fclose(file) >= 0, TUTTI_ERR_INTERNAL,
              "%s: not made", path);
  return TUTTI_OK;
}

/** Images of [N, rows, columns]: a bright diagonal. */
static tutti_status make_images(const char *folder) {
  char path[1024];
  uint8_t x[N_TEST * SIDE * SIDE] = {0}, y[N_TEST] = {0};
  tutti_file *file = NULL;
  tutti_status status = TUTTI_OK;
  for (int i = 0; i < N_TEST; i++)
    for (int j = 0; j < SIDE; j++) x[(i * SIDE + j) * SIDE + j] = 255;
  snprintf(path, sizeof path, "%s/images.h5", folder);
  TUTTI_TRY_GOTO(done, tutti_file_create(path, &file));
  TUTTI_TRY_GOTO(done, tutti_file_write(file, "x_train", TUTTI_U8, 3, (int64_t[]){N_TEST, SIDE, SIDE}, 0, x));
  TUTTI_TRY_GOTO(done, tutti_file_write(file, "y_train", TUTTI_U8, 1, (int64_t[]){N_TEST}, 0, y));
  TUTTI_TRY_GOTO(done, tutti_file_commit(&file));
  TUTTI_TRY_GOTO(done, make_image_links(path));
done:
  tutti_file_close(&file);
  return status;
}

/** The data set with an attribute `classes` of y_train: names [n], or the number n where there are none. */
static tutti_status make_names(const char *folder, const char *file_name, const char *const *names, int n) {
  char path[1024];
  const odd o = make_sound();
  tutti_file *file = NULL;
  tutti_status status = TUTTI_OK;
  snprintf(path, sizeof path, "%s/%s.h5", folder, file_name);
  TUTTI_TRY_GOTO(done, tutti_file_create(path, &file));
  TUTTI_TRY_GOTO(done, write_parts(file, &o));
  TUTTI_TRY_GOTO(done, names ? tutti_file_set_texts(file, "y_train", "classes", names, n)
                             : tutti_file_set_integer(file, "y_train", "classes", n));
  TUTTI_TRY_GOTO(done, tutti_file_commit(&file));
done:
  tutti_file_close(&file);
  return status;
}

static tutti_status make_all_names(const char *folder) {
  static const char *const names[] = {"apple", "pear", "quince"};
  static const char *const hostile[] = {"a\x1b[31mred", "b\x1b]0;owned\x07", "c"};
  TUTTI_TRY(make_names(folder, "names", names, 3));
  TUTTI_TRY(make_names(folder, "names_hostile", hostile, 3));
  TUTTI_TRY(make_names(folder, "names_short", names, 2));
  return make_names(folder, "names_number", NULL, 3);
}

static tutti_status print_array(const char *path, const char *name) {
  tutti_file *file = NULL;
  tutti_array_shape shape;
  tutti_status status = TUTTI_OK;
  double *values = NULL;
  int64_t width = 1;
  TUTTI_TRY_GOTO(done, tutti_file_open(path, &file));
  TUTTI_TRY_GOTO(done, tutti_file_shape(file, name, &shape));
  for (int d = 1; d < shape.n_dims; d++) width *= shape.dims[d];
  TUTTI_TRY_GOTO(done, TUTTI_NEW(values, shape.dims[0] * width));
  TUTTI_TRY_GOTO(done, tutti_file_read_rows(file, name, TUTTI_F64, 0, shape.dims[0], values));
  for (int64_t i = 0; i < shape.dims[0] * width; i++)
    printf("%.9g%c", values[i], i % width == width - 1 ? '\n' : ' ');
done:
  tutti_free(values);
  tutti_file_close(&file);
  return status;
}

static tutti_status print_rows(const char *path, const char *name) {
  tutti_file *file = NULL;
  int64_t n = 0;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_file_open(path, &file));
  TUTTI_TRY_GOTO(done, tutti_table_rows(file, name, &n));
  printf("%lld\n", (long long)n);
done:
  tutti_file_close(&file);
  return status;
}

static tutti_status run(int argc, char **argv) {
  if (argc == 4 && strcmp(argv[1], "print") == 0) return print_array(argv[2], argv[3]);
  if (argc == 4 && strcmp(argv[1], "rows") == 0) return print_rows(argv[2], argv[3]);
  TUTTI_CHECK(argc == 3 && strcmp(argv[1], "make") == 0, TUTTI_ERR_USAGE,
              "make FOLDER, print FILE ARRAY or rows FILE TABLE");
  TUTTI_TRY(make_numbers(argv[2]));
  TUTTI_TRY(make_shapes(argv[2]));
  TUTTI_TRY(make_all_names(argv[2]));
  TUTTI_TRY(make_storage(argv[2]));
  return make_images(argv[2]);
}

int main(int argc, char **argv) {
  const tutti_status status = run(argc, argv);
  if (status != TUTTI_OK) fprintf(stderr, "e2e_arrays: %s\n", tutti_fail_text());
  return tutti_status_exit(status);
}
