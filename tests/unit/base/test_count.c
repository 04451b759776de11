#include "support/check.h"
#include "tutti/count.h"

static const unsigned any = TUTTI_UNIT_STEPS | TUTTI_UNIT_EPOCHS | TUTTI_UNIT_SAMPLES | TUTTI_UNIT_SECONDS;

static void counts_are_read_as_people_write_them(void **state) {
  (void)state;
  tutti_count count;
  CHECK_OK(tutti_count_parse("5 epochs", any, TUTTI_UNIT_STEPS, &count));
  assert_true(count.value == 5 && count.unit == TUTTI_UNIT_EPOCHS);
  CHECK_OK(tutti_count_parse("1 step", any, TUTTI_UNIT_EPOCHS, &count));
  assert_true(count.value == 1 && count.unit == TUTTI_UNIT_STEPS);
  CHECK_OK(tutti_count_parse("10 minutes", any, TUTTI_UNIT_EPOCHS, &count));
  assert_true(count.value == 600 && count.unit == TUTTI_UNIT_SECONDS);
  CHECK_OK(tutti_count_parse("0.5", any, TUTTI_UNIT_EPOCHS, &count));
  assert_true(count.value == 0.5 && count.unit == TUTTI_UNIT_EPOCHS);
}

static void what_is_no_count_is_refused(void **state) {
  (void)state;
  tutti_count count;
  CHECK_FAILS(tutti_count_parse("five epochs", any, TUTTI_UNIT_STEPS, &count), TUTTI_ERR_CONFIG,
              "steps, epochs");
  CHECK_FAILS(tutti_count_parse("-1 epochs", any, TUTTI_UNIT_STEPS, &count), TUTTI_ERR_CONFIG,
              "is not a count");
  CHECK_FAILS(tutti_count_parse("1 epochs 2", any, TUTTI_UNIT_STEPS, &count), TUTTI_ERR_CONFIG,
              "is not a count");
  CHECK_FAILS(tutti_count_parse("3 minutes", TUTTI_UNIT_STEPS, TUTTI_UNIT_STEPS, &count), TUTTI_ERR_CONFIG,
              "'minutes'");
}

static void printed_counts_are_read_back(void **state) {
  (void)state;
  const tutti_count counts[] = {{5, TUTTI_UNIT_EPOCHS},
                                {100, TUTTI_UNIT_STEPS},
                                {1e7, TUTTI_UNIT_SAMPLES},
                                {90, TUTTI_UNIT_SECONDS},
                                {1, TUTTI_UNIT_EPOCHS}};
  for (int i = 0; i < 5; i++) {
    char text[64];
    tutti_count count;
    tutti_count_print(counts[i], text, sizeof text);
    CHECK_OK(tutti_count_parse(text, any, TUTTI_UNIT_STEPS, &count));
    assert_true(count.value == counts[i].value && count.unit == counts[i].unit);
    if (count.value == 1) assert_string_equal(text, "1 epoch");
  }
}

static void lists_are_read_in_one_unit_and_in_order(void **state) {
  (void)state;
  tutti_milestones counts;
  CHECK_OK(tutti_milestones_parse("10, 20,30.5 epochs", any, &counts));
  assert_true(counts.n == 3 && counts.unit == TUTTI_UNIT_EPOCHS);
  assert_true(counts.values[0] == 10 && counts.values[1] == 20 && counts.values[2] == 30.5);
  CHECK_OK(tutti_milestones_parse("7 steps,8 steps", any, &counts));
  assert_true(counts.n == 2 && counts.unit == TUTTI_UNIT_STEPS && counts.values[1] == 8);
  CHECK_OK(tutti_milestones_parse("1 sample", any, &counts));
  assert_true(counts.n == 1 && counts.unit == TUTTI_UNIT_SAMPLES);
  static const struct {
    const char *text, *why;
  } wrong[] = {{"10, 20", "lacks a unit"},
               {"10 steps, 20 epochs", "several units"},
               {"20, 10 epochs", "10 does not come after 20"},
               {"10, 10 epochs", "does not come after"},
               {"0, 10 epochs", "above 0"},
               {",10 epochs", "is not a count"},
               {"10,, 20 epochs", "is not a count"},
               {"10, 20 epochs,", "is not a count"},
               {"", "is not a count"},
               {"3, 4 minutes", "'minutes'"},
               {"1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17 steps", "more than 16"}};
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    counts.n = -1;
    CHECK_FAILS(tutti_milestones_parse(wrong[i].text, TUTTI_UNIT_STEPS | TUTTI_UNIT_EPOCHS, &counts),
                TUTTI_ERR_CONFIG, wrong[i].why);
    assert_int_equal(counts.n, -1);
  }
}

/** The longest numbers that there are, too. */
static void printed_lists_are_read_back(void **state) {
  (void)state;
  tutti_milestones counts = {.unit = TUTTI_UNIT_SAMPLES}, read;
  char text[512];
  for (int n = 0; n < TUTTI_MAX_MILESTONES; n++) {
    counts.values[n] = (n + 1) * 1.2345678901234567e-101;
    counts.n = n + 1;
    tutti_milestones_print(&counts, text, sizeof text);
    CHECK_OK(tutti_milestones_parse(text, any, &read));
    assert_memory_equal(&read.values, &counts.values, (size_t)(n + 1) * sizeof *counts.values);
    assert_true(read.n == counts.n && read.unit == counts.unit);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(counts_are_read_as_people_write_them),
      cmocka_unit_test(what_is_no_count_is_refused),
      cmocka_unit_test(printed_counts_are_read_back),
      cmocka_unit_test(lists_are_read_in_one_unit_and_in_order),
      cmocka_unit_test(printed_lists_are_read_back),
  };
  return cmocka_run_group_tests_name("base.count", tests, NULL, check_no_leak);
}
