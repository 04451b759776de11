#include "study/json.h"

#include <math.h>

#include "base/text.h"

void tutti_json_text(FILE *out, const char *text) {
  fputc('"', out);
  for (const char *c = text; *c; c++) {
    if (*c == '"' || *c == '\\')
      fprintf(out, "\\%c", *c);
    else if ((unsigned char)*c < 0x20)
      fprintf(out, "\\u%04x", (unsigned)(unsigned char)*c);
    else
      fputc(*c, out);
  }
  fputc('"', out);
}

static void put(FILE *out, double value, const char *none) {
  char text[32];
  fputs(isfinite(value) ? tutti_text_print_real(text, sizeof text, value) : none, out);
}

void tutti_json_number(FILE *out, double value) {
  put(out, value, "null");
}

void tutti_csv_number(FILE *out, double value) {
  put(out, value, "");
}
