#include "client/session.h"

#include <stdlib.h>

#include "client/profile.h"
#include "rpc/channel.h"

enum rc session_channel(const struct profile *profile, struct channel **channel,
                        struct fault *fault)
{
    struct channel_config config = {
        .target = profile->address,
        .certificate_file = profile->certificate,
        .key_file = profile->key,
        .ca_file = profile->ca,
        .server_identity = profile->node,
    };

    if (channel_new(&config, channel) != RC_OK) {
        return refuse(fault, RC_FAILED_PRECONDITION, "session.credentials", profile->path,
                      "No se pudieron leer certificado, llave o autoridades; revise esas rutas del "
                      "perfil y sus permisos.");
    }
    return RC_OK;
}

enum rc session_open(const struct profile *profile, struct session **session, struct fault *fault)
{
    OWN_PTR(session) made = calloc(1, sizeof *made);

    if (made == NULL) {
        return refuse(fault, RC_RESOURCE_EXHAUSTED, "session.memory", "", "Falta memoria.");
    }
    made->profile = profile;
    made->timeout_ms = (int)profile->timeout_ms;
    TRY(session_channel(profile, &made->channel, fault));
    *session = MOVE(made);
    return RC_OK;
}

void session_free(struct session *session)
{
    if (session != NULL) {
        channel_free(session->channel);
        free(session);
    }
}
