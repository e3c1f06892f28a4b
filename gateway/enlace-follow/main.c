/*
 * enlace-follow - keeps an encrypted copy of a node's log on another disk or machine.
 *
 * What it writes is a backup of the log that grows (store/copy.h), restored like any other: stop
 * it, then `enlace restore log FOLDER SETTINGS-FILE`. It has no key of the vault and opens no
 * content.
 */
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>

#include "base/conf.h"
#include "base/log.h"
#include "crypto/tlsconf.h"
#include "enlace-follow/follower.h"
#include "rpc/channel.h"
#include "rpc/cq.h"
#include "store/copy.h"
#include "tlog/vkey.h"

#define EXIT_USAGE 2

struct follow_settings {
    char address[CONF_TEXT_SIZE];
    char node[CONF_TEXT_SIZE];
    char certificate[CONF_TEXT_SIZE];
    char key[CONF_TEXT_SIZE];
    char ca[CONF_TEXT_SIZE];
    char log[CONF_TEXT_SIZE];
    int64_t epoch;
    char folder[CONF_TEXT_SIZE];
    int64_t interval_ms;
    int64_t disk_floor_mib;
};

#define TEXT(field, what)                                                                          \
    {                                                                                              \
#field, CONF_TEXT, offsetof(struct follow_settings, field), NULL, 1, 0, what               \
    }
#define NUMBER(field, fallback, least, most, what)                                                 \
    {                                                                                              \
#field, CONF_INTEGER, offsetof(struct follow_settings, field), fallback, least, most, what \
    }

static const struct conf_row rows[] = {
    TEXT(address, "the node's, host:port"),
    TEXT(node, "the node's identity, spiffe://enlace.network/node/code"),
    TEXT(certificate, "PEM file: the follower's TLS certificate, the one that the node's setting "
                      "follower names"),
    TEXT(key, "PEM file: its private key"),
    TEXT(ca, "PEM file: the authorities that certify nodes"),
    TEXT(log, "the log's key, one line, as the directory's log-key"),
    NUMBER(epoch, "1", 1, 4294967295, "of the log, as its statement of succession says"),
    TEXT(folder,
         "where the copy grows: another disk than the node's data, and never with a copy of "
         "its vault"),
    NUMBER(interval_ms, "100", 10, 60000, "between two questions when there is nothing new"),
    NUMBER(disk_floor_mib, "256", 1, 1048576, "free space below which nothing is written, MiB"),
    {.name = NULL},
};

static void harden(void)
{
    struct rlimit none = {0, 0};

    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0);
    umask(077);
    signal(SIGPIPE, SIG_IGN);
}

static enum rc follow(const struct follow_settings *settings)
{
    OWN_PTR(copy) copy = NULL;
    OWN_PTR(cq_pool) pool = NULL; /* outlives the channel */
    OWN_PTR(channel) channel = NULL;
    struct channel_config config = {.target = settings->address,
                                    .certificate_file = settings->certificate,
                                    .key_file = settings->key,
                                    .ca_file = settings->ca,
                                    .server_identity = settings->node};
    struct follower follower = {.interval_ms = settings->interval_ms};
    struct vkey vkey;
    struct copy_options options = {.folder = settings->folder,
                                   .vkey = &vkey,
                                   .epoch = (uint32_t)settings->epoch,
                                   .floor_bytes = (uint64_t)settings->disk_floor_mib << 20};
    sigset_t signals;

    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    TRY(tlsconf_require_tls13());
    if (vkey_parse(bytes_text(settings->log), &vkey) != RC_OK || vkey.type != VKEY_ED25519) {
        return failed(RC_INVALID_ARGUMENT, "follow.log", "check=not_a_key_of_a_log");
    }
    TRY(copy_open(&options, &copy));
    TRY(channel_new(&config, &channel));
    pool = cq_pool_new(1); /* between two calls its thread brings a broken connection back */
    if (pool == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    follower.copy = copy;
    follower.channel = channel;
    log_info("follow.ready", "origin=%s size=%llu whole=%d", vkey.name,
             (unsigned long long)copy_size(copy), copy_is_whole(copy));
    sd_notify(0, "READY=1");
    follower_run(&follower, &signals);
    buffer_release(&follower.rows);
    log_info("follow.stopped", "size=%llu", (unsigned long long)copy_size(copy));
    return RC_OK;
}

static int usage(FILE *out, int status)
{
    fputs("usage: enlace-follow SETTINGS-FILE\n"
          "       enlace-follow --help-settings\n",
          out);
    return status;
}

int main(int argc, char **argv)
{
    static struct follow_settings settings;
    char error[512];

    harden();
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        return usage(stdout, EXIT_SUCCESS);
    }
    if (argc == 2 && strcmp(argv[1], "--help-settings") == 0) {
        conf_print(rows, stdout);
        return EXIT_SUCCESS;
    }
    if (argc != 2) {
        return usage(stderr, EXIT_USAGE);
    }
    if (conf_read(argv[1], rows, &settings, error) != RC_OK) {
        fprintf(stderr, "%s\n", error);
        return EXIT_USAGE;
    }
    log_open("enlace-follow", LOG_LEVEL_INFO);
    return follow(&settings) == RC_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
