#include "relay/who.h"

#include "base/clock.h"
#include "base/log.h"
#include "crypto/cert.h"
#include "policy/member.h"
#include "relay/inforce.h"
#include "relay/node.h"
#include "rpc/peer.h"

static enum rc refuse_none(struct fault *fault)
{
    return refuse(fault, RC_UNAUTHENTICATED, "identity.none", "",
                  "Conéctese con un certificado de cliente vigente.");
}

static enum rc check_certificate(const struct rpc_peer *peer, struct fault *fault)
{
    if (peer->cert == NULL) {
        return refuse_none(fault);
    }
    if (cert_not_after_ms(peer->cert) <= clock_now_ms()) {
        log_warn("identity.refused", "uri=%s check=certificate_expired", peer->identity);
        return refuse(fault, RC_UNAUTHENTICATED, "cert.expired", "",
                      "El certificado venció mientras la conexión estaba abierta; conéctese con "
                      "el nuevo.");
    }
    return RC_OK;
}

static enum rc identify(const struct directory *directory, const struct rpc_peer *peer,
                        struct identity *identity, struct fault *fault)
{
    const struct identity *found = NULL;

    TRY(identity_authenticate(directory, peer->identity, cert_fingerprint(peer->cert),
                              clock_local_day(clock_now_ms()), &found, fault));
    *identity = *found;
    return RC_OK;
}

enum rc who_is(const struct node *node, const struct rpc_peer *peer, struct identity *identity,
               struct fault *fault)
{
    OWN_EDITION(edition) = inforce_take(node->inforce);

    TRY(check_certificate(peer, fault));
    return identify(edition->directory, peer, identity, fault);
}

enum rc who_is_member(const struct node *node, const struct rpc_peer *peer,
                      struct identity *identity, struct fault *fault)
{
    OWN_EDITION(edition) = inforce_take(node->inforce);

    TRY(check_certificate(peer, fault));
    TRY(identify(edition->directory, peer, identity, fault));
    if ((identity->kind != IDENTITY_SYSTEM && identity->kind != IDENTITY_OFFICIAL) ||
        !node_is(
            node_of_member(edition->directory, identity->member, clock_local_day(clock_now_ms())),
            node->self)) {
        log_warn("identity.refused", "uri=%s check=hosted", identity->uri);
        return refuse(fault, RC_PERMISSION_DENIED, "identity.not_hosted", "",
                      "Este nodo no atiende a su institución; conéctese con el suyo.");
    }
    return RC_OK;
}

enum rc who_is_node(const struct node *node, const struct rpc_peer *peer,
                    struct node_entry *peer_node, struct fault *fault)
{
    OWN_EDITION(edition) = inforce_take(node->inforce);
    const struct node_entry *found = NULL;

    TRY(check_certificate(peer, fault));
    TRY(node_authenticate(edition->directory, peer->identity, cert_fingerprint(peer->cert),
                          clock_local_day(clock_now_ms()), &found, fault));
    *peer_node = *found;
    return RC_OK;
}
