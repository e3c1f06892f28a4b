/*
 * submit_stream - SubmitStream: many submissions under way at once, answers in the order of
 * commits.
 *
 * At most SUBMIT_STREAM_WINDOW jobs of one stream are under way, and no more bytes than its share
 * (relay/budget); then it reads no further. All answers that one wake-up finds go out in one
 * response.
 */
#ifndef RELAY_SUBMIT_STREAM_H
#define RELAY_SUBMIT_STREAM_H

#define SUBMIT_STREAM_WINDOW 1024

struct rpc_service;
struct stream;

void submit_stream_on_stream(struct rpc_service *service, struct stream *stream);

#endif
