#include "enlace-follow/follower.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/arena.h"
#include "base/log.h"
#include "crypto/digest.h"
#include "rpc/channel.h"
#include "rpc/codec_service.h"
#include "store/copy.h"

#define METHOD "/enlace.v1.FederationService/Follow"
#define TIMEOUT_MS 5000
#define ARENA_MAX ((size_t)8 << 20)
#define WAIT_LEAST_MS 200
#define WAIT_DOUBLINGS 4
#define SAY_EVERY 16

/* ---- one page ---- */

static enum rc ask(struct follower *follower, uint64_t offset, struct buffer *response,
                   struct arena *arena, struct follow_page *page, struct fault *fault)
{
    const struct feed_position *at = copy_position(follower->copy);
    struct follow_request request = {.next = at->next, .walk = at->walk, .offset = offset};
    OWN(buffer) bytes = {0};

    if (at->has_feed) {
        request.feed = BYTES_OF(at->feed);
    }
    codec_follow_request_write(&request, &bytes);
    if (bytes.is_failed) {
        return RC_RESOURCE_EXHAUSTED;
    }
    TRY(channel_call(follower->channel, METHOD, buffer_bytes(&bytes), TIMEOUT_MS, response, fault));
    return codec_follow_page_read(buffer_bytes(response), arena, page, fault);
}

static enum rc no_page(const char *cause)
{
    return failed(RC_INVALID_ARGUMENT, "follow.page", "cause=\"%s\"", cause);
}

static enum rc check_digest(struct bytes rows, struct bytes wanted)
{
    uint8_t digest[DIGEST_SIZE];

    digest_of(&rows, 1, digest);
    return bytes_equal(BYTES_OF(digest), wanted) ? RC_OK : no_page("its rows are others");
}

/* The rest of a page of which the first part is there. */
static enum rc gather(struct follower *follower, const struct follow_page *first,
                      struct fault *fault)
{
    OWN_PTR(arena) arena = arena_new(ARENA_MAX);
    OWN(buffer) response = {0};

    buffer_clear(&follower->rows);
    buffer_put_bytes(&follower->rows, first->rows);
    while (arena != NULL && follower->rows.size < first->total) {
        struct follow_page more;

        arena_reset(arena);
        TRY(ask(follower, follower->rows.size, &response, arena, &more, fault));
        if (!bytes_equal(more.sha256, first->sha256) || more.rows.size == 0 ||
            more.rows.size > first->total - follower->rows.size) {
            return refuse(fault, RC_ABORTED, "follow.changed", "", "La página cambió entre tanto.");
        }
        buffer_put_bytes(&follower->rows, more.rows);
        if (follower->rows.is_failed) {
            return RC_RESOURCE_EXHAUSTED;
        }
    }
    return arena != NULL ? RC_OK : RC_RESOURCE_EXHAUSTED;
}

static enum rc take(struct follower *follower, const struct follow_page *page, bool *is_complete,
                    struct fault *fault)
{
    struct copy_page out = {.next = page->next,
                            .walk = page->walk,
                            .is_complete = page->is_complete,
                            .checkpoint = page->checkpoint};

    if (page->feed.size != FEED_ID_SIZE || page->total > FOLLOWER_PAGE_MAX) {
        return no_page("its form");
    }
    memcpy(out.feed, page->feed.data, FEED_ID_SIZE);
    TRY(gather(follower, page, fault));
    out.rows = buffer_bytes(&follower->rows);
    TRY(check_digest(out.rows, page->sha256));
    *is_complete = page->is_complete;
    return copy_take(follower->copy, &out);
}

static enum rc step(struct follower *follower, bool *is_complete, struct fault *fault)
{
    OWN_PTR(arena) arena = arena_new(ARENA_MAX);
    OWN(buffer) response = {0};
    struct follow_page page;
    enum rc rc;

    if (arena == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    rc = ask(follower, 0, &response, arena, &page, fault);
    if (rc == RC_OK) {
        rc = take(follower, &page, is_complete, fault);
    }
    if (strcmp(fault->reason, "follow.begin_again") == 0) {
        log_warn("follow.begin_again", "size=%llu", (unsigned long long)copy_size(follower->copy));
        copy_begin_again(follower->copy);
    }
    return rc;
}

/* ---- rounds ---- */

static int64_t wait_after(struct follower *follower, enum rc rc, const struct fault *fault)
{
    unsigned doublings = follower->failures < WAIT_DOUBLINGS ? follower->failures : WAIT_DOUBLINGS;

    if (follower->failures++ % SAY_EVERY == 0 || strcmp(follower->reason, fault->reason) != 0) {
        snprintf(follower->reason, sizeof follower->reason, "%s", fault->reason);
        log_warn("follow.waiting", "rc=%s reason=%s size=%llu", rc_name(rc), fault->reason,
                 (unsigned long long)copy_size(follower->copy));
    }
    return (int64_t)WAIT_LEAST_MS << doublings;
}

/* How long to wait for the next question. */
static int64_t round_once(struct follower *follower)
{
    bool was_whole = copy_is_whole(follower->copy);
    bool is_complete = false;
    struct fault fault = {0};
    enum rc rc = step(follower, &is_complete, &fault);

    if (rc != RC_OK) {
        return wait_after(follower, rc, &fault);
    }
    if (follower->failures > 0) {
        log_info("follow.again", "size=%llu", (unsigned long long)copy_size(follower->copy));
    }
    follower->failures = 0;
    if (copy_is_whole(follower->copy) && !was_whole) {
        log_info("follow.whole", "size=%llu", (unsigned long long)copy_size(follower->copy));
    }
    return is_complete ? follower->interval_ms : 0;
}

void follower_run(struct follower *follower, const sigset_t *until)
{
    for (;;) {
        int64_t wait_ms = round_once(follower);
        struct timespec wait = {.tv_sec = wait_ms / 1000,
                                .tv_nsec = (long)(wait_ms % 1000) * 1000000};

        if (sigtimedwait(until, NULL, &wait) > 0) {
            return;
        }
    }
}
