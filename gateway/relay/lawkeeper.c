#include "relay/lawkeeper.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/conf.h"
#include "base/log.h"
#include "crypto/cert.h"
#include "crypto/spiffe.h"
#include "policy/directory_file.h"
#include "policy/law.h"
#include "policy/law_folder.h"
#include "policy/member.h"
#include "relay/courier.h"
#include "relay/forward.h"
#include "relay/inforce.h"
#include "relay/lawfetch.h"
#include "relay/node.h"
#include "relay/shelf.h"
#include "relay/startup.h"
#include "rpc/peer.h"
#include "rpc/server.h"

#define LOOK_EVERY_MS 200
/* A stream that was being opened when the directory changed is caught by a later look. */
#define CUTS 10
#define CERTIFICATE_EVERY_MS 5000
#define HOUR_MS ((int64_t)3600 * 1000)
#define DAY_MS (24 * HOUR_MS)

struct lawkeeper {
    struct node *node;
    struct law *law;
    char folder[CONF_TEXT_SIZE];
    char archive[CONF_TEXT_SIZE + 16];
    struct node_entry self;
    policy_text_fn *policy_text;
    struct inforce *inforce;
    struct lawfetch *fetch;
    struct server *server;
    uint64_t state; /* of the folder, when it was read last */
    unsigned cuts;  /* still to do */
    int64_t certificate_at_ms;
    int warned_days;
    pthread_t thread;
    bool has_thread;
    atomic_bool is_stopping;
};

/* ---- taking texts ---- */

static void tell(const struct law_offer *offer)
{
    if (offer->rc == RC_OK) {
        log_info("directory.taken", "text=%s", offer->name);
    } else if (offer->rc != RC_ALREADY_EXISTS && !offer->is_archived) {
        log_warn("directory.refused", "text=%s reason=%s cause=\"%s\"", offer->name,
                 offer->fault.rc != RC_OK ? offer->fault.reason : rc_name(offer->rc),
                 offer->fault.remedy);
    }
}

static enum rc take_folder(struct lawkeeper *keeper, const char *path, bool is_archived,
                           struct directory **directory)
{
    OWN(law_folder) folder = {0};
    struct law_offer *offers;
    enum rc rc;

    TRY(law_folder_read(path, &folder));
    offers = calloc(folder.count + 1, sizeof *offers);
    if (offers == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    for (size_t i = 0; i < folder.count; i++) {
        offers[i].note = buffer_bytes(&folder.files[i].bytes);
        offers[i].name = folder.files[i].name;
        offers[i].is_archived = is_archived;
    }
    rc = law_offer(keeper->law, offers, folder.count, directory);
    for (size_t i = 0; i < folder.count; i++) {
        tell(&offers[i]);
    }
    free(offers);
    return rc;
}

/* ---- the archive ---- */

/* Which texts make the directory of this digest: an auditor's way from a record to the law. */
static enum rc keep_list(const struct lawkeeper *keeper, const uint8_t sha256[HASH_SIZE])
{
    OWN(buffer) text = {0};
    char hex[2 * HASH_SIZE + 1];
    char name[2 * HASH_SIZE + 8];

    for (size_t i = 0; i < law_count(keeper->law); i++) {
        struct law_note note;
        char file[128];

        law_at(keeper->law, i, &note);
        law_file_name(&note, true, file);
        hex_encode(note.sha256, HASH_SIZE, hex);
        buffer_print(&text, "%s %s\n", hex, file);
    }
    hex_encode(sha256, HASH_SIZE, hex);
    snprintf(name, sizeof name, "%s.texts", hex);
    return text.is_failed ? RC_RESOURCE_EXHAUSTED
                          : law_folder_put(keeper->archive, name, buffer_bytes(&text));
}

static enum rc keep_notes(const struct lawkeeper *keeper)
{
    for (size_t i = 0; i < law_count(keeper->law); i++) {
        char path[LAW_PATH_SIZE];
        struct law_note note;
        char file[128];
        struct stat unused;

        law_at(keeper->law, i, &note);
        law_file_name(&note, true, file);
        snprintf(path, sizeof path, "%s/%s", keeper->archive, file);
        if (stat(path, &unused) != 0) {
            TRY(law_folder_put(keeper->archive, file, note.note));
        }
    }
    return RC_OK;
}

/* Who must have cosigned this node's checkpoints, as a file for tools. */
static void keep_policy(const struct lawkeeper *keeper, const struct directory *directory)
{
    OWN(buffer) text = {0};

    keeper->policy_text(directory, &keeper->self, &text);
    if (text.is_failed ||
        law_folder_put(keeper->archive, "witness-policy", buffer_bytes(&text)) != RC_OK) {
        log_warn("directory.witness_policy", "path=%s", keeper->archive);
    }
}

static void keep(const struct lawkeeper *keeper, const struct directory *directory)
{
    if (keep_notes(keeper) != RC_OK || keep_list(keeper, directory->sha256) != RC_OK) {
        log_warn("directory.archive", "path=%s", keeper->archive);
    }
    keep_policy(keeper, directory);
}

/* ---- those who are out ---- */

static bool is_out(void *arg, const struct rpc_peer *peer)
{
    const struct directory *directory = arg;
    int32_t today = clock_local_day(clock_now_ms());
    const struct identity *identity;
    const struct node_entry *node;
    struct spiffe spiffe;

    if (peer->cert == NULL) {
        return false; /* a public method */
    }
    if (spiffe_parse(bytes_text(peer->identity), &spiffe) == RC_OK && spiffe.kind == SPIFFE_NODE) {
        return node_authenticate(directory, peer->identity, cert_fingerprint(peer->cert), today,
                                 &node, NULL) != RC_OK;
    }
    return identity_authenticate(directory, peer->identity, cert_fingerprint(peer->cert), today,
                                 &identity, NULL) != RC_OK;
}

static void cut(struct lawkeeper *keeper)
{
    OWN_EDITION(edition) = inforce_take(keeper->inforce);
    unsigned count = server_cut(keeper->server, is_out, (void *)edition->directory);

    if (count > 0) {
        log_warn("directory.cut", "streams=%u", count);
    }
}

/* ---- into force ---- */

static void announce(const struct directory *directory)
{
    for (size_t i = 0; i < directory->text_count; i++) {
        const struct directory_text *text = &directory->texts[i];

        if (text->kind == TEXT_NETWORK) {
            log_info("directory.in_force", "network=%s version=%llu members=%zu routes=%zu",
                     text->subject, (unsigned long long)text->version, directory->member_count,
                     directory->route_count);
        }
    }
    for (size_t i = 0; i < directory->route_count; i++) {
        if (directory->routes[i].is_one_sided) {
            log_warn("directory.one_sided", "route=%s network=%s", directory->routes[i].id,
                     directory->texts[directory->routes[i].text].subject);
        }
    }
}

static void adopt(struct lawkeeper *keeper, struct directory *made)
{
    OWN_PTR(directory) directory = made;
    OWN_EDITION(before) = inforce_take(keeper->inforce);
    OWN_PTR(shelf) shelf = shelf_new(keeper->law, before->shelf);

    announce(directory);
    keep(keeper, directory);
    if (shelf == NULL || inforce_swap(keeper->inforce, directory, shelf) != RC_OK) {
        log_error("directory.swap", "cause=%s", shelf == NULL ? "memory" : "readers");
        keeper->state = 0; /* read again, and tried again */
        return;
    }
    (void)MOVE(directory);
    (void)MOVE(shelf);
    keeper->cuts = CUTS;
    cut(keeper);
    if (links_refresh(keeper->node->links) != RC_OK ||
        couriers_refresh(keeper->node->couriers) != RC_OK) {
        log_error("directory.peers", "check=links");
    }
    links_poke_all(keeper->node->links);
    if (startup_log_directory(keeper->node) != RC_OK) {
        log_error("directory.leaf", "check=commit");
    }
}

/* ---- this node's own certificate ---- */

/* Said once for each of the last 30, 7 and 1 days; a new one in its place is taken by itself. */
static void watch_certificate(struct lawkeeper *keeper)
{
    static const int limits[] = {1, 7, 30};
    OWN_PTR(cert) cert = NULL;
    int64_t left_ms;

    if (clock_monotonic_ms() < keeper->certificate_at_ms) {
        return;
    }
    keeper->certificate_at_ms = clock_monotonic_ms() + CERTIFICATE_EVERY_MS;
    if (cert_load(keeper->node->certificate_file, &cert, NULL) != RC_OK) {
        return; /* logged */
    }
    left_ms = cert_not_after_ms(cert) - clock_now_ms();
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        if (left_ms > limits[i] * DAY_MS) {
            continue;
        }
        if (keeper->warned_days != limits[i]) {
            keeper->warned_days = limits[i];
            log_warn("certificate.ends", "path=%s within_days=%d hours_left=%lld",
                     keeper->node->certificate_file, limits[i], (long long)(left_ms / HOUR_MS));
        }
        return;
    }
    keeper->warned_days = 0;
}

static void look(struct lawkeeper *keeper)
{
    uint64_t state = law_folder_state(keeper->folder);
    struct directory *directory = NULL;

    if (state != keeper->state && state != 0) {
        keeper->state = state;
        if (take_folder(keeper, keeper->folder, false, &directory) != RC_OK) {
            log_warn("directory.folder", "path=%s", keeper->folder);
        }
    }
    if (directory == NULL) {
        lawfetch_step(keeper->fetch, keeper->law, &directory);
    }
    if (directory != NULL) {
        adopt(keeper, directory);
    }
    if (keeper->cuts > 0) {
        keeper->cuts--;
        cut(keeper);
    }
    (void)inforce_sweep(keeper->inforce);
    watch_certificate(keeper);
}

static void *run(void *arg)
{
    struct lawkeeper *keeper = arg;

    while (!atomic_load(&keeper->is_stopping)) {
        look(keeper);
        clock_sleep_ms(LOOK_EVERY_MS);
    }
    return NULL;
}

/* ---- life ---- */

static enum rc first_directory(struct lawkeeper *keeper, struct directory **directory)
{
    char error[LAW_ERROR_SIZE] = "";

    if (mkdir(keeper->archive, 0700) != 0 && errno != EEXIST) {
        return failed(RC_UNAVAILABLE, "start.directory", "path=%s cause=\"%s\"", keeper->archive,
                      strerror(errno));
    }
    if (law_folder_trust(keeper->folder, keeper->law, error) != RC_OK) {
        return failed(RC_INVALID_ARGUMENT, "start.directory", "%s", error);
    }
    keeper->state = law_folder_state(keeper->folder);
    (void)take_folder(keeper, keeper->archive, true, directory);
    {
        struct directory *newer = NULL;

        (void)take_folder(keeper, keeper->folder, false, &newer);
        if (newer != NULL) {
            directory_free(*directory);
            *directory = newer;
        }
    }
    if (*directory == NULL) {
        return failed(RC_FAILED_PRECONDITION, "start.directory", "path=%s check=nothing_in_force",
                      keeper->folder);
    }
    return RC_OK;
}

static enum rc bring(struct lawkeeper *keeper, const char *code)
{
    OWN_PTR(directory) directory = NULL;
    OWN_PTR(shelf) shelf = NULL;
    const struct node_entry *self;

    TRY(first_directory(keeper, &directory));
    self = node_by_code(directory, code);
    if (self == NULL) {
        return failed(RC_NOT_FOUND, "start.node", "node=%s check=not_in_directory", code);
    }
    keeper->self = *self;
    announce(directory);
    keep(keeper, directory);
    shelf = shelf_new(keeper->law, NULL);
    keeper->inforce = shelf != NULL ? inforce_new(directory, shelf) : NULL;
    if (keeper->inforce == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    (void)MOVE(directory);
    (void)MOVE(shelf);
    return RC_OK;
}

enum rc lawkeeper_open(struct node *node, const char *code, const char *folder, const char *archive,
                       policy_text_fn *policy_text, struct lawkeeper **out)
{
    OWN_PTR(lawkeeper) keeper = calloc(1, sizeof *keeper);

    if (keeper == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    keeper->node = node;
    keeper->policy_text = policy_text;
    keeper->law = law_new();
    if (keeper->law == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    snprintf(keeper->folder, sizeof keeper->folder, "%s", folder);
    snprintf(keeper->archive, sizeof keeper->archive, "%s/directory", archive);
    TRY(bring(keeper, code));
    node->inforce = keeper->inforce;
    node->self = &keeper->self;
    *out = MOVE(keeper);
    return RC_OK;
}

struct node_entry *lawkeeper_self(struct lawkeeper *keeper)
{
    return &keeper->self;
}

enum rc lawkeeper_start(struct lawkeeper *keeper, struct server *server)
{
    keeper->server = server;
    TRY(lawfetch_new(keeper->node, &keeper->fetch));
    keeper->node->fetch = keeper->fetch;
    if (pthread_create(&keeper->thread, NULL, run, keeper) != 0) {
        return RC_RESOURCE_EXHAUSTED;
    }
    pthread_setname_np(keeper->thread, "law");
    keeper->has_thread = true;
    return RC_OK;
}

void lawkeeper_stop(struct lawkeeper *keeper)
{
    if (keeper != NULL && keeper->has_thread) {
        atomic_store(&keeper->is_stopping, true);
        pthread_join(keeper->thread, NULL);
        keeper->has_thread = false;
    }
}

void lawkeeper_free(struct lawkeeper *keeper)
{
    if (keeper != NULL) {
        lawkeeper_stop(keeper);
        lawfetch_free(keeper->fetch);
        inforce_free(keeper->inforce);
        law_free(keeper->law);
        free(keeper);
    }
}
