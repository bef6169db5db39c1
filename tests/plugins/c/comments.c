/* Two stages in plain C: an extractor that takes comment lines out of a text, and a filter on what is left.
 *
 *   cc -std=c99 -shared -fPIC -I crates/plugin/include -o libcomments.so tests/plugins/c/comments.c
 *
 * All that a plugin in C needs is in the header; this file shows a use of most of it. */
#include <stdlib.h>
#include <string.h>

#include "tamis_plugin.h"

/* ---- options ------------------------------------------------------------------------------------------ */

/* Where the value of an option begins, or NULL if it is not given. The host has checked the options against
 * the schema, so this need not be a whole JSON parser: no option here holds a quote, a brace or an escape. */
static const char *option(tamis_str json, const char *name) {
  size_t length = strlen(name);
  const char *text = (const char *)json.ptr;
  for (size_t at = 0; at + length + 2 < json.len; at++) {
    if (text[at] != '"' || memcmp(text + at + 1, name, length) != 0 || text[at + 1 + length] != '"') continue;
    for (at += length + 2; at < json.len && (text[at] == ':' || text[at] == ' '); at++) {}
    return text + at;
  }
  return NULL;
}

/* Memory for an instance, or NULL with the reason told. */
static void *instance_of(size_t size, const tamis_host *host) {
  static const tamis_str nothing = {NULL, 0}, message = TAMIS_STR("there is no memory left");
  void *memory = calloc(1, size);
  if (memory == NULL) host->error(host->ctx, nothing, message);
  return memory;
}

/* ---- strip-comments ----------------------------------------------------------------------------------- */

typedef struct {
  char prefix[4];
  size_t length;
} strip;

static int32_t strip_open(tamis_str options, const tamis_host *host, void **instance) {
  strip *self = instance_of(sizeof *self, host);
  if (self == NULL) return TAMIS_ERROR;
  const char *prefix = option(options, "prefix");
  if (prefix == NULL) prefix = "\"#\"";
  while (self->length < sizeof self->prefix && prefix[1 + self->length] != '"') {
    self->prefix[self->length] = prefix[1 + self->length];
    self->length++;
  }
  /* To count 0 here declares a counter: a run in which it stays 0 says so. */
  host->count(host->ctx, (tamis_str)TAMIS_STR("comments_stripped"), 0);
  *instance = self;
  return TAMIS_OK;
}

/* The first comment becomes the title of a document that has none. */
static void set_title(const tamis_host *host, uint32_t doc, const uint8_t *comment, size_t length) {
  static const tamis_str name = TAMIS_STR("title");
  tamis_value value = {TAMIS_STRING, 0, 0, {NULL, 0}};
  if (host->field(host->ctx, doc, name, &value) == 1) return;
  while (length > 0 && *comment == ' ') comment++, length--;
  value = (tamis_value){TAMIS_STRING, 0, 0, {comment, length}};
  host->set_field(host->ctx, doc, name, &value);
}

static int32_t strip_document(const strip *self, uint32_t doc, tamis_str text, const tamis_host *host) {
  static const tamis_str counter = TAMIS_STR("comments_stripped"), field = TAMIS_STR("comments");
  uint8_t *kept = host->reserve_text(host->ctx, doc, text.len);
  size_t n_kept = 0;
  uint64_t n_comments = 0;
  if (kept == NULL) return TAMIS_ERROR;
  for (size_t start = 0; start < text.len;) {
    const uint8_t *line = text.ptr + start;
    const uint8_t *end = memchr(line, '\n', text.len - start);
    size_t length = end == NULL ? text.len - start : (size_t)(end - line) + 1;
    start += length;
    if (length < self->length || memcmp(line, self->prefix, self->length) != 0) {
      memcpy(kept + n_kept, line, length);
      n_kept += length;
    } else if (n_comments++ == 0) {
      size_t line_end = end == NULL ? 0 : 1;
      set_title(host, doc, line + self->length, length - self->length - line_end);
    }
  }
  if (n_comments == 0) return TAMIS_OK; /* nothing committed: the text stays as it is */
  tamis_value value = {TAMIS_INTEGER, 0, n_comments, {NULL, 0}};
  host->set_field(host->ctx, doc, field, &value);
  host->count(host->ctx, counter, n_comments);
  return host->commit_text(host->ctx, doc, n_kept);
}

static int32_t strip_process(void *instance, void *local, const tamis_document *docs, size_t n,
                             const tamis_host *host) {
  static const tamis_str reason = TAMIS_STR("the text could not be written");
  (void)local;
  for (uint32_t doc = 0; doc < n; doc++) {
    if (strip_document(instance, doc, docs[doc].text, host) != TAMIS_OK)
      host->verdict(host->ctx, doc, TAMIS_FAIL, reason);
  }
  return TAMIS_OK;
}

/* ---- comment-share ------------------------------------------------------------------------------------ */

typedef struct {
  long max_comments;
} share;

static int32_t share_open(tamis_str options, const tamis_host *host, void **instance) {
  share *self = instance_of(sizeof *self, host);
  if (self == NULL) return TAMIS_ERROR;
  const char *max_comments = option(options, "max_comments");
  self->max_comments = max_comments == NULL ? 10 : strtol(max_comments, NULL, 10);
  *instance = self;
  return TAMIS_OK;
}

/* State of one worker: how many documents it has seen. Not needed here, but the host keeps such things. */
static int32_t share_local_new(void *instance, const tamis_host *host, void **local) {
  (void)instance;
  *local = instance_of(sizeof(uint64_t), host);
  return *local == NULL ? TAMIS_ERROR : TAMIS_OK;
}

static void share_local_free(void *instance, void *local) {
  (void)instance;
  free(local);
}

static int32_t share_process(void *instance, void *local, const tamis_document *docs, size_t n,
                             const tamis_host *host) {
  static const tamis_str field = TAMIS_STR("comments"), reason = TAMIS_STR("too-many-comments");
  const share *self = instance;
  (void)docs;
  for (uint32_t doc = 0; doc < n; doc++) {
    tamis_value value = {TAMIS_NULL, 0, 0, {NULL, 0}};
    if (host->cancelled(host->ctx)) return TAMIS_CANCELLED;
    ++*(uint64_t *)local;
    if (host->field(host->ctx, doc, field, &value) != 1 || value.type != TAMIS_INTEGER) continue;
    tamis_measure measure = {field, (double)(int64_t)value.bits, (double)self->max_comments, TAMIS_MAX, 0};
    host->measure(host->ctx, doc, &measure);
    if ((int64_t)value.bits > self->max_comments) host->verdict(host->ctx, doc, TAMIS_DROP, reason);
  }
  return TAMIS_OK;
}

/* ---- the descriptor ----------------------------------------------------------------------------------- */

static const tamis_str text_field[] = {TAMIS_STR("text")};
static const tamis_str comments_field[] = {TAMIS_STR("comments")};
static const tamis_str strip_fields[] = {TAMIS_STR("text"), TAMIS_STR("comments"), TAMIS_STR("title")};

static const tamis_transform strip_table = {
  .struct_size = sizeof(tamis_transform),
  .process = strip_process,
};
static const tamis_transform share_table = {
  .struct_size = sizeof(tamis_transform),
  .local_new = share_local_new,
  .local_free = share_local_free,
  .process = share_process,
};

static const tamis_stage strip_stage = {
  .struct_size = sizeof(tamis_stage),
  .kind = TAMIS_EXTRACTOR,
  .flags = TAMIS_PURE,
  .name = TAMIS_STR("strip-comments"),
  .summary = TAMIS_STR("Takes lines that begin with a comment sign out of a text."),
  .docs = TAMIS_STR("Takes lines that begin with a comment sign out of a text.\n\n"
                    "The first comment becomes the `title` of a document that has none."),
  .options_schema = TAMIS_STR(
    "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{\"prefix\":{"
    "\"description\":\"The sign with which a comment begins.\","
    "\"enum\":[\"#\",\"//\",\";\"],\"default\":\"#\"}}}"),
  .reads = text_field, .n_reads = 1,
  .writes = strip_fields, .n_writes = 3,
  .open = strip_open,
  .close = free,
  .transform = &strip_table,
};
#if TAMIS_ABI_MINOR >= 2
static const tamis_measure_info share_measures[] = {{
  .name = TAMIS_STR("comments"),
  .unit = TAMIS_STR("lines"),
  .max_option = TAMIS_STR("max_comments"),
  .summary = TAMIS_STR("Comment lines that were taken out of the text."),
  .better = TAMIS_LOWER,
}};
#endif

static const tamis_stage share_stage = {
  .struct_size = sizeof(tamis_stage),
  .kind = TAMIS_FILTER,
  .flags = TAMIS_PURE,
  .name = TAMIS_STR("comment-share"),
  .summary = TAMIS_STR("Drops documents that were mostly comments."),
  .docs = TAMIS_STR("Drops documents that were mostly comments, as `strip-comments` has counted them."),
  .options_schema = TAMIS_STR(
    "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{\"max_comments\":{"
    "\"description\":\"Most comment lines of a document that is kept.\","
    "\"type\":\"integer\",\"minimum\":0,\"default\":10,\"x-unit\":\"lines\"}}}"),
  .reads = comments_field, .n_reads = 1,
  .open = share_open,
  .close = free,
  .transform = &share_table,
#if TAMIS_ABI_MINOR >= 2
  .measures = share_measures, .n_measures = 1,
#endif
};

static const tamis_stage *const stages[] = {&strip_stage, &share_stage};
static const tamis_plugin plugin = {
  .magic = TAMIS_MAGIC,
  .struct_size = sizeof(tamis_plugin),
  .abi_major = TAMIS_ABI_MAJOR,
  .abi_minor = TAMIS_ABI_MINOR,
  .name = TAMIS_STR("comments"),
  .version = TAMIS_STR("1.2.3"),
  .license = TAMIS_STR("MIT OR Apache-2.0"),
  .sdk = TAMIS_STR("tamis_plugin.h (C)"),
  .stages = stages,
  .n_stages = 2,
};

TAMIS_ENTRY(comments) { return &plugin; }
