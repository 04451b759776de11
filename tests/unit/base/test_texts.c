#include "tutti/texts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/check.h"

static void a_list_keeps_all_texts_while_it_grows(void **state) {
  (void)state;
  tutti_texts texts = {0};
  char expected[16];
  for (int i = 0; i < 100; i++) {
    snprintf(expected, sizeof expected, "text %d", i);
    CHECK_OK(tutti_texts_add(&texts, expected));
    assert_int_equal(texts.n, i + 1);
  }
  for (int i = 0; i < 100; i++) {
    snprintf(expected, sizeof expected, "text %d", i);
    assert_string_equal(texts.list[i], expected);
  }
  tutti_texts_clear(&texts);
  assert_true(!texts.list && texts.n == 0);
  tutti_texts_clear(&texts);
}

static void lists_follow_each_other(void **state) {
  (void)state;
  static const char *const first[] = {"a", "", "c"}, *const second[] = {"d"};
  tutti_texts texts = {0};
  CHECK_OK(tutti_texts_add_all(&texts, first, 3));
  CHECK_OK(tutti_texts_add_all(&texts, second, 1));
  CHECK_OK(tutti_texts_add_all(&texts, NULL, 0));
  assert_int_equal(texts.n, 4);
  assert_string_equal(texts.list[1], "");
  assert_string_equal(texts.list[3], "d");
  tutti_texts_clear(&texts);
}

static void room_is_zeroed_and_the_callers_to_fill(void **state) {
  (void)state;
  tutti_texts texts = {0};
  char *room = tutti_texts_add_room(&texts, 4);
  assert_non_null(room);
  assert_string_equal(texts.list[0], "");
  memcpy(room, "abc", 3);
  assert_string_equal(texts.list[0], "abc");
  tutti_texts_clear(&texts);
}

static void without_memory_the_list_stays(void **state) {
  (void)state;
  tutti_texts texts = {0};
  CHECK_OK(tutti_texts_add(&texts, "a"));
  setenv("TUTTI_FAULT", "memory:0:1", 1);
  assert_null(tutti_texts_add_room(&texts, 4));
  unsetenv("TUTTI_FAULT");
  assert_int_equal(texts.n, 1);
  assert_string_equal(texts.list[0], "a");
  tutti_texts_clear(&texts);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_list_keeps_all_texts_while_it_grows),
      cmocka_unit_test(lists_follow_each_other),
      cmocka_unit_test(room_is_zeroed_and_the_callers_to_fill),
      cmocka_unit_test(without_memory_the_list_stays),
  };
  return cmocka_run_group_tests_name("base.texts", tests, NULL, check_no_leak);
}
