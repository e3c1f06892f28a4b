#include "relay/who.h"

#include "base/clock.h"
#include "crypto/cert.h"
#include "policy/member.h"
#include "relay/node.h"
#include "rpc/peer.h"

static enum rc refuse_none(struct fault *fault)
{
    return refuse(fault, RC_UNAUTHENTICATED, "identity.none", "",
                  "Conéctese con un certificado de cliente vigente.");
}

enum rc who_is(const struct node *node, const struct rpc_peer *peer,
               const struct identity **identity, struct fault *fault)
{
    if (peer->cert == NULL) {
        return refuse_none(fault);
    }
    return identity_authenticate(node->directory, peer->identity, cert_fingerprint(peer->cert),
                                 clock_local_day(clock_now_ms()), identity, fault);
}

enum rc who_is_node(const struct node *node, const struct rpc_peer *peer,
                    const struct node_entry **peer_node, struct fault *fault)
{
    if (peer->cert == NULL) {
        return refuse_none(fault);
    }
    return node_authenticate(node->directory, peer->identity, clock_local_day(clock_now_ms()),
                             peer_node, fault);
}
