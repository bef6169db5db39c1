/* What a stage says of forms (1.3) in plain C: an extractor that works on the source of a page and leaves clean text,
 * or, by an option, one that looks at white space and destroys lines. It changes nothing: `in_c.rs` asks what
 * `tamis check` makes of what it says. */
#include "tamis_options.h"

static int32_t open_it(tamis_str options, const tamis_host *host, void **instance) {
  static int nothing;
  tamis_forms forms = {.struct_size = sizeof forms, .takes = TAMIS_MARKUP, .gives = TAMIS_CLEAN, .cleans = 1};
  if (tamis_option_bool(options, "layout", 0))
    forms = (tamis_forms){.struct_size = sizeof forms, .needs = TAMIS_WHITE_SPACE, .destroys = TAMIS_LINES};
  if (host->abi_minor < 3 || host->forms(host->ctx, &forms) != TAMIS_OK) return TAMIS_ERROR;
  *instance = &nothing;
  return TAMIS_OK;
}

static void close_it(void *instance) { (void)instance; }

static int32_t process(void *instance, void *local, const tamis_document *docs, size_t n, const tamis_host *host) {
  (void)instance, (void)local, (void)docs, (void)n, (void)host;
  return TAMIS_OK;
}

static const tamis_str text_field[] = {TAMIS_STR("text")};
static const tamis_transform table = {.struct_size = sizeof table, .process = process};
static const tamis_stage stage = {
    .struct_size = sizeof stage,
    .kind = TAMIS_EXTRACTOR,
    .flags = TAMIS_PURE,
    .name = TAMIS_STR("c-page"),
    .summary = TAMIS_STR("Says what forms it works on."),
    .options_schema = TAMIS_STR(
        "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{\"layout\":"
        "{\"description\":\"Whether the layout is what it works on.\",\"type\":\"boolean\",\"default\":false}}}"),
    .reads = text_field,
    .n_reads = 1,
    .open = open_it,
    .close = close_it,
    .transform = &table};
static const tamis_stage *const stages[] = {&stage};
static const tamis_plugin plugin = {
    .magic = TAMIS_MAGIC,
    .struct_size = sizeof plugin,
    .abi_major = TAMIS_ABI_MAJOR,
    .abi_minor = TAMIS_ABI_MINOR,
    .name = TAMIS_STR("forms"),
    .version = TAMIS_STR("1"),
    .license = TAMIS_STR("MIT"),
    .sdk = TAMIS_STR("tamis_plugin.h (C)"),
    .stages = stages,
    .n_stages = 1};

TAMIS_ENTRY(forms) { return &plugin; }
