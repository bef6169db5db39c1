/* Reads one document from each line.
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
  int skip_blank;
} template_stage;

static int32_t template_open(tamis_str options, const tamis_host *host, void **instance) {
  template_stage *self = instance_of(sizeof *self, host);
  if (self == NULL) return TAMIS_ERROR;
  self->skip_blank = tamis_option_bool(options, "skip_blank", 1);
  *instance = self;
  return TAMIS_OK;
}

/* Where the runner may cut a file: behind the last line end, so that blocks hold whole lines. */
static int32_t template_cut(void *instance, const tamis_block *block, uint32_t end, tamis_cut *out,
                            const tamis_host *host) {
  uint64_t lines = 0;
  size_t last = 0;
  (void)instance, (void)host;
  for (size_t at = 0; at < block->bytes.len; at++)
    if (block->bytes.ptr[at] == '\n') lines++, last = at + 1;
  if (end && last < block->bytes.len) lines++, last = block->bytes.len;
  out->bytes = last;
  out->records = lines;
  return TAMIS_OK;
}

/* Ordinals go up by one a line, also where a line is passed over. A line in another encoding is a dead letter with its
 * bytes: the host takes text that is not UTF-8 for a slip of the plugin. */
static int32_t template_decode(void *instance, const tamis_block *block, const tamis_host *host) {
  static const tamis_str nothing = {NULL, 0}, foreign = TAMIS_STR("the line is not UTF-8: convert the file first");
  const template_stage *self = instance;
  uint64_t ordinal = block->first_ordinal;
  for (size_t at = 0; at < block->bytes.len; ordinal++) {
    const uint8_t *line = block->bytes.ptr + at, *end = memchr(line, '\n', block->bytes.len - at);
    size_t next = end == NULL ? block->bytes.len : (size_t)(end - block->bytes.ptr) + 1;
    size_t length = next - at - (end != NULL);
    if (length > 0 || !self->skip_blank) {
      tamis_new_document document = {0};
      document.text = (tamis_str){line, length};
      document.ordinal = ordinal;
      document.offset = block->offset + at;
      document.length = length;
      if (tamis_is_utf8(document.text)) {
        host->emit(host->ctx, &document);
      } else {
        document.raw = document.text;
        document.text = nothing;
        document.flags |= TAMIS_HAS_RAW;
        host->emit_failed(host->ctx, &document, foreign);
      }
    }
    at = next;
  }
  return TAMIS_OK;
}

static const tamis_str writes[] = {TAMIS_STR("text")};
static const tamis_reader table = {
    .struct_size = sizeof(tamis_reader), .cut = template_cut, .decode = template_decode};

static const tamis_stage stage = {
    .struct_size = sizeof(tamis_stage),
    .kind = TAMIS_READER,
    .flags = TAMIS_PURE,
    .name = TAMIS_STR("template"),
    .summary = TAMIS_STR("Reads one document from each line."),
    .docs = TAMIS_STR("Reads one document from each line."),
    .options_schema = TAMIS_STR(
        "{\"type\":\"object\",\"additionalProperties\":false,"
        "\"properties\":{\"skip_blank\":{\"description\":\"Whether lines with nothing in them are passed over.\",\"type\":\"boolean\",\"default\":true}}}"),
    .writes = writes,
    .n_writes = 1,
    .open = template_open,
    .close = free,
    .reader = &table,
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
