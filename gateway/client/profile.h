/*
 * profile - who a client program is and which node it talks to: one file per system.
 *
 *     address = 127.0.0.1:7443
 *     node = spiffe://enlace.cdmx/node/ssc
 *     certificate = /etc/enlace/ssc/tls.pem
 *     key = /etc/enlace/ssc/tls.key
 *     ca = /etc/enlace/ssc/ca.pem
 *     member = cdmx/ssc
 *     system = adapter
 *     node_log = gw.ssc/audit/2026+9c1a...+AbC...
 *     log = gw.cdmx/audit/2026+07d2...+AxY...
 *     peer = cdmx/mpi-cdmx gw.cdmx/audit/2026
 *     policy = ../policy.txt
 *
 * A relative path counts from the profile's own folder (links resolved). A receipt of the own node
 * has to come from a log in `node_log` (several: epochs); the sender's evidence from the log that a
 * `peer` line names for the sending member, or, without such a line, from any log listed. With a
 * policy (C2SP tlog-policy) every verification asks for its quorum of witnesses.
 *
 * Read before the first thread starts, constant afterwards.
 */
#ifndef CLIENT_PROFILE_H
#define CLIENT_PROFILE_H

#include "base/conf.h"
#include "base/own.h"
#include "tlog/vkey.h"

#define PROFILE_LOGS_MAX 64
#define PROFILE_ERROR_SIZE 640

struct profile {
    char path[CONF_TEXT_SIZE];
    char address[CONF_TEXT_SIZE];
    char node[CONF_TEXT_SIZE]; /* the node's SPIFFE URI */
    char certificate[CONF_TEXT_SIZE];
    char key[CONF_TEXT_SIZE];
    char ca[CONF_TEXT_SIZE];
    char member[CONF_TEXT_SIZE]; /* "cdmx/ssc" */
    char system[CONF_TEXT_SIZE]; /* "adapter"; empty for an official or an auditor */
    /* "" when this profile signs no acts, opens no seals, keeps no spool. */
    char official_certificate[CONF_TEXT_SIZE];
    char official_key[CONF_TEXT_SIZE];
    char seal_certificate[CONF_TEXT_SIZE];
    char seal_key[CONF_TEXT_SIZE];
    char spool[CONF_TEXT_SIZE];
    char policy[CONF_TEXT_SIZE]; /* "": none */
    int64_t timeout_ms;
    struct conf_list node_log;
    struct conf_list log;
    struct conf_list peer;
    /* From the lines above: node_log first. */
    struct vkey logs[PROFILE_LOGS_MAX];
    size_t log_count;
    size_t own_log_count;
};

extern const struct conf_row profile_rows[];

/*
 * RC_INVALID_ARGUMENT with `error` "file:line: name: what is wrong and what to do"; the texts of
 * base/conf come in its own words.
 */
MUST_CHECK enum rc profile_read(const char *path, struct profile **profile,
                                char error[PROFILE_ERROR_SIZE]);
void profile_free(struct profile *profile);
OWN_PTR_DEFINE(profile)

/*
 * The keys that may vouch for a message sent by this member: *count of them, borrowed. Those of
 * the log named by its `peer` line; all when there is none.
 */
const struct vkey *profile_logs_of(const struct profile *profile, const char *member,
                                   size_t *count);

#endif
