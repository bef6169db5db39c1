/* Attachments (1.2) in plain C: a filter that leaves the length of a text with it, as bytes for everybody and as a
 * value for its own library, and measures what it finds. Built under two names, it is two libraries.
 * `attachments.rs` holds what must come of it. */
#include <stdlib.h>
#include <string.h>

#include "tamis_plugin.h"

static const tamis_str layout = TAMIS_STR("c.length"), key = TAMIS_STR("length");
static int n_dropped; /* the test calls from one thread */

static int32_t open_it(tamis_str options, const tamis_host *host, void **instance) {
  (void)options, (void)host;
  *instance = malloc(1);
  return TAMIS_OK;
}

static void close_it(void *instance) { free(instance); }

static void drop(void *value) {
  n_dropped++;
  free(value);
}

static void measure(const tamis_host *host, uint32_t doc, tamis_str name, double value) {
  tamis_measure measure = {name, value, 0, TAMIS_NO_LIMIT, 0};
  host->measure(host->ctx, doc, &measure);
}

static void look(const tamis_host *host, uint32_t doc) {
  static const tamis_str bytes = TAMIS_STR("bytes"), value = TAMIS_STR("value"), dropped = TAMIS_STR("dropped");
  tamis_str found;
  uint64_t *mine = host->attached_value(host->ctx, doc, key);
  /* A layout may be read as it lies: the bytes are aligned. */
  if (host->attached(host->ctx, doc, layout, 1, &found)) measure(host, doc, bytes, (double)*(const uint64_t *)(const void *)found.ptr);
  if (mine != NULL) measure(host, doc, value, (double)*mine);
  measure(host, doc, dropped, n_dropped);
}

static void leave(const tamis_host *host, uint32_t doc, uint64_t length) {
  tamis_attachment attachment = {layout, 1, {(const uint8_t *)&length, sizeof length}};
  uint64_t *value = malloc(sizeof *value);
  *value = length;
  host->attach(host->ctx, doc, &attachment);
  if (host->attach_value(host->ctx, doc, key, value, sizeof *value, drop) != TAMIS_OK) free(value);
}

static int32_t process(void *instance, void *local, const tamis_document *docs, size_t n, const tamis_host *host) {
  static const tamis_str no = TAMIS_STR("it says so");
  (void)instance, (void)local;
  for (uint32_t doc = 0; doc < n; doc++) {
    tamis_str text = docs[doc].text;
    tamis_attachment nameless = {{NULL, 0}, 1, {NULL, 0}};
    look(host, doc);
    leave(host, doc, text.len);
    if (text.len == 4 && memcmp(text.ptr, "fail", 4) == 0) host->verdict(host->ctx, doc, TAMIS_FAIL, no);
    if (text.len == 4 && memcmp(text.ptr, "name", 4) == 0) host->attach(host->ctx, doc, &nameless);
    if (text.len == 4 && memcmp(text.ptr, "drop", 4) == 0) host->attach_value(host->ctx, doc, key, &n_dropped, 1, NULL);
    if (text.len == 4 && memcmp(text.ptr, "huge", 4) == 0) {
      /* More than there is room for: refused, and no error. */
      uint64_t *value = malloc(sizeof *value);
      if (host->attach_value(host->ctx, doc, key, value, UINT64_MAX, drop) == TAMIS_UNSUPPORTED) free(value);
    }
  }
  return TAMIS_OK;
}

static const tamis_transform table = {sizeof table, 0, NULL, NULL, process};
static const tamis_stage stage = {
    .struct_size = sizeof stage, .kind = TAMIS_FILTER, .flags = TAMIS_PURE, .name = TAMIS_STR("c-length"),
    .summary = TAMIS_STR("Measures what it has left."), .open = open_it, .close = close_it, .transform = &table};
static const tamis_stage *const stages[] = {&stage};

#ifndef NAME
#define NAME attach_one
#endif
#define TEXT(x) #x
#define LITERAL(x) TEXT(x)
#define ENTRY(name) TAMIS_ENTRY(name)
static const tamis_plugin plugin = {
    TAMIS_MAGIC, sizeof plugin, TAMIS_ABI_MAJOR, TAMIS_ABI_MINOR, 0, TAMIS_STR(LITERAL(NAME)), TAMIS_STR("1"),
    TAMIS_STR("MIT"), TAMIS_STR("C"), stages, 1};

ENTRY(NAME) { return &plugin; }
