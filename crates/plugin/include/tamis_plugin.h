/* tamis_plugin.h - the boundary between Tamis and its plugins, ABI 1.3.
 *
 * Everything a plugin needs is in this one header: a plugin in C is one file that includes it, builds into a
 * shared library, and exports one function (TAMIS_ENTRY below).
 *
 * Rules
 * - FROZEN. A structure marked "frozen" never changes, because it is passed in arrays or by value.
 *   The others begin with `struct_size`, the size that their maker compiled; new members are only ever
 *   appended, so a member may be read if it lies below struct_size.
 *   A comment "1.1" marks what ABI 1.0 did not have: a host of 1.0 neither calls nor offers it, and what was
 *   reserved then is 0 there. "1.2" and "1.3" mark what the one before did not have: ask whether
 *   host->struct_size reaches beyond a function before you call it, and for host->abi_minor before you fill a
 *   member that was reserved, and do without where an older host runs you.
 * - POINTERS have 64 bits.
 * - TEXT is UTF-8, pointer and length, not terminated. Length 0 may come with any pointer, also NULL.
 * - OWNERSHIP. Whoever allocates frees. What the host passes is valid until the call returns; what a plugin
 *   passes to a host function is copied before that function returns. The descriptor and everything it
 *   points to is static and lives until the process ends; libraries are never unloaded.
 * - THREADS. An instance is shared by all workers: its functions run in parallel and must be thread-safe.
 *   A local belongs to one worker at a time. Nothing is bound to an operating system thread.
 *   The functions of one tamis_host are called by one thread at a time, unless they say otherwise, and not
 *   after the call has returned.
 *   Start no threads of your own in the entry function.
 * - RESERVED. Whatever is called reserved, and every flag that has no name here, is 0; the host checks it.
 * - ERRORS. A document that cannot be processed gets the verdict TAMIS_FAIL; its neighbours go on.
 *   A function that returns anything but TAMIS_OK has failed as a whole: say why with `error` first.
 *   All its documents fail, as they came in, and the local of a call that failed is freed.
 * - THE PROCESS belongs to the host. `exit` ends the run as broken, in the name of the stage. Standard output is
 *   what machines read; what a plugin prints there may be sent to standard error. Return when `cancelled` says so,
 *   or the process may end around the call.
 * - Nothing may unwind or longjmp across the boundary: catch exceptions on your side.
 *
 * Licence: MIT OR Apache-2.0.
 */
#ifndef TAMIS_PLUGIN_H
#define TAMIS_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TAMIS_ABI_MAJOR 1u
#define TAMIS_ABI_MINOR 3u
#define TAMIS_MAGIC     0x3153494d41544c50ull

typedef char tamis_pointers_have_64_bits[sizeof(void *) == 8 ? 1 : -1];

/* ---- data ------------------------------------------------------------------------------------------- */

typedef struct { const uint8_t *ptr; size_t len; } tamis_str;                              /* frozen */

enum {                              /* tamis_value.type */
  TAMIS_NULL = 0,
  TAMIS_BOOL = 1,                   /* bits: 0 or 1 */
  TAMIS_INTEGER = 2,                /* bits: an int64_t */
  TAMIS_FLOAT = 3,                  /* bits: a finite double */
  TAMIS_STRING = 4,                 /* text: UTF-8 */
  TAMIS_JSON = 5                    /* text: JSON of an array, an object or a number too large for the above */
};

typedef struct {                                                                            /* frozen */
  uint32_t type;
  uint32_t reserved;
  uint64_t bits;
  tamis_str text;
} tamis_value;

typedef struct { tamis_str name; tamis_value value; } tamis_field;                          /* frozen */

#define TAMIS_HAS_RAW 1ull          /* `raw` is present, even if it is empty */
#define TAMIS_INHERITS 2ull         /* 1.2, for split, if host->abi_minor is at least 2: the document has those fields
                                       of its parent, too, that it does not set; as they are after the call */

/* 1.3: what a text is, in two bits of the flags of documents; 0: not known. Filled by a host that knows, for plugins
 * built for 1.3; to be filled in new documents if host->abi_minor is at least 3. */
#define TAMIS_FORM           12ull  /* the two bits */
#define TAMIS_FORM_MARKUP     4ull  /* the source of a page */
#define TAMIS_FORM_FLATTENED  8ull  /* a page made text, with menus and buttons */
#define TAMIS_FORM_CLEAN     12ull  /* what the page says, alone */

typedef struct {                                                                            /* frozen */
  tamis_str id;
  tamis_str text;
  tamis_str raw;                    /* any bytes, as scraped */
  uint64_t flags;                   /* TAMIS_HAS_RAW, TAMIS_FORM_... */
  uint64_t ordinal;                 /* position of the record in its file, from 0 */
  uint64_t position[2];             /* 1.1: high and low word of its position in the corpus: greater than that of
                                       every record before it, the same in every pass; 0 outside a run */
} tamis_document;

/* 1.2: what was made of the text of a document, left with it for whoever comes after: bytes in a layout that is
 * known by name and version, so that any library may read them. A layout never changes under a version.
 * Attachments are functions of the text (of raw, where there is no text) and can be made again, so they are gone
 * when the text changes, when the document leaves the process or is split off another; the host may refuse and
 * forget any, and does when those of a document take more than 64 KiB and 8 times its text and raw. What a stage
 * does must not depend on whether one is there. */
typedef struct {                                                                            /* frozen */
  tamis_str name;                   /* at most 64 bytes; begin it with the name of whoever defines the layout */
  uint64_t version;
  tamis_str bytes;                  /* the host's copy begins at a multiple of 16 */
} tamis_attachment;

typedef struct {                                                                            /* frozen */
  tamis_str id;                     /* empty: the runner makes <file>, or <file>#<offset or row> */
  tamis_str text;
  tamis_str raw;
  uint64_t flags;                   /* TAMIS_HAS_RAW, TAMIS_INHERITS, TAMIS_FORM_... */
  const tamis_field *fields;        /* metadata */
  size_t n_fields;
  uint64_t ordinal;
  uint64_t offset;                  /* first byte of the record in the file */
  uint64_t length;                  /* its length in bytes; 0: not known */
  const tamis_attachment *attachments; /* 1.2: NULL and 0 for a host whose abi_minor is less than 2 */
  size_t n_attachments;
} tamis_new_document;

typedef struct {                    /* 1.2: where a document was read */                    /* frozen */
  tamis_str file;                   /* relative to its input, with the member of an archive behind it */
  uint64_t offset;                  /* first byte of the record in the file, decompressed */
  uint64_t length;                  /* its length in bytes; 0: not known */
  const void *reserved[2];
} tamis_origin;

enum { TAMIS_NO_LIMIT = 0, TAMIS_MIN = 1, TAMIS_MAX = 2 };

typedef struct {                    /* a measured value beside its limit */                 /* frozen */
  tamis_str name;
  double value;
  double limit;
  uint32_t limit_kind;              /* TAMIS_NO_LIMIT, TAMIS_MIN, TAMIS_MAX */
  uint32_t reserved;
} tamis_measure;

enum { TAMIS_NEITHER = 0, TAMIS_HIGHER = 1, TAMIS_LOWER = 2 };

typedef struct {                    /* 1.2: what a stage measures, for whoever shows it */  /* frozen */
  tamis_str name;                   /* as in tamis_measure; one that ends in ":*" stands for all names that begin so */
  tamis_str unit;                   /* as options name it: "characters"; empty for a share */
  tamis_str min_option;             /* the options that are its limits; or empty */
  tamis_str max_option;
  tamis_str summary;                /* one sentence */
  uint32_t better;                  /* which values speak for a document: TAMIS_NEITHER, TAMIS_HIGHER, TAMIS_LOWER */
  uint32_t reserved;
} tamis_measure_info;

enum { TAMIS_KEEP = 0, TAMIS_DROP = 1, TAMIS_FAIL = 2 };

typedef struct {                    /* what became of a record, for exporters */            /* frozen */
  uint32_t verdict;                 /* TAMIS_KEEP, TAMIS_DROP, TAMIS_FAIL */
  uint32_t n_measures;
  tamis_str stage;                  /* empty for a kept record */
  tamis_str reason;
  tamis_str file;                   /* where it was read */
  uint64_t offset;
  uint64_t length;
  const void *reserved[2];
} tamis_fate;

typedef struct {                    /* a run of whole records of one file */                /* frozen */
  tamis_str file;
  tamis_str bytes;
  uint64_t offset;                  /* of `bytes` in the file */
  uint64_t first_ordinal;
  tamis_str head;                   /* 1.1: the start of the file, as far as `head` of the reader says; not in
                                       `bytes` */
} tamis_block;

typedef struct {                                                                            /* frozen */
  uint64_t bytes;                   /* bytes of whole records; 0: no record ends here yet */
  uint64_t records;                 /* ordinals that they take; at most one a byte, and one for the end */
  const void *reserved[2];
} tamis_cut;

typedef struct {                    /* 1.1: where a corpus stage may put what it cannot hold */ /* frozen */
  tamis_str scratch;                /* a folder of its own, there and empty; gone when the run has ended */
  tamis_str keep;                   /* a folder for what a user may look at later; made by the stage, if at all */
  uint64_t memory;                  /* bytes of memory that it may hold, over all its locals */
  uint64_t threads;                 /* most locals at once */
  const void *reserved[2];
} tamis_workspace;

typedef struct {                    /* 1.1: a part of a file: records that are decoded together */ /* frozen */
  uint64_t first_ordinal;
  uint64_t records;                 /* at least 1; they take as many ordinals */
  uint64_t weight;                  /* roughly the bytes that it takes in memory when it is decoded */
  uint64_t bytes;                   /* bytes of the file that it stands for, for progress */
  uint64_t token[2];                /* whatever the reader needs to find it again */
  const void *reserved[2];
} tamis_split;

/* 1.3: what an opened stage says of forms, so that a wrong order of stages is found before anything runs. */
typedef struct {
  uint32_t struct_size;
  uint32_t cleans;                  /* 1: takes away or mends what is not the text: filters belong behind it */
  uint64_t takes;                   /* sets of TAMIS_MARKUP, ...: it works on these alone; 0: on any */
  uint64_t gives;                   /* what it leaves behind, a reader perhaps several; 0: what came in */
  uint64_t needs;                   /* sets of TAMIS_WHITE_SPACE, ...: what it looks at; TAMIS_CLEANED: see there */
  uint64_t destroys;
  uint64_t makes;                   /* on purpose, so that nobody behind it should destroy it */
} tamis_forms;

enum { TAMIS_MARKUP = 1, TAMIS_FLATTENED = 2, TAMIS_CLEAN = 4 };
enum {
  TAMIS_WHITE_SPACE = 1,            /* indentation and runs of blanks */
  TAMIS_NO_BREAK_SPACES = 2,        /* U+00A0 */
  TAMIS_LINES = 4,                  /* lines as the page had them */
  TAMIS_MARKDOWN = 8
};
#define TAMIS_CLEANED (1ull << 63)  /* it compares whole texts: whoever takes away templates belongs before it */

enum { TAMIS_OK = 0, TAMIS_ERROR = 1, TAMIS_PANIC = 2, TAMIS_UNSUPPORTED = 3, TAMIS_CANCELLED = 4 };

/* ---- what the host offers ---------------------------------------------------------------------------- */

/* Made by the host for one call; `ctx` is the first argument of every function.
 * `doc` is an index into the documents of the call.
 * A function that makes no sense in a call (emit in a filter) returns TAMIS_UNSUPPORTED. */
typedef struct {
  uint32_t struct_size;
  uint32_t abi_minor;
  void *ctx;

  /* any call */
  void (*error)(void *ctx, tamis_str where, tamis_str message); /* where: an option, for `open`, `a.b#` its name alone; or empty */
  void (*log)(void *ctx, uint32_t level, tamis_str message);    /* 1 error, 2 warning, 3 info, 4 debug */
  /* Summed over the run, shown in the report. To count 0 during `open` declares the counter: if it stays at 0,
   * the run says so at its end (a rule that never matched). Hosts before this was written pass over it. */
  void (*count)(void *ctx, tamis_str name, uint64_t add);
  int32_t (*cancelled)(void *ctx);                              /* 1: return TAMIS_CANCELLED soon */
  const void *(*extension)(void *ctx, tamis_str name);          /* optional tables; NULL: not known */

  /* calls with documents; where no field has the name, one with dots leads into objects: author.name */
  int32_t (*field)(void *ctx, uint32_t doc, tamis_str name, tamis_value *out);    /* 1 found, 0 not */
  int32_t (*field_at)(void *ctx, uint32_t doc, uint32_t index, tamis_field *out); /* in name order; 0: past the end */

  /* filters, extractors, corpus stages; each document is judged at most once, and kept if never */
  int32_t (*verdict)(void *ctx, uint32_t doc, uint32_t verdict, tamis_str reason);
  int32_t (*measure)(void *ctx, uint32_t doc, const tamis_measure *measure);

  /* extractors; a document that fails keeps what it had */
  /* NULL: refused. The memory may be written until it is committed or reserved again for this document. */
  uint8_t *(*reserve_text)(void *ctx, uint32_t doc, size_t capacity);
  int32_t (*commit_text)(void *ctx, uint32_t doc, size_t length);     /* at most the capacity; valid UTF-8 */
  int32_t (*set_field)(void *ctx, uint32_t doc, tamis_str name, const tamis_value *value); /* NULL removes */
  int32_t (*split)(void *ctx, uint32_t doc, const tamis_new_document *document);

  /* readers, in the order of the block: ordinals go up and stay among those of the block */
  int32_t (*emit)(void *ctx, const tamis_new_document *document);
  int32_t (*emit_failed)(void *ctx, const tamis_new_document *document, tamis_str message); /* with its raw bytes */

  /* exporters: something is put for every document, or it gets the verdict TAMIS_KEEP to say that nothing is
   * to be written. `put` also takes the bytes of extension, head, tail, state_save and the part functions, with
   * doc 0. */
  int32_t (*fate)(void *ctx, uint32_t doc, tamis_fate *out);
  /* 1.3: in every call with documents: what stages before have measured, in order; before that for exporters only. */
  int32_t (*measure_at)(void *ctx, uint32_t doc, uint32_t index, tamis_measure *out);
  int32_t (*put)(void *ctx, uint32_t doc, tamis_str bytes);                    /* not with TAMIS_NAMED_FILES */
  int32_t (*put_file)(void *ctx, uint32_t doc, tamis_str path, tamis_str bytes);

  /* 1.1, corpus stages: the next bytes of a saved state, during state_load_stream; how many they are, at most
   * `length`; 0 at the end, -1 when they cannot be read, which the host reports itself. */
  int64_t (*read)(void *ctx, uint8_t *buffer, size_t length);

  /* 1.1, readers with TAMIS_RANDOM_ACCESS: during file_open, the parts of the file in its order; ordinals begin
   * with 0 and leave none out */
  int32_t (*push_split)(void *ctx, const tamis_split *split);
  /* during file_open and file_decode; these two may be called by any thread and in parallel, until the call has
   * returned */
  uint64_t (*file_size)(void *ctx);
  /* Fills the buffer, or TAMIS_ERROR: the file ends before, or cannot be read, which the host adds to what a
   * call that fails says. */
  int32_t (*read_at)(void *ctx, uint64_t offset, uint8_t *buffer, size_t length);

  /* 1.1, calls with documents: the plugin begins with this one. Changes nothing but what is said of a call that
   * does not come back: with it the host can name the document. */
  void (*begin)(void *ctx, uint32_t doc);

  /* 1.2, calls with documents: where the document was read. */
  int32_t (*origin)(void *ctx, uint32_t doc, tamis_origin *out);

  /* 1.2, calls with documents: attachments. All find them; filters, extractors and corpus stages attach them, to
   * the text as it stands: after commit_text, to the new one. (Readers attach with emit.) What is attached to a
   * document that fails is gone. TAMIS_UNSUPPORTED: refused, which is no error. */
  int32_t (*attach)(void *ctx, uint32_t doc, const tamis_attachment *attachment);
  int32_t (*attached)(void *ctx, uint32_t doc, tamis_str name, uint64_t version, tamis_str *out); /* 1 found, 0 not */
  /* The same for a value that only this library can read, found by its other stages under the same key. Taken with
   * TAMIS_OK, it is the host's: `drop` is called once, on any thread, after the call in which it is given up. `bytes`
   * is about what it takes in memory. */
  int32_t (*attach_value)(void *ctx, uint32_t doc, tamis_str key, void *value, uint64_t bytes,
                          void (*drop)(void *value));
  void *(*attached_value)(void *ctx, uint32_t doc, tamis_str key);               /* NULL: not found */

  /* 1.2, extractors and corpus stages that apply: gives the document another id, which is taken as one that a user
   * gave: not empty, and unique if what it is made of is. */
  int32_t (*set_id)(void *ctx, uint32_t doc, tamis_str id);

  /* 1.3, during `open`: what the instance says of forms; it may depend on the options. A reader says what it gives, and
   * of each document that it emits in its flags what it is. */
  int32_t (*forms)(void *ctx, const tamis_forms *forms);
} tamis_host;

#define TAMIS_MORE UINT64_MAX        /* 1.1: tamis_reader.head: more bytes are needed to tell */

/* ---- what a plugin offers ------------------------------------------------------------------------------ */

typedef struct {
  uint32_t struct_size;
  uint32_t reserved;
  /* 0 (not mine) to 100: how sure the reader is that a file, which begins with `head`, is in its format.
   * NULL: never chosen by `auto`. */
  uint32_t (*sniff)(void *instance, const tamis_block *head, uint32_t complete, const tamis_host *host);
  /* Where the last whole record in `block` ends; with `end` nothing follows and all bytes must be taken.
   * NULL with TAMIS_WHOLE_FILE. */
  int32_t (*cut)(void *instance, const tamis_block *block, uint32_t end, tamis_cut *out, const tamis_host *host);
  int32_t (*decode)(void *instance, const tamis_block *block, const tamis_host *host);
  /* 1.1: how many bytes at the start of a file belong to each of its blocks, such as the header line of a
   * table: they come as `head` of every block and are in none. `block` is the beginning of the file.
   * TAMIS_MORE asks for more of it; with `end` it is all there, and TAMIS_MORE says that the file has no such
   * bytes. NULL: 0 bytes. */
  int32_t (*head)(void *instance, const tamis_block *block, uint32_t end, uint64_t *out, const tamis_host *host);
  /* 1.1, with TAMIS_RANDOM_ACCESS, in place of cut, decode and head, which are NULL.
   * Reads the index of a file and says with push_split which parts it has, each decoded to about `target_bytes`
   * or of one record. What is known of the file is shared by the workers that decode its parts, in parallel; if
   * TAMIS_OK is returned it is closed once. */
  int32_t (*file_open)(void *instance, tamis_str name, uint64_t target_bytes, const tamis_host *host, void **file);
  /* Emits every record of the part, failed ones included. */
  int32_t (*file_decode)(void *instance, void *file, const tamis_split *split, const tamis_host *host);
  void (*file_close)(void *instance, void *file);
} tamis_reader;

typedef struct {
  uint32_t struct_size;
  uint32_t reserved;
  int32_t (*local_new)(void *instance, const tamis_host *host, void **local); /* NULL: no local */
  void (*local_free)(void *instance, void *local);
  int32_t (*process)(void *instance, void *local, const tamis_document *docs, size_t n, const tamis_host *host);
} tamis_transform;

typedef struct {
  uint32_t struct_size;
  uint32_t observing_passes;        /* at least 1 */
  /* Passes 0 to observing_passes - 1 observe; the pass after them applies. */
  int32_t (*local_new)(void *instance, uint32_t pass, const tamis_host *host, void **local);
  void (*local_free)(void *instance, void *local);
  int32_t (*observe)(void *instance, void *local, uint32_t pass, const tamis_document *docs, size_t n,
                     const tamis_host *host);
  /* In any order: merging commutes. Consumes the local, also when it fails. */
  int32_t (*merge)(void *instance, void *local, uint32_t pass, const tamis_host *host);
  int32_t (*end_pass)(void *instance, uint32_t pass, const tamis_host *host);
  int32_t (*apply)(void *instance, void *local, const tamis_document *docs, size_t n, const tamis_host *host);
  /* The state of a pass as bytes, through put, in pieces of any size, and back: between the last merge and end_pass, so that shards
   * on other machines can be merged before the pass ends. Loading merges. The bytes are the stage's own; a state of
   * entries with counts, of which one that a single document has decides nothing, may be laid out so that engines can
   * leave those out (a tallied state: see CorpusStage::save in crates/stage). */
  int32_t (*state_save)(void *instance, uint32_t pass, const tamis_host *host);
  int32_t (*state_load)(void *instance, uint32_t pass, tamis_str bytes, const tamis_host *host);
  /* 1.1: how often this instance observes, at most observing_passes; 0 when its options bring what there is to
   * learn. The pass of the locals of `apply` is observing_passes all the same. NULL: observing_passes. */
  int32_t (*passes)(void *instance, uint32_t *out, const tamis_host *host);
  /* 1.1: called once, before anything is observed or loaded. NULL: it needs no place. */
  int32_t (*prepare)(void *instance, const tamis_workspace *workspace, const tamis_host *host);
  /* 1.1: state_load for a state that need not be in memory: through `read`. NULL: state_load is called. */
  int32_t (*state_load_stream)(void *instance, uint32_t pass, const tamis_host *host);
} tamis_corpus;

/* 1.2: a corpus stage in the keyed form (kind TAMIS_CORPUS, flag TAMIS_KEYED; `corpus` is NULL).
 *
 * It declares rounds as data; in each, every document is observed once and rows of fixed width are emitted: a key
 * and columns. The host sorts them in bounded memory and reduces the rows of a key in one of a closed set of ways;
 * what comes out is known in later rounds and in `apply`. States, shards and disks are the host's.
 *
 * `rounds` puts the declaration as JSON:
 *   {"rounds": [{"name": "texts", "key": [{"bytes": 16}], "columns": ["u64"], "reduce": "first", "ids": true}],
 *    "observes": "the options that decide what is observed", "max_state_bytes": 67108864}
 * columns  "u32", "u64", "i64", "f64", "position" (16 bytes), {"bytes": n}
 * reduce   "first": rows of a key in the order of columns and positions; a fact for every document of a key of
 *              several: its position, the position of the first, and for the first how many there are (u64), else 0
 *          {"fold": ["sum", "min", "max"]}: one row a key, one way a column; "sum" of u64 and i64
 *          {"groups": {"edges": 3}}: each row of a key is tied to the first so many; of each group of documents that
 *              are tied, facts as above, where first is the one with the least position
 *          {"visit": {"gives": ["position", "f64"]}}: `visit` sees the rows of each key and emits facts: a position
 *              and these columns
 * ids      whether `id` will be asked for documents that facts name
 *          "kept": not reduced; what an index holds of each document, whatever bytes follow a row
 * Beside "rounds", since 1.3, which older hosts refuse: "notes", a list of sentences that `tamis plan` shows, and for
 * one round that is reduced to "first" with ids "index": {"against": [paths of states], "is_kept": true}: documents of
 * earlier runs come before all others of a key, and what was collected is left as such a state. With other rounds
 * "index" has "round", too: a round of "kept" with the key ["position"], no columns and ids, which is the last of
 * "rounds" if "is_kept". When one of n rounds ends, `visit` is called with n + round for each document of the states;
 * `next` gives its row, with the position that it has in this run (the highest bit is set), and `row` takes the rows
 * that it has in that round. "resolves": true, if options are to be chosen by a sample (`tamis plan --resolve`): then
 * `visit` is called with 2 n before any round; the first row that `next` gives is the number of documents (64 bits,
 * most significant byte first), each other one a text, and `row` takes {"option", "value", "note"} as JSON
 *
 * Columns are written so that rows in the order of their bytes are in the order of their values: integers with the
 * most significant byte first; of i64 the sign bit flipped; of f64 the sign bit, or if it is set all bits. */
typedef struct {
  uint32_t struct_size;
  uint32_t reserved;
  int32_t (*rounds)(void *instance, const tamis_host *host);
  /* Working space of a worker; what it holds must not matter. NULL: none. */
  int32_t (*local_new)(void *instance, const tamis_host *host, void **local);
  void (*local_free)(void *instance, void *local);
  int32_t (*observe)(void *instance, void *local, uint32_t round, const tamis_document *docs, size_t n,
                     const tamis_host *host);
  /* NULL where no round is visited. */
  int32_t (*visit)(void *instance, void *local, uint32_t round, const tamis_host *host);
  int32_t (*apply)(void *instance, void *local, const tamis_document *docs, size_t n, const tamis_host *host);
} tamis_keyed;

/* 1.2: what host->extension(ctx, "tamis.keyed.1") gives in observe, visit and apply of tamis_keyed; `ctx` is that of
 * the host. */
typedef struct {
  uint32_t struct_size;
  uint32_t reserved;
  /* In observe: a row about `doc`: key and columns, and where the round is visited any bytes behind. Documents in
   * order. In visit, with doc 0: a fact. */
  int32_t (*row)(void *ctx, uint32_t doc, tamis_str row);
  /* What a round that has ended brought: the entries that begin with `front` (at most a position, for "fold" a key)
   * one behind the other, each a position and its columns, for "fold" a key and its columns. Good until the call
   * returns. 1 found, 0 none, -1: it cannot be read, which the host reports itself. */
  int32_t (*known)(void *ctx, uint32_t round, tamis_str front, tamis_str *out);
  /* The id of a document that facts of a round name; high and low word of its position. As `known`. */
  int32_t (*id)(void *ctx, uint32_t round, uint64_t high, uint64_t low, tamis_str *out);
  /* In visit: the next row of the key: key, columns, position, what stands behind; good until it is called again. 1, 0
   * at the end, -1 as above. */
  int32_t (*next)(void *ctx, tamis_str *row);
} tamis_keyed_host;

typedef struct {
  uint32_t struct_size;
  uint32_t reserved;
  int32_t (*extension)(void *instance, const tamis_host *host);                   /* puts "jsonl" */
  int32_t (*head)(void *instance, const tamis_host *host);                        /* NULL: none */
  int32_t (*tail)(void *instance, const tamis_host *host);                        /* NULL: none */
  /* With TAMIS_PARTS what is put, of all documents together, is one chunk for part_add; if a document fails it is
   * thrown away, and the others may come again. */
  int32_t (*encode)(void *instance, const tamis_document *docs, size_t n, const tamis_host *host);
  /* 1.1, with TAMIS_PARTS. A part belongs to one call at a time; the bytes of its file are put, with doc 0, in all
   * three functions. `path` is its temporary file, which a stage with TAMIS_OWN_FILE makes and writes itself; then
   * nothing is put. A part that is begun is either ended or freed. */
  int32_t (*part_begin)(void *instance, tamis_str path, const tamis_host *host, void **part);
  int32_t (*part_add)(void *instance, void *part, tamis_str chunk, const tamis_host *host);
  int32_t (*part_end)(void *instance, void *part, const tamis_host *host); /* consumes it, also when it fails */
  void (*part_free)(void *instance, void *part);                           /* given up: nothing is to be written */
} tamis_exporter;

enum { TAMIS_READER = 1, TAMIS_FILTER = 2, TAMIS_EXTRACTOR = 3, TAMIS_CORPUS = 4, TAMIS_EXPORTER = 5 };

/* tamis_stage.flags. The lower half may be ignored; a host refuses a stage with a bit of the upper half that
 * it does not know. */
#define TAMIS_PURE         1ull     /* the result depends on options and document alone */
#define TAMIS_UTF8_TRUSTED 2ull     /* for SDKs of languages whose strings are UTF-8 by construction: text is
                                       not checked again, and a buffer to be filled has been written before. Not
                                       for C, where one mistake would be the host's. */
#define TAMIS_WHOLE_FILE   4ull     /* reader: a file is one unit */
#define TAMIS_NAMED_FILES  8ull     /* exporter: one file a document through put_file, no common stream */
#define TAMIS_REPLAYABLE  16ull     /* exporter: writes all of a failed record, raw bytes and place included, so
                                       that it can be the dead letter file of any pipeline */
#define TAMIS_BY_LINE     32ull     /* 1.3, reader: a record ends wherever a line does (0x0A), and nothing before a
                                       line decides how it is read, so that a file may be begun at any of them */
#define TAMIS_RANDOM_ACCESS 0x100000000ull /* 1.1, reader: files are read anywhere, by file_open and file_decode */
#define TAMIS_PARTS         0x200000000ull /* 1.1, exporter: a file is more than its records one after the other, and
                                              written by part_begin, part_add and part_end */
#define TAMIS_OWN_FILE      0x400000000ull /* 1.1, exporter with TAMIS_PARTS: writes the files itself */
#define TAMIS_KEYED         0x800000000ull /* 1.2, corpus stage: in the keyed form */

typedef struct {
  uint32_t struct_size;
  uint32_t kind;
  uint64_t flags;
  tamis_str name;                   /* [a-z0-9] and single hyphens between, at most 64 bytes */
  tamis_str summary;                /* one sentence */
  tamis_str docs;                   /* the page of the stage, Markdown */
  /* JSON Schema (2020-12) of an object; empty: no options. With "additionalProperties": false, and a
   * "description" and a "default" for every property: it is the help, and options are checked against it
   * before `open` is called. */
  tamis_str options_schema;
  const tamis_str *reads;           /* fields needed: text, raw, names of metadata */
  size_t n_reads;
  const tamis_str *writes;          /* fields written; "*": names known only from the data */
  size_t n_writes;
  int32_t (*open)(tamis_str options_json, const tamis_host *host, void **instance);
  void (*close)(void *instance);
  const tamis_reader *reader;       /* the one that fits `kind`; the others are NULL */
  const tamis_transform *transform; /* filters and extractors */
  const tamis_corpus *corpus;
  const tamis_exporter *exporter;
  const tamis_measure_info *measures; /* 1.2: filters, extractors, corpus stages: all that is passed to `measure` */
  size_t n_measures;
  const tamis_keyed *keyed;         /* 1.2: with TAMIS_KEYED */
} tamis_stage;

typedef struct {
  uint64_t magic;                   /* TAMIS_MAGIC */
  uint32_t struct_size;
  uint32_t abi_major;
  uint32_t abi_minor;
  uint32_t flags;                   /* 0 */
  tamis_str name;                   /* the stem of the library file: libmy_site.so is my_site */
  tamis_str version;                /* at most 64 bytes, as are the names of fields */
  tamis_str license;                /* SPDX expression, or empty */
  tamis_str sdk;                    /* what it was built with, for people */
  const tamis_stage *const *stages;
  size_t n_stages;
} tamis_plugin;

/* The one exported function, named after the library file: TAMIS_ENTRY(my_site) for libmy_site.so,
 * my_site.dll or libmy_site.dylib. It must not start threads and must not do input or output. */
#if defined(_WIN32)
#define TAMIS_EXPORT __declspec(dllexport)
#elif defined(__GNUC__)
#define TAMIS_EXPORT __attribute__((visibility("default")))
#else
#define TAMIS_EXPORT
#endif
#ifdef __cplusplus
#define TAMIS_ENTRY(stem) extern "C" TAMIS_EXPORT const tamis_plugin *tamis_plugin_v1_##stem(void)
#else
#define TAMIS_ENTRY(stem) TAMIS_EXPORT const tamis_plugin *tamis_plugin_v1_##stem(void)
#endif

/* A string literal as a tamis_str. */
#define TAMIS_STR(literal) { (const uint8_t *)(literal), sizeof(literal) - 1 }

#ifdef __cplusplus
}
#endif
#endif
