/*
 * enlaced - the node: start and stop order, and nothing else.
 *
 * Start: settings, directory, keys, vault, store (which signs what a crash left unsigned), queues,
 * links, listeners, exports; then READY. Stop on SIGTERM or SIGINT: listeners, links, scheduler,
 * writer, store; what was answered is on disk already.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/worker.h"
#include "crypto/cert.h"
#include "crypto/keyring.h"
#include "crypto/tlsconf.h"
#include "enlaced/backup.h"
#include "enlaced/bounds.h"
#include "enlaced/duty_settings.h"
#include "enlaced/last_words.h"
#include "enlaced/own_epoch.h"
#include "enlaced/settings.h"
#include "enlaced/store_check.h"
#include "enlaced/witnessing.h"
#include "http/http_loop.h"
#include "publish/publisher.h"
#include "publish/quorum_text.h"
#include "relay/annexes.h"
#include "relay/audit.h"
#include "relay/courier.h"
#include "relay/backlog.h"
#include "relay/budget.h"
#include "relay/clock_doubt.h"
#include "relay/desk.h"
#include "relay/epochs.h"
#include "relay/forward.h"
#include "relay/eraser.h"
#include "relay/gather.h"
#include "relay/inforce.h"
#include "relay/lawkeeper.h"
#include "relay/indexer.h"
#include "relay/node.h"
#include "relay/parcels.h"
#include "relay/postings.h"
#include "relay/recall_own.h"
#include "relay/reading_rate.h"
#include "relay/refusals.h"
#include "relay/replay.h"
#include "relay/room.h"
#include "relay/schedule.h"
#include "relay/serve.h"
#include "relay/startup.h"
#include "relay/vitals.h"
#include "relay/waker.h"
#include "relay/witness_http.h"
#include "rpc/cq.h"
#include "rpc/health.h"
#include "store/anchor.h"
#include "store/db.h"
#include "store/files.h"
#include "store/index.h"
#include "store/leaf_clock.h"
#include "store/seen.h"
#include "store/tagkey.h"
#include "store/vault.h"
#include "store/writer.h"
#include "tlog/policy.h"

#define EXIT_USAGE 2
#define DAY_MS ((int64_t)24 * 3600 * 1000)
/* One for each urgency, on most machines. */
#define LINK_THREADS 2
#define TAGKEY_CACHE 65536
#define FILES_PARTS_PER_OWNER 64

/* Everything that is opened, in the order of opening; closed in the reverse. */
struct running {
    struct settings settings;
    struct node node;
    struct lawkeeper *keeper;
    struct own_epoch epoch;
    struct cert_store *ca;
    struct witnessing witnessing;
    struct witness_http witness_http;
    struct http_loop *http;
    struct vitals_http metrics_http;
    struct http_loop *metrics;
    struct meters meters;
    struct schedule *schedule;
    struct health *health;
    struct server *server;
    struct buffer policy; /* what an exported log is accompanied by */
    struct publisher *publisher;
};

static enum log_level level_of(const char *name)
{
    static const char *const names[] = {"debug", "info", "warn", "error"};

    for (int i = 0; i < 4; i++) {
        if (strcmp(names[i], name) == 0) {
            return (enum log_level)i;
        }
    }
    return LOG_LEVEL_INFO;
}

/* Keys and plaintext stay out of core dumps. */
static void harden(void)
{
    struct rlimit none = {0, 0};

    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0);
    umask(077);
    signal(SIGPIPE, SIG_IGN);
}

/* The name of a new folder lasts only when its parent was synced. */
static int make_folder(const char *path)
{
    char parent[CONF_TEXT_SIZE];
    int status;
    int fd;

    if (mkdir(path, 0700) != 0) {
        return errno == EEXIST ? 0 : -1;
    }
    snprintf(parent, sizeof parent, "%s", path);
    fd = open(dirname(parent), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return -1;
    }
    status = fsync(fd);
    close(fd);
    return status;
}

static enum rc open_index(struct running *running)
{
    struct node *node = &running->node;
    char path[CONF_TEXT_SIZE + 8];
    const struct index_options options = {
        .path = path, .origin = node->self->origin, .epoch = db_epoch(node->db)};

    snprintf(path, sizeof path, "%s/index", running->settings.data);
    node->postings = postings_new();
    if (node->postings == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    TRY(index_open(&options, &node->index));
    return indexer_start(node, node->index, &node->indexer);
}

static enum rc open_directory(struct running *running)
{
    const struct settings *settings = &running->settings;

    if (make_folder(settings->data) != 0) {
        return failed(RC_UNAVAILABLE, "start.data", "path=%s cause=%s", settings->data,
                      strerror(errno));
    }
    return lawkeeper_open(&running->node, settings->node, settings->directory, settings->data,
                          quorum_text, &running->keeper);
}

static enum rc open_epoch(struct running *running)
{
    struct node *node = &running->node;
    struct own_epoch *epoch = &running->epoch;
    OWN_EDITION(edition) = inforce_take(node->inforce);

    TRY(own_epoch_read(&running->settings, edition->directory, epoch));
    TRY(own_epoch_apply(epoch, lawkeeper_self(running->keeper)));
    node->authorities = &epoch->authorities;
    node->succession = epoch->number > 1 ? &epoch->succession : NULL;
    node->succession_note = buffer_bytes(&epoch->note);
    return RC_OK;
}

static enum rc open_keys(struct running *running)
{
    struct node *node = &running->node;
    struct vkey listed;

    TRY(keyring_load(running->settings.log_key, &node->log_key, NULL));
    TRY(vkey_of(node->self->origin, VKEY_ED25519, node->log_key, &node->log_vkey));
    if (vkey_parse(bytes_text(node->self->log_vkey), &listed) != RC_OK ||
        memcmp(listed.public_key, node->log_vkey.public_key, sizeof listed.public_key) != 0) {
        return failed(RC_FAILED_PRECONDITION, "start.log_key",
                      "check=directory_lists_another_key file=%s", running->settings.log_key);
    }
    TRY(cert_store_load(running->settings.ca, &running->ca));
    node->ca = running->ca;
    node->certificate_file = running->settings.certificate;
    node->follower = running->settings.follower[0] != '\0' ? running->settings.follower : NULL;
    node->key_file = running->settings.key;
    node->ca_file = running->settings.ca;
    return RC_OK;
}

/* Not the log's key: a cosignature does not say whose name it was made for. */
static enum rc open_witness_key(struct running *running)
{
    struct node *node = &running->node;
    const char *file = running->settings.witness_key;
    struct vkey listed;

    node->witnessed_logs = running->witnessing.logs;
    if (file[0] == '\0') {
        return RC_OK;
    }
    TRY(keyring_load(file, &node->witness_key, NULL));
    if (vkey_parse(bytes_text(node->self->witness_vkey), &listed) != RC_OK) {
        return failed(RC_FAILED_PRECONDITION, "start.witness_key",
                      "check=directory_lists_none file=%s", file);
    }
    TRY(vkey_of(listed.name, VKEY_COSIGNATURE, node->witness_key, &node->witness_vkey));
    if (memcmp(listed.public_key, node->witness_vkey.public_key, sizeof listed.public_key) != 0) {
        return failed(RC_FAILED_PRECONDITION, "start.witness_key",
                      "check=directory_lists_another_key file=%s", file);
    }
    if (memcmp(node->log_vkey.public_key, node->witness_vkey.public_key,
               sizeof listed.public_key) == 0) {
        return failed(RC_FAILED_PRECONDITION, "start.witness_key", "check=same_as_log_key file=%s",
                      file);
    }
    return RC_OK;
}

/* Before anything is written: an older copy of the data signs nothing more. */
static enum rc open_anchor(struct running *running)
{
    const struct settings *settings = &running->settings;
    struct node *node = &running->node;
    char path[CONF_TEXT_SIZE + 16];

    if (settings->anchor[0] != '\0') {
        snprintf(path, sizeof path, "%s", settings->anchor);
    } else {
        snprintf(path, sizeof path, "%s/.anchor", settings->vault);
    }
    TRY(anchor_open(path, running->epoch.number, node->self->origin, &node->anchor));
    return anchor_check(node->anchor, node->writer);
}

static enum rc open_store(struct running *running)
{
    struct node *node = &running->node;
    const struct settings *settings = &running->settings;
    char path[CONF_TEXT_SIZE + 16];
    uint64_t floor = (uint64_t)settings->disk_floor_mib << 20;
    struct db_options db = {.kind = DB_LOG,
                            .path = path,
                            .origin = node->self->origin,
                            .epoch = running->epoch.number,
                            .floor_bytes = floor,
                            .is_followed = settings->follower[0] != '\0'};
    /* What others signed is remembered through every epoch of our own log. */
    struct seen_options seen = {.path = path, .origin = node->self->code, .floor_bytes = floor};
    struct files_limits limits = {.parts_per_owner_max = FILES_PARTS_PER_OWNER,
                                  .disk_floor = floor};
    struct writer_options writer = {.keyring = node->log_key,
                                    .queue_max = (size_t)settings->queue_max,
                                    .batch_max = (size_t)settings->batch_max};

    running->meters = (struct meters){.started_s = clock_now_ms() / 1000,
                                      .data = settings->data,
                                      .vault = settings->vault,
                                      .disk_floor = floor};
    node->meters = &running->meters;
    snprintf(path, sizeof path, "%s/log", settings->data);
    TRY(db_open(&db, &node->db));
    TRY(vault_open(settings->vault, path, &node->vault));
    TRY(tagkeys_new(node->vault, TAGKEY_CACHE, &node->tagkeys));
    snprintf(path, sizeof path, "%s/seen", settings->data);
    TRY(seen_open(&seen, &node->seen));
    TRY(epochs_new(node, &node->epochs));
    snprintf(path, sizeof path, "%s/files", settings->data);
    TRY(files_open(path, node->vault, &limits, &node->files));
    writer.db = node->db;
    TRY(writer_new(&writer, &node->writer));
    TRY(open_anchor(running));
    return open_index(running);
}

static enum rc open_relay(struct running *running)
{
    struct node *node = &running->node;

    node->service.name = "enlace";
    node->urgency = (struct urgency_limits){.messages = (uint32_t)running->settings.urgent_messages,
                                            .bytes = (uint64_t)running->settings.urgent_mib << 20};
    node->room = room_new(running->settings.data, (uint64_t)running->settings.disk_floor_mib << 20,
                          (uint64_t)running->settings.urgent_reserve_mib << 20);
    TRY(backlog_new(node->db, (uint64_t)running->settings.outbox_max, &node->backlog));
    node->pool = cq_pool_new((unsigned)running->settings.threads);
    node->link_pool = cq_pool_new(LINK_THREADS);
    node->parcels = parcels_new();
    node->refusals = refusals_new();
    node->reading_room = worker_new("reading", AUDIT_CHORES_MAX);
    node->reading_rate = reading_rate_new();
    node->budget = budget_new();
    node->annexes = annexes_new(node);
    node->desk = node->pool != NULL ? desk_new(node) : NULL;
    node->links = node->desk != NULL && node->link_pool != NULL ? links_new(node) : NULL;
    if (node->links == NULL || node->refusals == NULL || node->annexes == NULL ||
        node->budget == NULL || node->room == NULL || node->parcels == NULL ||
        node->reading_room == NULL || node->reading_rate == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    return couriers_start(node, &node->couriers);
}

/* The service manager and whoever watches the health service see it; the log says it already. */
static void on_lag(struct node *node, enum lag_state state)
{
    struct running *running = (struct running *)((char *)node - offsetof(struct running, node));
    static const char *const words[] = {"witnessed", "witnesses behind",
                                        "witnesses behind: ordinary messages wait"};

    if (health_set(running->health, "enlace.witnesses", state == LAG_FINE) != RC_OK) {
        log_error("health.set", "service=enlace.witnesses");
    }
    sd_notifyf(0, "STATUS=%s", words[state]);
}

/* Likewise. */
static void on_clock(struct node *node, enum leaf_clock_state state)
{
    struct running *running = (struct running *)((char *)node - offsetof(struct running, node));
    static const char *const words[] = {"clock believed", "clock behind",
                                        "clock behind: ordinary messages wait",
                                        "clock jumped: ordinary messages wait"};

    if (health_set(running->health, "enlace.clock", state == LEAF_CLOCK_FINE) != RC_OK) {
        log_error("health.set", "service=enlace.clock");
    }
    sd_notifyf(0, "STATUS=%s", words[state]);
}

static enum rc open_gather(struct running *running)
{
    const struct settings *settings = &running->settings;
    struct gather_options options = {
        .node = &running->node,
        .policy = running->witnessing.policy,
        .interval_ms = settings->witness_interval_ms,
        .refresh_s = settings->witness_refresh_s,
        .heartbeat_s = settings->heartbeat_s,
        .limits = {.loud_s = settings->max_witness_lag_s, .stop_s = settings->stop_witness_lag_s},
        .on_lag = on_lag,
    };

    witness_http_init(&running->witness_http, &running->node);
    if (settings->witness_listen[0] != '\0' || options.policy != NULL) {
        TRY(http_loop_new(settings->witness_listen, &running->witness_http.service,
                          &running->http));
    }
    if (options.policy == NULL) {
        return RC_OK;
    }
    if (!policy_is_safe(options.policy, running->node.self->origin)) {
        log_warn("witness.policy", "check=weak k is less than 1 + floor(2n/3) foreign witnesses");
    }
    options.http = running->http;
    return gather_new(&options, &running->node.gather);
}

/* Apart from the witnesses' loop: a scrape that waits for the disk keeps no witness waiting. */
static enum rc open_metrics(struct running *running)
{
    vitals_http_init(&running->metrics_http, &running->node);
    if (running->settings.metrics_listen[0] == '\0') {
        return RC_OK;
    }
    return http_loop_new(running->settings.metrics_listen, &running->metrics_http.service,
                         &running->metrics);
}

static enum rc open_listeners(struct running *running)
{
    const struct settings *settings = &running->settings;
    struct rpc_method methods[SERVE_METHODS_MAX + HEALTH_METHODS];
    struct server_config config = {.methods = methods,
                                   .certificate_file = settings->certificate,
                                   .key_file = settings->key,
                                   .ca_file = settings->ca};
    size_t count = serve_methods(&running->node, methods);

    running->health = health_new();
    if (running->health == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    health_methods(running->health, methods + count);
    config.method_count = count + HEALTH_METHODS;
    for (size_t i = 0; i < settings->listen.count && i < SERVER_LISTENERS_MAX - 1; i++) {
        config.listeners[config.listener_count++].address = settings->listen.items[i];
    }
    if (config.listener_count == 0) {
        return failed(RC_INVALID_ARGUMENT, "start.listen", "check=no_address");
    }
    if (settings->health_listen[0] != '\0') {
        config.listeners[config.listener_count++] =
            (struct server_listener){.address = settings->health_listen, .is_plain = true};
    }
    return server_new(running->node.pool, &config, &running->server);
}

static enum rc open_exports(struct running *running)
{
    const struct settings *settings = &running->settings;
    const struct node *node = &running->node;
    OWN_EDITION(edition) = inforce_take(node->inforce);
    struct publisher_options options = {
        .source = {.db = node->db,
                   .anchor = node->anchor,
                   .keyring = node->log_key,
                   .vkey = node->log_vkey,
                   .floor_bytes = (uint64_t)settings->disk_floor_mib << 21}, /* twice the log's */
        .mirror = settings->mirror,
        .auditors = settings->export,
        .interval_s = (int)settings->export_interval_s,
    };

    quorum_text(edition->directory, node->self, &running->policy);
    if (running->policy.is_failed) {
        return RC_RESOURCE_EXHAUSTED;
    }
    options.source.policy = buffer_bytes(&running->policy);
    return publisher_start(&options, &running->publisher);
}

/* The server as a whole; the one service that clients ask for by name stands or falls with it. */
static enum rc say_healthy(struct running *running)
{
    TRY(health_set(running->health, "", true));
    if (running->node.gather != NULL) {
        TRY(health_set(running->health, "enlace.witnesses", true));
    }
    TRY(health_set(running->health, "enlace.clock",
                   clock_doubt_state(&running->node) == LEAF_CLOCK_FINE));
    return health_set(running->health, "enlace.v1.ExchangeService", true);
}

static enum rc start(struct running *running)
{
    TRY(tlsconf_require_tls13());
    TRY(open_directory(running));
    TRY(open_epoch(running));
    TRY(open_keys(running));
    TRY(open_witness_key(running));
    TRY(open_store(running));
    TRY(open_relay(running));
    TRY(recall_own(&running->node, running->settings.recall_ms));
    TRY(startup_log_epoch(&running->node));
    TRY(startup_log_directory(&running->node));
    TRY(replay_start(&running->node, &running->node.replay));
    TRY(open_gather(running));
    running->node.on_clock = on_clock;
    running->node.blocking_ms = running->settings.blocking_days * DAY_MS;
    running->node.prune_ms = running->settings.prune_after_days * DAY_MS;
    TRY(eraser_start(&running->node, running->node.blocking_ms, &running->node.eraser));
    TRY(open_listeners(running));
    if (running->node.gather != NULL) {
        TRY(gather_start(running->node.gather));
    }
    links_start(running->node.links);
    TRY(schedule_start(&running->node, &running->schedule));
    TRY(open_exports(running));
    TRY(open_metrics(running));
    TRY(duty_start(&running->settings, &running->node));
    TRY(lawkeeper_start(running->keeper, running->server));
    return say_healthy(running);
}

static void stop(struct running *running)
{
    struct node *node = &running->node;

    if (running->health != NULL) {
        health_shut(running->health);
    }
    http_loop_free(running->metrics); /* it looks at all that ends below */
    publisher_free(running->publisher);
    buffer_release(&running->policy);
    lawkeeper_stop(running->keeper);
    schedule_free(running->schedule);
    gather_stop(node->gather);
    if (node->links != NULL) {
        links_stop(node->links);
    }
    if (running->server != NULL) {
        server_stop(running->server, (int)running->settings.stop_grace_ms);
    }
    server_free(running->server);
    waker_free(node->waker);
    health_free(running->health);
    eraser_free(node->eraser);
    worker_free(node->reading_room);
    indexer_free(node->indexer);
    replay_free(node->replay); /* calls asked whether it is over */
    couriers_free(node->couriers);
    annexes_free(node->annexes);
    if (node->writer != NULL) {
        writer_stop(node->writer);
    }
    if (node->links != NULL) {
        links_stop(node->links); /* commits until now may have poked them */
    }
    links_free(node->links);
    gather_free(node->gather);
    http_loop_free(running->http);
    cq_pool_free(node->pool);
    room_free(node->room);
    parcels_free(node->parcels);
    cq_pool_free(node->link_pool);
    budget_free(node->budget);
    desk_free(node->desk);
    backlog_free(node->backlog);
    refusals_free(node->refusals);
    reading_rate_free(node->reading_rate);
    anchor_free(node->anchor);
    writer_free(node->writer);
    postings_free(node->postings);
    files_free(node->files);
    index_free(node->index);
    epochs_free(node->epochs);
    seen_free(node->seen);
    tagkeys_free(node->tagkeys);
    db_free(node->db);
    vault_free(node->vault);
    cert_store_free(running->ca);
    keyring_free(node->log_key);
    keyring_free(node->witness_key);
    witnessing_release(&running->witnessing);
    lawkeeper_free(running->keeper);
    own_epoch_release(&running->epoch);
}

static void wait_for_signal(struct running *running, const sigset_t *signals)
{
    int number = 0;

    while (sigwait(signals, &number) == 0 && (number == SIGUSR1 || number == SIGUSR2)) {
        if (number == SIGUSR1) {
            backup_now(&running->settings, running->node.db);
        } else {
            leaf_clock_confirm(writer_clock(running->node.writer));
        }
    }
    log_info("node.stopping", "signal=%d", number);
    sd_notify(0, "STOPPING=1");
}

static int run(struct running *running)
{
    sigset_t signals;
    enum rc rc;

    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGUSR1);
    sigaddset(&signals, SIGUSR2);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    rc = start(running);
    if (rc == RC_OK) {
        struct commit_point *point = writer_latest(running->node.writer);

        log_info("node.ready", "node=%s origin=%s size=%llu port=%d", running->node.self->code,
                 running->node.self->origin, (unsigned long long)commit_point_size(point),
                 server_port(running->server, 0));
        commit_point_release(point);
        sd_notify(0, "READY=1");
        wait_for_signal(running, &signals);
    } else {
        log_fatal("node.start", "rc=%s", rc_name(rc));
    }
    stop(running);
    log_info("node.stopped", "rc=%s", rc_name(rc));
    return rc == RC_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* What a stopped node stored, read by processes that may die of it. */
static int check_stores(struct running *running)
{
    int status = EXIT_FAILURE;

    if (access(running->settings.data, F_OK) != 0) {
        log_error("store.missing", "path=%s cause=%s", running->settings.data, strerror(errno));
        return status;
    }
    if (open_directory(running) == RC_OK && open_epoch(running) == RC_OK &&
        open_keys(running) == RC_OK) {
        OWN_EDITION(edition) = inforce_take(running->node.inforce);

        status = store_check(&running->settings, &running->node.log_vkey, running->epoch.number,
                             edition->directory);
    }
    cert_store_free(running->ca);
    keyring_free(running->node.log_key);
    lawkeeper_free(running->keeper);
    own_epoch_release(&running->epoch);
    return status;
}

static int usage(FILE *out, int status)
{
    fputs("usage: enlaced SETTINGS-FILE\n"
          "       enlaced --check-config SETTINGS-FILE\n"
          "       enlaced --check SETTINGS-FILE   reads all that a stopped node stored\n"
          "       enlaced --backup log|vault FOLDER SETTINGS-FILE\n"
          "       enlaced --restore log|vault FOLDER SETTINGS-FILE\n"
          "       enlaced --help-settings\n"
          "       enlaced --help-bounds\n",
          out);
    return status;
}

/*
 * Whatever holds more than any parcel in common is mapped and unmapped by itself. Left alone,
 * malloc learns from the first large block to keep all later ones, and a busy minute stays in
 * memory for ever. Below that a block is kept for the next one: a parcel that is mapped anew costs
 * its pages' faults each time.
 */
static void give_memory_back(void)
{
    (void)mallopt(M_MMAP_THRESHOLD, 1 << 20);
    (void)mallopt(M_TRIM_THRESHOLD, 2 << 20);
}

int main(int argc, char **argv)
{
    static struct running running;
    char error[512];
    bool is_archive =
        argc == 5 && (strcmp(argv[1], "--backup") == 0 || strcmp(argv[1], "--restore") == 0);
    bool is_check = argc == 3 && strcmp(argv[1], "--check-config") == 0;
    bool is_store_check = argc == 3 && strcmp(argv[1], "--check") == 0;

    harden();
    give_memory_back();
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        return usage(stdout, EXIT_SUCCESS);
    }
    if (argc == 2 && strcmp(argv[1], "--help-settings") == 0) {
        conf_print(settings_rows, stdout);
        return EXIT_SUCCESS;
    }
    if (argc == 2 && strcmp(argv[1], "--help-bounds") == 0) {
        bounds_print(stdout);
        return EXIT_SUCCESS;
    }
    if (argc != 2 && !is_check && !is_store_check && !is_archive) {
        return usage(stderr, EXIT_USAGE);
    }
    if (conf_read(argv[argc - 1], settings_rows, &running.settings, error) != RC_OK) {
        fprintf(stderr, "%s\n", error);
        return EXIT_USAGE;
    }
    if (witnessing_read(&running.settings, &running.witnessing, error) != RC_OK) {
        fprintf(stderr, "%s: %s\n", argv[argc - 1], error);
        return EXIT_USAGE;
    }
    if (duty_settings_check(&running.settings, error) != RC_OK) {
        fprintf(stderr, "%s: %s\n", argv[argc - 1], error);
        return EXIT_USAGE;
    }
    if (is_check) {
        puts("ok");
        return EXIT_SUCCESS;
    }
    log_open("enlaced", level_of(running.settings.log_level));
    if (is_store_check) {
        return check_stores(&running);
    }
    if (is_archive) {
        return backup_run(&running.settings, argv[1], argv[2], argv[3]) == RC_OK ? EXIT_SUCCESS
                                                                                 : EXIT_FAILURE;
    }
    last_words_prepare();
    return run(&running);
}
