/** Text as YAML writes it.  The writers of configs call it; YAML 1.2 section 5 says which characters need an escape. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/keys_impl.h"

/** Whether YAML reads the text without quotes as this very text. */
static bool is_plain(const char *text) {
  static const char alphanumeric[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  static const char *const special[] = {"null", "Null", "NULL"};
  for (int i = 0; i < 3; i++)
    if (strcmp(text, special[i]) == 0) return false;
  if (!text[0] || (!strchr(alphanumeric, text[0]) && !strchr("/._", text[0]))) return false;
  for (const char *c = text; *c; c++)
    if (!strchr(alphanumeric, *c) && !strchr("/._ +-=<>(),@%", *c)) return false;
  return text[strlen(text) - 1] != ' ';
}

/** The code point at `text`, and its number of bytes.  The text comes from libyaml, so it is UTF-8. */
static unsigned decode(const unsigned char *text, int *bytes) {
  *bytes = text[0] < 0x80 ? 1 : text[0] < 0xE0 ? 2 : text[0] < 0xF0 ? 3 : 4;
  if (*bytes == 1) return text[0];
  unsigned code = text[0] & (0x7Fu >> *bytes);
  for (int i = 1; i < *bytes; i++) {
    if ((text[i] & 0xC0) != 0x80) { // not from libyaml: stay inside of the text
      *bytes = i;
      break;
    }
    code = code << 6 | (text[i] & 0x3Fu);
  }
  return code;
}

/** Whether YAML does not allow the character as it is, or reads it as a line end (YAML 1.2, section 5). */
static bool needs_escape(unsigned code) {
  return code < 0x20 || (code >= 0x7F && code < 0xA0) || code == 0x2028 || code == 0x2029 || code == 0xFEFF ||
         code == 0xFFFE || code == 0xFFFF;
}

/** Characters outside of ASCII stay as they are, since names in other languages should remain readable. */
void tutti_config_quote_yaml(const char *text, FILE *out) {
  if (is_plain(text)) {
    fputs(text, out);
    return;
  }
  fputc('"', out);
  int bytes;
  for (const char *c = text; *c; c += bytes) {
    const unsigned code = decode((const unsigned char *)c, &bytes);
    if (code == '"' || code == '\\')
      fprintf(out, "\\%c", *c);
    else if (needs_escape(code))
      fprintf(out, code < 0x100 ? "\\x%02X" : "\\u%04X", code);
    else
      fwrite(c, 1, (size_t)bytes, out);
  }
  fputc('"', out);
}

tutti_status tutti_config_stream_open(tutti_config_stream *stream) {
  TUTTI_CHECK((stream->out = open_memstream(&stream->memory, &stream->bytes)) != NULL, TUTTI_ERR_MEMORY,
              "no memory for the text of a config");
  return TUTTI_OK;
}

/** The memory of a stream is that of the C library, so the text is copied to memory that tutti_free knows. */
static tutti_status copy_text(const tutti_config_stream *stream, bool is_whole, char **text) {
  TUTTI_CHECK(is_whole, TUTTI_ERR_MEMORY, "no memory for the text of a config");
  return TUTTI_COPY(*text, stream->memory);
}

tutti_status tutti_config_stream_close(tutti_config_stream *stream, tutti_status status, char **text) {
  const bool is_whole = fclose(stream->out) == 0;
  *text = NULL;
  if (status == TUTTI_OK) status = copy_text(stream, is_whole, text);
  free(stream->memory);
  return status;
}
