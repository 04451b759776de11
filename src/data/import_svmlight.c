/* Imports svmlight and LIBSVM files, which list only the features that are not zero.  The rows of both files are
 * collected in compressed form, because the largest index of all rows decides how wide x is, and written as full
 * rows.  `tutti import svmlight` calls it through formats.def. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "data/import_impl.h"

enum { MAX_INDEX = 1 << 24, NUMBER_BYTES = 24 };

/** A line, for messages. */
typedef struct {
  const char *path;
  int64_t line;
} place;

/** Rows of both files one after another, compressed: entries [starts[row], starts[row + 1]) of row. */
typedef struct {
  tutti_data_array starts;  // of int64_t
  tutti_data_array indices; // of int32_t, as in the file
  tutti_data_array values;  // of double
  tutti_label_texts labels;
  int64_t n;
  int32_t smallest, largest;     // of all indices
  place at_smallest, at_largest; // their lines
  int32_t base, n_features;      // index of the first feature; columns of x
} sparse;

/** The next word of a line, which gets a NUL after it.  @return NULL at the end of the line */
static char *next_word(char **rest) {
  static const char blanks[] = " \t";
  char *word = *rest + strspn(*rest, blanks);
  if (!*word) return NULL;
  char *end = word + strcspn(word, blanks);
  *rest = *end ? end + 1 : end;
  *end = '\0';
  return word;
}

/** Remember the smallest and the largest index with their lines, for the messages of find_columns. */
static void note_index(sparse *s, place at, int32_t index) {
  if (index < s->smallest) {
    s->smallest = index;
    s->at_smallest = at;
  }
  if (index > s->largest) {
    s->largest = index;
    s->at_largest = at;
  }
}

/** Read one entry "index:value".  Ascending indices exclude an index that occurs twice. */
static tutti_status take_entry(sparse *s, place at, char *word, int64_t *previous) {
  char *colon = strchr(word, ':');
  int64_t index = 0;
  double value = 0;
  TUTTI_CHECK(colon, TUTTI_ERR_DATA, "%s:%lld: '%.40s' is not of the form index:value", at.path,
              (long long)at.line, word);
  *colon = '\0';
  if (strcmp(word, "qid") == 0) return TUTTI_OK;
  TUTTI_CHECK(tutti_text_integer(word, &index) && index >= 0 && index <= MAX_INDEX, TUTTI_ERR_DATA,
              "%s:%lld: '%.40s' is not an index of a feature, expected a whole number from 0 to %d", at.path,
              (long long)at.line, word, MAX_INDEX);
  TUTTI_CHECK(index > *previous, TUTTI_ERR_DATA,
              "%s:%lld: index %lld comes after %lld, expected ascending indices within a line", at.path,
              (long long)at.line, (long long)index, (long long)*previous);
  TUTTI_CHECK(tutti_text_real(colon + 1, &value) && fabs(value) <= FLT_MAX, TUTTI_ERR_DATA,
              "%s:%lld: feature %lld: '%.40s' is not a finite number that fits into float32", at.path,
              (long long)at.line, (long long)index, colon + 1);
  *previous = index;
  note_index(s, at, (int32_t)index);
  TUTTI_TRY(tutti_data_array_add(&s->indices, &(int32_t){(int32_t)index}, 1));
  return tutti_data_array_add(&s->values, &value, 1);
}

/** Read one line: a label, then entries; text after # is a comment. */
static tutti_status take_line(sparse *s, place at, char *line) {
  line[strcspn(line, "#")] = '\0';
  char *rest = line;
  const char *label = next_word(&rest);
  double number = 0;
  int64_t previous = -1;
  if (!label) return TUTTI_OK;
  TUTTI_CHECK(tutti_text_real(label, &number), TUTTI_ERR_DATA,
              "%s:%lld: the label '%.40s' is not a number (several labels per row are not supported)",
              at.path, (long long)at.line, label);
  TUTTI_TRY(tutti_data_label_texts_add(&s->labels, label, at.line));
  for (char *word; (word = next_word(&rest));) TUTTI_TRY(take_entry(s, at, word, &previous));
  TUTTI_TRY(tutti_data_array_add(&s->starts, &s->values.n, 1));
  s->n++;
  return TUTTI_OK;
}

/** Append the rows of a file. */
static tutti_status read_file(sparse *s, const char *path, int64_t *n) {
  tutti_data_input *input = NULL;
  tutti_status status = TUTTI_OK;
  const int64_t before = s->n;
  char *line = NULL;
  int64_t length = 0;
  TUTTI_TRY_GOTO(done, tutti_data_input_open(path, &input));
  for (;;) {
    TUTTI_TRY_GOTO(done, tutti_data_input_line(input, &line, &length));
    if (!line) break;
    if (memchr(line, '\r', (size_t)length)) TUTTI_TRY_GOTO(done, tutti_data_input_refuse_return(input));
    TUTTI_TRY_GOTO(done, take_line(s, (place){path, tutti_data_input_line_number(input)}, line));
  }
  *n = s->n - before;
  TUTTI_CHECK_GOTO(done, *n > 0, TUTTI_ERR_DATA, "%s: has no rows", path);
done:
  tutti_data_input_close(&input);
  return status;
}

/** Find the index of the first feature, and the number of features, after all rows were read. */
static tutti_status find_columns(sparse *s, const tutti_import_svmlight_options *options) {
  s->base =
      options->index_base == TUTTI_INDEX_AUTO ? s->smallest > 0 : options->index_base == TUTTI_INDEX_FROM_1;
  TUTTI_CHECK(s->smallest >= s->base, TUTTI_ERR_DATA,
              "%s:%lld: index 0, but the indices begin at 1 here; say --index_base=0 if they begin at 0",
              s->at_smallest.path, (long long)s->at_smallest.line);
  s->n_features = s->largest - s->base + 1;
  if (options->n_features == 0) return TUTTI_OK;
  TUTTI_CHECK(
      s->n_features <= options->n_features, TUTTI_ERR_DATA,
      "%s:%lld: index %d, but the last of %lld features has index %lld, counted from %d; give as many "
      "--features as there are",
      s->at_largest.path, (long long)s->at_largest.line, (int)s->largest, (long long)options->n_features,
      (long long)options->n_features + s->base - 1, (int)s->base);
  s->n_features = (int32_t)options->n_features;
  return TUTTI_OK;
}

/** Entries that the file leaves out are zeros. */
static void fill_row(const void *context, int64_t row, double *x) {
  const sparse *s = context;
  const int64_t *starts = s->starts.data;
  const int32_t *indices = s->indices.data;
  const double *values = s->values.data;
  memset(x, 0, (size_t)s->n_features * sizeof *x);
  for (int64_t k = starts[row]; k < starts[row + 1]; k++) x[indices[k] - s->base] = values[k];
}

/** Sort the values by column: those of column j are values [ends[j - 1], ends[j]). */
static void group(const sparse *s, int64_t *ends, double *values) {
  const int32_t *indices = s->indices.data;
  for (int64_t k = 0; k < s->values.n; k++) ends[indices[k] - s->base]++;
  for (int64_t j = 0, end = 0; j < s->n_features; j++) {
    end += ends[j];
    ends[j] = end - ends[j];
  }
  for (int64_t k = 0; k < s->values.n; k++)
    values[ends[indices[k] - s->base]++] = ((const double *)s->values.data)[k];
}

/** Decide by all values of each column, as the import of CSV does. */
static tutti_status choose_type(const sparse *s, const char *path, tutti_type *type) {
  int64_t *ends = NULL;
  double *values = NULL;
  char number[NUMBER_BYTES];
  tutti_status status = TUTTI_OK;
  *type = TUTTI_F32;
  TUTTI_TRY_GOTO(done, TUTTI_NEW(ends, s->n_features));
  TUTTI_TRY_GOTO(done, TUTTI_NEW(values, s->values.n));
  group(s, ends, values);
  for (int64_t j = 0, begin = 0; j < s->n_features && *type == TUTTI_F32; begin = ends[j++])
    if (tutti_import_needs_double(values + begin, ends[j] - begin)) {
      *type = TUTTI_F64;
      snprintf(number, sizeof number, "%lld", (long long)(j + s->base));
      tutti_import_note_double(path, number);
    }
done:
  tutti_free(ends);
  tutti_free(values);
  return status;
}

/** Rows keep the order of the files, because the format has training and test rows in files of their own. */
static tutti_status write_rows(const sparse *s, const tutti_import_svmlight_options *options, int64_t n_test,
                               tutti_import_result *result) {
  tutti_labels labels = {0};
  tutti_import_table w = {.n_train = s->n - n_test,
                          .n_test = n_test,
                          .n_features = s->n_features,
                          .fill = fill_row,
                          .context = s,
                          .labels = &labels};
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_data_labels_create(&s->labels, options->kind, options->train, &labels));
  TUTTI_TRY_GOTO(done, choose_type(s, options->train, &w.type));
  TUTTI_TRY_GOTO(done, tutti_import_write(options->output, &w, result));
  result->index_base = s->base == 0 ? TUTTI_INDEX_FROM_0 : TUTTI_INDEX_FROM_1;
done:
  tutti_data_labels_free(&labels);
  return status;
}

tutti_status tutti_import_svmlight(const tutti_import_svmlight_options *options,
                                   tutti_import_result *result) {
  sparse s = {.starts = TUTTI_DATA_ARRAY_OF(int64_t),
              .indices = TUTTI_DATA_ARRAY_OF(int32_t),
              .values = TUTTI_DATA_ARRAY_OF(double),
              .smallest = INT32_MAX};
  int64_t n_train = 0, n_test = 0;
  tutti_status status = TUTTI_OK;
  tutti_data_label_texts_init(&s.labels);
  TUTTI_CHECK_GOTO(done, options->train, TUTTI_ERR_USAGE, "import svmlight: no training file is given");
  const char *const inputs[] = {options->train, options->test};
  TUTTI_TRY_GOTO(done, tutti_import_check_output(options->output, inputs, 2));
  TUTTI_CHECK_GOTO(done, options->n_features >= 0 && options->n_features <= MAX_INDEX, TUTTI_ERR_USAGE,
                   "import svmlight: %lld features, expected at most %d, or 0 for as many as occur",
                   (long long)options->n_features, MAX_INDEX);
  TUTTI_TRY_GOTO(done, tutti_data_array_add(&s.starts, &(int64_t){0}, 1));
  TUTTI_TRY_GOTO(done, read_file(&s, options->train, &n_train));
  if (options->test) TUTTI_TRY_GOTO(done, read_file(&s, options->test, &n_test));
  TUTTI_CHECK_GOTO(done, s.values.n > 0, TUTTI_ERR_DATA, "%s: no row has a feature", options->train);
  TUTTI_TRY_GOTO(done, find_columns(&s, options));
  TUTTI_TRY_GOTO(done, write_rows(&s, options, n_test, result));
done:
  tutti_data_array_free(&s.starts);
  tutti_data_array_free(&s.indices);
  tutti_data_array_free(&s.values);
  tutti_data_label_texts_free(&s.labels);
  return status;
}

// --- as a format -----------------------------------------------------------------------------------------------

enum { KIND, INDEX_BASE, FEATURES };

/** Translate the texts of the command line. */
static tutti_status import(const tutti_import_request *request, tutti_import_result *result) {
  static const char *const bases[TUTTI_N_INDEX_BASES] = {"auto", "0", "1"};
  tutti_import_svmlight_options svmlight = {.train = request->files[0],
                                            .test = request->n_files > 1 ? request->files[1] : NULL,
                                            .output = request->output};
  const char *features = request->values[FEATURES];
  int kind = 0, base = 0;
  TUTTI_TRY(tutti_format_choice("kind", request->values[KIND], tutti_import_kind_names, TUTTI_N_IMPORT_KINDS,
                                &kind));
  TUTTI_TRY(
      tutti_format_choice("index_base", request->values[INDEX_BASE], bases, TUTTI_N_INDEX_BASES, &base));
  TUTTI_CHECK(!features || (tutti_text_integer(features, &svmlight.n_features) && svmlight.n_features > 0),
              TUTTI_ERR_USAGE, "--features=%s: expected a whole number from 1", features);
  svmlight.kind = (tutti_import_kind)kind;
  svmlight.index_base = (tutti_index_base)base;
  return tutti_import_svmlight(&svmlight, result);
}

const tutti_format tutti_format_svmlight = {
    .files = "TRAIN [TEST]",
    .min_files = 1,
    .max_files = 2,
    .options = {[KIND] = {"kind", "auto|classes|regression", false},
                [INDEX_BASE] = {"index_base", "auto|0|1", false},
                [FEATURES] = {"features", "N", false}},
    .help = "--index_base is the index of the first feature.  auto is 1, or 0 if an index 0 occurs.  An\n"
            "index 0 need not occur in new data: for these, give --index_base and --features as the import\n"
            "of the training data printed them.",
    .import = import,
};
