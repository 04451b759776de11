#include "tutti/count.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

typedef struct {
  const char *word;
  tutti_unit unit;
  double factor;
} unit_word;

static const unit_word words[] = {
    {"step", TUTTI_UNIT_STEPS, 1},      {"steps", TUTTI_UNIT_STEPS, 1},
    {"epoch", TUTTI_UNIT_EPOCHS, 1},    {"epochs", TUTTI_UNIT_EPOCHS, 1},
    {"sample", TUTTI_UNIT_SAMPLES, 1},  {"samples", TUTTI_UNIT_SAMPLES, 1},
    {"second", TUTTI_UNIT_SECONDS, 1},  {"seconds", TUTTI_UNIT_SECONDS, 1},
    {"minute", TUTTI_UNIT_SECONDS, 60}, {"minutes", TUTTI_UNIT_SECONDS, 60},
    {"hour", TUTTI_UNIT_SECONDS, 3600}, {"hours", TUTTI_UNIT_SECONDS, 3600},
};
enum { N_WORDS = sizeof words / sizeof words[0] };

static const unit_word *find(const char *word, unsigned allowed) {
  for (int i = 0; i < N_WORDS; i++)
    if ((words[i].unit & allowed) && strcmp(words[i].word, word) == 0) return &words[i];
  return NULL;
}

static const char *allowed_text(unsigned allowed, char *buffer, size_t bytes) {
  const char *names[N_WORDS];
  int n = 0;
  for (int i = 1; i < N_WORDS; i += 2)
    if (words[i].unit & allowed) names[n++] = words[i].word;
  return tutti_text_list(buffer, bytes, names, n);
}

tutti_status tutti_count_parse(const char *text, unsigned allowed, tutti_unit bare, tutti_count *count) {
  char number[64] = "", unit[64] = "", rest[2] = "", units[128];
  const int n = sscanf(text, "%63s %63s %1s", number, unit, rest);
  double value = 0;
  TUTTI_CHECK((n == 1 || n == 2) && tutti_text_real(number, &value) && value >= 0, TUTTI_ERR_CONFIG,
              "'%s' is no count; write a number and one of: %s", text,
              allowed_text(allowed, units, sizeof units));
  const unit_word *word = n == 2 ? find(unit, allowed) : NULL;
  TUTTI_CHECK(n == 1 || word, TUTTI_ERR_CONFIG, "'%s': the unit '%s' is not one of: %s", text, unit,
              allowed_text(allowed, units, sizeof units));
  count->unit = word ? word->unit : bare;
  count->value = word ? value * word->factor : value;
  return TUTTI_OK;
}

void tutti_count_print(tutti_count count, char *text, size_t bytes) {
  char number[32];
  const char *word = "steps";
  for (int i = 1; i < N_WORDS; i += 2)
    if (words[i].unit == count.unit && words[i].factor == 1) word = words[count.value == 1 ? i - 1 : i].word;
  snprintf(text, bytes, "%s %s", tutti_text_print_real(number, sizeof number, count.value), word);
}
