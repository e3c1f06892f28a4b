/*
 * annex_in - attachments coming in: PutAttachment of a member's system, PutPeerAttachment of a
 * node.
 *
 *     hello --> where to go on     chunk --> how far it is durable     ... complete: the end
 *
 * Each request has one answer. A stream that was cut, by either side's death too, goes on at the
 * durable offset of the next hello. Kept under the recipient when this node hosts it, else under
 * the sender until the courier has brought it to the recipient's node. That debt is written before
 * the file's last byte: a file that is whole has been owed, whenever the node dies.
 *
 * Queue threads decide, the disk's thread works; a stream has one of its steps under way at a time.
 */
#ifndef RELAY_ANNEX_IN_H
#define RELAY_ANNEX_IN_H

struct rpc_service;
struct stream;

void annex_in_on_stream(struct rpc_service *service, struct stream *stream);
void annex_in_on_peer_stream(struct rpc_service *service, struct stream *stream);

#endif
