/*
 * parcel_file - a parcel, or the answer to one, as a file: what the link's TLS would have done is
 * done here by a signature and a seal.
 *
 *     "enlace parcel v1\n" | u8 n | n times: digest[32] | chunk sealed
 *
 * Each part is sealed to the receiving node's certificate (crypto/cms); opened and put together
 * they are: chunk note | chunk hello | chunk body | chunk indices. The note is signed by the
 * sending node's log (C2SP signed-note):
 *
 *     enlace-parcel-file v1
 *     kind parcel                                  or answer
 *     from spiffe://enlace.cdmx/node/cdmx
 *     to spiffe://enlace.cdmx/node/ssc
 *     urgency urgent                               or ordinary
 *     sha256 HEX                                   of the three chunks after it
 *
 * hello and body are what a stream would carry, an ExchangeRequest each (or ExchangeResponse).
 * indices: of the sending log's leaves, u64 each, for the entries in their order: an answer repeats
 * them. Whatever is not sealed to this node, not signed by the log of the node that it names, for
 * another node, or changed in one byte is refused whole.
 *
 * Any thread; pure but for the keys' files.
 */
#ifndef RELAY_PARCEL_FILE_H
#define RELAY_PARCEL_FILE_H

#include "model/directory.h"
#include "model/message.h"

struct arena;
struct node;

#define PARCEL_FILE_PARTS_MAX 4

struct parcel_file {
    bool is_answer;
    char from[128]; /* URIs of nodes */
    char to[128];
    enum urgency urgency;
    struct bytes hello;
    struct bytes body;
    struct bytes indices; /* u64 each */
};

/*
 * Signs by this node's log and seals to the certificate (DER), which must be the peer's: "to".
 * RC_INVALID_ARGUMENT "parcel.certificate"; RC_OUT_OF_RANGE "parcel.too_large".
 */
MUST_CHECK enum rc parcel_file_write(const struct node *node, const struct parcel_file *file,
                                     struct bytes certificate, struct buffer *out,
                                     struct fault *fault);
/*
 * Opens and verifies all of it; slices of the arena. *peer is the node that sent it, in force.
 * RC_INVALID_ARGUMENT "parcel.malformed"; RC_PERMISSION_DENIED "parcel.not_for_us",
 * "parcel.unknown_node"; RC_DATA_LOSS "parcel.changed", "parcel.signature".
 */
MUST_CHECK enum rc parcel_file_read(const struct node *node, struct bytes bytes,
                                    struct arena *arena, struct parcel_file *file,
                                    struct node_entry *peer, struct fault *fault);

#endif
