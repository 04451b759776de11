#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/cli.h"
#include "cli/options.h"
#include "tutti/data.h"

static tutti_status require(const char *value, const char *option) {
  TUTTI_CHECK(value, TUTTI_ERR_USAGE, "import: %s is missing; see tutti import --help", option);
  return TUTTI_OK;
}

static tutti_status import_idx(int argc, char **argv, tutti_import_result *result) {
  tutti_import_idx_options idx = {0};
  const tutti_option options[] = {{"x_train", &idx.x_train},
                                  {"y_train", &idx.y_train},
                                  {"x_test", &idx.x_test},
                                  {"y_test", &idx.y_test},
                                  {"output", &idx.output}};
  tutti_arguments arguments;
  TUTTI_TRY(tutti_arguments_parse(argc, argv, options, 5, NULL, 1, 1, &arguments));
  tutti_arguments_clear(&arguments);
  TUTTI_TRY(require(idx.x_train, "--x_train=FILE"));
  TUTTI_TRY(require(idx.y_train, "--y_train=FILE"));
  TUTTI_TRY(require(idx.output, "--output=DATA.h5"));
  return tutti_import_idx(&idx, result);
}

/** n where the text is none of the names. */
static int index_of(const char *text, const char *const *names, int n) {
  int i = 0;
  while (i < n && strcmp(text, names[i]) != 0) i++;
  return i;
}

static tutti_status parse_kind(const char *text, tutti_import_kind *kind) {
  *kind = (tutti_import_kind)index_of(text, tutti_import_kind_names, TUTTI_N_IMPORT_KINDS);
  TUTTI_CHECK(*kind < TUTTI_N_IMPORT_KINDS, TUTTI_ERR_USAGE,
              "--kind=%s: expected auto, classes or regression", text);
  return TUTTI_OK;
}

static tutti_status parse_header(const char *text, tutti_import_header *header) {
  static const char *const names[TUTTI_N_HEADERS] = {"auto", "yes", "no"};
  *header = (tutti_import_header)index_of(text, names, TUTTI_N_HEADERS);
  TUTTI_CHECK(*header < TUTTI_N_HEADERS, TUTTI_ERR_USAGE, "--header=%s: expected auto, yes or no", text);
  return TUTTI_OK;
}

static const char *const base_names[TUTTI_N_INDEX_BASES] = {"auto", "0", "1"};

static tutti_status parse_base(const char *text, tutti_index_base *base) {
  *base = (tutti_index_base)index_of(text, base_names, TUTTI_N_INDEX_BASES);
  TUTTI_CHECK(*base < TUTTI_N_INDEX_BASES, TUTTI_ERR_USAGE, "--index_base=%s: expected auto, 0 or 1", text);
  return TUTTI_OK;
}

static tutti_status import_csv(int argc, char **argv, tutti_import_result *result) {
  tutti_import_csv_options csv = {0};
  const char *fraction = "0.2", *seed = "0", *kind = "auto", *bytes = "no", *header = "auto";
  const tutti_option options[] = {
      {"label", &csv.label}, {"test_fraction", &fraction}, {"seed", &seed},    {"kind", &kind},
      {"bytes", &bytes},     {"output", &csv.output},      {"header", &header}};
  tutti_arguments arguments;
  TUTTI_TRY(tutti_arguments_parse(argc, argv, options, 7, NULL, 2, 2, &arguments));
  csv.file = arguments.positional[1];
  tutti_arguments_clear(&arguments);
  TUTTI_TRY(require(csv.label, "--label=COLUMN"));
  TUTTI_TRY(require(csv.output, "--output=DATA.h5"));
  int64_t number = 0;
  TUTTI_CHECK(tutti_text_real(fraction, &csv.test_fraction) && csv.test_fraction >= 0 &&
                  csv.test_fraction < 1,
              TUTTI_ERR_USAGE, "--test_fraction=%s: expected a number from 0 to below 1", fraction);
  TUTTI_CHECK(tutti_text_integer(seed, &number) && number >= 0, TUTTI_ERR_USAGE,
              "--seed=%s: expected a whole number from 0", seed);
  csv.seed = (uint64_t)number;
  TUTTI_TRY(parse_kind(kind, &csv.kind));
  TUTTI_TRY(parse_header(header, &csv.header));
  csv.bytes = strcmp(bytes, "yes") == 0;
  TUTTI_CHECK(csv.bytes || strcmp(bytes, "no") == 0, TUTTI_ERR_USAGE, "--bytes=%s: expected yes or no",
              bytes);
  return tutti_import_csv(&csv, result);
}

static tutti_status import_svmlight(int argc, char **argv, tutti_import_result *result) {
  tutti_import_svmlight_options svmlight = {0};
  const char *kind = "auto", *base = "auto", *features = NULL;
  const tutti_option options[] = {
      {"kind", &kind}, {"output", &svmlight.output}, {"index_base", &base}, {"features", &features}};
  tutti_arguments arguments;
  TUTTI_TRY(tutti_arguments_parse(argc, argv, options, 4, NULL, 2, 3, &arguments));
  svmlight.train = arguments.positional[1];
  svmlight.test = arguments.n_positional > 2 ? arguments.positional[2] : NULL;
  tutti_arguments_clear(&arguments);
  TUTTI_TRY(require(svmlight.output, "--output=DATA.h5"));
  TUTTI_TRY(parse_kind(kind, &svmlight.kind));
  TUTTI_TRY(parse_base(base, &svmlight.index_base));
  TUTTI_CHECK(!features || (tutti_text_integer(features, &svmlight.n_features) && svmlight.n_features > 0),
              TUTTI_ERR_USAGE, "--features=%s: expected a whole number from 1", features);
  return tutti_import_svmlight(&svmlight, result);
}

/** Its first positional argument is the format's name. */
typedef struct {
  const char *name;
  tutti_status (*import)(int argc, char **argv, tutti_import_result *result);
} format;

static tutti_status import_local(int argc, char **argv, tutti_import_result *result) {
  static const format formats[] = {{"idx", import_idx}, {"csv", import_csv}, {"svmlight", import_svmlight}};
  static const char *const names[] = {"idx", "csv", "svmlight"};
  TUTTI_CHECK(argc > 1, TUTTI_ERR_USAGE,
              "import: which format? idx, csv or svmlight; see tutti import --help");
  for (int i = 0; i < 3; i++)
    if (strcmp(argv[1], formats[i].name) == 0) return formats[i].import(argc, argv, result);
  const char *nearest = tutti_text_nearest(argv[1], names, 3);
  TUTTI_FAIL(TUTTI_ERR_USAGE, "import: unknown format '%s'; expected idx, csv or svmlight%s%s%s", argv[1],
             nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
}

static tutti_status run(const tutti_comm *comm, int argc, char **argv, int *exit_status) {
  (void)exit_status;
  tutti_import_result result = {0};
  const bool root = tutti_comm_rank(comm) == 0;
  TUTTI_TRY(tutti_agree_from(comm, 0, root ? import_local(argc, argv, &result) : TUTTI_OK));
  if (!root) return TUTTI_OK;
  printf("train_samples %lld\ntest_samples %lld\nfeatures %lld\n", (long long)result.n_train,
         (long long)result.n_test, (long long)result.n_features);
  if (result.n_classes > 0) printf("classes %d\n", result.n_classes);
  if (result.index_base != TUTTI_INDEX_AUTO) printf("index_base %s\n", base_names[result.index_base]);
  return TUTTI_OK;
}

const tutti_command tutti_command_import = {
    .name = "import",
    .arguments = "idx|csv|svmlight [FILE ...] --output=DATA.h5 ...",
    .summary = "make a data set of IDX, CSV or svmlight files",
    .details =
        "  tutti import idx --x_train=F --y_train=F [--x_test=F --y_test=F] --output=DATA.h5\n"
        "  tutti import csv FILE --label=COLUMN [--test_fraction=0.2] [--seed=0] "
        "[--kind=auto|classes|regression]\n"
        "                   [--bytes=no|yes] [--header=auto|yes|no] --output=DATA.h5\n"
        "  tutti import svmlight TRAIN [TEST] [--kind=auto|classes|regression]\n"
        "                   [--index_base=auto|0|1] [--features=N] --output=DATA.h5\n\n"
        "Files may be gzip.  A CSV file has a header line (--header=no: none); COLUMN is a name of it or a "
        "number from 1. "
        " Labels that are\n"
        "texts, or whole numbers of at most 100 different values, become classes 0, 1, ... in "
        "ascending order, and their\n"
        "names are stored; other labels are numbers for a regression; --kind decides otherwise.  The "
        "test rows are drawn\n"
        "by the seed.  --bytes=yes stores features that are whole numbers 0..255 as bytes.\n"
        "svmlight's indices count from --index_base; auto is 1 unless an index 0 occurs, which new data by "
        "themselves need not\nhave: give them the base that was printed for the training's, and their "
        "number of --features.",
    .run = run};
