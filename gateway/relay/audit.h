/*
 * audit - service Audit's streams: sessions that read the log, whole or by a question.
 *
 *     queue: first request, checked ──▶ writer: the session's leaf ──▶ queue
 *     queue: a request ──▶ reading room (a thread): the page ──▶ queue: ceiling, answer, next
 * request queue: the stream is over ──▶ writer: the leaf with the count
 *
 * Who may read what: policy/audit_rules, asked at every request, so that a revocation acts at once.
 * Every page comes under one checkpoint that is not older than the session. A session that the
 * node did not survive has no second leaf, which tells it apart.
 */
#ifndef RELAY_AUDIT_H
#define RELAY_AUDIT_H

#include "base/bytes.h"
#include "policy/audit_rules.h"
#include "rpc/codec_service.h"

struct node;
struct rpc_peer;
struct rpc_service;
struct stream;

/* Pages that may wait for the reading room's thread. */
#define AUDIT_CHORES_MAX 256
/* How long an approval may be good for. */
#define AUDIT_APPROVAL_MAX_S ((int64_t)24 * 3600)

/* The rpc methods ReadRecords and QueryRecords. */
void audit_on_whole_stream(struct rpc_service *service, struct stream *stream);
void audit_on_query_stream(struct rpc_service *service, struct stream *stream);

/* audit_rules_allow by the directory in force. */
MUST_CHECK enum rc audit_admit(const struct node *node, const struct identity *reader,
                               enum audit_method method, struct audit_grant *grant,
                               struct fault *fault);

/* A question as its asker may ask it. Pointers into the arena and the request. */
struct audit_asked {
    struct audit_query query;
    struct audit_grant grant;
    uint8_t digest[DIGEST_SIZE];
    char second[160]; /* its URI; "": none was needed */
};
/*
 * Decodes and checks all that can be checked without the log: it is the asker's, for this log, not
 * expired; role; whose records; the second official where a person is named. Refusals beyond
 * audit_rules': audit.not_this (another's question, another log), audit.expired, audit.holder
 * (a person without the member who knows her or him, or not one of here).
 */
MUST_CHECK enum rc audit_take_question(const struct node *node, const struct identity *reader,
                                       const struct audit_query_request *request,
                                       struct arena *arena, struct audit_asked *asked,
                                       struct fault *fault);

#endif
