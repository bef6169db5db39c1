/* Stages that do not come back, or end the process, at the document whose text says so: only while the file
 * `misbehave` lies in the working folder, so that the next run with the same library may go on.
 * `stuck.rs` holds what must come of each. */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tamis_plugin.h"

static int is(tamis_str text, const char *wanted) {
  return text.len == strlen(wanted) && memcmp(text.ptr, wanted, text.len) == 0;
}

static int misbehaves(void) { return access("misbehave", F_OK) == 0; }

static void *leave(void *nothing) {
  (void)nothing;
  exit(0);
}

static int ends = 0;
static volatile int *volatile nowhere = NULL;

/* As the destructor of a static object might: it waits for a thread that is not to come back. */
static void at_exit(void) {
  while (ends) pause();
}

__attribute__((constructor)) static void at_load(void) { atexit(at_exit); }

static void do_as_told(tamis_str text) {
  if (!misbehaves()) return;
  if (is(text, "loop for ever")) for (;;) {
  }
  if (is(text, "sleep for ever")) for (;;) pause();
  if (is(text, "take a while")) usleep(400000);
  if (is(text, "abort")) abort();
  if (is(text, "read nowhere")) ends = *nowhere;
  if (is(text, "exit well")) exit(0);
  if (is(text, "exit badly")) exit(42);
#ifdef __linux__
  if (is(text, "exit quickly")) quick_exit(0);
#endif
  if (is(text, "exit and wait")) {
    ends = 1;
    exit(0);
  }
  if (is(text, "exit elsewhere")) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, leave, NULL) == 0) pthread_join(thread, NULL);
  }
  if (is(text, "fork")) {
    pid_t child = fork();
    if (child == 0) exit(0);
    waitpid(child, NULL, 0);
  }
  if (is(text, "print")) {
    printf("printed by a plugin\n");
    fflush(stdout);
    if (write(1, "written by a plugin\n", 20) != 20) abort();
    if (system("echo echoed by a plugin") != 0) abort();
  }
}

static int32_t open_it(tamis_str options, const tamis_host *host, void **instance) {
  (void)options, (void)host, (void)instance;
  if (access("exit-when-opened", F_OK) == 0) exit(0);
  return TAMIS_OK;
}

static void close_it(void *instance) { (void)instance; }

/* Says with which document it begins. */
static int32_t filter(void *instance, void *local, const tamis_document *docs, size_t n, const tamis_host *host) {
  (void)instance, (void)local;
  for (uint32_t doc = 0; doc < n; doc++) {
    host->begin(host->ctx, doc);
    do_as_told(docs[doc].text);
  }
  return TAMIS_OK;
}

/* Does not say it, and asks nothing. */
static int32_t silent(void *instance, void *local, const tamis_document *docs, size_t n, const tamis_host *host) {
  (void)instance, (void)local, (void)host;
  for (size_t doc = 0; doc < n; doc++) do_as_told(docs[doc].text);
  return TAMIS_OK;
}

static int32_t cut(void *instance, const tamis_block *block, uint32_t end, tamis_cut *out, const tamis_host *host) {
  (void)instance, (void)end, (void)host;
  out->bytes = block->bytes.len;
  out->records = 1;
  return TAMIS_OK;
}

static int32_t decode(void *instance, const tamis_block *block, const tamis_host *host) {
  tamis_new_document document;
  (void)instance;
  do_as_told(block->bytes);
  memset(&document, 0, sizeof document);
  document.text = block->bytes;
  document.ordinal = block->first_ordinal;
  host->emit(host->ctx, &document);
  return TAMIS_OK;
}

/* An exporter whose parts hang in the hand of the one who writes. */
static int32_t ending(void *instance, const tamis_host *host) {
  static const tamis_str text = TAMIS_STR("txt");
  (void)instance;
  return host->put(host->ctx, 0, text);
}

static int32_t encode(void *instance, const tamis_document *docs, size_t n, const tamis_host *host) {
  (void)instance;
  for (uint32_t doc = 0; doc < n; doc++) host->put(host->ctx, doc, docs[doc].text);
  return TAMIS_OK;
}

static int32_t part_begin(void *instance, tamis_str path, const tamis_host *host, void **part) {
  (void)path, (void)host;
  *part = instance;
  return TAMIS_OK;
}

static int32_t part_add(void *instance, void *part, tamis_str chunk, const tamis_host *host) {
  (void)instance, (void)part;
  do_as_told(chunk);
  return host->put(host->ctx, 0, chunk);
}

static int32_t part_end(void *instance, void *part, const tamis_host *host) {
  (void)instance, (void)part, (void)host;
  return TAMIS_OK;
}

static void part_free(void *instance, void *part) { (void)instance, (void)part; }

static const tamis_str text_field[] = {TAMIS_STR("text")};

#define STAGE(it, kind_, name_, ...) \
  static const tamis_stage it = { \
    .struct_size = sizeof(tamis_stage), .kind = kind_, .name = TAMIS_STR(name_), \
    .summary = TAMIS_STR("Does not come back."), .reads = text_field, .n_reads = 1, \
    .open = open_it, .close = close_it, __VA_ARGS__}

static const tamis_transform filter_table = {.struct_size = sizeof(tamis_transform), .process = filter};
STAGE(filter_stage, TAMIS_FILTER, "stuck", .transform = &filter_table);
static const tamis_transform silent_table = {.struct_size = sizeof(tamis_transform), .process = silent};
STAGE(silent_stage, TAMIS_FILTER, "stuck-silently", .transform = &silent_table);
static const tamis_reader reader_table = {.struct_size = sizeof(tamis_reader), .cut = cut, .decode = decode};
STAGE(reader_stage, TAMIS_READER, "stuck-reader", .writes = text_field, .n_writes = 1, .reader = &reader_table);
static const tamis_exporter parts_table = {
  .struct_size = sizeof(tamis_exporter), .extension = ending, .encode = encode, .part_begin = part_begin,
  .part_add = part_add, .part_end = part_end, .part_free = part_free};
STAGE(parts_stage, TAMIS_EXPORTER, "stuck-parts", .flags = TAMIS_PARTS, .exporter = &parts_table);

static const tamis_stage *const stages[] = {&filter_stage, &silent_stage, &reader_stage, &parts_stage};
static const tamis_plugin plugin = {
  .magic = TAMIS_MAGIC, .struct_size = sizeof(tamis_plugin), .abi_major = TAMIS_ABI_MAJOR,
  .name = TAMIS_STR("stuck"), .version = TAMIS_STR("0.1.0"), .stages = stages, .n_stages = 4,
};

TAMIS_ENTRY(stuck) { return &plugin; }
