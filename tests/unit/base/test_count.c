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
  CHECK_FAILS(tutti_count_parse("-1 epochs", any, TUTTI_UNIT_STEPS, &count), TUTTI_ERR_CONFIG, "no count");
  CHECK_FAILS(tutti_count_parse("1 epochs 2", any, TUTTI_UNIT_STEPS, &count), TUTTI_ERR_CONFIG, "no count");
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

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(counts_are_read_as_people_write_them),
      cmocka_unit_test(what_is_no_count_is_refused),
      cmocka_unit_test(printed_counts_are_read_back),
  };
  return cmocka_run_group_tests_name("base.count", tests, NULL, check_no_leak);
}
