/* What ABI 1.1 added, in plain C; with -DOLD the same stages as a plugin of ABI 1.0, whose tables end before.
 * `minor.rs` holds what must come of each, also of the ways in which a document or a file says to break the contract. */
#include <stdlib.h>
#include <string.h>

#include "tamis_plugin.h"

#ifdef OLD
#define SIZE(type, last) (offsetof(type, last) + sizeof(void (*)(void)))
#define MINOR 0
#else
#define SIZE(type, last) sizeof(type)
#define MINOR TAMIS_ABI_MINOR
#endif

static const tamis_str nothing = {NULL, 0}, why = TAMIS_STR("as the file says");

static int begins(tamis_str text, const char *wanted) {
  return text.len >= strlen(wanted) && memcmp(text.ptr, wanted, strlen(wanted)) == 0;
}

static int32_t fails(const tamis_host *host) {
  host->error(host->ctx, nothing, why);
  return TAMIS_ERROR;
}

static int32_t open_it(tamis_str options, const tamis_host *host, void **instance) {
  (void)options, (void)host;
  *instance = malloc(1);
  return TAMIS_OK;
}

/* ---- a reader of blocks with a header line ------------------------------------------------------------- */

static int32_t table_head(void *instance, const tamis_block *block, uint32_t end, uint64_t *out,
                          const tamis_host *host) {
  const uint8_t *line = memchr(block->bytes.ptr, '\n', block->bytes.len);
  (void)instance, (void)end;
#ifdef OLD
  abort();
#endif
  if (begins(block->bytes, "error")) return fails(host);
  *out = line == NULL ? TAMIS_MORE : (uint64_t)(line - block->bytes.ptr) + 1;
  if (begins(block->bytes, "too long")) *out = block->bytes.len + 1;
  return TAMIS_OK;
}

static int32_t table_cut(void *instance, const tamis_block *block, uint32_t end, tamis_cut *out,
                         const tamis_host *host) {
  (void)instance, (void)end, (void)host;
  out->bytes = block->bytes.len;
  out->records = 1;
  return TAMIS_OK;
}

/* The text of a record is its block, its raw bytes are the head. */
static int32_t table_decode(void *instance, const tamis_block *block, const tamis_host *host) {
  tamis_new_document document;
  (void)instance;
  memset(&document, 0, sizeof document);
  document.text = block->bytes;
  document.raw = block->head;
  document.flags = TAMIS_HAS_RAW;
  document.ordinal = block->first_ordinal;
  return host->emit(host->ctx, &document);
}

/* ---- a filter that looks at positions ------------------------------------------------------------------- */

static int32_t first_process(void *instance, void *local, const tamis_document *docs, size_t n,
                             const tamis_host *host) {
  static const tamis_str reason = TAMIS_STR("not-first");
  (void)instance, (void)local;
  for (uint32_t doc = 0; doc < n; doc++) {
    if (docs[doc].position[0] != 0 || docs[doc].position[1] != 0) host->verdict(host->ctx, doc, TAMIS_DROP, reason);
  }
  return TAMIS_OK;
}

/* ---- a reader of files that are read anywhere: two bytes a record, after four that say what goes wrong --- */

static int32_t pairs_open(void *instance, tamis_str name, uint64_t target, const tamis_host *host, void **file) {
  uint8_t memory[4];
  tamis_str word = {memory, 4};
  tamis_split split;
  (void)instance, (void)name;
  memset(&split, 0, sizeof split);
  if (host->file_size(host->ctx) < 4 || host->read_at(host->ctx, 0, memory, 4) != TAMIS_OK) return fails(host);
  if (begins(word, "fail")) return fails(host);
  if (begins(word, "null")) host->push_split(host->ctx, NULL);
  if (begins(word, "away") && host->read_at(host->ctx, UINT64_MAX, memory, 4) != TAMIS_OK) return fails(host);
  if (begins(word, "void") && host->read_at(host->ctx, 0, NULL, 4) != TAMIS_OK) return fails(host);
  uint64_t records = (host->file_size(host->ctx) - 4) / 2;
  for (split.first_ordinal = 0; split.first_ordinal < records; split.first_ordinal += split.records) {
    split.records = records - split.first_ordinal < target ? records - split.first_ordinal : target;
    split.weight = split.bytes = 2 * split.records;
    split.token[0] = begins(word, "none");
    if (begins(word, "more")) split.reserved[0] = &split;
    if (begins(word, "skip")) split.first_ordinal++;
    if (host->push_split(host->ctx, &split) != TAMIS_OK) return fails(host);
  }
  *file = malloc(1);
  return begins(word, "wild") ? 99 : TAMIS_OK;
}

static int32_t pairs_decode(void *instance, void *file, const tamis_split *split, const tamis_host *host) {
  (void)instance, (void)file;
  if (split->token[0]) return TAMIS_OK;
  for (uint64_t at = 0; at < split->records; at++) {
    uint8_t *pair = malloc(2); /* not written before it is read into */
    tamis_new_document document;
    memset(&document, 0, sizeof document);
    document.ordinal = split->first_ordinal + at;
    document.offset = 4 + 2 * document.ordinal;
    document.length = 2;
    document.text.ptr = pair;
    document.text.len = 2;
    int32_t read = host->read_at(host->ctx, document.offset, pair, 2);
    if (read == TAMIS_OK) host->emit(host->ctx, &document);
    free(pair);
    if (read != TAMIS_OK) return fails(host);
  }
  return TAMIS_OK;
}

static void file_close(void *instance, void *file) { (void)instance, free(file); }

/* ---- an exporter with parts ------------------------------------------------------------------------------ */

static int32_t part_extension(void *instance, const tamis_host *host) {
  static const tamis_str ending = TAMIS_STR("txt");
  (void)instance;
  return host->put(host->ctx, 0, ending);
}

static int32_t part_encode(void *instance, const tamis_document *docs, size_t n, const tamis_host *host) {
  (void)instance;
  for (uint32_t doc = 0; doc < n; doc++) {
    if (begins(docs[doc].text, "bad")) host->verdict(host->ctx, doc, TAMIS_FAIL, why);
    else if (begins(docs[doc].text, "said")) host->verdict(host->ctx, doc, TAMIS_KEEP, nothing);
    else if (!begins(docs[doc].text, "forgotten")) host->put(host->ctx, doc, docs[doc].text);
  }
  return TAMIS_OK;
}

static int32_t part_begin(void *instance, tamis_str path, const tamis_host *host, void **part) {
  (void)instance;
  if (begins(path, "bad")) return fails(host);
  *part = calloc(1, sizeof(char));
  return host->put(host->ctx, 0, path);
}

static int32_t part_add(void *instance, void *part, tamis_str chunk, const tamis_host *host) {
  (void)instance;
  ++*(char *)part;
  host->put(host->ctx, 0, chunk);
  if (begins(chunk, "void")) host->put(host->ctx, 0, (tamis_str){NULL, 7});
  return begins(chunk, "no") ? fails(host) : TAMIS_OK;
}

static int32_t part_end(void *instance, void *part, const tamis_host *host) {
  uint8_t chunks = (uint8_t)('0' + *(char *)part);
  (void)instance;
  free(part);
  return host->put(host->ctx, 0, (tamis_str){&chunks, 1});
}

static void part_free(void *instance, void *part) { (void)instance, free(part); }

/* ---- a corpus stage that counts documents ---------------------------------------------------------------- */

static uint8_t counted; /* of all instances: one is open at a time */

static int32_t local_new(void *instance, uint32_t pass, const tamis_host *host, void **local) {
  (void)instance, (void)pass, (void)host;
  *local = calloc(1, 1);
  return TAMIS_OK;
}

static void local_free(void *instance, void *local) { (void)instance, free(local); }

static int32_t observe(void *instance, void *local, uint32_t pass, const tamis_document *docs, size_t n,
                       const tamis_host *host) {
  (void)instance, (void)pass, (void)docs, (void)host;
  *(uint8_t *)local += (uint8_t)n;
  return TAMIS_OK;
}

static int32_t merge(void *instance, void *local, uint32_t pass, const tamis_host *host) {
  (void)instance, (void)pass, (void)host;
  counted += *(uint8_t *)local;
  free(local);
  return TAMIS_OK;
}

static int32_t end_pass(void *instance, uint32_t pass, const tamis_host *host) {
  (void)instance, (void)pass, (void)host;
  return TAMIS_OK;
}

static int32_t apply(void *instance, void *local, const tamis_document *docs, size_t n, const tamis_host *host) {
  (void)instance, (void)local, (void)docs, (void)n, (void)host;
  return TAMIS_OK;
}

static int32_t state_save(void *instance, uint32_t pass, const tamis_host *host) {
  (void)instance, (void)pass;
  return host->put(host->ctx, 0, (tamis_str){&counted, 1});
}

static int32_t state_load(void *instance, uint32_t pass, tamis_str bytes, const tamis_host *host) {
  (void)instance, (void)pass;
  if (bytes.len != 1) return fails(host);
  counted += *bytes.ptr;
  return TAMIS_OK;
}

static int32_t passes(void *instance, uint32_t *out, const tamis_host *host) {
  (void)instance, (void)host;
#ifdef OLD
  abort();
#endif
  *out = 1;
  return TAMIS_OK;
}

static int32_t prepare(void *instance, const tamis_workspace *place, const tamis_host *host) {
  (void)instance;
#ifdef OLD
  abort();
#endif
  return begins(place->scratch, "/scratch") && begins(place->keep, "/keep") && place->memory == 7 &&
         place->threads == 2 ? TAMIS_OK : fails(host);
}

static int32_t state_load_stream(void *instance, uint32_t pass, const tamis_host *host) {
  uint8_t memory[2];
  (void)instance, (void)pass;
#ifdef OLD
  abort();
#endif
  int64_t read = host->read(host->ctx, memory, sizeof memory);
  if (read == 2 && memory[0] == 'n' && host->read(host->ctx, NULL, 1) != 0) return TAMIS_OK;
  if (read != 1 || host->read(host->ctx, memory + 1, 1) != 0) return fails(host);
  counted += memory[0];
  return TAMIS_OK;
}

/* ---- the descriptor -------------------------------------------------------------------------------------- */

static const tamis_str text_field[] = {TAMIS_STR("text")};

#define STAGE(it, kind_, name_, ...) \
  static const tamis_stage it = { \
    .struct_size = sizeof(tamis_stage), .kind = kind_, .name = TAMIS_STR(name_), \
    .summary = TAMIS_STR("Uses what is new."), .reads = text_field, .n_reads = 1, \
    .open = open_it, .close = free, __VA_ARGS__}

static const tamis_reader table_table = {
  .struct_size = SIZE(tamis_reader, decode), .cut = table_cut, .decode = table_decode, .head = table_head};
STAGE(table, TAMIS_READER, "c-table", .reader = &table_table);
static const tamis_transform first_table = {.struct_size = sizeof(tamis_transform), .process = first_process};
STAGE(first, TAMIS_FILTER, "c-first", .transform = &first_table);
static const tamis_corpus corpus_table = {
  .struct_size = SIZE(tamis_corpus, state_load), .observing_passes = 2, .local_new = local_new,
  .local_free = local_free, .observe = observe, .merge = merge, .end_pass = end_pass, .apply = apply,
  .state_save = state_save, .state_load = state_load, .passes = passes, .prepare = prepare,
  .state_load_stream = state_load_stream};
STAGE(corpus, TAMIS_CORPUS, "c-count", .corpus = &corpus_table);

#ifndef PAIRS_FLAGS
#define PAIRS_FLAGS TAMIS_RANDOM_ACCESS
#endif
#ifndef PARTS_FLAGS
#define PARTS_FLAGS TAMIS_PARTS
#endif
#ifndef FILE_DECODE
#define FILE_DECODE pairs_decode
#endif
#ifndef PART_FREE
#define PART_FREE part_free
#endif
static const tamis_reader pairs_table = {
  .struct_size = sizeof(tamis_reader), .file_open = pairs_open, .file_decode = FILE_DECODE,
  .file_close = file_close};
STAGE(pairs, TAMIS_READER, "c-pairs", .flags = PAIRS_FLAGS, .reader = &pairs_table);
static const tamis_exporter parts_table = {
  .struct_size = sizeof(tamis_exporter), .extension = part_extension, .encode = part_encode,
  .part_begin = part_begin, .part_add = part_add, .part_end = part_end, .part_free = PART_FREE};
STAGE(parts, TAMIS_EXPORTER, "c-parts", .flags = PARTS_FLAGS, .exporter = &parts_table);

static const tamis_stage *const stages[] = {&table, &first, &corpus, &pairs, &parts};
static const tamis_plugin plugin = {
  .magic = TAMIS_MAGIC, .struct_size = sizeof(tamis_plugin), .abi_major = TAMIS_ABI_MAJOR, .abi_minor = MINOR,
  .name = TAMIS_STR("minor"), .version = TAMIS_STR("0.1.0"), .stages = stages,
#ifdef OLD
  .n_stages = 3,
#else
  .n_stages = 5,
#endif
};
/* What a definition leaves unused. */
const void *const all_parts[] = {&pairs, &parts, (const void *)(uintptr_t)pairs_decode, (const void *)(uintptr_t)part_free};

TAMIS_ENTRY(minor) { return &plugin; }
