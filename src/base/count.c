/** Counts with a unit, such as "5 epochs", and milestones, such as "10, 20, 30 epochs": the texts of configs and
 * command lines.  One table of words serves reading, writing and messages. */
#include "tutti/count.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

typedef struct {
  const char *word;
  tutti_unit unit;
  double factor;
} unit_word;

// Singular and plural by turns: messages list the plurals, and a count of 1 is written with the singular.
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

/** The plurals of the allowed units, for a message. */
static const char *allowed_text(unsigned allowed, char *buffer, size_t bytes) {
  const char *names[N_WORDS];
  int n = 0;
  for (int i = 1; i < N_WORDS; i += 2)
    if (words[i].unit & allowed) names[n++] = words[i].word;
  return tutti_text_list(buffer, bytes, names, n);
}

/** A third word makes the text wrong, so sscanf looks for one letter of it. */
tutti_status tutti_count_parse(const char *text, unsigned allowed, tutti_unit bare, tutti_count *count) {
  char number[64] = "", unit[64] = "", rest[2] = "", units[128];
  const int n = sscanf(text, "%63s %63s %1s", number, unit, rest);
  double value = 0;
  TUTTI_CHECK((n == 1 || n == 2) && tutti_text_real(number, &value) && value >= 0, TUTTI_ERR_CONFIG,
              "'%s' is not a count; write a number and one of: %s", text,
              allowed_text(allowed, units, sizeof units));
  const unit_word *word = n == 2 ? find(unit, allowed) : NULL;
  TUTTI_CHECK(n == 1 || word, TUTTI_ERR_CONFIG, "'%s': the unit '%s' is not one of: %s", text, unit,
              allowed_text(allowed, units, sizeof units));
  count->unit = word ? word->unit : bare;
  count->value = word ? value * word->factor : value;
  return TUTTI_OK;
}

/** Times are written in seconds, the unit in which they are kept. */
void tutti_count_print(tutti_count count, char *text, size_t bytes) {
  char number[32];
  const char *word = "steps";
  for (int i = 1; i < N_WORDS; i += 2)
    if (words[i].unit == count.unit && words[i].factor == 1) word = words[count.value == 1 ? i - 1 : i].word;
  snprintf(text, bytes, "%s %s", tutti_text_print_real(number, sizeof number, count.value), word);
}

/** Read one milestone.  A bare number gets the unit 0. */
static tutti_status parse_item(const char *item, unsigned allowed, tutti_count *count) {
  TUTTI_TRY(tutti_count_parse(item, allowed, 0, count));
  TUTTI_CHECK(count->value > 0, TUTTI_ERR_CONFIG, "'%s' is not a place in a training; write a number above 0",
              item);
  return TUTTI_OK;
}

/** Check the last of the counts so far: its unit, if it has one, and that it is larger than the one before. */
static tutti_status check_item(const char *text, tutti_unit unit, const tutti_milestones *counts) {
  TUTTI_CHECK(unit == 0 || unit == counts->unit, TUTTI_ERR_CONFIG,
              "'%s' has several units; write all in one, for example '10, 20, 30 epochs'", text);
  const double *last = &counts->values[counts->n - 1];
  TUTTI_CHECK(counts->n == 1 || last[0] > last[-1], TUTTI_ERR_CONFIG,
              "'%s': %g does not come after %g; write them in ascending order", text, last[0], last[-1]);
  return TUTTI_OK;
}

/** The last number decides the unit of all, so it is read first. */
tutti_status tutti_milestones_parse(const char *text, unsigned allowed, tutti_milestones *counts) {
  const char *last = strrchr(text, ',');
  tutti_count count;
  tutti_milestones read = {0};
  char units[128];
  TUTTI_TRY(parse_item(last ? last + 1 : text, allowed, &count));
  TUTTI_CHECK(count.unit != 0, TUTTI_ERR_CONFIG,
              "'%s' lacks a unit; write it after the last number, one of: %s", text,
              allowed_text(allowed, units, sizeof units));
  read.unit = count.unit;
  const char *next = NULL;
  for (const char *item = text; item; item = next) {
    char one[64];
    const size_t length = strcspn(item, ",");
    TUTTI_CHECK(length < sizeof one, TUTTI_ERR_CONFIG, "'%.80s' is not a list of counts", text);
    TUTTI_CHECK(read.n < TUTTI_MAX_MILESTONES, TUTTI_ERR_CONFIG, "'%s': more than %d counts", text,
                (int)TUTTI_MAX_MILESTONES);
    snprintf(one, sizeof one, "%.*s", (int)length, item);
    TUTTI_TRY(parse_item(one, allowed, &count));
    read.values[read.n++] = count.value;
    TUTTI_TRY(check_item(text, count.unit, &read));
    next = item[length] ? item + length + 1 : NULL;
  }
  *counts = read;
  return TUTTI_OK;
}

void tutti_milestones_print(const tutti_milestones *counts, char *text, size_t bytes) {
  char number[32];
  text[0] = '\0';
  for (int i = 0; i + 1 < counts->n; i++)
    tutti_text_append(text, bytes, "%s, ", tutti_text_print_real(number, sizeof number, counts->values[i]));
  if (counts->n == 0) return;
  const size_t used = strlen(text);
  tutti_count_print((tutti_count){counts->values[counts->n - 1], counts->unit}, text + used, bytes - used);
}
