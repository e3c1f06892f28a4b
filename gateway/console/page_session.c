/* Who sits here: the reader's certificate, the node, the log; for the head of every page. */
#include <string.h>

#include "base/clock.h"
#include "client/ask.h"
#include "client/session.h"
#include "console/records.h"
#include "console/routes.h"
#include "crypto/cert.h"
#include "crypto/spiffe.h"

#define DAY_MS ((int64_t)24 * 3600 * 1000)

static const char *kind_text(enum spiffe_kind kind)
{
    switch (kind) {
    case SPIFFE_SYSTEM:
        return "sistema";
    case SPIFFE_NODE:
        return "nodo";
    case SPIFFE_OFFICIAL:
        return "funcionario";
    case SPIFFE_AUDITOR:
        return "auditor";
    }
    return "";
}

static void add_certificate(const char *path, const char *name, json_t *answer)
{
    OWN_PTR(cert) cert = NULL;
    struct spiffe spiffe;

    if (path[0] == '\0' || cert_load(path, &cert, NULL) != RC_OK ||
        spiffe_parse(bytes_text(cert_uri(cert)), &spiffe) != RC_OK) {
        return;
    }
    json_object_set_new(
        answer, name,
        json_pack("{s:s,s:s,s:s,s:s,s:I}", "uri", cert_uri(cert), "kind", kind_text(spiffe.kind),
                  "code", spiffe.code, "name", spiffe.name, "days_left",
                  (json_int_t)((cert_not_after_ms(cert) - clock_now_ms()) / DAY_MS)));
}

enum rc page_who(const struct asked *asked, json_t **answer, struct fault *fault)
{
    const struct console *console = asked->console;
    const struct profile *profile = console->profile;

    (void)fault;
    *answer = json_pack("{s:s,s:s,s:s,s:s,s:s,s:b,s:b}", "member", profile->member, "system",
                        profile->system, "node", profile->node, "address", profile->address, "log",
                        profile->own_log_count > 0 ? profile->logs[0].name : "", "has_spool",
                        profile->spool[0] != '\0', "has_directory", console->directory != NULL);
    add_certificate(console->profile->certificate, "certificate", *answer);
    add_certificate(console->reader_profile->certificate, "reader", *answer);
    return RC_OK;
}
