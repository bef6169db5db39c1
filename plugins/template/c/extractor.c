/* Cuts a closing line, and what follows it, off the end of a text.
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
  char *phrase;
} template_stage;

static int32_t template_open(tamis_str options, const tamis_host *host, void **instance) {
  template_stage *self = instance_of(sizeof *self, host);
  if (self == NULL) return TAMIS_ERROR;
  self->phrase = tamis_option_string(options, "phrase", "Read more:");
  *instance = self;
  return self->phrase == NULL ? TAMIS_ERROR : TAMIS_OK;
}

static void template_close(void *instance) {
  template_stage *self = instance;
  free(self->phrase);
  free(self);
}

/* Where the last line begins that begins with the phrase; the length of the text without one. */
static size_t closing(const template_stage *self, tamis_str text) {
  size_t found = text.len, length = strlen(self->phrase);
  for (size_t at = 0; at + length <= text.len; at++) {
    int begins = at == 0 || text.ptr[at - 1] == '\n';
    if (begins && memcmp(text.ptr + at, self->phrase, length) == 0) found = at;
  }
  return found;
}

static int32_t template_process(void *instance, void *local, const tamis_document *docs, size_t n,
                                const tamis_host *host) {
  static const tamis_str counter = TAMIS_STR("closings_cut"), reason = TAMIS_STR("the text could not be written");
  (void)local;
  for (uint32_t doc = 0; doc < n; doc++) {
    tamis_str text = docs[doc].text;
    size_t cut = closing(instance, text);
    if (cut == text.len) continue; /* nothing committed: the text stays as it is */
    uint8_t *kept = host->reserve_text(host->ctx, doc, cut);
    if (kept != NULL && cut > 0) memcpy(kept, text.ptr, cut);
    if (kept == NULL || host->commit_text(host->ctx, doc, cut) != TAMIS_OK)
      host->verdict(host->ctx, doc, TAMIS_FAIL, reason);
    else
      host->count(host->ctx, counter, 1);
  }
  return TAMIS_OK;
}

static const tamis_str reads[] = {TAMIS_STR("text")};
static const tamis_transform table = {.struct_size = sizeof(tamis_transform), .process = template_process};

static const tamis_stage stage = {
    .struct_size = sizeof(tamis_stage),
    .kind = TAMIS_EXTRACTOR,
    .flags = TAMIS_PURE,
    .name = TAMIS_STR("template"),
    .summary = TAMIS_STR("Cuts a closing line, and what follows it, off the end of a text."),
    .docs = TAMIS_STR("Cuts a closing line, and what follows it, off the end of a text."),
    .options_schema = TAMIS_STR(
        "{\"type\":\"object\",\"additionalProperties\":false,"
        "\"properties\":{\"phrase\":{\"description\":\"The words with which the ending begins.\",\"type\":\"string\",\"minLength\":1,\"default\":\"Read more:\"}}}"),
    .reads = reads,
    .n_reads = 1,
    .writes = reads,
    .n_writes = 1,
    .open = template_open,
    .close = template_close,
    .transform = &table,
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
