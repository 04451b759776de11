#include <string.h>

#include "support/check.h"
#include "tutti/data.h"

/** Whole sentences, in lines that fit into a terminal. */
static void check_sentences(const char *format, const char *text) {
  if (!text || !*text || text[strlen(text) - 1] != '.')
    fail_msg("the format '%s' has no sentence for its help, or one without a full stop: '%s'", format,
             text ? text : "");
  for (const char *line = text; line; line = strchr(line, '\n')) {
    line += *line == '\n';
    if (strcspn(line, "\n") > 110)
      fail_msg("the help of the format '%s' has a line that is too long", format);
  }
}

static void each_format_explains_itself(void **state) {
  (void)state;
  for (int i = 0; i < TUTTI_N_FORMATS; i++) {
    const tutti_format *format = tutti_format_of((tutti_format_code)i);
    check_sentences(tutti_format_names[i], tutti_format_sentences[i]);
    check_sentences(tutti_format_names[i], format->help);
  }
}

static void each_format_reads_something(void **state) {
  (void)state;
  for (int i = 0; i < TUTTI_N_FORMATS; i++) {
    const tutti_format *format = tutti_format_of((tutti_format_code)i);
    const bool needs_files = format->min_files > 0;
    bool needs_options = false;
    for (int j = 0; j < TUTTI_MAX_FORMAT_OPTIONS && format->options[j].name; j++) {
      needs_options = needs_options || format->options[j].required;
      if (!format->options[j].value)
        fail_msg("option '%s' of the format '%s' says nothing of its value", format->options[j].name,
                 tutti_format_names[i]);
    }
    if (!format->import || (!needs_files && !needs_options))
      fail_msg("the format '%s' reads nothing", tutti_format_names[i]);
    if (!format->files || (*format->files != '\0') != needs_files)
      fail_msg("the format '%s' does not name its files in the usage line", tutti_format_names[i]);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_format_explains_itself),
      cmocka_unit_test(each_format_reads_something),
  };
  return cmocka_run_group_tests_name("data.formats", tests, NULL, check_no_leak);
}
