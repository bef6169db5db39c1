/* Stages that break the plugin contract while they run, each document in the way that its text names.
 * `breaches.rs` holds what the host must make of each. */
#define _DEFAULT_SOURCE
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tamis_plugin.h"

static const tamis_str nothing = {NULL, 0}, word = TAMIS_STR("word"), broken_text = TAMIS_STR("a\xff"),
                       at_null = {NULL, 5}, reason = TAMIS_STR("a-reason"), name = TAMIS_STR("name");

static int is(tamis_str text, const char *wanted) {
  return text.len == strlen(wanted) && memcmp(text.ptr, wanted, text.len) == 0;
}

static int begins(tamis_str text, const char *wanted) {
  return text.len >= strlen(wanted) && memcmp(text.ptr, wanted, strlen(wanted)) == 0;
}

static int32_t open_it(tamis_str options, const tamis_host *host, void **instance) {
  (void)options, (void)host, (void)instance;
  return TAMIS_OK;
}

static void close_it(void *instance) { (void)instance; }

static void commit(const tamis_host *host, uint32_t doc, tamis_str text) {
  uint8_t *memory = host->reserve_text(host->ctx, doc, text.len);
  if (memory != NULL) memcpy(memory, text.ptr, text.len);
  host->commit_text(host->ctx, doc, text.len);
}

static void set(const tamis_host *host, uint32_t doc, tamis_str field, uint32_t type, uint64_t bits, tamis_str text) {
  tamis_value value = {type, 0, bits, text};
  host->set_field(host->ctx, doc, field, &value);
}

/* An address in the middle of something. */
#define ASKEW(type, it) (type *)(void *)((char *)(it) + 1)

/* ---- an extractor ------------------------------------------------------------------------------------- */

/* What one document suffers from; neighbours must not. */
static void misbehave(const tamis_host *host, uint32_t doc, tamis_str text) {
  tamis_value value = {TAMIS_NULL, 0, 0, {NULL, 0}};
  tamis_measure measure = {word, 1, 2, 9, 0};
  tamis_new_document child;
  memset(&child, 0, sizeof child);
  if (is(text, "verdict out of range")) host->verdict(host->ctx, doc, 7, nothing);
  if (is(text, "judged twice")) {
    host->verdict(host->ctx, doc, TAMIS_KEEP, nothing);
    host->verdict(host->ctx, doc, TAMIS_DROP, reason);
  }
  if (is(text, "dropped without reason")) host->verdict(host->ctx, doc, TAMIS_DROP, nothing);
  if (is(text, "failed without reason")) host->verdict(host->ctx, doc, TAMIS_FAIL, at_null);
  if (is(text, "failed after changes")) {
    commit(host, doc, word);
    set(host, doc, name, TAMIS_STRING, 0, word);
    host->split(host->ctx, doc, &child);
    host->verdict(host->ctx, doc, TAMIS_FAIL, reason);
  }
  if (is(text, "text not UTF-8")) commit(host, doc, broken_text);
  if (is(text, "text not UTF-8, then kept")) {
    commit(host, doc, broken_text);
    host->verdict(host->ctx, doc, TAMIS_KEEP, nothing);
  }
  if (is(text, "kept, then text not UTF-8")) {
    host->verdict(host->ctx, doc, TAMIS_KEEP, nothing);
    commit(host, doc, broken_text);
  }
  if (is(text, "commit without reserve")) host->commit_text(host->ctx, doc, 3);
  if (is(text, "commit twice")) {
    commit(host, doc, word);
    host->commit_text(host->ctx, doc, 3);
  }
  if (is(text, "commit too much")) {
    host->reserve_text(host->ctx, doc, 3);
    host->commit_text(host->ctx, doc, 4);
  }
  if (is(text, "commit unwritten")) {
    host->reserve_text(host->ctx, doc, 3);
    host->commit_text(host->ctx, doc, 3);
  }
  if (is(text, "reserve everything") && host->reserve_text(host->ctx, doc, SIZE_MAX) == NULL)
    host->verdict(host->ctx, doc, TAMIS_DROP, reason);
  if (is(text, "reserve a terabyte") && host->reserve_text(host->ctx, doc, (size_t)1 << 40) == NULL)
    host->verdict(host->ctx, doc, TAMIS_DROP, reason);
  if (is(text, "field not UTF-8")) set(host, doc, name, TAMIS_STRING, 0, broken_text);
  if (is(text, "field at NULL")) set(host, doc, name, TAMIS_STRING, 0, at_null);
  if (is(text, "field name not UTF-8")) set(host, doc, broken_text, TAMIS_STRING, 0, word);
  if (is(text, "field not JSON")) set(host, doc, name, TAMIS_JSON, 0, word);
  if (is(text, "field not finite")) set(host, doc, name, TAMIS_FLOAT, 0x7ff0000000000000ull, nothing);
  if (is(text, "field of no type")) set(host, doc, name, 99, 0, nothing);
  if (is(text, "field with more")) {
    value.reserved = 1;
    host->set_field(host->ctx, doc, name, &value);
  }
  if (is(text, "measure with more")) {
    measure.limit_kind = TAMIS_MIN;
    measure.reserved = 1;
    host->measure(host->ctx, doc, &measure);
  }
  if (is(text, "field askew")) host->set_field(host->ctx, doc, name, ASKEW(tamis_value, &value));
  if (is(text, "read to NULL")) host->field(host->ctx, doc, name, NULL);
  if (is(text, "read askew")) host->field_at(host->ctx, doc, 0, ASKEW(tamis_field, &child));
  if (is(text, "measure at NULL")) host->measure(host->ctx, doc, NULL);
  if (is(text, "measure without kind")) host->measure(host->ctx, doc, &measure);
  if (is(text, "split at NULL")) host->split(host->ctx, doc, NULL);
  if (is(text, "split not UTF-8")) {
    child.text = broken_text;
    host->split(host->ctx, doc, &child);
  }
  if (is(text, "split without fields")) {
    child.n_fields = 2;
    host->split(host->ctx, doc, &child);
  }
  if (is(text, "not for extractors")) {
    int32_t emitted = host->emit(host->ctx, &child), put = host->put(host->ctx, doc, word);
    int32_t put_file = host->put_file(host->ctx, doc, word, word), fate = host->fate(host->ctx, doc, NULL);
    int32_t failed = host->emit_failed(host->ctx, &child, word);
    int all = emitted == TAMIS_UNSUPPORTED && put == TAMIS_UNSUPPORTED && put_file == TAMIS_UNSUPPORTED &&
              fate == TAMIS_UNSUPPORTED && failed == TAMIS_UNSUPPORTED;
    if (all && host->extension(host->ctx, word) == NULL) set(host, doc, name, TAMIS_BOOL, 1, nothing);
  }
}

/* What cannot be laid to one document costs the call. */
static int32_t fail_the_call(const tamis_host *host, tamis_str text) {
  static const tamis_str message = TAMIS_STR("the model is not there"), later = TAMIS_STR("so nothing works");
  if (is(text, "no such document")) host->verdict(host->ctx, 4000000000u, TAMIS_DROP, reason);
  if (is(text, "error with message")) {
    host->error(host->ctx, nothing, message);
    host->error(host->ctx, nothing, later);
    return TAMIS_ERROR;
  }
  if (is(text, "error without message")) return TAMIS_ERROR;
  if (is(text, "panic without message")) return TAMIS_PANIC;
  if (is(text, "unsupported")) return TAMIS_UNSUPPORTED;
  if (is(text, "no code")) return -7;
  return TAMIS_OK;
}

static int32_t extract(void *instance, void *local, const tamis_document *docs, size_t n, const tamis_host *host) {
  (void)instance, (void)local;
  for (uint32_t doc = 0; doc < n; doc++) {
    misbehave(host, doc, docs[doc].text);
    int32_t code = fail_the_call(host, docs[doc].text);
    if (code != TAMIS_OK) return code;
    if (is(docs[doc].text, "good")) commit(host, doc, word);
  }
  return TAMIS_OK;
}

/* ---- a filter that changes what it judges, and one that never ends ------------------------------------ */

static int32_t meddle(void *instance, void *local, const tamis_document *docs, size_t n, const tamis_host *host) {
  tamis_new_document child;
  (void)instance, (void)local, (void)docs;
  memset(&child, 0, sizeof child);
  for (uint32_t doc = 0; doc < n; doc++) {
    tamis_value value = {TAMIS_STRING, 0, 0, word};
    int refused = host->reserve_text(host->ctx, doc, 4) == NULL &&
                  host->set_field(host->ctx, doc, name, &value) == TAMIS_UNSUPPORTED &&
                  host->split(host->ctx, doc, &child) == TAMIS_UNSUPPORTED;
    if (!refused) host->verdict(host->ctx, doc, TAMIS_FAIL, word);
  }
  return TAMIS_OK;
}

static int32_t wait(void *instance, void *local, const tamis_document *docs, size_t n, const tamis_host *host) {
  static const tamis_str waiting = TAMIS_STR("waiting");
  (void)instance, (void)local, (void)docs, (void)n;
  host->log(host->ctx, 2, waiting);
  while (!host->cancelled(host->ctx)) usleep(1000);
  return TAMIS_CANCELLED;
}

static int32_t no_local(void *instance, const tamis_host *host, void **local) {
  static const tamis_str message = TAMIS_STR("there is no memory left");
  (void)instance, (void)local;
  host->error(host->ctx, nothing, message);
  return TAMIS_ERROR;
}

static void local_free(void *instance, void *local) { (void)instance, (void)local; }

/* ---- a reader: one record a line ---------------------------------------------------------------------- */

static int32_t cut(void *instance, const tamis_block *block, uint32_t end, tamis_cut *out, const tamis_host *host) {
  tamis_str bytes = block->bytes;
  (void)instance, (void)end, (void)host;
  out->bytes = bytes.len;
  out->records = 1;
  for (size_t at = 0; at < bytes.len; at++) out->records += bytes.ptr[at] == '\n';
  if (begins(bytes, "cut bytes")) out->bytes = bytes.len + 1;
  if (begins(bytes, "cut records")) out->records = UINT64_MAX;
  return TAMIS_OK;
}

static const tamis_attachment attachment = {{NULL, 0}, 1, {NULL, 0}};

static int32_t decode(void *instance, const tamis_block *block, const tamis_host *host) {
  uint64_t ordinal = block->first_ordinal;
  (void)instance;
  if (begins(block->bytes, "read nothing")) return TAMIS_OK;
  for (size_t start = 0; start < block->bytes.len; ordinal++) {
    const uint8_t *line = block->bytes.ptr + start;
    const uint8_t *end = memchr(line, '\n', block->bytes.len - start);
    tamis_new_document document;
    memset(&document, 0, sizeof document);
    document.text = (tamis_str){line, end == NULL ? block->bytes.len - start : (size_t)(end - line)};
    document.ordinal = ordinal;
    document.offset = block->offset + start;
    document.length = document.text.len;
    start += document.text.len + 1;
    if (is(document.text, "text not UTF-8")) document.text = broken_text;
    if (is(document.text, "id not UTF-8")) document.id = broken_text;
    if (is(document.text, "at NULL")) document.text = at_null;
    if (is(document.text, "fields at NULL")) document.n_fields = 3;
    if (is(document.text, "attachments at NULL")) document.n_attachments = 1;
    if (is(document.text, "no attachments somewhere")) document.attachments = &attachment;
    if (is(document.text, "attachment without a name")) {
      document.attachments = &attachment;
      document.n_attachments = 1;
    }
    if (is(document.text, "ordinal")) document.ordinal--;
    if (is(document.text, "failed")) host->emit_failed(host->ctx, &document, reason);
    else host->emit(host->ctx, is(document.text, "emit NULL") ? NULL : &document);
  }
  return TAMIS_OK;
}

/* ---- exporters: one that writes a stream, one that writes a file a document ---------------------------- */

static int32_t stream_ending(void *instance, const tamis_host *host) {
  static const tamis_str ending = TAMIS_STR("txt");
  (void)instance;
  return host->put(host->ctx, 0, ending);
}

static int32_t evil_ending(void *instance, const tamis_host *host) {
  static const tamis_str ending = TAMIS_STR("/../../evil");
  (void)instance;
  return host->put(host->ctx, 0, ending);
}

static int32_t write_stream(void *instance, const tamis_document *docs, size_t n, const tamis_host *host) {
  static const tamis_str line_end = TAMIS_STR("\n"), after = TAMIS_STR("after failing\n");
  (void)instance;
  for (uint32_t doc = 0; doc < n; doc++) {
    tamis_str text = docs[doc].text;
    if (is(text, "nothing")) continue;
    if (is(text, "nothing, and said so")) {
      host->verdict(host->ctx, doc, TAMIS_KEEP, nothing);
      continue;
    }
    if (is(text, "file")) host->put_file(host->ctx, doc, word, word);
    host->put(host->ctx, doc, text);
    host->put(host->ctx, doc, line_end);
    if (is(text, "out of order") && doc > 0) host->put(host->ctx, doc - 1, word);
    if (is(text, "dropped")) host->verdict(host->ctx, doc, TAMIS_DROP, reason);
    if (is(text, "at NULL")) host->put(host->ctx, doc, at_null);
    if (is(text, "text set") && host->reserve_text(host->ctx, doc, 3) == NULL) {
      host->verdict(host->ctx, doc, TAMIS_FAIL, reason);
      host->put(host->ctx, doc, after);
    }
    if (is(text, "error after output")) return TAMIS_ERROR;
  }
  return TAMIS_OK;
}

/* The text of a document names its file. */
static int32_t write_files(void *instance, const tamis_document *docs, size_t n, const tamis_host *host) {
  (void)instance;
  for (uint32_t doc = 0; doc < n; doc++) {
    tamis_str path = is(docs[doc].text, "not UTF-8") ? broken_text : docs[doc].text;
    if (is(path, "stream")) host->put(host->ctx, doc, word);
    host->put_file(host->ctx, doc, path, word);
  }
  return TAMIS_OK;
}

/* ---- the descriptor ----------------------------------------------------------------------------------- */

static const tamis_str text_field[] = {TAMIS_STR("text")};

#define TRANSFORM(it, ...) \
  static const tamis_transform it##_table = {.struct_size = sizeof(tamis_transform), __VA_ARGS__}
#define STAGE(it, kind_, name_, ...) \
  static const tamis_stage it = { \
    .struct_size = sizeof(tamis_stage), .kind = kind_, .name = TAMIS_STR(name_), \
    .summary = TAMIS_STR("Breaks the contract."), .reads = text_field, .n_reads = 1, \
    .open = open_it, .close = close_it, __VA_ARGS__}

TRANSFORM(extractor, .process = extract);
STAGE(extractor, TAMIS_EXTRACTOR, "misbehave", .transform = &extractor_table);
TRANSFORM(meddler, .process = meddle);
STAGE(meddler, TAMIS_FILTER, "meddle", .transform = &meddler_table);
TRANSFORM(waiter, .process = wait);
STAGE(waiter, TAMIS_FILTER, "wait", .transform = &waiter_table);
TRANSFORM(homeless, .process = meddle, .local_new = no_local, .local_free = local_free);
STAGE(homeless, TAMIS_FILTER, "no-local", .transform = &homeless_table);
static const tamis_reader reader_table = {.struct_size = sizeof(tamis_reader), .cut = cut, .decode = decode};
STAGE(reader, TAMIS_READER, "bad-lines", .writes = text_field, .n_writes = 1, .reader = &reader_table);
static const tamis_exporter stream_table = {
  .struct_size = sizeof(tamis_exporter), .extension = stream_ending, .encode = write_stream};
STAGE(stream, TAMIS_EXPORTER, "bad-stream", .exporter = &stream_table);
static const tamis_exporter files_table = {
  .struct_size = sizeof(tamis_exporter), .extension = stream_ending, .encode = write_files};
STAGE(files, TAMIS_EXPORTER, "bad-files", .flags = TAMIS_NAMED_FILES, .exporter = &files_table);
static const tamis_exporter ending_table = {
  .struct_size = sizeof(tamis_exporter), .extension = evil_ending, .encode = write_stream};
STAGE(ending, TAMIS_EXPORTER, "bad-ending", .exporter = &ending_table);

static const tamis_stage *const stages[] = {
  &extractor, &meddler, &waiter, &homeless, &reader, &stream, &files, &ending,
};
static const tamis_plugin plugin = {
  .magic = TAMIS_MAGIC, .struct_size = sizeof(tamis_plugin), .abi_major = TAMIS_ABI_MAJOR,
  .name = TAMIS_STR("breaches"), .version = TAMIS_STR("0.1.0"), .stages = stages, .n_stages = 8,
};

TAMIS_ENTRY(breaches) { return &plugin; }
