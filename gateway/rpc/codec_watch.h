/*
 * codec_watch - requests and responses of service Watch, as plain structs.
 *
 * The same rules as rpc/codec.h: reading is strict and borrows, writing appends.
 */
#ifndef RPC_CODEC_WATCH_H
#define RPC_CODEC_WATCH_H

#include "model/hang.h"
#include "model/lifecycle.h"
#include "rpc/codec.h"

#define WATCH_PAGE_MAX 256
#define WATCH_HOPS_MAX 512
#define WATCH_PLACE_MAX 64

/* The wire's values (enlace.v1.ListScope). */
enum watch_scope { WATCH_NOTHING, WATCH_OPEN, WATCH_RELATED };

struct watch_request {
    enum watch_scope scope;
    struct id exchange_id;
    struct bytes after;
    const char *member;
};

struct exchange_summary {
    struct id exchange_id;
    struct id parent_id;
    const char *from;
    const char *to;
    enum urgency urgency;
    enum message_type type;
    uint32_t items;
    uint32_t item;
    const char *code;
    enum state state;
    int64_t changed_at_ms;
    const char *responsible;
    const char *clock;
    int64_t anchored_at_ms;
    int64_t due_at_ms;
    bool is_overdue;
    struct hang hang;
};

struct watch_page {
    struct exchange_summary *exchanges;
    size_t count;
    struct bytes next;
    uint32_t undelivered;
    int64_t oldest_ms;
    struct id oldest_exchange_id;
    int64_t now_ms;
};

struct hop_side {
    const char *node; /* NULL: not known */
    uint64_t leaf;
    int64_t time_ms;
};

struct hop {
    struct id message_id;
    enum message_type type;
    enum event event;
    uint32_t item;
    uint32_t occurrence;
    const char *from;
    const char *to;
    const char *official;
    struct hop_side sent;
    struct hop_side received;
    enum hop_state state;
    int64_t since_ms;
};

struct trace {
    struct exchange_summary summary;
    struct hop *hops;
    size_t count;
    uint32_t omitted;
    int64_t now_ms;
};

/* A request to redeliver, and what became of it. */
struct redeliver {
    uint64_t from; /* leaf */
    int64_t from_ms;
    uint32_t count;
    uint64_t next;
};

void codec_redeliver_request_write(const struct redeliver *redeliver, struct buffer *out);
MUST_CHECK enum rc codec_redeliver_request_read(struct bytes from, struct arena *arena,
                                                struct redeliver *redeliver, struct fault *fault);
void codec_redeliver_response_write(uint32_t count, uint64_t next, struct buffer *out);
MUST_CHECK enum rc codec_redeliver_response_read(struct bytes from, struct arena *arena,
                                                 struct redeliver *redeliver, struct fault *fault);
void codec_watch_request_write(const struct watch_request *request, struct buffer *out);
MUST_CHECK enum rc codec_watch_request_read(struct bytes from, struct arena *arena,
                                            struct watch_request *request, struct fault *fault);
/* Arrays in the arena. At most WATCH_PAGE_MAX exchanges. */
void codec_watch_page_write(const struct watch_page *page, struct arena *arena, struct buffer *out);
MUST_CHECK enum rc codec_watch_page_read(struct bytes from, struct arena *arena,
                                         struct watch_page *page, struct fault *fault);
/* At most WATCH_HOPS_MAX hops. */
void codec_trace_write(const struct trace *trace, struct arena *arena, struct buffer *out);
MUST_CHECK enum rc codec_trace_read(struct bytes from, struct arena *arena, struct trace *trace,
                                    struct fault *fault);

#endif
