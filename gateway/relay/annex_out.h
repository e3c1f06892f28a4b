/*
 * annex_out - attachments going out to the holder's own systems: StatAttachment, GetAttachment.
 *
 * One request per stream; the answers are its chunks from the asked offset, and then the end. At
 * most ANNEX_CHUNKS_IN_FLIGHT are under way, so a slow reader costs no memory. Who asks is checked
 * again at each chunk.
 */
#ifndef RELAY_ANNEX_OUT_H
#define RELAY_ANNEX_OUT_H

struct call;
struct rpc_service;
struct stream;

#define ANNEX_CHUNKS_IN_FLIGHT 2

void annex_out_stat_on_call(struct rpc_service *service, struct call *call);
void annex_out_on_stream(struct rpc_service *service, struct stream *stream);

#endif
