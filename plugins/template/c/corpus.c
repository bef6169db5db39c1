/* Drops documents whose first line many others have.
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

/* The one round counts first lines: the key is a hash of the line, the column a 1, and the host sums. Sorting, memory,
 * disk and what other machines have seen are the host's. */
static const char ROUNDS[] =
    "{\"rounds\": [{\"name\": \"first-lines\", \"key\": [\"u64\"], \"columns\": [\"u64\"],"
    " \"reduce\": {\"fold\": [\"sum\"]}}],"
    " \"observes\": \"first lines, which no option changes\"}";

typedef struct {
  uint64_t max_documents;
} template_stage;

static int32_t template_open(tamis_str options, const tamis_host *host, void **instance) {
  template_stage *self = instance_of(sizeof *self, host);
  if (self == NULL) return TAMIS_ERROR;
  self->max_documents = (uint64_t)tamis_option_integer(options, "max_documents", 3);
  *instance = self;
  return TAMIS_OK;
}

/* The host's functions for keyed stages, or NULL where it does not know them. */
static const tamis_keyed_host *keyed_host(const tamis_host *host) {
  static const tamis_str name = TAMIS_STR("tamis.keyed.1");
  return host->extension(host->ctx, name);
}

/* A column of 64 bits: the most significant byte first, so that rows sort as bytes. */
static void put_u64(uint8_t *at, uint64_t value) {
  for (int byte = 7; byte >= 0; byte--, value >>= 8) at[byte] = (uint8_t)value;
}

static uint64_t get_u64(const uint8_t *at) {
  uint64_t value = 0;
  for (int byte = 0; byte < 8; byte++) value = value << 8 | at[byte];
  return value;
}

/* FNV-1a of the first line; 0 for a document without one. */
static uint64_t hash_of(tamis_str text) {
  uint64_t hash = 0xcbf29ce484222325ull;
  size_t at = 0;
  for (; at < text.len && text.ptr[at] != '\n'; at++) hash = (hash ^ text.ptr[at]) * 0x100000001b3ull;
  return at == 0 ? 0 : hash;
}

static int32_t template_rounds(void *instance, const tamis_host *host) {
  static const tamis_str text = TAMIS_STR(ROUNDS);
  (void)instance;
  return host->put(host->ctx, 0, text);
}

static int32_t template_observe(void *instance, void *local, uint32_t round, const tamis_document *docs, size_t n,
                                const tamis_host *host) {
  const tamis_keyed_host *keyed = keyed_host(host);
  (void)instance, (void)local, (void)round;
  if (keyed == NULL) return TAMIS_UNSUPPORTED;
  for (uint32_t doc = 0; doc < n; doc++) {
    uint8_t row[16];
    uint64_t hash = hash_of(docs[doc].text);
    if (hash == 0) continue;
    put_u64(row, hash);
    put_u64(row + 8, 1);
    keyed->row(host->ctx, doc, (tamis_str){row, sizeof row});
  }
  return TAMIS_OK;
}

static int32_t template_apply(void *instance, void *local, const tamis_document *docs, size_t n,
                              const tamis_host *host) {
  static const tamis_str reason = TAMIS_STR("common-first-line");
  const tamis_keyed_host *keyed = keyed_host(host);
  const template_stage *self = instance;
  (void)local;
  if (keyed == NULL) return TAMIS_UNSUPPORTED;
  for (uint32_t doc = 0; doc < n; doc++) {
    uint8_t key[8];
    tamis_str found = {NULL, 0};
    put_u64(key, hash_of(docs[doc].text));
    int32_t known = keyed->known(host->ctx, 0, (tamis_str){key, sizeof key}, &found);
    if (known < 0) return TAMIS_ERROR;
    if (known == 1 && get_u64(found.ptr + 8) > self->max_documents)
      host->verdict(host->ctx, doc, TAMIS_DROP, reason);
  }
  return TAMIS_OK;
}

static const tamis_str reads[] = {TAMIS_STR("text")};
static const tamis_keyed table = {
    .struct_size = sizeof(tamis_keyed),
    .rounds = template_rounds,
    .observe = template_observe,
    .apply = template_apply,
};

static const tamis_stage stage = {
    .struct_size = sizeof(tamis_stage),
    .kind = TAMIS_CORPUS,
    .flags = TAMIS_KEYED,
    .name = TAMIS_STR("template"),
    .summary = TAMIS_STR("Drops documents whose first line many others have."),
    .docs = TAMIS_STR("Drops documents whose first line many others have."),
    .options_schema = TAMIS_STR(
        "{\"type\":\"object\",\"additionalProperties\":false,"
        "\"properties\":{\"max_documents\":{\"description\":\"Most documents with a first line that are kept.\",\"type\":\"integer\",\"minimum\":1,\"default\":3,\"x-unit\":\"documents\"}}}"),
    .reads = reads,
    .n_reads = 1,
    .open = template_open,
    .close = free,
    .keyed = &table,
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
