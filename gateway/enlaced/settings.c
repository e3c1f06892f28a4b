#include "enlaced/settings.h"

#define TEXT(field, fallback_text, least_length, what)                                             \
    {                                                                                              \
#field, CONF_TEXT, offsetof(struct settings, field), fallback_text, least_length, 0, what  \
    }
#define NUMBER(field, fallback_text, from, to, what)                                               \
    {                                                                                              \
#field, CONF_INTEGER, offsetof(struct settings, field), fallback_text, from, to, what      \
    }

const struct conf_row settings_rows[] = {
    TEXT(node, NULL, 1, "this node's code in the directory, as network/code"),
    {"listen", CONF_TEXTS, offsetof(struct settings, listen), NULL, 1, 0,
     "address for systems and peers over mutual TLS, host:port; may stand on several lines"},
    TEXT(health_listen, "", 0,
         "Unix socket for grpc.health.v1 without TLS, unix:/path; empty: none"),
    TEXT(certificate, NULL, 1, "PEM file: this node's TLS certificate"),
    TEXT(key, NULL, 1, "PEM file: its private key"),
    TEXT(ca, NULL, 1, "PEM file: the authorities that certify systems, officials and nodes"),
    TEXT(log_key, NULL, 1, "PEM file: Ed25519 key that signs the log's checkpoints"),
    TEXT(directory, NULL, 1,
         "folder of signed texts: networks, rosters, suspensions (*.note), who signs first "
         "(*.authorities)"),
    TEXT(data, NULL, 1, "folder for log, witnessed checkpoints and attachments"),
    TEXT(vault, NULL, 1,
         "folder for shard keys, on a medium of its own, never backed up with data"),
    TEXT(anchor, "", 0,
         "file outside data that remembers the last checkpoint, so that the node refuses to start "
         "on "
         "an older copy; empty: .anchor in the vault"),
    TEXT(mirror, "", 0,
         "folder that the node keeps its log's hash tiles in, for anybody to copy; empty: none"),
    TEXT(export, "", 0,
         "folder that the node keeps its log in with entries and records, for auditors; empty: "
         "none"),
    NUMBER(export_interval_s, "60", 1, 86400, "seconds between two runs of mirror and export"),
    TEXT(witness_key, "", 0,
         "PEM file: Ed25519 key, another than log_key, with which this node cosigns the "
         "checkpoints of other logs; empty: it does not"),
    TEXT(witness_logs, "", 0,
         "tlog-policy file whose log lines name logs beyond the directory's that it cosigns"),
    TEXT(witness_listen, "", 0,
         "address for C2SP tlog-witness over plain HTTP, 127.0.0.1:port or unix:/path; nothing "
         "beyond this machine; empty: none"),
    TEXT(metrics_listen, "", 0,
         "address for Prometheus (GET /metrics) over plain HTTP, 127.0.0.1:port or unix:/path; "
         "nothing beyond this machine; empty: none"),
    TEXT(witness_policy, "", 0,
         "tlog-policy file: whose cosignatures this log gathers, and the quorum; empty: none"),
    NUMBER(witness_interval_ms, "1000", 100, 60000,
           "a growing log offers its newest checkpoint to the witnesses this often"),
    NUMBER(witness_refresh_s, "1800", 1, 3600, "an idle log has its quorum renewed this often"),
    NUMBER(heartbeat_s, "21600", 1, 86400,
           "a log that got no leaf for so long gets one that says so"),
    NUMBER(max_witness_lag_s, "300", 1, 604800,
           "witnesses further behind than this are an alarm (witness.lag)"),
    NUMBER(stop_witness_lag_s, "0", 0, 604800,
           "witnesses further behind than this stop ordinary messages, never urgent ones; 0: "
           "nothing is stopped"),
    NUMBER(recall_ms, "3000", 0, 60000,
           "how long a start waits for what the peers remember of this log; 0: nobody is asked"),
    TEXT(authorities, "", 0,
         "file: the keys that speak for the network, and how many must agree (enlace-authorities "
         "v1); empty: those that the directory lists"),
    TEXT(succession, "", 0,
         "file: the signed statement by which this log's epoch began (enlace log succeed); empty: "
         "the log's first epoch"),
    TEXT(backup, "", 0,
         "folder where SIGUSR1 puts a backup of the log while the node runs, on another disk and "
         "never with one of the vault; empty: none"),
    TEXT(follower, "", 0,
         "URI of the one identity, in force in the directory, that may keep an encrypted copy of "
         "the "
         "log on another disk (enlace-follow); empty: none"),
    NUMBER(threads, "4", 1, 64, "completion-queue threads"),
    NUMBER(queue_max, "16384", 64, 1048576, "messages that may wait for the writer"),
    NUMBER(batch_max, "512", 1, 4096, "messages of one commit"),
    NUMBER(outbox_max, "1000000", 1, 100000000, "messages that may wait for one destination"),
    NUMBER(disk_floor_mib, "256", 1, 1048576, "free space below which nothing is accepted, MiB"),
    NUMBER(urgent_reserve_mib, "64", 0, 1048576,
           "free space above the floor that is kept for urgent messages: ordinary ones wait, and "
           "somebody is woken, MiB"),
    NUMBER(urgent_messages, "10000", 1, 100000000,
           "urgent messages that one member may send in a day (UTC); somebody is woken at three "
           "quarters, and beyond it they are refused"),
    NUMBER(urgent_mib, "256", 1, 1048576, "likewise their size, MiB"),
    TEXT(duty, "", 0,
         "folder of signed duty rosters (*.note, enlace duty new): who of each member hosted here "
         "is woken; empty: nobody can be"),
    NUMBER(duty_answer_s, "600", 1, 86400,
           "how long an official who was told has to answer before the next one is told"),
    NUMBER(duty_undelivered_s, "120", 1, 86400,
           "how long an urgent message may wait for its recipient before somebody is woken"),
    TEXT(duty_smtp, "", 0,
         "mail server for alerts: smtps://host:465, or smtp://host:587 with STARTTLS; nothing goes "
         "out without TLS but to this machine; empty: none"),
    TEXT(duty_smtp_from, "", 0, "address that alerts come from"),
    TEXT(duty_smtp_user, "", 0, "file with the mail server's user; empty: no login"),
    TEXT(duty_smtp_password, "", 0, "file with its password, readable by its owner alone"),
    TEXT(duty_webhook_secret, "", 0,
         "file with the key that webhooks are signed with (HMAC-SHA256), readable by its owner "
         "alone; empty: unsigned"),
    TEXT(duty_webhook_certificate, "", 0, "PEM file: client certificate for webhooks; empty: none"),
    TEXT(duty_webhook_key, "", 0, "PEM file: its private key, readable by its owner alone"),
    TEXT(duty_ca, "", 0,
         "PEM file: who certifies mail server and webhooks; empty: the system's authorities"),
    {"duty_command", CONF_TEXTS, offsetof(struct settings, duty_command), NULL, 1, 0,
     "NAME=/path of a program that gets an alert on its standard input, for the rosters' command "
     "NAME; may stand on several lines"},
    NUMBER(blocking_days, "90", 0, 3650,
           "how long data stays blocked, for the authority alone, before it is erased"),
    NUMBER(prune_after_days, "0", 0, 36500,
           "audit records older than this are dropped once nothing forbids it, the log still "
           "verifies; 0: only by order of two officials"),
    NUMBER(stop_grace_ms, "5000", 0, 600000, "how long calls under way may take after SIGTERM"),
    TEXT(log_level, "info", 1, "debug, info, warn or error"),
    {.name = NULL},
};
