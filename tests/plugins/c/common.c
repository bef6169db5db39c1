/* A keyed corpus stage in plain C: documents that begin with the same line as more than two others go.
 *
 *   cc -std=c99 -shared -fPIC -I crates/plugin/include -o libcommon.so tests/plugins/c/common.c
 *
 * Its one round counts first lines: the key is a hash of the line, the column a 1, and the host sums. No state, no
 * merging, no file: those are the host's. */
#include <string.h>

#include "tamis_plugin.h"

enum { MOST = 3 };

static const char ROUNDS[] =
    "{\"rounds\": [{\"name\": \"first-lines\", \"key\": [\"u64\"], \"columns\": [\"u64\"],"
    " \"reduce\": {\"fold\": [\"sum\"]}}]}";

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

static int32_t open(tamis_str options, const tamis_host *host, void **instance) {
  static int nothing;
  (void)options, (void)host;
  *instance = &nothing;
  return TAMIS_OK;
}

static void close(void *instance) { (void)instance; }

static int32_t rounds(void *instance, const tamis_host *host) {
  static const tamis_str text = TAMIS_STR(ROUNDS);
  (void)instance;
  return host->put(host->ctx, 0, text);
}

static int32_t observe(void *instance, void *local, uint32_t round, const tamis_document *docs, size_t n,
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

static int32_t apply(void *instance, void *local, const tamis_document *docs, size_t n, const tamis_host *host) {
  static const tamis_str reason = TAMIS_STR("common-first-line"), name = TAMIS_STR("documents_with_first_line");
  const tamis_keyed_host *keyed = keyed_host(host);
  (void)instance, (void)local;
  if (keyed == NULL) return TAMIS_UNSUPPORTED;
  for (uint32_t doc = 0; doc < n; doc++) {
    uint8_t key[8];
    tamis_str found = {NULL, 0};
    put_u64(key, hash_of(docs[doc].text));
    int32_t known = keyed->known(host->ctx, 0, (tamis_str){key, sizeof key}, &found);
    if (known < 0) return TAMIS_ERROR;
    if (known == 0) continue;
    uint64_t count = get_u64(found.ptr + 8);
    tamis_value value = {TAMIS_INTEGER, 0, count, {NULL, 0}};
    host->set_field(host->ctx, doc, name, &value);
    if (count > MOST) host->verdict(host->ctx, doc, TAMIS_DROP, reason);
  }
  return TAMIS_OK;
}

static const tamis_keyed KEYED = {
    .struct_size = sizeof(tamis_keyed), .rounds = rounds, .observe = observe, .apply = apply};

static const tamis_str READS[] = {TAMIS_STR("text")}, WRITES[] = {TAMIS_STR("documents_with_first_line")};

static const tamis_stage STAGE = {
    .struct_size = sizeof(tamis_stage),
    .kind = TAMIS_CORPUS,
    .flags = TAMIS_KEYED,
    .name = TAMIS_STR("common-first-line"),
    .summary = TAMIS_STR("Drops documents whose first line many others have, too."),
    .docs = TAMIS_STR("Drops documents whose first line many others have, too."),
    .reads = READS,
    .n_reads = 1,
    .writes = WRITES,
    .n_writes = 1,
    .open = open,
    .close = close,
    .keyed = &KEYED};

static const tamis_stage *const STAGES[] = {&STAGE};

TAMIS_ENTRY(common) {
  static const tamis_plugin plugin = {
      .magic = TAMIS_MAGIC,
      .struct_size = sizeof(tamis_plugin),
      .abi_major = TAMIS_ABI_MAJOR,
      .abi_minor = TAMIS_ABI_MINOR,
      .name = TAMIS_STR("common"),
      .version = TAMIS_STR("1.0.0"),
      .license = TAMIS_STR("MIT OR Apache-2.0"),
      .sdk = TAMIS_STR("tamis_plugin.h (C)"),
      .stages = STAGES,
      .n_stages = 1};
  return &plugin;
}
