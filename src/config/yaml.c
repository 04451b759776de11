/** A YAML text as a tree of nodes with their places, by libyaml.
 *
 * The text may come from a file of another user, so its size and depth are limited, and what a config has no use for is
 * refused: tags, several documents, zero characters.  Called by parse.c. */
#include "config/yaml_impl.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

#include "config/keys_impl.h"

enum { MAX_BYTES = 1 << 18, MAX_DEPTH = 16 };

struct tutti_yaml {
  yaml_document_t document; // all zero until it is loaded; a zero document may be deleted
};

/** Line and column of a byte, from 1. */
static void locate(const char *text, size_t offset, int *line, int *column) {
  *line = 1;
  *column = 1;
  for (size_t i = 0; i < offset && text[i]; i++) {
    *column = text[i] == '\n' ? 1 : *column + 1;
    *line += text[i] == '\n';
  }
}

/** Whether a line, counted from 1, is indented with a tab: the most frequent slip, which libyaml does not report. */
static bool tab_indents(const char *text, int line) {
  for (int i = 1; i < line && text; i++) {
    text = strchr(text, '\n');
    if (text) text++;
  }
  return text && memchr(text, '\t', strspn(text, " \t")) != NULL;
}

/** Turn the error of libyaml into a sentence with the place, and with the reason if it is a tab. */
static tutti_status syntax_error(const yaml_parser_t *parser, const char *text, const char *name) {
  int line = (int)parser->problem_mark.line + 1, column = (int)parser->problem_mark.column + 1;
  const char *problem = parser->problem ? parser->problem : "this is not YAML";
  switch (parser->error) {
  case YAML_MEMORY_ERROR:
    TUTTI_FAIL(TUTTI_ERR_MEMORY, "%s: no memory to read it", name);
  case YAML_READER_ERROR:
    locate(text, parser->problem_offset, &line, &column);
    TUTTI_FAIL(TUTTI_ERR_CONFIG, "%s:%d:%d: %s; a config is text in UTF-8", name, line, column, problem);
  default:
    break;
  }
  char context[128] = "";
  if (parser->context) snprintf(context, sizeof context, " (%s)", parser->context);
  TUTTI_FAIL(TUTTI_ERR_CONFIG, "%s:%d:%d: %s%s%s", name, line, column, problem, context,
             tab_indents(text, line) ? "; the line is indented with a tab, but YAML requires spaces" : "");
}

/** The encoding is fixed, because libyaml would otherwise guess UTF-16 from the first bytes.  It then takes no byte order
 * mark, which editors of Windows put before the text. */
static void start_parser(yaml_parser_t *parser, const char *text) {
  static const char mark[] = "\xef\xbb\xbf";
  if (strncmp(text, mark, sizeof mark - 1) == 0) text += sizeof mark - 1;
  yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING);
  yaml_parser_set_input_string(parser, (const unsigned char *)text, strlen(text));
}

/** +1 if a list or a mapping begins, -1 if one ends. */
static int level_change(yaml_event_type_t type) {
  if (type == YAML_SEQUENCE_START_EVENT || type == YAML_MAPPING_START_EVENT) return 1;
  return type == YAML_SEQUENCE_END_EVENT || type == YAML_MAPPING_END_EVENT ? -1 : 0;
}

/** Check the depth before a tree is made, since the time of libyaml grows with the square of the depth. */
static tutti_status check_depth(const char *text, const char *name) {
  tutti_status status = TUTTI_OK;
  yaml_parser_t parser;
  yaml_event_type_t type = YAML_NO_EVENT;
  TUTTI_CHECK(yaml_parser_initialize(&parser), TUTTI_ERR_MEMORY, "%s: no memory to read it", name);
  start_parser(&parser, text);
  for (int depth = 0; type != YAML_STREAM_END_EVENT;) {
    yaml_event_t event;
    if (!yaml_parser_parse(&parser, &event)) TUTTI_TRY_GOTO(done, syntax_error(&parser, text, name));
    type = event.type;
    const int line = (int)event.start_mark.line + 1, column = (int)event.start_mark.column + 1;
    depth += level_change(type);
    yaml_event_delete(&event);
    TUTTI_CHECK_GOTO(done, depth <= MAX_DEPTH, TUTTI_ERR_CONFIG,
                     "%s:%d:%d: %d levels within each other; a config has sections, and keys in them", name,
                     line, column, depth);
  }
done:
  yaml_parser_delete(&parser);
  return status;
}

/** Refuse tags, since the key decides about the type of a value, and zero characters. */
static tutti_status check_nodes(yaml_document_t *document, const char *name) {
  yaml_node_t *node;
  for (int id = 1; (node = yaml_document_get_node(document, id)); id++) {
    const char *plain = node->type == YAML_SCALAR_NODE     ? YAML_DEFAULT_SCALAR_TAG
                        : node->type == YAML_SEQUENCE_NODE ? YAML_DEFAULT_SEQUENCE_TAG
                                                           : YAML_DEFAULT_MAPPING_TAG;
    const int line = (int)node->start_mark.line + 1, column = (int)node->start_mark.column + 1;
    TUTTI_CHECK(strcmp((const char *)node->tag, plain) == 0, TUTTI_ERR_CONFIG,
                "%s:%d:%d: the tag '%.64s' has no meaning here; leave it out", name, line, column,
                (const char *)node->tag);
    TUTTI_CHECK(node->type != YAML_SCALAR_NODE ||
                    strlen((const char *)node->data.scalar.value) == node->data.scalar.length,
                TUTTI_ERR_CONFIG, "%s:%d:%d: the value contains a zero character", name, line, column);
  }
  return TUTTI_OK;
}

/** Check that no document follows the first one. */
static tutti_status check_end(yaml_parser_t *parser, const char *text, const char *name) {
  yaml_document_t next;
  if (!yaml_parser_load(parser, &next)) return syntax_error(parser, text, name);
  const yaml_node_t *root = yaml_document_get_root_node(&next);
  const int line = root ? (int)root->start_mark.line + 1 : 0;
  yaml_document_delete(&next);
  TUTTI_CHECK(!line, TUTTI_ERR_CONFIG, "%s:%d:1: a second document begins here; a config is one document",
              name, line);
  return TUTTI_OK;
}

/** Size and depth are limited before libyaml builds a tree, whose memory would grow with them. */
tutti_status tutti_config_yaml_open(const char *text, const char *name, tutti_yaml **yaml) {
  tutti_status status = TUTTI_OK;
  const size_t bytes = strlen(text);
  *yaml = NULL;
  TUTTI_CHECK(bytes <= MAX_BYTES, TUTTI_ERR_CONFIG,
              "%s: %zu bytes are too many for a config; the limit is %d", name, bytes, MAX_BYTES);
  TUTTI_TRY(check_depth(text, name));

  tutti_yaml *new = NULL;
  yaml_parser_t parser;
  TUTTI_CHECK(yaml_parser_initialize(&parser), TUTTI_ERR_MEMORY, "%s: no memory to read it", name);
  start_parser(&parser, text);
  TUTTI_TRY_GOTO(done, TUTTI_NEW(new, 1));
  if (!yaml_parser_load(&parser, &new->document)) {
    // libyaml has freed its memory, but has left the pointers
    memset(&new->document, 0, sizeof new->document);
    TUTTI_TRY_GOTO(done, syntax_error(&parser, text, name));
  }
  TUTTI_TRY_GOTO(done, check_nodes(&new->document, name));
  TUTTI_TRY_GOTO(done, check_end(&parser, text, name));
  *yaml = new;
  new = NULL;
done:
  tutti_config_yaml_close(&new);
  yaml_parser_delete(&parser);
  return status;
}

void tutti_config_yaml_close(tutti_yaml **yaml) {
  if (!*yaml) return;
  yaml_document_delete(&(*yaml)->document);
  tutti_free(*yaml);
  *yaml = NULL;
}

/** Quotes make a text of these words, so only plain scalars count. */
static bool is_nothing(const yaml_node_t *node) {
  static const char *const words[] = {"", "~", "null", "Null", "NULL"};
  if (node->type != YAML_SCALAR_NODE || node->data.scalar.style != YAML_PLAIN_SCALAR_STYLE) return false;
  for (int i = 0; i < 5; i++)
    if (strcmp((const char *)node->data.scalar.value, words[i]) == 0) return true;
  return false;
}

/** Copy what the parser needs of a node of libyaml. */
static tutti_node make_node(const tutti_yaml *yaml, int id) {
  tutti_node made = {.kind = TUTTI_NODE_NOTHING, .text = "", .id = id, .line = 1, .column = 1};
  // libyaml does not take const, but it changes nothing here
  const yaml_node_t *node = yaml_document_get_node((yaml_document_t *)&yaml->document, id);
  if (!node) return made;
  made.line = (int)node->start_mark.line + 1;
  made.column = (int)node->start_mark.column + 1;
  if (is_nothing(node)) return made;
  switch (node->type) {
  case YAML_SCALAR_NODE:
    made.kind = TUTTI_NODE_SCALAR;
    made.text = (const char *)node->data.scalar.value;
    break;
  case YAML_SEQUENCE_NODE:
    made.kind = TUTTI_NODE_LIST;
    made.n = (int)(node->data.sequence.items.top - node->data.sequence.items.start);
    break;
  case YAML_MAPPING_NODE:
    made.kind = TUTTI_NODE_MAPPING;
    made.n = (int)(node->data.mapping.pairs.top - node->data.mapping.pairs.start);
    break;
  default:
    break;
  }
  return made;
}

tutti_node tutti_config_yaml_root(const tutti_yaml *yaml) {
  return make_node(yaml, 1);
}

tutti_node tutti_config_yaml_item(const tutti_yaml *yaml, tutti_node list, int i) {
  TUTTI_ASSERT(list.kind == TUTTI_NODE_LIST && i >= 0 && i < list.n);
  const yaml_node_t *node = yaml_document_get_node((yaml_document_t *)&yaml->document, list.id);
  return make_node(yaml, node->data.sequence.items.start[i]);
}

void tutti_config_yaml_pair(const tutti_yaml *yaml, tutti_node mapping, int i, tutti_node *key,
                            tutti_node *value) {
  TUTTI_ASSERT(mapping.kind == TUTTI_NODE_MAPPING && i >= 0 && i < mapping.n);
  const yaml_node_t *node = yaml_document_get_node((yaml_document_t *)&yaml->document, mapping.id);
  const yaml_node_pair_t pair = node->data.mapping.pairs.start[i];
  *key = make_node(yaml, pair.key);
  *value = make_node(yaml, pair.value);
}

tutti_status tutti_config_yaml_join(const tutti_yaml *yaml, tutti_node node, int *bad, char **text) {
  tutti_config_stream stream;
  *bad = -1;
  TUTTI_TRY(tutti_config_stream_open(&stream));
  for (int i = 0; i < node.n && *bad < 0; i++) {
    tutti_node item, value = {.kind = TUTTI_NODE_SCALAR, .text = ""};
    if (node.kind == TUTTI_NODE_LIST)
      item = tutti_config_yaml_item(yaml, node, i);
    else
      tutti_config_yaml_pair(yaml, node, i, &item, &value);
    if (item.kind != TUTTI_NODE_SCALAR || value.kind != TUTTI_NODE_SCALAR) *bad = i;
    fprintf(stream.out, "%s%s", i > 0 ? ", " : "", item.text);
    if (node.kind == TUTTI_NODE_MAPPING) fprintf(stream.out, ": %s", value.text);
  }
  return tutti_config_stream_close(&stream, TUTTI_OK, text);
}
