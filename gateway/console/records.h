/*
 * records - the reading of a node's log behind the page Bitácora: one audit, one search at a time.
 *
 * An audit has a purpose (client/audit_case), kept in a file of the reader's; beside it the newest
 * checkpoint that was seen (client/audit_seen). Each search is a reading session of the node's log,
 * which ends when the next begins, or with the console. The HTTP thread's.
 */
#ifndef CONSOLE_RECORDS_H
#define CONSOLE_RECORDS_H

#include "base/own.h"
#include "client/audit_back.h"

struct arena;
struct records;
struct profile;
struct session;

/* The profile is borrowed. audit_path NULL: beside the profile. What is there is read; RC_DATA_LOSS
 * or RC_INVALID_ARGUMENT when it cannot be. */
MUST_CHECK enum rc records_new(const struct profile *profile, const char *audit_path,
                               struct records **records, struct fault *fault);
void records_free(struct records *records);
OWN_PTR_DEFINE(records)

/* ---- the audit ---- */

const char *records_path(const struct records *records);
/* "": none is open. */
const char *records_purpose(const struct records *records);
/* The newest checkpoint seen; size 0: none. */
const struct checkpoint *records_seen(const struct records *records);
/* The same, for whoever compares with it. */
struct audit_seen *records_memory(struct records *records);
/* RC_ALREADY_EXISTS: one is open. */
MUST_CHECK enum rc records_open(struct records *records, const char *purpose, struct fault *fault);
/* Publishes the purpose; the file is kept as PATH.cerrada. */
MUST_CHECK enum rc records_close(struct records *records, struct session *session,
                                 struct audit_closed *closed, struct fault *fault);

/* ---- searching ---- */

/* Ends the search before. The query's reader, origin and purpose are set here; its texts are
 * copied. */
MUST_CHECK enum rc records_search(struct records *records, struct session *session,
                                  struct audit_query *query, const char *reader,
                                  struct fault *fault);
/* The number of the search; 0: none. Pages of another one are refused by whoever asks. */
uint64_t records_search_number(const struct records *records);
/* More of it, in the arena. After a fault the search is over. */
MUST_CHECK enum rc records_more(struct records *records, size_t wanted, struct arena *arena,
                                struct audit_rows *rows, struct fault *fault);
/* The head that the search was begun under, and how far it has looked. */
const struct audit_back *records_progress(const struct records *records);

/* One page of the running search, unverified but decoded: for the proof step by step. */
MUST_CHECK enum rc records_leaf(struct records *records, uint64_t index, struct arena *arena,
                                struct audit_query_page *page, struct fault *fault);

#endif
