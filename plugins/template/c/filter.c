/* Drops documents with few words.
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
  int64_t min_words;
} template_stage;

static int32_t template_open(tamis_str options, const tamis_host *host, void **instance) {
  template_stage *self = instance_of(sizeof *self, host);
  if (self == NULL) return TAMIS_ERROR;
  self->min_words = tamis_option_integer(options, "min_words", 5);
  *instance = self;
  return TAMIS_OK;
}

static int64_t words_of(tamis_str text) {
  int64_t words = 0;
  for (size_t at = 0, inside = 0; at < text.len; at++) {
    size_t is_blank = text.ptr[at] == ' ' || (text.ptr[at] >= '\t' && text.ptr[at] <= '\r');
    if (!is_blank && !inside) words++;
    inside = !is_blank;
  }
  return words;
}

static int32_t template_process(void *instance, void *local, const tamis_document *docs, size_t n,
                                const tamis_host *host) {
  static const tamis_str name = TAMIS_STR("words"), reason = TAMIS_STR("few-words");
  const template_stage *self = instance;
  (void)local;
  for (uint32_t doc = 0; doc < n; doc++) {
    int64_t words = words_of(docs[doc].text);
    tamis_measure measure = {name, (double)words, (double)self->min_words, TAMIS_MIN, 0};
    host->measure(host->ctx, doc, &measure);
    if (words < self->min_words) host->verdict(host->ctx, doc, TAMIS_DROP, reason);
  }
  return TAMIS_OK;
}

static const tamis_str reads[] = {TAMIS_STR("text")};
static const tamis_transform table = {.struct_size = sizeof(tamis_transform), .process = template_process};
static const tamis_measure_info measures[] = {{
    .name = TAMIS_STR("words"),
    .unit = TAMIS_STR("words"),
    .min_option = TAMIS_STR("min_words"),
    .summary = TAMIS_STR("Words of the text, as blanks part them."),
    .better = TAMIS_HIGHER,
}};

static const tamis_stage stage = {
    .struct_size = sizeof(tamis_stage),
    .kind = TAMIS_FILTER,
    .flags = TAMIS_PURE,
    .name = TAMIS_STR("template"),
    .summary = TAMIS_STR("Drops documents with few words."),
    .docs = TAMIS_STR("Drops documents with few words."),
    .options_schema = TAMIS_STR(
        "{\"type\":\"object\",\"additionalProperties\":false,"
        "\"properties\":{\"min_words\":{\"description\":\"How many words a document has at least.\",\"type\":\"integer\",\"minimum\":1,\"default\":5,\"x-unit\":\"words\"}}}"),
    .reads = reads,
    .n_reads = 1,
    .open = template_open,
    .close = free,
    .transform = &table,
    .measures = measures,
    .n_measures = 1,
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
