#include "rpc/peers.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/log.h"
#include "crypto/cert.h"

#define PLACES 256

struct place {
    grpc_auth_context *context; /* referenced */
    struct peer_entry *entry;
};

struct peers {
    struct place places[PLACES];
};

struct peers *peers_new(void)
{
    return calloc(1, sizeof(struct peers));
}

static void place_clear(struct place *place)
{
    if (place->entry != NULL) {
        grpc_auth_context_release(place->context);
        peer_release(place->entry);
        place->context = NULL;
        place->entry = NULL;
    }
}

void peers_free(struct peers *peers)
{
    if (peers != NULL) {
        for (size_t i = 0; i < PLACES; i++) {
            place_clear(&peers->places[i]);
        }
        free(peers);
    }
}

void peer_release(struct peer_entry *entry)
{
    if (entry != NULL && atomic_fetch_sub(&entry->holds, 1) == 1) {
        cert_free((struct cert *)entry->peer.cert);
        free(entry);
    }
}

static const grpc_auth_property *pem_of(const grpc_auth_context *context)
{
    grpc_auth_property_iterator rows =
        grpc_auth_context_find_properties_by_name(context, GRPC_X509_PEM_CERT_PROPERTY_NAME);

    return grpc_auth_property_iterator_next(&rows);
}

static struct peer_entry *look_at(const grpc_auth_context *context)
{
    struct peer_entry *entry = calloc(1, sizeof *entry);
    const grpc_auth_property *pem = context != NULL ? pem_of(context) : NULL;
    struct fault fault = {0};
    struct cert *cert = NULL;

    if (entry == NULL) {
        return NULL;
    }
    atomic_init(&entry->holds, 1);
    entry->peer.identity = "";
    if (pem == NULL) {
        return entry;
    }
    if (cert_from_pem(BYTES(pem->value, pem->value_length), &cert, &fault) != RC_OK) {
        log_info("peer.refused", "reason=%s", fault.reason);
        entry->is_refused = true;
        return entry;
    }
    entry->peer.cert = cert;
    entry->peer.identity = cert_uri(cert);
    return entry;
}

static struct place *place_of(struct peers *peers, const grpc_auth_context *context)
{
    uintptr_t address = (uintptr_t)context;

    return &peers->places[(address >> 4 ^ address >> 12) % PLACES];
}

struct peer_entry *peers_of(struct peers *peers, grpc_call *call)
{
    grpc_auth_context *context = grpc_call_auth_context(call);
    struct place *place = place_of(peers, context);

    if (context == NULL) {
        return look_at(NULL);
    }
    if (place->context == context) {
        grpc_auth_context_release(context);
    } else {
        struct peer_entry *entry = look_at(context);

        if (entry == NULL) {
            grpc_auth_context_release(context);
            return NULL;
        }
        place_clear(place);
        place->context = context;
        place->entry = entry;
    }
    atomic_fetch_add(&place->entry->holds, 1);
    return place->entry;
}

enum rc peer_admit(const struct peer_entry *entry, bool is_public, struct fault *fault)
{
    if (entry == NULL) {
        return refuse(fault, RC_RESOURCE_EXHAUSTED, "node.memory", "", "Intente más tarde.");
    }
    if (entry->is_refused && !is_public) {
        return refuse(fault, RC_UNAUTHENTICATED, "cert.uri_san", "",
                      "El certificado debe llevar exactamente un URI SAN de la red.");
    }
    if (entry->peer.cert == NULL && !is_public) {
        return refuse(fault, RC_UNAUTHENTICATED, "cert.required", "",
                      "Presente el certificado de su sistema.");
    }
    return RC_OK;
}
