/* reply - the operator's lines about what was accepted and refused: ids and reasons, no values. */
#ifndef RELAY_REPLY_H
#define RELAY_REPLY_H

struct submit_job;

void reply_log_accepted(const struct submit_job *job);
void reply_log_refusal(const struct submit_job *job);

#endif
