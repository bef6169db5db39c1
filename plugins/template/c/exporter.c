/* Writes one line a document.
 *
 * All that a plugin in C needs is in two headers, which lie beside it. `tamis plugin check` tests the library. */
#include "tamis_options.h"

/* Memory for an instance, or NULL with the reason told. */
static void *instance_of(size_t size, const tamis_host *host) {
  static const tamis_str nothing = {NULL, 0}, message = TAMIS_STR("there is no memory left");
  void *memory = calloc(1, size);
  if (memory == NULL) host->error(host->ctx, nothing, message);
  return memory;
}

typedef struct {
  int ids;
} template_stage;

static int32_t template_open(tamis_str options, const tamis_host *host, void **instance) {
  template_stage *self = instance_of(sizeof *self, host);
  if (self == NULL) return TAMIS_ERROR;
  self->ids = tamis_option_bool(options, "ids", 0);
  *instance = self;
  return TAMIS_OK;
}

static int32_t template_extension(void *instance, const tamis_host *host) {
  static const tamis_str extension = TAMIS_STR("txt");
  (void)instance;
  return host->put(host->ctx, 0, extension);
}

static int32_t template_encode(void *instance, const tamis_document *docs, size_t n, const tamis_host *host) {
  static const tamis_str tab = TAMIS_STR("\t"), line_end = TAMIS_STR("\n"), blank = TAMIS_STR(" ");
  const template_stage *self = instance;
  for (uint32_t doc = 0; doc < n; doc++) {
    tamis_str text = docs[doc].text;
    if (self->ids) host->put(host->ctx, doc, docs[doc].id), host->put(host->ctx, doc, tab);
    /* A line end in a text would be taken for that of its line. */
    for (size_t at = 0; at < text.len;) {
      const uint8_t *start = text.ptr + at, *end = memchr(start, '\n', text.len - at);
      size_t length = end == NULL ? text.len - at : (size_t)(end - start);
      host->put(host->ctx, doc, (tamis_str){start, length});
      at += length + 1;
      if (end != NULL) host->put(host->ctx, doc, blank);
    }
    host->put(host->ctx, doc, line_end);
  }
  return TAMIS_OK;
}

static const tamis_str reads[] = {TAMIS_STR("text")};
static const tamis_exporter table = {
    .struct_size = sizeof(tamis_exporter), .extension = template_extension, .encode = template_encode};

static const tamis_stage stage = {
    .struct_size = sizeof(tamis_stage),
    .kind = TAMIS_EXPORTER,
    .flags = TAMIS_PURE,
    .name = TAMIS_STR("template"),
    .summary = TAMIS_STR("Writes one line a document."),
    .docs = TAMIS_STR("Writes one line a document."),
    .options_schema = TAMIS_STR(
        "{\"type\":\"object\",\"additionalProperties\":false,"
        "\"properties\":{\"ids\":{\"description\":\"Whether the id stands in front of the text, with a tab behind it.\",\"type\":\"boolean\",\"default\":false}}}"),
    .reads = reads,
    .n_reads = 1,
    .open = template_open,
    .close = free,
    .exporter = &table,
};

static const tamis_stage *const stages[] = {&stage};
static const tamis_plugin plugin = {
    .magic = TAMIS_MAGIC,
    .struct_size = sizeof(tamis_plugin),
    .abi_major = TAMIS_ABI_MAJOR,
    .abi_minor = TAMIS_ABI_MINOR,
    .name = TAMIS_STR("template_library"),
    .version = TAMIS_STR("0.1.0"),
    .license = TAMIS_STR("MIT OR Apache-2.0"),
    .sdk = TAMIS_STR("tamis_plugin.h (C)"),
    .stages = stages,
    .n_stages = 1,
};

TAMIS_ENTRY(template_library) { return &plugin; }
