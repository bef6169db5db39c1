/* A plugin of which any part can be broken with -D; without a definition it is sound.
 * `loading.rs` holds what the host must say to each. */
#define _DEFAULT_SOURCE
#include <stdlib.h>
#include <unistd.h>

#include "tamis_plugin.h"

#ifndef ENTRY
#define ENTRY tamis_plugin_v1_broken
#endif
#ifndef DESCRIPTOR
#define DESCRIPTOR &plugin
#endif
#ifndef MAGIC
#define MAGIC TAMIS_MAGIC
#endif
#ifndef PLUGIN_SIZE
#define PLUGIN_SIZE sizeof(tamis_plugin)
#endif
#ifndef MAJOR
#define MAJOR TAMIS_ABI_MAJOR
#endif
#ifndef MINOR
#define MINOR TAMIS_ABI_MINOR
#endif
#ifndef NAME
#define NAME TAMIS_STR("broken")
#endif
#ifndef VERSION
#define VERSION TAMIS_STR("0.1.0")
#endif
#ifndef STAGES
#define STAGES stages
#endif
#ifndef N_STAGES
#define N_STAGES 1
#endif
#ifndef FIRST
#define FIRST &first
#endif
#ifndef SECOND_NAME
#define SECOND_NAME TAMIS_STR("second")
#endif
#ifndef STAGE_SIZE
#define STAGE_SIZE sizeof(tamis_stage)
#endif
#ifndef KIND
#define KIND TAMIS_FILTER
#endif
#ifndef FLAGS
#define FLAGS TAMIS_PURE
#endif
#ifndef STAGE_NAME
#define STAGE_NAME TAMIS_STR("broken-stage")
#endif
#ifndef SUMMARY
#define SUMMARY TAMIS_STR("Keeps every document.")
#endif
#ifndef SCHEMA
#define SCHEMA {NULL, 0}
#endif
#ifndef READS
#define READS fields
#endif
#ifndef N_READS
#define N_READS 1
#endif
#ifndef OPEN
#define OPEN open_it
#endif
#ifndef CLOSE
#define CLOSE close_it
#endif
#ifndef TABLE
#define TABLE &table
#endif
#ifndef TABLE_SIZE
#define TABLE_SIZE sizeof(tamis_transform)
#endif
#ifndef LOCAL_NEW
#define LOCAL_NEW NULL
#endif
#ifndef PROCESS
#define PROCESS process
#endif

/* An address in the middle of something. */
#define ASKEW(type, it) (const type *)(const void *)((const char *)(it) + 1)

int32_t open_it(tamis_str options, const tamis_host *host, void **instance);
int32_t open_it(tamis_str options, const tamis_host *host, void **instance) {
  (void)options, (void)host, (void)instance;
  return TAMIS_OK;
}

void close_it(void *instance);
void close_it(void *instance) { (void)instance; }

int32_t local_new(void *instance, const tamis_host *host, void **local);
int32_t local_new(void *instance, const tamis_host *host, void **local) {
  (void)instance, (void)host, (void)local;
  return TAMIS_OK;
}

#ifdef UNRESOLVED
void nobody_has_this(void);
#endif

int32_t process(void *instance, void *local, const tamis_document *docs, size_t n, const tamis_host *host);
int32_t process(void *instance, void *local, const tamis_document *docs, size_t n, const tamis_host *host) {
  (void)instance, (void)local, (void)docs, (void)n, (void)host;
#ifdef UNRESOLVED
  nobody_has_this();
#endif
  return TAMIS_OK;
}

#ifdef CONSTRUCTOR
__attribute__((constructor)) static void at_load(void) { CONSTRUCTOR; }
#endif
#ifdef DESTRUCTOR
__attribute__((destructor)) static void at_exit(void) { DESTRUCTOR; }
#endif

static const tamis_transform table = {
  .struct_size = TABLE_SIZE, .local_new = LOCAL_NEW, .process = PROCESS,
};
static const tamis_str fields[] = {TAMIS_STR("text")};
static const tamis_stage first = {
  .struct_size = STAGE_SIZE, .kind = KIND, .flags = FLAGS, .name = STAGE_NAME, .summary = SUMMARY,
  .options_schema = SCHEMA, .reads = READS, .n_reads = N_READS, .open = OPEN, .close = CLOSE,
  .transform = TABLE,
};
static const tamis_stage second = {
  .struct_size = sizeof(tamis_stage), .kind = TAMIS_FILTER, .name = SECOND_NAME, .reads = fields, .n_reads = 1,
  .open = open_it, .close = close_it, .transform = &table,
};
static const tamis_stage *const stages[] = {FIRST, &second};
static const tamis_plugin plugin = {
  .magic = MAGIC, .struct_size = PLUGIN_SIZE, .abi_major = MAJOR, .abi_minor = MINOR, .name = NAME,
  .version = VERSION, .stages = STAGES, .n_stages = N_STAGES,
};
/* What a definition may leave unused. */
const void *const all_parts[] = {&first, &second, &plugin, stages, fields, &table};

TAMIS_EXPORT const tamis_plugin *ENTRY(void);
TAMIS_EXPORT const tamis_plugin *ENTRY(void) { return DESCRIPTOR; }
